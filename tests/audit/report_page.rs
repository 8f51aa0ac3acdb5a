//! The page: what it shows, and that nothing of an image becomes markup. A browser opens it in
//! the end-to-end tests.

use base64ct::{Base64, Encoding as _};
use valetkey::audit::finding::Report;
use valetkey::report::{Format, View, render, verdict};

use super::report_made::{clean, full, hostile};

fn page(report: &Report) -> String {
    String::from_utf8(render(Format::Html, report, &View::default())).unwrap()
}

/// Every tag of the page, without what is between them.
fn tags(page: &str) -> Vec<&str> {
    let body = page.split_once("</style>").unwrap().1;
    body.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0).collect()
}

#[test]
fn the_title_is_the_verdict() {
    for report in [clean(), full(), Report::default()] {
        assert!(page(&report).contains(&format!("<title>{} – valetkey audit</title>", verdict(&report))));
    }
}

#[test]
fn every_layer_is_in_the_stack_with_its_colour_and_the_last_on_top() {
    let page = page(&full());
    let layers: Vec<_> = tags(&page).into_iter().filter(|tag| tag.starts_with("li id=\"image-0-layer-")).collect();
    assert_eq!(
        layers,
        [
            "li id=\"image-0-layer-5\" class=\"layer clean\"",
            "li id=\"image-0-layer-4\" class=\"layer error\"",
            "li id=\"image-0-layer-3\" class=\"layer error\"",
            "li id=\"image-0-layer-2\" class=\"layer unread\"",
            "li id=\"image-0-layer-1\" class=\"layer warning\"",
            "li id=\"image-0-layer-0\" class=\"layer clean\"",
        ]
    );
    for part in [
        "hidden by",
        "href=\"#image-0-layer-5\"",
        "href=\"#image-0-layer-3\"",
        "COPY id_ed25519 /root/.ssh/id_ed25519",
        "private_lib/_version.py",
        "3 of its entries are encrypted",
        "Env.NPM_TOKEN",
        "the key of the manual, which opens nothing",
        "linux/arm64",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_page_allows_itself_no_script_nothing_from_outside_and_no_style_but_its_own() {
    let page = page(&hostile());
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, style.as_bytes());
    let policy = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'none'; \
         style-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">",
        Base64::encode_string(digest.as_ref())
    );
    assert!(page.contains(&policy));
    assert!(page.find(&policy).unwrap() < page.find("<title>").unwrap(), "before anything of an image");
}

#[test]
fn no_text_of_an_image_becomes_markup() {
    let page = page(&hostile());
    let known = [
        "a", "article", "bdi", "body", "code", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3", "head", "header",
        "html", "li", "main", "ol", "p", "section", "span", "strong", "ul",
    ];
    for tag in tags(&page) {
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        assert!(known.contains(&name), "<{tag}>");
        // Attributes are ours: classes, ids, links inside of the page.
        for attribute in tag.split(' ').skip(1).filter(|part| part.contains('=')) {
            let name = attribute.split('=').next().unwrap();
            assert!(["class", "id", "href", "aria-label"].contains(&name), "<{tag}>");
        }
        assert!(!tag.contains("href=") || tag.contains("href=\"#image-"), "<{tag}>");
    }
    assert!(!page.contains(
        |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    ));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;"));
    // Open and closed alike, so that nothing is left open by a text.
    for tag in known {
        let (opened, closed) = (format!("<{tag}"), format!("</{tag}>"));
        let opened = page
            .match_indices(&opened)
            .filter(|(at, _)| !page[at + opened.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()));
        assert_eq!(opened.count(), page.matches(&closed).count(), "{tag}");
    }
}
