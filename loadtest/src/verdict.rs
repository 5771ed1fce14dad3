//! Whether a run is to be trusted, and what a person should know to read it.

use crate::measured::{MEASURED_S_MIN, Measured, late};
use crate::plan::Plan;
use crate::protocol::Protocol;
use crate::report::{Interval, median};
use crate::schedule::Pace;

/// A line that goes out later than this is late, and a turn of the loop longer than this is a lag.
pub const LATE_US: u64 = 10_000;
/// With more than this share of lines late, the generator did not keep its schedule.
const LATE_SHARE_MAX: f64 = 0.01;
/// With more than this share of a processor used, the generator itself may be what is slow.
const OWN_CPU_SHARE_MAX: f64 = 0.95;
/// Complaints of the server that are kept.
pub const COMPLAINTS_MAX: usize = 5;
/// Somebody who is held back has the processors idle: none of the two used more than this share of one.
const IDLE_SHARE_MAX: f64 = 0.5;
/// A sender that gets more lines a second through than this is not held back by a rule made for people.
const HELD_BACK_RATE_MAX: f64 = 100.0;
/// One piece of the timeline of so many may be a burst; with fewer, nobody can tell.
const BURST_PIECES_MIN: usize = 4;
/// Nor is one whose lines are on their way for less than this.
const HELD_BACK_US_MIN: u64 = 100_000;

/// Why a run is not to be trusted; empty: it is.
pub fn why_invalid(measured: &Measured) -> Vec<String> {
    let mut reasons = Vec::new();
    if measured.measured_s <= MEASURED_S_MIN {
        reasons.push("nothing was measured: the run was ended before or within its warm-up".to_owned());
    }
    let late = late(&measured.lateness_us);
    let sent = measured.lateness_us.len();
    if sent > 0 && late as f64 / sent as f64 > LATE_SHARE_MAX {
        reasons.push(format!(
            "{late} of {sent} lines went out more than {} ms late: the generator did not keep its schedule; \
             try a lower --rate or fewer --clients",
            LATE_US / 1000
        ));
    }
    if measured.unsent > 0 {
        reasons.push(format!(
            "{} of {} lines that were due never went out: the server stopped taking them; try a lower --rate",
            measured.unsent, measured.due
        ));
    }
    let share = measured.share(measured.own);
    if share > OWN_CPU_SHARE_MAX && !measured.spins {
        reasons.push(format!(
            "the generator used {:.0} % of its processor: it may be what is slow, not the server; \
             try fewer --clients or a lower --rate",
            share * 100.0
        ));
    }
    let lag_us = measured.loop_lag_us.value_at_quantile(0.99);
    if lag_us > LATE_US {
        reasons.push(format!(
            "a turn of the generator's loop took {:.1} ms (p99): what came meanwhile was heard that much later than \
             it came; try fewer --clients, or a machine with nothing else to do",
            lag_us as f64 / 1e3
        ));
    }
    if measured.negative > 0 {
        reasons.push(format!(
            "{} lines were heard before they were due: the clock of this machine is not to be trusted",
            measured.negative
        ));
    }
    reasons
}

/// What a person should know to read the figures.
pub fn hints(plan: &Plan, measured: &Measured) -> Vec<String> {
    let mut hints = Vec::new();
    if let Some(lines_per_s) = held_back_lines_per_s(plan, measured) {
        hints.push(format!(
            "each sender got only {lines_per_s:.1} lines a second through while nobody was busy: this is flood \
             control. A tertulia-relay lets each client say 20 lines at once and then 5 a second; start it with \
             --flood 0, or with --trusted 127.0.0.0/8 for clients of this machine"
        ));
    }
    if measured.under_way > 0 {
        hints.push(format!(
            "{} deliveries were still on their way ten seconds behind the last line due; they are not counted as lost. \
             The rate is more than the server carries",
            measured.under_way
        ));
    }
    if measured.closed > 0 {
        hints.push(format!("the server closed {} of {} connections", measured.closed, plan.clients));
    }
    let kept = measured.complaints.0.len() as u64;
    if measured.complaints.1 > kept {
        hints.push(format!("the server complained {} more times", measured.complaints.1 - kept));
    }
    if measured.warmup_delivered == 0 && !plan.warmup.is_zero() {
        hints.push("the warm-up delivered nothing".into());
    }
    hints
}

/// How many lines a second each sender got through, where something holds the senders back while the processors idle.
fn held_back_lines_per_s(plan: &Plan, measured: &Measured) -> Option<f64> {
    if !matches!(plan.protocol, Protocol::Plain | Protocol::Unframed) || measured.delivered_measured == 0 {
        return None;
    }
    let hearers = plan.hearers().saturating_sub(1).max(1);
    let (rate_per_s, typical_us) = behind_bursts(measured);
    let lines_per_s = rate_per_s / hearers as f64 / plan.senders.max(1) as f64;
    let is_idle = measured.share(measured.own) < IDLE_SHARE_MAX
        && measured.server.is_none_or(|usage| measured.share(usage) < IDLE_SHARE_MAX);
    let is_slow = lines_per_s < HELD_BACK_RATE_MAX && typical_us > HELD_BACK_US_MIN;
    let falls_behind = match plan.pace {
        Pace::Window(_) => true,
        Pace::Rate(rate) => rate / plan.senders.max(1) as f64 > lines_per_s * 1.1,
    };
    (is_idle && is_slow && falls_behind).then_some(lines_per_s)
}

/// Deliveries a second, and how long a typical line took in microseconds, without the pieces of time in which most came:
/// who is held back may first say some lines at once.
fn behind_bursts(measured: &Measured) -> (f64, u64) {
    let mut pieces: Vec<_> = measured.timeline.iter().filter(|piece| piece.length_s > 0.0).collect();
    if pieces.len() < BURST_PIECES_MIN {
        return (measured.rate_per_s(), measured.latency.service.value_at_quantile(0.5));
    }
    let per_s = |piece: &Interval| piece.delivered as f64 / piece.length_s;
    pieces.sort_by(|one, other| per_s(one).total_cmp(&per_s(other)));
    pieces.truncate(pieces.len() - pieces.len() / BURST_PIECES_MIN);
    let seconds: f64 = pieces.iter().map(|piece| piece.length_s).sum();
    let delivered: u64 = pieces.iter().map(|piece| piece.delivered).sum();
    let typical: Vec<f64> =
        pieces.iter().filter(|piece| piece.delivered > 0).map(|piece| piece.p50_us as f64).collect();
    (delivered as f64 / seconds, median(&typical).unwrap_or_default() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Usage;

    fn good() -> Measured {
        let mut measured = Measured::new().unwrap();
        measured.lateness_us.record_n(100, 990).unwrap();
        measured.lateness_us.record_n(20_000, 9).unwrap();
        measured.loop_lag_us.record_n(100, 1000).unwrap();
        measured.measured_s = 10.0;
        measured.delivered_measured = 9_000;
        measured.due = 1_000;
        measured.own = Usage { cpu_ns: 5_000_000_000, ..Usage::default() };
        measured
    }

    #[test]
    fn a_generator_that_kept_its_schedule_is_trusted() {
        assert_eq!(why_invalid(&good()), [""; 0]);
    }

    #[test]
    fn a_run_that_was_ended_within_its_warm_up_says_so_and_no_share_of_nothing() {
        let measured = Measured { measured_s: 0.000_1, is_partial: true, ..good() };
        let reasons = why_invalid(&measured);
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert!(reasons[0].starts_with("nothing was measured"));
    }

    #[test]
    fn late_and_unsent_lines_a_saturated_processor_and_a_lagging_loop_are_named() {
        let mut measured = good();
        measured.lateness_us.record_n(20_000, 2).unwrap();
        assert!(why_invalid(&measured)[0].contains("11 of 1001"));
        assert!(why_invalid(&Measured { unsent: 3, ..good() })[0].contains("3 of 1000"));
        let busy = Usage { cpu_ns: 9_700_000_000, ..Usage::default() };
        assert!(why_invalid(&Measured { own: busy, ..good() })[0].contains("97 %"));
        assert!(why_invalid(&Measured { own: busy, spins: true, ..good() }).is_empty());
        let mut measured = good();
        measured.loop_lag_us.record_n(30_000, 100).unwrap();
        assert!(why_invalid(&measured)[0].contains("30.0 ms"));
        assert!(why_invalid(&Measured { negative: 1, ..good() })[0].contains("clock"));
    }

    #[test]
    fn senders_that_are_held_back_while_nobody_is_busy_meet_flood_control() {
        // Two senders and nine that hear each line, five lines a second of each instead of fifty.
        let plan = crate::plan::example();
        let mut measured = good();
        measured.delivered_measured = 9 * 2 * 5 * 10;
        measured.own = Usage::default();
        measured.latency.service.record_n(4_000_000, 1_000).unwrap();
        let hints = hints(&plan, &measured);
        assert!(hints[0].contains("5.0 lines a second") && hints[0].contains("--flood 0"), "{hints:?}");
        measured.delivered_measured = 9 * 2 * 50 * 10;
        assert_eq!(held_back_lines_per_s(&plan, &measured), None);
    }

    #[test]
    fn a_burst_at_the_begin_does_not_hide_flood_control() {
        // Twenty lines at once, and then five a second, for three seconds.
        let plan = Plan { pace: Pace::Window(1), ..crate::plan::example() };
        let mut measured = good();
        (measured.measured_s, measured.own) = (3.0, Usage::default());
        measured.delivered_measured = 9 * 2 * (20 + 14);
        measured.latency.service.record_n(100, 9 * 2 * 20).unwrap();
        measured.latency.service.record_n(200_000, 9 * 2 * 14).unwrap();
        let piece = |number: u32, lines: u64, p50_us| Interval {
            end_s: 0.25 * f64::from(number + 1),
            length_s: 0.25,
            delivered: 9 * 2 * lines,
            p50_us,
            ..Interval::default()
        };
        measured.timeline = (0..12)
            .map(|number| if number == 0 { piece(0, 20, 100) } else { piece(number, 1, 200_000) })
            .collect();
        for protocol in [Protocol::Plain, Protocol::Unframed] {
            let lines_per_s = held_back_lines_per_s(&Plan { protocol, ..plan.clone() }, &measured);
            assert_eq!(lines_per_s, Some(4.0), "{protocol}");
        }
        assert_eq!(held_back_lines_per_s(&Plan { protocol: Protocol::Nats, ..plan }, &measured), None);
    }
}
