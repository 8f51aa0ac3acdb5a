//! The page of an audit in headless Chromium: what is in its DOM, that no text of an image became
//! an element or ran, and that it fits a phone and a desk.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use valetkey::audit::finding::Report;
use valetkey::report::{Format, View, render};

#[path = "../../tests/audit/report_made.rs"]
#[expect(dead_code, reason = "the fast tests use the rest of it")]
mod report_made;

/// Longer than any start of a browser on a loaded machine; a hang ends the test and not the run.
const SECONDS: &str = "120";

fn chromium(folder: &Path, page: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("timeout")
        .args([SECONDS, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .expect("chromium");
    assert!(output.status.success(), "{}", output.status);
    output.stdout
}

fn page(folder: &Path, report: &Report) -> std::path::PathBuf {
    let path = folder.join("page.html");
    fs::write(&path, render(Format::Html, report, &View::default())).expect("written");
    path
}

fn dom(report: &Report) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let page = page(folder.path(), report);
    String::from_utf8(chromium(folder.path(), &page, &["--dump-dom"])).expect("UTF-8")
}

/// A chunk of a PNG by its name (PNG specification, section 5.3).
fn width_and_height(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[test]
fn a_browser_shows_the_stack_with_its_findings() {
    let dom = dom(&report_made::full());
    assert_eq!(dom.matches("<article").count(), 7, "{dom}");
    assert_eq!(dom.matches("<li id=\"image-0-layer-").count(), 6);
    for part in ["<title>7 findings in 3 images", "hides <code", "href=\"#image-0-layer-5\"", "not read: <code"] {
        assert!(dom.contains(part), "{part}: {dom}");
    }
}

#[test]
fn a_browser_finds_no_element_in_hostile_texts_and_runs_nothing() {
    let dom = dom(&report_made::hostile());
    for element in ["<script", "<img", "<iframe", "<link", "<form", "onerror=\""] {
        assert!(!dom.contains(element), "{element}: {dom}");
    }
    assert_eq!(dom.matches("<style").count(), 1);
    assert_eq!(dom.matches("</style>").count(), 1);
    assert_eq!(dom.matches("<article").count(), 7);
    assert!(dom.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn a_script_that_got_in_would_not_run() {
    // What the policy is for: escaping that fails. The page is spoilt by hand here.
    let folder = tempfile::tempdir().expect("a folder");
    let page = page(folder.path(), &report_made::clean());
    let text = fs::read_to_string(&page).expect("the page");
    let bad = "<p id=\"x\">quiet</p><script>document.getElementById('x').textContent = 'ran'</script>\
               <img src=\"data:,\" onerror=\"document.getElementById('x').textContent = 'ran'\">";
    fs::write(&page, text.replacen("<main>", &format!("<main>{bad}"), 1)).expect("written");
    let dom = String::from_utf8(chromium(folder.path(), &page, &["--dump-dom"])).expect("UTF-8");
    assert!(dom.contains("<p id=\"x\">quiet</p>"), "{dom}");
    // And without the policy it does run, so that this test tests something.
    fs::write(&page, fs::read_to_string(&page).expect("the page").replace("Content-Security-Policy", "x"))
        .expect("written");
    let dom = String::from_utf8(chromium(folder.path(), &page, &["--dump-dom"])).expect("UTF-8");
    assert!(dom.contains("<p id=\"x\">ran</p>"), "{dom}");
}

#[test]
fn the_page_fits_a_phone_and_a_desk_even_with_texts_that_do_not_break() {
    for report in [report_made::full(), report_made::hostile()] {
        let folder = tempfile::tempdir().expect("a folder");
        let page = page(folder.path(), &report);
        // A frame as wide as the window, in which the page says how wide it would like to be.
        let text = fs::read_to_string(&page).expect("the page").replace("Content-Security-Policy", "x");
        let says =
            "<script>document.title = 'width ' + document.documentElement.scrollWidth + ' of ' + innerWidth</script>";
        for width in [390, 1280] {
            let picture = folder.path().join("picture.png");
            chromium(
                folder.path(),
                &page,
                &[&format!("--window-size={width},1600"), &format!("--screenshot={}", picture.display())],
            );
            let png = fs::read(&picture).expect("a picture");
            assert_eq!(width_and_height(&png), (width, 1600));
            assert!(png.len() > 20_000, "an empty page");
            let measured = folder.path().join("measured.html");
            fs::write(&measured, text.replacen("</body>", &format!("{says}</body>"), 1)).expect("written");
            let dom = chromium(folder.path(), &measured, &[&format!("--window-size={width},1600"), "--dump-dom"]);
            let dom = String::from_utf8(dom).expect("UTF-8");
            assert!(
                dom.contains(&format!("<title>width {width} of {width}</title>")),
                "{:?}",
                dom.find("<title>").map(|at| &dom[at..at + 60])
            );
        }
    }
}
