//! Durations as people write them: `90s`, `30m`, `1h30m`, or plain seconds.

use std::time::Duration;

/// The longest time limit: a build that takes longer than a day is stuck.
pub const MAX_TIME_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses a duration of 1 second to [`MAX_TIME_LIMIT`].
///
/// # Errors
/// A sentence that says what a duration looks like.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{}` is not a duration like 90s, 30m or 1h30m", crate::wire::text::shown(text.as_bytes()));
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let unit_length = tail.chars().next().map_or(0, char::len_utf8);
        let (unit, tail) = tail.split_at(unit_length);
        let unit: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "" if rest == text => 1,
            _ => return Err(bad()),
        };
        seconds = number.checked_mul(unit).and_then(|part| seconds.checked_add(part)).ok_or_else(bad)?;
        rest = tail;
    }
    let duration = Duration::from_secs(seconds);
    if duration.is_zero() {
        return Err(bad());
    }
    if duration > MAX_TIME_LIMIT {
        return Err(format!("`{text}` is longer than the longest time limit, {}h", MAX_TIME_LIMIT.as_secs() / 3600));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("1h", 3600), ("1h30m", 5400), ("45", 45), ("1s", 1)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "0", "0s", "h", "1d", "-1s", "1.5h", "1h 30m", "5x", "1h30", "99999999999999999999s", "é"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_the_longest_and_a_second_more_is_refused() {
        assert_eq!(parse_duration("24h"), Ok(MAX_TIME_LIMIT));
        assert!(parse_duration("86401").is_err());
    }
}
