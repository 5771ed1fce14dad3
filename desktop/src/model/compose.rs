//! What is being written: drafts, sending, what was sent before, pastes.

use std::collections::VecDeque;

use tertulia_wire::limits::LINE_BYTES_MAX;
use tertulia_wire::text::{clean, join_lines};

use super::slash::holds_password;
use super::{EntryId, Model, Sentence, State, ViewCommand};
use crate::phrases::{AccountPhrase, Phrase};

/// Bytes of a message: what fits a line of the protocol with its label, room, receiver and answered line before it.
pub const TEXT_BYTES_MAX: usize = LINE_BYTES_MAX - 512;

/// A paste of more lines than this is asked about.
pub const PASTE_LINES_ASKED: usize = 5;

/// Messages that Up and Down walk through; older ones are forgotten.
pub const SENT_KEPT: usize = 100;

/// What was sent, and where Up and Down stand.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// The newest last.
    texts: VecDeque<String>,
    /// How far back; none: at what is being written.
    back: Option<usize>,
    /// What was being written when the walk began.
    begun: String,
}

impl Sent {
    /// What may hold a password is not remembered.
    fn push(&mut self, text: &str) {
        if holds_password(text) {
            return;
        }
        if self.texts.back().is_some_and(|last| last == text) {
            return;
        }
        self.texts.push_back(text.to_owned());
        if self.texts.len() > SENT_KEPT {
            self.texts.pop_front();
        }
    }

    /// What was being written when the walk began. None: there is no walk.
    pub(super) fn begun(&self) -> Option<&str> {
        self.back.map(|_| self.begun.as_str())
    }

    /// The walk is over. What was being written when it began, if there was one.
    fn leave(&mut self) -> Option<String> {
        self.back.take().map(|_| std::mem::take(&mut self.begun))
    }

    fn earlier(&mut self, now: &str) -> Option<String> {
        let back = self.back.map_or(0, |back| back + 1);
        let index = self.texts.len().checked_sub(back + 1)?;
        let text = self.texts.get(index)?.clone();
        if self.back.is_none() {
            now.clone_into(&mut self.begun);
        }
        self.back = Some(back);
        Some(text)
    }

    fn later(&mut self) -> Option<String> {
        let back = self.back?;
        let Some(nearer) = back.checked_sub(1) else {
            self.back = None;
            return Some(std::mem::take(&mut self.begun));
        };
        self.back = Some(nearer);
        self.texts.len().checked_sub(nearer + 1).and_then(|index| self.texts.get(index)).cloned()
    }
}

impl Model {
    /// The input was changed by hand.
    pub(super) fn edit(&mut self, text: String, cursor: usize) {
        let draft = &mut self.conversations.shown_mut().draft;
        let cursor = at_boundary(&text, cursor);
        if draft.text == text {
            draft.cursor = cursor;
            return;
        }
        draft.text = text;
        draft.cursor = cursor;
        self.completion = None;
        // A line of before is written on: what was begun instead is the nearest one of before now.
        if let Some(begun) = self.sent.leave().filter(|begun| !begun.trim().is_empty()) {
            self.sent.push(&begun);
        }
        self.drafts_changed();
    }

    /// Whoever walks through what was sent is back at what was being written.
    pub(super) fn end_walk(&mut self) {
        if let Some(begun) = self.sent.leave() {
            let draft = &mut self.conversations.shown_mut().draft;
            draft.cursor = begun.len();
            draft.text = begun;
        }
    }

    /// The input is to have this text.
    pub(super) fn set_input(&mut self, text: String, cursor: usize) {
        let cursor = at_boundary(&text, cursor);
        self.view(ViewCommand::SetInput { text: text.clone(), cursor });
        let draft = &mut self.conversations.shown_mut().draft;
        draft.text = text;
        draft.cursor = cursor;
        self.drafts_changed();
    }

    /// Enter. Whoever presses it does not want to wait for the next attempt to connect either.
    pub(super) fn send(&mut self) {
        self.hurry();
        let shown = self.conversations.shown();
        let id = shown.id;
        let written = shown.draft.text.trim().to_owned();
        let is_command = written.starts_with('/') && !written.starts_with("//") && !written.contains('\n');
        if is_command {
            let begun = self.sent.begun().map(str::to_owned).unwrap_or_default();
            if self.obey(&written) {
                self.sent.leave();
                self.sent.push(&written);
                self.clear_input(id, begun);
            }
            return;
        }
        let said = if written.starts_with("//") { written.get(1..).unwrap_or_default() } else { &written };
        let text = clean(&join_lines(said)).trim().to_owned();
        if text.is_empty() || !self.fits(&text) {
            return;
        }
        let Ok(reply) = self.answered_line() else { return };
        if self.say(id, &text, reply) {
            // What was begun before a line of before was said again is still to be said.
            let begun = self.sent.leave().unwrap_or_default();
            self.sent.push(&written);
            self.conversations.shown_mut().draft.reply = None;
            self.clear_input(id, begun);
            self.jump_to_end();
        }
    }

    /// Whether a message can be said: it is not too long, and no order with a password that something stands before. If not, the
    /// person is told.
    pub(super) fn fits(&mut self, text: &str) -> bool {
        if tertulia_wire::account::holds_password(text) {
            self.complain(AccountPhrase::HoldsPassword);
            return false;
        }
        let over = text.len().saturating_sub(TEXT_BYTES_MAX);
        if over > 0 {
            self.complain(Sentence::new(Phrase::TooLongBy, &[&over.to_string()]));
        }
        over == 0
    }

    /// The id of the line that is answered. An error: it has none yet, and the person was told.
    fn answered_line(&mut self) -> Result<Option<u64>, ()> {
        let shown = self.conversations.shown();
        let Some(entry) = shown.draft.reply.and_then(|id| shown.transcript.entry(id)) else {
            return Ok(None);
        };
        match entry.line_id() {
            Some(line_id) => Ok(Some(line_id)),
            None => {
                self.complain(Phrase::ReplyLater);
                Err(())
            }
        }
    }

    /// What was written there was sent; what was begun before it takes its place.
    fn clear_input(&mut self, id: super::ConversationId, begun: String) {
        let cursor = begun.len();
        if self.conversations.shown().id == id {
            return self.set_input(begun, cursor);
        }
        // The command has led elsewhere: what was written stays behind as if it had been sent.
        if let Some(conversation) = self.conversations.get_mut(id) {
            conversation.draft = super::conversation::Draft { text: begun, cursor, reply: None };
        }
        self.drafts_changed();
    }

    /// Up in the input's first row.
    pub(super) fn earlier(&mut self) {
        let now = self.conversations.shown().draft.text.clone();
        if let Some(text) = self.sent.earlier(&now) {
            let cursor = text.len();
            self.set_input(text, cursor);
        }
    }

    /// Down in the input's last row.
    pub(super) fn later(&mut self) {
        if let Some(text) = self.sent.later() {
            let cursor = text.len();
            self.set_input(text, cursor);
        }
    }

    /// Something is to be pasted.
    pub(super) fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if text.is_empty() {
            return;
        }
        let bytes = text.len() + self.conversations.shown().draft.text.len();
        if bytes > TEXT_BYTES_MAX {
            let (bytes, most) = (bytes.to_string(), TEXT_BYTES_MAX.to_string());
            return self.complain(Sentence::new(Phrase::PasteTooLong, &[&bytes, &most]));
        }
        let lines = text.trim_end_matches('\n').split('\n').count();
        if lines > PASTE_LINES_ASKED && self.settings.ask_before_paste {
            self.pasting = Some(text);
            return self.view(ViewCommand::AskPaste { lines });
        }
        self.view(ViewCommand::InsertText(text));
    }

    /// The answer to the question about a paste.
    pub(super) fn confirm_paste(&mut self, is_wanted: bool) {
        if let Some(text) = self.pasting.take().filter(|_| is_wanted) {
            self.view(ViewCommand::InsertText(text));
        }
    }

    /// Answers a line.
    pub(super) fn reply(&mut self, entry: EntryId) {
        let shown = self.conversations.shown_mut();
        let Some(answered) = shown.transcript.entry(entry) else { return };
        if answered.line_id().is_some() {
            shown.draft.reply = Some(entry);
            return;
        }
        let is_under_way = answered.said().is_some_and(|said| said.state == State::Pending);
        self.complain(if is_under_way { Phrase::ReplyLater } else { Phrase::ReplyNever });
    }
}

/// The nearest place between characters at or before this byte.
fn at_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
