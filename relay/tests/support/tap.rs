//! Listens on the wire of one client, in both directions, and writes down what the checker of traces needs. It believes
//! nothing that the client itself makes of what it hears.

use std::collections::BTreeMap;

use tertulia_wire::command::Command;
use tertulia_wire::extended::Labeled;
use tertulia_wire::heard::{Heard, Said};
use tertulia_wire::limits::TAGGED_LINE_BYTES_MAX;
use tertulia_wire::lines::{Line, Lines};
use tertulia_wire::time::rfc3339;
use tertulia_wire::trace;

/// What all clients of a run wrote down.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) trace: trace::Trace,
    sessions: u32,
    /// Lines that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Tokens that the relay did not know any more.
    pub(crate) forgotten: u64,
}

impl Record {
    fn next_session(&mut self) -> trace::Session {
        self.sessions += 1;
        trace::Session(self.sessions)
    }
}

/// The wire of one client, through all of its connections.
#[derive(Debug)]
pub(crate) struct Tap {
    session: Option<trace::Session>,
    name: String,
    sent: Lines,
    heard: Lines,
    /// What the hello asked for: the newest id of each room, and of all others.
    after: BTreeMap<String, u64>,
    after_all: Option<u64>,
    readers: BTreeMap<String, trace::Reader>,
    /// HELLO has come, and behind it nothing but rooms.
    is_greeted_now: bool,
}

impl Tap {
    pub(crate) fn new() -> Self {
        Self {
            session: None,
            name: String::new(),
            sent: Lines::new(TAGGED_LINE_BYTES_MAX),
            heard: Lines::new(TAGGED_LINE_BYTES_MAX),
            after: BTreeMap::new(),
            after_all: None,
            readers: BTreeMap::new(),
            is_greeted_now: false,
        }
    }

    /// A new connection begins.
    pub(crate) fn connect(&mut self) {
        self.sent = Lines::new(TAGGED_LINE_BYTES_MAX);
        self.heard = Lines::new(TAGGED_LINE_BYTES_MAX);
        self.readers.clear();
        self.after.clear();
        self.after_all = None;
    }

    /// Bytes that the client is about to send.
    pub(crate) fn sends(&mut self, mut bytes: &[u8], record: &mut Record) {
        let mut lines = std::mem::take(&mut self.sent);
        while let Some(line) = lines.next(&mut bytes) {
            let Line::Whole(line) = line else { continue };
            let line = String::from_utf8_lossy(line).into_owned();
            self.sends_line(&line, record);
        }
        self.sent = lines;
    }

    fn sends_line(&mut self, line: &str, record: &mut Record) {
        if let Some(Ok(Command::Hello(hello))) = line.strip_prefix('/').map(Command::parse) {
            self.after_all = hello.after.all;
            self.after = hello.after.rooms.iter().map(|(room, id)| (room.to_string(), *id)).collect();
            if hello.resume.is_none() {
                self.session = None;
            }
        }
        let Ok(said) = Labeled::parse(line) else { return };
        let (Some(session), None) = (self.session, &said.to) else { return };
        let name = match &said.as_who {
            Some(who) => format!("{} - {who}", self.name),
            None => self.name.clone(),
        };
        let room = said.room.as_deref().unwrap_or("general");
        record.trace.said(session, said.label, room, &name, said.text);
    }

    /// Bytes that the client has just heard.
    pub(crate) fn hears(&mut self, mut bytes: &[u8], record: &mut Record) {
        let mut lines = std::mem::take(&mut self.heard);
        while let Some(line) = lines.next(&mut bytes) {
            let Line::Whole(line) = line else { panic!("a line that is too long") };
            let line = std::str::from_utf8(line).expect("the relay writes UTF-8").to_owned();
            self.hears_line(&line, record);
        }
        self.heard = lines;
    }

    fn hears_line(&mut self, line: &str, record: &mut Record) {
        let heard = Heard::parse(line);
        let is_joined = matches!(heard, Heard::Joined { .. });
        self.is_greeted_now = matches!(heard, Heard::Hello(_)) || (is_joined && self.is_greeted_now);
        match heard {
            Heard::ResumeUnknown => {
                record.forgotten += 1;
                self.session = None;
            }
            Heard::Hello(greeting) => {
                self.name = greeting.name.into_owned();
                let session = self.session.unwrap_or_else(|| {
                    (self.after_all, self.after) = (None, BTreeMap::new());
                    record.next_session()
                });
                self.session = Some(session);
                record.trace.hello(session, greeting.sid);
            }
            Heard::Joined { room, last } => self.joins(&room, last.unwrap_or_default(), record),
            Heard::Parted { room } => drop(self.readers.remove(&*room)),
            Heard::Said(said) => self.hears_said(&said, record),
            Heard::Gap { room, from, to } => {
                let reader =
                    self.readers.get(&*room).unwrap_or_else(|| panic!("a gap where it is not: {line}"));
                record.trace.gap(*reader, from, to);
            }
            Heard::Ack { label, id, unix_ms } => {
                record.acknowledged += 1;
                let session = self.session.expect("it was greeted");
                let time = unix_ms.map(rfc3339).expect("an acknowledgement has a time");
                record.trace.acked(session, label, id, &time);
            }
            Heard::NotKept { label, id } => {
                record.trace.not_kept(self.session.expect("it was greeted"), label, id);
            }
            Heard::SayRefused { label, .. } => {
                record.trace.refused(self.session.expect("it was greeted"), label);
            }
            _ => {}
        }
    }

    fn joins(&mut self, room: &str, last: u64, record: &mut Record) {
        let session = self.session.expect("it was greeted");
        if self.readers.contains_key(room) {
            return;
        }
        let after = self.after.remove(room).or(self.after_all).filter(|_| self.is_greeted_now);
        let reader = match after {
            Some(after) => record.trace.resumes(session, room, after),
            None => record.trace.listens(session, room, last),
        };
        self.readers.insert(room.to_owned(), reader);
    }

    /// Only what came by itself: an answer of the history carries the label of its question.
    fn hears_said(&mut self, said: &Said<'_>, record: &mut Record) {
        let (Some(id), Some(room), Some(key), None, None) =
            (said.id, &said.room, &said.key, &said.notice, &said.label)
        else {
            return;
        };
        let reader = self.readers.get(&**room).unwrap_or_else(|| panic!("heard where it is not: {said:?}"));
        let name = said.name.to_string();
        let line = trace::Line { id, sid: key.sid, label: key.label, name: &name, text: said.text };
        record.trace.heard(*reader, &line);
    }

    /// All that was said up to this id in these rooms must have been heard by now.
    pub(crate) fn has_caught_up(&self, id: u64, record: &mut Record) {
        for reader in self.readers.values() {
            record.trace.caught_up(*reader, id);
        }
    }
}
