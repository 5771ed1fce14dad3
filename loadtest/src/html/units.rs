//! Figures as people read them, and text that is safe within a page.

use crate::text::grouped;

/// A count.
pub(super) fn count(number: u64) -> String {
    grouped(number as f64)
}

/// Microseconds.
pub(super) fn time(us: u64) -> String {
    let us_f64 = us as f64;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..9_995 => format!("{:.2} ms", us_f64 / 1e3),
        9_995..99_950 => format!("{:.1} ms", us_f64 / 1e3),
        99_950..999_500 => format!("{:.0} ms", us_f64 / 1e3),
        999_500..100_000_000 => format!("{:.2} s", us_f64 / 1e6),
        _ => format!("{} s", grouped(us_f64 / 1e6)),
    }
}

/// KiB.
pub(super) fn memory(kib: u64) -> String {
    const MIB: u64 = 1024;
    const GIB: u64 = 1024 * MIB;
    match kib {
        0..MIB => format!("{kib} KiB"),
        MIB..GIB => format!("{:.1} MiB", kib as f64 / MIB as f64),
        _ => format!("{:.1} GiB", kib as f64 / GIB as f64),
    }
}

/// A share of a processor.
pub(super) fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Processor time for one delivery.
pub(super) fn cost(us: f64) -> String {
    format!("{us:.3} µs")
}

/// A number of an axis, without its unit.
pub(super) fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, " G"),
        size if size >= 1e6 => (value / 1e6, " M"),
        size if size >= 1e4 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = format!("{value:.3}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A time of an axis, in microseconds.
pub(super) fn short_time(us: f64) -> String {
    match us {
        size if size < 999.5 => format!("{} µs", short(us)),
        size if size < 999_500.0 => format!("{} ms", short(us / 1e3)),
        _ => format!("{} s", short(us / 1e6)),
    }
}

/// Seconds since 1970 as date and time, UTC: the days of the Gregorian calendar, in eras of 400 years from March on.
pub(super) fn date(unix_s: u64) -> String {
    let (days, seconds) = (unix_s / 86_400, unix_s % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60)
}

/// No markup, whatever it says.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_suits_them() {
        for (us, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_000, "1.00 ms"),
            (9_999, "10.0 ms"),
            (12_345, "12.3 ms"),
            (123_456, "123 ms"),
            (999_999, "1.00 s"),
            (61_000_000, "61.00 s"),
            (3_600_000_000, "3,600 s"),
        ] {
            assert_eq!(time(us), text);
        }
    }

    #[test]
    fn memory_has_the_unit_that_suits_it() {
        for (kib, text) in [(0, "0 KiB"), (1_023, "1023 KiB"), (4_096, "4.0 MiB"), (33_554_432, "32.0 GiB")] {
            assert_eq!(memory(kib), text);
        }
    }

    #[test]
    fn numbers_of_an_axis_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.05, "0.05"),
            (2.0, "2"),
            (250.0, "250"),
            (10_000.0, "10 k"),
            (2_500_000.0, "2.5 M"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(short_time(200.0), "200 µs");
        assert_eq!(short_time(5_000.0), "5 ms");
        assert_eq!(short_time(1e6), "1 s");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_827_696), "2000-02-29 12:34 UTC");
        assert_eq!(date(1_795_392_000), "2026-11-23 00:00 UTC");
    }

    #[test]
    fn nothing_that_is_escaped_is_markup() {
        assert_eq!(escaped("<b a='\"'>&\u{1b}"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}");
    }
}
