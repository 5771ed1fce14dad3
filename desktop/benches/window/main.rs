//! `make bench-desktop`: what the window has to reach on this machine. Everything is measured from outside, as a person
//! would meet it: keys are pressed and pixels looked at on a display of its own, memory and time are the kernel's account.
//!
//! A missed bound is printed as FAIL and is no error.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench is run by its developers, and may stop where it is wrong"
)]

mod eye;
mod process;
#[path = "../../tests/support/mod.rs"]
mod support;
mod works;

use std::process::ExitCode;

/// What a figure may come to at most.
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) figure: &'static str,
    pub(crate) value: f64,
    pub(crate) at_most: f64,
    pub(crate) unit: &'static str,
}

impl Row {
    fn is_missed(&self) -> bool {
        self.value > self.at_most
    }
}

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    only: Vec<String>,
    pub(crate) is_quick: bool,
}

const HELP: &str = "\
window: what the window has to reach on this machine

  --only NAME   run this work only (may be given more than once)
  --quick       shorter works, to try the bench itself

TERTULIA_RELAY names the relay's program.
";

type Work = fn(&Options) -> Vec<Row>;

const WORKS: [(&str, Work); 7] = [
    ("size", works::size),
    ("start", works::start),
    ("memory", works::memory),
    ("idle", works::idle),
    ("room", works::room),
    ("flood", works::flood),
    ("week", works::week),
];

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--only" => options.only.extend(arguments.next()),
            "--quick" => options.is_quick = true,
            "--help" | "-h" => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            other => {
                eprintln!("window: unknown argument {other}: see --help");
                return ExitCode::FAILURE;
            }
        }
    }
    let mut rows = Vec::new();
    println!("| work | figure | measured | bound | |\n|---|---|--:|--:|---|");
    let is_wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    for (_, work) in WORKS.iter().filter(|(name, _)| is_wanted(name)) {
        for row in work(&options) {
            let verdict = if row.is_missed() { "FAIL" } else { "pass" };
            let Row { work, figure, value, at_most, unit } = &row;
            println!("| {work} | {figure} | {value:.2} {unit} | ≤ {at_most} {unit} | {verdict} |");
            rows.push(row);
        }
    }
    let missed = rows.iter().filter(|row| row.is_missed()).count();
    println!("\n{missed} of {} figures missed their bound", rows.len());
    ExitCode::SUCCESS
}
