//! A connection as the loop sees it: a socket, and what is known of its readiness.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;

use mio::Token;
use mio::net::TcpStream;
use slab::Slab;

#[cfg(feature = "tls")]
use super::tls::{Pushed, Secure};
use crate::chat::{ClientId, Sent, Sink};

/// Bits of a token that number the connection; the others hold its generation.
const INDEX_BITS: u32 = usize::BITS * 5 / 8;
const INDEX_MASK: usize = (1 << INDEX_BITS) - 1;

/// Generations are counted up to here, and then from 0 again.
pub(super) const GENERATION_MASK: u32 = u32::MAX >> (u32::BITS - (usize::BITS - INDEX_BITS));

/// Numbers up to here are connections; above it are the loop's own sockets.
pub(super) const INDEX_MAX: usize = INDEX_MASK - 64;

/// One connection.
pub(super) struct Conn {
    pub(super) stream: TcpStream,
    /// What its bytes pass through; `None`: nothing.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Box<Secure>>,
    /// What is still to come before the chat knows of it.
    #[cfg(any(feature = "tls", feature = "proxy"))]
    pub(super) awaits: Awaits,
    /// Which use of this slot it is: an event of an earlier one is not for it.
    pub(super) generation: u32,
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
    /// How often its time to read was extended since.
    #[cfg(feature = "tls")]
    pub(super) lingers: u8,
    /// For `--max-per-ip`; `None` if it does not count, which takes less memory.
    pub(super) group: Option<Box<[u8; 16]>>,
}

/// What a connection has to show before the chat knows of it.
#[cfg(any(feature = "tls", feature = "proxy"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    /// Nothing: the chat knows of it.
    Nothing,
    /// Who stands behind the proxy.
    #[cfg(feature = "proxy")]
    Header,
    /// The end of the TLS handshake.
    #[cfg(feature = "tls")]
    Handshake,
}

/// How far a connection has come that nothing more is to be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// Everything is on its way, and the peer will see the end behind it.
    Done,
    /// The socket has not taken everything yet.
    #[cfg(feature = "tls")]
    Owing,
    /// The socket is of no use any more.
    Broken,
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
pub(super) fn token(index: usize, generation: u32) -> Token {
    Token((index & INDEX_MASK) | (generation as usize) << INDEX_BITS)
}

/// The number of the connection that a token is for, if it is still the same use of the slot.
pub(super) fn live_index(conns: &Slab<Conn>, token: Token) -> Option<usize> {
    let index = token.0 & INDEX_MASK;
    let conn = conns.get(index)?;
    ((conn.generation as usize) << INDEX_BITS == token.0 & !INDEX_MASK).then_some(index)
}

/// The chat's number for a connection.
pub(super) fn client_id(index: usize) -> ClientId {
    ClientId(u32::try_from(index).unwrap_or(u32::MAX))
}

impl Conn {
    /// Reads once, what it said.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Received {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            return tls.receive(&mut self.stream, buffer, self.is_end_near);
        }
        self.receive_raw(buffer)
    }

    /// Reads once, as it came. A read that does not fill the buffer has emptied the socket (epoll(7): no need to try
    /// again before the next edge), unless the edge for the end of the input has come already.
    pub(super) fn receive_raw(&mut self, buffer: &mut [u8]) -> Received {
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

impl Conn {
    /// Nothing more is to be written: lets the peer see the end, once everything before it is on its way.
    pub(super) fn finish(&mut self) -> Finish {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            match tls.say_goodbye(&mut self.stream) {
                Pushed::All => {}
                Pushed::Full => return Finish::Owing,
                Pushed::Broken => return Finish::Broken,
            }
        }
        match self.stream.shutdown(Shutdown::Write) {
            Ok(()) => Finish::Done,
            Err(_) => Finish::Broken,
        }
    }

    /// Whether something was encrypted that the socket has not taken yet.
    #[cfg(feature = "tls")]
    pub(super) fn owes(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.owes())
    }

    /// Writes a sentence to a peer that the chat does not know of, if its socket takes it.
    #[cfg(any(feature = "tls", feature = "proxy"))]
    pub(super) fn tell(&mut self, line: &str) {
        let _ = self.stream.write(line.as_bytes());
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
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut conn.tls {
            let sent = tls.write(&mut conn.stream, pieces);
            if let Sent::Bytes(bytes) = sent {
                *self.bytes_out += bytes as u64;
            }
            return sent;
        }
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
