//! Bytes of a client to lines: what kind of client it is, where its lines end, and when they may be taken.

use std::borrow::Cow;

use tertulia_wire::extended::label_in;
use tertulia_wire::limits::{LABELS_KEPT, LINE_BYTES_MAX, UNFRAMED_AFTER, UNFRAMED_REST_AFTER};
use tertulia_wire::lines::{Line, Lines};
use tertulia_wire::name::LEAVE_WORDS;
use tertulia_wire::text::{LINE_BREAK, clean, join_lines};

use super::client::Mode;
use super::unframed::{Unframed, begins_with_name, looks_cut, split_leading_join, split_trailing_leave};
use super::{Chat, ClientId, Cut, HELD_BYTES_MAX, foreign};
use crate::moment::Moment;
use crate::phrases::Phrase;
use crate::sabotage::{self, Bug};

impl Chat {
    /// The connection sent these bytes, in one read.
    pub fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        if state.is_closing || bytes.is_empty() {
            return;
        }
        match state.mode {
            Mode::Framed => self.take_lines(client, bytes, now),
            Mode::Undecided => self.take_undecided(client, bytes, now),
            Mode::Unframed => self.take_message(client, bytes, now),
        }
        self.note_heard(client, now);
        self.count_held(client, now);
    }

    /// A timer for waiting input has come.
    pub(super) fn look_at_input(&mut self, client: ClientId, now: Moment) {
        let is_due = |state: &&super::client::Client| !state.is_closing && state.input.due <= now;
        let Some(state) = self.client(client).filter(is_due) else { return };
        let was_held_back = state.is_held_back;
        self.release_input(client, now);
        if was_held_back && self.wants_read(client) {
            self.resumed.push_back(client);
        }
    }

    /// Takes what waits, if it may be taken now.
    pub(super) fn release_input(&mut self, client: ClientId, now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        state.input.due = Moment::NEVER;
        state.is_held_back = false;
        let waiting = std::mem::take(&mut *state.input.waiting);
        match state.mode {
            Mode::Undecided => self.decide(client, waiting, now),
            Mode::Framed => self.take_lines(client, &waiting, now),
            Mode::Unframed => self.say_message(client, waiting, now),
        }
        if self.client(client).is_some_and(|state| state.has_ended && !state.is_held_back) {
            self.take_last(client, now);
        }
        self.count_held(client, now);
    }

    /// Before it is known whether these are lines: a read that ends in LF settles it at once.
    fn take_undecided(&mut self, client: ClientId, bytes: &[u8], now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        let is_start = state.input.waiting.is_empty();
        if is_start && bytes.last() == Some(&b'\n') {
            state.mode = Mode::Framed;
            return self.take_lines(client, bytes, now);
        }
        state.input.waiting.extend_from_slice(bytes);
        if let Some(foreign) = foreign::detect(&state.input.waiting) {
            return self.cut(client, Cut::Foreign(foreign), now);
        }
        if bytes.last() == Some(&b'\n') || state.input.waiting.len() > LINE_BYTES_MAX {
            let waiting = std::mem::take(&mut *state.input.waiting);
            state.mode = Mode::Framed;
            return self.take_lines(client, &waiting, now);
        }
        if is_start {
            self.wait_for_input(client, now.after(UNFRAMED_AFTER));
        }
    }

    /// [`UNFRAMED_AFTER`] is over: these are all the bytes there are.
    fn decide(&mut self, client: ClientId, waiting: Vec<u8>, now: Moment) {
        let unframed = begins_with_name(&waiting);
        self.set_mode(client, if unframed { Mode::Unframed } else { Mode::Framed });
        if unframed {
            self.take_message(client, &waiting, now);
        } else {
            self.take_lines(client, &waiting, now);
        }
    }

    pub(super) fn set_mode(&mut self, client: ClientId, mode: Mode) {
        let is_unframed = mode == Mode::Unframed;
        if let Some(state) = self.client_mut(client) {
            state.mode = mode;
            // Kept when the client turns out to send lines: a write may be half done.
            if is_unframed && state.unframed.is_none() {
                state.unframed = Some(Box::new(Unframed::default()));
            }
        }
        if let Some(outbox) = self.outbox_mut(client).filter(|_| is_unframed) {
            outbox.become_unframed();
        }
    }

    /// Takes whole lines off `bytes`, as long as the connection may speak.
    pub(super) fn take_lines(&mut self, client: ClientId, bytes: &[u8], now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        if state.is_first && state.lines.incomplete().is_empty() {
            if let Some(foreign) = foreign::detect(bytes) {
                return self.cut(client, Cut::Foreign(foreign), now);
            }
        }
        // Lines are given out borrowed, so they leave the client's state while one is looked at.
        let mut lines = std::mem::take(&mut state.lines);
        let mut input = bytes;
        loop {
            lines.swallow(&mut input);
            let owes_refusal = self.client(client).is_some_and(|state| state.input.owes_refusal.is_some());
            let is_to_speak = owes_refusal || memchr::memchr(b'\n', input).is_some();
            if is_to_speak && !self.may_speak(client, now) {
                self.hold_back(client, input);
                break;
            }
            if owes_refusal {
                self.refuse_too_long(client, now);
                continue;
            }
            match lines.next(&mut input) {
                None => break,
                Some(Line::TooLong) => self.owe_refusal(client, &lines.take_start()),
                Some(Line::Whole(line)) => self.take_line(client, line, now),
            }
            let Some(state) = self.client(client).filter(|state| !state.is_closing) else { return };
            if state.is_held_back {
                // The line itself has to wait, and so does what stands behind it.
                self.hold_back(client, input);
                break;
            }
        }
        self.put_lines_back(client, lines, now);
    }

    fn put_lines_back(&mut self, client: ClientId, lines: Lines, now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        state.lines = lines;
        if !state.is_first {
            return;
        }
        if let Some(foreign) = foreign::detect(state.lines.incomplete()) {
            self.cut(client, Cut::Foreign(foreign), now);
        }
    }

    pub(super) fn take_line(&mut self, client: ClientId, line: &[u8], now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        if state.is_first && !line.is_empty() {
            state.is_first = false;
            if let Some(foreign) = foreign::detect(line) {
                return self.cut(client, Cut::Foreign(foreign), now);
            }
        }
        let text = match std::str::from_utf8(line) {
            Err(_) => {
                self.count_line(client, now);
                let label = label_in(line).filter(|_| self.is_extended(client));
                return self.answer_labeled(client, "FAIL SAY NOT_UTF8", label, Some(Phrase::NotUtf8));
            }
            Ok(line) if sabotage::has(Bug::UncleanText) => Cow::Borrowed(line),
            Ok(line) => clean(line),
        };
        if self.defers(client, &text) {
            return self.hold_back(client, &[text.as_bytes(), b"\n"].concat());
        }
        self.count_line(client, now);
        self.handle_line(client, &text, now);
    }

    /// A line is too long. Said as soon as the connection may speak: such a line costs what any other does.
    fn owe_refusal(&mut self, client: ClientId, start: &[u8]) {
        let label = label_in(start).filter(|_| self.is_extended(client)).unwrap_or_default();
        if let Some(state) = self.client_mut(client) {
            state.input.owes_refusal = Some(label.into());
        }
    }

    pub(super) fn refuse_too_long(&mut self, client: ClientId, now: Moment) {
        let owed = self.client_mut(client).and_then(|state| state.input.owes_refusal.take());
        let label = owed.as_deref().filter(|label| !label.is_empty());
        self.count_line(client, now);
        let words = format!("FAIL SAY LINE_TOO_LONG {LINE_BYTES_MAX}");
        self.answer_labeled(client, &words, label, Some(Phrase::LineTooLong));
    }

    /// A read of an unframed client: a message, or a part of one.
    fn take_message(&mut self, client: ClientId, bytes: &[u8], now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        let mut message = std::mem::take(&mut *state.input.waiting);
        message.extend_from_slice(bytes);
        if message.last() == Some(&b'\n') {
            self.set_mode(client, Mode::Framed);
            return self.take_lines(client, &message, now);
        }
        if message.len() <= LINE_BYTES_MAX && looks_cut(bytes.len(), &message) {
            *state.input.waiting = message;
            return self.wait_for_input(client, now.after(UNFRAMED_REST_AFTER));
        }
        state.input.due = Moment::NEVER;
        self.say_message(client, message, now);
    }

    /// A whole message of an unframed client.
    pub(super) fn say_message(&mut self, client: ClientId, message: Vec<u8>, now: Moment) {
        if message.is_empty() {
            return;
        }
        if !self.may_speak(client, now) {
            return self.hold_back(client, &message);
        }
        if let Some(state) = self.client_mut(client) {
            state.is_first = false;
        }
        if message.len() > LINE_BYTES_MAX {
            return self.refuse_too_long(client, now);
        }
        self.count_line(client, now);
        let Ok(text) = std::str::from_utf8(&message) else {
            return self.answer(client, "FAIL SAY NOT_UTF8", Some(Phrase::NotUtf8));
        };
        self.handle_message(client, &clean(&join_lines(text)), now);
    }

    /// A message may be a join notice, a text and a leave notice glued together by TCP.
    fn handle_message(&mut self, client: ClientId, message: &str, now: Moment) {
        if self.is_restrained(client) {
            return self.handle_line(client, message, now);
        }
        let mut rest = message;
        if let Some((name, behind)) = split_leading_join(message) {
            if self.may_join_as(client, &name) {
                self.handle_join(client, &name, message, now);
                rest = behind.trim_start_matches(LINE_BREAK);
            }
        }
        let own = self.own_names(client).into_iter().find_map(|own| {
            split_trailing_leave(rest, &own).map(|before| (before.trim_end_matches(LINE_BREAK), own))
        });
        let Some((before, own)) = own else { return self.handle_line(client, rest, now) };
        self.handle_line(client, before, now);
        // What stood before may have been said under another name: this is a line like any other.
        self.handle_line(client, &format!("{own}{LEAVE_WORDS}"), now);
    }

    /// Whether the connection may say a line now: its outbox has place, and its bucket is not empty.
    pub(super) fn may_speak(&mut self, client: ClientId, now: Moment) -> bool {
        if self.awaits_history(client) || self.is_greeting(client) || self.has_unanswered(client) {
            return false;
        }
        if self.is_pressed() && self.is_extended(client) {
            // Named again once enough is kept.
            return false;
        }
        if let Some(session) = self.session_of(client).filter(|session| !self.sessions.knows_labels(*session))
        {
            self.ask_labels(client, session);
            return false;
        }
        if !self.has_place(client) {
            if let Some(outbox) = self.outbox_mut(client) {
                outbox.gated = true;
            }
            return false;
        }
        let Some(flood) = self.settings.flood else { return true };
        let Some(state) = self.client(client) else { return false };
        let next_at = state.bucket.next_at(flood, now);
        if state.origin.is_trusted || next_at <= now {
            return true;
        }
        self.wait_for_input(client, next_at);
        false
    }

    /// Whether as many lines of its session wait for their answers as may.
    fn has_unanswered(&self, client: ClientId) -> bool {
        let session = self.session_of(client).and_then(|session| self.sessions.get(session));
        session.is_some_and(|session| session.unanswered >= LABELS_KEPT)
    }

    fn count_line(&mut self, client: ClientId, now: Moment) {
        self.counts.lines_in += 1;
        let Some(flood) = self.settings.flood else { return };
        if let Some(state) = self.client_mut(client).filter(|state| !state.origin.is_trusted) {
            state.bucket.take(flood, now);
        }
    }

    /// Keeps input for later; nothing is read until it was taken.
    pub(super) fn hold_back(&mut self, client: ClientId, input: &[u8]) {
        let Some(state) = self.client_mut(client) else { return };
        state.is_held_back = true;
        if !sabotage::has(Bug::HeldBackLost) {
            state.input.waiting.extend_from_slice(input);
        }
    }

    pub(super) fn wait_for_input(&mut self, client: ClientId, due: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        state.input.due = due;
        self.timers.set(due, super::timers::Look::Input(client));
    }

    /// Keeps the sum of what is held for input within its bound.
    pub(super) fn count_held(&mut self, client: ClientId, now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        let (before, held) = (state.input.counted, state.held_bytes());
        match (before, held) {
            (0, 0) => return,
            (0, _) => state.input.since = now,
            _ => {}
        }
        state.input.counted = held;
        self.held_bytes = self.held_bytes - before + held;
        while self.held_bytes > HELD_BYTES_MAX {
            let waiting = self.clients.iter().enumerate().filter_map(|(index, state)| {
                let state = state.as_ref().filter(|state| state.held_bytes() > 0)?;
                Some((state.input.since, index))
            });
            let Some((_, index)) = waiting.min() else { return };
            self.cut(ClientId(u32::try_from(index).unwrap_or(u32::MAX)), Cut::Incomplete, now);
        }
    }
}
