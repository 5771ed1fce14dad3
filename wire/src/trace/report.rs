//! What a check comes to.

use std::fmt;

use super::violation::Violation;

/// Violations that are shown; one bug easily makes a million. The rest is counted.
pub const VIOLATIONS_MAX: usize = 100;

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// The first [`VIOLATIONS_MAX`].
    pub violations: Vec<Violation>,
    /// How many more there are.
    pub more: u64,
    /// What there was to check.
    pub counts: Counts,
}

/// What there was to check: a run in which nothing happened keeps every promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines said, each once however often it was sent.
    pub said: u64,
    /// Of these, acknowledged.
    pub acknowledged: u64,
    /// Answers `FAIL SAY`.
    pub refused: u64,
    /// Lines answered with `NOT_KEPT`.
    pub not_kept: u64,
    /// Lines that got no answer.
    pub unanswered: u64,
    /// Lines that got no answer, and are in the history.
    pub unanswered_kept: u64,
    /// Lines in the history.
    pub kept: u64,
    /// Stretches of listening.
    pub readers: u64,
    /// Lines heard, by all readers together.
    pub heard: u64,
    /// Of these, heard again by a session under another id, after a death of the relay. Clients drop them by their key.
    pub heard_again: u64,
    /// Lines that were heard under an id that is not in the history.
    pub heard_and_lost: u64,
    /// Announced gaps.
    pub gaps: u64,
    /// Times that somebody resumed.
    pub resumed: u64,
    /// Connections that ended.
    pub cuts: u64,
    /// Deaths of the relay.
    pub deaths: u64,
}

impl Report {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.more == 0
    }

    pub(super) fn add(&mut self, violation: Violation) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation);
        } else {
            self.more += 1;
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { said, acknowledged, refused, not_kept, unanswered, unanswered_kept, kept, .. } = self;
        let Self { readers, heard, heard_again, heard_and_lost, gaps, resumed, cuts, deaths, .. } = self;
        write!(f, "said={said} acknowledged={acknowledged} refused={refused} not_kept={not_kept} ")?;
        write!(
            f,
            "unanswered={unanswered} unanswered_kept={unanswered_kept} kept={kept} readers={readers} "
        )?;
        write!(f, "heard={heard} heard_again={heard_again} heard_and_lost={heard_and_lost} gaps={gaps} ")?;
        write!(f, "resumed={resumed} cuts={cuts} deaths={deaths}")
    }
}

/// A line for each violation, then how many more, then the counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.violations.iter().try_for_each(|violation| writeln!(f, "{violation}"))?;
        if self.more > 0 {
            writeln!(f, "And {} more.", self.more)?;
        }
        write!(f, "{}", self.counts)
    }
}
