//! Rooms, and which lines are in them. The newest lines are read one by one, the others found by an index.

use rusqlite::{Connection, OptionalExtension, params};

use super::lagging::ROOMS;
use super::{Store, StoreError};
use crate::batch::Batch;

/// Rooms that go at once: a write waits for no more. The others go the next time.
const ROOMS_GONE_MAX: u32 = 1000;

/// From which end lines are taken, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Oldest,
    Newest,
}

/// What [`super::lines::kept`] reads of lines of one room.
const COLUMNS: &str = "SELECT line.id, unix_ms, ?1, name, reply, quote, sid, label, hash, text FROM";

const NOT_INDEXED: &str = "line WHERE room = ?2 AND line.id > ?3 AND line.id < ?4 ORDER BY line.id";

const INDEXED: &str = "room_line CROSS JOIN line ON line.id = room_line.id
    WHERE room_line.room = ?2 AND room_line.id > ?3 AND room_line.id < ?4 ORDER BY room_line.id";

impl Store {
    /// Lines of a room with ids between these two, neither included, from one end of them; no more than fill so much
    /// memory. The caller is in a transaction.
    pub(super) fn of_room(
        &self,
        room: &str,
        (after, before): (i64, i64),
        end: End,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Batch, rusqlite::Error> {
        let mut found = Batch::default();
        let Some(in_room) = find_room(&self.connection, room)? else { return Ok(found) };
        let to = ROOMS.to(&self.connection)?;
        let indexed = (INDEXED, after, before.min(to.saturating_add(1)));
        let not_indexed = (NOT_INDEXED, after.max(to), before);
        let (parts, order) = match end {
            End::Oldest => ([indexed, not_indexed], "ASC"),
            End::Newest => ([not_indexed, indexed], "DESC"),
        };
        for (lines, after, before) in parts {
            let missing = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            if missing > 0 && after < before && found.bytes() < bytes_max {
                let query = format!("{COLUMNS} {lines} {order} LIMIT ?5");
                let parameters = params![room, in_room, after, before, missing];
                self.select_into(&mut found, bytes_max, &query, parameters)?;
            }
        }
        Ok(found)
    }
}

/// Rooms in which no line is left. Those that the index lacks are few, and read once.
const EMPTY: &str = "SELECT number FROM room
    WHERE NOT EXISTS (SELECT 1 FROM room_line WHERE room_line.room = number)
    AND number NOT IN (SELECT room FROM line WHERE id > ?1) LIMIT ?2";

impl Store {
    /// Drops the rooms in which no line is left, some of them at once. Gives how many went.
    pub fn prune_rooms(&mut self) -> Result<u64, StoreError> {
        let find = || {
            let mut statement = self.connection.prepare_cached(EMPTY)?;
            let found = statement.exists(params![ROOMS.to(&self.connection)?, ROOMS_GONE_MAX])?;
            Ok::<_, rusqlite::Error>(found)
        };
        if !self.told(find())? {
            return Ok(0);
        }
        // What is said meanwhile waits, and gets its room a new number.
        self.write(|transaction| {
            let delete = format!("DELETE FROM room WHERE number IN ({EMPTY})");
            let gone = transaction.execute(&delete, params![ROOMS.to(transaction)?, ROOMS_GONE_MAX])?;
            Ok(gone as u64)
        })
    }
}

/// The number of a room; none where nothing was said in it.
pub(super) fn find_room(connection: &Connection, name: &str) -> Result<Option<i64>, rusqlite::Error> {
    let mut find = connection.prepare_cached("SELECT number FROM room WHERE name = ?1")?;
    find.query_row([name], |row| row.get(0)).optional()
}

/// The number of a room, which gets one if it has none.
pub(super) fn room_number(connection: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    if let Some(number) = find_room(connection, name)? {
        return Ok(number);
    }
    connection.prepare_cached("INSERT INTO room (name) VALUES (?1)")?.execute([name])?;
    Ok(connection.last_insert_rowid())
}
