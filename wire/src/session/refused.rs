//! Lines that were not said: kept, where the caller asks for it, until the caller has them in safety.

use std::collections::VecDeque;

use super::event::Event;
use super::unanswered::Unanswered;
use super::{Say, Session};
use crate::limits::LABELS_KEPT;

/// Refused lines that are kept; beyond it the oldest goes. As many as may be without an answer, so that all of them may be
/// refused at once.
pub const REFUSED_MAX: usize = LABELS_KEPT;

/// A line that was not said.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// Its label.
    pub label: &'a str,
    /// What it was to say. Where another relay was to hear it, the line that it answers is not known any more.
    pub say: Say<'a>,
    /// The address of the relay that was to hear it, where that is another one.
    pub address: Option<&'a str>,
}

/// One of them, as it is kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) line: Unanswered,
    /// None: this session's.
    pub(super) address: Option<String>,
}

/// All of them, in order.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    lines: VecDeque<Kept>,
}

impl Refusals {
    pub(super) fn push(&mut self, kept: Kept) {
        self.lines.retain(|known| known.line.label != kept.line.label);
        if self.lines.len() >= REFUSED_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(kept);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Kept> {
        self.lines.iter()
    }
}

impl Session {
    /// Lines that were refused, or that another relay was to hear, and that [`Session::forget_refused`] was not called for.
    /// They stand in [`Session::saved`] as well. None, unless [`super::Config::keeps_refused`].
    pub fn refused_lines(&self) -> impl Iterator<Item = Refused<'_>> {
        self.refusals.iter().map(|Kept { line, address }| Refused {
            label: &line.label,
            say: line.as_say(),
            address: address.as_deref(),
        })
    }

    /// The caller has this line in safety. False: there is none such.
    pub fn forget_refused(&mut self, label: &str) -> bool {
        let before = self.refusals.lines.len();
        self.refusals.lines.retain(|kept| kept.line.label != label);
        self.refusals.lines.len() < before
    }

    /// A line is not said, and not tried again.
    pub(super) fn refuse(&mut self, line: Unanswered, code: &str, sentence: &str) {
        let label = line.label.clone();
        self.keep_refused(Kept { line, address: None });
        let (code, sentence) = (code.to_owned(), sentence.to_owned());
        self.events.push_back(Event::Refused { label, code, sentence });
    }

    pub(super) fn keep_refused(&mut self, kept: Kept) {
        if self.keeps_refused {
            self.refusals.push(kept);
        }
    }
}
