//! The `format`s of a text that are checked. The others are notes for people, as JSON Schema has it.

use std::net::{Ipv4Addr, Ipv6Addr};
use uuid::Uuid;

/// A kind of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Date,
    Time,
    Email,
    Ipv4,
    Ipv6,
    Uri,
    Uuid,
}

impl Format {
    /// The format of this name, if it is checked.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "date-time" => Self::DateTime,
            "date" => Self::Date,
            "time" => Self::Time,
            "email" => Self::Email,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uri" => Self::Uri,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    /// An example of the format.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::DateTime => "a date and time such as 2026-11-23T08:30:00Z",
            Self::Date => "a date such as 2026-11-23",
            Self::Time => "a time such as 08:30:00Z",
            Self::Email => "an email address",
            Self::Ipv4 => "an IPv4 address such as 192.0.2.1",
            Self::Ipv6 => "an IPv6 address such as 2001:db8::1",
            Self::Uri => "a URI such as https://example.com/",
            Self::Uuid => "a UUID such as 123e4567-e89b-12d3-a456-426614174000",
        }
    }

    /// Whether a text is of the format.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::DateTime => text
                .split_once(['T', 't', ' '])
                .is_some_and(|(date, time)| Self::Date.fits(date) && Self::Time.fits(time)),
            Self::Date => is_date(text).unwrap_or(false),
            Self::Time => is_time(text).unwrap_or(false),
            Self::Email => text.rsplit_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && !host.is_empty() && !text.contains(|it: char| it.is_whitespace() || it.is_control())
            }),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Uri => text.split_once(':').is_some_and(|(scheme, _)| {
                scheme.starts_with(|it: char| it.is_ascii_alphabetic())
                    && scheme.chars().all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it))
                    && !text.contains(|it: char| it.is_whitespace() || it.is_control())
            }),
            Self::Uuid => text.len() == 36 && Uuid::try_parse(text).is_ok(),
        }
    }
}

/// A number of exactly these digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `YYYY-MM-DD`, and a day that there was.
fn is_date(text: &str) -> Option<bool> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => return None,
    };
    Some((1..=days).contains(&day))
}

/// `HH:MM:SS`, any fraction of a second, and `Z` or `+HH:MM` (RFC 3339).
fn is_time(text: &str) -> Option<bool> {
    let zone = text.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = text.split_at(zone);
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, fraction)| (time, Some(fraction)));
    if fraction.is_some_and(|it| it.is_empty() || !it.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let (hour, rest) = time.split_once(':')?;
    let (minute, second) = rest.split_once(':')?;
    // A leap second is the 60th.
    if digits(hour, 2)? > 23 || digits(minute, 2)? > 59 || digits(second, 2)? > 60 {
        return None;
    }
    if zone.eq_ignore_ascii_case("z") {
        return Some(true);
    }
    let (hour, minute) = zone[1..].split_once(':')?;
    Some(digits(hour, 2)? <= 23 && digits(minute, 2)? <= 59)
}
