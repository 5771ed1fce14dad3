//! The trace of a run: the checker says of it what the generator's own checks say, and sees what they cannot.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use tertulia_loadtest::judged::Judged;
use tertulia_loadtest::measured::Measured;
use tertulia_loadtest::plan::Plan;
use tertulia_loadtest::stage::{Stage, Target};
use tertulia_loadtest::stats::Counts;
use tertulia_loadtest::swarm::Settings;

use crate::server::{Harm, Manner, Out, Said, server_of};
use crate::{HARMED, LINES, RECEIVERS, plan};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tertulia-loadtest");
const RECORDS: usize = 1_000_000;

fn try_run(plan: &Plan, manner: Manner, records: usize) -> Result<Measured, String> {
    let (address, _) = server_of(manner);
    let target =
        Target { address, pid: None, name: String::new(), is_fresh: false, trust: None, login: None };
    let settings = Settings { trace_records: records, ..Settings::default() };
    let stop = AtomicBool::new(false);
    let mut stage = Stage::open(plan, &target, settings, &stop, &mut |_| ())?;
    stage.measure(plan.duration, &stop, &mut |_| ())?;
    stage.finish_judged().map(|(_, measured)| measured)
}

fn run(harm: Harm) -> (Counts, Judged) {
    let manner = Manner { harm, durability: "sync", has_history: true };
    let measured = try_run(&plan(), manner, RECORDS).unwrap();
    (measured.counts, measured.trace.unwrap())
}

/// What comes of a harm to four of the lines: the counts of the generator's own checks, and each violation that is told.
#[track_caller]
fn assert_told(harm: Harm, counts: Counts, violations: u64, words: &str) {
    let (found, judged) = run(harm);
    assert_eq!(found, counts, "{judged}");
    assert_eq!(judged.violations, violations, "{:#?}", judged.first);
    let is_told = judged.first.iter().all(|sentence| sentence.contains(words));
    assert!(is_told, "{words:?} is not all that is told: {:#?}", judged.first);
}

const DELIVERED: Counts =
    Counts { delivered: LINES * RECEIVERS, lost: 0, doubled: 0, out_of_order: 0, corrupt: 0 };

#[test]
fn where_nothing_is_wrong_the_trace_is_clean_and_has_seen_everything() {
    let (counts, judged) = run(Said::through);
    assert_eq!(counts, DELIVERED);
    assert!(judged.is_clean(), "{:#?}", judged.first);
    // The probes of the beginning, and the last word.
    let more = judged.said - LINES;
    assert!((2..20).contains(&more), "{judged}");
    assert_eq!((judged.acknowledged, judged.kept), (LINES + more, LINES + more), "{judged}");
    // Four clients, and who reads the history.
    assert_eq!((judged.readers, judged.unanswered, judged.gaps), (RECEIVERS + 2, 0, 0), "{judged}");
    assert!(judged.heard >= LINES * RECEIVERS + RECEIVERS, "{judged}");
}

#[test]
fn whoever_leaves_and_comes_back_breaks_no_promise() {
    let plan = Plan { clients: 8, churn_per_s: 100.0, ..plan() };
    let manner = Manner { harm: Said::through, durability: "commit", has_history: true };
    let measured = try_run(&plan, manner, RECORDS).unwrap();
    let judged = measured.trace.unwrap();
    assert!(measured.counts.is_clean() && judged.is_clean(), "{:?} {:#?}", measured.counts, judged.first);
    assert!(judged.left > 20 && judged.readers > 20, "{judged}");
}

#[test]
fn a_line_that_comes_in_two_reads_is_heard_once() {
    let harm: Harm = |said| match said.is_one_of_a_hundred() {
        true => vec![Out::OthersInHalves(said.heard_line(said.id)), said.kept(said.id), said.ack(said.id)],
        false => said.through(),
    };
    let (counts, judged) = run(harm);
    assert!(counts == DELIVERED && judged.is_clean(), "{counts:?} {:#?}", judged.first);
}

#[test]
fn an_acknowledged_line_that_is_not_in_the_history_is_seen_by_the_trace_alone() {
    let harm: Harm = |said| match said.is_one_of_a_hundred() {
        true => vec![said.heard(said.id), said.ack(said.id)],
        false => said.through(),
    };
    assert_told(harm, DELIVERED, HARMED, "and is not in the history.");
}

#[test]
fn a_line_that_is_kept_twice_is_seen_by_the_trace_alone() {
    let harm: Harm = |said| {
        let again = said.is_one_of_a_hundred().then(|| said.kept(said.id + 1));
        said.through().into_iter().chain(again).collect()
    };
    let (counts, judged) = run(harm);
    assert_eq!(counts, DELIVERED);
    assert!(judged.violations >= HARMED, "{judged}");
    assert!(judged.first.iter().any(|sentence| sentence.contains("is in the history twice")), "{judged:#?}");
}

#[test]
fn a_line_that_is_heard_again_under_another_id_is_doubled_for_the_trace_as_well() {
    let harm: Harm = |said| {
        let again = said.is_one_of_a_hundred().then(|| said.heard(said.id + 1));
        said.through().into_iter().chain(again).collect()
    };
    let (counts, judged) = run(harm);
    assert_eq!(counts, Counts { doubled: HARMED * RECEIVERS, ..DELIVERED });
    let again =
        |sentence: &&String| sentence.contains("was heard under id") || sentence.contains("has the ids");
    assert_eq!(judged.first.iter().filter(again).count(), judged.first.len(), "{judged:#?}");
    // Each receiver heard it again, and each line has two ids.
    assert_eq!(judged.violations, HARMED * RECEIVERS + HARMED, "{judged:#?}");
}

#[test]
fn an_id_that_goes_back_in_time_is_out_of_order_for_the_trace_as_well() {
    let harm: Harm = |said| {
        let id = said.id - if said.is_one_of_a_hundred() { 15 } else { 0 };
        vec![said.heard(id), said.kept(id), said.ack(id)]
    };
    let (counts, judged) = run(harm);
    assert_eq!(counts, Counts { out_of_order: HARMED * RECEIVERS, ..DELIVERED });
    let heard = judged.first.iter().filter(|sentence| sentence.contains("was heard behind")).count();
    assert!(heard > 0 && judged.violations >= HARMED * RECEIVERS, "{judged:#?}");
}

#[test]
fn a_line_that_one_receiver_never_hears_is_lost_for_the_trace_as_well() {
    let harm: Harm = |said| match said.is_one_of_a_hundred() {
        true => vec![Out::OthersButOne(said.heard_line(said.id)), said.kept(said.id), said.ack(said.id)],
        false => said.through(),
    };
    let counts = Counts { delivered: LINES * RECEIVERS - HARMED, lost: HARMED, ..Counts::default() };
    assert_told(harm, counts, HARMED, "was not heard, and no gap was announced");
}

#[test]
fn the_last_line_is_missed_like_any_other() {
    let harm: Harm = |said| match said.number == Some(LINES as usize - 1) {
        true => vec![Out::OthersButOne(said.heard_line(said.id)), said.kept(said.id), said.ack(said.id)],
        false => said.through(),
    };
    let counts = Counts { delivered: LINES * RECEIVERS - 1, lost: 1, ..Counts::default() };
    assert_told(harm, counts, 1, "was not heard, and no gap was announced");
}

#[test]
fn an_acknowledgement_of_another_id_than_was_heard_is_corrupt_for_the_trace_as_well() {
    let harm: Harm = |said| {
        let above = u64::from(said.is_one_of_a_hundred());
        vec![said.heard(said.id), said.kept(said.id), said.ack(said.id + above)]
    };
    let (counts, judged) = run(harm);
    assert_eq!(counts, Counts { corrupt: HARMED, ..DELIVERED });
    let told =
        judged.first.iter().filter(|sentence| sentence.contains("and is in the history under")).count();
    assert_eq!(told as u64, HARMED, "{judged:#?}");
}

#[test]
fn a_run_that_a_trace_has_no_place_for_says_so_and_what_to_do() {
    let manner = Manner { harm: Said::through, durability: "sync", has_history: true };
    let judged = try_run(&plan(), manner, 500).unwrap().trace.unwrap();
    assert_eq!(judged.violations, 1, "{judged:#?}");
    assert!(
        judged.first[0].contains("records are missing") && judged.first[0].contains("--duration"),
        "{judged:#?}"
    );
}

#[test]
fn a_server_that_keeps_nothing_is_refused_before_anybody_connects() {
    for (durability, has_history) in [("none", true), ("none", false), ("commit", false)] {
        let manner = Manner { harm: Said::through, durability, has_history };
        let error = try_run(&plan(), manner, RECORDS).unwrap_err();
        assert!(error.starts_with("--trace: 127.0.0.1:") && error.contains("keeps nothing"), "{error}");
        assert!(error.contains("--history FILE"), "{error}");
    }
    let manner = Manner { harm: Said::through, durability: "none", has_history: false };
    let measured = try_run(&plan(), manner, 0).unwrap();
    assert_eq!((measured.counts, measured.trace), (DELIVERED, None));
}

/// The relay beside the generator, built if it is not there yet.
pub(crate) fn build_relay() {
    let folder = Path::new(PROGRAM).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "-p", "tertulia-relay", "--target-dir"]);
    cargo.arg(folder.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "the relay is not there, and cannot be built");
}

fn program(flags: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(PROGRAM).arg("run").args(flags).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_relay_from_which_clients_leave_and_come_back_keeps_its_promises() {
    build_relay();
    let work = ["--clients", "20", "--senders", "5", "--rate", "300", "--churn", "15", "--duration", "2s"];
    let trace = ["--protocol", "extended", "--trace", "--json", "-", "--warmup", "200ms"];
    let (_, json, words) = program(&[&work[..], &trace].concat());
    let report: serde_json::Value = serde_json::from_str(&json).expect(&words);
    let trace = &report["trace"];
    assert!(trace["violations"] == 0 && trace["unread"].is_null(), "{trace:#}");
    let count = |name: &str| trace[name].as_u64().unwrap();
    assert!(count("acknowledged") > 300 && count("left") > 5, "{trace:#}");
    assert_eq!((count("said"), count("unanswered")), (count("kept"), 0), "{trace:#}");
    assert_eq!((&report["lost"], &report["plan"]["traces"]), (&0.into(), &true.into()));
}

#[test]
fn a_promise_that_a_trace_shows_to_be_broken_ends_the_program_with_2() {
    let harm: Harm = |said| match said.is_one_of_a_hundred() {
        true => vec![said.heard(said.id), said.ack(said.id)],
        false => said.through(),
    };
    let (address, _) = server_of(Manner { harm, durability: "sync", has_history: true });
    let target = address.to_string();
    let work =
        ["--target", &target, "--clients", "4", "--window", "1", "--duration", "500ms", "--warmup", "100ms"];
    let (code, text, words) = program(&[&work[..], &["--protocol", "extended", "--trace"]].concat());
    assert!(text.contains("BROKEN: ") && text.contains("\nVIOLATION: "), "{text}");
    // A machine that is busy with something else may make a run INVALID, which goes before all else.
    let is_invalid = text.contains("INVALID");
    assert_eq!(code, Some(if is_invalid { 3 } else { 2 }), "{text}{words}");
    assert!(words.contains("broken: trace.violations>0: it is "), "{words}");
}

#[test]
fn a_trace_of_a_protocol_without_ids_is_refused() {
    let (code, _, words) = program(&["--trace", "--clients", "4"]);
    assert!(code == Some(1) && words.contains("--protocol extended"), "{words}");
    let (code, _, words) = program(&["--trace", "--with-floor"]);
    assert!(code != Some(0) && words.contains("cannot be used with"), "{words}");
}
