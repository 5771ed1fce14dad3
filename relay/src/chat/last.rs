//! The end of a client's input: its last line, the answers that it still waits for, and then the close.

use std::time::Duration;

use tertulia_wire::lines::Line;

use super::client::Mode;
use super::unframed::begins_with_name;
use super::{Chat, ClientId};
use crate::moment::Moment;

/// How long a connection that has ended waits for the last answers: as long as a disk may be busy, and not for ever where
/// nothing can be kept.
pub const LAST_ANSWERS_AFTER: Duration = Duration::from_secs(60);

impl Chat {
    /// The connection will send no more. What it sent without an ending is its last line.
    pub fn handle_end_of_input(&mut self, client: ClientId, now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        state.has_ended = true;
        if !state.is_held_back {
            self.take_last(client, now);
        }
        self.count_held(client, now);
    }

    /// Nothing more will come: what stands there is the last line. Once all is answered, the connection ends.
    pub(super) fn take_last(&mut self, client: ClientId, now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        if state.is_closing {
            return;
        }
        if self.awaits_answers(client) {
            return self.wait_to_end(client, now);
        }
        let Some(state) = self.client_mut(client) else { return };
        let waiting = std::mem::take(&mut *state.input.waiting);
        match state.mode {
            Mode::Undecided if !waiting.contains(&b'\n') && begins_with_name(&waiting) => {
                self.set_mode(client, Mode::Unframed);
                self.say_message(client, waiting, now);
            }
            Mode::Undecided => {
                self.set_mode(client, Mode::Framed);
                self.take_lines(client, &waiting, now);
            }
            Mode::Framed => {}
            Mode::Unframed => self.say_message(client, waiting, now),
        }
        if self.client(client).is_none_or(|state| state.is_held_back || state.is_closing) {
            return;
        }
        // A program ends its lines: what is left of one was cut, and will be sent again whole, under the same label.
        if !self.is_extended(client) && !self.take_unended(client, now) {
            return;
        }
        if self.awaits_answers(client) {
            return self.wait_to_end(client, now);
        }
        self.close(client, now);
    }

    /// Takes a line without an ending. False: it has to wait.
    fn take_unended(&mut self, client: ClientId, now: Moment) -> bool {
        let Some(state) = self.client_mut(client) else { return false };
        let mut lines = std::mem::take(&mut state.lines);
        if !lines.incomplete().is_empty() && !self.may_speak(client, now) {
            let incomplete = lines.take_incomplete();
            self.hold_back(client, &[incomplete, b"\n".to_vec()].concat());
            return false;
        }
        match lines.finish() {
            // Cut off on its way, it would take the session from the connection that was opened since.
            Some(Line::Whole(line)) if line.starts_with(b"/hello") => {}
            Some(Line::Whole(line)) => self.take_line(client, line, now),
            Some(Line::TooLong) => self.refuse_too_long(client, now),
            None => {}
        }
        true
    }

    /// Whether something that it said or asked is still to be answered, and there is time for that.
    fn awaits_answers(&self, client: ClientId) -> bool {
        let session = self.session_of(client).and_then(|session| self.sessions.get(session));
        let is_unanswered = session.is_some_and(|session| session.unanswered > 0);
        self.awaits_history(client) || self.is_greeting(client) || is_unanswered
    }

    /// It is to hear the answers before it is closed.
    fn wait_to_end(&mut self, client: ClientId, now: Moment) {
        let Some(state) = self.client_mut(client) else { return };
        if state.input.ends_by == Moment::NEVER {
            state.input.ends_by = now.after(LAST_ANSWERS_AFTER);
        }
        let ends_by = state.input.ends_by;
        if ends_by <= now {
            return self.close(client, now);
        }
        state.is_held_back = true;
        self.wait_for_input(client, ends_by);
    }
}
