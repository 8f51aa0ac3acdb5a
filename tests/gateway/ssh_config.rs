//! The person's `~/.ssh/config` for a granted host: followed, or refused openly.

use std::fs;

use super::place::Place;
use crate::agent::lending::{Ended, Lending};

/// OpenSSH asks the account for its home, not `$HOME`: in a mount namespace of its own the
/// account has the test's. The whole of /etc, because a single file that was bound is lost when
/// anyone renames over it.
const IN_ITS_HOME: &str = r#"
set -e; other=; [ "$(id -u)" = 0 ] || other='--user --map-root-user'
cp -a /etc "$HOME/etc" 2>/dev/null || true
sed "s|^\(\([^:]*:\)\{5\}\)[^:]*|\1$HOME|" /etc/passwd >"$HOME/passwd"; cp "$HOME/passwd" "$HOME/etc/passwd"
exec unshare --mount $other sh -ec 'mount --bind "$HOME/etc" /etc; exec "$@"' sh "$@""#;

fn with_ssh_config(place: &Place, config: &str, lending: Lending, script: &str) -> Ended {
    let folder = lending.folder().join(".ssh");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("config"), config).unwrap();
    place.sh(&lending.first(IN_ITS_HOME), script)
}

#[test]
fn host_name_and_port_are_followed() {
    let place = Place::new();
    let (host, port) = (place.server.host(), place.server.0.port());
    let url = place.url("org/repo").replace(&host, "forge.invalid");
    let script = format!("git clone -q {url} a && cat a/file");
    let config = place.config(&["org/repo"], "").replace(&format!("host = \"{host}\""), "host = \"forge.invalid\"");
    // The pin is for the name that is granted: what it is reached by does not matter to it.
    let line = fs::read_to_string(place.server.0.host_key("ed25519").with_extension("pub")).unwrap();
    let pin = format!("[[host]]\nname = \"forge.invalid\"\nkeys = [\"{}\"]\n", line.trim());
    let lending = || Lending::new().config(&format!("{config}{pin}"));
    let followed = format!("Host forge.invalid\n  HostName 127.0.0.1\n  Port {port}\n");
    let ended = with_ssh_config(&place, &followed, lending(), &script);
    ended.expect_code(0);
    assert_eq!(ended.stdout, "a file\n", "{}", ended.report());
    assert_eq!(ended.receipt["repositories"][0]["host"], "forge.invalid");
    // Without the config there is no such host.
    let ended = with_ssh_config(&place, "", lending(), &script);
    ended.expect_code(128).expect_refused("failed to connect to forge.invalid", None);
}

#[test]
fn a_jump_host_a_proxy_or_what_cannot_be_read_is_refused_openly_and_nobody_is_asked() {
    let place = Place::new();
    let script = format!("git clone -q {} a && cat a/file", place.url("org/repo"));
    for (setting, said) in [
        ("ProxyJump bastion.invalid", "through a jump host (ProxyJump), which the gateway does not follow"),
        ("ProxyCommand touch $HOME/marker", "through a command (ProxyCommand), which the gateway does not follow"),
        ("NoSuchSetting x", "is not one that ssh can read (see `ssh -G`)"),
    ] {
        let lending = place.lending(&["org/repo"], "");
        let marker = lending.folder().join("marker");
        let ended = with_ssh_config(&place, &format!("Host 127.0.0.1\n  {setting}\n"), lending, &script);
        ended.expect_code(128).expect_refused(said, Some("--lend agent"));
        assert!(
            ended.stderr.contains(&format!("valetkey: failed to reach {}", place.server.name())),
            "{}",
            ended.report()
        );
        assert!(!marker.exists() && place.server.accepted() == 0, "{}", ended.report());
    }
    let ended = with_ssh_config(&place, "Host *\n  ProxyJump none\n", place.lending(&["org/repo"], ""), &script);
    assert_eq!(ended.expect_code(0).stdout, "a file\n", "{}", ended.report());
}

#[test]
fn an_ssh_double_that_never_answers_is_cut_off_with_what_it_started() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let lending = place.lending(&["org/repo"], "");
    // valetkey finds the double; the command finds the guest.
    let double = lending.folder().join("double");
    fs::create_dir(&double).unwrap();
    fs::write(double.join("ssh"), "#!/bin/sh\nsleep 600 & echo $! >$HOME/pid; wait\n").unwrap();
    fs::set_permissions(double.join("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let began = std::time::Instant::now();
    let lending = lending.env("PATH", format!("{}:{path}", double.display()));
    let ended = place.sh(&lending, &format!("git clone -q {} a && cat a/file", place.url("org/repo")));
    ended.expect_code(128).expect_refused("keeps ssh busy for longer than 10 seconds", Some("--lend agent"));
    let took = began.elapsed();
    assert!(took >= valetkey::gateway::route::MAX_ASK && took < 3 * valetkey::gateway::route::MAX_ASK, "{took:?}");
    let pid = fs::read_to_string(lending.folder().join("pid")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
    assert_eq!(place.server.accepted(), 0, "{}", ended.report());
}
