//! The keys heard lately, so that a line that comes again under another id is dropped.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::heard::Key;

/// Knows the newest `max` keys, by their hashes.
#[derive(Debug)]
pub(super) struct RecentKeys {
    /// So that nobody can choose labels whose hashes collide.
    salt: u64,
    max: usize,
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl RecentKeys {
    pub(super) fn new(max: usize, salt: u64) -> Self {
        Self { salt, max, known: HashSet::new(), order: VecDeque::new() }
    }

    /// Notes a key. False: it is known already.
    pub(super) fn insert(&mut self, key: Key<'_>) -> bool {
        let mut hasher = DefaultHasher::new();
        (self.salt, key).hash(&mut hasher);
        let hash = hasher.finish();
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > self.max {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        true
    }
}
