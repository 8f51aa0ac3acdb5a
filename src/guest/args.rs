//! What Git and the package managers pass to `ssh`, understood as OpenSSH's ssh(1) does.
//!
//! PURE, and knows `core` alone: the guest, which has no libc, is built from it too. Takes the
//! options that mean something for one command on one host, passes over those that cannot
//! change what happens (ciphers, verbosity, files of the user), and refuses the rest by name:
//! a jump host or a forwarded port that was silently left out would be a wrong answer.

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Run the command.
    #[default]
    Run,
    /// `-G`: print the configuration. Git asks so what kind of ssh it has.
    Config,
    /// `-V`: print the version.
    Version,
}

/// The command line, understood. Borrows from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// What is to be done.
    pub mode: Mode,
    /// The account, from `-l`, `-o User=` or `user@host`.
    pub user: Option<&'a [u8]>,
    /// The host.
    pub host: &'a [u8],
    /// What `-o HostName=` says to connect to instead.
    host_name: Option<&'a [u8]>,
    /// Its port; 22 where nothing was said.
    pub port: u32,
    /// `GIT_PROTOCOL`, where `-o SetEnv=` gives it.
    pub set_protocol: Option<&'a [u8]>,
    /// Stdin belongs to somebody else: `-n`, `-f` or `-o StdinNull=yes`.
    pub no_stdin: bool,
    /// Index of the first word of the command in the arguments; their number where there is none.
    pub command: usize,
}

/// Why a command line cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unserved<'a> {
    /// No host was named.
    NoHost,
    /// An option without its value.
    NoValue(u8),
    /// An option that ssh does not know.
    Unknown(u8),
    /// An option that a build cannot have: forwarding, jumping, a subsystem.
    Option(u8),
    /// The same, as `-o`.
    Setting(&'a [u8]),
    /// A port that is none.
    Port,
    /// A host or user that begins with `-`, or is empty.
    Name,
}

/// Options without a value that change nothing here.
const FLAGS: &[u8] = b"1246aCgKkMqTtvxXYyA";
/// Options with a value that change nothing here: files and algorithms of the client's own,
/// which the gateway does not use.
const VALUES: &[u8] = b"BbcEeFIimPSQ";
/// Options that would do something else than run one command.
const REFUSED: &[u8] = b"DJLNORWws";
/// The same as names of `-o` settings, in lower case.
const REFUSED_SETTINGS: [&[u8]; 6] =
    [b"proxyjump", b"proxycommand", b"localforward", b"remoteforward", b"dynamicforward", b"remotecommand"];

/// Parses the arguments behind the program's name. `at(n)` is the n-th of `count`.
///
/// # Errors
/// [`Unserved`].
pub fn parse<'a>(count: usize, at: impl Fn(usize) -> &'a [u8]) -> Result<Parsed<'a>, Unserved<'a>> {
    let mut parsed = Parsed { port: 0, command: count, ..Parsed::default() };
    let mut index = 0;
    let mut host_seen = false;
    let mut options_end = false;
    while index < count {
        let word = at(index);
        if !options_end && word == b"--" {
            options_end = true;
            index += 1;
        } else if !options_end && word.len() > 1 && word[0] == b'-' {
            index = options(word, index, count, &at, &mut parsed)?;
        } else if host_seen {
            parsed.command = index;
            break;
        } else {
            destination(word, &mut parsed)?;
            host_seen = true;
            index += 1;
        }
    }
    if parsed.mode == Mode::Version {
        return Ok(parsed);
    }
    if !host_seen {
        return Err(Unserved::NoHost);
    }
    parsed.host = parsed.host_name.unwrap_or(parsed.host);
    for name in [Some(parsed.host), parsed.user].into_iter().flatten() {
        if name.is_empty() || name[0] == b'-' {
            return Err(Unserved::Name);
        }
    }
    if parsed.port == 0 {
        parsed.port = 22;
    }
    Ok(parsed)
}

/// One word of options, such as `-p22`, `-4T` or `-o`. Returns the index behind it and its value.
fn options<'a>(
    word: &'a [u8],
    index: usize,
    count: usize,
    at: &impl Fn(usize) -> &'a [u8],
    parsed: &mut Parsed<'a>,
) -> Result<usize, Unserved<'a>> {
    for (place, &letter) in word.iter().enumerate().skip(1) {
        match letter {
            b'G' => parsed.mode = Mode::Config,
            b'V' => parsed.mode = Mode::Version,
            b'n' | b'f' => parsed.no_stdin = true,
            _ if FLAGS.contains(&letter) => {}
            _ if REFUSED.contains(&letter) => return Err(Unserved::Option(letter)),
            _ if VALUES.contains(&letter) || b"lpo".contains(&letter) => {
                let rest = &word[place + 1..];
                let (value, next) = if !rest.is_empty() {
                    (rest, index + 1)
                } else if index + 1 < count {
                    (at(index + 1), index + 2)
                } else {
                    return Err(Unserved::NoValue(letter));
                };
                match letter {
                    // As in ssh the first that is given holds.
                    b'l' => parsed.user = parsed.user.or(Some(value)),
                    b'p' => set_port(value, parsed)?,
                    b'o' => setting(value, parsed)?,
                    _ => {}
                }
                return Ok(next);
            }
            _ => return Err(Unserved::Unknown(letter)),
        }
    }
    Ok(index + 1)
}

fn set_port<'a>(value: &'a [u8], parsed: &mut Parsed<'a>) -> Result<(), Unserved<'a>> {
    let port = number(value).ok_or(Unserved::Port)?;
    if parsed.port == 0 {
        parsed.port = port;
    }
    Ok(())
}

/// `-o Name=value` or `-o "Name value"`.
fn setting<'a>(text: &'a [u8], parsed: &mut Parsed<'a>) -> Result<(), Unserved<'a>> {
    let text = text.trim_ascii();
    let end = text.iter().position(|&b| b == b'=' || b.is_ascii_whitespace()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let value = rest.trim_ascii_start();
    let value = value.strip_prefix(b"=").unwrap_or(value).trim_ascii();
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    if is(b"user") {
        parsed.user = parsed.user.or(Some(value));
    } else if is(b"port") {
        set_port(value, parsed)?;
    } else if is(b"hostname") {
        parsed.host_name = parsed.host_name.or(Some(value));
    } else if is(b"setenv") {
        parsed.set_protocol = parsed.set_protocol.or(value.strip_prefix(b"GIT_PROTOCOL="));
    } else if is(b"stdinnull") {
        parsed.no_stdin |= value.eq_ignore_ascii_case(b"yes") || value.eq_ignore_ascii_case(b"true");
    } else if REFUSED_SETTINGS.iter().any(|known| is(known)) && !value.eq_ignore_ascii_case(b"none") {
        return Err(Unserved::Setting(name));
    }
    Ok(())
}

/// `host`, `user@host` or `ssh://[user@]host[:port]`.
fn destination<'a>(word: &'a [u8], parsed: &mut Parsed<'a>) -> Result<(), Unserved<'a>> {
    let (word, url) = match word.strip_prefix(b"ssh://") {
        Some(rest) => (rest.strip_suffix(b"/").unwrap_or(rest), true),
        None => (word, false),
    };
    let (user, host) = match word.iter().rposition(|&b| b == b'@') {
        Some(at) => (Some(&word[..at]), &word[at + 1..]),
        None => (None, word),
    };
    parsed.user = parsed.user.or(user);
    let host = if url { url_port(host, parsed)? } else { host };
    // An address in brackets, as Git passes it on from a URL.
    let bare = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    parsed.host = bare;
    Ok(())
}

/// Takes `:port` off a URL's host.
fn url_port<'a>(host: &'a [u8], parsed: &mut Parsed<'a>) -> Result<&'a [u8], Unserved<'a>> {
    let behind_brackets = host.iter().rposition(|&b| b == b']').unwrap_or(0);
    match host.iter().rposition(|&b| b == b':') {
        Some(colon) if colon >= behind_brackets => {
            set_port(&host[colon + 1..], parsed)?;
            Ok(&host[..colon])
        }
        _ => Ok(host),
    }
}

/// A port: 1 to 65535.
fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 5 {
        return None;
    }
    let mut value = 0u32;
    for &digit in text {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u32::from(digit - b'0');
    }
    (1..=65535).contains(&value).then_some(value)
}
