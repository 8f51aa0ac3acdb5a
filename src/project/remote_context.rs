//! PURE: which build contexts and sources of an `ADD` a builder fetches from Git
//! (BuildKit's `dfgitutil`, Compose's and Bake's contexts).

use crate::builder::git_source::GitSource;

/// The repository's address; `None` for a folder, a file, an archive, an image.
pub(super) fn repository(text: &str) -> Option<String> {
    if GitSource::parse(text).is_some() || text.starts_with("git://") {
        return Some(text.to_owned());
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        let path = text.split(['#', '?']).next().unwrap_or(text);
        return path.ends_with(".git").then(|| text.to_owned());
    }
    // As Docker took it from its beginning.
    text.starts_with("github.com/").then(|| format!("https://{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_everything_else() {
        for text in [
            "git@h.example:org/r.git#v1:sub",
            "ssh://git@h.example:22/org/r",
            "git://h.example/org/r",
            "https://h.example/org/r.git#v1",
            "https://h.example/org/r.git?branch=v1",
        ] {
            assert_eq!(repository(text).as_deref(), Some(text));
        }
        assert_eq!(repository("github.com/org/r#v1").unwrap(), "https://github.com/org/r#v1");
        for text in
            ["", ".", "./a", "a/b", "docker-image://a", "target:a", "https://h.example/a.tar.gz", "/a@b:c", "service:a"]
        {
            assert_eq!(repository(text), None, "{text}");
        }
    }
}
