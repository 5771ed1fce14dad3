//! Ten thousand sessions whose relay is killed and starts again: how soon all are back and have heard what they missed. A
//! hundred of them have said as many lines as a relay knows labels of a session.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use tertulia_loadtest::limits;
use tertulia_loadtest::process;
use tertulia_wire::limits::LABELS_KEPT;
use tertulia_wire::session::{Action, Config, Event, Say, Session};

use crate::history::Scratch;
use crate::table::{Bound, Row};
use crate::{Options, Outcome};

const MANY: usize = 10_000;
const MANY_QUICK: usize = 1000;
/// Who says a line before the relay dies, and one while it is away.
const TALKERS: usize = 100;
/// Lines that each of these says before, in a room of its own: more labels than the relay has in memory.
const SAID_BEFORE: usize = LABELS_KEPT;
const SAID_BEFORE_QUICK: usize = 1000;
/// Of those, at once.
const SAID_AT_ONCE: usize = 250;
/// How long anything may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the sessions' clocks are looked at.
const TICK: Duration = Duration::from_millis(20);
const ROOM: &str = "general";

/// A session and its socket.
struct Seat {
    session: Session,
    socket: Option<TcpStream>,
    is_connected: bool,
    unsent: Vec<u8>,
    /// The lines that it was given: whose they are, and which of theirs. A line that is said again under another id is the
    /// same one.
    heard: HashSet<(u64, u64)>,
    doubled: u64,
    is_ready: bool,
}

struct Crowd {
    poll: Poll,
    seats: Vec<Seat>,
    address: SocketAddr,
    begun: Instant,
    buffer: Vec<u8>,
    ready: usize,
}

pub(crate) fn resume(options: &Options) -> Outcome<Vec<Row>> {
    let many = if options.is_quick { MANY_QUICK } else { MANY };
    limits::make_place(many, 1)?;
    let scratch = Scratch::new("resume")?;
    let ground = scratch.relay()?;
    let mut crowd = Crowd::new(many, ground.target.address)?;
    let greeted_s = crowd.run_until(|crowd| crowd.ready == many)?;
    let filled_s = crowd.fill(if options.is_quick { SAID_BEFORE_QUICK } else { SAID_BEFORE })?;
    crowd.talk();
    crowd.run_until(|crowd| crowd.have_heard(1))?;
    // Dropping a relay kills it.
    drop(ground);
    crowd.run_until(|crowd| crowd.seats.iter().all(|seat| !seat.is_ready))?;
    crowd.talk();
    let ground = scratch.relay()?;
    crowd.address = ground.target.address;
    let back_s = crowd.run_until(|crowd| crowd.ready == many && crowd.have_heard(2))?;
    let cpu_ns = process::usage(ground.own_pid().ok_or("no process")?)?.cpu_ns;
    let doubled: u64 = crowd.seats.iter().map(|seat| seat.doubled).sum();
    let row = |figure: &str, value, bound| Row::plain("resume", figure, None, value, bound);
    Ok(vec![
        row(&format!("s until {many} are greeted for the first time"), greeted_s, Bound::None),
        row(&format!("s until {TALKERS} of them have filled their labels"), filled_s, Bound::None),
        row(&format!("s until {many} are back and caught up"), back_s, Bound::AtMost(10.0)),
        row("lines heard twice", doubled as f64, Bound::AtMost(0.0)),
        row("relay's CPU for it, s", cpu_ns as f64 / 1e9, Bound::None),
    ])
}

impl Crowd {
    fn new(many: usize, address: SocketAddr) -> Outcome<Self> {
        let session = |number: usize| {
            let own = own_room(number);
            let rooms: &[&str] = if number < TALKERS { &[ROOM, &own] } else { &[ROOM] };
            Session::new(Config::new("relay", &format!("p{number}"), rooms, number as u64))
        };
        let seat = |number: usize| Seat {
            session: session(number),
            socket: None,
            is_connected: false,
            unsent: Vec::new(),
            heard: HashSet::new(),
            doubled: 0,
            is_ready: false,
        };
        let seats = (0..many).map(seat).collect();
        let buffer = vec![0; 64 * 1024];
        Ok(Self { poll: Poll::new()?, seats, address, begun: Instant::now(), buffer, ready: 0 })
    }

    /// Those who talk say so many lines that nobody hears. How many seconds that took.
    fn fill(&mut self, lines: usize) -> Outcome<f64> {
        let mut took_s = 0.0;
        for _ in 0..lines.div_ceil(SAID_AT_ONCE) {
            for (number, seat) in self.seats.iter_mut().enumerate().take(TALKERS) {
                let room = own_room(number);
                for _ in 0..SAID_AT_ONCE {
                    seat.session.say(&Say { room: &room, text: "hola", ..Say::default() })?;
                }
            }
            took_s +=
                self.run_until(|crowd| crowd.seats.iter().all(|seat| seat.session.unanswered() == 0))?;
        }
        Ok(took_s)
    }

    /// A hundred of them say a line. Who is away says it when it is back.
    fn talk(&mut self) {
        for seat in self.seats.iter_mut().take(TALKERS) {
            // The bound of lines without an answer is far away.
            let _ = seat.session.say(&Say { room: ROOM, text: "hola", ..Say::default() });
        }
    }

    /// Whether everybody was given all lines of so many rounds of talk but its own, and no others.
    fn have_heard(&self, rounds: usize) -> bool {
        self.seats.iter().enumerate().all(|(number, seat)| {
            let own = usize::from(number < TALKERS);
            seat.heard.len() == rounds * (TALKERS - own) && seat.session.unanswered() == 0
        })
    }

    /// Runs until it is so. How many seconds that took.
    fn run_until(&mut self, is_done: impl Fn(&Self) -> bool) -> Outcome<f64> {
        let begun = Instant::now();
        let mut events = Events::with_capacity(1024);
        let mut tick_at = begun;
        loop {
            self.poll.poll(&mut events, Some(TICK))?;
            let tokens: Vec<usize> = events.iter().map(|event| event.token().0).collect();
            tokens.into_iter().for_each(|index| self.attend(index));
            if Instant::now() < tick_at {
                continue;
            }
            tick_at = Instant::now() + TICK;
            let now = self.begun.elapsed();
            for index in 0..self.seats.len() {
                self.seats[index].session.handle_time(now);
                self.obey(index);
            }
            if is_done(self) {
                return Ok(begun.elapsed().as_secs_f64());
            }
            if begun.elapsed() > PATIENCE {
                return Err(
                    format!("{} of {} are there after {PATIENCE:?}", self.ready, self.seats.len()).into()
                );
            }
        }
    }

    /// Its socket has something to say.
    fn attend(&mut self, index: usize) {
        let now = self.begun.elapsed();
        let seat = &mut self.seats[index];
        if let Some(socket) = seat.socket.as_mut().filter(|_| !seat.is_connected) {
            if socket.take_error().ok().flatten().is_some() {
                seat.socket = None;
                seat.session.handle_connect_failed(now);
            } else if socket.peer_addr().is_ok() {
                seat.is_connected = true;
                seat.session.handle_connected(now);
            }
        }
        while let Some(socket) = seat.socket.as_mut().filter(|_| seat.is_connected) {
            match socket.read(&mut self.buffer) {
                Ok(count) if count > 0 => seat.session.handle_bytes(&self.buffer[..count], now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                _ => {
                    (seat.socket, seat.is_connected) = (None, false);
                    seat.unsent.clear();
                    seat.session.handle_disconnected(now);
                }
            }
        }
        self.obey(index);
    }

    fn obey(&mut self, index: usize) {
        let seat = &mut self.seats[index];
        while let Some(event) = seat.session.poll_event() {
            seat.note(&event);
        }
        let was_ready = std::mem::replace(&mut seat.is_ready, seat.session.is_ready());
        self.ready = self.ready + usize::from(seat.is_ready) - usize::from(was_ready);
        while let Some(action) = seat.session.poll_action() {
            (seat.socket, seat.is_connected) = (None, false);
            seat.unsent.clear();
            if action == Action::Connect {
                match connect(&self.poll, self.address, index) {
                    Ok(socket) => seat.socket = Some(socket),
                    Err(_) => seat.session.handle_connect_failed(self.begun.elapsed()),
                }
            }
        }
        seat.write();
    }
}

fn own_room(number: usize) -> String {
    format!("own{number}")
}

fn connect(poll: &Poll, address: SocketAddr, index: usize) -> std::io::Result<TcpStream> {
    let mut socket = TcpStream::connect(address)?;
    poll.registry().register(&mut socket, Token(index), Interest::READABLE | Interest::WRITABLE)?;
    Ok(socket)
}

impl Seat {
    fn note(&mut self, event: &Event) {
        let Event::Heard { line, .. } = event else { return };
        let Some((sid, label)) = line.key.as_ref().filter(|_| line.notice.is_none()) else { return };
        // A session numbers its labels: `s1`, `s2`.
        let Some(number) = label.strip_prefix('s').and_then(|number| number.parse().ok()) else { return };
        self.doubled += u64::from(!self.heard.insert((*sid, number)));
    }

    fn write(&mut self) {
        if !self.is_connected {
            return;
        }
        while let Some(bytes) = self.session.poll_transmit() {
            self.unsent.extend(bytes);
        }
        let Some(socket) = &mut self.socket else { return };
        while !self.unsent.is_empty() {
            match socket.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                // What is broken is found out by reading.
                Err(_) => return,
            }
        }
    }
}
