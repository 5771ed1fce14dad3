//! Very many connects at once, and whether each was served.

use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::fleet::{Fleet, chat_line, count_marks};
use crate::server::Server;
use crate::{Outcome, probes};

/// Between this many connects the finished ones are looked at.
const CONNECTS_PER_LOOK: usize = 16;
const EVENTS_PER_LOOK: usize = 1024;
const STALL: Duration = Duration::from_secs(10);

/// How a rush went.
#[derive(Default)]
pub(crate) struct Rush {
    /// The slowest connect.
    pub(crate) slowest_ms: f64,
    /// From the first connect until the server held all of them.
    pub(crate) accepted_ms: f64,
    /// Handshakes the full queue turned away.
    pub(crate) overflows: f64,
    /// Handshakes dropped for any reason.
    pub(crate) drops: f64,
    /// First packets sent again.
    pub(crate) resends: f64,
}

impl Rush {
    /// The greater of each figure.
    pub(crate) fn worse(self, other: Self) -> Self {
        Self {
            slowest_ms: self.slowest_ms.max(other.slowest_ms),
            accepted_ms: self.accepted_ms.max(other.accepted_ms),
            overflows: self.overflows.max(other.overflows),
            drops: self.drops.max(other.drops),
            resends: self.resends.max(other.resends),
        }
    }
}

/// The connects under way.
struct Door {
    poll: Poll,
    events: Events,
    /// Each stream with when its connect began; `None` for the time once it is through.
    streams: Vec<(TcpStream, Option<Instant>)>,
    through: usize,
    slowest: Duration,
}

/// Opens `count` connections as fast as it can, then has one say a line which all must hear.
pub(crate) fn run(server: &Server, count: usize) -> Outcome<Rush> {
    let counters = || -> Outcome<[u64; 3]> {
        let [overflows, drops, resends] = ["ListenOverflows", "ListenDrops", "TCPSynRetrans"];
        Ok([probes::tcp_counter(overflows)?, probes::tcp_counter(drops)?, probes::tcp_counter(resends)?])
    };
    let [overflows, drops, resends] = counters()?;
    let begin = Instant::now();
    let door = open(server, count)?;
    server.await_clients(count)?;
    let accepted_ms = begin.elapsed().as_secs_f64() * 1e3;
    let [overflows_after, drops_after, resends_after] = counters()?;
    let slowest_ms = door.slowest.as_secs_f64() * 1e3;
    all_hear(door, count)?;
    Ok(Rush {
        slowest_ms,
        accepted_ms,
        overflows: (overflows_after - overflows) as f64,
        drops: (drops_after - drops) as f64,
        resends: (resends_after - resends) as f64,
    })
}

fn open(server: &Server, count: usize) -> Outcome<Door> {
    let mut door = Door {
        poll: Poll::new()?,
        events: Events::with_capacity(EVENTS_PER_LOOK),
        streams: Vec::with_capacity(count),
        through: 0,
        slowest: Duration::ZERO,
    };
    for index in 0..count {
        let begin = Instant::now();
        let mut stream = TcpStream::connect(server.address())?;
        door.poll.registry().register(&mut stream, Token(index), Interest::WRITABLE)?;
        door.streams.push((stream, Some(begin)));
        if index % CONNECTS_PER_LOOK == 0 {
            door.look(Duration::ZERO)?;
        }
    }
    let begin = Instant::now();
    while door.through < count {
        door.look(Duration::from_millis(10))?;
        if begin.elapsed() > STALL {
            return Err(format!("{} of {count} connects came through", door.through).into());
        }
    }
    Ok(door)
}

impl Door {
    fn look(&mut self, wait: Duration) -> Outcome<()> {
        self.poll.poll(&mut self.events, Some(wait))?;
        for event in &self.events {
            let Some((stream, begin)) = self.streams.get_mut(event.token().0) else { continue };
            if let Some(error) = stream.take_error()? {
                return Err(format!("connect {}: {error}", event.token().0).into());
            }
            if stream.peer_addr().is_err() {
                continue;
            }
            if let Some(begin) = begin.take() {
                self.through += 1;
                self.slowest = self.slowest.max(begin.elapsed());
            }
        }
        Ok(())
    }
}

/// Has the first connection say a line and counts that every other hears it.
fn all_hear(door: Door, count: usize) -> Outcome<()> {
    let mut fleet = Fleet::new()?;
    for (mut stream, _) in door.streams {
        door.poll.registry().deregister(&mut stream)?;
        fleet.adopt(stream)?;
    }
    fleet.send(0, &chat_line(0, 0))?;
    let mut heard = 0;
    let mut progress = Instant::now();
    while heard + 1 < count as u64 {
        if fleet.turn(Duration::from_millis(10), |_, bytes| heard += count_marks(bytes))? > 0 {
            progress = Instant::now();
        } else if progress.elapsed() > STALL {
            return Err(format!("{heard} of {} heard the line", count - 1).into());
        }
    }
    Ok(())
}
