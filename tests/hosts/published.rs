//! The shipped host keys are the published ones.

use valetkey::hosts::known_hosts::{Marker, parse};
use valetkey::hosts::pins::{PUBLISHED, REVOKED};
use valetkey::hosts::{Binds, Fingerprint, HostKeyStatus, HostName, HostScope, Hosts};

/// Host, key type, SHA-256 fingerprint as the host publishes it. From the publishers, not from
/// the shipped lines.
const FINGERPRINTS: [(&str, &str, &str); 16] = [
    ("github.com", "ssh-ed25519", "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"),
    ("github.com", "ecdsa-sha2-nistp256", "p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"),
    ("github.com", "ssh-rsa", "uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s"),
    ("gitlab.com", "ssh-ed25519", "eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8"),
    ("gitlab.com", "ecdsa-sha2-nistp256", "HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw"),
    ("gitlab.com", "ssh-rsa", "ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ"),
    ("bitbucket.org", "ssh-ed25519", "ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM"),
    ("bitbucket.org", "ecdsa-sha2-nistp256", "FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0"),
    ("bitbucket.org", "ssh-rsa", "46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E"),
    ("codeberg.org", "ssh-ed25519", "mIlxA9k46MmM6qdJOdMnAQpzGxF4WIVVL+fj+wZbw0g"),
    ("codeberg.org", "ecdsa-sha2-nistp256", "T9FYDEHELhVkulEKKwge5aVhVTbqCW0MIRwAfpARs/E"),
    ("codeberg.org", "ssh-rsa", "6QQmYi4ppFS4/+zSZ5S4IU+4sa6rwvQ4PbhCtPEBekQ"),
    ("ssh.dev.azure.com", "ssh-rsa", "ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og"),
    ("git.sr.ht", "ssh-ed25519", "WXXNZu0YyoE3KBl5qh4GsnF1vR0NeEPYJAiPME+P09g"),
    ("git.sr.ht", "ecdsa-sha2-nistp256", "1nUUjsHH0qwfjI3dYFWlXTjPUP/Un1oo6wfu9YL8tCQ"),
    ("git.sr.ht", "ssh-rsa", "rvz/I0S1T/9If9+/CU0HDTF8AV4MPu5Gkkxsb7vUTH4"),
];

fn name(text: &str) -> HostName {
    text.parse().unwrap()
}

#[test]
fn every_shipped_key_has_the_fingerprint_that_its_host_publishes() {
    let parsed = parse(PUBLISHED, "shipped").unwrap();
    assert!(parsed.skipped.is_empty(), "{:?}", parsed.skipped);
    let mut shipped = Vec::new();
    for line in parsed.lines.iter().filter(|line| line.marker == Marker::None) {
        let host = line.names.label().unwrap().to_owned();
        shipped.push((host, line.key_type.clone(), Fingerprint::of(&line.blob).to_string()));
    }
    let published: Vec<_> =
        FINGERPRINTS.iter().map(|(h, t, f)| ((*h).to_owned(), (*t).to_owned(), format!("SHA256:{f}"))).collect();
    assert_eq!(shipped, published);
}

#[test]
fn no_revoked_key_is_pinned_and_each_is_refused_for_every_host() {
    let parsed = parse(PUBLISHED, "shipped").unwrap();
    let revoked: Vec<_> = parsed.lines.iter().filter(|line| line.marker == Marker::Revoked).collect();
    let prints: Vec<_> = revoked.iter().map(|line| Fingerprint::of(&line.blob).to_string()).collect();
    assert_eq!(prints, REVOKED.map(|(_, fingerprint)| fingerprint.to_owned()));
    for line in parsed.lines.iter().filter(|line| line.marker == Marker::None) {
        assert!(!prints.contains(&Fingerprint::of(&line.blob).to_string()), "{} pins a revoked key", line.field);
    }
    let hosts = Hosts::builtin();
    for line in &revoked {
        for host in ["github.com", "bitbucket.org", "elsewhere.example"] {
            assert_eq!(hosts.status(&name(host), &line.blob, 0), HostKeyStatus::Revoked);
        }
    }
    // And the fingerprints alone are enough, with no line that says so.
    for line in &revoked {
        assert_eq!(Hosts::empty().status(&name("a.example"), &line.blob, 0), HostKeyStatus::Revoked);
    }
}

#[test]
fn a_known_hosts_file_cannot_bring_a_revoked_key_back() {
    let parsed = parse(PUBLISHED, "shipped").unwrap();
    let old = parsed.lines.iter().find(|line| line.marker == Marker::Revoked).unwrap();
    let text = PUBLISHED.lines().find(|line| line.starts_with("@revoked github.com")).unwrap();
    let mut hosts = Hosts::builtin();
    hosts.add_known_hosts(text.strip_prefix("@revoked ").unwrap(), "stale").unwrap();
    assert_eq!(hosts.status(&name("github.com"), &old.blob, 0), HostKeyStatus::Revoked);
    let given = hosts.known_hosts_for(&[HostScope::AllPinned]);
    let key = text.split(' ').nth(3).unwrap();
    let lines: Vec<_> = given.lines().filter(|line| line.contains(key)).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("@revoked *")), "{lines:?}");
}

#[test]
fn the_second_names_of_the_forges_have_the_same_keys() {
    let hosts = Hosts::builtin();
    for (first, second) in [
        ("github.com", "ssh.github.com:443"),
        ("gitlab.com", "altssh.gitlab.com:443"),
        ("ssh.dev.azure.com", "vs-ssh.visualstudio.com"),
    ] {
        let prints = |host: &str| hosts.listed_for(&name(host)).iter().map(|l| l.fingerprint).collect::<Vec<_>>();
        assert!(!prints(first).is_empty());
        assert_eq!(prints(first), prints(second));
    }
    assert!(hosts.listed_for(&name("github.com:443")).is_empty());
}

#[test]
fn unbound_logins_are_allowed_only_where_the_data_says_that_the_host_cannot_bind() {
    let hosts = Hosts::builtin();
    for (host, binds) in [
        ("github.com", Binds::No),
        ("ssh.github.com:443", Binds::No),
        ("gitlab.com", Binds::No),
        ("bitbucket.org", Binds::No),
        ("ssh.dev.azure.com", Binds::No),
        ("codeberg.org", Binds::Unknown),
        ("git.sr.ht", Binds::Unknown),
        ("elsewhere.example", Binds::Unknown),
    ] {
        assert_eq!(hosts.binds(&name(host)), binds, "{host}");
        let allowed = hosts.unbound_allowed(&HostScope::Only(vec![name(host)]));
        assert_eq!(allowed.is_empty(), binds != Binds::No, "{host}");
    }
    let all = hosts.unbound_allowed(&HostScope::AllPinned);
    assert!(all.contains(&name("github.com")) && !all.contains(&name("codeberg.org")), "{all:?}");
}
