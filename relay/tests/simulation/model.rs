//! The shadow of the chat, written from PROTOCOL.md and as naively as it can be: who is where, what each is to
//! hear, and when each line counts. What is said is in `speech`; here are bytes, time and the ends of clients.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use tertulia_relay::phrases::{Language, Phrase};

use crate::ears::{Ears, Place, RoomNo};
use crate::grammar::{JOIN, LEAVE};
use crate::seen::Seen;
use crate::speech::Held;

const BLOCK_BYTES: u64 = 32 * 1024;
const CLOSING_AFTER_US: u64 = 10_000_000;
const STORM_US: u64 = 1_000_000;
const NOTICES_MAX: u32 = 20;

#[derive(Debug)]
pub(crate) struct Model {
    /// Lines at once, and how long each more takes.
    pub(crate) flood: Option<(u64, u64)>,
    pub(crate) language: Language,
    pub(crate) people: BTreeMap<u32, Person>,
    pub(crate) rooms: BTreeMap<String, Room>,
    next_room: RoomNo,
    /// Of each room's log; 0: as much as is needed.
    log_bytes_max: u64,
    /// Who has fallen out of a log and is to be cut.
    pub(crate) fallen: BTreeSet<u32>,
    pub(crate) lines_in: u64,
    /// Room and line of what was said and is to be kept.
    pub(crate) kept: VecDeque<(String, String)>,
    pub(crate) seen: Seen,
}

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) number: RoomNo,
    /// Bytes said in it.
    end: u64,
    /// Where each block that is kept begins; the last one ends at `end`.
    blocks: VecDeque<u64>,
    storm: Storm,
}

#[derive(Debug, Default)]
struct Storm {
    window_end: u64,
    shown: u32,
    joined: u32,
    left: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Undecided,
    Framed,
    Unframed,
}

#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) is_trusted: bool,
    /// What is left in the bucket, in microseconds of its refilling, and when that was.
    pub(crate) level: (u64, u64),
    pub(crate) held: Option<Held>,
    /// `None`: it is being closed.
    pub(crate) room: Option<String>,
    pub(crate) ears: Ears,
    pub(crate) mode: Mode,
    /// What was read and is not yet a line.
    pub(crate) input: Vec<u8>,
    /// The rest of a line that was too long.
    pub(crate) is_swallowing: bool,
    /// That a line was too long is still to be said.
    pub(crate) owes_refusal: bool,
    pub(crate) is_first: bool,
    /// Its lines wait, for flood control or for place.
    pub(crate) is_held_back: bool,
    pub(crate) is_gated: bool,
    pub(crate) has_ended: bool,
    /// When its input is looked at.
    pub(crate) due: Option<u64>,
    closing: Option<Closing>,
    /// It had its time to read its last lines.
    pub(crate) is_over: bool,
}

#[derive(Debug, Clone, Copy)]
struct Closing {
    /// When it is to have read some of its last lines.
    due: u64,
    /// What it had heard when that began.
    heard: u64,
    /// The room whose last lines it has still to hear.
    room: Option<RoomNo>,
}

/// What is due; of the same moment in this order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Input(u32),
    Close(u32),
    Storm(String),
}

impl Model {
    pub(crate) fn new(flood: Option<(u64, u64)>, language: Language, log_bytes_max: usize) -> Self {
        let mut model = Self {
            flood,
            language,
            people: BTreeMap::new(),
            rooms: BTreeMap::new(),
            next_room: 0,
            log_bytes_max: log_bytes_max as u64,
            fallen: BTreeSet::new(),
            lines_in: 0,
            kept: VecDeque::new(),
            seen: Seen::default(),
        };
        model.open_room("general");
        model
    }

    pub(crate) fn connect(&mut self, id: u32, is_trusted: bool, now: u64) {
        let level = self.flood.map_or(0, |(burst, interval)| burst * interval);
        let person = Person {
            is_trusted,
            level: (level, now),
            held: None,
            room: Some("general".into()),
            ears: Ears::default(),
            mode: Mode::Undecided,
            input: Vec::new(),
            is_swallowing: false,
            owes_refusal: false,
            is_first: true,
            is_held_back: false,
            is_gated: false,
            has_ended: false,
            due: None,
            closing: None,
            is_over: false,
        };
        assert!(self.people.insert(id, person).is_none());
    }

    pub(crate) fn person(&mut self, id: u32) -> &mut Person {
        self.people.get_mut(&id).unwrap()
    }

    pub(crate) fn wants_read(&self, id: u32) -> bool {
        let wants = |person: &Person| !person.is_held_back && !person.has_ended && person.room.is_some();
        self.people.get(&id).is_some_and(wants)
    }

    pub(crate) fn named(&self) -> usize {
        self.people.values().filter(|person| person.held.is_some()).count()
    }

    /// Of one that is not read because of what waits for it.
    pub(crate) fn name_of_a_full_one(&self) -> Option<String> {
        let full = self.people.values().filter(|person| person.is_gated);
        full.filter_map(|person| person.held.as_ref()).map(Held::shown).next()
    }

    pub(crate) fn open_room(&mut self, room: &str) -> Place {
        if !self.rooms.contains_key(room) {
            let fresh =
                Room { number: self.next_room, end: 0, blocks: VecDeque::new(), storm: Storm::default() };
            self.rooms.insert(room.into(), fresh);
            self.next_room += 1;
        }
        let room = &self.rooms[room];
        (room.number, room.end)
    }

    /// A room goes with the last one in it, or who has still to hear of it.
    pub(crate) fn free_rooms(&mut self) {
        let people = &self.people;
        self.rooms.retain(|name, room| {
            let is_kept_by = |person: &Person| {
                let closes_there = person.closing.is_some_and(|closing| closing.room == Some(room.number));
                let is_there = person.room.as_ref() == Some(name) || closes_there;
                is_there || person.ears.rooms_left().any(|left| left == room.number)
            };
            name == "general" || people.values().any(is_kept_by)
        });
    }

    pub(crate) fn say(&mut self, room: &str, speaker: Option<u32>, line: &str) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        let place = (state.number, state.end);
        let line: Rc<[u8]> = format!("{line}\n").into_bytes().into();
        let dropped_before = state.keep(line.len() as u64, self.log_bytes_max);
        for (id, person) in &mut self.people {
            if person.room.as_deref() != Some(room) {
                continue;
            }
            if Some(*id) == speaker {
                person.ears.skip_own_line(place);
            } else {
                person.ears.hear_line(place, Rc::clone(&line));
            }
        }
        if let Some(kept_from) = dropped_before {
            self.note_fallen(place.0, kept_from);
        }
    }

    pub(crate) fn notice(&mut self, id: u32, is_join: bool, now: u64) {
        let person = self.person(id);
        let (Some(held), Some(room)) = (&person.held, person.room.clone()) else { return };
        let line = format!("{}{}", held.shown(), if is_join { JOIN } else { LEAVE });
        let Some(storm) = self.rooms.get_mut(&room).map(|room| &mut room.storm) else { return };
        if now >= storm.window_end && storm.joined + storm.left == 0 {
            *storm = Storm { window_end: now + STORM_US, ..Storm::default() };
        }
        if storm.shown < NOTICES_MAX {
            storm.shown += 1;
            return self.say(&room, Some(id), &line);
        }
        *(if is_join { &mut storm.joined } else { &mut storm.left }) += 1;
    }

    /// Notes who has still to hear what this room has just dropped.
    fn note_fallen(&mut self, number: RoomNo, kept_from: u64) {
        let has_fallen =
            |person: &Person| person.ears.oldest_in(number).is_some_and(|oldest| oldest < kept_from);
        let fallen = self.people.iter().filter(|(_, person)| has_fallen(person));
        self.fallen.extend(fallen.map(|(id, _)| *id));
    }

    // Time.

    pub(crate) fn next_due(&self) -> Option<u64> {
        self.dues().into_iter().map(|(at, _)| at).filter(|at| *at < u64::MAX).min()
    }

    fn dues(&self) -> Vec<(u64, Due)> {
        let inputs = self.people.iter().filter_map(|(id, person)| Some((person.due?, Due::Input(*id))));
        let closing =
            self.people.iter().filter_map(|(id, person)| Some((person.closing?.due, Due::Close(*id))));
        let storms = self.rooms.iter().filter_map(|(name, room)| {
            let storm = &room.storm;
            (storm.joined + storm.left > 0).then(|| (storm.window_end, Due::Storm(name.clone())))
        });
        inputs.chain(closing).chain(storms).collect()
    }

    /// How many things whose order matters are due by then.
    pub(crate) fn dues_until(&self, until: u64) -> usize {
        let is_due = |(at, due): &&(u64, Due)| *at <= until && !matches!(due, Due::Close(_));
        self.dues().iter().filter(is_due).count()
    }

    pub(crate) fn time(&mut self, now: u64) {
        while let Some((_, due)) = self.dues().into_iter().filter(|(at, _)| *at <= now).min() {
            match due {
                Due::Input(id) => self.look_at_input(id, now),
                Due::Storm(room) => self.end_storm(&room),
                Due::Close(id) => self.look_at_closing(id, now),
            }
        }
    }

    fn end_storm(&mut self, room: &str) {
        self.seen.storms += 1;
        let Some(state) = self.rooms.get_mut(room) else { return };
        let storm = std::mem::take(&mut state.storm);
        let words = format!("NOTE ROOM STORM joined={} left={}", storm.joined, storm.left);
        let line = self.relay_line(&words, Some(Phrase::Storm));
        self.say(room, None, &line);
    }

    fn look_at_closing(&mut self, id: u32, now: u64) {
        let person = self.person(id);
        let heard = person.ears.heard;
        let Some(closing) = person.closing.as_mut() else { return };
        let is_stuck = closing.heard == heard;
        closing.due = if is_stuck { u64::MAX } else { now + CLOSING_AFTER_US };
        closing.heard = heard;
        person.is_over |= is_stuck;
        self.seen.closing_timeouts += u64::from(is_stuck);
    }

    // Ends.

    /// Hears nothing more than what was said up to now.
    pub(crate) fn start_closing(&mut self, id: u32, now: u64) {
        let person = self.people.get_mut(&id).unwrap();
        let room = person.room.take().and_then(|room| self.rooms.get(&room)).map(|room| room.number);
        person.closing = Some(Closing { due: now + CLOSING_AFTER_US, heard: person.ears.heard, room });
        person.due = None;
        person.is_held_back = false;
        person.is_gated = false;
        person.input.clear();
        self.free_rooms();
    }

    pub(crate) fn gone(&mut self, id: u32, now: u64) {
        self.forget_name(id, now);
        self.people.remove(&id);
        self.fallen.remove(&id);
        self.free_rooms();
    }

    /// It read so slowly that what it had still to hear is no longer kept.
    pub(crate) fn cut_slow(&mut self, id: u32, now: u64) {
        self.seen.slow_cuts += 1;
        self.fallen.remove(&id);
        self.forget_name(id, now);
        self.start_closing(id, now);
        let line = self.relay_line("FAIL SLOW", Some(Phrase::Slow));
        let person = self.person(id);
        person.closing.iter_mut().for_each(|closing| closing.room = None);
        person.ears.end_with(&format!("{line}\n"));
        self.free_rooms();
    }

    pub(crate) fn shutdown(&mut self, now: u64) {
        let is_open = |person: &Person| person.room.is_some();
        let open: Vec<u32> =
            self.people.iter().filter(|(_, person)| is_open(person)).map(|(id, _)| *id).collect();
        for id in open {
            self.answer(id, "NOTE RELAY CLOSING", Some(Phrase::Closing));
            self.person(id).held = None;
            self.start_closing(id, now);
        }
    }
}

impl Room {
    /// A line never spans two blocks, and a new block may cost the oldest.
    /// Returns where the room begins now, if it lost something.
    fn keep(&mut self, length: u64, log_bytes_max: u64) -> Option<u64> {
        let begun = self.blocks.back().copied();
        let kept_before = self.blocks.front().copied();
        if begun.is_none_or(|begun| self.end + length - begun > BLOCK_BYTES) {
            let has_place = |oldest: &u64| self.end - oldest + BLOCK_BYTES <= log_bytes_max;
            while log_bytes_max > 0 && !self.blocks.front().is_none_or(has_place) {
                self.blocks.pop_front();
            }
            self.blocks.push_back(self.end);
        }
        self.end += length;
        let kept_from = self.blocks.front().copied();
        kept_from.filter(|kept_from| kept_before.is_some_and(|before| before < *kept_from))
    }
}

impl Person {
    pub(crate) fn fill_bucket(&mut self, full: u64, now: u64) {
        self.level = ((self.level.0 + (now - self.level.1)).min(full), now);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.room.is_none()
    }
}
