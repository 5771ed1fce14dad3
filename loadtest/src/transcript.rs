//! The order in which lines were first heard, with their bytes. Most receivers hear the same bytes in the same order,
//! so that a line is taken apart once, and compared byte for byte by everybody else.

use std::collections::VecDeque;

use crate::stamp::Stamp;

/// Lines of a block.
pub const BLOCK_LINES: usize = 512;
/// Blocks that are kept. Whoever is further behind takes its lines apart itself.
const BLOCKS_MAX: usize = 64;

/// Bytes that are compared at once.
const PIECE_BYTES: usize = 64;

/// The last lines, numbered from 0 for ever.
#[derive(Debug)]
pub struct Transcript {
    blocks: VecDeque<Block>,
    /// Number of the oldest line that is kept.
    first: u64,
    /// By sender: the sequence behind the last that was heard.
    heard: Vec<u32>,
    /// From this line on each is the one behind its sender's last.
    in_turn_from: u64,
}

#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    lines: Vec<Entry>,
}

/// A line: where its bytes are, whose it is, and its number among those on their way.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    begin: u32,
    end: u32,
    /// Whose, which, and when it was due.
    pub stamp: Stamp,
    /// As [`crate::flights`] numbers it.
    pub flight: u64,
}

impl Entry {
    /// How long it is, its end included.
    pub fn bytes(&self) -> usize {
        (self.end - self.begin) as usize
    }
}

impl Transcript {
    /// Nothing heard yet of so many senders.
    pub fn new(senders: usize) -> Self {
        Self { blocks: VecDeque::new(), first: 0, heard: vec![0; senders], in_turn_from: 0 }
    }

    /// Number of the line that comes next.
    pub fn end(&self) -> u64 {
        let last = self.blocks.back().map_or(0, |block| block.lines.len());
        self.first + (self.blocks.len().saturating_sub(1) * BLOCK_LINES + last) as u64
    }

    /// Appends a line as it came, its end included. Gives its number.
    pub fn append(&mut self, bytes: &[u8], stamp: Stamp, flight: u64) -> u64 {
        let number = self.end();
        if !self.is_in_turn(&stamp) {
            self.in_turn_from = number + 1;
        }
        if let Some(heard) = self.heard.get_mut(usize::from(stamp.sender)) {
            *heard = (*heard).max(stamp.sequence.saturating_add(1));
        }
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
            block.lines.push(Entry { begin, end: block.bytes.len() as u32, stamp, flight });
        }
        number
    }

    /// Whether this is the line behind its sender's last.
    pub fn is_in_turn(&self, stamp: &Stamp) -> bool {
        self.heard.get(usize::from(stamp.sender)) == Some(&stamp.sequence)
    }

    /// From this line on each is the one behind its sender's last.
    pub fn in_turn_from(&self) -> u64 {
        self.in_turn_from
    }

    /// The oldest line that is kept.
    pub fn oldest(&self) -> u64 {
        self.first
    }

    /// The line that is the oldest once another one is appended.
    pub fn oldest_after_append(&self) -> u64 {
        let is_full = self.blocks.len() == BLOCKS_MAX
            && self.blocks.back().is_some_and(|block| block.lines.len() == BLOCK_LINES);
        self.first + if is_full { BLOCK_LINES as u64 } else { 0 }
    }

    /// By sender: the sequence behind the last that was heard.
    pub fn heard(&self) -> &[u32] {
        &self.heard
    }

    /// The same of whoever has heard what stands before this line; lines from there on have to be in turn.
    pub fn heard_at(&self, number: u64) -> Vec<u32> {
        let mut heard = self.heard.clone();
        for line in (number..self.end()).rev() {
            let stamp = self.from(line).first().map(|line| line.stamp);
            if let Some((heard, stamp)) =
                stamp.and_then(|stamp| Some((heard.get_mut(usize::from(stamp.sender))?, stamp)))
            {
                *heard = stamp.sequence;
            }
        }
        heard
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
    /// The lines that `bytes` begin with, whole, and how many bytes they are.
    pub fn same(&self, bytes: &[u8]) -> (&'a [Entry], usize) {
        let Some(first) = self.lines.first() else { return (&[], 0) };
        let end = first.begin as usize + self.same_bytes(first, bytes);
        // Mostly all, or few.
        let lines = self.lines.iter().take_while(|line| line.end as usize <= end).count();
        let same = self.lines.get(..lines).unwrap_or_default();
        (same, same.last().map_or(0, |last| (last.end - first.begin) as usize))
    }

    /// How many of `bytes` are the same as those of the lines from the first on; compared many at once.
    fn same_bytes(&self, first: &Entry, bytes: &[u8]) -> usize {
        let theirs = self.bytes.get(first.begin as usize..).unwrap_or_default();
        let shorter = bytes.len().min(theirs.len());
        if bytes.get(..shorter) == theirs.get(..shorter) {
            return shorter;
        }
        let (ours, _) = bytes.as_chunks::<PIECE_BYTES>();
        let pieces = ours.iter().zip(theirs.as_chunks::<PIECE_BYTES>().0);
        let same = pieces.take_while(|(ours, theirs)| ours == theirs).count() * PIECE_BYTES;
        let (ours, theirs) = (bytes.get(same..).unwrap_or_default(), theirs.get(same..).unwrap_or_default());
        same + ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count()
    }

    /// The first of them.
    pub fn first(&self) -> Option<&'a Entry> {
        self.lines.first()
    }

    /// Without so many lines.
    pub fn behind(&self, lines: usize) -> Self {
        Self { bytes: self.bytes, lines: self.lines.get(lines..).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sequence: u64) -> Stamp {
        Stamp { sender: 1, sequence: sequence as u32, due_us: sequence }
    }

    #[test]
    fn the_last_lines_are_kept_under_their_numbers() {
        let mut transcript = Transcript::new(2);
        let many = (BLOCK_LINES * BLOCKS_MAX * 2 + 7) as u64;
        for number in 0..many {
            assert_eq!(transcript.append(number.to_string().as_bytes(), line(number), number), number);
        }
        assert_eq!(transcript.end(), many);
        for number in many - (BLOCK_LINES * (BLOCKS_MAX - 1)) as u64..many {
            let text = number.to_string();
            let (lines, bytes) = transcript.from(number).same(text.as_bytes());
            assert_eq!((lines[0].stamp, lines[0].flight, bytes), (line(number), number, text.len()));
        }
        assert!(transcript.from(many).first().is_none());
        assert!(transcript.from(0).first().is_none());
    }

    #[test]
    fn lines_are_the_same_up_to_the_first_byte_that_is_not() {
        let mut transcript = Transcript::new(2);
        for (number, text) in ["one\n", "two\n"].into_iter().enumerate() {
            transcript.append(text.as_bytes(), line(number as u64), number as u64);
        }
        let same = |number, bytes: &[u8]| {
            let (lines, bytes) = transcript.from(number).same(bytes);
            (lines.len(), bytes)
        };
        assert_eq!(same(0, b"one\ntwo\nthree\n"), (2, 8));
        assert_eq!(same(0, b"one\ntw"), (1, 4));
        assert_eq!(same(0, b"one\ntXo\n"), (1, 4));
        assert_eq!(same(1, b"two\n"), (1, 4));
        assert_eq!((same(1, b"one\n"), same(2, b"one\n")), ((0, 0), (0, 0)));
    }

    #[test]
    fn one_byte_that_differs_is_seen_wherever_it_stands() {
        let mut transcript = Transcript::new(2);
        let text: Vec<u8> = (0..500u16).map(|byte| (byte % 251) as u8).collect();
        for bytes in text.chunks(5) {
            transcript.append(bytes, line(0), 0);
        }
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert_eq!(transcript.from(0).same(&changed).0.len(), at / 5);
        }
        assert_eq!(transcript.from(0).same(&text).1, text.len());
    }
}
