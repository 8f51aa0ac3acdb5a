use super::*;

/// Host, port, user, repository, protocol.
fn read(text: &str) -> (String, Option<u16>, Option<String>, String, Over) {
    let address = Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    (address.host, address.port, address.user, address.repository, address.over)
}

fn ssh(host: &str, port: Option<u16>, repository: &str) -> (String, Option<u16>, Option<String>, String, Over) {
    (host.into(), port, Some("git".into()), repository.into(), Over::Ssh)
}

#[test]
fn every_form_over_ssh_names_the_same_repository() {
    for text in [
        "git@git.example.com:org/repo.git",
        "git@git.example.com:org/repo",
        "git@git.example.com:/org/repo.git",
        "ssh://git@git.example.com/org/repo.git",
        "ssh://git@git.example.com:22/org/repo.git",
        "ssh://git@git.example.com//org/repo.git",
        "SSH://git@GIT.example.com/org/repo.git",
        "git+ssh://git@git.example.com/org/repo.git",
        "git+ssh://git@git.example.com/org/repo.git@v1.2",
        "git+ssh://git@git.example.com/org/repo.git@feature/x#egg=repo",
        "git+ssh://git@git.example.com/org/repo.git#0123456789abcdef",
        "git+ssh://git@git.example.com/org/repo?rev=main#0123456789abcdef",
        "git+ssh://git@git.example.com:org/repo.git",
        "ssh://git@git.example.com:org/repo.git#semver:^1.0",
        "git@git.example.com:org/repo.git#commit=0123",
        "git::ssh://git@git.example.com/org/repo.git?ref=v1",
        "git::git@git.example.com:org/repo.git?ref=v1",
        "git@[git.example.com]:org/repo.git",
        "git@[git.example.com:22]:org/repo.git",
    ] {
        assert_eq!(read(text), ssh("git.example.com", None, "org/repo"), "{text}");
    }
}

#[test]
fn a_port_an_account_and_an_ip_address_are_read() {
    assert_eq!(read("ssh://git@h.example:2222/a/b.git"), ssh("h.example", Some(2222), "a/b"));
    assert_eq!(read("git@[h.example:2222]:a/b.git"), ssh("h.example", Some(2222), "a/b"));
    assert_eq!(read("ssh://git@[::1]:2222/a/b.git"), ssh("::1", Some(2222), "a/b"));
    assert_eq!(read("git@[::1]:a/b.git"), ssh("::1", None, "a/b"));
    assert_eq!(read("ssh://git@[::1]/a/b"), ssh("::1", None, "a/b"));
    assert_eq!(read("ssh://h.example/~me/b").2, None);
    assert_eq!(read("org-42@github.com:org/repo").2.as_deref(), Some("org-42"));
    assert_eq!(read("h.example:a/b").0, "h.example");
    assert_eq!(read("git@ssh.dev.azure.com:v3/org/My%20Project/repo").3, "v3/org/My%20Project/repo");
}

#[test]
fn other_protocols_are_told_from_ssh() {
    for (text, port, over) in [
        ("https://h.example/a/b.git", None, Over::Https),
        ("https://h.example:443/a/b.git", None, Over::Https),
        ("git+https://h.example:8443/a/b.git@v1", Some(8443), Over::Https),
        ("http://h.example/a/b", None, Over::Https),
        ("git://h.example/a/b.git", None, Over::Git),
    ] {
        assert_eq!(read(text), ("h.example".into(), port, None, "a/b".into(), over), "{text}");
    }
    assert_eq!(read("file:///srv/a.git").4, Over::File);
}

#[test]
fn a_password_or_a_token_is_dropped_and_told() {
    for text in [
        "https://user:hunter2@h.example/a/b.git",
        "git+https://oauth2:glpat-0123456789@h.example/a/b.git",
        "https://ghp_0123456789@h.example/a/b",
        "https://0123456789012345678901234@h.example/a/b",
        "ssh://git:hunter2@h.example/a/b",
        "ssh://ghp_0123456789@h.example/a/b",
        "https://h.example/a/b.git?private_token=hunter2",
    ] {
        assert!(holds_secret(text), "{text}");
        let shown = format!("{0} {0:?}", Address::parse(text).unwrap());
        assert!(!["hunter2", "0123"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
    for text in [
        "https://h.example/a/b.git",
        "git@h.example:a/b",
        "ssh://git@h.example/a/b",
        "ssh://APKAEIBAERJR2EXAMPLE@h.example/a/b",
        "https://me@h.example/a/b",
        "https://x:${TOKEN}@h.example/a/b",
        "https://<token>:x-oauth-basic@h.example/a/b",
        "git+https://h.example/a/b?rev=token",
    ] {
        assert!(!holds_secret(text), "{text}");
    }
}

#[test]
fn what_is_no_address_or_a_hostile_one_is_refused() {
    use AddressError::{Host, NoAddress, Protocol, Repository, User, Variable};
    for (text, error) in [
        ("", NoAddress),
        (".", NoAddress),
        ("org/repo", NoAddress),
        ("../lib", NoAddress),
        ("./a:b", NoAddress),
        ("C:\\a\\b", NoAddress),
        ("C:/a/b", NoAddress),
        ("git@h.example:a b", NoAddress),
        ("git@h.example:a/b\u{1b}[31m", NoAddress),
        ("svn://h.example/a/b", Protocol),
        ("ext::sh -c id", NoAddress),
        ("git@$HOST:a/b", Variable),
        ("https://h.example/${ORG}/b", Variable),
        ("https://{{ host }}/a/b", Variable),
        ("ssh://git@-oProxyCommand=id/a/b", Host(NameError::Character)),
        ("git@-oProxyCommand=id:a/b", Host(NameError::Character)),
        ("-oProxyCommand=id@h.example:a/b", User),
        ("ssh://-oX@h.example/a/b", User),
        ("ssh://git@h.example:99999/a/b", Host(NameError::Port)),
        ("ssh://git@h.example:0/a/b", Host(NameError::Port)),
        ("git@*.example:a/b", Host(NameError::Pattern)),
        ("git@h.example:a/../b", Repository),
        ("git@h.example:", Repository),
        ("git@h.example:-x", Repository),
        ("git@h.example:o/r.git.git", Repository),
        ("https://h.example/r.git/r.git.git", Repository),
        ("git@h.example:a/*", Repository),
        ("git@h.example:a\"]x", Repository),
        ("git@h.example:a'b", Repository),
        ("ssh://h.example", Repository),
    ] {
        assert_eq!(Address::parse(text), Err(error), "{text}");
    }
}

#[test]
fn an_address_at_the_limit_is_read_and_a_longer_one_is_not() {
    let text = |length: usize| format!("git@h.example:a/b#{}", "x".repeat(length - 18));
    assert!(Address::parse(&text(MAX_ADDRESS)).is_ok());
    assert_eq!(Address::parse(&text(MAX_ADDRESS + 1)), Err(AddressError::TooLong));
    let user = |length: usize| format!("{}@h.example:a/b", "u".repeat(length));
    assert!(Address::parse(&user(MAX_USER)).is_ok());
    assert_eq!(Address::parse(&user(MAX_USER + 1)), Err(AddressError::User));
}

#[test]
fn a_forge_that_ignores_case_has_one_repository_for_all_spellings() {
    let same = |text: &str| Address::parse(text).unwrap().same();
    assert_eq!(same("git@github.com:Org/Repo.git"), same("ssh://git@github.com/org/repo"));
    assert_ne!(same("git@h.example:Org/Repo.git"), same("git@h.example:org/repo"));
    assert_ne!(same("git@h.example:o/r"), same("ssh://git@h.example:2222/o/r"));
    assert_ne!(same("git@h.example:o/r"), same("me@h.example:o/r"));
}
