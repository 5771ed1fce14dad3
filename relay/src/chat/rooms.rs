//! Rooms: who is in them, their logs, and their storms of notices.

use std::collections::HashMap;
use std::time::Duration;

use tertulia_wire::limits::ROOM_DEFAULT;
use tertulia_wire::name::{NameError, check_room};

use super::{ClientId, RoomId};
use crate::log::{BLOCK_BYTES, LOG_BYTES_MIN, Log};
use crate::moment::Moment;

/// Rooms at once; a room is freed when the last one leaves it.
pub const ROOMS_MAX: usize = 1000;

/// Bytes of all logs together: past it the largest log loses its oldest block, whoever still reads it.
pub const LOGS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Join and leave notices a room shows in one second; the rest of that second's become one line.
pub const NOTICES_MAX: u32 = 20;

/// How long a room counts its notices.
pub const STORM_WINDOW: Duration = Duration::from_secs(1);

/// The room every connection starts in. It is never freed.
pub(super) const DEFAULT_ROOM: RoomId = RoomId(0);

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: Box<str>,
    pub(super) log: Log,
    /// In no order; an outbox knows its seat.
    pub(super) members: Vec<ClientId>,
    /// Connections that have left but still read the log up to where they left.
    pub(super) lingering: Vec<ClientId>,
    /// Something was said since the last flush.
    pub(super) is_dirty: bool,
    /// Which member the next flush starts at.
    pub(super) flush_first: usize,
    pub(super) storm: Storm,
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
    by_name: HashMap<Box<str>, RoomId>,
    /// Rooms to flush.
    dirty: Vec<RoomId>,
    log_bytes_max: usize,
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
        let mut rooms = Self { slots: Vec::new(), by_name: HashMap::new(), dirty: Vec::new(), log_bytes_max };
        rooms.add(ROOM_DEFAULT.into());
        rooms
    }

    pub(super) fn get(&self, id: RoomId) -> Option<&Room> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }

    pub(super) fn log(&self, id: RoomId) -> Option<&Log> {
        self.get(id).map(|room| &room.log)
    }

    pub(super) fn log_end(&self, id: RoomId) -> u64 {
        self.log(id).map_or(0, Log::end)
    }

    /// The bytes of a room's log from `from` up to `to`, piece by piece.
    pub(super) fn pieces(&self, id: RoomId, from: u64, to: u64) -> impl Iterator<Item = &[u8]> {
        self.log(id).into_iter().flat_map(move |log| log.pieces(from, to))
    }

    pub(super) fn find(&self, name: &str) -> Option<RoomId> {
        self.by_name.get(name.to_lowercase().as_str()).copied()
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
        match self.by_name.get(folded.as_str()) {
            Some(&id) => Ok(id),
            None if self.by_name.len() >= ROOMS_MAX => Err(RoomError::TooMany),
            None => Ok(self.add(folded.into())),
        }
    }

    fn add(&mut self, name: Box<str>) -> RoomId {
        let free = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        let id = RoomId(u32::try_from(free).unwrap_or(u32::MAX));
        let bytes_max = if self.log_bytes_max == 0 { usize::MAX } else { self.log_bytes_max };
        let room = Room {
            name: name.clone(),
            log: Log::new(bytes_max),
            members: Vec::new(),
            lingering: Vec::new(),
            is_dirty: false,
            flush_first: 0,
            storm: Storm::default(),
        };
        match self.slots.get_mut(free) {
            Some(slot) => *slot = Some(room),
            None => self.slots.push(Some(room)),
        }
        self.by_name.insert(name, id);
        id
    }

    /// Frees the room if nobody is in it or still reads its log.
    pub(super) fn free_if_empty(&mut self, id: RoomId) {
        let empty = self.get(id).is_some_and(|room| room.members.is_empty() && room.lingering.is_empty());
        if !empty || id == DEFAULT_ROOM {
            return;
        }
        if let Some(room) = self.slots.get_mut(id.0 as usize).and_then(Option::take) {
            self.by_name.remove(&room.name);
        }
    }

    /// Appends a line to the room's log and returns where it starts. The room is flushed next.
    pub(super) fn append(&mut self, id: RoomId, parts: &[&[u8]]) -> u64 {
        let Some(room) = self.slots.get_mut(id.0 as usize).and_then(Option::as_mut) else { return 0 };
        if !room.is_dirty {
            room.is_dirty = true;
            self.dirty.push(id);
        }
        room.log.append(parts)
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

    /// Called when a log has a new block: keeps all logs together within [`LOGS_BYTES_MAX`]. Returns the room
    /// that lost a block.
    pub(super) fn shrink_largest(&mut self) -> Option<RoomId> {
        if self.log_bytes_max == 0 {
            return None;
        }
        let total: usize = self.iter().map(|room| room.log.bytes()).sum();
        if total <= LOGS_BYTES_MAX.max(self.log_bytes_max.saturating_mul(2)) {
            return None;
        }
        let sizes = self.slots.iter().enumerate().filter_map(|(index, room)| Some((index, room.as_ref()?)));
        let (index, _) = sizes.max_by_key(|(_, room)| room.log.bytes())?;
        let id = RoomId(u32::try_from(index).ok()?);
        self.get_mut(id)?.log.drop_oldest().then_some(id)
    }

    /// Without a bound for each log: drops what everybody has read, but for a small rest.
    pub(super) fn drop_read(&mut self, id: RoomId, read_up_to: u64) {
        let Some(room) = self.get_mut(id) else { return };
        while room.log.bytes() > LOG_BYTES_MIN && room.log.start() + (BLOCK_BYTES as u64) < read_up_to {
            if !room.log.drop_oldest() {
                return;
            }
        }
    }
}
