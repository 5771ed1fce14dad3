//! How a session begins: with what the file keeps of the last one, or anew.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use tertulia_wire::session::{Config, Say, Session};

use super::Report;
use super::mouth::Mouth;
use crate::model::{LinkEvent, Unsent};
use crate::outbox::Outbox;

/// What a session begins with.
pub(super) struct Begin {
    pub(super) relay: String,
    pub(super) name: String,
    pub(super) rooms: Vec<String>,
}

impl Begin {
    pub(super) fn config(&self) -> Config {
        let rooms: Vec<&str> = self.rooms.iter().map(String::as_str).collect();
        // Any bits that differ from those of the next window.
        let seed = RandomState::new().build_hasher().finish();
        Config::new(&self.relay, &self.name, &rooms, seed)
    }
}

/// The session of the file, or a new one.
pub(super) fn restore(begin: &Begin, outbox: &Outbox, mouth: &mut Mouth) -> Session {
    let why = match outbox.read() {
        Ok(None) => return Session::new(begin.config()),
        Ok(Some(text)) => match Session::restore(begin.config(), &text) {
            Ok(session) => {
                let lines: Vec<Unsent> = session.unanswered_lines().map(unsent).collect();
                if !lines.is_empty() {
                    mouth.say_event(LinkEvent::Restored(lines));
                }
                return session;
            }
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    match outbox.set_aside() {
        Ok(path) => mouth.say(Report::SetAside { path, why }),
        Err(error) => mouth.say_event(LinkEvent::OutboxFailed { reason: error.to_string() }),
    }
    Session::new(begin.config())
}

fn unsent((label, say): (&str, Say<'_>)) -> Unsent {
    Unsent {
        label: label.to_owned(),
        room: say.room.to_owned(),
        to: say.to.map(str::to_owned),
        reply: say.reply,
        text: say.text.to_owned(),
    }
}
