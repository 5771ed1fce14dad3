//! Rooms, and which lines are in them. The newest lines are read one by one, the others found by an index.

use rusqlite::{Connection, OptionalExtension, params};

use super::Store;
use super::lagging::ROOMS;
use crate::batch::Batch;

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
