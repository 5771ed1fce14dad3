//! The generator against a server of extended mode that does known harm: the report must say exactly that, and so must the
//! trace where one is written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod login;
mod server;
mod traced;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use server::{Harm, Out, Said, Seen, TIME, server};

use tertulia_loadtest::answers::Answered;
use tertulia_loadtest::measured::Measured;
use tertulia_loadtest::names::Names;
use tertulia_loadtest::plan::{Joins, Plan};
use tertulia_loadtest::protocol::Protocol;
use tertulia_loadtest::schedule::{Due, Pace, Schedule};
use tertulia_loadtest::stage::{Stage, Target};
use tertulia_loadtest::stamp::Sizes;
use tertulia_loadtest::stats::Counts;
use tertulia_loadtest::swarm::Settings;
use tertulia_loadtest::tally::Tally;
use tertulia_loadtest::verdict::hints;

const LINES: u64 = 400;
const RECEIVERS: u64 = 3;
/// Of the lines, those that harm is done to.
const HARMED: u64 = 4;

/// 400 lines of one sender to three receivers.
fn plan() -> Plan {
    Plan {
        clients: RECEIVERS as usize + 1,
        senders: 1,
        pace: Pace::Rate(800.0),
        duration: Duration::from_millis(500),
        warmup: Duration::ZERO,
        sizes: Sizes { min_bytes: 40, max_bytes: 90 },
        protocol: Protocol::Extended,
        slow: 0,
        churn_per_s: 0.0,
        connect_rate_per_s: None,
        sources: Vec::new(),
        joins: Joins::Senders,
    }
}

fn run_plan(plan: &Plan, harm: Harm) -> (Measured, Arc<Seen>) {
    let (address, seen) = server(harm);
    let target =
        Target { address, pid: None, name: String::new(), is_fresh: false, trust: None, login: None };
    let stop = AtomicBool::new(false);
    let mut stage = Stage::open(plan, &target, Settings::default(), &stop, &mut |_| ()).unwrap();
    stage.measure(plan.duration, &stop, &mut |_| ()).unwrap();
    (stage.measured(), seen)
}

fn run(harm: Harm) -> Measured {
    let measured = run_plan(&plan(), harm).0;
    assert_eq!(measured.counts.delivered + measured.counts.lost, measured.expected);
    measured
}

fn answered(measured: &Measured) -> Answered {
    measured.answered.clone().unwrap()
}

/// All lines are through and answered, and these counts besides.
fn has_counts(harm: Harm, counts: Counts) {
    let measured = run(harm);
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS, ..counts });
    assert_eq!((answered(&measured).acked, measured.accepted), (LINES, LINES));
}

#[test]
fn a_server_that_does_no_harm_has_a_clean_report_and_an_answer_to_each_line() {
    let (measured, seen) = run_plan(&plan(), Said::through);
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS, ..Counts::default() });
    assert_eq!((measured.accepted, measured.expected), (LINES, LINES * RECEIVERS));
    assert_eq!(measured.latency.ack.len(), LINES);
    let answers =
        Answered { acked: LINES, durability: "sync".into(), burst: 30, rate: 7000, ..Answered::default() };
    assert_eq!(answered(&measured), answers);
    assert_eq!(seen.pongs.load(Ordering::Relaxed) as u64, RECEIVERS + 1);
    assert!(measured.complaints.0.is_empty());
}

#[test]
fn a_line_that_is_heard_again_under_another_id_is_doubled_for_each_receiver() {
    let harm = |said: &Said| {
        let again = said.is_one_of_a_hundred().then(|| said.heard(said.id + 1));
        said.through().into_iter().chain(again).collect()
    };
    has_counts(harm, Counts { doubled: HARMED * RECEIVERS, ..Counts::default() });
}

#[test]
fn an_id_below_an_earlier_one_is_out_of_order_for_each_receiver() {
    let harm = |said: &Said| {
        let id = said.id - if said.is_one_of_a_hundred() { 15 } else { 0 };
        vec![said.heard(id), said.ack(id)]
    };
    has_counts(harm, Counts { out_of_order: HARMED * RECEIVERS, ..Counts::default() });
}

#[test]
fn an_id_that_the_line_before_has_as_well_is_out_of_order_for_each_receiver() {
    let harm = |said: &Said| {
        let id = said.id - if said.is_one_of_a_hundred() { 10 } else { 0 };
        vec![said.heard(id), said.ack(id)]
    };
    has_counts(harm, Counts { out_of_order: HARMED * RECEIVERS, ..Counts::default() });
}

#[test]
fn an_acknowledgement_of_another_id_than_was_heard_is_corrupt_once() {
    let harm =
        |said: &Said| vec![said.heard(said.id), said.ack(said.id + u64::from(said.is_one_of_a_hundred()))];
    has_counts(harm, Counts { corrupt: HARMED, ..Counts::default() });
}

#[test]
fn a_second_acknowledgement_is_corrupt_whatever_its_id() {
    for above in [0, 1] {
        let harm: Harm = if above == 0 {
            |said| {
                let again = said.is_one_of_a_hundred().then(|| said.ack(said.id));
                said.through().into_iter().chain(again).collect()
            }
        } else {
            |said| {
                let again = said.is_one_of_a_hundred().then(|| said.ack(said.id + 1));
                said.through().into_iter().chain(again).collect()
            }
        };
        has_counts(harm, Counts { corrupt: HARMED, ..Counts::default() });
    }
}

#[test]
fn an_acknowledgement_of_a_line_that_was_never_sent_is_corrupt() {
    let harm = |said: &Said| {
        let forged = Out::Sender(format!("* ACK label=00ffffff id=7 time={TIME}\n"));
        let forged = said.is_one_of_a_hundred().then_some(forged);
        said.through().into_iter().chain(forged).collect()
    };
    has_counts(harm, Counts { corrupt: HARMED, ..Counts::default() });
}

#[test]
fn a_line_under_the_key_of_another_is_corrupt_and_lost() {
    let harm = |said: &Said| {
        let sid = said.sid + usize::from(said.is_one_of_a_hundred());
        let forged = Said {
            sid,
            label: said.label.clone(),
            name: said.name.clone(),
            text: said.text.clone(),
            ..*said
        };
        vec![forged.heard(said.id), said.ack(said.id)]
    };
    let harmed = HARMED * RECEIVERS;
    let counts = run(harm).counts;
    let delivered = LINES * RECEIVERS - harmed;
    assert_eq!(counts, Counts { delivered, lost: harmed, corrupt: harmed, ..Counts::default() });
}

#[test]
fn a_line_that_was_refused_is_neither_accepted_nor_expected_nor_lost() {
    let measured = run(|said| match said.is_one_of_a_hundred() {
        true => vec![Out::Sender(format!("* FAIL SAY EMPTY label={} :no\n", said.label))],
        false => said.through(),
    });
    let said = LINES - HARMED;
    assert_eq!((measured.accepted, measured.expected), (said, said * RECEIVERS));
    assert_eq!(measured.counts, Counts { delivered: said * RECEIVERS, ..Counts::default() });
    assert_eq!((answered(&measured).refused, answered(&measured).acked), (HARMED, said));
    assert_eq!(measured.latency.ack.len(), said);
    assert!(measured.complaints.0[0].starts_with("* FAIL SAY EMPTY label="), "{:?}", measured.complaints);
    let told = hints(&plan(), &measured).join("\n");
    assert!(told.contains("4 lines were refused"), "{told}");
}

#[test]
fn a_line_that_was_refused_and_is_heard_all_the_same_is_corrupt_once() {
    let harm: Harm = |said| match said.is_one_of_a_hundred() {
        true => {
            vec![said.heard(said.id), Out::Sender(format!("* FAIL SAY EMPTY label={} :no\n", said.label))]
        }
        false => said.through(),
    };
    let measured = run_plan(&plan(), harm).0;
    let said = LINES - HARMED;
    assert_eq!((measured.accepted, measured.expected), (said, said * RECEIVERS));
    let delivered = LINES * RECEIVERS;
    assert_eq!(measured.counts, Counts { delivered, corrupt: HARMED, ..Counts::default() });
}

#[test]
fn a_line_that_is_not_kept_is_heard_and_is_not_accepted() {
    let measured = run(|said| match said.is_one_of_a_hundred() {
        true => vec![
            said.heard(said.id),
            Out::Sender(format!("* NOTE SAY NOT_KEPT label={} id={} :no\n", said.label, said.id)),
        ],
        false => said.through(),
    });
    assert_eq!((measured.accepted, measured.expected), (LINES - HARMED, LINES * RECEIVERS));
    assert_eq!(measured.counts, Counts { delivered: LINES * RECEIVERS, ..Counts::default() });
    assert_eq!((answered(&measured).not_kept, measured.latency.ack.len()), (HARMED, LINES - HARMED));
    let told = hints(&plan(), &measured).join("\n");
    assert!(told.contains("4 lines were said, and will never be kept"), "{told}");
}

#[test]
fn an_acknowledgement_that_never_comes_is_told_and_is_in_no_latency() {
    let measured = run(|said| match said.is_one_of_a_hundred() {
        true => vec![said.heard(said.id)],
        false => said.through(),
    });
    assert!(measured.counts.is_clean(), "{:?}", measured.counts);
    assert_eq!((answered(&measured).unanswered, measured.latency.ack.len()), (HARMED, LINES - HARMED));
    let told = hints(&plan(), &measured).join("\n");
    assert!(told.contains("4 lines got no answer"), "{told}");
}

#[test]
fn a_closed_loop_goes_on_with_the_acknowledgement_and_with_nothing_else() {
    let plan = Plan { pace: Pace::Window(3), ..plan() };
    let measured = run_plan(&plan, |said| vec![said.ack(said.id)]).0;
    assert!(measured.accepted > 10, "{}", measured.accepted);
    assert_eq!(measured.counts.lost, measured.accepted * RECEIVERS);
    let measured = run_plan(&plan, |said| vec![said.heard(said.id)]).0;
    assert_eq!((measured.accepted, measured.counts.delivered), (3, 3 * RECEIVERS));
    assert_eq!(answered(&measured).unanswered, 3);
}

#[test]
fn whoever_leaves_comes_back_as_the_same_session_and_loses_nothing_while_it_is_there() {
    let plan = Plan { clients: 8, churn_per_s: 100.0, ..plan() };
    let (measured, seen) = run_plan(&plan, Said::through);
    assert!(measured.counts.is_clean(), "{:?}", measured.counts);
    assert!(seen.resumed.load(Ordering::Relaxed) > 25, "{:?}", seen.resumed);
    assert_eq!(answered(&measured).unanswered, 0);
}

#[test]
fn whoever_came_back_and_hears_the_last_lines_behind_all_others_has_lost_none() {
    let plan = Plan { clients: 8, churn_per_s: 10.0, ..plan() };
    let (measured, _) =
        run_plan(&plan, |said| vec![Out::OthersLater(said.heard_line(said.id)), said.ack(said.id)]);
    assert!(measured.returns.left >= 3, "{:?}", measured.returns);
    assert!(measured.counts.is_clean(), "{:?}", measured.counts);
}

/// A client of the run is greeted, as sid `receiver`.
fn greet(tally: &mut Tally, receiver: u32) {
    let name = tally.names().of(receiver as usize);
    let hello =
        format!("* HELLO v=1 name={name} token=t sid={receiver} line=16384 burst=0 rate=0 durability=none\n");
    tally.hear(receiver, hello.as_bytes(), 0);
}

#[test]
fn a_line_that_one_receiver_hears_under_another_id_than_the_others_is_doubled_once() {
    let mut tally = Tally::new(&plan(), Names::new(0), 1_000_000, false).unwrap();
    (0..4).for_each(|receiver| greet(&mut tally, receiver));
    for number in 0..10u64 {
        let due = Due { sender: 0, sequence: 0, due_us: number };
        let mut line = Vec::new();
        tally.write(due, &mut line);
        tally.note_sent(due, number);
        let text = String::from_utf8(line).unwrap();
        let (label, text) = text.strip_prefix("@label=").unwrap().split_once(' ').unwrap();
        let name = tally.names().of(0);
        for receiver in 1..4u32 {
            let id = 1 + number * 10 + u64::from(number == 5 && receiver == 3);
            let heard = format!("@id={id};time={TIME};room=general;key=0.{label} {name}: {text}");
            assert_eq!(tally.hear(receiver, heard.as_bytes(), number).bytes, heard.len());
        }
    }
    assert_eq!(tally.counts(), Counts { delivered: 30, doubled: 1, ..Counts::default() });
}

#[test]
fn the_latency_of_an_acknowledgement_counts_from_when_its_line_was_due() {
    // A line each millisecond, sent when it is due but for a stall of 300 ms, and acknowledged 5 ms later.
    let mut tally = Tally::new(&plan(), Names::new(0), 1_000_000, false).unwrap();
    greet(&mut tally, 0);
    tally.record(true, 0);
    let mut schedule = Schedule::new(1, 1000.0, 1_000_000);
    let mut acknowledged = 0u32;
    while let Some(due) = schedule.take(1_000_000) {
        let is_stalled = (500_000..800_000).contains(&due.due_us);
        let sent_us = if is_stalled { 800_000 } else { due.due_us };
        tally.note_sent(due, sent_us);
        let ack = format!("* ACK label={acknowledged:08x} id={} time={TIME}\n", 1 + acknowledged);
        tally.hear(0, ack.as_bytes(), sent_us + 5_000);
        acknowledged += 1;
    }
    tally.record(false, 1_000_000);
    let ack = &tally.flights().latency().ack;
    assert_eq!((ack.len(), ack.value_at_quantile(0.5)), (1_000, 5_003));
    assert_eq!(ack.max(), ack.highest_equivalent(305_000));
    assert_eq!(tally.answered().unwrap().acked, 1_000);
}
