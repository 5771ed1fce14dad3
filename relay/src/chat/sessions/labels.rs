//! What a relay remembers of the lines that a session has said: their labels, so that none is said twice.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use tertulia_wire::limits::LABELS_KEPT;

use super::{Session, SessionId, Sessions};
use crate::sabotage::{self, Bug};

/// Labels of all sessions in memory; beyond it the history has to be asked.
pub const LABELS_MAX: usize = 262_144;

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
}

impl Labels {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            self.by_hash.remove(&oldest);
        }
    }
}

impl Sessions {
    /// Whether the session's labels are in memory.
    pub(in crate::chat) fn knows_labels(&self, id: SessionId) -> bool {
        self.get(id).is_none_or(|session| session.labels.is_some())
    }

    /// The labels that the history knows, oldest first.
    pub(in crate::chat) fn set_labels<'a>(
        &mut self,
        id: SessionId,
        known: impl Iterator<Item = (&'a str, Known)>,
    ) {
        if let Some(session) = self.get_mut(id).filter(|session| session.labels.is_none()) {
            session.labels = Some(Labels::default());
            let not_kept = std::mem::take(&mut session.not_kept);
            known.for_each(|(label, known)| self.set_label(id, label, known));
            not_kept.into_iter().for_each(|(hash, known)| self.set_label_hash(id, hash, known));
        }
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
        let Some(labels) = self.get_mut(id).and_then(|session| session.labels.as_mut()) else { return };
        if labels.by_hash.insert(hash, known).is_none() {
            labels.order.push_back(hash);
            let is_over = labels.len() > LABELS_KEPT;
            if is_over {
                labels.drop_oldest();
            }
            self.label_count += usize::from(!is_over);
        }
        if self.label_count > self.labels_max {
            self.drop_labels(id);
        }
    }

    /// Takes the labels of the session with the most of them out of memory, but for the one that is speaking. Whose labels
    /// are not there may say nothing before the history has told them again.
    fn drop_labels(&mut self, speaking: SessionId) {
        let count = |session: &Session| session.labels.as_ref().map_or(0, Labels::len);
        let others = (0..).zip(&mut self.slots).filter(|(index, _)| *index != speaking.index);
        let answered =
            others.filter_map(|(_, slot)| slot.session.as_mut()).filter(|session| session.unanswered == 0);
        let Some(session) = answered.max_by_key(|session| count(session)) else { return };
        let dropped = count(session);
        // Without a history they are gone for good: the newest half stays.
        let half = dropped / 2;
        if self.is_kept {
            let labels = session.labels.take().unwrap_or_default();
            session
                .not_kept
                .extend(labels.by_hash.into_iter().filter(|(_, known)| known.fate == Fate::NotKept));
            self.label_count -= dropped;
        } else if let Some(labels) = &mut session.labels {
            (0..half).for_each(|_| labels.drop_oldest());
            self.label_count -= half;
        }
    }
}

fn label_hash(label: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    label.hash(&mut hasher);
    hasher.finish()
}
