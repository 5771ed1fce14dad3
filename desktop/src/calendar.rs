//! Moments as people read them: the time of a line, the day above it. Holds no clock; the offset from UTC is the caller's.

use tertulia_wire::time::rfc3339;

use crate::phrases::Language;

const DAY_MS: u64 = 86_400_000;

/// A day, counted from the first of January 1970, where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u64);

impl Day {
    /// The day of a moment in milliseconds since 1970, so many seconds east of UTC.
    pub fn of(unix_ms: u64, utc_offset_seconds: i32) -> Self {
        Self(local(unix_ms, utc_offset_seconds) / DAY_MS)
    }

    /// How many days since the first of January 1970.
    pub fn number(self) -> u64 {
        self.0
    }

    /// As a person would say it: today, yesterday, or the date with its day of the week.
    pub fn in_words(self, today: Self, language: Language) -> String {
        let (is_today, is_yesterday) = (self == today, self.0.saturating_add(1) == today.0);
        match (language, is_today, is_yesterday) {
            (Language::Es, true, _) => "hoy".to_owned(),
            (Language::En, true, _) => "today".to_owned(),
            (Language::Es, _, true) => "ayer".to_owned(),
            (Language::En, _, true) => "yesterday".to_owned(),
            _ => self.date(today, language),
        }
    }

    fn date(self, today: Self, language: Language) -> String {
        let (year, month, day) = self.parts();
        let week = usize::try_from((self.0 + 3) % 7).unwrap_or_default();
        let (weekdays, months) = match language {
            Language::Es => (WEEKDAYS_ES, MONTHS_ES),
            Language::En => (WEEKDAYS_EN, MONTHS_EN),
        };
        let weekday = weekdays.get(week).copied().unwrap_or_default();
        let month = months.get(month.saturating_sub(1)).copied().unwrap_or_default();
        let words = match language {
            Language::Es => format!("{weekday}, {day} de {month}"),
            Language::En => format!("{weekday}, {day} {month}"),
        };
        match (language, year == today.parts().0) {
            (_, true) => words,
            (Language::Es, false) => format!("{words} de {year}"),
            (Language::En, false) => format!("{words} {year}"),
        }
    }

    fn parts(self) -> (u64, usize, u64) {
        let text = rfc3339(self.0.saturating_mul(DAY_MS));
        let mut numbers = text.split(['-', 'T']).map(|digits| digits.parse::<u64>().unwrap_or_default());
        let mut next = || numbers.next().unwrap_or_default();
        let (year, month, day) = (next(), next(), next());
        (year, usize::try_from(month).unwrap_or_default(), day)
    }
}

/// The hour and minute of a moment, as `18:03`.
pub fn time_of_day(unix_ms: u64, utc_offset_seconds: i32) -> String {
    let minutes = local(unix_ms, utc_offset_seconds) % DAY_MS / 60_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// How long the day still lasts, in milliseconds; never zero.
pub fn rest_of_day_ms(unix_ms: u64, utc_offset_seconds: i32) -> u64 {
    DAY_MS - local(unix_ms, utc_offset_seconds) % DAY_MS
}

/// The largest moment that is shown as itself: the end of the year 9999.
const LATEST_MS: u64 = 253_402_300_799_999;

fn local(unix_ms: u64, utc_offset_seconds: i32) -> u64 {
    let offset_ms = i64::from(utc_offset_seconds).saturating_mul(1000);
    unix_ms.min(LATEST_MS).saturating_add_signed(offset_ms)
}

const WEEKDAYS_ES: [&str; 7] = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"];
const WEEKDAYS_EN: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS_ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T23:30:00Z, a Sunday.
    const LATE: u64 = 1_795_390_200_000;

    #[test]
    fn the_same_moment_is_another_day_further_east() {
        assert_eq!(time_of_day(LATE, 0), "23:30");
        assert_eq!(time_of_day(LATE, 3600), "00:30");
        assert_eq!(time_of_day(LATE, -5 * 3600), "18:30");
        assert_ne!(Day::of(LATE, 0), Day::of(LATE, 3600));
        assert_eq!((rest_of_day_ms(LATE, 0), rest_of_day_ms(LATE, 3600)), (1_800_000, 84_600_000));
    }

    #[test]
    fn a_day_is_said_as_people_say_it() {
        let day = Day::of(LATE, 0);
        let cases = [
            (0, "hoy", "today"),
            (1, "ayer", "yesterday"),
            (2, "domingo, 22 de noviembre", "Sunday, 22 November"),
            (60, "domingo, 22 de noviembre de 2026", "Sunday, 22 November 2026"),
        ];
        for (later, spanish, english) in cases {
            let today = Day(day.0 + later);
            assert_eq!(day.in_words(today, Language::Es), spanish);
            assert_eq!(day.in_words(today, Language::En), english);
        }
    }

    #[test]
    fn no_moment_is_too_far_away_to_be_shown() {
        for unix_ms in [0, u64::MAX] {
            for offset in [i32::MIN, i32::MAX] {
                time_of_day(unix_ms, offset);
                Day::of(unix_ms, offset).in_words(Day(0), Language::Es);
            }
        }
    }
}
