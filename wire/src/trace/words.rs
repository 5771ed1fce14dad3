//! Words as 64-bit hashes, with the beginning of each for the report.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};

use crate::text::cut;

/// What is remembered of a word: a whole label, and enough of a text to find it again.
const EXCERPT_BYTES: usize = 64;

/// A word's hash. Of five million words, two are mistaken for each other once in a million runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Word(u64);

/// A map from numbers, quick to ask.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;

pub(super) fn hash(word: &str) -> Word {
    let mut hasher = DefaultHasher::new();
    hasher.write(word.as_bytes());
    Word(hasher.finish())
}

/// The words that were seen.
#[derive(Debug, Default)]
pub(super) struct Words {
    excerpts: Map<Word, (usize, u8)>,
    text: String,
}

impl Words {
    pub(super) fn put(&mut self, word: &str) -> Word {
        let hash = hash(word);
        let text = &mut self.text;
        self.excerpts.entry(hash).or_insert_with(|| {
            let start = text.len();
            let excerpt = cut(word, EXCERPT_BYTES);
            text.push_str(excerpt);
            (start, excerpt.len() as u8)
        });
        hash
    }

    /// The word's beginning.
    pub(super) fn excerpt(&self, word: Word) -> Option<&str> {
        let (start, length) = *self.excerpts.get(&word)?;
        self.text.get(start..start + usize::from(length))
    }
}

/// For numbers that nobody chooses to collide. Ids end in zeros, which is why the halves are folded.
#[derive(Debug, Default)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
