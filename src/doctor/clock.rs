//! Whether this machine's clock can be right: certificates are judged by it.
//!
//! There is nothing that a clock could be held against without asking a stranger, so what is said is
//! what cannot be: that it is earlier than files that are there, or far from the engine's.

use std::time::{Duration, SystemTime};

use super::check::{Check, Section};
use crate::exit::Code;

/// How far a file may lie in the future: file systems and servers of files round and differ.
pub const TOLERANCE: Duration = Duration::from_secs(120);
/// How far the engine's clock may be away: certificates that are issued begin so long in the past.
pub const ENGINE_TOLERANCE: Duration = crate::keys::issue::SKEW;

const NAME: &str = "clock";

/// `written` names files with the time of their last change; `engine` is what the engine's clock
/// showed, with ours before and after it was asked.
#[must_use]
pub fn judge(
    now: SystemTime,
    written: &[(String, SystemTime)],
    engine: Option<(SystemTime, SystemTime, SystemTime)>,
) -> Vec<Check> {
    let future = written.iter().find(|(_, at)| at.duration_since(now).is_ok_and(|ahead| ahead > TOLERANCE));
    let mut checks = vec![match future {
        Some((what, _)) => {
            let said =
                format!("the clock is behind: {what} was written later than it shows; certificates are judged by it");
            Check::failure(Section::Machine, NAME, Code::Host, said)
                .with_hint("set the clock (timedatectl), or the file's time")
        }
        None => Check::ok(Section::Machine, NAME, "the clock is not behind the files that were looked at"),
    }];
    if let Some(apart) = engine.and_then(|(before, shown, after)| apart(before, shown, after)) {
        checks.push(if apart > ENGINE_TOLERANCE {
            let said = format!("the engine's clock is {} seconds away from this machine's", apart.as_secs());
            Check::warning(Section::Machine, "engine-clock", said)
                .with_hint("set both; a virtual machine's clock stops while the machine sleeps")
        } else {
            Check::ok(Section::Machine, "engine-clock", "the engine's clock is the same")
        });
    }
    checks
}

/// How far a clock is away that was read between these two moments.
fn apart(before: SystemTime, shown: SystemTime, after: SystemTime) -> Option<Duration> {
    match (before.duration_since(shown), shown.duration_since(after)) {
        (Ok(behind), _) => Some(behind),
        (_, Ok(ahead)) => Some(ahead),
        _ => Some(Duration::ZERO),
    }
}

/// Reads RFC 3339 in UTC or with an offset, as Go prints it: `2026-11-26T21:14:35.1+01:00`.
#[must_use]
pub fn parse(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let (date, rest) = text.split_once('T')?;
    let at = rest.find(['Z', '+', '-'])?;
    let (time, zone) = rest.split_at_checked(at)?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let time = time.split('.').next().unwrap_or(time);
    let mut time = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let offset = match zone.strip_prefix('Z') {
        Some("") => 0,
        Some(_) => return None,
        None => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..=23).contains(&hour)
        && (0..=59).contains(&minute)
        && (0..=60).contains(&second)
        && (-1439..=1439).contains(&offset);
    let seconds = fits.then(|| days(year, month, day) * 86400 + (hour * 60 + minute - offset) * 60 + second)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Days since 1970 of a date in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March: a leap day is then the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_file_from_the_future_is_a_clock_that_is_behind() {
        let now = at(1_000_000);
        let file = |at| [("the program".to_owned(), at)];
        assert_eq!(judge(now, &file(now + TOLERANCE), None)[0].state, State::Ok);
        let behind = judge(now, &file(now + TOLERANCE + Duration::from_secs(1)), None);
        assert_eq!(behind[0].state, State::Failure(Code::Host));
        assert!(behind[0].said.contains("the program"));
        assert_eq!(judge(now, &file(at(0)), None).len(), 1);
    }

    #[test]
    fn an_engines_clock_at_the_limit_is_the_same_and_one_past_it_is_not() {
        let (before, after) = (at(1000), at(1010));
        let state = |shown| judge(at(2000), &[], Some((before, shown, after)))[1].state;
        for (shown, expected) in [
            (at(1005), State::Ok),
            (before - ENGINE_TOLERANCE, State::Ok),
            (after + ENGINE_TOLERANCE, State::Ok),
            (before - ENGINE_TOLERANCE - Duration::from_secs(1), State::Warning),
            (after + ENGINE_TOLERANCE + Duration::from_secs(1), State::Warning),
        ] {
            assert_eq!(state(shown), expected, "{shown:?}");
        }
    }

    #[test]
    fn times_are_read_as_go_prints_them() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:30:15.123456789Z", Some(951_827_415)),
            ("2026-11-26T22:14:35.1+01:00", Some(1_795_727_675)),
            ("2026-11-26T20:14:35-01:00", Some(1_795_727_675)),
            ("2026-11-26", None),
            ("2026-13-26T00:00:00Z", None),
            ("2026-11-26T00:00:00Zx", None),
            ("99999999999999-11-26T00:00:00Z", None),
            ("2026-11-26T00:00:00+é", None),
            ("<no value>", None),
        ] {
            assert_eq!(parse(text), seconds.map(at), "{text}");
        }
    }
}
