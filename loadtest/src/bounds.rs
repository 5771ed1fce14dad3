//! What a run must not break: `--fail-if 'p99>50ms'`.

use std::fmt;

use crate::answers::Answered;
use crate::plan::{micros, parse_duration};
use crate::report::{Percentiles, Report, Server};

/// A condition under which a run has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    what: String,
    figure: Figure,
    is_above: bool,
    /// The limit itself breaks it as well.
    is_limit_broken: bool,
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Figure {
    Lost,
    Doubled,
    OutOfOrder,
    Corrupt,
    UnderWay,
    Delivered,
    Accepted,
    Expected,
    Due,
    Unsent,
    Closed,
    Acked,
    Refused,
    NotKept,
    Unanswered,
    TraceViolations,
    RatePerS,
    AcceptedPerS,
    ServerCpuShare,
    ServerCpuPerDelivery,
    ServerResident,
    ServerResidentPeak,
    Latency(Whose, Point),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Whose {
    First,
    Each,
    Last,
    Service,
    Connect,
    Ack,
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

/// Those that are not latencies, as the JSON calls them, and as it is shorter.
const PLAIN: [(&str, Figure); 22] = [
    ("lost", Figure::Lost),
    ("doubled", Figure::Doubled),
    ("out_of_order", Figure::OutOfOrder),
    ("corrupt", Figure::Corrupt),
    ("under_way", Figure::UnderWay),
    ("delivered", Figure::Delivered),
    ("accepted", Figure::Accepted),
    ("expected", Figure::Expected),
    ("due", Figure::Due),
    ("unsent", Figure::Unsent),
    ("closed", Figure::Closed),
    ("answered.acked", Figure::Acked),
    ("answered.refused", Figure::Refused),
    ("answered.not_kept", Figure::NotKept),
    ("answered.unanswered", Figure::Unanswered),
    ("trace.violations", Figure::TraceViolations),
    ("rate_per_s", Figure::RatePerS),
    ("accepted_per_s", Figure::AcceptedPerS),
    ("server.cpu_share", Figure::ServerCpuShare),
    ("server.cpu_us_per_delivery", Figure::ServerCpuPerDelivery),
    ("server.resident_kib", Figure::ServerResident),
    ("server.resident_peak_kib", Figure::ServerResidentPeak),
];
const SHORTER: [(&str, &str); 2] = [("rate", "rate_per_s"), ("generator.unsent", "unsent")];
const LATENCIES: &str = "min, p50, p90, p95, p99, p99.9, p99.99, max of each receiver's latency (first.p99, last.p99, \
    service.p99, connect.p99 and ack.p99 for the others)";
const COMPARISONS: &str = "expected FIGURE>LIMIT or FIGURE<LIMIT, or >= or <=";

impl Bound {
    /// Reads `FIGURE>LIMIT`, or the same with `<`, `>=` or `<=`. Figures are called as in the JSON, or shorter; a
    /// latency's limit has a unit.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at = text.find(['>', '<']).ok_or_else(|| format!("{text}: {COMPARISONS}"))?;
        let (name, rest) = text.split_at_checked(at).unwrap_or_default();
        let is_above = rest.starts_with('>');
        let rest = rest.get(1..).unwrap_or_default();
        let is_limit_broken = rest.starts_with('=');
        let limit = rest.strip_prefix('=').unwrap_or(rest).trim();
        let figure = Figure::parse(name.trim()).ok_or_else(|| {
            let names = PLAIN.map(|(name, _)| name).join(", ");
            format!("{text}: no figure {}; there are {names}, or {LATENCIES}", name.trim())
        })?;
        let limit = match figure {
            Figure::Latency(..) => parse_duration(limit).map(|limit| micros(limit) as f64)?,
            _ => limit
                .parse()
                .ok()
                .filter(|limit: &f64| limit.is_finite())
                .ok_or_else(|| format!("{text}: expected a number, not {limit}"))?,
        };
        Ok(Self { what: text.to_owned(), figure, is_above, is_limit_broken, limit })
    }

    /// Whether this run broke it: what was measured instead. What is not known breaks it, as nobody can say that it was
    /// kept: a latency of which there is no sample, a server whose process is unknown. It is no number (NaN) then.
    pub fn broken_by(&self, report: &Report) -> Option<f64> {
        if self.figure.is_unknown(report) {
            return Some(f64::NAN);
        }
        let value = self.figure.of(report);
        let is_beyond = if self.is_above { value > self.limit } else { value < self.limit };
        let is_broken = is_beyond || value.is_nan() || (self.is_limit_broken && value == self.limit);
        is_broken.then_some(value)
    }
}

impl Bound {
    /// What [`Self::broken_by`] found, in words and with its unit.
    pub fn told(&self, value: f64) -> String {
        match self.figure {
            _ if value.is_nan() => "nothing came that it could be told of".to_owned(),
            Figure::Latency(..) => format!("it is {}", told_us(value as u64)),
            Figure::ServerResident | Figure::ServerResidentPeak => format!("it is {value} KiB"),
            Figure::ServerCpuPerDelivery => format!("it is {value:.3} µs"),
            Figure::ServerCpuShare => format!("it is {value:.3}"),
            Figure::RatePerS | Figure::AcceptedPerS => format!("it is {value:.1} a second"),
            _ => format!("it is {value}"),
        }
    }
}

/// Microseconds, in the largest unit that a limit may have been written in.
fn told_us(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Figure {
    fn parse(name: &str) -> Option<Self> {
        let longer = SHORTER.iter().find(|(short, _)| *short == name).map_or(name, |(_, longer)| longer);
        if let Some((_, figure)) = PLAIN.iter().find(|(known, _)| *known == longer) {
            return Some(*figure);
        }
        let name = name.strip_prefix("latency_us.").unwrap_or(name);
        let (whose, point) = match name.split_once('.') {
            Some(("first", point)) => (Whose::First, point),
            Some(("each", point)) => (Whose::Each, point),
            Some(("last", point)) => (Whose::Last, point),
            Some(("service" | "service_us", point)) => (Whose::Service, point),
            Some(("connect" | "connect_us", point)) => (Whose::Connect, point),
            Some(("ack", point)) => (Whose::Ack, point),
            _ => (Whose::Each, name),
        };
        Some(Self::Latency(whose, Point::parse(point)?))
    }

    fn is_unknown(self, report: &Report) -> bool {
        let Self::Latency(whose, _) = self else { return false };
        whose.of(report).count == 0
    }

    fn of(self, report: &Report) -> f64 {
        let server = |figure: fn(&Server) -> f64| report.server.as_ref().map_or(f64::NAN, figure);
        let answered = |figure: fn(&Answered) -> u64| {
            report.answered.as_ref().map_or(f64::NAN, |answered| figure(answered) as f64)
        };
        let count = match self {
            Self::Lost => report.counts.lost,
            Self::Doubled => report.counts.doubled,
            Self::OutOfOrder => report.counts.out_of_order,
            Self::Corrupt => report.counts.corrupt,
            Self::UnderWay => report.under_way,
            Self::Delivered => report.counts.delivered,
            Self::Accepted => report.accepted,
            Self::Expected => report.expected,
            Self::Due => report.due,
            Self::Unsent => report.generator.unsent,
            Self::Closed => report.closed,
            Self::Acked => return answered(|answered| answered.acked),
            Self::Refused => return answered(|answered| answered.refused),
            Self::NotKept => return answered(|answered| answered.not_kept),
            Self::Unanswered => return answered(|answered| answered.unanswered),
            Self::TraceViolations => {
                let judged = report.trace.as_ref().filter(|judged| judged.unread.is_none());
                return judged.map_or(f64::NAN, |judged| judged.violations as f64);
            }
            Self::RatePerS => return report.rate_per_s,
            Self::AcceptedPerS => return report.accepted_per_s,
            Self::ServerCpuShare => return server(|server| server.cpu_share),
            Self::ServerCpuPerDelivery => return server(|server| server.cpu_us_per_delivery),
            Self::ServerResident => return server(|server| server.resident_kib as f64),
            Self::ServerResidentPeak => return server(|server| server.resident_peak_kib as f64),
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
            Self::Service => &report.service_us,
            Self::Connect => &report.connect_us,
            Self::Ack => &report.latency_us.ack,
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
            "p99.9" | "p99_9" => Self::P99_9,
            "p99.99" | "p99_99" => Self::P99_99,
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
    use crate::judged::Judged;
    use crate::report::{example, judged};

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
        assert_eq!(broken("rate<=500"), Some(500.0));
        assert_eq!(broken("lost>=7"), Some(7.0));
        assert_eq!(broken("lost>=8"), None);
    }

    #[test]
    fn a_trace_breaks_its_bound_that_is_not_clean_or_was_not_judged() {
        let bound = Bound::parse("trace.violations>0").unwrap();
        assert_eq!(bound.broken_by(&Report { trace: Some(judged()), ..example() }), Some(1.0));
        for trace in [None, Some(Judged::unread("refused".into()))] {
            let value = bound.broken_by(&Report { trace, ..example() }).unwrap();
            assert_eq!(bound.told(value), "nothing came that it could be told of");
        }
        assert_eq!(bound.broken_by(&Report { trace: Some(Judged::default()), ..example() }), None);
    }

    #[test]
    fn every_figure_has_the_name_that_the_json_gives_it() {
        for (json, short) in [
            ("rate_per_s<501", "rate<501"),
            ("latency_us.each.p99_9>1ms", "p99.9>1ms"),
            ("latency_us.last.p99_99>1ms", "last.p99.99>1ms"),
            ("service_us.p50>1ms", "service.p50>1ms"),
            ("latency_us.ack.p99>1ms", "ack.p99>1ms"),
        ] {
            let value = broken(json);
            assert!(value.is_some() && value == broken(short), "{json}");
        }
        assert_eq!(broken("connect.max>=100us"), Some(100.0));
        assert_eq!(broken("connect_us.p99>1ms"), None);
        assert_eq!(broken("delivered<107"), Some(100.0));
        assert_eq!(broken("accepted<2"), Some(1.0));
        assert_eq!(broken("accepted_per_s<=5"), Some(5.0));
        assert_eq!((broken("answered.acked<2"), broken("answered.unanswered>0")), (Some(1.0), None));
        assert_eq!((broken("closed>0"), broken("unsent>0"), broken("due>0")), (None, None, Some(1.0)));
        assert_eq!(broken("server.resident_kib>3999"), Some(4_000.0));
        assert_eq!(broken("server.cpu_us_per_delivery>0.1"), Some(0.2));
        assert_eq!(broken("server.cpu_share>0.5"), None);
    }

    #[test]
    fn what_broke_a_bound_is_told_with_its_unit() {
        for (bound, value, words) in [
            ("p99>1us", 8_027.0, "it is 8.0 ms"),
            ("last.p99>1us", 27.0, "it is 27 µs"),
            ("p99>1s", 1_500_000.0, "it is 1.50 s"),
            ("lost>0", 3.0, "it is 3"),
            ("rate<10", 5.25, "it is 5.2 a second"),
            ("server.resident_kib>1", 4_000.0, "it is 4000 KiB"),
            ("p99>1us", f64::NAN, "nothing came that it could be told of"),
        ] {
            assert_eq!(Bound::parse(bound).unwrap().told(value), words, "{bound}");
        }
    }

    #[test]
    fn a_bound_of_what_is_not_known_is_broken() {
        let report = Report { server: None, answered: None, ..example() };
        for bound in ["server.cpu_share>0.5", "server.resident_kib<1", "answered.refused>0"] {
            assert!(Bound::parse(bound).unwrap().broken_by(&report).unwrap().is_nan(), "{bound}");
        }
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
            ("lost>nan", "expected a number"),
            ("lost>inf", "expected a number"),
            ("lost>", "expected a number"),
        ] {
            let error = Bound::parse(text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
