//! The reference program: what this machine's sockets allow, and nothing more.
//!
//! One loop, edge-triggered. Each turn reads every ready socket into one buffer, the round, and writes the round once
//! to every other socket, leaving out the bytes its owner sent. It parses nothing and remembers nothing but what a
//! full socket did not take.

use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use socket2::{Domain, Protocol, Socket, Type};

const LISTENER: Token = Token(usize::MAX);
const BACKLOG: i32 = 4096;
const EVENTS_PER_TURN: usize = 4096;
/// A read is offered at least this much room.
const ROOM_BYTES: usize = 64 * 1024;
/// A socket which owes more than this loses what comes after.
const PENDING_MAX_BYTES: usize = 1024 * 1024;

struct Connection {
    stream: TcpStream,
    /// Where in the round this connection's own bytes are, when `turn` is the current one.
    own: (usize, usize),
    turn: u64,
    pending: Vec<u8>,
}

struct Floor {
    poll: Poll,
    listener: TcpListener,
    connections: Slab<Connection>,
    round: Vec<u8>,
    round_bytes: usize,
    turn: u64,
    gone: Vec<usize>,
}

/// Listens at `address`, tells where on standard error, and relays for ever.
pub fn serve(address: SocketAddr) -> io::Result<()> {
    let mut floor = Floor::bind(address)?;
    eprintln!("floor: listening on {}", floor.listener.local_addr()?);
    let mut events = Events::with_capacity(EVENTS_PER_TURN);
    loop {
        match floor.poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        floor.take_turn(&events);
    }
}

/// A listening socket whose options every accepted connection inherits.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

impl Floor {
    fn bind(address: SocketAddr) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = listen(address)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            connections: Slab::new(),
            round: vec![0; 2 * ROOM_BYTES],
            round_bytes: 0,
            turn: 0,
            gone: Vec::new(),
        })
    }

    fn take_turn(&mut self, events: &Events) {
        self.turn += 1;
        self.round_bytes = 0;
        let mut newcomers = false;
        for event in events {
            if event.token() == LISTENER {
                newcomers = true;
                continue;
            }
            let key = event.token().0;
            if event.is_writable() {
                self.flush(key);
            }
            if event.is_readable() {
                self.read(key);
            }
        }
        if self.round_bytes > 0 {
            self.spread();
        }
        for key in self.gone.drain(..) {
            self.connections.try_remove(key);
        }
        if newcomers {
            self.accept();
        }
    }

    fn accept(&mut self) {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            let entry = self.connections.vacant_entry();
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self.poll.registry().register(&mut stream, Token(entry.key()), interest).is_ok() {
                entry.insert(Connection { stream, own: (0, 0), turn: 0, pending: Vec::new() });
            }
        }
    }

    /// Appends what a socket holds to the round, until a read comes back short.
    fn read(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let begin = self.round_bytes;
        loop {
            if self.round.len() - self.round_bytes < ROOM_BYTES {
                self.round.resize(self.round.len() * 2, 0);
            }
            let Some(room) = self.round.get_mut(self.round_bytes..) else { break };
            let room_bytes = room.len();
            match connection.stream.read(room) {
                Ok(0) => {
                    self.gone.push(key);
                    break;
                }
                Ok(count) => {
                    self.round_bytes += count;
                    if count < room_bytes {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.gone.push(key);
                    break;
                }
            }
        }
        if self.round_bytes > begin {
            connection.own = (begin, self.round_bytes);
            connection.turn = self.turn;
        }
    }

    /// Writes the round to every connection, each without its own bytes.
    fn spread(&mut self) {
        let Some(round) = self.round.get(..self.round_bytes) else { return };
        for (key, connection) in &mut self.connections {
            let sent = if connection.turn == self.turn {
                let (begin, end) = connection.own;
                let before = round.get(..begin).unwrap_or_default();
                connection.write_around(before, round.get(end..).unwrap_or_default())
            } else {
                connection.write(round)
            };
            if sent.is_err() {
                self.gone.push(key);
            }
        }
    }

    fn flush(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.pending.is_empty() && connection.flush().is_err() {
            self.gone.push(key);
        }
    }
}

impl Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let taken = if self.pending.is_empty() { taken(self.stream.write(bytes))? } else { 0 };
        self.keep(bytes.get(taken..).unwrap_or_default());
        Ok(())
    }

    fn write_around(&mut self, before: &[u8], after: &[u8]) -> io::Result<()> {
        if before.is_empty() {
            return self.write(after);
        }
        if after.is_empty() {
            return self.write(before);
        }
        let pieces = [IoSlice::new(before), IoSlice::new(after)];
        let taken = if self.pending.is_empty() { taken(self.stream.write_vectored(&pieces))? } else { 0 };
        self.keep(before.get(taken..).unwrap_or_default());
        self.keep(after.get(taken.saturating_sub(before.len())..).unwrap_or_default());
        Ok(())
    }

    fn keep(&mut self, rest: &[u8]) {
        if !rest.is_empty() && self.pending.len() + rest.len() <= PENDING_MAX_BYTES {
            self.pending.extend_from_slice(rest);
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            let count = taken(self.stream.write(&self.pending))?;
            if count == 0 {
                break;
            }
            self.pending.drain(..count);
        }
        Ok(())
    }
}

/// How much a write took; nothing when the socket is full.
fn taken(outcome: io::Result<usize>) -> io::Result<usize> {
    match outcome {
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
        other => other,
    }
}
