//! What real programs pass to `ssh`, and what the guest makes of it.

use valetkey::guest::args::{Mode, Parsed, Unserved, parse};

/// Words are separated by `|`, because commands have spaces in them.
fn parsed(line: &str) -> Result<(Parsed<'_>, Vec<&str>), Unserved<'_>> {
    let words: Vec<&str> = if line.is_empty() { vec![] } else { line.split('|').collect() };
    let found = parse(words.len(), |n| words[n].as_bytes())?;
    Ok((found, words[found.command..].to_vec()))
}

#[derive(Clone, Copy)]
struct Wanted {
    user: Option<&'static str>,
    host: &'static str,
    port: u32,
    command: &'static str,
    protocol: Option<&'static str>,
}

const FETCH: &str = "git-upload-pack 'org/repo.git'";
/// As Git asks for the path of an `ssh://` URL.
const URL_FETCH: &str = "git-upload-pack '/org/repo.git'";
const PLAIN: Wanted = Wanted { user: Some("git"), host: "h", port: 22, command: FETCH, protocol: None };

#[track_caller]
fn is(line: &str, wanted: Wanted) {
    let (found, command) = parsed(line).unwrap_or_else(|error| panic!("{line}: {error:?}"));
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    assert_eq!(found.mode, Mode::Run, "{line}");
    assert_eq!(text(found.user).as_deref(), wanted.user, "{line}");
    assert_eq!(text(Some(found.host)).as_deref(), Some(wanted.host), "{line}");
    assert_eq!(found.port, wanted.port, "{line}");
    assert_eq!(command.join(" "), wanted.command, "{line}");
    assert_eq!(text(found.set_protocol).as_deref(), wanted.protocol, "{line}");
}

#[test]
fn stdin_is_left_alone_where_ssh_would_leave_it_alone() {
    for (line, no_stdin) in [
        ("h|c", false),
        ("-n|h|c", true),
        ("-Tn4|h|c", true),
        ("-f|h|c", true),
        ("h|-n|c", true),
        ("h|c|-n", false),
        ("-o|StdinNull=yes|h|c", true),
        ("-o|stdinnull true|h|c", true),
        ("-o|StdinNull=no|h|c", false),
    ] {
        assert_eq!(parsed(line).unwrap().0.no_stdin, no_stdin, "{line}");
    }
}

#[test]
fn what_git_and_the_package_managers_pass_is_understood() {
    let v2 = Some("version=2");
    let port = Wanted { port: 2222, ..PLAIN };
    let url = Wanted { command: URL_FETCH, ..port };
    for (line, wanted) in [
        // Git, and cargo with the CLI.
        (format!("git@h|{FETCH}"), PLAIN),
        (format!("-o|SendEnv=GIT_PROTOCOL|git@h|{FETCH}"), PLAIN),
        (format!("-o|SendEnv=GIT_PROTOCOL|-p|2222|git@h|{FETCH}"), port),
        (format!("-4|-o|SendEnv=GIT_PROTOCOL|git@h|{FETCH}"), PLAIN),
        (format!("-6|git@h|{FETCH}"), PLAIN),
        (format!("h|{FETCH}"), Wanted { user: None, ..PLAIN }),
        ("git@h|git-upload-archive 'a/b'".into(), Wanted { command: "git-upload-archive 'a/b'", ..PLAIN }),
        // Git LFS gives the command as words.
        (
            "-oControlMaster=auto|-oControlPath=/tmp/s/%C|git@h|git-lfs-authenticate|org/repo.git|download".into(),
            Wanted { command: "git-lfs-authenticate org/repo.git download", ..PLAIN },
        ),
        // dulwich 1.2 (the Git of Poetry 2.5), and forms of it that came before.
        (format!("-x|-p|2222|-o|SetEnv GIT_PROTOCOL=version=2|git@h|{URL_FETCH}"), Wanted { protocol: v2, ..url }),
        (format!("-x|-p|22|git@h|{FETCH}"), PLAIN),
        (format!("-x|-p|2222|-o|SetEnv=GIT_PROTOCOL=version=2|git@h|{FETCH}"), Wanted { protocol: v2, ..port }),
        (format!("-x|-i|/k|git@h|{FETCH}"), PLAIN),
        // What people put into GIT_SSH_COMMAND and core.sshCommand.
        (format!("-o|BatchMode=yes|git@h|{FETCH}"), PLAIN),
        (format!("-o|StrictHostKeyChecking=no|-o|UserKnownHostsFile=/dev/null|git@h|{FETCH}"), PLAIN),
        (format!("-i|~/.ssh/id_rsa|-o|IdentitiesOnly=yes|-F|/dev/null|git@h|{FETCH}"), PLAIN),
        // As seen in the image of `integration/tools-image.d`, at `ssh://git@h:2222/org/repo.git`:
        // npm 11.17, which sets GIT_SSH_COMMAND='ssh -oStrictHostKeyChecking=accept-new'.
        (format!("-oStrictHostKeyChecking=accept-new|-o|SendEnv=GIT_PROTOCOL|-p|2222|git@h|{URL_FETCH}"), url),
        // Yarn 1.22, which sets GIT_SSH_COMMAND='"ssh" -oBatchMode=yes' and asks for an archive as well.
        (format!("-oBatchMode=yes|-o|SendEnv=GIT_PROTOCOL|-p|2222|git@h|{URL_FETCH}"), url),
        (
            "-oBatchMode=yes|-o|SendEnv=GIT_PROTOCOL|-p|2222|git@h|git-upload-archive '/org/repo.git'".into(),
            Wanted { command: "git-upload-archive '/org/repo.git'", ..url },
        ),
        // Yarn 4.18: GIT_SSH_COMMAND='ssh -o BatchMode=yes'.
        (format!("-o|BatchMode=yes|-o|SendEnv=GIT_PROTOCOL|-p|2222|git@h|{URL_FETCH}"), url),
        // Go 1.19: GIT_SSH_COMMAND='ssh -o ControlMaster=no -o BatchMode=yes', and no `.git`.
        (
            "-o|ControlMaster=no|-o|BatchMode=yes|-o|SendEnv=GIT_PROTOCOL|-p|2222|git@h|git-upload-pack '/org/repo'"
                .into(),
            Wanted { command: "git-upload-pack '/org/repo'", ..url },
        ),
        // Composer 2.5, Bundler 2.3 and pip: Git 2.39 with its own `ssh`.
        (format!("-o|SendEnv=GIT_PROTOCOL|-p|2222|git@h|{URL_FETCH}"), url),
        // Other forms of the place.
        (format!("ssh://git@h|{FETCH}"), PLAIN),
        (format!("ssh://git@h:2222|{FETCH}"), port),
        (format!("-l|git|h|{FETCH}"), PLAIN),
    ] {
        is(&line, wanted);
    }
}

#[test]
fn options_are_read_as_ssh_reads_them() {
    let port = Wanted { port: 2222, ..PLAIN };
    let protocol = Wanted { protocol: Some("version=2"), ..PLAIN };
    for (line, wanted) in [
        ("-4Tqvvvx|git@h", PLAIN),
        ("-4Tp2222|git@h", port),
        ("-Tp|2222|git@h", port),
        ("-p2222|git@h", port),
        ("-lgit|h", PLAIN),
        ("-qlgit|h", PLAIN),
        ("-oPort=2222|git@h", port),
        ("-o|port 2222|git@h", port),
        ("-o|  PORT =  2222  |git@h", port),
        ("-o|Port\t2222|git@h", port),
        ("-oUser=git|h", PLAIN),
        ("-o|SetEnv GIT_PROTOCOL=version=2|git@h", protocol),
        ("-o|setenv=GIT_PROTOCOL=version=2|git@h", protocol),
        ("-o|SetEnv=OTHER=1|git@h", PLAIN),
        ("-oHostName=h|git@alias", PLAIN),
        ("git@alias|-oHostName=h", PLAIN),
        // The first that is given holds.
        ("-p|2222|-p|22|git@h", port),
        ("-p|2222|-oPort=22|ssh://git@h:22", port),
        ("-l|git|root@h", PLAIN),
        ("-oUser=git|-lroot|root@h", PLAIN),
        ("-oHostName=h|-oHostName=other|git@alias", PLAIN),
        // Options behind the host, up to the command.
        ("git@h|-p|2222|-T", port),
        ("-T|git@h|-oPort=2222", port),
        ("--|git@h", PLAIN),
        ("-p|2222|--|git@h", port),
        ("git@h|--", PLAIN),
        // Settings that say that nothing is to be done.
        ("-oProxyJump=none|-oProxyCommand=none|git@h", PLAIN),
        // A user may have an `@` in it, and addresses colons.
        ("a@b@h", Wanted { user: Some("a@b"), ..PLAIN }),
        ("git@[::1]", Wanted { host: "::1", ..PLAIN }),
        ("git@::1", Wanted { host: "::1", ..PLAIN }),
        ("ssh://git@[::1]", Wanted { host: "::1", ..PLAIN }),
        ("ssh://git@[::1]:2222/", Wanted { host: "::1", ..port }),
        ("ssh://h/", Wanted { user: None, ..PLAIN }),
    ] {
        is(&format!("{line}|{FETCH}"), wanted);
    }
    // What looks like an option in the command belongs to the command.
    is("git@h|sh|-c|-p|--|-G", Wanted { command: "sh -c -p -- -G", ..PLAIN });
    is("git@h|--|-p|22", Wanted { command: "-p 22", ..PLAIN });
    is("git@h", Wanted { command: "", ..PLAIN });
}

#[test]
fn git_can_ask_what_kind_of_ssh_this_is() {
    let (found, command) = parsed("-G|git@h").unwrap();
    assert_eq!((found.mode, found.host, found.port, command.len()), (Mode::Config, &b"h"[..], 22, 0));
    assert_eq!(parsed("-G|-p|2222|h").unwrap().0.port, 2222);
    assert_eq!(parsed("h|-G").unwrap().0.mode, Mode::Config);
    assert_eq!(parsed("-G").unwrap_err(), Unserved::NoHost);
    assert_eq!(parsed("-V").unwrap().0.mode, Mode::Version);
    assert_eq!(parsed("-vV").unwrap().0.mode, Mode::Version);
}

#[test]
fn what_a_build_cannot_have_is_refused_by_name() {
    for letter in "DJLNORWws".bytes() {
        let text = format!("-{}", char::from(letter));
        for line in
            [format!("{text}|x|git@h|cmd"), format!("-T{}|x|git@h", char::from(letter)), format!("git@h|{text}")]
        {
            assert_eq!(parsed(&line).unwrap_err(), Unserved::Option(letter), "{line}");
        }
    }
    for name in ["ProxyJump", "proxycommand", "LocalForward", "REMOTEFORWARD", "DynamicForward", "RemoteCommand"] {
        for line in [format!("-o|{name}=x|git@h"), format!("-o{name} x y|git@h"), format!("git@h|-o|{name} = x|cmd")] {
            assert_eq!(parsed(&line).unwrap_err(), Unserved::Setting(name.as_bytes()), "{line}");
        }
    }
    for (line, letter) in [("-Z|h", b'Z'), ("-T9|h", b'9'), ("--help", b'-'), ("-é|h", 0xc3)] {
        assert_eq!(parsed(line).unwrap_err(), Unserved::Unknown(letter), "{line}");
    }
}

#[test]
fn what_is_incomplete_or_no_place_is_refused() {
    for letter in ["l", "p", "o", "i", "F"] {
        assert_eq!(parsed(&format!("-{letter}")).unwrap_err(), Unserved::NoValue(letter.as_bytes()[0]));
        assert_eq!(parsed(&format!("git@h|-4{letter}")).unwrap_err(), Unserved::NoValue(letter.as_bytes()[0]));
    }
    for line in ["", "-T", "-p|22", "--"] {
        assert_eq!(parsed(line).unwrap_err(), Unserved::NoHost, "{line}");
    }
    for port in ["0", "65536", "-1", "+22", "22x", "", " 22", "000022", "4294967318"] {
        for line in [format!("-p|{port}|h"), format!("ssh://h:{port}")] {
            assert_eq!(parsed(&line).unwrap_err(), Unserved::Port, "{line}");
        }
    }
    for (port, number) in [("1", 1), ("65535", 65535), ("00022", 22)] {
        assert_eq!(parsed(&format!("-p|{port}|h")).unwrap().0.port, number);
    }
}

#[test]
fn a_name_that_begins_with_a_dash_or_is_empty_is_none() {
    for line in [
        "git@-oProxyCommand=id",
        "--|-oProxyCommand=id",
        "--|-h",
        "-",
        "--|-root@h",
        "-l|-x|h",
        "-oUser=-x|h",
        "-oHostName=-x|h",
        "ssh://-h",
        "ssh://git@-h:22",
        "git@[-h]",
        "@h",
        "git@",
        "-l||h",
        "ssh://",
        "git@[]",
    ] {
        assert_eq!(parsed(line).map(|(found, _)| found).unwrap_err(), Unserved::Name, "{line}");
    }
}
