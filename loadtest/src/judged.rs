//! What the checker of traces says of a run, as it stands in a report.

use std::fmt;

use serde::{Deserialize, Serialize};
use tertulia_wire::trace::{Counts, RECORDS_MAX, Report, Violation};

/// Violations that are told in words; the rest is counted.
pub const TOLD_MAX: usize = 10;

/// What the checker of traces says of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Promises that were broken.
    pub violations: u64,
    /// The first of them in words, at most [`TOLD_MAX`].
    pub first: Vec<String>,
    /// Why the history could not be read back: nothing was judged then.
    pub unread: Option<String>,
    /// Lines said, each once, the probes of the beginning included.
    pub said: u64,
    /// Of these, acknowledged.
    pub acknowledged: u64,
    /// Of these, without an answer.
    pub unanswered: u64,
    /// Lines of the run in the history.
    pub kept: u64,
    /// Times that a client came into the room.
    pub readers: u64,
    /// Lines heard, by all readers together.
    pub heard: u64,
    /// Announced gaps.
    pub gaps: u64,
    /// Clients that left to come back.
    pub left: u64,
    /// Readers to whom lines still came when nobody waited any more: what they have not heard by then is not judged.
    pub behind: u64,
}

impl Judged {
    /// Of what the checker found. `behind`: as [`Judged::behind`].
    pub fn of(report: &Report, behind: u64) -> Self {
        let Counts { said, acknowledged, unanswered, kept, readers, heard, gaps, cuts, .. } = report.counts;
        Self {
            violations: report.violations.len() as u64 + report.more,
            first: report.violations.iter().take(TOLD_MAX).map(told).collect(),
            unread: None,
            said,
            acknowledged,
            unanswered,
            kept,
            readers,
            heard,
            gaps,
            left: cuts,
            behind,
        }
    }

    /// Nothing was judged, for this reason.
    pub fn unread(why: String) -> Self {
        Self { unread: Some(why), ..Self::default() }
    }

    /// Both together.
    pub fn plus(mut self, other: Self) -> Self {
        self.first.extend(other.first);
        self.first.truncate(TOLD_MAX);
        Self {
            violations: self.violations + other.violations,
            first: self.first,
            unread: self.unread.or(other.unread),
            said: self.said + other.said,
            acknowledged: self.acknowledged + other.acknowledged,
            unanswered: self.unanswered + other.unanswered,
            kept: self.kept + other.kept,
            readers: self.readers + other.readers,
            heard: self.heard + other.heard,
            gaps: self.gaps + other.gaps,
            left: self.left + other.left,
            behind: self.behind + other.behind,
        }
    }

    /// Whether the history was read, and every promise kept.
    pub fn is_clean(&self) -> bool {
        self.violations == 0 && self.unread.is_none()
    }
}

/// In words, and with what to do where the run was too large.
fn told(violation: &Violation) -> String {
    match violation {
        Violation::TraceFull { .. } => format!(
            "{violation} At most {RECORDS_MAX} are kept; take a shorter --duration, a lower --rate or fewer --clients."
        ),
        _ => violation.to_string(),
    }
}

/// One line, without an end.
impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { violations, said, acknowledged, unanswered, kept, .. } = self;
        if let Some(why) = &self.unread {
            return write!(f, "NOT JUDGED, as the history was not read back: {why}");
        }
        match violations {
            0 => f.write_str("no promise broken")?,
            1 => f.write_str("1 promise BROKEN")?,
            _ => write!(f, "{violations} promises BROKEN")?,
        }
        write!(
            f,
            ": {said} lines said, {acknowledged} acknowledged, {unanswered} unanswered, {kept} in the history; "
        )?;
        write!(f, "{} heard by {} readers, {} gaps announced", self.heard, self.readers, self.gaps)?;
        if self.left > 0 {
            write!(f, ", {} left to come back", self.left)?;
        }
        if self.behind > 0 {
            write!(
                f,
                "; {} readers were still behind, and what they had not heard is not judged",
                self.behind
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tertulia_wire::trace::{History, Line, Session, Trace, check};

    use super::*;

    fn of(trace: &Trace) -> Judged {
        Judged::of(&check(trace, &History::new()), 0)
    }

    #[test]
    fn a_trace_without_violations_is_clean_and_one_that_was_not_judged_is_not() {
        let clean = of(&Trace::new());
        assert!(
            clean.is_clean() && clean.to_string().starts_with("no promise broken: 0 lines said"),
            "{clean}"
        );
        let unread = Judged::unread("refused".into());
        assert!(!unread.is_clean() && unread.to_string().contains("NOT JUDGED"), "{unread}");
        assert_eq!(clean.plus(unread.clone()), unread);
    }

    #[test]
    fn the_first_violations_are_told_and_all_are_counted() {
        let mut trace = Trace::new();
        let reader = trace.listens(Session(0), "general", 0);
        for id in 1..=300 {
            trace.heard(reader, &Line { id, sid: 7, label: "1", name: "Nadie", text: "buu" });
        }
        let judged = of(&trace);
        assert_eq!((judged.violations, judged.first.len()), (300, TOLD_MAX));
        let twice = judged.clone().plus(judged);
        assert_eq!((twice.violations, twice.first.len(), twice.heard), (600, TOLD_MAX, 600));
        assert!(twice.to_string().starts_with("600 promises BROKEN: "), "{twice}");
    }

    #[test]
    fn a_trace_that_was_full_says_what_to_do() {
        let mut trace = Trace::holding(1);
        trace.hello(Session(0), 1);
        trace.hello(Session(0), 1);
        let judged = of(&trace);
        assert!(
            judged.first[0].contains("1 records are missing") && judged.first[0].contains("--duration"),
            "{judged:?}"
        );
    }
}
