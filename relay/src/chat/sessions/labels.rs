//! What a relay remembers of the lines that a session has said: their labels, so that none is said twice.

use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use tertulia_wire::limits::LABELS_KEPT;

use super::{Presence, Session, SessionId, Sessions};
use crate::sabotage::{self, Bug};

/// Labels of all sessions in memory; beyond it marks take their place, of whoever is away or has said nothing for longest.
pub const LABELS_MAX: usize = 262_144;

/// Marks of all sessions in memory, for each label that may be: they take less of it. Beyond it the history has to be asked.
const MARKS_PER_LABEL: usize = 8;

/// Marks of a session; beyond it the history has to be asked once, so that those of old lines go.
const MARKS_MAX: usize = 2 * LABELS_KEPT;

/// What became of a labeled line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Fate {
    /// Not known yet.
    Open,
    Kept,
    NotKept,
}

/// A labeled line.
#[derive(Debug, Clone, Copy)]
pub(in crate::chat) struct Known {
    pub(in crate::chat) id: u64,
    /// When it was said, in milliseconds since 1970.
    pub(in crate::chat) unix_ms: u64,
    /// Of what was said; 0 is unknown.
    pub(in crate::chat) hash: u32,
    pub(in crate::chat) fate: Fate,
}

/// The newest labels of a session.
#[derive(Debug, Default)]
pub(super) struct Labels {
    by_hash: HashMap<u64, Known>,
    order: VecDeque<u64>,
    /// Marks of labels before these, ascending. A label whose mark is not here is none of them; of one whose mark is here,
    /// only the history knows more.
    marks: Vec<u32>,
}

impl Labels {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn mark_count(&self) -> usize {
        self.marks.len()
    }

    /// Not one whose answer is still to come, and that may be sent again until then: it counts as new once more.
    fn drop_oldest(&mut self) {
        let is_open = |known: &Known| known.fate == Fate::Open;
        for _ in 0..self.order.len() {
            let Some(oldest) = self.order.pop_front() else { return };
            if !self.by_hash.get(&oldest).is_some_and(is_open) {
                self.by_hash.remove(&oldest);
                return;
            }
            self.order.push_back(oldest);
        }
    }

    /// Those in memory, oldest first.
    fn iter(&self) -> impl Iterator<Item = (u64, Known)> {
        self.order.iter().filter_map(|hash| Some((*hash, *self.by_hash.get(hash)?)))
    }

    /// Leaves marks of those that the history knows.
    fn fade(&mut self) {
        let is_kept = |known: &Known| known.fate == Fate::Kept;
        let kept = self.by_hash.iter().filter(|(_, known)| is_kept(known));
        self.marks.extend(kept.map(|(hash, _)| mark(*hash)));
        self.marks.sort_unstable();
        self.marks.dedup();
        self.marks.shrink_to_fit();
        self.by_hash.retain(|_, known| !is_kept(known));
        self.by_hash.shrink_to_fit();
        let Self { by_hash, order, .. } = self;
        order.retain(|hash| by_hash.contains_key(hash));
        order.shrink_to_fit();
    }
}

impl Sessions {
    /// Whether anything is in memory of what the session has said. If not, the history has to be asked first.
    pub(in crate::chat) fn knows_labels(&self, id: SessionId) -> bool {
        self.get(id).is_none_or(|session| session.labels.is_some())
    }

    /// Whether the history has to be asked about this label.
    pub(in crate::chat) fn is_unsure_of(&self, id: SessionId, label: &str) -> bool {
        let Some(labels) = self.get(id).and_then(|session| session.labels.as_ref()) else { return false };
        let hash = label_hash(label);
        labels.marks.binary_search(&mark(hash)).is_ok() && !labels.by_hash.contains_key(&hash)
    }

    /// The labels that the history knows, oldest first. Those in memory are newer.
    pub(in crate::chat) fn set_labels<'a>(
        &mut self,
        id: SessionId,
        known: impl Iterator<Item = (&'a str, Known)>,
    ) {
        let is_asked = |labels: &Labels| !labels.marks.is_empty();
        let Some(session) = self.get_mut(id) else { return };
        if session.labels.as_ref().is_some_and(|labels| !is_asked(labels)) {
            return;
        }
        let before = session.labels.replace(Labels::default()).unwrap_or_default();
        let not_kept = std::mem::take(&mut session.not_kept);
        self.label_count -= before.len();
        self.mark_count -= before.mark_count();
        known.for_each(|(label, known)| self.set_label(id, label, known));
        let newer = not_kept.into_iter().chain(before.iter());
        newer.for_each(|(hash, known)| self.set_label_hash(id, hash, known));
    }

    pub(in crate::chat) fn label(&self, id: SessionId, label: &str) -> Option<Known> {
        if sabotage::has(Bug::LabelForgotten) {
            return None;
        }
        self.get(id)?.labels.as_ref()?.by_hash.get(&label_hash(label)).copied()
    }

    pub(in crate::chat) fn set_label(&mut self, id: SessionId, label: &str, known: Known) {
        self.set_label_hash(id, label_hash(label), known);
    }

    fn set_label_hash(&mut self, id: SessionId, hash: u64, known: Known) {
        self.last_use += 1;
        let last_use = self.last_use;
        let Some(session) = self.get_mut(id) else { return };
        (session.last_use, session.has_spoken) = (last_use, true);
        session.newest = session.newest.max(known.id);
        let Some(labels) = session.labels.as_mut() else { return };
        if labels.by_hash.insert(hash, known).is_none() {
            let before = labels.len();
            labels.order.push_back(hash);
            if labels.len() > LABELS_KEPT {
                labels.drop_oldest();
            }
            let added = labels.len() - before;
            // What is older than so many is not known any more.
            let gone = if labels.len() >= LABELS_KEPT { std::mem::take(&mut labels.marks).len() } else { 0 };
            self.label_count += added;
            self.mark_count -= gone;
        }
        if self.label_count > self.labels_max.max(self.crowded_at) {
            self.make_place(id);
        }
    }

    /// Takes labels out of memory until there is place for many more: one look at all sessions is for many lines. Not those
    /// of whoever is speaking, or waits for an answer. Without a history what goes is gone for good: half of each.
    fn make_place(&mut self, speaking: SessionId) {
        let few = |max: usize| max - max / 8;
        for index in self.by_use(speaking, |labels| labels.len() > 0) {
            if self.label_count <= few(self.labels_max) {
                break;
            }
            self.fade_labels(index);
        }
        let marks_max = self.labels_max.saturating_mul(MARKS_PER_LABEL);
        if self.mark_count > marks_max {
            for index in self.by_use(speaking, |labels| labels.mark_count() > 0) {
                if self.mark_count <= few(marks_max) {
                    break;
                }
                self.drop_labels(index);
            }
        }
        let is_crowded = self.label_count > self.labels_max;
        // Where all wait for answers, there is no use in looking at each line.
        self.crowded_at = if is_crowded { self.label_count + self.labels_max / 16 } else { 0 };
    }

    /// Places of the sessions whose labels may go: first of those who are away, then of those who have said nothing for
    /// longest.
    fn by_use(&self, speaking: SessionId, has_some: impl Fn(&Labels) -> bool) -> Vec<u32> {
        let may_go =
            |session: &&Session| session.unanswered == 0 && session.labels.as_ref().is_some_and(&has_some);
        let others = (0..).zip(&self.slots).filter(|(index, _)| *index != speaking.index);
        let found: BinaryHeap<(bool, u64, u32)> = others
            .filter_map(|(index, slot)| {
                let session = slot.session.as_ref().filter(may_go)?;
                Some((matches!(session.state, Presence::Online(_)), session.last_use, index))
            })
            .collect();
        found.into_sorted_vec().into_iter().map(|(_, _, index)| index).collect()
    }

    fn fade_labels(&mut self, index: u32) {
        let is_kept = self.is_kept();
        let Some(session) = self.slots.get_mut(index as usize).and_then(|slot| slot.session.as_mut()) else {
            return;
        };
        let Some(labels) = session.labels.as_mut() else { return };
        let before = (labels.len(), labels.mark_count());
        if !is_kept {
            (0..before.0.div_ceil(2)).for_each(|_| labels.drop_oldest());
        } else if before.0 + before.1 <= MARKS_MAX {
            labels.fade();
        } else {
            return self.drop_labels(index);
        }
        let after = (labels.len(), labels.mark_count());
        self.label_count = self.label_count + after.0 - before.0;
        self.mark_count = self.mark_count + after.1 - before.1;
    }

    /// Nothing of them stays in memory: the history tells them again before the session says anything.
    fn drop_labels(&mut self, index: u32) {
        let Some(session) = self.slots.get_mut(index as usize).and_then(|slot| slot.session.as_mut()) else {
            return;
        };
        let Some(labels) = session.labels.take() else { return };
        session.not_kept.extend(labels.iter().filter(|(_, known)| known.fate == Fate::NotKept));
        self.label_count -= labels.len();
        self.mark_count -= labels.mark_count();
    }
}

fn label_hash(label: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    label.hash(&mut hasher);
    hasher.finish()
}

/// Of some thousand labels, hardly two have the same.
fn mark(label_hash: u64) -> u32 {
    u32::try_from(label_hash >> 32).unwrap_or_default()
}
