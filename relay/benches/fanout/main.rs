//! `cargo bench --bench fanout`: the relay beside a reference program that only copies bytes.
//!
//! Each work runs a server as a child process and drives it from this one thread over loopback.
//! A missed bound is printed as FAIL and is no error; a lost line is one. `-- --help` tells the
//! options.

mod fleet;
mod floor;
mod masses;
mod options;
mod pin;
mod probes;
mod rate;
mod report;
mod rush;
mod server;
mod single;
mod talk;
mod works;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use options::Options;
use probes::Ticks;
use report::Row;

/// What can fail here, for any reason worth a line of text.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Not measured, at the begin of each run.
const WARM_UP: Duration = Duration::from_millis(500);
/// A room where nothing came for this long has folded and told its last notices.
const QUIET: Duration = Duration::from_millis(1300);
/// A room has to come to rest within this.
const REST_MAX: Duration = Duration::from_secs(15);

type Work = fn(&Options) -> Outcome<Vec<Row>>;

const WORKS: [(&str, Work); 11] = [
    ("crowd", works::crowd),
    ("crowd-unjoined", works::crowd_unjoined),
    ("lone", works::lone),
    ("rate", works::steady_rate),
    ("silent", masses::silent),
    ("connects", masses::connects),
    ("stuck", works::stuck),
    ("return", masses::come_back),
    ("idle", masses::idle),
    ("start", single::start),
    ("small", single::small),
];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fanout: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line asks for; false when a work could not be measured or lost lines.
fn run() -> Outcome<bool> {
    let options = Options::parse(env::args().skip(1))?;
    if options.help {
        print!("{}", options::HELP);
        return Ok(true);
    }
    if let Some(address) = options.floor {
        floor::serve(address)?;
        return Ok(true);
    }
    if let Some(work) = &options.profile_work {
        works::profile(&options, work)?;
        return Ok(true);
    }
    if let Some(name) = options.only.iter().find(|name| !WORKS.iter().any(|(work, _)| work == name)) {
        let names: Vec<&str> = WORKS.iter().map(|(work, _)| *work).collect();
        return Err(format!("no work {name}: there are {}", names.join(", ")).into());
    }
    measure(&options)
}

fn measure(options: &Options) -> Outcome<bool> {
    let machine = probes::machine_line();
    let begin = Ticks::now()?;
    println!("{machine}");
    let mut rows = Vec::new();
    let mut is_sound = true;
    for (name, work) in WORKS.iter().filter(|(name, _)| options.wants(name)) {
        let news = work(options).unwrap_or_else(|error| {
            is_sound = false;
            vec![Row::failed(name, &error.to_string())]
        });
        for row in &news {
            println!("{}", row.plain());
        }
        rows.extend(news);
    }
    let others = Ticks::now()?.others_since(begin);
    println!("\n{machine};\n{others}\n\n{}", report::table(&rows));
    Ok(is_sound)
}
