//! Where reports go: text and JSON, a page, a log, and the code that the program ends with.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use crate::bounds::Bound;
use crate::measured::Measured;
use crate::options::Output;
use crate::plan::Planned;
use crate::report::Report;
use crate::{html, log};

/// A bound of `--fail-if` is broken.
pub(crate) const BROKEN: u8 = 2;
/// The figures are not to be trusted.
pub(crate) const INVALID: u8 = 3;

/// The files of a report, open before the load begins: one that cannot be written is learnt of before anything was
/// measured. What a file held stays until the report takes its place.
#[derive(Debug)]
pub struct Files {
    json: Option<Destination>,
    html: Option<Destination>,
    hdr: Option<Destination>,
    /// Of the text, what whoever reads it has been told already.
    announced: String,
}

#[derive(Debug)]
enum Destination {
    StandardOutput,
    File(PathBuf, File),
}

impl Destination {
    fn open(path: &Path) -> Result<Self, String> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self::File(path.to_owned(), file))
    }

    fn write(&self, bytes: &[u8]) -> Result<(), String> {
        let Self::File(path, file) = self else { return print_bytes(bytes) };
        let mut file = file;
        let is_file = file.metadata().is_ok_and(|data| data.is_file());
        let emptied = if is_file { file.set_len(0) } else { Ok(()) };
        emptied.and_then(|()| file.write_all(bytes)).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Files {
    /// Opens the files of `--json` (`-`: standard output), `--html` and `--hdr`.
    pub fn open(json: Option<&Path>, html: Option<&Path>, hdr: Option<&Path>) -> Result<Self, String> {
        let json = match json {
            Some(path) if path.as_os_str() == "-" => Some(Destination::StandardOutput),
            path => path.map(Destination::open).transpose()?,
        };
        let html = html.map(Destination::open).transpose()?;
        let hdr = hdr.map(Destination::open).transpose()?;
        Ok(Self { json, html, hdr, announced: String::new() })
    }

    /// The same for the flags that most commands have.
    pub fn of(output: &Output) -> Result<Self, String> {
        Self::open(output.json.as_deref(), output.html.as_deref(), None)
    }

    fn is_text_wanted(&self) -> bool {
        !matches!(self.json, Some(Destination::StandardOutput))
    }

    /// Says before the load what is to be done, on standard error. Where the report follows on the same terminal, it does
    /// not say so again.
    pub fn announce(&mut self, plan: &Planned) {
        let line = crate::text::plan_line(plan);
        eprint!("{line}");
        if io::stderr().is_terminal() && io::stdout().is_terminal() {
            self.announced = line;
        }
    }

    /// A line that goes out while it runs: to standard output, unless the JSON goes there.
    pub fn say(&self, line: &str) {
        if self.is_text_wanted() { println!("{line}") } else { eprintln!("{line}") }
    }

    /// Writes text, JSON and page. JSON to standard output takes the place of the text; nothing that fails keeps back
    /// what can be written. Gives the first failure.
    pub fn write(
        &self,
        text: &str,
        json: &impl Serialize,
        page: impl FnOnce() -> Result<String, String>,
    ) -> Result<(), String> {
        let text = text.strip_prefix(&self.announced).unwrap_or(text);
        let printed = if self.is_text_wanted() { print(text) } else { Ok(()) };
        let json = self.json.as_ref().map_or(Ok(()), |to| {
            let json = serde_json::to_string_pretty(json).map_err(|error| format!("the report: {error}"))?;
            to.write((json + "\n").as_bytes())
        });
        let page = self.html.as_ref().map_or(Ok(()), |to| to.write(page()?.as_bytes()));
        printed.and(json).and(page)
    }

    /// Writes the log.
    fn write_log(&self, begun_unix_s: u64, measured: &Measured) -> Result<(), String> {
        self.hdr.as_ref().map_or(Ok(()), |to| to.write(&log::encode(begun_unix_s, &measured.log)?))
    }
}

/// For what has no page.
pub fn no_page() -> Result<String, String> {
    Ok(String::new())
}

/// Writes a report as it was asked for, and says how the program is to end.
pub fn finish(
    files: &Files,
    bounds: &[Bound],
    report: &Report,
    measured: &Measured,
) -> Result<ExitCode, String> {
    let written = files.write(&report.to_text(), report, || {
        html::page(&html::heading(report), std::slice::from_ref(report))
    });
    let logged = files.write_log(report.begun_unix_s, measured);
    ends(code(report, told_broken(bounds, report)), written.and(logged))
}

/// How the program ends. What could not be written is an error, but where the figures are not to be trusted, which goes
/// before all else.
pub fn ends(code: u8, written: Result<(), String>) -> Result<ExitCode, String> {
    match written {
        Err(error) if code != INVALID => Err(error),
        written => {
            if let Err(error) = written {
                eprintln!("tertulia-loadtest: {error}");
            }
            Ok(ExitCode::from(code))
        }
    }
}

/// To standard output.
pub fn print(text: &str) -> Result<(), String> {
    print_bytes(text.as_bytes())
}

fn print_bytes(bytes: &[u8]) -> Result<(), String> {
    io::stdout().write_all(bytes).map_err(|error| format!("standard output: {error}"))
}

/// Which bounds a report breaks, each with what was measured instead; said on standard error.
pub fn told_broken(bounds: &[Bound], report: &Report) -> bool {
    let broken = bounds.iter().filter_map(|bound| Some((bound, bound.broken_by(report)?)));
    broken.map(|(bound, value)| eprintln!("broken: {bound}: {}", bound.told(value))).count() > 0
}

/// How the program ends after this report.
pub fn code(report: &Report, is_broken: bool) -> u8 {
    match (report.invalid.is_empty(), is_broken) {
        (false, _) => INVALID,
        (true, true) => BROKEN,
        // The server is gone.
        (true, false) if report.is_deserted => 1,
        (true, false) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn each_end_has_a_code_of_its_own() {
        let good = example();
        assert_eq!(code(&good, false), 0);
        let deserted = Report { is_deserted: true, ..example() };
        assert_eq!(code(&deserted, false), 1);
        assert_eq!(code(&good, true), 2);
        assert_eq!(code(&deserted, true), 2);
        let invalid = Report { invalid: vec!["late".into()], ..example() };
        assert_eq!(code(&invalid, false), 3);
        assert_eq!(code(&invalid, true), 3);
    }

    #[test]
    fn a_file_that_could_not_be_written_is_an_error_but_hides_no_invalid() {
        let failed = || Err("the disk is full".to_owned());
        assert_eq!(ends(0, failed()), failed().map(|()| ExitCode::SUCCESS));
        assert_eq!(ends(INVALID, failed()), Ok(ExitCode::from(3)));
        assert_eq!(ends(BROKEN, Ok(())), Ok(ExitCode::from(2)));
    }

    #[test]
    fn a_bound_that_holds_is_not_told_to_be_broken() {
        let bounds = ["lost>0", "p99>1s"].map(|text| Bound::parse(text).unwrap());
        assert!(told_broken(&bounds, &example()));
        let (_, latency) = bounds.split_first().unwrap();
        assert!(!told_broken(latency, &example()));
    }
}
