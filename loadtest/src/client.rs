//! One connection: what it has still to send, and the piece that it has not wholly heard yet.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

use crate::wire::Wire;

/// Bytes that the server has not taken yet; past it nothing more is made for that sender.
pub(crate) const UNSENT_BYTES_MAX: usize = 64 * 1024;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum State {
    /// The connect is under way, and was due then.
    Connecting(Instant),
    /// It stands.
    Up,
    /// The server closed it, or it failed.
    Over,
    /// The connect failed: it never stood.
    Failed,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) wire: Wire,
    pub(crate) state: State,
    /// The server said that it is in the room.
    pub(crate) is_ready: bool,
    /// The start of a piece.
    begun: Vec<u8>,
    unsent: VecDeque<u8>,
    /// Bytes that have left `unsent` since it was made.
    flushed: u64,
    /// Where lines end that are in `unsent`, wholly or in part, counted as `flushed` is.
    line_ends: VecDeque<u64>,
}

impl Client {
    /// A connect under way, that was due then.
    pub(crate) fn new(wire: Wire, due: Instant) -> Self {
        Self {
            wire,
            state: State::Connecting(due),
            is_ready: false,
            begun: Vec::new(),
            unsent: VecDeque::new(),
            flushed: 0,
            line_ends: VecDeque::new(),
        }
    }

    /// Where a connect that was under way, with its handshake, is through now: when it was due.
    pub(crate) fn newly_up(&mut self) -> io::Result<Option<Instant>> {
        let State::Connecting(due) = self.state else { return Ok(None) };
        if let Some(error) = self.wire.stream.take_error()? {
            return Err(error);
        }
        match self.wire.stream.peer_addr() {
            Ok(_) if self.wire.shake()? => {
                self.state = State::Up;
                Ok(Some(due))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether it would send, or keep for later, what it is given now.
    pub(crate) fn takes(&self) -> bool {
        self.state == State::Up && self.unsent.len() <= UNSENT_BYTES_MAX
    }

    /// Sends, or keeps for later what the socket does not take. False: nothing, as too much waits already.
    pub(crate) fn send(&mut self, line: &[u8]) -> bool {
        if !self.takes() {
            return false;
        }
        let taken = if self.unsent.is_empty() { self.write(line) } else { Some(0) };
        let Some(taken) = taken else { return false };
        self.unsent.extend(line.get(taken..).unwrap_or_default());
        true
    }

    /// Sends a line that counts. False: nothing was sent.
    pub(crate) fn send_line(&mut self, line: &[u8]) -> bool {
        let is_taken = self.send(line);
        if is_taken && !self.unsent.is_empty() {
            self.line_ends.push_back(self.flushed + self.unsent.len() as u64);
        }
        is_taken
    }

    /// Lines that the socket has not wholly taken yet.
    pub(crate) fn waiting_lines(&self) -> usize {
        self.line_ends.len()
    }

    /// Writes what waits, as far as the socket takes it.
    pub(crate) fn flush(&mut self) {
        if self.state != State::Up {
            return;
        }
        match self.wire.push() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => self.state = State::Over,
            _ => {}
        }
        while !self.unsent.is_empty() {
            let mut waiting = std::mem::take(&mut self.unsent);
            let Some(taken) = self.write(waiting.make_contiguous()) else { return };
            waiting.drain(..taken);
            self.unsent = waiting;
            self.flushed += taken as u64;
            let gone = self.line_ends.iter().take_while(|end| **end <= self.flushed).count();
            self.line_ends.drain(..gone);
            if taken == 0 {
                return;
            }
        }
    }

    /// How much the socket took; none where the connection is over.
    fn write(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            match self.wire.write(bytes) {
                Ok(taken) => return Some(taken),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(0),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.state = State::Over;
                    return None;
                }
            }
        }
    }

    /// One read, put behind what had begun. Gives how many bytes of the buffer are to be heard, and whether there may
    /// be more to read; none where there is nothing.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Option<(usize, bool)> {
        if self.state != State::Up {
            return None;
        }
        let begun = self.begun.len().min(buffer.len());
        let (front, room) = buffer.split_at_mut(begun);
        front.copy_from_slice(self.begun.get(..begun).unwrap_or_default());
        loop {
            match self.wire.read(room) {
                Ok(0) => self.state = State::Over,
                Ok(bytes) => {
                    if begun > 0 {
                        self.begun = Vec::new();
                    }
                    return Some((begun + bytes, bytes == room.len() || self.wire.is_encrypted()));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.state = State::Over,
            }
            return None;
        }
    }

    /// Keeps the start of a piece.
    pub(crate) fn keep(&mut self, begun: &[u8]) {
        if !begun.is_empty() {
            self.begun = begun.to_vec();
        }
    }

    /// Forgets the start of a piece.
    pub(crate) fn forget(&mut self) {
        self.begun = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use mio::net::TcpStream;

    use super::*;

    #[test]
    fn a_line_waits_until_the_socket_has_taken_the_whole_of_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let mut client = Client::new(Wire::new(stream, None).unwrap(), Instant::now());
        assert!(client.newly_up().unwrap().is_some());
        let line = [b'x'; 40_000];
        let mut sent = 0;
        while client.waiting_lines() < 2 {
            assert!(client.send_line(&line));
            sent += 1;
        }
        let whole = (sent - 2) * line.len();
        server.read_exact(&mut vec![0; whole]).unwrap();
        let mut rest = vec![0; 2 * line.len()];
        let mut begin = 0;
        while begin < rest.len() {
            client.flush();
            begin += server.read(rest.get_mut(begin..).unwrap()).unwrap();
        }
        client.flush();
        assert_eq!(client.waiting_lines(), 0);
    }
}
