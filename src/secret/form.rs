//! PURE: the bytes of a source → the bytes of the file that a build step reads, one file a form.
//!
//! Refuses what a form cannot carry, without repeating it: each of these files is read by other
//! programs, and what one of them would take for a second line, an option or a variable is no
//! token. Nothing here leaves a copy behind that is not wiped.

pub mod address;
pub mod cargo;
pub mod docker_config;
pub mod netrc;
pub mod npmrc;
mod out;
pub mod pip;
pub mod template;

pub use address::Address;
pub use template::Template;

use super::MAX_SECRET;
use crate::keys::Secret;
use out::Out;

/// The names of all forms, as `form` takes them.
pub const NAMES: &[&str] = &["raw", "netrc", "npmrc", "pip", "docker-config", "cargo", "template"];

/// How a secret is written for the program that reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Byte for byte.
    Raw,
    /// A line of `~/.netrc`, which Git, curl, pip, Go and others read.
    Netrc {
        /// The server.
        host: String,
        /// The user's name there.
        login: String,
    },
    /// `.npmrc`.
    Npmrc {
        /// The registry.
        registry: Address,
        /// The scope that it is for, `@` included; none means all packages.
        scope: Option<String>,
    },
    /// `pip.conf`.
    Pip {
        /// The index, with the user's name in it where that is not [`pip::USER`].
        url: Address,
        /// Whether it stands beside the index that pip has anyway.
        extra: bool,
    },
    /// Docker's `config.json`.
    DockerConfig {
        /// The registry.
        registry: String,
        /// The user's name there.
        login: String,
    },
    /// Cargo's `credentials.toml`.
    Cargo {
        /// The registry's name in Cargo's configuration, or `crates-io`.
        registry: String,
    },
    /// A text of the user's own.
    Template(Template),
}

/// Why a form cannot carry a secret. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// There is nothing.
    #[error("is empty")]
    Empty,
    /// One line is needed.
    #[error("has more than one line")]
    Lines,
    /// Characters are needed.
    #[error("has control characters")]
    Control,
    /// Text is needed.
    #[error("is no UTF-8")]
    NotText,
    /// What programs that read this form take for something else.
    #[error("has {0}, which programs that read this form take for something else")]
    Character(&'static str),
    /// The file would be larger than a builder takes.
    #[error("is too much: a builder takes {MAX_SECRET} bytes")]
    TooLarge,
}

impl FormError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => "check what the source holds; CI systems hold secrets back from pull requests from forks \
                            and from unprotected branches"
                .into(),
            Self::Lines | Self::Control | Self::NotText | Self::Character(_) => {
                "the source must hold the token alone; for a whole file use form = \"raw\"".into()
            }
            Self::TooLarge => "lend what is secret of it, and let the build fetch the rest".into(),
        })
    }
}

impl Form {
    /// Its name in `valetkey.toml`, the summary and the receipt.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Netrc { .. } => "netrc",
            Self::Npmrc { .. } => "npmrc",
            Self::Pip { .. } => "pip",
            Self::DockerConfig { .. } => "docker-config",
            Self::Cargo { .. } => "cargo",
            Self::Template(_) => "template",
        }
    }

    /// The file for a secret.
    ///
    /// # Errors
    /// [`FormError`] where the form cannot carry it.
    pub fn file(&self, secret: &Secret) -> Result<Secret, FormError> {
        let bytes = secret.expose();
        let mut out = Out::new();
        match self {
            Self::Raw if bytes.is_empty() => return Err(FormError::Empty),
            Self::Raw => out.push(bytes)?,
            Self::Netrc { host, login } => netrc::write(host, login, ascii(bytes)?, &mut out)?,
            Self::Npmrc { registry, scope } => npmrc::write(registry, scope.as_deref(), ascii(bytes)?, &mut out)?,
            Self::Pip { url, extra } => pip::write(url, *extra, ascii(bytes)?, &mut out)?,
            Self::DockerConfig { registry, login } => docker_config::write(registry, login, line(bytes)?, &mut out)?,
            Self::Cargo { registry } => cargo::write(registry, ascii(bytes)?, &mut out)?,
            Self::Template(template) => template.write(without_line_end(bytes), &mut out)?,
        }
        Ok(out.finish())
    }
}

/// Without the line's end that `echo` and editors put there.
fn without_line_end(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A secret of one line.
fn line(bytes: &[u8]) -> Result<&str, FormError> {
    let line = without_line_end(bytes);
    if line.is_empty() {
        return Err(FormError::Empty);
    }
    if line.contains(&b'\n') || line.contains(&b'\r') {
        return Err(FormError::Lines);
    }
    let text = std::str::from_utf8(line).map_err(|_| FormError::NotText)?;
    if text.chars().any(char::is_control) { Err(FormError::Control) } else { Ok(text) }
}

/// A token: what other characters become in the header of a request differs by program, and some
/// refuse them.
fn ascii(bytes: &[u8]) -> Result<&str, FormError> {
    let line = line(bytes)?;
    if line.is_ascii() { Ok(line) } else { Err(FormError::Character("characters outside of ASCII")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file for a secret, as text.
    pub(super) fn file(form: &Form, secret: &[u8]) -> Result<String, FormError> {
        let file = form.file(&Secret::new(secret.to_vec()))?;
        Ok(String::from_utf8(file.expose().to_vec()).expect("text"))
    }

    pub(super) fn one_line_forms() -> Vec<Form> {
        let address = || Address::parse("https://example.com/simple/").expect("an address");
        vec![
            Form::Netrc { host: "example.com".into(), login: "git".into() },
            Form::Npmrc { registry: address(), scope: None },
            Form::Pip { url: address(), extra: false },
            Form::DockerConfig { registry: "example.com".into(), login: "git".into() },
            Form::Cargo { registry: "private".into() },
        ]
    }

    #[test]
    fn raw_is_byte_for_byte_and_has_the_line_end_too() {
        let all: Vec<u8> = (0..=255).chain(*b"\n").collect();
        assert_eq!(Form::Raw.file(&Secret::new(all.clone())).unwrap().expose(), all);
    }

    #[test]
    fn a_file_at_the_limit_is_made_and_one_past_it_is_refused() {
        let raw = |length: usize| Form::Raw.file(&Secret::new(vec![b'x'; length])).map(|file| file.expose().len());
        assert_eq!(raw(MAX_SECRET), Ok(MAX_SECRET));
        assert_eq!(raw(MAX_SECRET + 1), Err(FormError::TooLarge));
        for form in one_line_forms() {
            let around = file(&form, b"xxx").unwrap().len() - if form.name() == "docker-config" { 4 } else { 3 };
            if form.name() != "docker-config" {
                let at = vec![b'x'; MAX_SECRET - around];
                assert_eq!(file(&form, &at).unwrap().len(), MAX_SECRET, "{}", form.name());
                assert_eq!(file(&form, &[&at[..], b"x"].concat()), Err(FormError::TooLarge), "{}", form.name());
            }
            assert_eq!(file(&form, &vec![b'x'; MAX_SECRET]), Err(FormError::TooLarge), "{}", form.name());
        }
    }

    #[test]
    fn a_form_of_one_line_takes_one_and_drops_its_end() {
        for form in one_line_forms() {
            let plain = file(&form, b"t0ken").unwrap();
            for end in ["\n", "\r\n"] {
                assert_eq!(file(&form, format!("t0ken{end}").as_bytes()).unwrap(), plain);
            }
        }
    }

    #[test]
    fn what_a_form_of_one_line_cannot_carry_is_refused_and_not_repeated() {
        for form in one_line_forms() {
            for (secret, why) in [
                (&b""[..], FormError::Empty),
                (b"\n", FormError::Empty),
                (b"one\ntwo", FormError::Lines),
                (b"one\rtwo", FormError::Lines),
                (b"one\n\n", FormError::Lines),
                (b"one\0two", FormError::Control),
                (b"one\ttwo", FormError::Control),
                (b"\x1b[31mred", FormError::Control),
                (b"one\x7ftwo", FormError::Control),
                (b"one\xc2\x85two", FormError::Control),
                (b"one\xfftwo", FormError::NotText),
            ] {
                let error = file(&form, secret).unwrap_err();
                assert_eq!(error, why, "{} {secret:?}", form.name());
                let said = format!("{error} {error:?} {:?}", error.hint());
                assert!(!said.contains("two") && !said.contains("[31m"), "{said}");
            }
        }
    }

    #[test]
    fn what_is_not_ascii_is_only_for_the_form_that_encodes_it() {
        for form in one_line_forms() {
            let refused = file(&form, "pass\u{e9}".as_bytes()).is_err();
            assert_eq!(refused, form.name() != "docker-config", "{}", form.name());
        }
    }

    #[test]
    fn every_form_has_a_name_that_the_config_takes() {
        let template = Form::Template(Template::parse("{{secret}}").unwrap());
        for form in one_line_forms().into_iter().chain([Form::Raw, template]) {
            assert!(NAMES.contains(&form.name()));
        }
    }
}
