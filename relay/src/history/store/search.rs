//! Search: an index of words, filled when there is time for it, and a look at the newest lines, which it may not hold yet.

use rusqlite::{Connection, params};

use super::lines::{LINES, reversed};
use super::rooms::End;
use super::sessions::{set_value, value};
use super::{Store, StoreError, number};
use crate::batch::{Batch, Kept};

/// Lines that go into the index at once while others are said, which wait for no more. Fewer are not worth a write.
pub(in crate::history) const INDEX_STEP_LINES: u32 = 96;

/// The same while nobody speaks: few large steps write less than many small ones.
pub const INDEX_LEAP_LINES: u32 = 1024;

/// Lines that a search looks at one by one, the newest ones. More than the index lacks while the writer keeps up, and
/// enough that words that are in many lines are found here.
const LOOK_LINES: u32 = 1024;

/// Words of a search; what stands behind them is not looked for.
const WORDS_MAX: usize = 16;

/// Name in the table `value`: lines up to this id are in the index.
const INDEXED_TO: &str = "indexed_to";

const MATCHES: &str = "SELECT id, unix_ms, room.name, line.name, reply, quote, sid, label, hash, text
    FROM (SELECT rowid AS found FROM word WHERE word MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3)
    CROSS JOIN line ON id = found CROSS JOIN room ON number = line.room ORDER BY id DESC";

/// The newest lines, in memory, by the same rules.
const FRESH: &str = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.fresh USING fts5(
    name, text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')";

impl Store {
    /// The newest lines with all these words, before an id where one is given, in ascending order. The last word may be
    /// the beginning of one. Letters match with and without accents, small and capital.
    pub fn search(
        &self,
        room: Option<&str>,
        words: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Batch, StoreError> {
        let Some(wanted) = query(words) else { return Ok(Batch::default()) };
        let before = before.map_or(i64::MAX, number);
        self.told(self.search_both(room, &wanted, before, limit))
    }

    fn search_both(
        &self,
        room: Option<&str>,
        wanted: &str,
        before: i64,
        limit: u32,
    ) -> Result<Batch, rusqlite::Error> {
        // What is looked at and what is indexed are the same moment's.
        let _moment = self.connection.unchecked_transaction()?;
        let newest = self.newest(room, before, LOOK_LINES)?;
        let mut found = self.look_at(&newest, wanted, limit)?;
        let missing = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let is_all = newest.len() < LOOK_LINES as usize;
        if missing == 0 || is_all {
            return Ok(reversed(&found));
        }
        let before = newest.iter().last().map_or(before, |line| number(line.id));
        let wanted = match room {
            None => wanted.to_owned(),
            Some(room) => {
                let find = "SELECT number FROM room WHERE name = ?1";
                let room: i64 = self.connection.query_row(find, [room], |row| row.get(0))?;
                format!("{{room}} : \"{room}\" AND {wanted}")
            }
        };
        let older = self.select(MATCHES, params![wanted, before, missing])?;
        older.iter().for_each(|line| found.push(line));
        Ok(reversed(&found))
    }

    /// The newest lines before an id, in descending order.
    fn newest(&self, room: Option<&str>, before: i64, limit: u32) -> Result<Batch, rusqlite::Error> {
        match room {
            None => {
                let query = format!("{LINES} WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
                self.select(&query, params![before, limit])
            }
            Some(room) => self.of_room(room, (-1, before), End::Newest, limit, usize::MAX),
        }
    }

    /// Those of the lines that match, in the same order.
    fn look_at(&self, lines: &Batch, wanted: &str, limit: u32) -> Result<Batch, rusqlite::Error> {
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

    /// Takes the next lines into the index, so many at most.
    pub fn fill_index(&mut self, lines_max: u32) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut indexed = indexed_to(transaction)?;
            let mut next = transaction
                .prepare_cached("SELECT id, room, name, text FROM line WHERE id > ?1 ORDER BY id LIMIT ?2")?;
            let mut rows = next.query(params![number(indexed), lines_max])?;
            while let Some(row) = rows.next()? {
                let word = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
                indexed = row.get(0)?;
                add_words(transaction, indexed, row.get(1)?, word(2)?, word(3)?)?;
            }
            set_value(transaction, INDEXED_TO, indexed)
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
    (!all.is_empty()).then(|| format!("{} *", all.join(" AND ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_never_taken_for_operators() {
        assert_eq!(query("  "), None);
        assert_eq!(query("* - ( :"), None);
        assert_eq!(query("ho").as_deref(), Some("{name text} : \"ho\" *"));
        let expected = "{name text} : \"a b c\" AND {name text} : \"OR\" AND {name text} : \"text:x*\" *";
        assert_eq!(query("a\"b\"c OR text:x*").as_deref(), Some(expected));
    }
}
