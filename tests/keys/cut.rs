//! Keys with a part missing or damaged are called so, with what to do.

use super::lookalikes::check;
use super::made::{self, Kind};

#[test]
fn cut_keys_are_named_as_such() {
    for kind in made::KINDS {
        let text = &made::key(kind).text;
        let lines: Vec<&str> = text.lines().collect();
        let (first, last) = (lines[0], lines[lines.len() - 1]);
        let body = lines[1..lines.len() - 1].join("\n");
        let copy = "copy the whole file again";
        check("no END", format!("{first}\n{body}\n"), "the END line is missing", copy);
        check("half an END", &text[..text.len() - 12], "the END line is missing", copy);
        check("no BEGIN", format!("{body}\n{last}\n"), "the BEGIN line is missing", copy);
        check("BEGIN alone", format!("{first}\n"), "the END line is missing", copy);
        check("no body", format!("{first}\n{last}\n"), "nothing stands between", copy);
        check("the body alone", &body, "the BEGIN line is missing", copy);
        for cut in [4, 10, 40] {
            let body = &body[..body.len() - cut];
            check("less body", format!("{first}\n{body}\n{last}\n"), "ends too early", copy);
        }
        check("two keys run into each other", format!("{first}\n{body}\n{text}"), "the END", copy);
        use base64ct::{Base64, Encoding as _};
        let wrapped = Base64::encode_string(text.as_bytes());
        for cut in 1..=4 {
            let cut = &wrapped[..wrapped.len() - 40 - cut];
            check("base64 that was cut", cut, "the END line is missing", copy);
        }
    }
}

#[test]
fn damaged_keys_are_named_as_such() {
    for kind in [Kind::Rsa, Kind::P256] {
        for format in ["PEM", "PKCS8"] {
            let text = made::as_format(kind, format);
            let lines: Vec<&str> = text.lines().collect();
            let less = [&lines[..2], &lines[3..]].concat().join("\n");
            check("a line less", &less, "ends too early", "copy the whole file");
            let odd = text.replacen("\nM", "\n!", 1);
            check("no base64", odd, "damaged", "copy the whole file");
        }
    }
}
