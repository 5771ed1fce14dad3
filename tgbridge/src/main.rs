//! `tertulia-tgbridge`: reads the command line, runs or checks.

use std::io::Write;
use std::process::ExitCode;

use tertulia_tgbridge::help::help;
use tertulia_tgbridge::options::{Asked, Command, Options, parse};
use tertulia_tgbridge::{check, run};

/// A wrong command line, or something else that only the operator can put right.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let text = match parse(std::env::args_os().skip(1)) {
        Ok(Asked::Do(command, options)) => return start(command, *options),
        Ok(Asked::Help(language)) => help(language).to_owned(),
        Ok(Asked::Version) => format!("tertulia-tgbridge {}\n", env!("CARGO_PKG_VERSION")),
        Err(sentence) => return fail(&sentence),
    };
    // A reader that has seen enough is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn start(command: Command, options: Options) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let token = options.token.clone();
    match command {
        Command::Run => match runtime.block_on(run::run(options)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(ended) => {
                let code = fail(&token.hide_in(&ended.why));
                if ended.is_final { code } else { ExitCode::FAILURE }
            }
        },
        Command::Check => match runtime.block_on(check::check(&options)) {
            Ok((text, is_well)) => {
                let _ = std::io::stdout().write_all(token.hide_in(&text).as_bytes());
                if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(sentence) => fail(&token.hide_in(&sentence)),
        },
    }
}

fn fail(sentence: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "tertulia-tgbridge: {sentence}");
    ExitCode::from(EXIT_USAGE)
}
