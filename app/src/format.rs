//! Times and numbers, as the page shows them.

use leptos::prelude::*;
use muster_domain::Timestamp;
pub(crate) use muster_domain::thousands;

/// How long ago something was, counted from the server's clock, so that the browser's does not matter.
fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_ms().saturating_sub(then.as_ms()).max(0) / 1_000;
    let plural = |count: i64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
    match seconds {
        0..10 => "just now".to_owned(),
        10..60 => plural(seconds, "second"),
        60..3_600 => plural(seconds / 60, "minute"),
        3_600..86_400 => plural(seconds / 3_600, "hour"),
        86_400..5_184_000 => plural(seconds / 86_400, "day"),
        _ => date(then.as_ms()),
    }
}

/// `2026-11-23 07:51:36 UTC`: the same for every reader, and it sorts.
pub(crate) fn exact(then: Timestamp) -> String {
    let then_ms = then.as_ms();
    let seconds = then_ms.div_euclid(1_000).rem_euclid(86_400);
    format!("{} {:02}:{:02}:{:02} UTC", date(then_ms), seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `2026-11-23`, after Howard Hinnant's `civil_from_days`, which counts years from March so that the leap day is the last.
fn date(then_ms: i64) -> String {
    let days = then_ms.div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// How long ago something was, with the exact time as a tooltip.
#[component]
pub(crate) fn Ago(then: Timestamp, now: Timestamp) -> impl IntoView {
    view! { <time title=exact(then)>{ago(then, now)}</time> }
}

/// A number with commas between its thousands, and its noun: `1,000,000 devices`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let check = |then: i64, expected: &str| assert_eq!(exact(Timestamp::from_ms(then)), expected);
        check(0, "1970-01-01 00:00:00 UTC");
        check(951_782_399_000, "2000-02-28 23:59:59 UTC");
        check(951_782_400_000, "2000-02-29 00:00:00 UTC");
        check(1_795_420_296_000, "2026-11-23 07:51:36 UTC");
        check(-1_000, "1969-12-31 23:59:59 UTC");
    }

    #[test]
    fn how_long_ago() {
        let check = |seconds: i64, expected: &str| {
            assert_eq!(ago(Timestamp::default(), Timestamp::from_ms(seconds * 1_000)), expected)
        };
        check(-5, "just now");
        check(59, "59 seconds ago");
        check(60, "1 minute ago");
        check(7_300, "2 hours ago");
        check(90_000, "1 day ago");
        check(9_000_000, "1970-01-01");
    }

    #[test]
    fn numbers() {
        let check = |number: u64, expected: &str| assert_eq!(count(number, "device", "devices"), expected);
        check(0, "0 devices");
        check(1, "1 device");
        check(999, "999 devices");
        check(1_000_000, "1,000,000 devices");
    }
}
