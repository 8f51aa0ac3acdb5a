//! What Git and the package managers pass to `ssh`, as the guest understands it.

use valetkey::guest::args::{Mode, Parsed, Unserved, parse};

fn parsed(line: &str) -> Result<(String, String, u32, String), String> {
    // A word with spaces is written with `+`.
    let words: Vec<Vec<u8>> = line.split_whitespace().map(|word| word.replace('+', " ").into_bytes()).collect();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    parse(words.len(), |n| &words[n])
        .map(|parsed| {
            let command: Vec<String> = words[parsed.command..].iter().map(|word| text(word)).collect();
            (parsed.user.map(text).unwrap_or_default(), text(parsed.host), parsed.port, command.join(" "))
        })
        .map_err(|unserved| format!("{unserved:?}"))
}

#[test]
fn what_the_tools_pass_is_understood() {
    let pack = "git-upload-pack 'org/repo.git'";
    for (line, user, host, port, command) in [
        // git, and what runs git: pip, npm, cargo with the git CLI, go, composer, bundler
        ("git@github.com git-upload-pack+'org/repo.git'", "git", "github.com", 22, pack),
        ("-o SendEnv=GIT_PROTOCOL git@h git-upload-pack+'org/repo.git'", "git", "h", 22, pack),
        ("-o SendEnv=GIT_PROTOCOL -p 2222 -4 git@h git-upload-pack+'org/repo.git'", "git", "h", 2222, pack),
        ("-6 -p 2222 h git-upload-pack+'org/repo.git'", "", "h", 2222, pack),
        // dulwich, which is poetry
        ("-x -p 22 git@h git-upload-pack+'org/repo.git'", "git", "h", 22, pack),
        ("-x -o SetEnv=GIT_PROTOCOL=version=2 git@h git-upload-pack 'org/repo.git'", "git", "h", 22, pack),
        // GIT_SSH_COMMAND of go and others
        ("-o ControlMaster=no -o BatchMode=yes -oStrictHostKeyChecking=no git@h true", "git", "h", 22, "true"),
        // ssh's own forms
        ("-l git h x", "git", "h", 22, "x"),
        ("-lgit -p2222 -T h x", "git", "h", 2222, "x"),
        ("-Tqp2222 h x", "", "h", 2222, "x"),
        ("h -p 2222 -l git x -y", "git", "h", 2222, "x -y"),
        ("-oPort=2222 -oUser=git h x", "git", "h", 2222, "x"),
        ("-o Port+2222 -o port=3 -p 4 h", "", "h", 2222, ""),
        ("-l first -l second third@h", "first", "h", 22, ""),
        ("-o HostName=real alias x", "", "real", 22, "x"),
        ("ssh://git@h:2222/ x", "git", "h", 2222, "x"),
        ("ssh://git@[::1]:2222 x", "git", "::1", 2222, "x"),
        ("ssh://h x", "", "h", 22, "x"),
        ("git@[::1] x", "git", "::1", 22, "x"),
        ("-i /key -F /dev/null -c aes -- h -x", "", "h", 22, "-x"),
        ("a@b@h x", "a@b", "h", 22, "x"),
        ("-o ProxyCommand=none -oProxyJump=none h x", "", "h", 22, "x"),
    ] {
        assert_eq!(parsed(line), Ok((user.into(), host.into(), port, command.into())), "{line}");
    }
}

#[test]
fn what_would_do_something_else_than_run_one_command_is_refused_by_name() {
    for (line, unserved) in [
        ("-J jump h x", Unserved::Option(b'J')),
        ("-W a:1 h", Unserved::Option(b'W')),
        ("-L 1:a:1 h", Unserved::Option(b'L')),
        ("-TR 1:a:1 h", Unserved::Option(b'R')),
        ("-D 1 h", Unserved::Option(b'D')),
        ("-N h", Unserved::Option(b'N')),
        ("-s h sftp", Unserved::Option(b's')),
        ("-O exit h", Unserved::Option(b'O')),
        ("-Z h", Unserved::Unknown(b'Z')),
        ("-p", Unserved::NoValue(b'p')),
        ("-p 0 h", Unserved::Port),
        ("-p 65536 h", Unserved::Port),
        ("-p 2x h", Unserved::Port),
        ("-p 0000022 h", Unserved::Port),
        ("ssh://h:x", Unserved::Port),
        ("", Unserved::NoHost),
        ("-T", Unserved::NoHost),
        ("-- -h x", Unserved::Name),
        ("git@ x", Unserved::Name),
        ("@h x", Unserved::Name),
        ("-l -oProxyCommand=x h", Unserved::Name),
        ("-o HostName=-x h", Unserved::Name),
    ] {
        assert_eq!(parsed(line), Err(format!("{unserved:?}")), "{line}");
    }
    let name: &[u8] = b"ProxyCommand";
    assert_eq!(parsed("-o ProxyCommand=sh h"), Err(format!("{:?}", Unserved::Setting(name))));
}

#[test]
fn the_last_port_is_taken_and_one_more_is_none() {
    assert_eq!(parsed("-p 65535 h").map(|(_, _, port, _)| port), Ok(65535));
    assert_eq!(parsed("-p 1 h").map(|(_, _, port, _)| port), Ok(1));
}

#[test]
fn the_configuration_and_the_version_are_asked_for_by_their_letters() {
    let mode = |words: &[&'static [u8]]| parse(words.len(), |n| words[n]).map(|parsed: Parsed<'_>| parsed.mode);
    assert_eq!(mode(&[b"-G", b"h"]), Ok(Mode::Config));
    assert_eq!(mode(&[b"-V"]), Ok(Mode::Version));
    assert_eq!(mode(&[b"-G"]), Err(Unserved::NoHost));
}
