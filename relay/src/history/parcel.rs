//! Work that waits to be written, gathered so that it stays small however long the disk takes.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Change, ChangeKey};
use crate::batch::{Batch, SessionRow, Work};
use crate::chat::SESSIONS_MAX;

/// Sessions that wait to be written, and numbers of sessions to be forgotten: as many as the relay knows. Beyond it the
/// oldest ones are not written, and not forgotten before they lapse.
pub const SESSIONS_WAITING_MAX: usize = SESSIONS_MAX;

/// What goes into the file at once.
#[derive(Debug, Default)]
pub struct Parcel {
    /// Lines, in the order in which they were said.
    pub lines: Vec<Batch>,
    /// By their numbers; of each the newest.
    pub sessions: BTreeMap<u64, SessionRow>,
    /// Numbers of sessions that are to be kept no more.
    pub forgotten: BTreeSet<u64>,
    /// The highest.
    pub id_ceiling: Option<u64>,
    /// The highest.
    pub sid_ceiling: Option<u64>,
    /// What has changed of accounts; of what is about the same, the newest. No more than a few for each account, and than there are
    /// bans, rooms and markers.
    pub changes: BTreeMap<ChangeKey, Change>,
}

impl Parcel {
    /// Takes work in. Its lines only where they are wanted: the rest is always.
    pub fn add(&mut self, work: Work, takes_lines: bool) {
        if takes_lines && !work.lines.is_empty() {
            self.lines.push(work.lines);
        }
        self.sessions.extend(work.sessions.into_iter().map(|row| (row.sid, row)));
        for sid in work.forgotten {
            self.sessions.remove(&sid);
            self.forgotten.insert(sid);
        }
        while self.sessions.len() > SESSIONS_WAITING_MAX {
            self.sessions.pop_first();
        }
        while self.forgotten.len() > SESSIONS_WAITING_MAX {
            self.forgotten.pop_first();
        }
        for change in work.changes {
            let key = change.key();
            let earlier = self.changes.remove(&key);
            self.changes.insert(key, change.behind(earlier));
        }
        self.id_ceiling = self.id_ceiling.max(work.id_ceiling);
        self.sid_ceiling = self.sid_ceiling.max(work.sid_ceiling);
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let has_ceiling = self.id_ceiling.is_some() || self.sid_ceiling.is_some();
        let has_sessions = !self.sessions.is_empty() || !self.forgotten.is_empty();
        self.lines.is_empty() && !has_sessions && !has_ceiling && self.changes.is_empty()
    }

    /// Lines in it.
    pub fn len(&self) -> usize {
        self.lines.iter().map(Batch::len).sum()
    }

    /// Memory that the lines take.
    pub fn bytes(&self) -> usize {
        self.lines.iter().map(Batch::bytes).sum()
    }
}
