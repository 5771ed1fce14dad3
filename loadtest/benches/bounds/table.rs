//! Rows with a bound each, and the table at the end.

use std::fmt;

use tertulia_loadtest::report::{Ratio, median};
use tertulia_loadtest::text::grouped;

/// What a figure has to keep.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// No less than this.
    AtLeast(f64),
    /// No more than this.
    AtMost(f64),
    /// No further from 1 than this.
    Within(f64),
    /// Only reported.
    None,
}

impl Bound {
    fn verdict(self, figure: f64) -> &'static str {
        let is_kept = match self {
            Self::AtLeast(bound) => figure >= bound,
            Self::AtMost(bound) => figure <= bound,
            Self::Within(bound) => (figure - 1.0).abs() <= bound,
            Self::None => return "",
        };
        if is_kept { "pass" } else { "FAIL" }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "≥ {}", readable(*bound)),
            Self::AtMost(bound) => write!(f, "≤ {}", readable(*bound)),
            Self::Within(bound) => write!(f, "1 ± {bound}"),
            Self::None => f.write_str("-"),
        }
    }
}

/// One line of the table.
pub(crate) struct Row {
    cells: [String; 7],
}

impl Row {
    /// A figure taken in pairs (ours, reference), bounded by the median of the pairs' ratios.
    pub(crate) fn paired(work: &str, figure: &str, pairs: &[(f64, f64)], bound: Bound) -> Self {
        let middle = |values: Vec<f64>| median(&values).map_or_else(|| "-".to_owned(), readable);
        let ours = middle(pairs.iter().map(|pair| pair.0).collect());
        let reference = middle(pairs.iter().map(|pair| pair.1).collect());
        let (ratio, verdict) = match Ratio::of(pairs) {
            Some(Ratio { median, least, greatest, pairs }) => {
                (format!("{median:.3} ({least:.3} to {greatest:.3}, {pairs})"), bound.verdict(median))
            }
            None => ("-".to_owned(), "FAIL"),
        };
        Self {
            cells: [work.into(), figure.into(), reference, ours, ratio, bound.to_string(), verdict.into()],
        }
    }

    /// A figure bounded as it is, with the reference's beside it where there is one.
    pub(crate) fn plain(work: &str, figure: &str, reference: Option<f64>, value: f64, bound: Bound) -> Self {
        let beside = reference.map_or_else(String::new, readable);
        let ratio = match reference {
            Some(reference) if reference != 0.0 => format!("{:.3}", value / reference),
            _ => String::new(),
        };
        let cells =
            [work, figure, &beside, &readable(value), &ratio, &bound.to_string(), bound.verdict(value)];
        Self { cells: cells.map(str::to_owned) }
    }

    /// A work without a figure, and why.
    pub(crate) fn without(work: &str, reason: &str, verdict: &str) -> Self {
        Self { cells: [work, reason, "", "", "", "", verdict].map(str::to_owned) }
    }

    /// Takes the verdict away, since a run that it comes from is not to be trusted.
    pub(crate) fn doubt(&mut self) {
        if let Some(verdict) = self.cells.last_mut().filter(|verdict| *verdict != "ERROR") {
            *verdict = "INVALID".into();
        }
    }

    /// Whether a run that it comes from is not to be trusted.
    pub(crate) fn is_doubted(&self) -> bool {
        self.cells.last().is_some_and(|verdict| verdict == "INVALID")
    }

    /// Whether a bound is missed, or nobody can tell.
    pub(crate) fn is_missed(&self) -> bool {
        self.cells.last().is_some_and(|verdict| ["FAIL", "ERROR", "INVALID"].contains(&verdict.as_str()))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} |", self.cells.join(" | "))
    }
}

/// A number with about four digits that matter.
fn readable(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 || value.fract() == 0.0 => grouped(value),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// All rows as a Markdown table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| work | figure | floor | measured | ratio | bound | |\n|---|---|--:|--:|--:|--:|---|\n",
    );
    rows.iter().for_each(|row| text.push_str(&format!("{row}\n")));
    text
}
