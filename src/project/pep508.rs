//! PURE: a dependency of Python as one text (PEP 508, and pip's own older forms).

/// A dependency that is fetched with Git.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// Its name, where one is given.
    pub(super) name: Option<&'a str>,
    /// The address as it was written, with `git+` and reference.
    pub(super) url: &'a str,
}

/// `name[extras] @ git+ssh://… ; marker`, or the address alone, with its name as `#egg=`.
pub(super) fn git(text: &str) -> Option<Found<'_>> {
    let text = text.trim();
    let (name, url) = match text.split_once('@') {
        Some((name, url)) if is_name(name) => (Some(name), url.trim_start()),
        _ => (None, text),
    };
    if !url.starts_with("git+") {
        return None;
    }
    let url = url.split_whitespace().next().unwrap_or(url);
    let url = url.split_once(';').map_or(url, |(url, _)| url);
    let egg = url.split_once('#').and_then(|(_, rest)| rest.split('&').find_map(|part| part.strip_prefix("egg=")));
    Some(Found { name: name.map(|name| name.split('[').next().unwrap_or(name).trim()).or(egg), url })
}

/// A name with its extras, and nothing else.
fn is_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-[], ".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_address_are_found_without_extras_and_markers() {
        for (text, name, url) in [
            ("git+ssh://git@h.example/o/r.git@v1#egg=r", Some("r"), "git+ssh://git@h.example/o/r.git@v1#egg=r"),
            ("git+ssh://git@h.example/o/r.git", None, "git+ssh://git@h.example/o/r.git"),
            ("r[a, b]@git+https://h.example/o/r", Some("r"), "git+https://h.example/o/r"),
            ("r @ git+ssh://git@h.example/o/r ; python_version > '3'", Some("r"), "git+ssh://git@h.example/o/r"),
            ("r @ git+ssh://git@h.example/o/r;x", Some("r"), "git+ssh://git@h.example/o/r"),
        ] {
            assert_eq!(git(text), Some(Found { name, url }), "{text}");
        }
        for text in ["", "r", "r>=1", "r @ https://h.example/r.whl", "r @ file:///r", "hg+ssh://h.example/r"] {
            assert_eq!(git(text), None, "{text}");
        }
    }
}
