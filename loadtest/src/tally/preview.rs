//! The last lines as senders heard them, by their ids. A sender does not write the transcript, and where a server writes
//! to senders first, each of them would have to take each line apart.

use std::collections::VecDeque;

use super::Tally;
use crate::protocol::id;
use crate::stamp::Stamp;

/// Lines that are kept. Whoever is further behind takes its lines apart itself.
const PREVIEW_LINES_MAX: usize = 1024;

/// Lines with growing ids.
#[derive(Debug, Default)]
pub(super) struct Preview(VecDeque<Line>);

#[derive(Debug)]
struct Line {
    id: u64,
    stamp: Stamp,
    bytes: Vec<u8>,
}

impl Preview {
    /// A line was taken apart. One whose id is not above the last one's is left out.
    pub(super) fn note(&mut self, id: u64, stamp: Stamp, piece: &[u8]) {
        if self.0.back().is_some_and(|last| last.id >= id) {
            return;
        }
        let oldest = if self.0.len() < PREVIEW_LINES_MAX { None } else { self.0.pop_front() };
        let mut bytes = oldest.map(|line| line.bytes).unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(piece);
        self.0.push_back(Line { id, stamp, bytes });
    }

    /// The line that `bytes` begin with, byte for byte.
    fn find(&self, bytes: &[u8]) -> Option<&Line> {
        let id = id(bytes)?;
        let index = self.0.binary_search_by_key(&id, |line| line.id).ok()?;
        self.0.get(index).filter(|line| bytes.starts_with(&line.bytes))
    }
}

impl Tally {
    /// Whether a client hears lines that it must not put into the transcript.
    pub(super) fn previews(&self, receiver: u32) -> bool {
        self.has_listeners && (receiver as usize) < self.plan.senders
    }

    /// Takes a line that another sender has heard already. Gives how many bytes it was.
    pub(super) fn hear_previewed(&mut self, receiver: u32, bytes: &[u8], now_us: u64) -> Option<usize> {
        let line = self.extended.as_ref().filter(|_| self.previews(receiver))?.preview.find(bytes)?;
        let (id, stamp, length) = (line.id, line.stamp, line.bytes.len());
        let piece = bytes.get(..length)?;
        self.take_line(receiver, piece, &stamp, Some(id), now_us);
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_known_and_only_whole_and_unchanged() {
        let mut preview = Preview::default();
        let text = |id: u64| format!("@id={id};room=general line\n");
        let stamp = |id: u64| Stamp { sender: 0, sequence: id as u32, due_us: 0 };
        for id in 1..=PREVIEW_LINES_MAX as u64 + 1 {
            preview.note(id, stamp(id), text(id).as_bytes());
        }
        preview.note(3, stamp(9), b"@id=3;again\n");
        let found = |bytes: &str| preview.find(bytes.as_bytes()).map(|line| line.stamp.sequence);
        assert_eq!(found(&(text(3) + "more")), Some(3));
        assert_eq!((found(&text(1)), found(&text(2))), (None, Some(2)));
        assert_eq!(found(text(3).trim_end()), None);
        assert_eq!(found(&text(3).replace("line", "lime")), None);
    }
}
