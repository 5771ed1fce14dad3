//! What a run must not break: `--fail-if 'p99>50ms'`.

use std::fmt;

use crate::plan::{micros, parse_duration};
use crate::report::{Percentiles, Report};

/// A condition under which a run has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    what: String,
    figure: Figure,
    is_above: bool,
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Figure {
    Lost,
    Doubled,
    OutOfOrder,
    Corrupt,
    UnderWay,
    RatePerS,
    Latency(Whose, Point),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Whose {
    First,
    Each,
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Point {
    Min,
    P50,
    P90,
    P95,
    P99,
    P99_9,
    P99_99,
    Max,
}

const FIGURES: &str = "lost, doubled, out_of_order, corrupt, under_way, rate, or min, p50, p90, p95, p99, p99.9, p99.99, max of \
    each receiver's latency (first.p99 and last.p99 for the others)";

impl Bound {
    /// Reads `FIGURE>LIMIT` or `FIGURE<LIMIT`; a latency's limit has a unit.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at =
            text.find(['>', '<']).ok_or_else(|| format!("{text}: expected FIGURE>LIMIT or FIGURE<LIMIT"))?;
        let (name, rest) = text.split_at_checked(at).unwrap_or_default();
        let is_above = rest.starts_with('>');
        let limit = rest.get(1..).unwrap_or_default().trim();
        let figure = Figure::parse(name.trim())
            .ok_or_else(|| format!("{text}: no figure {}; there are {FIGURES}", name.trim()))?;
        let limit = match figure {
            Figure::Latency(..) => parse_duration(limit).map(|limit| micros(limit) as f64)?,
            _ => limit.parse().map_err(|_| format!("{text}: expected a number, not {limit}"))?,
        };
        Ok(Self { what: text.to_owned(), figure, is_above, limit })
    }

    /// Whether this run broke it: what was measured instead. A bound of a latency of which there is no sample is broken;
    /// what was measured is no number then.
    pub fn broken_by(&self, report: &Report) -> Option<f64> {
        if self.figure.is_unknown(report) {
            return Some(f64::NAN);
        }
        let value = self.figure.of(report);
        let is_broken = if self.is_above { value > self.limit } else { value < self.limit };
        is_broken.then_some(value)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Figure {
    fn parse(name: &str) -> Option<Self> {
        let (whose, point) = match name.split_once('.') {
            Some(("first", point)) => (Whose::First, point),
            Some(("each", point)) => (Whose::Each, point),
            Some(("last", point)) => (Whose::Last, point),
            _ => (Whose::Each, name),
        };
        Some(match name {
            "lost" => Self::Lost,
            "doubled" => Self::Doubled,
            "out_of_order" => Self::OutOfOrder,
            "corrupt" => Self::Corrupt,
            "under_way" => Self::UnderWay,
            "rate" => Self::RatePerS,
            _ => Self::Latency(whose, Point::parse(point)?),
        })
    }

    fn is_unknown(self, report: &Report) -> bool {
        let Self::Latency(whose, _) = self else { return false };
        whose.of(report).count == 0
    }

    fn of(self, report: &Report) -> f64 {
        let count = match self {
            Self::Lost => report.counts.lost,
            Self::Doubled => report.counts.doubled,
            Self::OutOfOrder => report.counts.out_of_order,
            Self::Corrupt => report.counts.corrupt,
            Self::UnderWay => report.under_way,
            Self::RatePerS => return report.rate_per_s,
            Self::Latency(whose, point) => point.of(whose.of(report)),
        };
        count as f64
    }
}

impl Whose {
    fn of(self, report: &Report) -> &Percentiles {
        match self {
            Self::First => &report.latency_us.first,
            Self::Each => &report.latency_us.each,
            Self::Last => &report.latency_us.last,
        }
    }
}

impl Point {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "min" => Self::Min,
            "p50" => Self::P50,
            "p90" => Self::P90,
            "p95" => Self::P95,
            "p99" => Self::P99,
            "p99.9" => Self::P99_9,
            "p99.99" => Self::P99_99,
            "max" => Self::Max,
            _ => return None,
        })
    }

    fn of(self, percentiles: &Percentiles) -> u64 {
        match self {
            Self::Min => percentiles.min,
            Self::P50 => percentiles.p50,
            Self::P90 => percentiles.p90,
            Self::P95 => percentiles.p95,
            Self::P99 => percentiles.p99,
            Self::P99_9 => percentiles.p99_9,
            Self::P99_99 => percentiles.p99_99,
            Self::Max => percentiles.max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn broken(bound: &str) -> Option<f64> {
        Bound::parse(bound).unwrap().broken_by(&example())
    }

    #[test]
    fn a_bound_is_broken_only_beyond_its_limit() {
        assert_eq!(broken("lost>0"), Some(7.0));
        assert_eq!(broken("lost > 7"), None);
        assert_eq!(broken("p99>50ms"), Some(60_000.0));
        assert_eq!(broken("p99>60ms"), None);
        assert_eq!(broken("first.p99>0ms"), Some(10_000.0));
        assert_eq!(broken("last.max>89ms"), Some(90_000.0));
        assert_eq!(broken("rate<1000"), Some(500.0));
        assert_eq!(broken("rate<500"), None);
    }

    #[test]
    fn a_latency_of_nothing_keeps_no_bound() {
        let mut report = example();
        report.latency_us.last = Percentiles::default();
        let broken = |text: &str, report: &Report| Bound::parse(text).unwrap().broken_by(report);
        assert!(broken("last.p99>50ms", &report).is_some_and(f64::is_nan));
        assert_eq!(broken("p99>60ms", &report), None);
        report.latency_us.each = Percentiles::default();
        assert!(broken("p99>60ms", &report).is_some());
    }

    #[test]
    fn what_is_no_bound_is_named_with_what_was_expected() {
        for (text, word) in [
            ("lost", "expected FIGURE>LIMIT"),
            ("lots>0", "no figure lots"),
            ("second.p99>1ms", "no figure second.p99"),
            ("p99>50", "500ms"),
            ("lost>many", "expected a number"),
        ] {
            let error = Bound::parse(text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
