//! Every kind of source, read, written and refused.

use super::*;

fn hint(text: &str) -> String {
    text.parse::<KeySource>().expect_err(text).hint().unwrap_or_default()
}

#[test]
fn every_kind_is_read_and_written_alike() {
    let print = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    for text in [
        "keychain:om nibus",
        "env:SSH_KEY",
        "file:~/.ssh/id:1",
        "stdin",
        "agent",
        "command:pass show 'deploy key'",
        "credential:deploy.key",
        "vault:secret/ci/deploy#key",
    ] {
        assert_eq!(text.parse::<KeySource>().expect(text).to_string(), text);
    }
    let source: KeySource = format!("agent:{print}").parse().expect("a fingerprint");
    assert_eq!(source, KeySource::Agent(AgentSelector::Fingerprint(print.to_owned())));
    let source: KeySource = "agent:me@home".parse().expect("a comment");
    assert_eq!(source, KeySource::Agent(AgentSelector::Comment("me@home".to_owned())));
}

#[test]
fn a_bare_path_is_told_to_say_file() {
    for path in ["~/.ssh/id_ed25519", "./key", "/etc/key", "keys/id", "C:\\key", "../a:b"] {
        assert_eq!(hint(path), format!("write file:{path}"));
    }
}

#[test]
fn a_misspelt_kind_names_the_nearest() {
    for (typed, near) in [
        ("keychian:x", "keychain:"),
        ("keyring:x", "keychain:"),
        ("fil:x", "file:"),
        ("Env:X", "env:"),
        ("sdtin", "stdin"),
        ("agnet", "agent"),
        ("-", "stdin"),
        ("comand:x", "command:"),
        ("credentials:x", "credential:"),
        ("openbao:x", "vault:"),
    ] {
        assert!(hint(typed).starts_with(&format!("did you mean {near}?")), "{typed}");
    }
    assert!(hint("s3:x").starts_with("a key source is one of"));
}

#[test]
fn a_kind_without_its_rest_says_what_is_missing() {
    for text in [
        "keychain:",
        "env:",
        "file:",
        "agent:",
        "command:",
        "credential:",
        "vault:kv/a",
        "file",
        "env",
        "keychain",
        "command",
        "vault",
        "",
    ] {
        assert!(hint(text).starts_with("a key source is one of"), "{text:?}");
    }
}

#[test]
fn key_text_is_never_repeated() {
    let body = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW";
    for text in [
        format!("env:-----BEGIN OPENSSH PRIVATE KEY-----\n{body}"),
        format!("env:{body}/+=="),
        body.to_owned(),
        format!("{body}/x"),
        format!("{body}:x"),
        format!("agent:SHA256:{body}"),
        format!("command:'{body}"),
        format!("command:echo {body} | cat"),
        format!("credential:{body}/"),
        format!("vault:{body}"),
    ] {
        let error = text.parse::<KeySource>().expect_err("no source");
        let said = format!("{error} {error:?} {:?}", error.hint());
        assert!(!said.contains("b3BlbnNzaC1rZXkt"), "{said}");
    }
}

#[test]
fn names_end_at_their_limit() {
    let name = "N".repeat(MAX_NAME);
    assert!(format!("env:{name}").parse::<KeySource>().is_ok());
    assert!(format!("keychain:{name}").parse::<KeySource>().is_ok());
    assert!(format!("env:{name}N").parse::<KeySource>().is_err());
    assert!(format!("keychain:{name}N").parse::<KeySource>().is_err());
    assert!(format!("credential:{name}").parse::<KeySource>().is_ok());
    assert!(format!("credential:{name}N").parse::<KeySource>().is_err());
    assert!("env:$NAME".parse::<KeySource>().is_err());
    assert!("env:1A".parse::<KeySource>().is_err());
}

#[test]
fn a_credential_is_one_file_of_its_folder_and_no_other() {
    for name in ["..", ".", "../key", "a/b", "/etc/shadow", "a\0b", "a\nb"] {
        let source = format!("credential:{name}");
        assert_eq!(source.parse::<KeySource>(), Err(SourceError::CredentialName), "{name:?}");
    }
    for name in ["..key", "a.b", "a b", "-"] {
        assert!(format!("credential:{name}").parse::<KeySource>().is_ok(), "{name:?}");
    }
}
