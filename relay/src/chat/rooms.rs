//! Rooms: who is in them, their logs, and their storms of notices.

use std::time::Duration;

use tertulia_wire::limits::ROOM_DEFAULT;
use tertulia_wire::name::{NameError, check_room};

use super::sessions::SessionId;
use super::tagged::id_at;
use super::{ClientId, RoomId};
use crate::log::{BLOCK_BYTES, LOG_BYTES_MIN, Log};
use crate::moment::Moment;

/// Rooms at once; a room is freed when the last one leaves it.
pub const ROOMS_MAX: usize = 1000;

/// Bytes of all logs together: past it the largest log loses its oldest block, whoever still reads it.
pub const LOGS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of a room's tagged lines that are kept when everybody has read them.
pub const TAGGED_BYTES_KEPT: usize = 512 * 1024;

/// Join and leave notices a room shows in one second; the rest of that second's become one line.
pub const NOTICES_MAX: u32 = 20;

/// How long a room counts its notices.
pub const STORM_WINDOW: Duration = Duration::from_secs(1);

/// The room every connection starts in. It is never freed.
pub(super) const DEFAULT_ROOM: RoomId = RoomId(0);

/// No room: where an extended connection is that has left all of them.
pub(super) const NOWHERE: RoomId = RoomId(u32::MAX);

/// How a room's lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// For everybody.
    Plain,
    /// With tags, for extended connections; only while a room has one.
    Tagged,
}

/// A log that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) room: RoomId,
    pub(super) encoding: Encoding,
}

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: Box<str>,
    pub(super) log: Log,
    /// The same lines with tags.
    pub(super) tagged: Option<Box<Tagged>>,
    /// The newest id said here.
    pub(super) newest: u64,
    /// In no order; an outbox knows its seat.
    pub(super) members: Vec<ClientId>,
    /// Connections that have left but still read the log up to where they left.
    pub(super) lingering: Vec<ClientId>,
    /// Sessions whose connection is gone and that may still come back.
    pub(super) away: Vec<SessionId>,
    /// Something was said since the last flush.
    pub(super) is_dirty: bool,
    /// Which member the next flush starts at.
    pub(super) flush_first: usize,
    pub(super) storm: Storm,
}

/// A room's log for extended connections.
#[derive(Debug)]
pub(super) struct Tagged {
    pub(super) log: Log,
    /// All lines of the room behind this id were put in.
    pub(super) complete_after: u64,
}

/// The notices of one second.
#[derive(Debug, Default)]
pub(super) struct Storm {
    window_end: Moment,
    shown: u32,
    pub(super) joined: u32,
    pub(super) left: u32,
}

/// Join or leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    Join,
    Leave,
}

impl Storm {
    /// Counts a notice. True: it is to be shown. A first one that is not starts a storm; its line is due at
    /// [`Storm::window_end`].
    pub(super) fn count(&mut self, notice: Notice, now: Moment) -> bool {
        if now >= self.window_end && !self.is_raging() {
            *self = Self { window_end: now.after(STORM_WINDOW), ..Self::default() };
        }
        if self.shown < NOTICES_MAX {
            self.shown += 1;
            return true;
        }
        match notice {
            Notice::Join => self.joined += 1,
            Notice::Leave => self.left += 1,
        }
        false
    }

    pub(super) fn window_end(&self) -> Moment {
        self.window_end
    }

    pub(super) fn is_raging(&self) -> bool {
        self.joined + self.left > 0
    }

    /// Ends the storm, and says how many joined and left in it.
    pub(super) fn take(&mut self) -> (u32, u32) {
        let counts = (self.joined, self.left);
        *self = Self::default();
        counts
    }
}

/// All rooms.
#[derive(Debug)]
pub(super) struct Rooms {
    slots: Vec<Option<Room>>,
    /// In the order of their names.
    by_name: Vec<RoomId>,
    /// Rooms to flush.
    dirty: Vec<RoomId>,
    log_bytes_max: usize,
    /// Up to this id, lines may have been said in rooms that are not there.
    unknown_up_to: u64,
}

/// Why a room cannot be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomError {
    Name(NameError),
    TooMany,
}

impl Rooms {
    /// The default room, and no other. `log_bytes_max` = 0: a log keeps what somebody has still to read.
    pub(super) fn new(log_bytes_max: usize) -> Self {
        let mut rooms = Self {
            slots: Vec::new(),
            by_name: Vec::new(),
            dirty: Vec::new(),
            log_bytes_max,
            unknown_up_to: 0,
        };
        rooms.add(ROOM_DEFAULT.into());
        rooms
    }

    pub(super) fn get(&self, id: RoomId) -> Option<&Room> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }

    pub(super) fn log(&self, place: Place) -> Option<&Log> {
        let room = self.get(place.room)?;
        match place.encoding {
            Encoding::Plain => Some(&room.log),
            Encoding::Tagged => room.tagged.as_ref().map(|tagged| &tagged.log),
        }
    }

    pub(super) fn log_mut(&mut self, place: Place) -> Option<&mut Log> {
        let room = self.get_mut(place.room)?;
        match place.encoding {
            Encoding::Plain => Some(&mut room.log),
            Encoding::Tagged => room.tagged.as_mut().map(|tagged| &mut tagged.log),
        }
    }

    pub(super) fn log_end(&self, place: Place) -> u64 {
        self.log(place).map_or(0, Log::end)
    }

    /// Bytes in all logs.
    pub(super) fn log_bytes(&self) -> usize {
        self.iter().map(Room::log_bytes).sum()
    }

    /// The bytes of a log from `from` up to `to`, piece by piece.
    pub(super) fn pieces(&self, place: Place, from: u64, to: u64) -> impl Iterator<Item = &[u8]> {
        self.log(place).into_iter().flat_map(move |log| log.pieces(from, to))
    }

    /// From now on the room's lines are written with tags too, if they were not already.
    pub(super) fn write_tagged(&mut self, id: RoomId) {
        let (bytes_max, unknown_up_to) = (self.log_bytes_max(), self.unknown_up_to);
        if let Some(room) = self.get_mut(id) {
            let complete_after = room.newest.max(unknown_up_to);
            room.tagged.get_or_insert_with(|| Box::new(Tagged { log: Log::new(bytes_max), complete_after }));
        }
    }

    /// The room's lines are written without tags alone.
    pub(super) fn stop_tagged(&mut self, id: RoomId) {
        if let Some(room) = self.get_mut(id) {
            room.tagged = None;
        }
    }

    /// No greater id was said in the room.
    pub(super) fn newest_in(&self, id: RoomId) -> u64 {
        self.get(id).map_or(0, |room| if room.newest == 0 { self.unknown_up_to } else { room.newest })
    }

    /// Up to this id, nothing is known of what was said.
    pub(super) fn forget_up_to(&mut self, id: u64) {
        self.unknown_up_to = self.unknown_up_to.max(id);
    }

    /// Drops the oldest block of a log.
    pub(super) fn drop_oldest(&mut self, place: Place) {
        if let Some(log) = self.log_mut(place) {
            log.drop_oldest();
        }
        let Some(room) = self.get_mut(place.room).filter(|_| place.encoding == Encoding::Tagged) else {
            return;
        };
        let newest = room.newest;
        if let Some(tagged) = &mut room.tagged {
            let first = id_at(&tagged.log, tagged.log.start());
            let gone = first.map_or(newest, |first| first.saturating_sub(1));
            tagged.complete_after = tagged.complete_after.max(gone);
        }
    }

    fn log_bytes_max(&self) -> usize {
        if self.log_bytes_max == 0 { usize::MAX } else { self.log_bytes_max }
    }

    pub(super) fn find(&self, name: &str) -> Option<RoomId> {
        let index = self.search(&name.to_lowercase()).ok()?;
        self.by_name.get(index).copied()
    }

    /// Where the room of this name, in lower case, stands in `by_name`, or would stand.
    fn search(&self, folded: &str) -> Result<usize, usize> {
        self.by_name.binary_search_by(|id| self.get(*id).map_or("", |room| &room.name).cmp(folded))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.slots.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (RoomId, &mut Room)> {
        let numbered = (0..).map(RoomId).zip(&mut self.slots);
        numbered.filter_map(|(id, slot)| Some((id, slot.as_mut()?)))
    }

    /// The room of this name; a new one if there is none yet.
    pub(super) fn find_or_add(&mut self, name: &str) -> Result<RoomId, RoomError> {
        let folded = name.to_lowercase();
        check_room(&folded).map_err(RoomError::Name)?;
        match self.find(&folded) {
            Some(id) => Ok(id),
            None if self.by_name.len() >= ROOMS_MAX => Err(RoomError::TooMany),
            None => Ok(self.add(folded.into())),
        }
    }

    fn add(&mut self, name: Box<str>) -> RoomId {
        let free = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        let id = RoomId(u32::try_from(free).unwrap_or(u32::MAX));
        let (Ok(index) | Err(index)) = self.search(&name);
        let bytes_max = self.log_bytes_max();
        let room = Room {
            name,
            log: Log::new(bytes_max),
            tagged: None,
            newest: 0,
            members: Vec::new(),
            lingering: Vec::new(),
            away: Vec::new(),
            is_dirty: false,
            flush_first: 0,
            storm: Storm::default(),
        };
        match self.slots.get_mut(free) {
            Some(slot) => *slot = Some(room),
            None => self.slots.push(Some(room)),
        }
        self.by_name.insert(index, id);
        id
    }

    /// Frees the room if nobody is in it or still reads its log. `newest`: the newest id given.
    pub(super) fn free_if_empty(&mut self, id: RoomId, newest: u64) {
        if !self.get(id).is_some_and(Room::is_empty) || id == DEFAULT_ROOM {
            return;
        }
        self.by_name.retain(|other| *other != id);
        if let Some(slot) = self.slots.get_mut(id.0 as usize) {
            *slot = None;
            self.unknown_up_to = self.unknown_up_to.max(newest);
        }
    }

    /// Appends a line to a log and returns where it starts. The room is flushed next.
    pub(super) fn append(&mut self, place: Place, parts: &[&[u8]]) -> u64 {
        let Some(room) = self.slots.get_mut(place.room.0 as usize).and_then(Option::as_mut) else { return 0 };
        if !room.is_dirty {
            room.is_dirty = true;
            self.dirty.push(place.room);
        }
        match (place.encoding, &mut room.tagged) {
            (Encoding::Plain, _) => room.log.append(parts),
            (Encoding::Tagged, Some(tagged)) => tagged.log.append(parts),
            (Encoding::Tagged, None) => 0,
        }
    }

    /// The rooms to flush, once.
    pub(super) fn take_dirty(&mut self) -> Vec<RoomId> {
        std::mem::take(&mut self.dirty)
    }

    /// Gives the list of [`Rooms::take_dirty`] back, for its memory.
    pub(super) fn give_back_dirty(&mut self, mut list: Vec<RoomId>) {
        if self.dirty.is_empty() {
            list.clear();
            self.dirty = list;
        }
    }

    /// Members of the rooms to flush.
    pub(super) fn dirty_members(&self) -> usize {
        self.dirty.iter().filter_map(|&id| self.get(id)).map(|room| room.members.len()).sum()
    }

    pub(super) fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Called when a log has a new block: while all logs together are above [`LOGS_BYTES_MAX`], the largest, which is to
    /// lose its oldest block.
    pub(super) fn largest_of_too_many(&self) -> Option<Place> {
        if self.log_bytes_max == 0 {
            return None;
        }
        if self.log_bytes() <= LOGS_BYTES_MAX.max(self.log_bytes_max.saturating_mul(2)) {
            return None;
        }
        let mut largest: Option<(Place, &Log)> = None;
        for room in (0..).map(RoomId).take(self.slots.len()) {
            for encoding in [Encoding::Plain, Encoding::Tagged] {
                let place = Place { room, encoding };
                let Some(log) = self.log(place) else { continue };
                if largest.is_none_or(|(_, other)| log.bytes() >= other.bytes()) {
                    largest = Some((place, log));
                }
            }
        }
        let (place, log) = largest?;
        log.second_start().map(|_| place)
    }

    /// Without a bound for each log: drops what everybody has read, but for a small rest.
    pub(super) fn drop_read(&mut self, place: Place, read_up_to: u64) {
        // Who comes back hears from the tagged log what it missed.
        let rest = if place.encoding == Encoding::Tagged { TAGGED_BYTES_KEPT } else { LOG_BYTES_MIN };
        let is_read = |log: &Log| {
            log.bytes() > rest
                && log.second_start().is_some()
                && log.start() + (BLOCK_BYTES as u64) < read_up_to
        };
        while self.log(place).is_some_and(is_read) {
            self.drop_oldest(place);
        }
    }
}

impl Room {
    fn is_empty(&self) -> bool {
        self.members.is_empty() && self.lingering.is_empty() && self.away.is_empty()
    }

    pub(super) fn log_bytes(&self) -> usize {
        self.log.bytes() + self.tagged.as_ref().map_or(0, |tagged| tagged.log.bytes())
    }
}
