//! Lines on their way to the room: when they are said, and what the relay answers. An update is confirmed only once all its lines
//! are acknowledged. `inbound` makes the lines.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::link::NoticeKind;
use super::{Bridge, Now, Output, SayLine};
use crate::phrases::Phrase;

/// Longest text of a line: what the relay takes, less tags and a name whose every character is escaped.
pub const SAY_BYTES_MAX: usize = 15_000;

/// Lines that the session is given at once; the next ones wait for answers.
pub const SAYS_OPEN_MAX: usize = 64;

/// How long after a room did not let the bridge in it is asked again.
const JOIN_AGAIN: Duration = Duration::from_secs(30);

/// A line of an update, until it is answered.
#[derive(Debug)]
struct Open {
    update: i64,
    link: usize,
    /// The message it says; 0 where it says none.
    message: i64,
    /// Grows from line to line.
    number: u64,
    line: SayLine,
}

#[derive(Debug, Default)]
pub(super) struct Inbound {
    /// Updates whose lines are not all answered, and how many are not; oldest first, at most one poll's.
    pending: VecDeque<(i64, usize)>,
    /// Labels of lines that are to be said, by their numbers.
    waiting: VecDeque<(u64, String)>,
    open: HashMap<String, Open>,
    /// So many of `open` were given to the session.
    given: usize,
    next_number: u64,
}

impl Inbound {
    /// All updates of the last poll are dealt with.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn unanswered(&self) -> usize {
        self.open.len()
    }

    /// An update has come; its lines follow.
    pub(super) fn begin(&mut self, update: i64) {
        self.pending.push_back((update, 0));
    }

    /// Back among what waits, where it was.
    fn put_back(&mut self, number: u64, label: &str) {
        let at = self.waiting.iter().position(|(other, _)| *other > number).unwrap_or(self.waiting.len());
        self.waiting.insert(at, (number, label.to_owned()));
    }
}

impl Bridge {
    /// The label of a line: with another bot, or another server, none comes again.
    pub(super) fn label(&self, label: &str) -> String {
        match self.source.generation {
            0 => label.to_owned(),
            generation => format!("g{generation}.{label}"),
        }
    }

    pub(super) fn say_for_update(
        &mut self,
        update: i64,
        link: usize,
        message: i64,
        who: &str,
        (label, text, reply): (String, String, Option<u64>),
    ) {
        let Some(room) = self.links.get(link).map(|link| link.settings.room.clone()) else { return };
        let inbound = &mut self.inbound;
        if let Some((_, open)) = inbound.pending.iter_mut().find(|(id, _)| *id == update) {
            *open = open.saturating_add(1);
        }
        let number = inbound.next_number;
        inbound.next_number = number.saturating_add(1);
        let as_who = Some(who.to_owned()).filter(|who| !who.is_empty());
        let line = SayLine { label: label.clone(), room, text, reply, as_who };
        inbound.waiting.push_back((number, label.clone()));
        inbound.open.insert(label, Open { update, link, message, number, line });
    }

    /// What is for a room that does not let the bridge in waits; nothing else waits for it.
    pub(super) fn say_what_waits(&mut self) {
        let links = &self.links;
        let inbound = &mut self.inbound;
        while inbound.given < SAYS_OPEN_MAX {
            let is_out = |open: &Open| links.get(open.link).is_some_and(|link| link.is_out);
            let may_go =
                |(_, label): &(u64, String)| inbound.open.get(label).is_none_or(|open| !is_out(open));
            let Some(at) = inbound.waiting.iter().position(may_go) else { return };
            let Some((_, label)) = inbound.waiting.remove(at) else { return };
            let Some(open) = inbound.open.get(&label) else { continue };
            inbound.given = inbound.given.saturating_add(1);
            self.outputs.push_back(Output::Say(open.line.clone()));
        }
    }

    /// The relay has said a line, and keeps it.
    pub fn handle_acknowledged(&mut self, label: &str, id: u64, now: Now) {
        if let Some(open) = self.inbound.open.remove(label) {
            self.counters.lines_to_chat += 1;
            if let Some(link) = self.links.get_mut(open.link).filter(|_| open.message != 0) {
                link.ids.pair(open.message, id);
            }
            self.close_line(open.update);
        }
        self.advance(now);
    }

    /// The relay will not say a line. `LABEL_REUSED`: it has said one under this label, and that is the same message. `NO_ROOM`: it
    /// is said once the room lets the bridge in.
    pub fn handle_say_refused(&mut self, label: &str, code: &str, now: Now) {
        if matches!(code, "NO_ROOM" | "FULL") {
            if let Some(open) = self.inbound.open.get(label) {
                let (number, room) = (open.number, open.line.room.clone());
                self.inbound.given = self.inbound.given.saturating_sub(1);
                self.inbound.put_back(number, label);
                self.handle_room_lost(&room, now);
            }
            return;
        }
        if let Some(open) = self.inbound.open.remove(label) {
            if code != "LABEL_REUSED" && code != "EMPTY" {
                let who = open.line.as_who.unwrap_or_default();
                let why = match code {
                    "LINE_TOO_LONG" => Phrase::TooLong.with(self.language(), &[]),
                    "HOLDS_PASSWORD" => Phrase::HoldsPassword.with(self.language(), &[]),
                    other => other.to_owned(),
                };
                let text = Phrase::Unsayable.with(self.language(), &[&who, &why]);
                if let Some(link) = self.links.get_mut(open.link) {
                    link.notify(NoticeKind::Lost, &text);
                }
                self.log(
                    format!("el relay no acepta la línea {label}: {code}"),
                    format!("the relay does not accept line {label}: {code}"),
                );
            }
            self.close_line(open.update);
        }
        self.advance(now);
    }

    /// A room does not let the bridge in, or has put it out. It is asked again, and what is for it waits.
    pub fn handle_room_lost(&mut self, room: &str, now: Now) {
        if let Some(link) = self.link_of_room(room).and_then(|index| self.links.get_mut(index)) {
            let was_out = std::mem::replace(&mut link.is_out, true);
            if !was_out {
                link.join_at = now.at.saturating_add(JOIN_AGAIN);
                self.log(
                    format!("la sala {room} no deja entrar al puente; se intenta otra vez, y lo que se escribe en Telegram espera"),
                    format!("room {room} does not let the bridge in; it is tried again, and what is written in Telegram waits"),
                );
            }
        }
        self.advance(now);
    }

    /// The bridge is in a room, and hears it.
    pub fn handle_room_joined(&mut self, room: &str, now: Now) {
        let link = self.link_of_room(room).and_then(|index| self.links.get_mut(index));
        if link.is_some_and(|link| std::mem::take(&mut link.is_out)) {
            self.log(
                format!("el puente está de nuevo en la sala {room}"),
                format!("the bridge is in room {room} again"),
            );
            return self.handle_missed(room, now);
        }
        self.advance(now);
    }

    pub(super) fn join_again(&mut self, now: Duration) {
        let is_due = |link: &&mut super::link::Link| link.is_out && link.join_at <= now;
        for link in self.links.iter_mut().filter(is_due).filter(|_| self.is_relay_ready) {
            link.join_at = now.saturating_add(JOIN_AGAIN);
            self.outputs.push_back(Output::Join { room: link.settings.room.clone() });
        }
    }

    fn close_line(&mut self, update: i64) {
        self.inbound.given = self.inbound.given.saturating_sub(1);
        if let Some((_, open)) = self.inbound.pending.iter_mut().find(|(id, _)| *id == update) {
            *open = open.saturating_sub(1);
        }
        self.confirm_what_is_done();
    }

    pub(super) fn confirm_what_is_done(&mut self) {
        while let Some((update, _)) = self.inbound.pending.front().copied().filter(|(_, open)| *open == 0) {
            self.inbound.pending.pop_front();
            self.polling.offset = update.saturating_add(1);
        }
    }
}
