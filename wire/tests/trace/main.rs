//! The checker of traces, tested: it finds nothing in honest runs, and each harm that is done to one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod sabotage;
mod tap;
mod world;

use sabotage::SABOTAGES;
use tertulia_wire::trace::{Counts, History, Line, Session, Trace, VIOLATIONS_MAX, Violation, check};
use world::{Rng, Run, honest};

/// Honest runs.
const SEEDS: u64 = 300;

/// Runs to which each harm is done.
const HARMED_SEEDS: u64 = 100;

/// How often a line is looked for that can be harmed.
const TRIES: usize = 10;

#[test]
fn an_honest_run_breaks_no_promise() {
    let mut all = Counts::default();
    for seed in 0..SEEDS {
        let report = honest(seed).check();
        assert!(report.is_clean(), "seed {seed}\n{report}");
        let Counts { refused, not_kept, heard_again, heard_and_lost, gaps, resumed, .. } = report.counts;
        all.refused += refused;
        all.not_kept += not_kept;
        all.heard_again += heard_again;
        all.heard_and_lost += heard_and_lost;
        all.gaps += gaps;
        all.resumed += resumed;
        assert!(report.counts.acknowledged > 0 && report.counts.kept >= report.counts.acknowledged);
    }
    // The world is not too kind to prove anything.
    let rare = [all.refused, all.not_kept, all.heard_again, all.heard_and_lost, all.gaps, all.resumed];
    assert!(rare.iter().all(|count| *count > SEEDS), "{all}");
}

#[test]
fn every_harm_is_found_on_every_run_to_which_it_can_be_done() {
    let runs: Vec<Run> = (0..HARMED_SEEDS).map(honest).collect();
    let mut missed: Vec<String> = Vec::new();
    for sabotage in SABOTAGES {
        let mut harmed_runs = 0;
        for (seed, run) in runs.iter().enumerate() {
            let mut rng = Rng(seed as u64 ^ 0xABCD);
            // Not every line of a run can be harmed: another one is looked for.
            let harmed = (0..TRIES).find_map(|_| {
                let mut harmed = run.clone();
                (sabotage.harm)(&mut harmed, &mut rng).map(|()| harmed)
            });
            let Some(harmed) = harmed else { continue };
            harmed_runs += 1;
            let report = harmed.check();
            if !report.violations.iter().any(sabotage.is_found_by) {
                missed.push(format!("{} on seed {seed} was not found:\n{report}", sabotage.name));
            }
            for sentence in report.violations.iter().map(Violation::to_string) {
                assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{sentence:?}");
            }
        }
        assert!(harmed_runs > HARMED_SEEDS / 2, "{} was done to {harmed_runs} runs only", sabotage.name);
    }
    assert!(missed.is_empty(), "{} were missed, the first of them: {}", missed.len(), missed[0]);
}

#[test]
fn a_million_violations_are_counted_and_the_first_are_shown() {
    let mut trace = Trace::new();
    let reader = trace.listens(Session(0), "general", 0);
    for id in 0..1_000_000 {
        trace.heard(reader, &Line { id: id + 1, sid: 7, label: "1", name: "Nadie", text: "buu" });
    }
    let report = check(&trace, &History::new());
    assert_eq!(report.violations.len(), VIOLATIONS_MAX);
    assert_eq!(report.more, 1_000_000 - VIOLATIONS_MAX as u64);
    let text = report.to_string();
    assert!(text.contains("And 999900 more.\n") && text.contains("heard=1000000"), "{text}");
}

#[test]
fn a_line_that_a_crash_lost_may_be_heard_again_under_a_greater_id_and_is_counted() {
    let hear = |first_id, second_id, is_killed: bool| {
        let mut trace = Trace::new();
        trace.hello(Session(0), 7);
        let first = trace.listens(Session(1), "general", 0);
        trace.said(Session(0), "1", "general", "Ana", "hola");
        let line = Line { id: first_id, sid: 7, label: "1", name: "Ana", text: "hola" };
        trace.heard(first, &line);
        if is_killed {
            trace.died();
        }
        let second = trace.resumes(Session(1), "general", first_id.min(second_id - 1));
        trace.heard(second, &Line { id: second_id, ..line });
        check(&trace, &History::new())
    };
    let report = hear(10, 20, true);
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.counts.heard_again, report.counts.heard_and_lost), (1, 2));
    let is_two_ids = |violation: &Violation| matches!(violation, Violation::TwoIds { .. });
    for report in [hear(10, 20, false), hear(20, 10, true)] {
        assert!(report.violations.iter().any(is_two_ids), "{report}");
    }
}

#[test]
fn what_a_session_said_before_it_was_cut_may_come_when_it_resumes_and_what_it_says_then_may_not() {
    let hear = |is_said_before: bool| {
        let mut trace = Trace::new();
        trace.hello(Session(0), 7);
        trace.listens(Session(0), "general", 5);
        if is_said_before {
            trace.said(Session(0), "1", "general", "Ana", "hola");
        }
        trace.cut();
        let reader = trace.resumes(Session(0), "general", 5);
        trace.said(Session(0), "1", "general", "Ana", "hola");
        trace.heard(reader, &Line { id: 9, sid: 7, label: "1", name: "Ana", text: "hola" });
        check(&trace, &History::new())
    };
    assert!(hear(true).is_clean());
    assert!(matches!(hear(false).violations[..], [Violation::OwnLineHeard { id: 9, .. }]));
}

#[test]
fn a_label_that_was_refused_may_be_used_again_and_another_text_under_one_that_was_taken_is_nowhere() {
    let mut trace = Trace::new();
    let mut history = History::new();
    trace.hello(Session(0), 7);
    trace.said(Session(0), "1", "cocina", "Ana", "hola");
    trace.refused(Session(0), "1");
    trace.said(Session(0), "1", "general", "Ana", "hola");
    trace.acked(Session(0), "1", 9, "1970-01-01T00:00:00.001Z");
    trace.said(Session(0), "1", "general", "Ana", "adiós");
    trace.refused(Session(0), "1");
    let line = Line { id: 9, sid: 7, label: "1", name: "Ana", text: "hola" };
    history.row("general", 1, &line);
    let report = check(&trace, &history);
    assert!(report.is_clean(), "{report}");
    let mut history = History::new();
    history.row("general", 1, &Line { text: "adiós", ..line });
    let report = check(&trace, &history);
    assert!(matches!(report.violations[..], [Violation::RefusedKept { id: 9, .. }]), "{report}");
}
