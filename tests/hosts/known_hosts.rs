//! Our known_hosts reading against the real `ssh-keygen -F`.

use std::path::Path;
use std::process::Command;

use super::keys::{Keys, run};
use valetkey::hosts::Fingerprint;
use valetkey::hosts::known_hosts::{Marker, parse};

/// What a reader finds for a name: line number, marker, fingerprint.
type Found = Vec<(usize, Marker, String)>;

fn ours(text: &str, name: &str) -> Found {
    let parsed = parse(text, "file").unwrap();
    let of_name = parsed.lines.iter().filter(|line| line.names.matches(name));
    of_name.map(|line| (line.number, line.marker, Fingerprint::of(&line.blob).to_string())).collect()
}

fn theirs(file: &Path, name: &str) -> Found {
    let output = Command::new("ssh-keygen").args(["-l", "-F", name, "-f"]).arg(file).output();
    let output = output.expect("ssh-keygen cannot be run: install the package openssh-client");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(head) = lines.next() {
        // `# Host NAME found: line N [CA|REVOKED]`, then `NAME TYPE FINGERPRINT comment`.
        let (_, tail) = head.split_once(" found: line ").unwrap_or_else(|| panic!("{head}"));
        let (number, marker) = tail.split_once(' ').unwrap_or((tail, ""));
        let marker = match marker.trim() {
            "" => Marker::None,
            "CA" => Marker::CertAuthority,
            "REVOKED" => Marker::Revoked,
            other => panic!("{other}"),
        };
        let fingerprint = lines.next().unwrap().split(' ').nth(2).unwrap().to_owned();
        found.push((number.parse().unwrap(), marker, fingerprint));
    }
    found
}

#[test]
fn every_name_finds_the_lines_that_ssh_keygen_finds() {
    let keys = Keys::new();
    let (a, b) = (keys.ed25519("a").text, keys.make("b", "ecdsa", Some(384)).text);
    let c = keys.make("c", "rsa", Some(2048)).text;
    let (kind, base64) = a.split_once(' ').unwrap();
    let files = [
        format!("host {a}\nhost {b}\nother {c}\nHOST {c}\n"),
        format!("host,10.0.0.1,[host]:2222 {a} comment here\n[other]:2222 {b}\n::1,[::1]:2222 {c}\n"),
        format!("*.example {a}\n!bad.example,*.example {b}\n*.example,!bad.example {c}\n"),
        format!("h?st {a}\n* {b}\n[*]:2222 {c}\n[*.example]:* {a}\n"),
        format!("@revoked host {a}\n@cert-authority *.example {b}\n@revoked * {c}\n"),
        format!("@cert-authority \t*.example,host\t {a}\n@unknown host {b}\n@revoked @revoked host {c}\n"),
        format!("host {a}\r\nother {b} x\r\n\r\n# host {c}\r\n \t host {c}\r\n"),
        format!("host\nhost ssh-ed25519\nhost ssh-rsa {base64}\nhost {kind} {}\nhost {a}\n", &base64[..20]),
        format!("host {kind} !!!!\n,host {a}\nhost,,x {b}\n,, {c}\nhost, {c}\n"),
        format!("host   {kind} \t {base64}\thost other\nhost #{a}\nhost {kind} #{base64}\n"),
        format!("|1|x|y {a}\n|2|a|b {a}\n| {b}\nhost {c}"),
        format!("host 1024 35 123456789\n{} {a}\nhost {b}\n", "x".repeat(1022)),
        format!("{},host {a}\nhost,{} {b}\nhost {c}\n", "x".repeat(1023), "x".repeat(1023)),
        format!("\u{feff}host {a}\nhost {b} \u{e9}\nh\u{f6}st,host {c}\n"),
        String::new(),
    ];
    let names = [
        "host",
        "other",
        "10.0.0.1",
        "[host]:2222",
        "[other]:2222",
        "::1",
        "[::1]:2222",
        "git.example",
        "bad.example",
        "example",
        "[git.example]:2222",
        "[git.example]:22",
        "hst",
        "h?st",
        "*",
        "x",
        "absent",
    ];
    let mut found = 0;
    for (index, text) in files.iter().enumerate() {
        let file = keys.write(&format!("file{index}"), text);
        for name in names {
            let expected = theirs(&file, name);
            found += expected.len();
            assert_eq!(ours(text, name), expected, "file {index}, name {name}:\n{text}");
        }
    }
    assert!(found > 60, "ssh-keygen found only {found}: the table compares nothing");
}

#[test]
fn names_that_ssh_keygen_hashed_are_found_by_both() {
    let keys = Keys::new();
    let (a, b) = (keys.ed25519("a").text, keys.ed25519("b").text);
    let file = keys
        .write("known_hosts", &format!("host,[host]:2222,10.0.0.1 {a}\nother {b}\n*.example {a}\n@revoked host {b}\n"));
    run(Command::new("ssh-keygen").arg("-H").arg("-f").arg(&file));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.matches("|1|").count() >= 4, "{text}");
    for (name, lines) in
        [("host", 2), ("[host]:2222", 1), ("10.0.0.1", 1), ("other", 1), ("x.example", 1), ("absent", 0)]
    {
        let expected = theirs(&file, name);
        assert_eq!(expected.len(), lines, "{name}");
        assert_eq!(ours(&text, name), expected, "{name}");
    }
}
