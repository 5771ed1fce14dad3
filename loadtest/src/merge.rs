//! `merge`: several HdrHistogram logs as one. Samples are added; percentiles are never averaged.

use std::process::ExitCode;

use crate::options::Merge;
use crate::report::Interval;
use crate::{log, output};

/// Does what `merge` is asked for.
pub fn merge(options: &Merge) -> Result<ExitCode, String> {
    let samples = log::merge(&options.logs)?;
    output::print(&log::to_text(&samples))?;
    if let Some(path) = &options.out {
        log::write(path, 0, &[(Interval::default(), samples)])?;
    }
    Ok(ExitCode::SUCCESS)
}
