//! Lines: in, out, and away.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::{Checked, Store, StoreError, number, search};
use crate::batch::{Batch, ID_COUNTER_BITS, Kept, Key};
use crate::chat::ANSWER_BYTES_MAX;

/// The newest lines that a relay takes up when it starts, as bytes of memory.
pub(super) const RECENT_BYTES_MAX: usize = 1024 * 1024;

const INSERT: &str = "INSERT INTO line VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const INSERT_NEW: &str = "INSERT OR IGNORE INTO line VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Bytes of memory that a page is gathered to: more than finds place in an answer.
const PAGE_BYTES_MAX: usize = 4 * ANSWER_BYTES_MAX;

/// What [`kept`] reads. Where a room is given, it comes first: there is one of it.
pub(super) const LINES: &str =
    "SELECT id, unix_ms, room.name, line.name, reply, quote, sid, label, hash, text
    FROM line CROSS JOIN room ON number = line.room";
const LINES_OF_ROOM: &str = "SELECT id, unix_ms, room.name, line.name, reply, quote, sid, label, hash, text
    FROM room CROSS JOIN line ON line.room = number WHERE room.name = ?1";

impl Store {
    /// Lines of a room, in ascending order. Behind `after` the oldest ones, else the newest ones.
    pub fn lines(
        &self,
        room: &str,
        before: Option<u64>,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Batch, StoreError> {
        let before = before.map_or(i64::MAX, number);
        self.told(match after {
            None => {
                let query = format!("{LINES_OF_ROOM} AND id < ?2 ORDER BY id DESC LIMIT ?3");
                self.page(&query, params![room, before, limit]).map(|newest| reversed(&newest))
            }
            Some(after) => {
                let query = format!("{LINES_OF_ROOM} AND id > ?4 AND id < ?2 ORDER BY id LIMIT ?3");
                self.page(&query, params![room, before, limit, number(after)])
            }
        })
    }

    /// The newest lines of all rooms, in ascending order, and the id of the one before them; 0 where there is none.
    pub(super) fn recent(&self, bytes_max: usize) -> Result<(Batch, u64), StoreError> {
        let read = || {
            let mut newest = Batch::default();
            let mut statement = self.connection.prepare(&format!("{LINES} ORDER BY id DESC"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let line = kept(row)?;
                if newest.bytes() >= bytes_max {
                    return Ok((reversed(&newest), line.id));
                }
                newest.push(line);
            }
            Ok((reversed(&newest), 0))
        };
        self.told(read())
    }

    pub(super) fn select(&self, query: &str, parameters: impl Params) -> Result<Batch, rusqlite::Error> {
        self.select_up_to(usize::MAX, query, parameters)
    }

    /// As many of the lines as an answer has place for, and some more.
    fn page(&self, query: &str, parameters: impl Params) -> Result<Batch, rusqlite::Error> {
        self.select_up_to(PAGE_BYTES_MAX, query, parameters)
    }

    fn select_up_to(
        &self,
        bytes_max: usize,
        query: &str,
        parameters: impl Params,
    ) -> Result<Batch, rusqlite::Error> {
        let mut batch = Batch::default();
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query(parameters)?;
        while let Some(row) = rows.next()?.filter(|_| batch.bytes() < bytes_max) {
            batch.push(kept(row)?);
        }
        Ok(batch)
    }

    /// Shows all lines in the order in which they were said, until `show` says no.
    pub fn each(&self, mut show: impl FnMut(Kept<'_>) -> bool) -> Result<(), StoreError> {
        let mut read = || {
            let mut statement = self.connection.prepare(&format!("{LINES} ORDER BY id"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if !show(kept(row)?) {
                    break;
                }
            }
            Ok(())
        };
        self.told(read())
    }

    /// Looks at every page of the file.
    pub fn check(&self) -> Result<Checked, StoreError> {
        let read = || {
            let one = |query: &str| self.connection.query_row(query, [], |row| row.get::<_, Option<u64>>(0));
            let count = |query: &str| Ok::<_, rusqlite::Error>(one(query)?.unwrap_or_default());
            let check = "PRAGMA integrity_check(1)";
            let verdict: String = self.connection.query_row(check, [], |row| row.get(0))?;
            if verdict != "ok" {
                self.leave_log();
            }
            let said = format!("SELECT coalesce(unix_ms, id >> {ID_COUNTER_BITS}) FROM line WHERE id =");
            let first = one(&format!("{said} (SELECT min(id) FROM line)")).optional()?.flatten();
            let last = one(&format!("{said} (SELECT max(id) FROM line)")).optional()?.flatten();
            let indexed = search::indexed_to(&self.connection)?;
            Ok(Checked {
                fault: (verdict != "ok").then_some(verdict),
                rows: count("SELECT count(*) FROM line")?,
                rooms: count("SELECT count(*) FROM room")?,
                sessions: count("SELECT count(*) FROM session")?,
                indexed: count(&format!("SELECT count(*) FROM line WHERE id <= {indexed}"))?,
                span: first.zip(last),
                bytes: count("PRAGMA page_count")?.saturating_mul(count("PRAGMA page_size")?),
            })
        };
        self.told(read())
    }
}

/// A row of [`LINES`].
pub(super) fn kept<'a>(row: &'a Row<'_>) -> Result<Kept<'a>, rusqlite::Error> {
    let word = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    let id: u64 = row.get(0)?;
    let sid: Option<u64> = row.get(6)?;
    let label = row.get_ref(7)?.as_str_or_null()?.unwrap_or_default();
    let hash: Option<u32> = row.get(8)?;
    Ok(Kept {
        id,
        unix_ms: row.get::<_, Option<u64>>(1)?.unwrap_or(id >> ID_COUNTER_BITS),
        room: word(2)?,
        name: word(3)?,
        reply: row.get(4)?,
        quote: row.get_ref(5)?.as_str_or_null()?,
        key: sid.map(|sid| Key { sid, label, hash: hash.unwrap_or_default() }),
        text: word(9)?,
    })
}

pub(super) fn reversed(lines: &Batch) -> Batch {
    let mut other = Batch::default();
    lines.iter().rev().for_each(|line| other.push(line));
    other
}

/// Writes lines. Gives how many.
pub(super) fn insert(connection: &Connection, batches: &[Batch]) -> Result<u64, rusqlite::Error> {
    let mut rows = 0;
    each_new(connection, batches, INSERT, |_, _, _| {
        rows += 1;
        Ok(())
    })?;
    Ok(rows)
}

/// Writes the lines whose ids are not there yet, and tells of each of them with the number of its room. Gives how many
/// there were, and the places in the batch of those whose id another line has: that one stays.
pub(super) fn insert_new(
    connection: &Connection,
    batch: &Batch,
    mut tell: impl FnMut(&Kept<'_>, i64) -> Result<(), rusqlite::Error>,
) -> Result<(u64, Vec<usize>), rusqlite::Error> {
    let (mut rows, mut place, mut refused) = (0, 0, Vec::new());
    each_new(connection, std::slice::from_ref(batch), INSERT_NEW, |line, room, is_new| {
        place += 1;
        if is_new {
            rows += 1;
            return tell(line, room);
        }
        if differs(connection, line)? == Some(true) {
            refused.push(place - 1);
        }
        Ok(())
    })?;
    Ok((rows, refused))
}

/// Of the lines, the ids that are there already, and how many of those are of other lines.
pub(super) fn there(connection: &Connection, batches: &[Batch]) -> Result<(Vec<i64>, u64), rusqlite::Error> {
    let (mut ids, mut others) = (Vec::new(), 0);
    for line in batches.iter().flat_map(Batch::iter) {
        if let Some(differs) = differs(connection, &line)? {
            ids.push(number(line.id));
            others += u64::from(differs);
        }
    }
    Ok((ids, others))
}

/// Whether what stands under the line's id says something else. None: nothing does.
fn differs(connection: &Connection, line: &Kept<'_>) -> Result<Option<bool>, rusqlite::Error> {
    let mut find = connection.prepare_cached(&format!("{LINES} WHERE id = ?1"))?;
    let says = |line: &Kept<'_>| {
        let words = [line.room, line.name, line.text].map(str::to_owned);
        (words, line.reply, line.quote.map(str::to_owned))
    };
    find.query_row([number(line.id)], |row| Ok(says(&kept(row)?) != says(line))).optional()
}

/// Writes lines by this statement, and tells of each of them with the number of its room, and whether it was written.
fn each_new(
    connection: &Connection,
    batches: &[Batch],
    statement: &str,
    mut tell: impl FnMut(&Kept<'_>, i64, bool) -> Result<(), rusqlite::Error>,
) -> Result<(), rusqlite::Error> {
    let mut insert = connection.prepare_cached(statement)?;
    let mut room: Option<(&str, i64)> = None;
    for line in batches.iter().flat_map(Batch::iter) {
        let in_room = match room {
            Some((name, in_room)) if name == line.room => in_room,
            _ => room_number(connection, line.room)?,
        };
        room = Some((line.room, in_room));
        let unix_ms = (line.unix_ms != line.id >> ID_COUNTER_BITS).then(|| number(line.unix_ms));
        let (sid, label) = (line.key.map(|key| number(key.sid)), line.key.map(|key| key.label));
        let hash = line.key.map(|key| key.hash);
        let reply = line.reply.map(number);
        let id = number(line.id);
        let rows = insert.execute(params![
            id, in_room, line.name, line.quote, line.text, unix_ms, reply, sid, label, hash
        ])?;
        tell(&line, in_room, rows > 0)?;
    }
    Ok(())
}

/// The number of a room, which gets one if it has none.
fn room_number(connection: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    let mut find = connection.prepare_cached("SELECT number FROM room WHERE name = ?1")?;
    if let Some(number) = find.query_row([name], |row| row.get(0)).optional()? {
        return Ok(number);
    }
    connection.prepare_cached("INSERT INTO room (name) VALUES (?1)")?.execute([name])?;
    Ok(connection.last_insert_rowid())
}

/// The lines that are too many or too old, among the `limit` oldest ones. A line's own time counts, which its id may not
/// be near to where the clock was set.
pub(super) fn to_go(
    connection: &Connection,
    age_max: Duration,
    unix_ms: u64,
    too_many: u64,
    limit: u64,
) -> Result<Vec<i64>, rusqlite::Error> {
    let age_ms = u64::try_from(age_max.as_millis()).unwrap_or(u64::MAX);
    let oldest = if age_ms == 0 { 0 } else { number(unix_ms.saturating_sub(age_ms)) };
    let query =
        format!("SELECT id, coalesce(unix_ms, id >> {ID_COUNTER_BITS}) FROM line ORDER BY id LIMIT ?1");
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query([number(limit)])?;
    let mut ids = Vec::new();
    let mut place = 0u64;
    while let Some(row) = rows.next()? {
        let (id, said): (i64, i64) = (row.get(0)?, row.get(1)?);
        if place < too_many || said < oldest {
            ids.push(id);
        }
        place += 1;
    }
    Ok(ids)
}

/// Removes these lines.
pub(super) fn remove(connection: &Connection, ids: &[i64]) -> Result<(), rusqlite::Error> {
    let mut delete = connection.prepare_cached("DELETE FROM line WHERE id = ?1")?;
    ids.iter().try_for_each(|id| delete.execute([id]).map(drop))
}
