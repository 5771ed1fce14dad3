//! Rows, medians and the table at the end.

use std::fmt;

/// What a figure has to keep.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// No less than this.
    AtLeast(f64),
    /// No more than this.
    AtMost(f64),
    /// Only reported.
    None,
}

impl Bound {
    fn verdict(self, figure: f64) -> &'static str {
        let kept = match self {
            Self::AtLeast(bound) => figure >= bound,
            Self::AtMost(bound) => figure <= bound,
            Self::None => return "-",
        };
        if kept { "pass" } else { "FAIL" }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(formatter, ">= {bound}"),
            Self::AtMost(bound) => write!(formatter, "<= {bound}"),
            Self::None => formatter.write_str("-"),
        }
    }
}

/// One line of the report.
pub(crate) struct Row {
    cells: [String; 7],
}

impl Row {
    /// A figure taken in pairs, bounded by the median of the pairs' ratios.
    pub(crate) fn paired(work: &str, figure: &str, pairs: &[(f64, f64)], bound: Bound) -> Self {
        let reference = median(pairs.iter().map(|pair| pair.0).collect());
        let relay = median(pairs.iter().map(|pair| pair.1).collect());
        let ratios: Vec<f64> = pairs.iter().map(|pair| pair.1 / pair.0).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let ratio = median(ratios);
        Self {
            cells: [
                work.to_owned(),
                figure.to_owned(),
                readable(reference),
                readable(relay),
                format!("{ratio:.3} ({least:.3} to {most:.3}, {})", pairs.len()),
                bound.to_string(),
                bound.verdict(ratio).to_owned(),
            ],
        }
    }

    /// A figure of the relay alone, bounded as it is.
    pub(crate) fn single(work: &str, figure: &str, value: f64, bound: Bound) -> Self {
        Self::beside(work, figure, None, value, bound)
    }

    /// A figure of the relay, bounded as it is, with the floor's beside it.
    pub(crate) fn beside(work: &str, figure: &str, floor: Option<f64>, value: f64, bound: Bound) -> Self {
        Self {
            cells: [
                work.to_owned(),
                figure.to_owned(),
                floor.map_or_else(|| "-".to_owned(), readable),
                readable(value),
                match floor {
                    Some(floor) if floor != 0.0 => format!("{:.3}", value / floor),
                    _ => "-".to_owned(),
                },
                bound.to_string(),
                bound.verdict(value).to_owned(),
            ],
        }
    }

    /// A work which could not be measured.
    pub(crate) fn failed(work: &str, reason: &str) -> Self {
        let dash = || "-".to_owned();
        Self {
            cells: [work.to_owned(), reason.to_owned(), dash(), dash(), dash(), dash(), "ERROR".to_owned()],
        }
    }

    /// A work which was left out, and why.
    pub(crate) fn skipped(work: &str, reason: &str) -> Self {
        let dash = || "-".to_owned();
        Self {
            cells: [work.to_owned(), reason.to_owned(), dash(), dash(), dash(), dash(), "skipped".to_owned()],
        }
    }

    /// The row with tabs between its cells, for watching while the bench runs.
    pub(crate) fn plain(&self) -> String {
        self.cells.join("  ")
    }
}

/// The middle value; not a number when there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.get(middle.wrapping_sub(1))) {
        (Some(upper), Some(lower)) if values.len() % 2 == 0 => (upper + lower) / 2.0,
        (Some(upper), _) => *upper,
        _ => f64::NAN,
    }
}

/// A number with about four digits that matter.
fn readable(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1000.0 || value.fract() == 0.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// All rows as a Markdown table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from("| work | figure | floor | relay | ratio | bound | verdict |\n");
    text.push_str("|---|---|--:|--:|--:|--:|---|\n");
    for row in rows {
        text.push_str(&format!("| {} |\n", row.cells.join(" | ")));
    }
    text
}
