//! Readers that fall out of a log. One that hears tags goes on behind what it missed, and is told from which id to which;
//! how long it stands still costs no memory.

use super::outbox::{Mark, Outbox, Private, What};
use super::rooms::Rooms;
use super::tagged::{id_at, line_at};
use crate::log::Log;
use tertulia_wire::tags::escape;

impl Outbox {
    /// The log is about to start at `start`, ahead of the cursor. The rest of a line that was begun is still written;
    /// what lies between becomes a gap.
    pub(super) fn fall(&mut self, log: &Log, start: u64) {
        let private = self.private.get_or_insert_default();
        let is_inserting =
            private.marks.front().is_some_and(|mark| mark.at == self.cursor && is_written(mark.what));
        let mut first_missed = self.cursor;
        if self.inside_line && !is_inserting {
            let rest = line_at(log, self.cursor);
            first_missed += rest.len() as u64;
            private.insert_first(self.cursor, rest);
        }
        self.cursor = start;
        for mark in &mut private.marks {
            if let What::Skip(length) = &mut mark.what {
                *length = (mark.at + *length).saturating_sub(start.max(mark.at));
            }
            mark.at = mark.at.max(start);
        }
        private.marks.retain(|mark| mark.what != What::Skip(0));
        let is_told = private.marks.iter().any(|mark| matches!(mark.what, What::Gap(_)));
        if first_missed < start && !is_told {
            let behind_begun = usize::from(
                private.marks.front().is_some_and(|mark| self.inside_line && is_written(mark.what)),
            );
            private.marks.insert(
                behind_begun,
                Mark { at: start, what: What::Gap(id_at(log, first_missed).unwrap_or_default()) },
            );
        }
    }

    /// Where the cursor comes to `at`, lines from the id `from` on are missing, up to the next one that is heard.
    pub(super) fn miss_from(&mut self, at: u64, from: u64) {
        self.private.get_or_insert_default().marks.push_back(Mark { at, what: What::Gap(from) });
    }

    /// If a gap is what comes next: writes the line that tells of it.
    pub(super) fn tell_gap(&mut self, rooms: &Rooms) {
        let Some(private) = self.private.as_deref_mut() else { return };
        let Some(Mark { at, what: What::Gap(from) }) = private.marks.front().copied() else { return };
        private.marks.pop_front();
        let log = rooms.log(self.place);
        let Some((room, tagged)) =
            rooms.get(self.place.room).and_then(|room| Some((room, room.tagged.as_ref()?)))
        else {
            return;
        };
        // Up to the line before the next one that it hears.
        let next = log.and_then(|log| id_at(log, at)).unwrap_or(tagged.complete_after + 1);
        let line =
            format!("* WARN GAP room={} from={from} to={}\n", escape(&room.name), next.saturating_sub(1));
        private.insert_first(at, line.as_bytes());
    }
}

impl Private {
    /// Writes these bytes where the cursor comes to `at`, before anything else that is written there.
    fn insert_first(&mut self, at: u64, bytes: &[u8]) {
        bytes.iter().rev().for_each(|byte| self.bytes.push_front(*byte));
        self.marks.push_front(Mark { at, what: What::Insert(bytes.len()) });
    }
}

fn is_written(what: What) -> bool {
    matches!(what, What::Insert(_))
}
