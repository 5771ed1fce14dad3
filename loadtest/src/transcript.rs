//! The order in which lines were first heard, with their bytes. Most receivers hear the same bytes in the same order,
//! so that a line is taken apart once, and compared byte for byte by everybody else.

use std::collections::VecDeque;

use crate::stamp::Stamp;

/// Lines of a block.
const BLOCK_LINES: usize = 512;
/// Blocks that are kept. Whoever is further behind takes its lines apart itself.
const BLOCKS_MAX: usize = 64;

/// Bytes that are compared at once.
const PIECE_BYTES: usize = 64;

/// The last lines, numbered from 0 for ever.
#[derive(Debug, Default)]
pub struct Transcript {
    blocks: VecDeque<Block>,
    /// Number of the oldest line that is kept.
    first: u64,
}

#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    lines: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    begin: u32,
    end: u32,
    stamp: Stamp,
}

impl Transcript {
    /// Number of the line that comes next.
    pub fn end(&self) -> u64 {
        let last = self.blocks.back().map_or(0, |block| block.lines.len());
        self.first + (self.blocks.len().saturating_sub(1) * BLOCK_LINES + last) as u64
    }

    /// Appends a line as it came, its end included. Gives its number.
    pub fn append(&mut self, bytes: &[u8], stamp: Stamp) -> u64 {
        let number = self.end();
        if self.blocks.back().is_none_or(|block| block.lines.len() == BLOCK_LINES) {
            let mut block = Block::default();
            if self.blocks.len() == BLOCKS_MAX {
                block = self.blocks.pop_front().unwrap_or_default();
                self.first += BLOCK_LINES as u64;
                block.bytes.clear();
                block.lines.clear();
            }
            self.blocks.push_back(block);
        }
        if let Some(block) = self.blocks.back_mut() {
            let begin = block.bytes.len() as u32;
            block.bytes.extend_from_slice(bytes);
            block.lines.push(Entry { begin, end: block.bytes.len() as u32, stamp });
        }
        number
    }

    /// The lines from this number on, as far as they lie together; empty where the line is gone, or has not come.
    pub fn from(&self, number: u64) -> Run<'_> {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let block = index.and_then(|index| self.blocks.get(index / BLOCK_LINES));
        let lines = block.and_then(|block| block.lines.get(index.unwrap_or_default() % BLOCK_LINES..));
        Run { bytes: block.map_or(&[][..], |block| &block.bytes), lines: lines.unwrap_or_default() }
    }
}

/// Lines that lie together.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    bytes: &'a [u8],
    lines: &'a [Entry],
}

impl<'a> Run<'a> {
    /// How many of `bytes` are the same as those of the lines from the first on; compared many at once.
    pub fn same_bytes(&self, bytes: &[u8]) -> usize {
        let Some(first) = self.lines.first() else { return 0 };
        let theirs = self.bytes.get(first.begin as usize..).unwrap_or_default();
        let is_same = |(ours, theirs): &(&[u8], &[u8])| ours == theirs;
        let pieces = bytes.chunks_exact(PIECE_BYTES).zip(theirs.chunks_exact(PIECE_BYTES));
        let same = pieces.take_while(is_same).count() * PIECE_BYTES;
        let (ours, theirs) = (bytes.get(same..).unwrap_or_default(), theirs.get(same..).unwrap_or_default());
        same + ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count()
    }

    /// Each line: its length in bytes, and its stamp.
    pub fn lines(&self) -> impl Iterator<Item = (usize, Stamp)> + use<'a> {
        self.lines.iter().map(|entry| ((entry.end - entry.begin) as usize, entry.stamp))
    }

    /// Without so many lines.
    pub fn behind(&self, lines: usize) -> Self {
        Self { bytes: self.bytes, lines: self.lines.get(lines..).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_under_their_numbers() {
        let mut transcript = Transcript::default();
        let many = (BLOCK_LINES * BLOCKS_MAX * 2 + 7) as u64;
        for number in 0..many {
            let stamp = Stamp { sender: 1, sequence: number as u32, due_us: number };
            assert_eq!(transcript.append(number.to_string().as_bytes(), stamp), number);
        }
        assert_eq!(transcript.end(), many);
        for number in many - (BLOCK_LINES * (BLOCKS_MAX - 1)) as u64..many {
            let run = transcript.from(number);
            let (bytes, stamp) = run.lines().next().unwrap();
            assert_eq!((bytes, stamp.due_us), (number.to_string().len(), number));
            assert_eq!(run.same_bytes(number.to_string().as_bytes()), bytes);
        }
        assert!(transcript.from(many).lines().next().is_none());
        assert!(transcript.from(0).lines().next().is_none());
    }

    #[test]
    fn bytes_are_the_same_up_to_the_first_that_is_not() {
        let mut transcript = Transcript::default();
        for line in ["one\n", "two\n"] {
            transcript.append(line.as_bytes(), Stamp { sender: 1, sequence: 0, due_us: 0 });
        }
        let same = |number, bytes: &[u8]| transcript.from(number).same_bytes(bytes);
        assert_eq!(same(0, b"one\ntwo\nthree\n"), 8);
        assert_eq!(same(0, b"one\ntw"), 6);
        assert_eq!(same(0, b"one\ntXo\n"), 5);
        assert_eq!(same(1, b"two\n"), 4);
        assert_eq!((same(1, b"one\n"), same(2, b"one\n")), (0, 0));
    }
}
