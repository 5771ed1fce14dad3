//! One entry of a transcript: what was said, who came and went, what the program itself has to say, what is missing.

use super::tally::Tally;
use crate::phrases::Sentence;

/// Tells an entry from all others of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(super) u64);

impl EntryId {
    /// Another one for each entry.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// Where an entry stands. Lines stand by their ids; what has none stands behind the newest id of its time; what has no
/// answer yet stands at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(super) line_id: u64,
    pub(super) order: u64,
}

impl Place {
    /// Of a line with an id. The greatest of all stands for the end, whatever a relay gives.
    pub(super) fn of_line(line_id: u64) -> Self {
        Self { line_id: line_id.min(u64::MAX - 1), order: 0 }
    }

    /// Of what has no id, behind a line.
    pub(super) fn behind(line_id: u64, entry: EntryId) -> Self {
        Self { line_id: line_id.min(u64::MAX - 1), order: entry.0.saturating_add(1) }
    }

    /// Behind a line and all that stands behind it.
    pub(super) fn behind_all_of(line_id: u64) -> Self {
        Self { line_id: line_id.min(u64::MAX - 1), order: u64::MAX }
    }

    /// Of a line without an answer.
    pub(super) fn at_end(entry: EntryId) -> Self {
        Self { line_id: u64::MAX, order: entry.0.saturating_add(1) }
    }

    pub(super) fn is_at_end(self) -> bool {
        self.line_id == u64::MAX
    }
}

/// One entry.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: EntryId,
    pub(crate) place: Place,
    /// When, in milliseconds since 1970.
    pub(crate) unix_ms: u64,
    /// Grows with each change.
    pub(crate) revision: u32,
    pub(crate) body: Body,
}

/// What an entry is.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Somebody said something.
    Said(Said),
    /// People came and went.
    Notices(Box<Tally>),
    /// The program says something.
    Told(Box<Sentence>),
    /// Lines are missing here.
    Gap(Gap),
}

/// A line.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) name: Box<str>,
    /// Line breaks are U+2028.
    pub(crate) text: Box<str>,
    pub(crate) is_own: bool,
    /// It names the reader, or has one of the words that are waited for.
    pub(crate) is_mention: bool,
    pub(crate) state: State,
    /// The id of the line it answers.
    pub(crate) reply: Option<u64>,
    /// The words it answers, where they have no id.
    pub(crate) quote: Option<Box<str>>,
    /// Of an own line that was not answered, or was refused.
    pub(crate) label: Option<Box<str>>,
}

/// How far a line has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It is said, and kept.
    Said,
    /// It has no answer yet.
    Pending,
    /// It was said, and could not be kept.
    NotKept,
    /// It was not said.
    Refused(Box<Sentence>),
}

/// Lines with ids of this range, both ends included, are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) is_left: bool,
}

impl Entry {
    /// The relay's id of the line, if it is one that was answered.
    pub(crate) fn line_id(&self) -> Option<u64> {
        let is_line = matches!(self.body, Body::Said(_)) && self.place.order == 0;
        is_line.then_some(self.place.line_id)
    }

    pub(crate) fn said(&self) -> Option<&Said> {
        match &self.body {
            Body::Said(said) => Some(said),
            Body::Notices(_) | Body::Told(_) | Body::Gap(_) => None,
        }
    }

    /// An own line was answered, and belongs there now.
    pub(super) fn answer(&mut self, place: Place, answer: impl FnOnce(&mut Said, &mut u64)) {
        self.place = place;
        self.revision = self.revision.wrapping_add(1);
        if let Body::Said(said) = &mut self.body {
            said.label = None;
            answer(said, &mut self.unix_ms);
        }
    }

    /// What it costs in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let words = match &self.body {
            Body::Said(said) => {
                let optional = [&said.quote, &said.label].into_iter().flatten();
                said.name.len() + said.text.len() + optional.map(|words| words.len()).sum::<usize>()
            }
            Body::Notices(tally) => tally.bytes(),
            Body::Told(sentence) => sentence.bytes(),
            Body::Gap(_) => 0,
        };
        std::mem::size_of::<Self>() + words
    }
}
