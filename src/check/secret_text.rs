//! PURE: what is a secret in a text: keys and tokens that stand in it (the audit's own rules say so),
//! expressions of a workflow that put one in, and names that say that they hold one.

use std::sync::LazyLock;

use crate::audit::finding::{Found, Severity};
use crate::audit::keys::Keys;
use crate::audit::rule::Text;
use crate::audit::scan::Scanner;
use crate::audit::secrets::{Secrets, name};

/// Bytes of an expression of a workflow that are looked at.
const LONGEST: usize = 512;

/// How names begin whose values every page of an application shows to its readers; others say
/// `PUBLIC`.
const SHOWN: [&[u8]; 3] = [b"REACT_APP_", b"GATSBY_", b"VITE_"];

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(vec![Box::new(Keys), Box::new(Secrets)]));

/// Keys and tokens that stand in the text itself. Messages name their kind, never what they say.
#[must_use]
pub fn literals(text: &[u8]) -> Vec<Found> {
    of_file("", text, false)
}

/// The same for a file of that path, whose form may tell more.
#[must_use]
pub fn literals_of_file(path: &str, text: &[u8]) -> Vec<Found> {
    of_file(path, text, true)
}

fn of_file(path: &str, text: &[u8], has_form: bool) -> Vec<Found> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let shown = Text { bytes: text, name: name.as_bytes(), depth: 0 };
    let mut found = Vec::new();
    SCANNER.scan(&shown, 0..text.len(), &mut found);
    if has_form {
        SCANNER.file(path.as_bytes(), &shown, &mut found);
    }
    found.retain(|found| found.severity > Severity::Note);
    found
}

/// Whether a name says that its value is a secret. What a page shows to its readers is none.
#[must_use]
pub fn is_secret_name(name: &[u8]) -> bool {
    let is_public = name.to_ascii_lowercase().split(|byte| !byte.is_ascii_alphanumeric()).any(|word| word == b"public");
    name::is_secret(name) && !is_public && !SHOWN.iter().any(|prefix| name.starts_with(prefix))
}

/// The secret that an expression of a workflow puts in: `NAME` of `${{ secrets.NAME }}`,
/// `github.token` of that one.
#[must_use]
pub fn expression(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find_iter(text, b"${{").find_map(|at| {
        let rest = text.get(at + 3..)?;
        let inside = rest.get(..memchr::memmem::find(rest.get(..LONGEST).unwrap_or(rest), b"}}")?)?;
        secret_of(inside)
    })
}

fn secret_of(expression: &[u8]) -> Option<Vec<u8>> {
    let whole = |at: &usize| {
        at.checked_sub(1).and_then(|before| expression.get(before)).is_none_or(|byte| !is_name(byte) && *byte != b'.')
    };
    if let Some(at) = memchr::memmem::find_iter(expression, b"secrets").find(whole) {
        let rest = expression.get(at + b"secrets".len()..)?;
        let name =
            rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b"['")).or_else(|| rest.strip_prefix(b"[\""))?;
        let name: Vec<u8> = name.iter().copied().take_while(is_name).collect();
        // Host keys are no secret, wherever people keep them.
        let is_public = |word: &[u8]| memchr::memmem::find(&name.to_ascii_uppercase(), word).is_some();
        return (!name.is_empty() && !is_public(b"KNOWN_HOST") && !is_public(b"PUBLIC_KEY")).then_some(name);
    }
    memchr::memmem::find_iter(expression, b"github.token").find(whole).map(|_| b"github.token".to_vec())
}

fn is_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The variables that a text with the syntax of shells, Dockerfiles and Compose puts in: of `$A`, `${A}`,
/// `${A:-x}`. Not where only its length is asked for, or whether it is set: `${#A}`, `${A:+x}`.
#[must_use]
pub fn variables(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(dollar) = text.get(at..).and_then(|rest| memchr::memchr(b'$', rest)) {
        let escaped = text.get(..at + dollar).is_some_and(|before| before.ends_with(b"\\"));
        at += dollar + 1;
        let rest = text.get(at..).unwrap_or_default();
        // `$$` is Compose's own dollar sign.
        if escaped || rest.starts_with(b"$") {
            at += usize::from(rest.starts_with(b"$"));
            continue;
        }
        let is_braced = rest.starts_with(b"{");
        let rest = rest.strip_prefix(b"{").unwrap_or(rest);
        let rest = rest.strip_prefix(b"!").unwrap_or(rest);
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let (name, behind) = rest.split_at(length);
        let asks = is_braced && (behind.starts_with(b":+") || behind.starts_with(b"+"));
        if name.first().is_some_and(|byte| !byte.is_ascii_digit()) && !asks {
            found.push(name.to_vec());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::secrets::made;

    #[test]
    fn a_token_is_found_at_its_place_and_its_value_is_not_said() {
        let token = made::checked("ghp_", 1);
        let text = format!("RUN echo {token} | login\n");
        let found = literals(text.as_bytes());
        assert_eq!(found.iter().map(|found| (found.at, found.length)).collect::<Vec<_>>(), [(9, token.len())]);
        assert!(!found[0].message.contains(&token[4..]), "{}", found[0].message);
        assert_eq!(literals(b"RUN echo $TOKEN | login\n"), []);
    }

    #[test]
    fn the_form_of_a_file_tells_more_than_its_text() {
        assert_eq!(literals_of_file("a/.npmrc", b"//npm.corp/:_authToken=hunter2\n").len(), 1);
        assert_eq!(literals_of_file("a/.npmrc", b"//npm.corp/:_authToken=${NPM_TOKEN}\n").len(), 0);
    }

    #[test]
    fn names_of_secrets_are_those_of_the_audit_but_for_what_pages_show() {
        assert!(is_secret_name(b"NPM_TOKEN") && is_secret_name(b"SSH_PRIVATE_KEY"));
        assert!(
            !is_secret_name(b"VITE_MAPS_API_KEY")
                && !is_secret_name(b"NEXT_PUBLIC_API_KEY")
                && !is_secret_name(b"TOKEN_URL")
        );
    }

    #[test]
    fn an_expression_names_its_secret() {
        for (text, name) in [
            ("a ${{ secrets.KEY }} b", Some("KEY")),
            ("${{secrets['KEY']}}", Some("KEY")),
            ("${{ inputs.x || secrets.KEY }}", Some("KEY")),
            ("${{ github.token }}", Some("github.token")),
            ("${{ inputs.secrets.KEY }}", None),
            ("${{ secrets.SSH_KNOWN_HOSTS }}", None),
            ("${{ env.KEY }}", None),
            ("secrets.KEY", None),
            ("${{ secrets.KEY", None),
        ] {
            assert_eq!(expression(text.as_bytes()).as_deref(), name.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn variables_are_those_whose_value_is_put_in() {
        for (text, names) in [
            ("$A-${B}${C:-x}", &["A", "B", "C"][..]),
            ("${#A} ${A:+x} ${A+x} $1 $ $$A \\$A ${", &[]),
            ("${A:?no}", &["A"]),
        ] {
            assert_eq!(variables(text.as_bytes()), names.iter().map(|n| n.as_bytes().to_vec()).collect::<Vec<_>>());
        }
    }
}
