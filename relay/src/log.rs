//! A room's lines, encoded once for all who hear them. Knows no client: who reads holds an offset.
//!
//! Offsets are bytes since the room began and only grow. Lines live in blocks; the oldest block goes when the
//! log is full, and whoever has not read it by then has fallen out.

use std::collections::VecDeque;

use tertulia_wire::limits::RELAY_LINE_BYTES_MAX;

/// Bytes of a block: a few rounds of a busy room, and more than the longest line, which never spans two.
pub const BLOCK_BYTES: usize = 32 * 1024;

/// Fewest bytes a log may be bounded to: so that a reader has at least three blocks of time.
pub const LOG_BYTES_MIN: usize = 4 * BLOCK_BYTES;

const _: () = assert!(RELAY_LINE_BYTES_MAX < BLOCK_BYTES);

/// The recent lines of one room.
#[derive(Debug)]
pub struct Log {
    /// In order, without gaps between them; only the last one grows. Never empty of bytes but the last.
    blocks: VecDeque<Block>,
    /// Offset behind the last byte.
    end: u64,
    /// Bytes in all blocks.
    bytes: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Block {
    start: u64,
    bytes: Vec<u8>,
}

impl Log {
    /// An empty log that keeps at most `bytes_max` bytes, rounded down to whole blocks.
    pub fn new(bytes_max: usize) -> Self {
        Self { blocks: VecDeque::new(), end: 0, bytes: 0, bytes_max: bytes_max.max(LOG_BYTES_MIN) }
    }

    /// Appends one line, given in parts, and returns the offset where it starts. May drop the oldest blocks:
    /// see [`Log::start`]. A line longer than a block is not appended (no caller makes one).
    pub fn append(&mut self, parts: &[&[u8]]) -> u64 {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let start = self.end;
        if let Some(block) = self.block_with_room(length) {
            for part in parts {
                block.bytes.extend_from_slice(part);
            }
            self.end += length as u64;
            self.bytes += length;
        }
        start
    }

    /// Offset of the oldest byte kept.
    pub fn start(&self) -> u64 {
        self.blocks.front().map_or(self.end, |block| block.start)
    }

    /// Offset behind the newest byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes from `from` up to `to`, or up to the end of a block if that comes first. Empty if there are
    /// none, or if they are no longer kept.
    pub fn read(&self, from: u64, to: u64) -> &[u8] {
        let Some(block) = self.block_of(from) else { return &[] };
        let first = (from - block.start) as usize;
        let behind = (to.min(self.end).saturating_sub(block.start) as usize).min(block.bytes.len());
        block.bytes.get(first..behind).unwrap_or_default()
    }

    /// The bytes from `from` up to `to`, piece by piece.
    pub fn pieces(&self, from: u64, to: u64) -> impl Iterator<Item = &[u8]> {
        let mut next = from;
        std::iter::from_fn(move || {
            let piece = self.read(next, to);
            next += piece.len() as u64;
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// If appending `length` bytes would drop the oldest block: where the log would start then.
    pub fn start_after(&self, length: usize) -> Option<u64> {
        let fits = self.blocks.back().is_none_or(|block| block.bytes.len() + length <= BLOCK_BYTES);
        let is_full = self.bytes.saturating_add(BLOCK_BYTES) > self.bytes_max;
        if fits || !is_full { None } else { self.second_start() }
    }

    /// Where the log starts once [`Log::drop_oldest`] was called.
    pub fn second_start(&self) -> Option<u64> {
        self.blocks.get(1).map(|block| block.start)
    }

    /// The starts of the blocks, ascending.
    pub fn block_starts(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.blocks.iter().map(|block| block.start)
    }

    /// Drops the oldest block, unless it is the only one. Says whether it did.
    pub fn drop_oldest(&mut self) -> bool {
        self.blocks.len() > 1 && self.take_oldest().is_some()
    }

    fn take_oldest(&mut self) -> Option<Block> {
        let block = self.blocks.pop_front()?;
        self.bytes -= block.bytes.len();
        Some(block)
    }

    fn block_of(&self, offset: u64) -> Option<&Block> {
        let last = self.blocks.back()?;
        if offset >= last.start {
            return Some(last);
        }
        let behind = self.blocks.partition_point(|block| block.start <= offset);
        self.blocks.get(behind.checked_sub(1)?)
    }

    /// The block that the next line goes into: the last, or a new one, for which the oldest ones may have to go.
    fn block_with_room(&mut self, length: usize) -> Option<&mut Block> {
        if length > BLOCK_BYTES {
            return None;
        }
        let fits = self.blocks.back().is_some_and(|block| block.bytes.len() + length <= BLOCK_BYTES);
        if !fits {
            let first = self.blocks.is_empty();
            let mut dropped = None;
            while !self.blocks.is_empty() && self.bytes.saturating_add(BLOCK_BYTES) > self.bytes_max {
                dropped = self.take_oldest();
            }
            let mut bytes = match dropped {
                Some(block) => block.bytes,
                // A room's first block grows as it needs: most rooms stay small.
                None if first => Vec::new(),
                None => Vec::with_capacity(BLOCK_BYTES),
            };
            bytes.clear();
            self.blocks.push_back(Block { start: self.end, bytes });
        }
        self.blocks.back_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(log: &Log, from: u64) -> Vec<u8> {
        log.pieces(from, log.end()).collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_full_log_drops_its_oldest_block_and_says_where_it_starts_now() {
        let mut log = Log::new(0);
        let line = [b'x'; 1000];
        for _ in 0..1000 {
            log.append(&[&line]);
        }
        assert!(log.bytes() <= LOG_BYTES_MIN);
        assert!(log.start() > 0);
        assert_eq!(log.end(), 1_000_000);
        assert_eq!(read_all(&log, log.start()).len() as u64, log.end() - log.start());
        assert_eq!(log.read(log.start() - 1, log.end()), b"");
    }

    #[test]
    fn the_only_block_is_never_dropped() {
        let mut log = Log::new(0);
        log.append(&[b"uno\n"]);
        assert!(!log.drop_oldest());
        assert_eq!(read_all(&log, 0), b"uno\n");
    }

    proptest! {
        #[test]
        fn what_was_appended_is_read_from_any_offset_still_kept(
            lengths in proptest::collection::vec(1usize..17_000, 1..60), from in any::<u64>(),
        ) {
            let mut log = Log::new(0);
            let mut all = Vec::new();
            for (number, length) in lengths.iter().enumerate() {
                let line = vec![number as u8; *length];
                let (head, tail) = line.split_at(length / 2);
                prop_assert_eq!(log.append(&[head, tail]), all.len() as u64);
                all.extend_from_slice(&line);
                prop_assert!(log.bytes() <= LOG_BYTES_MIN);
            }
            let from = log.start() + from % (log.end() - log.start());
            let found = read_all(&log, from);
            prop_assert_eq!(&found[..], &all[from as usize..]);
        }
    }
}
