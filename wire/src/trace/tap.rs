//! Listens on the wire of one client, in both directions, and writes down what the checker needs. It believes nothing that
//! the client itself makes of what it hears, and has no socket: who has one hands over the bytes, cut anywhere.

use std::collections::BTreeMap;

use super::words::Map;
use super::{Fault, Line, Reader, Session, Trace};
use crate::command::Command;
use crate::extended::Labeled;
use crate::heard::{Greeting, Heard, Said};
use crate::limits::{ROOM_DEFAULT, ROOMS_PER_CLIENT_MAX, TAGGED_LINE_BYTES_MAX};
use crate::lines::{self, Lines};
use crate::time::rfc3339;

/// What stands for a line of which nothing was kept.
const NOTHING_KEPT: &str = "…";

/// What all clients of a run wrote down.
#[derive(Debug, Default)]
pub struct Recorder {
    /// It all, in the order in which it happened. Cuts and deaths of the relay are the caller's to record.
    pub trace: Trace,
    /// Acknowledgements, each time that one came.
    pub acknowledged: u64,
    /// Tokens that the relay did not know any more.
    pub forgotten: u64,
    sessions: u32,
    sids: Map<u64, Session>,
    is_among_strangers: bool,
}

impl Recorder {
    /// Nothing happened yet, and all who will talk have a tap on their wires.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with this trace, where others talk as well: lines under the key of a session that no tap saw greeted are
    /// not recorded.
    pub fn among_strangers(trace: Trace) -> Self {
        Self { trace, is_among_strangers: true, ..Self::default() }
    }

    /// Whether a tap saw this session greeted.
    pub fn knows(&self, sid: u64) -> bool {
        self.sids.contains_key(&sid)
    }

    fn next_session(&mut self) -> Session {
        self.sessions = self.sessions.saturating_add(1);
        Session(self.sessions)
    }
}

/// The wire of one client, through all of its connections.
#[derive(Debug)]
pub struct Tap {
    session: Option<Session>,
    name: String,
    sent: Lines,
    heard: Lines,
    /// What the hello asked for: the newest id of each room, and of all others.
    after: BTreeMap<String, u64>,
    after_all: Option<u64>,
    /// At most [`ROOMS_PER_CLIENT_MAX`], by room.
    ears: BTreeMap<String, Ear>,
    /// HELLO has come on this connection.
    is_greeted: bool,
    /// And behind it nothing but rooms.
    is_greeted_now: bool,
}

#[derive(Debug)]
struct Ear {
    reader: Reader,
    /// Up to this id all was heard, or announced as missing.
    newest: u64,
}

impl Default for Tap {
    fn default() -> Self {
        Self {
            session: None,
            name: String::new(),
            sent: Lines::new(TAGGED_LINE_BYTES_MAX),
            heard: Lines::new(TAGGED_LINE_BYTES_MAX),
            after: BTreeMap::new(),
            after_all: None,
            ears: BTreeMap::new(),
            is_greeted: false,
            is_greeted_now: false,
        }
    }
}

impl Tap {
    /// On the wire of a client that has never been connected.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new connection begins.
    pub fn connect(&mut self) {
        let (session, name) = (self.session, std::mem::take(&mut self.name));
        *self = Self { session, name, ..Self::default() };
    }

    /// Bytes that the client is about to send. Each line is complete before any answer to it is heard.
    pub fn sends(&mut self, mut bytes: &[u8], recorder: &mut Recorder) {
        let mut sent = std::mem::take(&mut self.sent);
        while let Some(line) = sent.next(&mut bytes) {
            let lines::Line::Whole(line) = line else { continue };
            self.sends_line(&String::from_utf8_lossy(line), recorder);
        }
        self.sent = sent;
    }

    fn sends_line(&mut self, line: &str, recorder: &mut Recorder) {
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
        let room = said.room.as_deref().unwrap_or(ROOM_DEFAULT);
        recorder.trace.said(session, said.label, room, &name, said.text);
    }

    /// Bytes that the client has just heard.
    pub fn hears(&mut self, mut bytes: &[u8], recorder: &mut Recorder) {
        let mut heard = std::mem::take(&mut self.heard);
        while let Some(line) = heard.next(&mut bytes) {
            let (fault, line) = match line {
                lines::Line::TooLong => (Err(Fault::TooLong), NOTHING_KEPT.into()),
                lines::Line::Whole(line) => match std::str::from_utf8(line) {
                    Ok(line) => (self.hears_line(line, recorder), line.into()),
                    Err(_) => (Err(Fault::NotUtf8), String::from_utf8_lossy(line)),
                },
            };
            if let Err(fault) = fault {
                // A token is nobody's to see.
                let line = line.split(" token=").next().unwrap_or_default();
                recorder.trace.faulty(self.session, fault, line);
            }
        }
        self.heard = heard;
    }

    fn hears_line(&mut self, line: &str, recorder: &mut Recorder) -> Result<(), Fault> {
        let heard = Heard::parse(line);
        let is_joined = matches!(heard, Heard::Joined { .. });
        self.is_greeted_now = matches!(heard, Heard::Hello(_)) || (is_joined && self.is_greeted_now);
        match heard {
            Heard::Renamed { name } => self.name = name.into_owned(),
            Heard::ResumeUnknown => {
                recorder.forgotten += 1;
                self.session = None;
            }
            Heard::Hello(greeting) => self.hears_hello(greeting, recorder),
            Heard::Joined { room, last } => self.joins(&room, last.unwrap_or_default(), recorder)?,
            Heard::Parted { room } => drop(self.ears.remove(&*room)),
            Heard::Said(said) => self.hears_said(&said, recorder)?,
            Heard::Gap { room, from, to } => {
                let ear = self.ear(&room)?;
                ear.newest = ear.newest.max(to);
                recorder.trace.gap(ear.reader, from, to);
            }
            Heard::Ack { label, id, unix_ms } => {
                let session = self.greeted()?;
                let time = unix_ms.map(rfc3339).ok_or(Fault::NoTime)?;
                recorder.acknowledged += 1;
                recorder.trace.acked(session, label, id, &time);
            }
            Heard::NotKept { label, id } => recorder.trace.not_kept(self.greeted()?, label, id),
            Heard::SayRefused { label, .. } => recorder.trace.refused(self.greeted()?, label),
            // Before it is greeted it hears what a plain client does.
            Heard::Unreadable if self.is_greeted => return Err(Fault::Unreadable),
            _ => {}
        }
        Ok(())
    }

    fn hears_hello(&mut self, greeting: Greeting<'_>, recorder: &mut Recorder) {
        self.is_greeted = true;
        self.name = greeting.name.into_owned();
        let session = self.session.unwrap_or_else(|| {
            (self.after_all, self.after) = (None, BTreeMap::new());
            recorder.next_session()
        });
        self.session = Some(session);
        recorder.sids.insert(greeting.sid, session);
        recorder.trace.hello(session, greeting.sid);
    }

    fn greeted(&self) -> Result<Session, Fault> {
        self.session.filter(|_| self.is_greeted).ok_or(Fault::BeforeHello)
    }

    fn ear(&mut self, room: &str) -> Result<&mut Ear, Fault> {
        self.greeted()?;
        self.ears.get_mut(room).ok_or(Fault::NotInRoom)
    }

    fn joins(&mut self, room: &str, last: u64, recorder: &mut Recorder) -> Result<(), Fault> {
        let session = self.greeted()?;
        if self.ears.contains_key(room) {
            return Ok(());
        }
        if self.ears.len() >= ROOMS_PER_CLIENT_MAX {
            return Err(Fault::TooManyRooms);
        }
        let after = self.after.remove(room).or(self.after_all).filter(|_| self.is_greeted_now);
        let reader = match after {
            Some(after) => recorder.trace.resumes(session, room, after),
            None => recorder.trace.listens(session, room, last),
        };
        self.ears.insert(room.to_owned(), Ear { reader, newest: after.unwrap_or(last) });
        Ok(())
    }

    /// Only what came by itself: an answer of the history carries the label of its question.
    fn hears_said(&mut self, said: &Said<'_>, recorder: &mut Recorder) -> Result<(), Fault> {
        let (Some(id), Some(room), Some(key), None, None) =
            (said.id, &said.room, &said.key, &said.notice, &said.label)
        else {
            return Ok(());
        };
        let ear = self.ear(room)?;
        ear.newest = ear.newest.max(id);
        if !recorder.is_among_strangers || recorder.knows(key.sid) {
            let name = said.name.to_string();
            let line = Line { id, sid: key.sid, label: key.label, name: &name, text: said.text };
            recorder.trace.heard(ear.reader, &line);
        }
        Ok(())
    }

    /// Whether all rooms that it is in were heard up to this id, or what is missing was announced.
    pub fn has_heard(&self, id: u64) -> bool {
        self.ears.values().all(|ear| ear.newest >= id)
    }

    /// All that was said up to this id in the rooms that it is in must have been heard by now: it was waited for.
    pub fn caught_up(&self, id: u64, recorder: &mut Recorder) {
        for ear in self.ears.values() {
            recorder.trace.caught_up(ear.reader, id);
        }
    }
}
