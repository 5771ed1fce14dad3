//! Whether a run is to be trusted, and what a person should know to read it.

use crate::measured::{MEASURED_S_MIN, Measured, late};
use crate::plan::Plan;
use crate::protocol::Protocol;
use crate::report::{Interval, median};
use crate::returns::Returns;
use crate::schedule::Pace;

/// A line that goes out later than this is late, and a turn of the loop longer than this is a lag.
pub const LATE_US: u64 = 10_000;
/// With more than this share of lines late, the generator did not keep its schedule.
const LATE_SHARE_MAX: f64 = 0.01;
/// With more than this share of a processor used, the generator itself may be what is slow.
const OWN_CPU_SHARE_MAX: f64 = 0.95;
/// With less than this share of a processor, a generator that never sleeps had none to itself.
const SPIN_CPU_SHARE_MIN: f64 = 0.9;
/// With more than this share of the time without a processor, or standing still, the generator may be what is slow.
const AWAY_SHARE_MAX: f64 = 0.03;
/// With more than this share of those that were to leave and come back still there, it did not keep that schedule.
const MISSED_SHARE_MAX: f64 = 0.05;
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
        let why = if measured.is_closed {
            "behind what they answer: the generator was busy or had no processor; try a smaller --window or fewer --clients"
        } else {
            "late: the generator did not keep its schedule; try a lower --rate or fewer --clients"
        };
        reasons.push(format!("{late} of {sent} lines went out more than {} ms {why}", LATE_US / 1000));
    }
    if measured.unsent > 0 {
        reasons.push(format!(
            "{} of {} lines that were due never went out: the server stopped taking them; try a {}",
            measured.unsent,
            measured.due,
            if measured.is_closed { "smaller --window" } else { "lower --rate" }
        ));
    }
    reasons.extend(why_starved(measured));
    let lag_us = measured.loop_lag_us.value_at_quantile(0.99);
    if lag_us > LATE_US {
        reasons.push(format!(
            "a turn of the generator's loop took {:.1} ms (p99): what came meanwhile was heard that much later than \
             it came; try fewer --clients, or a machine with nothing else to do",
            lag_us as f64 / 1e3
        ));
    }
    let Returns { left, missed, .. } = measured.returns;
    if missed as f64 > (left + missed) as f64 * MISSED_SHARE_MAX {
        reasons.push(format!(
            "only {left} of {} clients that were to leave and come back did: try a lower --churn",
            left + missed
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

/// What of the processors the generator did not get, or all of which it used.
fn why_starved(measured: &Measured) -> Vec<String> {
    let mut reasons = Vec::new();
    let share = measured.own_share();
    if share > OWN_CPU_SHARE_MAX && !measured.spins {
        reasons.push(format!(
            "the generator used {:.0} % of its processor: it may be what is slow, not the server; \
             try fewer --clients or {}",
            share * 100.0,
            if measured.is_closed { "fewer --senders" } else { "a lower --rate" }
        ));
    }
    if share < SPIN_CPU_SHARE_MIN && measured.spins && measured.measured_s > MEASURED_S_MIN {
        reasons.push(format!(
            "the generator was to have a processor to itself (--spin), and got {:.0} % of one; try a machine with nothing \
             else to do",
            share * 100.0
        ));
    }
    let waited = measured.waited_share();
    if waited > AWAY_SHARE_MAX {
        reasons.push(format!(
            "the generator waited for a processor {:.0} % of the time, which is told as the server's latency; try a machine \
             with nothing else to do",
            waited * 100.0
        ));
    }
    let still_s = measured.still.sum_us as f64 / 1e6;
    if still_s > measured.measured_s * AWAY_SHARE_MAX {
        reasons.push(format!(
            "the generator itself stood still for {:.0} ms, {:.0} ms at a time, which is told as the server's latency",
            still_s * 1e3,
            measured.still.longest_us as f64 / 1e3
        ));
    }
    reasons
}

/// What a person must know before the figures, which are right and tell of something else than was asked.
pub fn cautions(plan: &Plan, measured: &Measured) -> Vec<String> {
    let greeted = measured.answered.as_ref().filter(|answered| answered.rate > 0);
    let (burst, rate) = greeted.map_or((20, 5), |greeted| (greeted.burst, greeted.rate));
    let flood = |lines_per_s| {
        format!(
            "each sender got only {lines_per_s:.1} lines a second through while nobody was busy: this is flood \
             control. A tertulia-relay lets each client say {burst} lines at once and then {rate} a second; start it with \
             --flood 0, or with --trusted 127.0.0.0/8 for clients of this machine"
        )
    };
    held_back_lines_per_s(plan, measured).map(flood).into_iter().collect()
}

/// What a person should know to read the figures.
pub fn hints(plan: &Plan, measured: &Measured) -> Vec<String> {
    let mut hints = Vec::new();
    if measured.under_way > 0 {
        hints.push(format!(
            "{} deliveries were still on their way ten seconds behind the last line due; they are not counted as lost. \
             The rate is more than the server carries",
            measured.under_way
        ));
    }
    hints.extend(of_answers(measured));
    hints.extend(of_connections(plan, measured));
    let missing = measured.counts.lost + measured.under_way;
    if missing > 0 {
        hints.push(format!(
            "latencies tell only of what came: {missing} of {} deliveries are in none of them",
            measured.expected
        ));
    }
    if measured.still.longest_us > 0 && why_invalid(measured).is_empty() {
        hints.push(format!(
            "the generator itself stood still for up to {:.0} ms: the slowest latencies may be its own",
            measured.still.longest_us as f64 / 1e3
        ));
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

/// What became of lines that the server did not acknowledge.
fn of_answers(measured: &Measured) -> Vec<String> {
    let Some(answered) = &measured.answered else { return Vec::new() };
    let told = [
        (answered.refused, "were refused: nobody is to hear them, and they are not counted as accepted"),
        (answered.not_kept, "were said, and will never be kept; they are not counted as accepted"),
        (answered.unanswered, "got no answer: ack tells nothing of them"),
    ];
    let told = told.into_iter().filter(|(lines, _)| *lines > 0);
    told.map(|(lines, words)| format!("{lines} lines {words}")).collect()
}

/// What the server did to connections.
fn of_connections(plan: &Plan, measured: &Measured) -> Vec<String> {
    let mut hints = Vec::new();
    if measured.is_deserted {
        hints.push("the server closed every connection: did it end? What was measured ends there".to_owned());
    } else if measured.closed > 0 {
        hints.push(format!("the server closed {} of {} connections", measured.closed, plan.clients));
    }
    if measured.to_closed > 0 {
        hints.push(format!(
            "{} of {} lines that were due never went out, as the server had closed their senders",
            measured.to_closed, measured.due
        ));
    }
    let Returns { left, failed, why, .. } = &measured.returns;
    if let Some(why) = why {
        hints.push(format!("{failed} of {left} clients that left were not let in again: {why}"));
    }
    hints
}

/// How many lines a second each sender got through, where something holds the senders back while the processors idle.
fn held_back_lines_per_s(plan: &Plan, measured: &Measured) -> Option<f64> {
    let is_ours = matches!(plan.protocol, Protocol::Plain | Protocol::Extended | Protocol::Unframed);
    // A relay that says that it holds nobody back does not.
    let is_free = measured.answered.as_ref().is_some_and(|answered| answered.rate == 0);
    if !is_ours || is_free || measured.delivered_measured == 0 {
        return None;
    }
    let hearers = plan.hearers().saturating_sub(1).max(1);
    let (rate_per_s, typical_us) = behind_bursts(measured);
    let lines_per_s = rate_per_s / hearers as f64 / plan.senders.max(1) as f64;
    let is_idle = measured.own_share() < IDLE_SHARE_MAX
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
    use crate::answers::Answered;
    use crate::process::Usage;
    use crate::pulse::Still;

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
        let third = Usage { cpu_ns: 2_950_000_000, ..Usage::default() };
        assert!(why_invalid(&Measured { own: third, spins: true, ..good() })[0].contains("got 30 % of one"));
        let mut measured = good();
        measured.loop_lag_us.record_n(30_000, 100).unwrap();
        assert!(why_invalid(&measured)[0].contains("30.0 ms"));
        assert!(why_invalid(&Measured { negative: 1, ..good() })[0].contains("clock"));
    }

    #[test]
    fn a_generator_that_had_no_processor_or_was_stopped_is_not_trusted_however_closed_its_loop() {
        let own = |waited_ns| Usage { waited_ns, ..good().own };
        assert!(why_invalid(&Measured { own: own(290_000_000), ..good() }).is_empty());
        let reasons = why_invalid(&Measured { own: own(3_600_000_000), ..good() });
        assert!(reasons[0].contains("waited for a processor 36 % of the time"), "{reasons:?}");
        let still = |ms: u64| Still { sum_us: ms * 1_000, longest_us: ms * 1_000 };
        let reasons = why_invalid(&Measured { still: still(2_000), ..good() });
        assert!(reasons[0].contains("stood still for 2000 ms"), "{reasons:?}");
        // A short while is only told: it shows in the slowest latencies alone.
        let measured = Measured { still: still(100), ..good() };
        assert!(why_invalid(&measured).is_empty());
        let hints = hints(&crate::plan::example(), &measured);
        assert!(hints[0].contains("stood still for up to 100 ms"), "{hints:?}");
    }

    #[test]
    fn what_the_server_did_to_connections_is_told_and_is_no_fault_of_the_generator() {
        let returns = Returns { left: 40, failed: 3, why: Some("refused".into()), missed: 2 };
        let measured = Measured { to_closed: 150, closed: 1, returns, ..good() };
        assert!(why_invalid(&measured).is_empty(), "{:?}", why_invalid(&measured));
        let told = hints(&crate::plan::example(), &measured).join("\n");
        for words in ["closed 1 of 10", "150 of 1000 lines", "3 of 40 clients that left", "refused"] {
            assert!(told.contains(words), "{told}");
        }
        let returns = Returns { left: 40, missed: 3, ..Returns::default() };
        assert!(why_invalid(&Measured { returns, ..good() })[0].contains("only 40 of 43"));
        let told = hints(&crate::plan::example(), &Measured { is_deserted: true, ..good() }).join("\n");
        assert!(told.contains("did it end?"), "{told}");
    }

    #[test]
    fn a_closed_loop_is_not_told_of_a_schedule_or_a_rate() {
        let mut measured = Measured { unsent: 3, ..good() };
        measured.own = Usage { cpu_ns: 9_700_000_000, ..Usage::default() };
        measured.lateness_us.record_n(LATE_US * 2, 100).unwrap();
        let open = why_invalid(&measured).join("\n");
        assert!(open.contains("schedule") && open.matches("a lower --rate").count() == 3, "{open}");
        let closed = why_invalid(&Measured { is_closed: true, ..measured }).join("\n");
        assert!(!closed.contains("schedule") && !closed.contains("--rate"), "{closed}");
        assert_eq!(closed.lines().count(), open.lines().count());
    }

    #[test]
    fn what_never_came_is_said_to_be_in_no_latency() {
        let counts = crate::stats::Counts { lost: 7, ..Default::default() };
        let measured = Measured { counts, under_way: 3, expected: 100, ..good() };
        let told = hints(&crate::plan::example(), &measured).join("\n");
        assert!(told.contains("10 of 100 deliveries are in none"), "{told}");
    }

    #[test]
    fn senders_that_are_held_back_while_nobody_is_busy_meet_flood_control() {
        // Two senders and nine that hear each line, five lines a second of each instead of fifty.
        let plan = crate::plan::example();
        let mut measured = good();
        measured.delivered_measured = 9 * 2 * 5 * 10;
        measured.own = Usage::default();
        measured.latency.service.record_n(4_000_000, 1_000).unwrap();
        let told = cautions(&plan, &measured);
        assert!(told[0].contains("5.0 lines a second") && told[0].contains("--flood 0"), "{told:?}");
        // Who is greeted is told of it.
        let extended = Plan { protocol: Protocol::Extended, ..plan.clone() };
        let greeted = |rate| Some(Answered { burst: 3, rate, ..Answered::default() });
        let told = cautions(&extended, &Measured { answered: greeted(7), ..measured.clone() });
        assert!(told[0].contains("say 3 lines at once and then 7 a second"), "{told:?}");
        assert!(cautions(&extended, &Measured { answered: greeted(0), ..measured.clone() }).is_empty());
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
        for protocol in [Protocol::Plain, Protocol::Extended, Protocol::Unframed] {
            let lines_per_s = held_back_lines_per_s(&Plan { protocol, ..plan.clone() }, &measured);
            assert_eq!(lines_per_s, Some(4.0), "{protocol}");
        }
        assert_eq!(held_back_lines_per_s(&Plan { protocol: Protocol::Nats, ..plan }, &measured), None);
    }
}
