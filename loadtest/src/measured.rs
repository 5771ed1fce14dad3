//! What was measured, as samples and sums: repeats are merged here, before anything is turned into percentiles.

use hdrhistogram::Histogram;

use crate::answers::Answered;
use crate::judged::Judged;
use crate::latency::{Latency, buckets, histogram};
use crate::plan::{Plan, Planned};
use crate::process::Usage;
use crate::pulse::Still;
use crate::report::{
    self, Figures, Generator, Interval, Latencies, Machine, Percentiles, Report, SCHEMA_VERSION, Server,
    median,
};
use crate::returns::Returns;
use crate::slice::Spent;
use crate::stats::Counts;
use crate::verdict::{self, LATE_US};

/// In less than this nothing is measured: a run that was ended in its warm-up.
pub const MEASURED_S_MIN: f64 = 1e-3;

/// One run, or several repeats of it.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The four checks, warm-up included.
    pub counts: Counts,
    /// Deliveries there were to be, warm-up included.
    pub expected: u64,
    /// Deliveries that were still coming when nobody waited any more.
    pub under_way: u64,
    /// Lines due, and of those never sent, warm-up included.
    pub due: u64,
    /// Lines due that never went out, as the server did not take them.
    pub unsent: u64,
    /// Lines due that never went out, as the server had closed their senders.
    pub to_closed: u64,
    /// Lines accepted, warm-up included.
    pub accepted: u64,
    /// Lines accepted behind the warm-up.
    pub accepted_measured: u64,
    /// Deliveries behind the warm-up.
    pub delivered_measured: u64,
    /// Deliveries of the warm-up.
    pub warmup_delivered: u64,
    /// How long was measured, in seconds: from when the first line was due until the last was heard.
    pub measured_s: f64,
    /// Of that, and of what was used, while lines were due.
    pub sending: Spent,
    /// For how long the generator stood still meanwhile.
    pub still: Still,
    /// Latencies.
    pub latency: Latency,
    /// Of connects, in microseconds.
    pub connect_us: Histogram<u64>,
    /// Of log-ins, in microseconds; none where nobody was to log in.
    pub login_us: Option<Histogram<u64>>,
    /// How late lines went out, in microseconds.
    pub lateness_us: Histogram<u64>,
    /// Turns of the generator's loop, in microseconds.
    pub loop_lag_us: Histogram<u64>,
    /// Samples that came before they could.
    pub negative: u64,
    /// Deliveries of lines that had been given up.
    pub beyond_horizon: u64,
    /// By time.
    pub timeline: Vec<Interval>,
    /// The histogram of each piece of the timeline, where they were kept.
    pub log: Vec<(Interval, Histogram<u64>)>,
    /// What the generator used while it measured.
    pub own: Usage,
    /// What the server used meanwhile.
    pub server: Option<Usage>,
    /// Resident memory of the server before the first client, in KiB.
    pub resident_before_kib: Option<u64>,
    /// Resident memory of the server at most, in KiB.
    pub resident_peak_kib: u64,
    /// The kernel's memory for TCP at most, in KiB.
    pub tcp_memory_peak_kib: u64,
    /// Clients that the server closed.
    pub closed: usize,
    /// No connection stood any more at the end.
    pub is_deserted: bool,
    /// Clients that left and came back.
    pub returns: Returns,
    /// The most pieces that one client heard which no sender said.
    pub others_max: u32,
    /// What the server said against it, and how often.
    pub complaints: (Vec<String>, u64),
    /// What the senders were answered, where the server answers.
    pub answered: Option<Answered>,
    /// What the checker says of the trace, where there is one.
    pub trace: Option<Judged>,
    /// The generator never slept.
    pub spins: bool,
    /// A closed loop: lines are due when the one before was heard.
    pub is_closed: bool,
    /// The run was ended before its time.
    pub is_partial: bool,
    /// Of each repeat.
    pub repeats: Vec<Figures>,
}

/// Where and when something was measured.
#[derive(Debug, Clone)]
pub struct Place {
    /// This machine.
    pub machine: Machine,
    /// Address and port of the server.
    pub target: String,
    /// Program and version, where they are known.
    pub server_name: String,
    /// Of the file of its program, where its process is known.
    pub server_file_fnv1a: Option<String>,
    /// In seconds since 1970.
    pub begun_unix_s: u64,
}

impl Measured {
    /// Nothing.
    pub fn new() -> Result<Self, String> {
        Ok(Self {
            counts: Counts::default(),
            expected: 0,
            under_way: 0,
            due: 0,
            unsent: 0,
            to_closed: 0,
            accepted: 0,
            accepted_measured: 0,
            delivered_measured: 0,
            warmup_delivered: 0,
            measured_s: 0.0,
            sending: Spent::default(),
            still: Still::default(),
            latency: Latency::new()?,
            connect_us: histogram()?,
            login_us: None,
            lateness_us: histogram()?,
            loop_lag_us: histogram()?,
            negative: 0,
            beyond_horizon: 0,
            timeline: Vec::new(),
            log: Vec::new(),
            own: Usage::default(),
            server: None,
            resident_before_kib: None,
            resident_peak_kib: 0,
            tcp_memory_peak_kib: 0,
            closed: 0,
            is_deserted: false,
            returns: Returns::default(),
            others_max: 0,
            complaints: (Vec::new(), 0),
            answered: None,
            trace: None,
            spins: false,
            is_closed: false,
            is_partial: false,
            repeats: Vec::new(),
        })
    }

    /// Adds another repeat.
    pub fn merge(&mut self, other: Self) -> Result<(), String> {
        let add = |ours: &mut Histogram<u64>, theirs: &Histogram<u64>| {
            ours.add(theirs).map_err(|error| format!("histograms of different kinds: {error}"))
        };
        self.latency.merge(&other.latency)?;
        add(&mut self.connect_us, &other.connect_us)?;
        match (&mut self.login_us, &other.login_us) {
            (Some(login_us), Some(others)) => add(login_us, others)?,
            (login_us, others) => *login_us = login_us.take().or_else(|| others.clone()),
        }
        add(&mut self.lateness_us, &other.lateness_us)?;
        add(&mut self.loop_lag_us, &other.loop_lag_us)?;
        let before_s = self.measured_s;
        let later = |interval: Interval| Interval { end_s: interval.end_s + before_s, ..interval };
        self.timeline.extend(other.timeline.into_iter().map(later));
        self.log.extend(other.log.into_iter().map(|(interval, samples)| (later(interval), samples)));
        self.counts = self.counts.plus(other.counts);
        self.expected += other.expected;
        self.under_way += other.under_way;
        self.due += other.due;
        self.unsent += other.unsent;
        self.to_closed += other.to_closed;
        self.accepted += other.accepted;
        self.accepted_measured += other.accepted_measured;
        self.delivered_measured += other.delivered_measured;
        self.warmup_delivered += other.warmup_delivered;
        self.measured_s += other.measured_s;
        self.sending = self.sending.plus(other.sending);
        self.still = self.still.plus(other.still);
        self.negative += other.negative;
        self.beyond_horizon += other.beyond_horizon;
        self.own = self.own.plus(other.own);
        self.server = match (self.server, other.server) {
            (Some(ours), Some(theirs)) => Some(ours.plus(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.resident_before_kib = self.resident_before_kib.or(other.resident_before_kib);
        self.resident_peak_kib = self.resident_peak_kib.max(other.resident_peak_kib);
        self.tcp_memory_peak_kib = self.tcp_memory_peak_kib.max(other.tcp_memory_peak_kib);
        self.closed += other.closed;
        self.is_deserted |= other.is_deserted;
        self.returns = std::mem::take(&mut self.returns).plus(other.returns);
        self.others_max = self.others_max.max(other.others_max);
        self.complaints.0.extend(other.complaints.0);
        self.complaints.0.truncate(verdict::COMPLAINTS_MAX);
        self.complaints.1 += other.complaints.1;
        self.answered = match (self.answered.take(), other.answered) {
            (Some(ours), Some(theirs)) => Some(ours.plus(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.trace = match (self.trace.take(), other.trace) {
            (Some(ours), Some(theirs)) => Some(ours.plus(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.spins |= other.spins;
        self.is_closed |= other.is_closed;
        self.is_partial |= other.is_partial;
        self.repeats.extend(other.repeats);
        Ok(())
    }

    /// Deliveries a second.
    pub fn rate_per_s(&self) -> f64 {
        self.delivered_measured as f64 / self.measured_s.max(1e-9)
    }

    /// Share of a processor; nothing where nothing was measured.
    pub fn share(&self, usage: Usage) -> f64 {
        if self.measured_s > MEASURED_S_MIN { usage.cpu_ns as f64 / 1e9 / self.measured_s } else { 0.0 }
    }

    /// The same while lines were due, in which more is done than while the last are waited for: of the generator.
    pub fn own_share(&self) -> f64 {
        self.sending_share(self.sending.own_ns).unwrap_or_else(|| self.share(self.own))
    }

    /// The same of the server.
    pub fn server_share(&self, usage: Usage) -> f64 {
        self.sending_share(self.sending.server_ns).unwrap_or_else(|| self.share(usage))
    }

    fn sending_share(&self, ns: u64) -> Option<f64> {
        (self.sending.length_s > MEASURED_S_MIN).then(|| ns as f64 / 1e9 / self.sending.length_s)
    }

    /// Share of the time in which the generator could have run, and had no processor.
    pub fn waited_share(&self) -> f64 {
        self.share(Usage { cpu_ns: self.own.waited_ns, ..Usage::default() })
    }

    /// So many nanoseconds shared out over the deliveries, in microseconds.
    pub fn us_per_delivery(&self, ns: f64) -> f64 {
        ns / 1e3 / self.delivered_measured.max(1) as f64
    }

    /// What another run is compared with.
    pub fn figures(&self) -> Figures {
        let at = |histogram: &Histogram<u64>, quantile| histogram.value_at_quantile(quantile) as f64;
        Figures {
            rate_per_s: self.rate_per_s(),
            accepted_per_s: self.accepted_measured as f64 / self.sending.length_s.max(1e-9),
            p50_us: at(&self.latency.each, 0.5),
            p99_us: at(&self.latency.each, 0.99),
            p99_9_us: at(&self.latency.each, 0.999),
            last_p99_us: at(&self.latency.last, 0.99),
            server_cpu_us_per_delivery: self.server.map(|usage| self.us_per_delivery(usage.cpu_ns as f64)),
            server_resident_kib: self.server.map(|usage| usage.resident_kib as f64),
        }
    }

    /// The report of it.
    pub fn report(&self, plan: &Plan, place: Place) -> Report {
        let figures = self.figures();
        let Place { machine, target, server_name, server_file_fnv1a, begun_unix_s } = place;
        Report {
            schema_version: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: report::commit(),
            begun_unix_s,
            machine,
            plan: Planned { spins: self.spins, traces: self.trace.is_some(), ..plan.planned() },
            target,
            server_name,
            server_file_fnv1a,
            due: self.due,
            accepted: self.accepted,
            accepted_per_s: figures.accepted_per_s,
            expected: self.expected,
            under_way: self.under_way,
            counts: self.counts,
            rate_per_s: figures.rate_per_s,
            warmup_delivered: self.warmup_delivered,
            latency_us: Latencies::of(&self.latency),
            service_us: Percentiles::of(&self.latency.service),
            connect_us: Percentiles::of(&self.connect_us),
            login_us: self.login_us.as_ref().map(Percentiles::of),
            negative: self.negative,
            beyond_horizon: self.beyond_horizon,
            timeline: self.timeline.clone(),
            histogram: buckets(&self.latency.each),
            generator: self.generator(plan),
            server: self.server.map(|usage| self.server(usage)),
            tcp_memory_peak_kib: self.tcp_memory_peak_kib,
            others_max: self.others_max,
            closed: self.closed as u64,
            to_closed: self.to_closed,
            not_back: self.returns.failed,
            is_deserted: self.is_deserted,
            answered: self.answered.clone(),
            trace: self.trace.clone(),
            complaints: self.complaints.0.clone(),
            cautions: verdict::cautions(plan, self),
            hints: verdict::hints(plan, self),
            invalid: verdict::why_invalid(self),
            is_partial: self.is_partial,
            repeats: self.repeats.clone(),
            floor: None,
        }
    }

    fn generator(&self, plan: &Plan) -> Generator {
        Generator {
            cpu_share: self.own_share(),
            cpu_us_per_delivery: self.us_per_delivery(self.own.cpu_ns as f64),
            user_us_per_delivery: self.us_per_delivery(self.own.exact_user_ns()),
            late: late(&self.lateness_us),
            lateness_p99_us: self.lateness_us.value_at_quantile(0.99),
            loop_lag_p99_us: self.loop_lag_us.value_at_quantile(0.99),
            loop_lag_max_us: self.loop_lag_us.max(),
            waited_share: self.waited_share(),
            still_us: self.still.sum_us,
            still_max_us: self.still.longest_us,
            unsent: self.unsent,
            resident_kib: self.own.resident_kib,
            resident_kib_per_client: self.own.resident_kib as f64 / plan.clients.max(1) as f64,
        }
    }

    fn server(&self, usage: Usage) -> Server {
        Server {
            cpu_share: self.server_share(usage),
            cpu_us_per_delivery: self.us_per_delivery(usage.cpu_ns as f64),
            resident_before_kib: self.resident_before_kib,
            resident_kib: usage.resident_kib,
            resident_peak_kib: self.resident_peak_kib.max(usage.resident_kib),
            wakeups_per_s: usage.sleeps as f64 / self.measured_s.max(1e-9),
        }
    }
}

/// Lines that went out late, of all that did.
pub fn late(lateness_us: &Histogram<u64>) -> u64 {
    lateness_us.len().saturating_sub(lateness_us.count_between(0, LATE_US))
}

/// The median of one figure over several repeats; none where none has it.
pub fn median_of(repeats: &[Figures], figure: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
    median(&repeats.iter().filter_map(figure).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_merged_by_their_samples_and_not_by_their_percentiles() {
        let once = |late_us: u64, count: u64| {
            let mut measured = Measured::new().unwrap();
            measured.latency.each.record_n(late_us, count).unwrap();
            measured.delivered_measured = count;
            measured.measured_s = 1.0;
            measured.counts.delivered = count;
            measured.repeats.push(measured.figures());
            measured
        };
        let mut both = once(10, 990);
        both.merge(once(1_000, 10)).unwrap();
        let figures = both.figures();
        assert_eq!((figures.p50_us, figures.p99_us, figures.p99_9_us), (10.0, 10.0, 1_000.0));
        assert_eq!(figures.rate_per_s, 500.0);
        assert_eq!(both.counts.delivered, 1_000);
        assert_eq!(median_of(&both.repeats, |figures| Some(figures.rate_per_s)), Some(500.0));
    }

    #[test]
    fn the_wait_for_the_last_lines_makes_nobody_slower_nor_idler_than_it_was() {
        let mut measured = Measured::new().unwrap();
        measured.accepted_measured = 300;
        measured.delivered_measured = 900;
        measured.measured_s = 13.0;
        measured.sending = Spent { length_s: 3.0, own_ns: 2_906_250_000, server_ns: 1_500_000_000 };
        measured.own = Usage { cpu_ns: 3_000_000_000, ..Usage::default() };
        let figures = measured.figures();
        assert_eq!((figures.accepted_per_s, figures.rate_per_s), (100.0, 900.0 / 13.0));
        assert_eq!((measured.own_share(), measured.server_share(measured.own)), (0.96875, 0.5));
        assert!(verdict::why_invalid(&measured).iter().any(|reason| reason.contains("97 %")));
    }

    #[test]
    fn only_lines_behind_the_limit_are_late() {
        let mut lateness_us = histogram().unwrap();
        (1..=1000u64).for_each(|value| lateness_us.saturating_record(value));
        assert_eq!(late(&lateness_us), 0);
        lateness_us.saturating_record(LATE_US * 2);
        assert_eq!(late(&lateness_us), 1);
    }
}
