//! Lines: in, out, and away.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::lagging::Reach;
use super::prune::{CLOCK_SET_MS, pruned_to};
use super::rooms::{End, room_number};
use super::sessions::optional_number;
use super::{Checked, Store, StoreError, Sweep, TakenIn, count, number, search};
use crate::batch::{Batch, ID_COUNTER_BITS, Kept, Key};
use crate::chat::ANSWER_BYTES_MAX;

/// The newest lines that a relay takes up when it starts, as bytes of memory.
pub(super) const RECENT_BYTES_MAX: usize = 1024 * 1024;

const INSERT: &str = "INSERT INTO line VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const INSERT_NEW: &str = "INSERT OR IGNORE INTO line VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Bytes of memory that a page is gathered to: more than finds place in an answer.
const PAGE_BYTES_MAX: usize = 4 * ANSWER_BYTES_MAX;

/// Bytes of memory of the lines that are read at once where all are shown.
const SHOWN_BYTES_MAX: usize = 256 * 1024;

/// What [`kept`] reads.
pub(super) const LINES: &str =
    "SELECT id, unix_ms, room.name, line.name, reply, quote, sid, label, hash, text
    FROM line CROSS JOIN room ON number = line.room";
impl Store {
    /// Lines of a room, in ascending order. Behind `after` the oldest ones, else the newest ones.
    pub fn lines(
        &self,
        room: &str,
        before: Option<u64>,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Batch, StoreError> {
        let end = if after.is_some() { End::Oldest } else { End::Newest };
        let between = (after.map_or(-1, number), before.map_or(i64::MAX, number));
        let read = || {
            // What is indexed and what is not are the same moment's.
            let _moment = self.connection.unchecked_transaction()?;
            self.of_room(room, between, end, limit, PAGE_BYTES_MAX)
        };
        let lines = self.told(read())?;
        Ok(if end == End::Newest { reversed(&lines) } else { lines })
    }

    /// The newest lines of all rooms, in ascending order, and the id behind which they are all; 0 where no line was before them.
    pub(super) fn recent(&self, bytes_max: usize) -> Result<(Batch, u64), StoreError> {
        let read = || {
            let mut newest = Batch::default();
            // What is read and what is gone are the same moment's.
            let _moment = self.connection.unchecked_transaction()?;
            let floor = pruned_to(&self.connection)?;
            let mut statement =
                self.connection.prepare(&format!("{LINES} WHERE id > ?1 ORDER BY id DESC"))?;
            let mut rows = statement.query([number(floor)])?;
            while let Some(row) = rows.next()? {
                let line = kept(row)?;
                if newest.bytes() >= bytes_max {
                    return Ok((reversed(&newest), line.id));
                }
                newest.push(line);
            }
            Ok((reversed(&newest), floor))
        };
        self.told(read())
    }

    pub(super) fn select(&self, query: &str, parameters: impl Params) -> Result<Batch, rusqlite::Error> {
        let mut batch = Batch::default();
        self.select_into(&mut batch, usize::MAX, query, parameters)?;
        Ok(batch)
    }

    /// Adds what is found, until the batch takes so much memory.
    pub(super) fn select_into(
        &self,
        batch: &mut Batch,
        bytes_max: usize,
        query: &str,
        parameters: impl Params,
    ) -> Result<(), rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query(parameters)?;
        while let Some(row) = rows.next()?.filter(|_| batch.bytes() < bytes_max) {
            batch.push(kept(row)?);
        }
        Ok(())
    }

    /// Shows all lines in the order in which they were said, until `show` says no. Between two pages of them the file is free:
    /// who shows them may be slow, and meanwhile the log beside the file would only grow.
    pub fn each(&self, mut show: impl FnMut(Kept<'_>) -> bool) -> Result<(), StoreError> {
        // What is said meanwhile is left out, or there might be no end of it.
        let newest = self.told(newest_id(&self.connection))?.map_or(-1, number);
        let query = format!("{LINES} WHERE id > ?1 AND id <= ?2 ORDER BY id");
        let mut shown = -1;
        while shown < newest {
            let mut page = Batch::default();
            self.told(self.select_into(&mut page, SHOWN_BYTES_MAX, &query, [shown, newest]))?;
            if page.is_empty() || !page.iter().all(&mut show) {
                break;
            }
            shown = page.iter().last().map_or(newest, |line| number(line.id));
        }
        Ok(())
    }

    /// Looks at every page of the file.
    pub fn check(&self) -> Result<Checked, StoreError> {
        let read = || {
            // Also while a relay writes, all of it is of one moment.
            let _moment = self.connection.unchecked_transaction()?;
            let one = |query: &str| self.connection.query_row(query, [], |row| row.get::<_, Option<u64>>(0));
            let total = |query: &str| Ok::<_, rusqlite::Error>(one(query)?.unwrap_or_default());
            let check = "PRAGMA integrity_check(1)";
            let verdict: String = self.connection.query_row(check, [], |row| row.get(0))?;
            if verdict != "ok" {
                self.leave_log();
            }
            let said = format!("SELECT coalesce(unix_ms, id >> {ID_COUNTER_BITS}) FROM line WHERE id =");
            let first = one(&format!("{said} (SELECT min(id) FROM line)")).optional()?.flatten();
            let last = one(&format!("{said} (SELECT max(id) FROM line)")).optional()?.flatten();
            let indexed = search::indexed_to(&self.connection)?;
            let fault = if verdict == "ok" { count::fault(&self.connection)? } else { Some(verdict) };
            Ok(Checked {
                fault,
                rows: total("SELECT count(*) FROM line")?,
                rooms: total("SELECT count(*) FROM room")?,
                sessions: total("SELECT count(*) FROM session")?,
                pruned_to: pruned_to(&self.connection)?,
                indexed: total(&format!("SELECT count(*) FROM line WHERE id <= {indexed}"))?,
                span: first.zip(last),
                bytes: total("PRAGMA page_count")?.saturating_mul(total("PRAGMA page_size")?),
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
    each_new(connection, batches, (INSERT, true), |_, _| {
        rows += 1;
        Ok(())
    })?;
    Ok(rows)
}

/// Writes the lines whose ids are not there yet.
pub(super) fn insert_new(
    connection: &Connection,
    batch: &Batch,
    takes_keys: bool,
) -> Result<TakenIn, rusqlite::Error> {
    let (mut taken, mut place) = (TakenIn::default(), 0);
    each_new(connection, std::slice::from_ref(batch), (INSERT_NEW, takes_keys), |line, is_new| {
        if is_new {
            taken.rows += 1;
            let is_keyless = line.key.is_some() && !takes_keys;
            taken.keyless = taken.keyless.or(is_keyless.then_some(place));
        } else if differs(connection, line)? == Some(true) {
            taken.refused.push(place);
        }
        place += 1;
        Ok(())
    })?;
    Ok(taken)
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

/// Writes lines by this statement, with their keys or without, and tells of each of them whether it was written.
fn each_new(
    connection: &Connection,
    batches: &[Batch],
    (statement, takes_keys): (&str, bool),
    mut tell: impl FnMut(&Kept<'_>, bool) -> Result<(), rusqlite::Error>,
) -> Result<(), rusqlite::Error> {
    let reach = Reach::of(connection)?;
    let mut insert = connection.prepare_cached(statement)?;
    let mut room: Option<(&str, i64)> = None;
    for line in batches.iter().flat_map(Batch::iter) {
        let in_room = match room {
            Some((name, in_room)) if name == line.room => in_room,
            _ => room_number(connection, line.room)?,
        };
        room = Some((line.room, in_room));
        let unix_ms = (line.unix_ms != line.id >> ID_COUNTER_BITS).then(|| number(line.unix_ms));
        let key = line.key.filter(|_| takes_keys);
        let (sid, label) = (key.map(|key| number(key.sid)), key.map(|key| key.label));
        let hash = key.map(|key| key.hash);
        let reply = line.reply.map(number);
        let id = number(line.id);
        let rows = insert.execute(params![
            id, in_room, line.name, line.quote, line.text, unix_ms, reply, sid, label, hash
        ])?;
        if rows > 0 {
            reach.add(connection, &Kept { key, ..line }, in_room)?;
        }
        tell(&line, rows > 0)?;
    }
    Ok(())
}

/// The oldest lines, so many.
pub(super) fn oldest(connection: &Connection, count: u64) -> Result<Vec<i64>, rusqlite::Error> {
    let mut statement = connection.prepare_cached("SELECT id FROM line ORDER BY id LIMIT ?1")?;
    statement.query_map([number(count)], |row| row.get(0))?.collect()
}

/// The greatest id.
pub(super) fn newest_id(connection: &Connection) -> Result<Option<u64>, rusqlite::Error> {
    connection.query_row("SELECT max(id) FROM line", [], optional_number)
}

/// The time of the first id of a clock that was set. None: all ids are of another.
fn first_set_ms(connection: &Connection) -> Result<Option<u64>, rusqlite::Error> {
    let query = "SELECT min(id) FROM line WHERE id >= ?1";
    let id = connection.query_row(query, [number(CLOCK_SET_MS << ID_COUNTER_BITS)], optional_number)?;
    Ok(id.map(|id| id >> ID_COUNTER_BITS))
}

/// The lines of a sweep that are older than that, and where the next one goes on. A line counts as said at the later of two
/// times, its own and its id's, since one of them may be of a clock that was wrong; and one of a clock that was not set, when
/// the first line was said that is not.
pub(super) fn aged(
    connection: &Connection,
    unix_ms: u64,
    age_ms: u64,
    sweep: Sweep,
) -> Result<(Vec<i64>, Option<u64>), rusqlite::Error> {
    let query = format!(
        "SELECT id, max(coalesce(unix_ms, 0), id >> {ID_COUNTER_BITS}) FROM line WHERE id > ?1 AND id < ?2
         ORDER BY id LIMIT ?3"
    );
    let said_before = unix_ms.saturating_sub(age_ms);
    let is_set = unix_ms >= CLOCK_SET_MS;
    // What stands behind that line is no older than it is.
    if is_set && first_set_ms(connection)?.is_none_or(|first| first >= said_before) {
        return Ok((Vec::new(), None));
    }
    let behind = said_before.saturating_mul(1 << ID_COUNTER_BITS);
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query([sweep.after, behind, sweep.limit].map(number))?;
    let (mut ids, mut looked, mut last) = (Vec::new(), 0, sweep.after);
    while let Some(row) = rows.next()? {
        let said: i64 = row.get(1)?;
        (looked, last) = (looked + 1, row.get(0)?);
        if said < number(said_before) {
            ids.push(number(last));
        }
    }
    Ok((ids, (looked == sweep.limit).then_some(last)))
}

/// Removes these lines.
pub(super) fn remove(connection: &Connection, ids: &[i64]) -> Result<(), rusqlite::Error> {
    let mut delete = connection.prepare_cached("DELETE FROM line WHERE id = ?1")?;
    ids.iter().try_for_each(|id| delete.execute([id]).map(drop))
}
