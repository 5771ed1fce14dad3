//! The entries of one conversation, in order, bounded. Knows where each belongs; not what it means, nor how it is drawn.

use std::collections::VecDeque;

use super::changes::{Changes, RowChange};
use super::entry::{Body, Entry, EntryId, Place, Said, State};
use crate::phrases::{Phrase, Sentence};

/// Entries that a conversation keeps: some screens of scrolling, and what drawing stays quick with. Older ones go, in
/// blocks, and are fetched again when somebody scrolls up to them.
pub const ENTRIES_KEPT: usize = 5000;

/// Entries that go at once, so that not each new line moves the others.
pub const ENTRIES_DROPPED: usize = 250;

/// Bytes that the entries of one conversation hold, about; beyond it the oldest go, however few they are.
pub const BYTES_KEPT: usize = 4 * 1024 * 1024;

/// The entries of a conversation.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// By their places, which only grow. Those without an answer are at the end.
    entries: VecDeque<Entry>,
    bytes: usize,
    /// So many at the end have no answer, or were refused.
    unsent: usize,
    /// The newest id that was put in: what has none stands behind it.
    newest: u64,
    changes: Changes,
}

impl Transcript {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn get(&self, position: usize) -> Option<&Entry> {
        self.entries.get(position)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Where an entry stands now.
    pub(crate) fn position(&self, id: EntryId) -> Option<usize> {
        // What is looked for is mostly near the end.
        self.entries.iter().rposition(|entry| entry.id == id)
    }

    pub(crate) fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.position(id).and_then(|position| self.get(position))
    }

    /// Where the line with this id stands.
    pub(crate) fn line(&self, line_id: u64) -> Option<usize> {
        let place = Place::of_line(line_id);
        self.entries.binary_search_by_key(&place, |entry| entry.place).ok()
    }

    /// What stands at this place.
    pub(crate) fn at(&self, place: Place) -> Option<usize> {
        self.entries.binary_search_by_key(&place, |entry| entry.place).ok()
    }

    /// The last entry of which this holds.
    pub(super) fn rposition(&self, holds: impl Fn(&Entry) -> bool) -> Option<usize> {
        self.entries.iter().rposition(holds)
    }

    /// The oldest line's id.
    pub(super) fn oldest_line(&self) -> Option<u64> {
        self.entries.iter().find_map(Entry::line_id)
    }

    /// The newest id of a line here.
    pub(super) fn newest_line(&self) -> Option<u64> {
        self.entries.iter().rev().find_map(Entry::line_id)
    }

    /// The place for what has no id and happens now.
    pub(super) fn place_now(&self, entry: EntryId) -> Place {
        Place::behind(self.newest, entry)
    }

    /// The last entry that has its answer, for what may be added to it.
    pub(super) fn last_answered(&self) -> Option<(usize, &Entry)> {
        let position = self.answered().checked_sub(1)?;
        self.entries.get(position).map(|entry| (position, entry))
    }

    /// Puts an entry where it belongs. False: it is there already.
    pub(super) fn insert(&mut self, entry: Entry) -> bool {
        let place = entry.place;
        let is_newest = self.entries.back().is_none_or(|last| last.place < place);
        let position = if is_newest {
            self.entries.len()
        } else {
            match self.entries.binary_search_by_key(&place, |entry| entry.place) {
                Ok(_) => return false,
                Err(position) => position,
            }
        };
        if place.is_at_end() {
            self.unsent += 1;
        } else {
            self.newest = self.newest.max(place.line_id);
        }
        self.bytes += entry.bytes();
        self.entries.insert(position, entry);
        self.changes.inserted(position);
        true
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, position: usize) -> Option<Entry> {
        let entry = self.entries.remove(position)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes());
        self.unsent -= usize::from(entry.place.is_at_end());
        self.changes.removed(position, 1);
        Some(entry)
    }

    /// Changes an entry that stays where it is.
    pub(super) fn change(&mut self, position: usize, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.entries.get_mut(position) else { return };
        let before = entry.bytes();
        change(entry);
        entry.revision = entry.revision.wrapping_add(1);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(entry.bytes());
        self.changes.changed(position);
    }

    /// What stands above the first row looks other than before.
    pub(super) fn mark_first_changed(&mut self) {
        if !self.entries.is_empty() {
            self.changes.changed(0);
        }
    }

    /// Where the own line with this label stands that has no answer. The relay answers in order: it is mostly the first.
    pub(super) fn unanswered(&self, label: &str) -> Option<usize> {
        let first = self.answered();
        let has_label = |entry: &Entry| entry.said().is_some_and(|said| said.label.as_deref() == Some(label));
        self.entries.range(first..).position(has_label).map(|behind| first + behind)
    }

    /// How many own lines have no answer, or were refused.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent
    }

    /// An own line was refused: it stays where it is, so that it is seen, until the person decides.
    pub(super) fn refuse(&mut self, label: &str, why: Sentence) {
        let Some(position) = self.unanswered(label) else { return };
        let is_for_others = why.phrase() == Phrase::WrittenFor;
        self.change(position, |entry| {
            if let Body::Said(said) = &mut entry.body {
                said.state = State::Refused(Box::new(why));
                // The ids of another relay are other lines here.
                said.reply = said.reply.filter(|_| !is_for_others);
            }
        });
    }

    /// What was refused was written for other people, and may answer no line of these.
    pub(super) fn refuse_for_others(&mut self, why: &Sentence) {
        for position in self.answered()..self.entries.len() {
            let said = self.get(position).and_then(Entry::said);
            let is_older = said.is_some_and(
                |said| matches!(&said.state, State::Refused(last) if last.phrase() != why.phrase()),
            );
            if is_older {
                self.change(position, |entry| {
                    if let Body::Said(said) = &mut entry.body {
                        said.state = State::Refused(Box::new(why.clone()));
                        said.reply = None;
                    }
                });
            }
        }
    }

    /// The refused line with this label.
    pub(super) fn refused_label(&self, label: &str) -> Option<&Said> {
        self.refused().map(|(_, said)| said).find(|said| said.label.as_deref() == Some(label))
    }

    /// An own line was said: it goes to its place.
    pub(super) fn answer(&mut self, label: &str, line_id: u64, answer: impl FnOnce(&mut Said, &mut u64)) {
        let Some(position) = self.unanswered(label) else { return };
        let new_place = Place::of_line(line_id);
        // Heard before it was answered: the line that was heard stays.
        if self.line(line_id).is_some() {
            self.remove(position);
            return;
        }
        let is_in_place = position == self.answered();
        let before = position.checked_sub(1).and_then(|before| self.get(before));
        if is_in_place && before.is_none_or(|before| before.place < new_place) {
            self.unsent -= 1;
            self.newest = self.newest.max(new_place.line_id);
            return self.change(position, |entry| entry.answer(new_place, answer));
        }
        let Some(mut entry) = self.remove(position) else { return };
        entry.answer(new_place, answer);
        self.insert(entry);
    }

    /// Takes out the own line with this label that has no answer.
    pub(super) fn take_unanswered(&mut self, label: &str) -> Option<Entry> {
        self.unanswered(label).and_then(|position| self.remove(position))
    }

    /// Whether there is more than is kept.
    pub(super) fn is_over(&self, bytes_max: usize) -> bool {
        self.entries.len() > ENTRIES_KEPT || self.bytes > bytes_max
    }

    /// Drops the oldest entries where there are too many, no more than so many. How many went.
    pub(super) fn trim(&mut self, bytes_max: usize, count_max: usize) -> usize {
        let from_front = self.entries.iter().take(self.answered().min(count_max));
        let count = self.too_many(bytes_max, from_front);
        self.drop_front(count);
        count
    }

    /// How many of these are to go, so that it is not too many any more.
    fn too_many<'a>(&self, bytes_max: usize, entries: impl Iterator<Item = &'a Entry>) -> usize {
        let block = match self.entries.len().checked_sub(ENTRIES_KEPT) {
            Some(over) if over > 0 => over + ENTRIES_DROPPED,
            _ => 0,
        };
        let (mut count, mut bytes) = (0, self.bytes);
        for entry in entries {
            if count >= block && bytes <= bytes_max {
                break;
            }
            bytes = bytes.saturating_sub(entry.bytes());
            count += 1;
        }
        count
    }

    fn drop_front(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        for entry in self.entries.drain(..count) {
            self.bytes = self.bytes.saturating_sub(entry.bytes());
        }
        // What was kept for more is given back, but not each time.
        if self.entries.capacity() > 2 * self.entries.len() + ENTRIES_DROPPED {
            self.entries.shrink_to(self.entries.len() + ENTRIES_DROPPED);
        }
        self.changes.removed(0, count);
    }

    /// Drops the newest entries that have an answer where there are too many, while somebody reads at this place above them.
    /// How many went.
    pub(super) fn trim_end(&mut self, bytes_max: usize, place: usize) -> usize {
        let answered = self.answered();
        let behind = answered.saturating_sub(place.saturating_add(1));
        let unsent = self.entries.len() - answered;
        let count = self.too_many(bytes_max, self.entries.iter().rev().skip(unsent).take(behind));
        if count == 0 {
            return 0;
        }
        let from = answered - count;
        for entry in self.entries.drain(from..answered) {
            self.bytes = self.bytes.saturating_sub(entry.bytes());
        }
        self.changes.removed(from, answered - from);
        answered - from
    }

    /// Drops all that has an answer.
    pub(super) fn clear(&mut self) {
        let answered = self.answered();
        self.drop_front(answered);
        self.newest = 0;
    }

    /// What has changed since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<RowChange> {
        self.changes.take()
    }

    /// All rows look other than before.
    pub(super) fn reset_changes(&mut self) {
        self.changes.reset();
    }

    /// The lines that were refused, to be kept when the window closes.
    pub(super) fn refused(&self) -> impl Iterator<Item = (&Entry, &Said)> {
        self.at_end().filter(|(_, said)| matches!(said.state, State::Refused(_)))
    }

    /// The lines that have no answer.
    pub(super) fn pending(&self) -> impl Iterator<Item = (&Entry, &Said)> {
        self.at_end().filter(|(_, said)| said.state == State::Pending)
    }

    fn at_end(&self) -> impl Iterator<Item = (&Entry, &Said)> {
        let unsent = self.entries.range(self.answered()..);
        unsent.filter_map(|entry| Some((entry, entry.said()?)))
    }

    /// How many entries are not at the end for want of an answer.
    fn answered(&self) -> usize {
        self.entries.len().saturating_sub(self.unsent)
    }
}
