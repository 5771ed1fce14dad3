//! From where to where a picture goes, and which values are written at its edges.

use std::ops::Range;

use super::units::short;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// Marks at these, times a power of ten.
const DIGITS: [f64; 3] = [1.0, 2.0, 5.0];
/// Marks of a time in seconds, above a second.
const SECONDS: [f64; 17] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0,
    21_600.0, 43_200.0,
];

/// One axis.
#[derive(Clone)]
pub(super) struct Axis {
    begin: f64,
    end: f64,
    marks: Vec<f64>,
    is_logarithmic: bool,
    label: fn(f64) -> String,
}

impl Axis {
    /// From 0, at most so many marks.
    pub(super) fn linear(end: f64, marks_max: usize, label: fn(f64) -> String) -> Self {
        let end = if end > 0.0 { end } else { 1.0 };
        Self { begin: 0.0, end, marks: even(0.0, end, marks_max), is_logarithmic: false, label }
    }

    /// Seconds from 0.
    pub(super) fn seconds(end: f64) -> Self {
        let end = if end > 0.0 { end } else { 1.0 };
        let step = SECONDS.into_iter().find(|step| end / step <= 7.0);
        let marks = match step {
            Some(step) if end > 4.0 => multiples(0.0, end, step),
            _ => even(0.0, end, 6),
        };
        let label: fn(f64) -> String = match end {
            ..=120.0 => |s| format!("{} s", short(s)),
            ..=7200.0 => |s| format!("{} min", short(s / 60.0)),
            _ => |s| format!("{} h", short(s / 3600.0)),
        };
        Self { begin: 0.0, end, marks, is_logarithmic: false, label }
    }

    /// Each step to the right, or up, is so many times as much; at most so many marks.
    pub(super) fn logarithmic(begin: f64, end: f64, marks_max: usize, label: fn(f64) -> String) -> Self {
        let begin = begin.max(1e-3);
        let end = end.max(begin * 1.01);
        let marks = marks(begin, end, marks_max);
        Self { begin, end, marks, is_logarithmic: true, label }
    }

    /// What is written at a value.
    pub(super) fn label(&self, value: f64) -> String {
        (self.label)(value)
    }

    /// Even steps of this are even steps of the picture.
    fn place(&self, value: f64) -> f64 {
        if self.is_logarithmic { value.max(self.begin).log10() } else { value }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let (begin, end) = (self.place(self.begin), self.place(self.end));
        let share = ((self.place(*value) - begin) / (end - begin)).clamp(0.0, 1.0);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.marks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.begin..self.end
    }
}

/// As many of 1, 2 and 5, or 1 and 3, of each power of ten as there is room for; even marks where that leaves less
/// than two.
fn marks(begin: f64, end: f64, marks_max: usize) -> Vec<f64> {
    let inside = |marks: Vec<f64>| -> Vec<f64> {
        marks.into_iter().filter(|mark| (begin..=end).contains(mark)).collect()
    };
    let powers = |step: usize| (-3..13).step_by(step).map(|power| 10f64.powi(power));
    let choices = [
        inside(powers(1).flat_map(|power| DIGITS.map(|digit| digit * power)).collect()),
        inside(powers(1).flat_map(|power| [power, 3.0 * power]).collect()),
        inside(powers(1).collect()),
        inside(powers(2).collect()),
    ];
    let fitting = choices.into_iter().find(|choice| choice.len() <= marks_max);
    fitting.filter(|marks| marks.len() > 1).unwrap_or_else(|| even(begin, end, marks_max))
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn even(begin: f64, end: f64, marks_max: usize) -> Vec<f64> {
    let least = (end - begin) / marks_max.max(2) as f64;
    let power = 10f64.powf(least.log10().floor());
    let step = DIGITS.into_iter().map(|digit| digit * power).find(|step| *step >= least);
    multiples(begin, end, step.unwrap_or(power * 10.0))
}

fn multiples(begin: f64, end: f64, step: f64) -> Vec<f64> {
    let first = (begin / step).ceil();
    (0..100)
        .map(|index| (first + f64::from(index)) * step)
        .take_while(|mark| *mark <= end * 1.000_001)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_too_many_marks_nor_too_few() {
        for (begin, end) in [(50.0, 70.0), (1.0, 1e8), (90.0, 2_000.0), (3.0, 3.1), (0.001, 1e9), (7e9, 7e9)]
        {
            let axis = Axis::logarithmic(begin, end, 7, |value| value.to_string());
            assert!((2..=8).contains(&axis.marks.len()), "{begin} to {end}: {:?}", axis.marks);
        }
        for end in [0.0, 0.02, 1.0, 3.0, 10.0, 60.0, 61.0, 600.0, 86_400.0, 200_000.0] {
            let axis = Axis::seconds(end);
            assert!((2..=8).contains(&axis.marks.len()), "{end}: {:?}", axis.marks);
        }
        assert_eq!(Axis::linear(10.8, 6, |value| value.to_string()).marks, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    }

    #[test]
    fn long_times_are_minutes_and_hours() {
        for (end, s, text) in [
            (1.0, 0.5, "0.5 s"),
            (90.0, 60.0, "60 s"),
            (600.0, 30.0, "0.5 min"),
            (3600.0, 600.0, "10 min"),
            (86_400.0, 5400.0, "1.5 h"),
        ] {
            assert_eq!(Axis::seconds(end).label(s), text);
        }
    }
}
