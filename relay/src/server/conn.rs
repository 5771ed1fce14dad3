//! A connection as the loop sees it: a socket, and what is known of its readiness.

use std::io::{self, IoSlice, Read, Write};

use mio::Token;
use mio::net::TcpStream;
use slab::Slab;

use crate::chat::{ClientId, Sent, Sink};

/// Bits of a token that number the connection; the others hold its generation.
const INDEX_BITS: u32 = usize::BITS * 5 / 8;
const INDEX_MASK: usize = (1 << INDEX_BITS) - 1;

/// Numbers up to here are connections; above it are the loop's own sockets.
pub(super) const INDEX_MAX: usize = INDEX_MASK - 64;

/// One connection.
pub(super) struct Conn {
    pub(super) stream: TcpStream,
    /// Which use of this slot it is: an event of an earlier one is not for it.
    pub(super) generation: usize,
    /// There may be something to read: an event said so, and no read has said otherwise.
    pub(super) is_readable: bool,
    /// Stands in the list of connections to read.
    pub(super) is_listed: bool,
    /// An event said that the end of the input has come, perhaps behind bytes still to be read: only a read
    /// that says so too is the end.
    pub(super) is_end_near: bool,
    /// The peer will send no more.
    pub(super) has_ended: bool,
    /// The chat is done with it; it only waits for the peer to have read everything.
    pub(super) is_lingering: bool,
    /// For `--max-per-ip`; `None` if it does not count.
    pub(super) group: Option<[u8; 16]>,
}

/// What a read came to.
pub(super) enum Received {
    /// So many bytes, and there may be more.
    Some(usize),
    /// So many bytes, and no more for now; an event will tell.
    Last(usize),
    /// The peer will send no more.
    Ended,
    /// The socket is of no use any more.
    Broken,
}

/// The token of a connection.
pub(super) fn token(index: usize, generation: usize) -> Token {
    Token((index & INDEX_MASK) | (generation << INDEX_BITS))
}

/// The number of the connection that a token is for, if it is still the same use of the slot.
pub(super) fn live_index(conns: &Slab<Conn>, token: Token) -> Option<usize> {
    let index = token.0 & INDEX_MASK;
    let conn = conns.get(index)?;
    (conn.generation << INDEX_BITS == token.0 & !INDEX_MASK).then_some(index)
}

/// The chat's number for a connection.
pub(super) fn client_id(index: usize) -> ClientId {
    ClientId(u32::try_from(index).unwrap_or(u32::MAX))
}

impl Conn {
    /// Reads once. A read that does not fill the buffer has emptied the socket (epoll(7): no need to try
    /// again before the next edge), unless the edge for the end of the input has come already.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Received {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Received::Ended,
                Ok(bytes) if bytes < buffer.len() && !self.is_end_near => return Received::Last(bytes),
                Ok(bytes) => return Received::Some(bytes),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Received::Last(0),
                    io::ErrorKind::Interrupted => {}
                    _ => return Received::Broken,
                },
            }
        }
    }
}

/// The sockets, as the chat's flush sees them.
pub(super) struct Sockets<'a> {
    pub(super) conns: &'a mut Slab<Conn>,
    pub(super) bytes_out: &'a mut u64,
}

impl Sink for Sockets<'_> {
    fn write(&mut self, client: ClientId, pieces: &[IoSlice<'_>]) -> Sent {
        let Some(conn) = self.conns.get_mut(client.0 as usize) else { return Sent::Broken };
        loop {
            let written = match pieces {
                // send(2) is cheaper than writev(2), and this is the common case.
                [piece] => conn.stream.write(piece),
                pieces => conn.stream.write_vectored(pieces),
            };
            match written {
                Ok(bytes) => {
                    *self.bytes_out += bytes as u64;
                    return Sent::Bytes(bytes);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Sent::Full,
                    io::ErrorKind::Interrupted => {}
                    _ => return Sent::Broken,
                },
            }
        }
    }
}
