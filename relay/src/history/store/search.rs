//! Search: a look at the newest lines, and an index of words for those before, which is filled when there is time for it.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::lines::{LINES, reversed};
use super::rooms::{End, find_room};
use super::sessions::{set_value, value};
use super::{Store, StoreError, number};
use crate::batch::{Batch, Kept};

/// Lines that go into the index at once while others are said, which wait for no more. Fewer are not worth a write.
pub(in crate::history) const INDEX_STEP_LINES: u32 = 256;

/// The same while nobody speaks: few large steps write less than many small ones.
pub const INDEX_LEAP_LINES: u32 = 1024;

/// Bytes of text that go into the index at once, whatever the number of lines.
const INDEX_BYTES_MAX: u64 = 256 * 1024;

/// Lines that the index may lack while others are said without a pause. Beyond it small steps are taken, which write more.
pub(in crate::history) const INDEX_LAG_LINES_MAX: u64 = 32_768;

/// Lines that a search looks at one by one, the newest ones: more than the index lacks where somebody pauses now and then, and
/// enough to answer what is in a great part of all lines, which the index would gather from its beginning.
const LOOK_LINES: u32 = 1024;

/// Bytes of memory of those lines: taking long ones apart costs more.
const LOOK_BYTES_MAX: usize = 256 * 1024;

/// Letters from which on the last word may be the beginning of one: so many words begin with fewer that finding their lines
/// costs as much as reading all of them.
const BEGINNING_LETTERS_MIN: usize = 3;

/// How long the index is asked for one search: as long others wait for it. Words that are in hundreds of thousands of lines and
/// in none of them together take longest.
const SEARCH_TIME_MAX: Duration = Duration::from_millis(500);

/// Steps of the database's machine between two looks at the clock: some hundred pages at most.
const STEPS: i32 = 100;

/// Words of a search; what stands behind them is not looked for.
const WORDS_MAX: usize = 16;

/// Name in the table `value`: lines up to this id are in the index.
const INDEXED_TO: &str = "indexed_to";

const MATCHES: &str = "SELECT id, unix_ms, room.name, line.name, reply, quote, sid, label, hash, text
    FROM (SELECT rowid AS found FROM word WHERE word MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3)
    CROSS JOIN line ON id = found CROSS JOIN room ON number = line.room ORDER BY id DESC";

const MATCHES_IN_ROOM: &str =
    "SELECT line.id, unix_ms, room.name, line.name, reply, quote, sid, label, hash, line.text
    FROM word CROSS JOIN line ON line.id = word.rowid CROSS JOIN room ON number = line.room
    WHERE word MATCH ?1 AND word.rowid < ?2 AND line.room = ?4 ORDER BY word.rowid DESC LIMIT ?3";

/// Lines from which on a room is a large one: so many are counted in a millisecond.
const SMALL_ROOM_LINES: u32 = 10_000;

/// The newest lines, in memory, by the same rules.
const FRESH: &str = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.fresh USING fts5(
    name, text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')";

/// What the index lacks, or what was taken into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// How many lines.
    pub lines: u64,
    /// Of what text.
    pub bytes: u64,
}

impl Store {
    /// The newest lines with all these words, before an id where one is given, in ascending order. The last word may be
    /// the beginning of one, from three letters on. Letters match with and without accents, small and capital. An error that
    /// [`StoreError::is_costly`] where that takes too long.
    pub fn search(
        &self,
        room: Option<&str>,
        words: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Batch, StoreError> {
        self.search_within(room, words, before, limit, SEARCH_TIME_MAX)
    }

    /// The same, where the index may be asked for so long.
    pub fn search_within(
        &self,
        room: Option<&str>,
        words: &str,
        before: Option<u64>,
        limit: u32,
        time_max: Duration,
    ) -> Result<Batch, StoreError> {
        let Some(wanted) = query(words) else { return Ok(Batch::default()) };
        let before = before.map_or(i64::MAX, number);
        self.told(self.search_both(room, &wanted, before, limit, time_max))
    }

    fn until<T>(
        &self,
        end: Instant,
        what: impl FnOnce() -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        self.connection.progress_handler(STEPS, Some(move || Instant::now() >= end))?;
        let outcome = what();
        self.connection.progress_handler(0, None::<fn() -> bool>)?;
        outcome
    }

    fn search_both(
        &self,
        room: Option<&str>,
        wanted: &str,
        before: i64,
        limit: u32,
        time_max: Duration,
    ) -> Result<Batch, rusqlite::Error> {
        let end = Instant::now() + time_max;
        // What is looked at and what is indexed are the same moment's.
        let _moment = self.connection.unchecked_transaction()?;
        let indexed = number(indexed_to(&self.connection)?);
        let newest = self.newest(room, before)?;
        let mut found = self.look_at(&newest, wanted, limit)?;
        let missing = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if missing == 0 {
            return Ok(reversed(&found));
        }
        let looked_to = newest.iter().last().map_or(i64::MAX, |line| number(line.id));
        let before = before.min(looked_to).min(indexed.saturating_add(1));
        let older = self.until(end, || match room {
            None => self.select(MATCHES, params![wanted, before, missing]),
            Some(room) => self.older_in_room(room, wanted, before, missing),
        })?;
        older.iter().for_each(|line| found.push(line));
        Ok(reversed(&found))
    }

    /// What the index says of a room. Of a small room, its number is one more word; that of a large one is in so many lines
    /// that it is faster to look at the room of each line that matches.
    fn older_in_room(
        &self,
        room: &str,
        wanted: &str,
        before: i64,
        limit: u32,
    ) -> Result<Batch, rusqlite::Error> {
        let Some(in_room) = find_room(&self.connection, room)? else { return Ok(Batch::default()) };
        let query = "SELECT count(*) FROM (SELECT 1 FROM room_line WHERE room = ?1 LIMIT ?2)";
        let mut count = self.connection.prepare_cached(query)?;
        let lines: u32 = count.query_row(params![in_room, SMALL_ROOM_LINES], |row| row.get(0))?;
        if lines < SMALL_ROOM_LINES {
            let wanted = format!("{wanted} AND {{room}} : \"{in_room}\"");
            return self.select(MATCHES, params![wanted, before, limit]);
        }
        let parameters = params![wanted, before, limit, in_room];
        self.select(MATCHES_IN_ROOM, parameters)
    }

    /// The newest lines before an id, in descending order, as many as are looked at one by one.
    fn newest(&self, room: Option<&str>, before: i64) -> Result<Batch, rusqlite::Error> {
        if let Some(room) = room {
            return self.of_room(room, (0, before), End::Newest, LOOK_LINES, LOOK_BYTES_MAX);
        }
        let query = format!("{LINES} WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        let mut newest = Batch::default();
        self.select_into(&mut newest, LOOK_BYTES_MAX, &query, params![before, LOOK_LINES])?;
        Ok(newest)
    }

    /// Those of the lines that match, in the same order.
    fn look_at(&self, lines: &Batch, wanted: &str, limit: u32) -> Result<Batch, rusqlite::Error> {
        if lines.is_empty() {
            return Ok(Batch::default());
        }
        self.connection.execute_batch(FRESH)?;
        self.connection.execute("INSERT INTO temp.fresh (fresh) VALUES ('delete-all')", [])?;
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO temp.fresh (rowid, name, text) VALUES (?1, ?2, ?3)")?;
        for (place, line) in (1i64..).zip(lines.iter()) {
            insert.execute(params![place, line.name, line.text])?;
        }
        let mut find = self
            .connection
            .prepare_cached("SELECT rowid FROM temp.fresh WHERE fresh MATCH ?1 ORDER BY rowid LIMIT ?2")?;
        let places = find.query_map(params![wanted, limit], |row| row.get(0))?;
        let places: Vec<usize> = places.collect::<Result<_, _>>()?;
        let mut found = Batch::default();
        let matching = (1usize..).zip(lines.iter()).filter(|(place, _)| places.binary_search(place).is_ok());
        matching.for_each(|(_, line)| found.push(line));
        Ok(found)
    }

    /// Whether so many lines wait for the index that it is worth a step.
    pub fn lacks_index(&self) -> Result<bool, StoreError> {
        let count = || {
            let query = "SELECT count(*) FROM (SELECT 1 FROM line WHERE id > ?1 LIMIT ?2)";
            let indexed = number(indexed_to(&self.connection)?);
            let mut statement = self.connection.prepare_cached(query)?;
            statement.query_row(params![indexed, INDEX_STEP_LINES], |row| row.get::<_, u32>(0))
        };
        Ok(self.told(count())? >= INDEX_STEP_LINES)
    }

    /// What waits for the index; of more than may wait, not all.
    pub fn index_backlog(&self) -> Result<Backlog, StoreError> {
        let count = || {
            let query = "SELECT count(*), coalesce(sum(octet_length(text)), 0)
                FROM (SELECT text FROM line WHERE id > ?1 LIMIT ?2)";
            let indexed = number(indexed_to(&self.connection)?);
            let mut statement = self.connection.prepare_cached(query)?;
            let limit = number(INDEX_LAG_LINES_MAX.saturating_add(1));
            statement
                .query_row([indexed, limit], |row| Ok(Backlog { lines: row.get(0)?, bytes: row.get(1)? }))
        };
        self.told(count())
    }

    /// Takes the next lines into the index, so many at most, and fewer of long ones. Gives what it took.
    pub fn fill_index(&mut self, lines_max: u32) -> Result<Backlog, StoreError> {
        self.write(|transaction| {
            let mut indexed = indexed_to(transaction)?;
            let mut next = transaction
                .prepare_cached("SELECT id, room, name, text FROM line WHERE id > ?1 ORDER BY id LIMIT ?2")?;
            let mut rows = next.query(params![number(indexed), lines_max])?;
            let mut taken = Backlog::default();
            while let Some(row) = rows.next()?.filter(|_| taken.bytes < INDEX_BYTES_MAX) {
                let word = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
                indexed = row.get(0)?;
                taken.lines += 1;
                taken.bytes += word(3)?.len() as u64;
                add_words(transaction, indexed, row.get(1)?, word(2)?, word(3)?)?;
            }
            set_value(transaction, INDEXED_TO, indexed)?;
            Ok(taken)
        })
    }
}

/// The id up to which lines are in the index.
pub(super) fn indexed_to(connection: &Connection) -> Result<u64, rusqlite::Error> {
    Ok(value(connection, INDEXED_TO)?.unwrap_or_default())
}

/// Takes a line into the index.
pub(super) fn add(connection: &Connection, line: &Kept<'_>, room: i64) -> Result<(), rusqlite::Error> {
    add_words(connection, line.id, room, line.name, line.text)
}

fn add_words(
    connection: &Connection,
    id: u64,
    room: i64,
    name: &str,
    text: &str,
) -> Result<(), rusqlite::Error> {
    let insert = "INSERT OR REPLACE INTO word (rowid, room, name, text) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(insert)?.execute(params![number(id), room, name, text])?;
    Ok(())
}

/// Removes these lines from the index, as far as they are in it.
pub(super) fn remove(connection: &Connection, ids: &[i64]) -> Result<(), rusqlite::Error> {
    let indexed = number(indexed_to(connection)?);
    let mut delete = connection.prepare_cached("DELETE FROM word WHERE rowid = ?1")?;
    ids.iter().filter(|id| **id <= indexed).try_for_each(|id| delete.execute([id]).map(drop))
}

/// What is asked of the index: each word as it is, so that none of it is taken for an operator. None: there is no word.
fn query(words: &str) -> Option<String> {
    let has_letters = |word: &&str| word.chars().any(char::is_alphanumeric);
    let quoted = |word: &str| format!("{{name text}} : \"{}\"", word.replace('"', " "));
    let all: Vec<String> = words.split_whitespace().filter(has_letters).take(WORDS_MAX).map(quoted).collect();
    let last = words.split_whitespace().filter(has_letters).take(WORDS_MAX).last()?;
    let letters = last.chars().filter(|letter| letter.is_alphanumeric()).count();
    let ending = if letters >= BEGINNING_LETTERS_MIN { " *" } else { "" };
    Some(all.join(" AND ") + ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_never_taken_for_operators() {
        assert_eq!(query("  "), None);
        assert_eq!(query("* - ( :"), None);
        assert_eq!(query("hol").as_deref(), Some("{name text} : \"hol\" *"));
        assert_eq!(query("-ño").as_deref(), Some("{name text} : \"-ño\""));
        let expected = "{name text} : \"a b c\" AND {name text} : \"OR\" AND {name text} : \"text:x*\" *";
        assert_eq!(query("a\"b\"c OR text:x*").as_deref(), Some(expected));
    }
}
