//! The rooms of a session: in which it wants to be, in which it is, and what it has heard of each.

use std::collections::VecDeque;

use crate::limits::ROOMS_PER_CLIENT_MAX;
use crate::name::check_room;

/// Rooms that are known at once, those included that are being left. What the relay says of further ones is ignored.
const ROOMS_KNOWN_MAX: usize = 2 * ROOMS_PER_CLIENT_MAX;

/// Whether the relay has the session in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    Out,
    /// Asked for.
    Asked,
    In,
    /// Given up, and not answered yet.
    Leaving,
}

/// A room.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) name: String,
    pub(super) is_wanted: bool,
    pub(super) seat: Seat,
    /// All up to this id was heard, or is a gap that is known. None: it was never entered.
    pub(super) newest: Option<u64>,
}

/// The rooms, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: Vec<Room>,
    /// What was asked for over this connection and not answered, oldest first.
    asked: VecDeque<String>,
    /// The relay has taken the last room that was wanted away: where it puts the session then, it stays.
    is_homeless: bool,
}

/// What is to be asked of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Move {
    Join(String),
    Part(String),
}

impl Rooms {
    /// Wants to be in a room. False: in too many.
    pub(super) fn want(&mut self, name: &str) -> bool {
        self.is_homeless = false;
        if self.wanted().any(|room| room.name == name) {
            return true;
        }
        if self.wanted().count() >= ROOMS_PER_CLIENT_MAX {
            return false;
        }
        if let Some(room) = self.get_mut(name) {
            room.is_wanted = true;
            return true;
        }
        if self.rooms.len() >= ROOMS_KNOWN_MAX {
            return false;
        }
        self.rooms.push(Room { name: name.to_owned(), is_wanted: true, seat: Seat::Out, newest: None });
        true
    }

    /// Does not want to be in a room any more.
    pub(super) fn forgo(&mut self, name: &str) {
        self.is_homeless = false;
        if let Some(room) = self.get_mut(name) {
            room.is_wanted = false;
        }
        self.rooms.retain(|room| room.is_wanted || room.seat != Seat::Out);
    }

    pub(super) fn wanted(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter().filter(|room| room.is_wanted)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Room> {
        self.rooms.iter().find(|room| room.name == name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| room.name == name)
    }

    /// It may be one that is not wanted.
    fn get_or_add(&mut self, name: &str) -> Option<&mut Room> {
        if self.get(name).is_none() {
            if self.rooms.len() >= ROOMS_KNOWN_MAX || check_room(name).is_err() {
                return None;
            }
            self.rooms.push(Room { name: name.to_owned(), is_wanted: false, seat: Seat::Out, newest: None });
        }
        self.get_mut(name)
    }

    /// There is a new connection: the relay says again which rooms it is in.
    pub(super) fn rewind(&mut self) {
        self.rooms.retain(|room| room.is_wanted);
        self.rooms.iter_mut().for_each(|room| room.seat = Seat::Out);
        self.asked.clear();
        self.is_homeless = false;
    }

    /// The next that is to be asked for, noted as asked.
    pub(super) fn take_move(&mut self) -> Option<Move> {
        let room = self.rooms.iter_mut().find(|room| is_due(room))?;
        if room.is_wanted {
            room.seat = Seat::Asked;
            self.asked.push_back(room.name.clone());
            Some(Move::Join(room.name.clone()))
        } else {
            room.seat = Seat::Leaving;
            Some(Move::Part(room.name.clone()))
        }
    }

    /// The hello itself asks for this room.
    pub(super) fn note_asked(&mut self, name: &str) {
        if let Some(room) = self.get_mut(name) {
            room.seat = Seat::Asked;
        }
    }

    /// The relay has the session in this room now. None: it can be none, or too many are known.
    pub(super) fn handle_joined(&mut self, name: &str) -> Option<&mut Room> {
        self.asked.retain(|asked| asked != name);
        let is_home = std::mem::take(&mut self.is_homeless) && self.wanted().next().is_none();
        let room = self.get_or_add(name)?;
        room.is_wanted |= is_home;
        Some(room)
    }

    /// The relay refuses the room that it names, or what it was asked for first: answers come in the order of the questions.
    /// None: it is none of the session's.
    pub(super) fn handle_refused(&mut self, named: Option<&str>) -> Option<String> {
        let name = match named {
            Some(name) => self.get(name)?.name.clone(),
            None => self.asked.front()?.clone(),
        };
        let is_taken_away = self.get(&name).is_some_and(|room| room.is_wanted && room.seat != Seat::Asked);
        self.asked.retain(|asked| *asked != name);
        self.rooms.retain(|room| room.name != name);
        self.is_homeless = is_taken_away && self.wanted().next().is_none();
        Some(name)
    }

    pub(super) fn has_move(&self) -> bool {
        self.rooms.iter().any(is_due)
    }

    /// The session is out of a room. One that it did not give up is not asked for again.
    pub(super) fn handle_parted(&mut self, name: &str) {
        let is_taken_away = self.get(name).is_some_and(|room| room.is_wanted && room.seat != Seat::Leaving);
        if let Some(room) = self.get_mut(name) {
            room.is_wanted &= room.seat == Seat::Leaving;
            room.seat = Seat::Out;
            room.newest = None;
        }
        self.rooms.retain(|room| room.is_wanted || room.seat != Seat::Out);
        self.is_homeless = is_taken_away && self.wanted().next().is_none();
    }
}

fn is_due(room: &Room) -> bool {
    match room.seat {
        Seat::Out => room.is_wanted,
        Seat::In => !room.is_wanted,
        Seat::Asked | Seat::Leaving => false,
    }
}
