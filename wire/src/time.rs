//! Moments as they are written for people and programs. Holds no clock.

/// A moment in milliseconds since 1970, as `2026-11-22T16:37:00.123Z`.
///
/// Source: RFC 3339, as the IRCv3 tag `server-time` has it. The days are counted in the proleptic Gregorian calendar.
pub fn rfc3339(unix_ms: u64) -> String {
    let (days, ms) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Year, month and day, so many days behind the first of 1970. Years are counted from March, so that a leap day is a
/// year's last.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let days = days.saturating_add(DAYS_TO_1970);
    let (era, day_of_era) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days.min(day_of_era)) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The moment that [`rfc3339`] wrote, in milliseconds since 1970. `None`: it is not of that form, or before 1970.
pub fn unix_ms(text: &str) -> Option<u64> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.000Z";
    let is_alike =
        |(byte, shape): (u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape };
    if text.len() != SHAPE.len() || !text.bytes().zip(SHAPE).all(is_alike) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u64>().ok());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let ms = number(20, 23)?;
    let days = days_to(year, month, day)?;
    if civil(days) != (year, month, day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(days * 86_400_000 + ((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

/// The inverse of [`civil`], for years of four digits.
fn days_to(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    (365 * year + year / 4 - year / 100 + year / 400 + day_of_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments_are_written_as_everybody_writes_them() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_365_420_123, "2026-11-22T16:37:00.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (unix_ms, text) in cases {
            assert_eq!(rfc3339(unix_ms), text);
        }
    }

    #[test]
    fn every_day_of_eight_hundred_years_follows_the_one_before() {
        let length = |year: u64, month: u64| match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let mut expected = (1970, 1, 1);
        for days in 0..292_194 {
            assert_eq!(civil(days), expected);
            let (year, month, day) = expected;
            expected = match (month, day == length(year, month)) {
                (_, false) => (year, month, day + 1),
                (12, true) => (year + 1, 1, 1),
                (_, true) => (year, month + 1, 1),
            };
        }
    }

    #[test]
    fn what_is_no_moment_is_not_read_as_one() {
        assert_eq!(unix_ms("2026-11-22T16:37:00.123Z"), Some(1_795_365_420_123));
        let wrong = [
            "",
            "2026-11-22T16:37:00Z",
            "2026-02-30T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
            "0000-01-01T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2026-01-01 00:00:00.000Z",
            "ñ026-01-01T00:00:00.00Z",
        ];
        for text in wrong {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_then_reading_is_identity(moment in 0u64..253_402_300_800_000) {
            prop_assert_eq!(unix_ms(&rfc3339(moment)), Some(moment));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>(), digits in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}.[0-9]{3}Z") {
            let _ = unix_ms(&text);
            let _ = unix_ms(&digits);
        }

        #[test]
        fn no_moment_makes_it_panic(unix_ms in any::<u64>()) {
            prop_assert!(rfc3339(unix_ms).ends_with('Z'));
        }
    }
}
