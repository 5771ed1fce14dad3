//! How a session begins: with what the file keeps of the last one, or anew.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use tertulia_wire::session::{Config, RestoreError, Say, Session};

use super::Report;
use super::mouth::Mouth;
use crate::model::{LinkEvent, Refusal, Secure, Unsent};
use crate::outbox::Outbox;
use crate::phrases::{Phrase, Sentence};
use crate::trouble;

/// What a session begins with.
pub(super) struct Begin {
    pub(super) relay: String,
    pub(super) name: String,
    pub(super) rooms: Vec<String>,
    pub(super) tls: Option<Secure>,
}

impl Begin {
    pub(super) fn config(&self) -> Config {
        let rooms: Vec<&str> = self.rooms.iter().map(String::as_str).collect();
        // Any bits that differ from those of the next window.
        let seed = RandomState::new().build_hasher().finish();
        let config = Config::new(&self.address(), &self.name, &rooms, seed);
        Config { keeps_refused: true, is_attended: true, ..config }
    }

    /// What the session knows the relay by: a token that was given through TLS goes nowhere without it.
    fn address(&self) -> String {
        if self.tls.is_some() { format!("tls://{}", self.relay) } else { self.relay.clone() }
    }
}

/// The session of the file, or a new one.
pub(super) fn restore(begin: &Begin, outbox: &Outbox, mouth: &mut Mouth) -> Session {
    let why = match outbox.read() {
        Ok(None) => return Session::new(begin.config()),
        Ok(Some(text)) => match Session::restore(begin.config(), &text) {
            Ok(session) => {
                tell_restored(&session, mouth);
                return session;
            }
            Err(error) => restore_why(error),
        },
        Err(error) => trouble::why(&error.error),
    };
    match outbox.set_aside() {
        Ok(path) => mouth.say(Report::SetAside { path, why }),
        Err(error) => mouth.say_event(LinkEvent::OutboxFailed { reason: trouble::why(&error.error) }),
    }
    Session::new(begin.config())
}

/// Tells the window what a session has of earlier times: what it still says, and what it does not say any more.
pub(super) fn tell_restored(session: &Session, mouth: &mut Mouth) {
    let said = session.unanswered_lines().map(|(label, say)| unsent(label, &say, None));
    let refused = session.refused_lines().map(|line| {
        let refusal = match line.address {
            Some(address) => Refusal::OtherRelay(address.to_owned()),
            None => Refusal::Before,
        };
        unsent(line.label, &line.say, Some(refusal))
    });
    let lines: Vec<Unsent> = said.chain(refused).collect();
    if !lines.is_empty() {
        mouth.say_event(LinkEvent::Restored(lines));
    }
}

fn unsent(label: &str, say: &Say<'_>, refusal: Option<Refusal>) -> Unsent {
    Unsent {
        label: label.to_owned(),
        room: say.room.to_owned(),
        to: say.to.map(str::to_owned),
        reply: say.reply,
        text: say.text.to_owned(),
        refusal,
    }
}

fn restore_why(error: RestoreError) -> Sentence {
    match error {
        RestoreError::Version => Sentence::from(Phrase::NoSession),
        RestoreError::Line { number, .. } => Sentence::new(Phrase::LineWrong, &[&number.to_string()]),
        RestoreError::TooManyLines => Sentence::from(Phrase::SessionTooMany),
    }
}
