//! TLS between a socket and the chat: bytes go in and out of rustls here, and are encrypted straight from the room's log.
//! Knows nothing of what they mean, and nothing of the loop but [`Received`] and [`Sent`].
//!
//! What rustls holds of a connection is bounded: nothing is encrypted while ciphertext waits, and nothing is read while
//! plaintext does.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};

use super::conn::Received;
use crate::chat::{Origin, Sent};

/// Bytes encrypted at once: one full record. So much may wait for a peer that does not read, beyond what the kernel
/// holds.
const RECORD_BYTES_MAX: usize = 16 * 1024;

/// Reads in a row that bring nothing to read, before the others get their turn.
const EMPTY_READS_MAX: usize = 4;

/// Pieces in one vectored write, as many as the chat offers.
const PIECES_MAX: usize = 32;

/// The first byte of a TLS record with a handshake in it (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// The TLS of one connection.
pub(super) struct Secure {
    /// What the chat is told of it once the handshake is over.
    origin: Origin,
    tls: ServerConnection,
    /// Something was taken from the socket.
    has_read: bool,
    /// The socket was read just now, and is empty; an event will tell.
    is_drained: bool,
    /// The peer has said that nothing more comes: no event will tell.
    has_ended: bool,
    /// Nothing more will be written.
    has_said_goodbye: bool,
    /// What went wrong, until somebody asks.
    fault: Option<String>,
}

/// How far a handshake has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The peer has more to say, or to take.
    Waiting,
    /// It is over; there may already be something to read.
    Done,
    /// The peer does not speak TLS.
    Plaintext,
    /// The peer has gone before it said anything.
    Left,
    /// It failed, and the peer was told as TLS tells it.
    Failed(String),
}

/// What became of the ciphertext that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// All of it is on its way.
    All,
    /// The socket is full, and will say when it is not.
    Full,
    /// The socket is of no use any more.
    Broken,
}

impl Secure {
    /// A connection at its beginning. Fails only where the configuration is wrong.
    pub(super) fn new(config: &Arc<ServerConfig>, origin: Origin) -> Result<Box<Self>, rustls::Error> {
        let mut tls = ServerConnection::new(Arc::clone(config))?;
        tls.set_buffer_limit(Some(RECORD_BYTES_MAX));
        Ok(Box::new(Self {
            origin,
            tls,
            has_read: false,
            is_drained: false,
            has_ended: false,
            has_said_goodbye: false,
            fault: None,
        }))
    }

    /// Goes on with the handshake as far as the socket lets it.
    pub(super) fn shake(&mut self, stream: &mut TcpStream) -> Progress {
        if !self.has_read {
            match first_byte(stream) {
                Ok(Some(HANDSHAKE)) => {}
                Ok(Some(_)) => return Progress::Plaintext,
                Ok(None) => return Progress::Left,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Waiting,
                Err(_) => return Progress::Left,
            }
        }
        loop {
            match self.push(stream) {
                Pushed::All if !self.tls.is_handshaking() => return Progress::Done,
                Pushed::All => {}
                Pushed::Full => return Progress::Waiting,
                Pushed::Broken => return Progress::Failed("the connection broke".into()),
            }
            match self.take(stream) {
                Ok(0) => return Progress::Failed("the peer left in the middle".into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Waiting,
                Err(error) => return Progress::Failed(error.to_string()),
            }
        }
    }

    /// Where the connection comes from. Nobody on the way can read it.
    pub(super) fn origin(&self) -> Origin {
        Origin { is_private: true, ..self.origin }
    }

    /// Whether the peer has said anything yet.
    pub(super) fn has_read(&self) -> bool {
        self.has_read
    }

    /// What the peer said, decrypted. An end that TLS did not announce is no end: whoever is on the way could have made
    /// it.
    pub(super) fn receive(
        &mut self,
        stream: &mut TcpStream,
        buffer: &mut [u8],
        is_end_near: bool,
    ) -> Received {
        // More may have come since the socket was last read, and its event with it.
        self.is_drained = false;
        for _ in 0..EMPTY_READS_MAX {
            match self.tls.reader().read(buffer) {
                Ok(0) => return Received::Ended,
                Ok(bytes) => {
                    let is_last = bytes < buffer.len() && self.is_drained && !self.has_ended && !is_end_near;
                    return if is_last { Received::Last(bytes) } else { Received::Some(bytes) };
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Received::Broken,
            }
            match self.take(stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Received::Last(0),
                Err(error) => {
                    self.fault = Some(error.to_string());
                    return Received::Broken;
                }
            }
            // Keys that were renewed, and alerts, are answered.
            if self.push(stream) == Pushed::Broken {
                return Received::Broken;
            }
        }
        Received::Some(0)
    }

    /// Encrypts and writes as much as the socket takes. What was encrypted counts as written.
    pub(super) fn write(&mut self, stream: &mut TcpStream, pieces: &[IoSlice<'_>]) -> Sent {
        match self.push(stream) {
            Pushed::All => {}
            Pushed::Full => return Sent::Full,
            Pushed::Broken => return Sent::Broken,
        }
        let offered: usize = pieces.iter().map(|piece| piece.len()).sum();
        let Ok(taken) = self.tls.writer().write_vectored(pieces) else { return Sent::Broken };
        match self.push(stream) {
            Pushed::All if taken < offered => self.write_rest(stream, pieces, taken),
            Pushed::Broken => Sent::Broken,
            Pushed::All | Pushed::Full => Sent::Bytes(taken),
        }
    }

    /// More than one record.
    fn write_rest(&mut self, stream: &mut TcpStream, pieces: &[IoSlice<'_>], mut taken: usize) -> Sent {
        let mut places = [IoSlice::new(&[]); PIECES_MAX];
        places.iter_mut().zip(pieces).for_each(|(place, piece)| *place = *piece);
        let mut rest = &mut places[..];
        IoSlice::advance_slices(&mut rest, taken);
        while rest.iter().any(|piece| !piece.is_empty()) {
            let Ok(bytes) = self.tls.writer().write_vectored(rest) else { return Sent::Broken };
            taken += bytes;
            match self.push(stream) {
                Pushed::All if bytes == 0 => break,
                Pushed::All => IoSlice::advance_slices(&mut rest, bytes),
                Pushed::Full => break,
                Pushed::Broken => return Sent::Broken,
            }
        }
        Sent::Bytes(taken)
    }

    /// Writes the ciphertext that waits.
    pub(super) fn push(&mut self, stream: &mut TcpStream) -> Pushed {
        while self.tls.wants_write() {
            match self.tls.write_tls(stream) {
                Ok(0) => return Pushed::Broken,
                Ok(_) => {}
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Pushed::Full,
                    ErrorKind::Interrupted => {}
                    _ => return Pushed::Broken,
                },
            }
        }
        Pushed::All
    }

    /// Whether ciphertext waits.
    pub(super) fn owes(&self) -> bool {
        self.tls.wants_write()
    }

    /// Tells the peer that nothing more comes, and that nothing was cut off.
    pub(super) fn say_goodbye(&mut self, stream: &mut TcpStream) -> Pushed {
        if !self.tls.is_handshaking() && !self.has_said_goodbye {
            self.has_said_goodbye = true;
            self.tls.send_close_notify();
        }
        self.push(stream)
    }

    /// Why the connection broke, if it was TLS that did: once.
    pub(super) fn take_fault(&mut self) -> Option<String> {
        self.fault.take()
    }

    /// Reads from the socket once and has rustls look at it. Where that fails, the peer is told.
    fn take(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        let mut tap = Tap { stream, is_short: false };
        let bytes = loop {
            match self.tls.read_tls(&mut tap) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.is_drained = tap.is_short;
        self.has_read |= bytes > 0;
        match self.tls.process_new_packets() {
            Ok(state) => self.has_ended |= state.peer_has_closed(),
            Err(error) => {
                self.push(stream);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
        Ok(bytes)
    }
}

/// Looks at the first byte and leaves it there. `None`: the peer has gone.
fn first_byte(stream: &TcpStream) -> io::Result<Option<u8>> {
    let mut first = [0];
    loop {
        match stream.peek(&mut first) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(first.first().copied()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A socket that knows whether the last read has emptied it.
struct Tap<'a> {
    stream: &'a mut TcpStream,
    is_short: bool,
}

impl Read for Tap<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.stream.read(buffer)?;
        self.is_short = bytes < buffer.len();
        Ok(bytes)
    }
}
