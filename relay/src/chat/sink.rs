//! Where a flush puts its bytes: a socket, as far as the chat knows of one.

use std::collections::VecDeque;
use std::io::IoSlice;

use super::ClientId;

/// Takes bytes for a client.
pub trait Sink {
    /// Offers `pieces`, in order, to the client's socket.
    fn write(&mut self, client: ClientId, pieces: &[IoSlice<'_>]) -> Sent;
}

/// What became of the bytes offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// So many were taken. Fewer than offered: the socket is full, and will say when it is not.
    Bytes(usize),
    /// None was taken; the socket will say when it is writable.
    Full,
    /// The socket is of no use any more.
    Broken,
}

/// What became of a write, with all that is to be known of its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    Whole(usize),
    Short {
        bytes: usize,
        offered: usize,
        /// Whether the last byte taken was inside a line; `None` if none was taken.
        is_inside_line: Option<bool>,
    },
    Broken,
}

pub(super) fn offer(client: ClientId, pieces: &[IoSlice<'_>], sink: &mut dyn Sink) -> Outcome {
    let offered: usize = pieces.iter().map(|piece| piece.len()).sum();
    let bytes = match sink.write(client, pieces) {
        Sent::Bytes(bytes) if bytes >= offered => return Outcome::Whole(offered),
        Sent::Bytes(bytes) => bytes,
        Sent::Full => 0,
        Sent::Broken => return Outcome::Broken,
    };
    let last = bytes.checked_sub(1).and_then(|last| byte_at(pieces, last));
    Outcome::Short { bytes, offered, is_inside_line: last.map(|byte| byte != b'\n') }
}

fn byte_at(pieces: &[IoSlice<'_>], mut index: usize) -> Option<u8> {
    for piece in pieces {
        match piece.get(index) {
            Some(byte) => return Some(*byte),
            None => index -= piece.len(),
        }
    }
    None
}

/// Puts `length` of the queue's bytes from `from` on. False: there was no place for all.
pub(super) fn put_bytes<'a>(
    queue: &'a VecDeque<u8>,
    from: usize,
    length: usize,
    put: &mut impl FnMut(&'a [u8]) -> bool,
) -> bool {
    let (front, back) = queue.as_slices();
    let to = from + length;
    let part = |slice: &'a [u8], offset: usize| {
        let first = from.saturating_sub(offset).min(slice.len());
        let behind = to.saturating_sub(offset).min(slice.len());
        slice.get(first..behind).unwrap_or_default()
    };
    [part(front, 0), part(back, front.len())].into_iter().all(|piece| piece.is_empty() || put(piece))
}
