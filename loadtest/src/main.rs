//! `tertulia-loadtest`: see `--help`.

use std::process::ExitCode;

use clap::Parser;
use tertulia_loadtest::options::{Command, Options};
use tertulia_loadtest::{compare, floor, hold, merge, peers, ramp, run, soak};

fn main() -> ExitCode {
    let command = match Options::try_parse() {
        Ok(options) => options.command,
        Err(error) => {
            let _ = error.print();
            // Not clap's 2, which says here that a bound is broken.
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match &command {
        Command::Run(options) => run::run(options),
        Command::Ramp(options) => ramp::ramp(options),
        Command::Hold(options) => hold::hold(options),
        Command::Soak(options) => soak::soak(options),
        Command::Compare(options) => compare::compare(options),
        Command::Merge(options) => merge::merge(options),
        Command::Peers(options) => peers::peers(options),
        Command::Floor(options) => floor::serve(options.listen)
            .map(|()| ExitCode::SUCCESS)
            .map_err(|error| format!("--listen {}: {error}", options.listen)),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("tertulia-loadtest: {error}");
        ExitCode::FAILURE
    })
}
