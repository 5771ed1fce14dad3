//! `make bench`: what the relay, and the generator itself, have to reach on this machine. BENCHMARKING.md tells how.
//!
//! A missed bound is printed as FAIL and is no error; a lost line is one. Rows of which a run is not to be trusted are
//! INVALID, whatever they say.

#![allow(
    clippy::indexing_slicing,
    reason = "a bench is run by its developers, and may stop where it is wrong"
)]

mod counter;
mod extended;
mod generator;
mod history;
mod machine;
mod masses;
mod resume;
mod single;
mod table;
mod tls;
mod words;
mod works;

use std::cell::RefCell;
use std::env;
use std::error::Error;
use std::process::ExitCode;

use machine::Ticks;
use table::{Row, table};
use tertulia_loadtest::measured::Measured;
use tertulia_loadtest::verdict::why_invalid;

/// What can fail here, for any reason worth a line of text.
type Outcome<T> = Result<T, Box<dyn Error>>;

type Work = fn(&Options) -> Outcome<Vec<Row>>;

const HELP: &str = "\
bounds: what the relay and the generator have to reach on this machine

  --only NAME   run this work only (may be given more than once)
  --pairs N     pairs of floor and relay to take the median of
  --quick       one short pair of each work, to try the bench itself

TERTULIA_RELAY and TERTULIA_LOADTEST name the programs, TERTULIA_SMALL the small build of the relay.
";

const WORKS: [(&str, Work); 16] = [
    ("crowd", works::crowd),
    ("crowd-unjoined", works::crowd_unjoined),
    ("lone", works::lone),
    ("rate", works::rate),
    ("stuck", works::stuck),
    ("silent", masses::silent),
    ("connects", masses::connects),
    ("return", masses::come_back),
    ("idle", masses::idle),
    ("start", single::start),
    ("small", single::small),
    ("history", history::history),
    ("extended", extended::extended),
    ("resume", resume::resume),
    ("tls", tls::tls),
    ("generator", generator::generator),
];

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    only: Vec<String>,
    pairs: Option<u32>,
    is_quick: bool,
    /// Why runs of the work under way are not to be trusted.
    doubts: RefCell<Vec<String>>,
}

impl Options {
    /// Looks whether a run is to be trusted. A lost line is an error.
    fn check(&self, side: &str, measured: &Measured) -> Outcome<()> {
        if !measured.counts.is_clean() {
            return Err(format!("{side}: lines were lost, or worse: {:?}", measured.counts).into());
        }
        let doubts = why_invalid(measured).into_iter().map(|reason| format!("{side}: {reason}"));
        self.doubts.borrow_mut().extend(doubts);
        Ok(())
    }

    /// These rows come from the runs that were checked since the last ones: says what makes them worthless.
    fn settle(&self, work: &str, rows: &mut [Row]) {
        let doubts = self.doubts.take();
        if !doubts.is_empty() {
            rows.iter_mut().for_each(Row::doubt);
            doubts.iter().for_each(|doubt| println!("INVALID: {work}, {doubt}"));
        }
    }

    /// How many pairs to run of a work which usually takes `usual`.
    fn pairs(&self, usual: u32) -> u32 {
        self.pairs.unwrap_or(if self.is_quick { 1 } else { usual })
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bounds: {error}");
            ExitCode::FAILURE
        }
    }
}

/// False when a work could not be measured, is not to be trusted, or lost lines.
fn run() -> Outcome<bool> {
    let mut options = Options::default();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value: see --help"));
        match argument.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--only" => options.only.push(value()?),
            "--pairs" => options.pairs = Some(value()?.parse::<u32>()?.max(1)),
            "--quick" => options.is_quick = true,
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(true);
            }
            other => return Err(format!("unknown argument {other}: see --help").into()),
        }
    }
    if let Some(name) = options.only.iter().find(|name| !WORKS.iter().any(|(work, _)| work == name)) {
        let names: Vec<&str> = WORKS.iter().map(|(work, _)| *work).collect();
        return Err(format!("no work {name}: there are {}", names.join(", ")).into());
    }
    measure(&options)
}

fn measure(options: &Options) -> Outcome<bool> {
    let begin = Ticks::now()?;
    let mut rows = Vec::new();
    let mut is_sound = true;
    let is_wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    for (name, work) in WORKS.iter().filter(|(name, _)| is_wanted(name)) {
        let mut news = work(options).unwrap_or_else(|error| {
            is_sound = false;
            vec![Row::without(name, &error.to_string(), "ERROR")]
        });
        options.settle(name, &mut news);
        is_sound &= !news.iter().any(Row::is_doubted);
        news.iter().for_each(|row| println!("{row}"));
        rows.extend(news);
    }
    let missed = rows.iter().filter(|row| row.is_missed()).count();
    println!("\n{}\n{}\n\n{}", machine::line(), Ticks::now()?.others_since(begin), table(&rows));
    println!("{missed} of {} rows missed their bound", rows.len());
    Ok(is_sound)
}
