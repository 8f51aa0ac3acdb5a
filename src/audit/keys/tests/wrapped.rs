//! Armour as it is found in the wild.

use super::made::keys;
use super::*;

type Wrap = (&'static str, fn(&str) -> String);

fn lines(text: &str, before: &str, after: &str) -> String {
    text.trim_end().lines().map(|line| format!("{before}{line}{after}")).collect()
}

fn rewrapped(text: &str, width: usize) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    // What has headers keeps its lines.
    if text.contains(':') {
        return text.to_owned();
    }
    let body = all[1..all.len() - 1].concat();
    let body: Vec<_> = body.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("{}\n{}\n{}\n", all[0], body.join("\n"), all[all.len() - 1])
}

const WRAPS: &[Wrap] = &[
    ("CRLF", |text| text.replace('\n', "\r\n")),
    ("CR", |text| text.replace('\n', "\r")),
    ("spaces", |text| format!("key:\n{}", lines(text, "    ", "\n"))),
    ("tabs", |text| lines(text, "\t\t", "\n")),
    ("yaml block", |text| format!("key: |-\n{}other: 1\n", lines(text, "  ", "\n"))),
    ("yaml folded", |text| format!("key: >\n{}", lines(text, "  ", "\n\n"))),
    ("one line", |text| text.trim_end().replace('\n', " ")),
    ("one line in a variable", |text| format!("KEY={}\nOTHER=1", text.trim_end().replace('\n', " "))),
    (
        "no line ends",
        |text| {
            if text.contains(':') { text.to_owned() } else { rewrapped(text, 100_000).replace('\n', "") }
        },
    ),
    ("comment", |text| lines(text, "# ", "\n")),
    ("comment without a blank", |text| lines(text, "#", "\n")),
    ("C++ comment", |text| lines(text, "    // ", "\n")),
    ("comment in a block", |text| lines(text, " * ", "\n")),
    ("quoted mail", |text| lines(text, "> ", "\n")),
    ("diff", |text| lines(text, "+", "\n")),
    ("diff of what is gone", |text| lines(text, "-", "\n")),
    ("output of grep", |text| lines(text, "etc/key:", "\n")),
    ("literal n", |text| format!("KEY=\"{}\"", text.replace('\n', "\\n"))),
    ("literal rn", |text| format!("KEY='{}'", text.replace('\n', "\\r\\n"))),
    ("twice escaped n", |text| format!(r#""{{\"key\": \"{}\"}}""#, text.replace('\n', "\\\\n"))),
    ("four times", |text| text.replace('\n', "\\\\\\\\n")),
    ("u escape", |text| format!("\"{}\"", text.replace('\n', "\\u000a"))),
    ("all of it u escaped", |text| {
        let text = text.replace('\n', "\\u000A").replace('+', "\\u002b").replace('=', "\\u003D");
        format!("\"{}\"", text.replace('/', "\\/"))
    }),
    ("x escape", |text| format!("\"{}\"", text.replace('\n', "\\x0a"))),
    ("octal", |text| format!("\"{}\"", text.replace('\n', "\\012"))),
    ("C", |text| format!("const char *key =\n{};", lines(text, "    \"", "\\n\"\n"))),
    ("Java", |text| {
        format!("String key = {};", lines(text, "\"", "\\n\" +\n        ").trim_end_matches([' ', '\n', '+']))
    }),
    ("JavaScript, before the operator", |text| format!("key = ''\n{};", lines(text, "  + '", "\\n'\n"))),
    ("Python bytes", |text| format!("key = ({})", lines(text, "b'", "\\n'\n       "))),
    ("array of lines", |text| format!("[{}]", lines(text, "\"", "\",\n").trim_end_matches([',', '\n']))),
    ("array in a string", |text| format!("\"[{}]\"", lines(text, "\\\"", "\\\",").trim_end_matches(','))),
    ("join", |text| format!("[{}].join(\"\\n\")", lines(text, "'", "', "))),
    ("triple quotes", |text| format!("key = \"\"\"{text}\"\"\"\n")),
    ("template", |text| format!("const key = `{text}`;")),
    ("shell continuation", |text| format!("KEY=\"{}\"", text.trim_end().replace('\n', "\\n\\\n"))),
    ("Dockerfile", |text| format!("RUN {}", lines(text, "echo '", "' >> key && \\\n"))),
    ("Go template", |text| format!("key := \"{}\"", text.replace('\n', "\\n\" + \"").replace("+ \"\"", ""))),
    ("URL", |text| {
        let text = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("key={}&a=b", text.replace(' ', "%20").replace('\n', "%0A"))
    }),
    ("form", |text| {
        let text = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("key={}&a=b", text.replace(' ', "+").replace('\n', "%0D%0A"))
    }),
    ("URL twice", |text| {
        let text = text.replace('+', "%252B").replace('/', "%252F").replace('=', "%253D");
        text.replace(' ', "%2520").replace('\n', "%250A")
    }),
    ("HTML", |text| format!("<pre>{}</pre>", text.replace('\n', "<br />\n"))),
    ("XML", |text| format!("<key>{}</key>", text.replace('\n', "&#10;").replace('+', "&#43;").replace('=', "&#x3D;"))),
    ("attribute", |text| format!("key=&quot;{}&quot;", text.replace('\n', "&#xA;"))),
    ("narrow", |text| rewrapped(text, 20)),
    ("wide", |text| rewrapped(text, 76)),
    ("odd", |text| rewrapped(text, 33)),
    ("very wide", |text| rewrapped(text, 1_000)),
    ("blank lines", |text| rewrapped(text, 64).replacen('\n', "\n\n", 1)),
    (
        "no END",
        |text| {
            if text.contains(':') { text.to_owned() } else { text[..text.find("-----END").unwrap()].to_owned() }
        },
    ),
    ("no END, and other text", |text| {
        let end = text.find("-----END").unwrap();
        if text.contains(':') { text.to_owned() } else { format!("{}\n\nNothing more here.\n", text[..end].trim_end()) }
    }),
    ("a wrong END", |text| text.replace("-----END", "-----END EVERYTHING")),
    ("text in front", |text| format!("Bag Attributes\n    localKeyID: 01\n{text}")),
    ("a header nobody knows", |text| {
        if text.contains(':') {
            text.to_owned()
        } else {
            text.replacen('\n', "\nComment: a \"b\n", 1).replace(": a \"b", ": a")
        }
    }),
];

#[test]
fn armour_is_read_however_it_is_wrapped() {
    let texts = keys().iter().filter(|made| matches!(made.name.rsplit_once('.'), Some((_, "pem" | "openssh"))));
    let mut missed = Vec::new();
    for made in texts {
        let text = std::str::from_utf8(&made.bytes).unwrap();
        for (how, wrap) in WRAPS {
            let wrapped = wrap(text);
            let found = all(wrapped.as_bytes());
            let [found] = found.as_slice() else {
                missed.push((*how, &made.name, found.len()));
                continue;
            };
            let key = found.key.as_ref().unwrap();
            assert_eq!(found.rule, made.rule, "{} {how}", made.name);
            assert_eq!((&key.fingerprint, key.encrypted), (&made.fingerprint, made.encrypted), "{} {how}", made.name);
            assert!(wrapped.as_bytes()[found.at..].starts_with(b"-----BEGIN"), "{how}");
            assert!(found.at + found.length <= wrapped.len(), "{how}");
        }
    }
    assert_eq!(missed, []);
}

#[test]
fn several_blocks_of_one_text_are_several_findings() {
    let texts: Vec<_> = keys().iter().filter(|made| made.name.ends_with(".openssh")).collect();
    let joined: Vec<u8> = texts.iter().flat_map(|made| made.bytes.clone()).collect();
    assert_eq!(all(&joined).len(), texts.len());
}

#[test]
fn a_block_may_be_as_long_as_its_limit_and_no_longer() {
    let made = keys().iter().find(|made| made.name == "ed25519-8.pem").unwrap();
    let text = std::str::from_utf8(&made.bytes).unwrap();
    let inside = text.len() - "-----BEGIN PRIVATE KEY-----".len() - "-----END PRIVATE KEY-----\n".len();
    for (length, seen) in [(armour::MAX_INSIDE, true), (armour::MAX_INSIDE + 10, false)] {
        let padded = text.replacen('\n', &"\n".repeat(length - inside + 1), 1);
        assert_eq!(all(padded.as_bytes()).len(), usize::from(seen), "{length}");
    }
}
