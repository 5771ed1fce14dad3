//! From a connection to a session: what is asked for, what the relay gives, what it refuses.

use std::borrow::Cow;

use super::config::{HELLO_WAIT, NAME_AGAIN_AFTER, TOKEN_WAIT};
use super::event::{Event, Reason};
use super::pace::Pace;
use super::{Identity, Link, SIDS_KEPT, Session, Settling};
use crate::extended::{After, Hello, VERSION};
use crate::heard::{Greeting, Heard};
use crate::limits::LINE_BYTES_MAX;
use crate::secret::Secret;

impl Session {
    /// Asks for extended mode. The token goes along only where there is one, and there is one only from this address; that of
    /// an account only where its password may go too.
    pub(super) fn send_hello(&mut self) {
        let may_go = |identity: &&Identity| self.connection.is_private || !identity.is_of_account;
        let identity = self.identity.as_ref().filter(may_go);
        let resume = identity.map(|identity| Secret(Cow::Borrowed(identity.token.as_str())));
        let has_asked_resume = resume.is_some();
        let heard =
            self.rooms.wanted().filter_map(|room| Some((Cow::Borrowed(room.name.as_str()), room.newest?)));
        let rooms: Vec<_> = heard.filter(|_| has_asked_resume).collect();
        // Of a room that is not named nothing is to come again.
        let all = rooms.iter().map(|(_, newest)| *newest).max();
        let hello = Hello {
            version: Some(VERSION.into()),
            name: Some(self.name.as_str().into()),
            room: self.first_room().map(Cow::Owned),
            resume,
            after: After { all, rooms },
            ..Hello::default()
        };
        let line = hello.to_string();
        self.connection.has_asked_resume = has_asked_resume;
        self.connection.is_resume_unknown = false;
        self.connection.hello_name = self.name.clone();
        self.connection.hello_room = self.first_room();
        self.send_urgent(&line);
        self.link = Link::Greeting { until: self.now.saturating_add(HELLO_WAIT) };
    }

    fn first_room(&self) -> Option<String> {
        self.rooms.wanted().next().map(|room| room.name.clone())
    }

    /// Something was changed that may have been why the relay refused.
    pub(super) fn ask_hello_again(&mut self) {
        if matches!(self.link, Link::Refused { .. }) {
            self.send_hello();
        }
    }

    /// A line that came before the session began. What others say is not for it yet.
    pub(super) fn handle_greeting(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::Hello(greeting) => self.handle_hello(greeting),
            Heard::ResumeUnknown => {
                self.connection.is_resume_unknown = true;
                self.wait_for_token();
            }
            Heard::HelloWaits => self.wait_for_token(),
            Heard::HelloRefused { code, sentence } => self.handle_hello_refused(code, sentence),
            Heard::Ping { word } => self.send_pong(word),
            Heard::LoggedIn { .. } => self.handle_logged_in(),
            Heard::LoginRefused { code, words, sentence } => self.handle_login_refused(code, words, sentence),
            Heard::TakenOver => self.handle_taken_over(),
            Heard::Closing => self.events.push_back(Event::Closing),
            Heard::Other { words, label, sentence } => self.tell_other(words, label, sentence),
            _ => {}
        }
    }

    /// It is a relay, and has a new token to keep before it can greet.
    fn wait_for_token(&mut self) {
        self.connection.is_relay = true;
        if matches!(self.link, Link::Greeting { .. }) {
            self.link = Link::Greeting { until: self.now.saturating_add(TOKEN_WAIT) };
        }
    }

    fn handle_hello_refused(&mut self, code: &str, sentence: &str) {
        self.connection.is_relay = true;
        if code == "VERSION" {
            return self.give_up(Reason::Version);
        }
        if code == "BANNED" && self.is_attended {
            return self.handle_removed(code, sentence);
        }
        if matches!(code, "NAME_REGISTERED" | "LOGIN_NEEDED") && self.answer_login_needed() {
            return;
        }
        let is_ghost = code == "NAME_IN_USE" && self.ghost_name.as_ref() == Some(&self.connection.hello_name);
        let again_in = is_ghost.then_some(NAME_AGAIN_AFTER);
        self.link = Link::Refused { again_at: again_in.map(|wait| self.now.saturating_add(wait)) };
        self.events.push_back(Event::HelloRefused {
            code: code.to_owned(),
            name: self.connection.hello_name.clone(),
            sentence: sentence.to_owned(),
            again_in,
        });
        if self.name != self.connection.hello_name || self.first_room() != self.connection.hello_room {
            self.send_hello();
        }
    }

    fn handle_hello(&mut self, greeting: Greeting<'_>) {
        let may_resume = self.connection.has_asked_resume && !self.connection.is_resume_unknown;
        let old_sid = self.identity.take().map(|identity| identity.sid);
        let is_resumed = may_resume && old_sid == Some(greeting.sid);
        if let Some(old_sid) = old_sid.filter(|_| !is_resumed) {
            self.old_sids.push_back(old_sid);
            if self.old_sids.len() > SIDS_KEPT {
                self.old_sids.pop_front();
            }
        }
        let token = Secret(greeting.token.0.into_owned());
        let is_of_account = greeting.role.is_some();
        self.identity = Some(Identity { token, sid: greeting.sid, is_of_account });
        self.link = Link::Ready;
        self.attempt = 0;
        self.line_bytes_max = greeting.line_bytes_max.min(LINE_BYTES_MAX);
        self.connection.pace = Pace::new(greeting.burst, greeting.rate, self.now);
        self.connection.pace.take(self.now);
        self.connection.settling = is_resumed.then_some(Settling::MarkerDue);
        self.rooms.rewind();
        if let Some(first) = self.connection.hello_room.as_ref().filter(|_| !is_resumed) {
            self.rooms.note_asked(first);
        }
        self.unanswered.rewind();
        self.fetches.rewind();
        self.reconcile(greeting.sid);
        let name = greeting.name.into_owned();
        // A name asked for since is still to be asked for; so is one that a resumed session did not have.
        if !is_resumed && self.name == self.connection.hello_name {
            self.name.clone_from(&name);
        }
        self.held_name = Some(name.clone());
        let durability = greeting.durability.into_owned();
        let role = greeting.role.map(|role| role.into_owned());
        self.events.push_back(Event::Ready { name, sid: greeting.sid, is_resumed, durability });
        self.note_role(role);
    }
}
