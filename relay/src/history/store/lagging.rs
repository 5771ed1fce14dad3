//! Indexes that lag behind the lines. Kept at once, each of them would have one more page written with each commit; filled
//! now and then, a page of it is written once for many lines. What one of them lacks is read line by line.

use rusqlite::{Connection, Transaction, params};

use super::sessions::{optional_number, set_value, value};
use super::{Store, StoreError, number, search};
use crate::batch::Kept;

/// An index that lags behind.
#[derive(Debug)]
pub(super) struct Lagging {
    /// Name in the table `value`: lines up to this id are in the index.
    to: &'static str,
    /// Takes the lines behind an id into it.
    fill: &'static str,
    /// Lines that go into it at once.
    step_lines: u64,
}

/// Which lines are in which room. So many lines are read one by one in a millisecond.
pub(super) const ROOMS: Lagging = Lagging {
    to: "roomed_to",
    fill: "INSERT OR IGNORE INTO room_line SELECT room, id FROM line WHERE id > ?1 ORDER BY room, id",
    step_lines: 4096,
};

/// Which lines are of which session. With so many at once, a page of it is written for some lines of its session and not
/// for each; and so many are read one by one in some milliseconds.
pub(super) const LABELS: Lagging = Lagging {
    to: "labeled_to",
    fill: "INSERT OR IGNORE INTO label
        SELECT sid, id, label, hash, unix_ms FROM line WHERE id > ?1 AND sid IS NOT NULL ORDER BY sid",
    step_lines: 32_768,
};

/// Bytes of memory of lines that the index of labels lacks, whatever their number: to be read one by one, long ones take
/// longer.
const LABELS_STEP_BYTES: usize = 8 * 1024 * 1024;

/// Lines that are dropped before the index of labels is looked through for them.
pub(super) const SWEEP_LINES: u64 = 100_000;

/// Of the index of labels, what stands before all lines.
const GONE: &str = "id < (SELECT coalesce(min(id), 9223372036854775807) FROM line)";

/// What there is to do for them, as far as known.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Lines that came since each was filled.
    pub(super) rooms: u64,
    pub(super) labels: u64,
    pub(super) label_bytes: usize,
    /// Lines that are gone, and perhaps still in the index of labels.
    pub(super) swept: u64,
}

impl Lagging {
    /// The id up to which lines are in it.
    pub(super) fn to(&self, connection: &Connection) -> Result<i64, rusqlite::Error> {
        Ok(value(connection, self.to)?.map_or(0, number))
    }

    /// Takes all lines in that are not in it.
    fn fill(&self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        let newest = transaction.query_row("SELECT max(id) FROM line", [], optional_number)?;
        transaction.prepare_cached(self.fill)?.execute([self.to(transaction)?])?;
        set_value(transaction, self.to, newest.unwrap_or_default())
    }

    /// Whether there are lines that are not in it.
    fn lacks_some(&self, connection: &Connection) -> Result<bool, rusqlite::Error> {
        let query = "SELECT EXISTS (SELECT 1 FROM line WHERE id > ?1)";
        connection.query_row(query, [self.to(connection)?], |row| row.get(0))
    }
}

/// How far each of them is in a transaction, and the index of words as well.
pub(super) struct Reach {
    rooms: i64,
    labels: i64,
    words: i64,
}

impl Reach {
    pub(super) fn of(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let words = number(search::indexed_to(connection)?);
        Ok(Self { rooms: ROOMS.to(connection)?, labels: LABELS.to(connection)?, words })
    }

    /// Takes a line in that stands before what is in them already, which no later step would.
    pub(super) fn add(
        &self,
        connection: &Connection,
        line: &Kept<'_>,
        room: i64,
    ) -> Result<(), rusqlite::Error> {
        let id = number(line.id);
        if id <= self.rooms {
            let insert = "INSERT OR IGNORE INTO room_line VALUES (?1, ?2)";
            connection.prepare_cached(insert)?.execute(params![room, id])?;
        }
        if line.key.is_some() && id <= self.labels {
            let insert =
                "INSERT OR IGNORE INTO label SELECT sid, id, label, hash, unix_ms FROM line WHERE id = ?1";
            connection.prepare_cached(insert)?.execute([id])?;
        }
        if id <= self.words { search::add(connection, line, room) } else { Ok(()) }
    }
}

/// These lines are no session's any more.
pub(super) fn remove_labels(connection: &Connection, ids: &[i64]) -> Result<(), rusqlite::Error> {
    let delete = "DELETE FROM label WHERE id = ?1 AND sid = (SELECT sid FROM line WHERE line.id = ?1)";
    let mut delete = connection.prepare_cached(delete)?;
    ids.iter().try_for_each(|id| delete.execute([id]).map(drop))
}

/// These lines go: they are in no room any more. Of sessions they go later, many at once.
pub(super) fn remove(connection: &Connection, ids: &[i64]) -> Result<(), rusqlite::Error> {
    let delete = "DELETE FROM room_line WHERE id = ?1 AND room = (SELECT room FROM line WHERE line.id = ?1)";
    let mut delete = connection.prepare_cached(delete)?;
    ids.iter().try_for_each(|id| delete.execute([id]).map(drop))
}

impl Store {
    /// What is to be done for the indexes of rooms and labels behind some commits.
    pub fn tidy(&mut self) -> Result<(), StoreError> {
        if self.lag.swept >= SWEEP_LINES {
            self.sweep_labels()?;
        }
        if self.lag.rooms >= ROOMS.step_lines {
            self.write(|transaction| ROOMS.fill(transaction))?;
            self.lag.rooms = 0;
        }
        if self.lag.labels >= LABELS.step_lines || self.lag.label_bytes >= LABELS_STEP_BYTES {
            self.write(|transaction| LABELS.fill(transaction))?;
            (self.lag.labels, self.lag.label_bytes) = (0, 0);
        }
        Ok(())
    }

    /// Takes what stands before all lines out of the index of labels: those lines are gone. Reads all of that index.
    pub fn sweep_labels(&mut self) -> Result<(), StoreError> {
        let query = format!("SELECT EXISTS (SELECT 1 FROM label WHERE {GONE})");
        let has_some = self.connection.query_row(&query, [], |row| row.get(0));
        if self.told(has_some)? {
            self.write(|transaction| {
                transaction.execute(&format!("DELETE FROM label WHERE {GONE}"), []).map(drop)
            })?;
        }
        self.lag.swept = 0;
        Ok(())
    }

    /// Fills both where they lack something, as a relay that was killed leaves them. Where the disk is full, what they lack is
    /// read line by line until there is place again.
    pub(super) fn fill_lagging(&mut self) -> Result<(), StoreError> {
        self.lag = Lag::default();
        for index in [&ROOMS, &LABELS] {
            if !self.told(index.lacks_some(&self.connection))? {
                continue;
            }
            match self.write(|transaction| index.fill(transaction)) {
                Err(error) if error.is_full() => {
                    self.lag = Lag { rooms: ROOMS.step_lines, labels: LABELS.step_lines, ..Lag::default() };
                }
                filled => filled?,
            }
        }
        Ok(())
    }

    /// So many lines came, of so much memory.
    pub(super) fn note_lag(&mut self, lines: u64, bytes: usize) {
        self.lag.label_bytes = self.lag.label_bytes.saturating_add(bytes);
        self.lag.rooms = self.lag.rooms.saturating_add(lines);
        self.lag.labels = self.lag.labels.saturating_add(lines);
    }
}
