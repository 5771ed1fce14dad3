//! Where reports go: text and JSON, a page, and the code that the program ends with.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::bounds::Bound;
use crate::html;
use crate::options::Output;
use crate::report::Report;

/// A bound of `--fail-if` is broken.
const BROKEN: u8 = 2;
/// The figures are not to be trusted.
pub(crate) const INVALID: u8 = 3;

/// Writes a report as it was asked for, and says how the program is to end.
pub fn finish(output: &Output, report: &Report) -> Result<ExitCode, String> {
    write(output, &report.to_text(), report, std::slice::from_ref(report))?;
    Ok(code(report, told_broken(&output.fail_if, report)))
}

/// Writes text, JSON and page. JSON to standard output takes the place of the text.
pub fn write(output: &Output, text: &str, json: &impl Serialize, pages: &[Report]) -> Result<(), String> {
    write_json(output.json.as_deref(), text, json)?;
    output.html.as_deref().map_or(Ok(()), |path| write_page(path, pages))
}

/// Writes the text, and the JSON where it is asked for.
pub fn write_json(path: Option<&Path>, text: &str, json: &impl Serialize) -> Result<(), String> {
    let json = serde_json::to_string_pretty(json).map_err(|error| format!("the report: {error}"))? + "\n";
    match path {
        Some(path) if path.as_os_str() == "-" => print(&json),
        Some(path) => {
            fs::write(path, json).map_err(|error| format!("{}: {error}", path.display()))?;
            print(text)
        }
        None => print(text),
    }
}

/// Writes the page of these reports.
pub fn write_page(path: &Path, reports: &[Report]) -> Result<(), String> {
    let page = html::page("tertulia-loadtest", reports)?;
    fs::write(path, page).map_err(|error| format!("{}: {error}", path.display()))
}

/// To standard output.
pub fn print(text: &str) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("standard output: {error}"))
}

/// A line that goes out while it runs: to standard output, unless the JSON goes there.
pub fn say(output: &Output, line: &str) {
    if output.json.as_deref().is_some_and(|path| path.as_os_str() == "-") {
        eprintln!("{line}");
    } else {
        println!("{line}");
    }
}

/// Which bounds a report breaks, each with what was measured instead; said on standard error.
pub fn told_broken(bounds: &[Bound], report: &Report) -> bool {
    let broken = bounds.iter().filter_map(|bound| Some((bound, bound.broken_by(report)?)));
    let told = |(bound, value): (&Bound, f64)| match value.is_nan() {
        true => eprintln!("broken: {bound}: nothing came that it could be told of"),
        false => eprintln!("broken: {bound}: it is {value}"),
    };
    broken.map(told).count() > 0
}

/// How the program ends after this report.
pub fn code(report: &Report, is_broken: bool) -> ExitCode {
    match (report.invalid.is_empty(), is_broken) {
        (false, _) => ExitCode::from(INVALID),
        (true, true) => ExitCode::from(BROKEN),
        // The server is gone.
        (true, false) if report.is_deserted => ExitCode::FAILURE,
        (true, false) => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn each_end_has_a_code_of_its_own() {
        let good = example();
        assert_eq!(code(&good, false), ExitCode::from(0));
        let deserted = Report { is_deserted: true, ..example() };
        assert_eq!(code(&deserted, false), ExitCode::from(1));
        assert_eq!(code(&good, true), ExitCode::from(2));
        assert_eq!(code(&deserted, true), ExitCode::from(2));
        let invalid = Report { invalid: vec!["late".into()], ..example() };
        assert_eq!(code(&invalid, false), ExitCode::from(3));
        assert_eq!(code(&invalid, true), ExitCode::from(3));
    }

    #[test]
    fn a_bound_that_holds_is_not_told_to_be_broken() {
        let bounds = ["lost>0", "p99>1s"].map(|text| Bound::parse(text).unwrap());
        assert!(told_broken(&bounds, &example()));
        let (_, latency) = bounds.split_first().unwrap();
        assert!(!told_broken(latency, &example()));
    }
}
