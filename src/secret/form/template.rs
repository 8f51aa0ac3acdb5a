//! `template`: a text with `{{secret}}` in it, as it is, or as `{{secret|base64}}`,
//! `{{secret|url}}` or `{{secret|json}}`.
//!
//! Every `{{` begins one of these: what is spelled otherwise is refused when the config is read,
//! and not left in a file that then holds no secret.

use super::FormError;
use super::out::Out;

/// The most bytes of one: what it makes is no longer than this either.
pub const MAX_TEMPLATE: usize = super::MAX_SECRET;

/// How the secret stands in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As {
    Itself,
    Base64,
    Url,
    Json,
}

/// A piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Secret(As),
}

/// A template that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

impl Template {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and repeats nothing.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_TEMPLATE {
            return Err("it is longer than a secret may be");
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, behind) = behind.split_once("}}").ok_or("a `{{` in it has no `}}`")?;
            let mut words = name.split('|').map(str::trim);
            let how = match (words.next(), words.next(), words.next()) {
                (Some("secret"), None, None) => As::Itself,
                (Some("secret"), Some("base64"), None) => As::Base64,
                (Some("secret"), Some("url"), None) => As::Url,
                (Some("secret"), Some("json"), None) => As::Json,
                _ => return Err("what stands between its `{{` and `}}` is not known"),
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Secret(how));
            rest = behind;
        }
        if parts.is_empty() {
            return Err("it has no {{secret}}");
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    pub(super) fn write(&self, secret: &[u8], out: &mut Out) -> Result<(), FormError> {
        if secret.is_empty() {
            return Err(FormError::Empty);
        }
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => out.text(text),
            Part::Secret(As::Itself) => out.push(secret),
            Part::Secret(As::Base64) => out.base64([secret]),
            Part::Secret(As::Url) => out.url(secret),
            Part::Secret(As::Json) => out.quoted(std::str::from_utf8(secret).map_err(|_| FormError::NotText)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::super::{Form, MAX_SECRET};
    use super::*;

    fn made(template: &str, secret: &[u8]) -> Result<String, FormError> {
        file(&Form::Template(Template::parse(template).unwrap()), secret)
    }

    #[test]
    fn a_secret_stands_in_each_of_its_places_as_it_is_asked_for() {
        let template = "a {{secret}} {{ secret | base64 }} {{secret|url}} {{secret|json}} } z\n";
        assert_eq!(
            made(template, "é\"\n/\r\n".as_bytes()).unwrap(),
            "a é\"\n/ w6kiCi8= %C3%A9%22%0A%2F \"é\\\"\\n/\" } z\n"
        );
        assert_eq!(made("{{secret|json}}", b"\xff"), Err(FormError::NotText));
        assert_eq!(made("{{secret}}", b"\n"), Err(FormError::Empty));
    }

    #[test]
    fn what_is_not_understood_is_refused_before_a_secret_is_read() {
        for text in [
            "",
            "no place",
            "{{Secret}}",
            "{{secret",
            "{{secret|hex}}",
            "{{secret|url|json}}",
            "{{secret}}{{x}}",
            "{{}}",
        ] {
            assert!(Template::parse(text).is_err(), "{text:?}");
        }
        assert!(Template::parse(&format!("{{{{secret}}}}{}", "x".repeat(MAX_TEMPLATE - 10))).is_ok());
        assert!(Template::parse(&format!("{{{{secret}}}}{}", "x".repeat(MAX_TEMPLATE - 9))).is_err());
    }

    #[test]
    fn many_places_do_not_make_a_file_past_the_limit() {
        let places = "{{secret}}".repeat(MAX_TEMPLATE / 10);
        assert_eq!(made(&places, &[b'x'; 64]), Err(FormError::TooLarge));
        assert_eq!(made("{{secret}}", &vec![b'x'; MAX_SECRET]).unwrap().len(), MAX_SECRET);
        assert_eq!(made("{{secret}}!", &vec![b'x'; MAX_SECRET]), Err(FormError::TooLarge));
    }
}
