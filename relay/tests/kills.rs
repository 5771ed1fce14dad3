//! `kill -9` of real relays under load, at moments that a seed chooses, again and again on one file. The checker of traces
//! holds what passed over the wires against the history that is left.
//!
//! `RELAY_KILLS=n` kills n times. Each day has its own seed, which is printed; `RELAY_SEED=s` chooses the moments.

#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "the simulation uses all of it")]
#[path = "sessions/player.rs"]
mod player;
#[allow(dead_code, reason = "the simulation uses all of it")]
#[path = "simulation/rng.rs"]
mod rng;
mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use player::Player;
use rng::Rng;
use support::{DEADLINE, Folder};
use tertulia_relay::history::{BUSY_WAIT, Store};
use tertulia_wire::trace::{self, History, Recorder, check};

const PLAYERS: usize = 5;
const ROOMS: [&str; 2] = ["general", "cocina"];
/// Lines that a player has unanswered at most.
const WINDOW: usize = 40;
/// How long one read waits.
const PATIENCE: Duration = Duration::from_millis(1);

/// A player and its socket. It waits for no time to pass before it connects again: its clock is moved instead.
struct Seat {
    player: Player,
    socket: Option<TcpStream>,
    ahead: Duration,
    connections: u32,
}

impl Seat {
    fn now(&self, started: Instant) -> Duration {
        started.elapsed() + self.ahead
    }

    fn connect(&mut self, address: SocketAddr, started: Instant) {
        let Ok(socket) = TcpStream::connect_timeout(&address, DEADLINE) else { return };
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
        self.socket = Some(socket);
        self.connections += 1;
        self.player.connect(self.connections, self.now(started));
    }

    /// One round of what a program does with its socket. False: the connection is over.
    fn turn(&mut self, started: Instant, recorder: &mut Recorder) -> bool {
        let now = self.now(started);
        self.player.transmit(recorder);
        let Some(socket) = &mut self.socket else { return false };
        let bytes: Vec<u8> = self.player.sent.drain(..).collect();
        if !bytes.is_empty() && socket.write_all(&bytes).is_err() {
            return false;
        }
        let mut buffer = [0; 16 * 1024];
        match socket.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => {
                self.player.heard.extend(&buffer[..count]);
                self.player.hear(usize::MAX, now, recorder);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return false,
        }
        self.player.pass_time(now);
        true
    }

    /// Reads what the dead relay had still written.
    fn drain(&mut self, started: Instant, recorder: &mut Recorder) {
        let until = Instant::now() + DEADLINE;
        while self.socket.is_some() && self.turn(started, recorder) {
            assert!(Instant::now() < until, "the end of a dead relay's connection never comes");
        }
        self.lose(started, recorder);
    }

    fn lose(&mut self, started: Instant, recorder: &mut Recorder) {
        self.socket = None;
        self.player.cut(self.now(started), recorder);
        // It would wait before it connects again.
        self.ahead += Duration::from_secs(120);
        self.player.pass_time(self.now(started));
    }
}

/// Everybody who plays.
struct Play {
    seats: Vec<Seat>,
    recorder: Recorder,
    started: Instant,
    rng: Rng,
    texts: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let seats = (0..PLAYERS)
            .map(|number| Seat {
                player: Player::new(&format!("p{number}"), &ROOMS, rng.next()),
                socket: None,
                ahead: Duration::ZERO,
                connections: 0,
            })
            .collect();
        Self { seats, recorder: Recorder::new(), started: Instant::now(), rng, texts: 0 }
    }

    fn turn(&mut self, address: SocketAddr) {
        for seat in &mut self.seats {
            if seat.socket.is_none() && seat.player.wants_connection {
                seat.connect(address, self.started);
            }
            if seat.socket.is_some() && !seat.turn(self.started, &mut self.recorder) {
                seat.lose(self.started, &mut self.recorder);
            }
        }
    }

    fn talk(&mut self) {
        for seat in &mut self.seats {
            let open = WINDOW.saturating_sub(seat.player.open.len());
            for _ in 0..self.rng.index(open + 1) {
                self.texts += 1;
                let room = *self.rng.pick(&ROOMS);
                seat.player.say(room, &format!("línea {}", self.texts));
            }
        }
    }

    /// Talks until so many more lines were acknowledged, or, where that never comes, long enough.
    fn talk_until(&mut self, address: SocketAddr, more: u64) {
        let goal = self.recorder.acknowledged + more;
        let until = Instant::now() + DEADLINE;
        while self.recorder.acknowledged < goal && Instant::now() < until {
            self.talk();
            self.turn(address);
        }
    }

    /// Nobody says anything more, until each line is answered and each gap closed.
    fn settle(&mut self, address: SocketAddr) {
        let until = Instant::now() + 3 * DEADLINE;
        let rests = |seat: &Seat| {
            seat.player.session.is_ready() && seat.player.open.is_empty() && seat.player.gaps_open.is_empty()
        };
        while !self.seats.iter().all(rests) {
            let left: Vec<String> = self.seats.iter().map(|seat| seat.player.describe()).collect();
            assert!(Instant::now() < until, "it never settles: {left:?}");
            self.turn(address);
        }
        // What was acknowledged last is still on its way to the others.
        (0..50).for_each(|_| self.turn(address));
    }
}

/// The lines of the file, each with its key.
fn history(file: &Path) -> (History, u64, usize) {
    let store = Store::open_to_read(file, BUSY_WAIT).unwrap();
    let (mut history, mut newest, mut count) = (History::new(), 0, 0);
    let each = store.each(|line| {
        newest = line.id;
        count += 1;
        if let Some(key) = line.key {
            let said =
                trace::Line { id: line.id, sid: key.sid, label: key.label, name: line.name, text: line.text };
            history.row(line.room, line.unix_ms, &said);
        }
        true
    });
    each.unwrap();
    history.pruned_to(store.check().unwrap().pruned_to);
    (history, newest, count)
}

fn number(variable: &str, usual: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

/// Kills relays on one file, so many times, and holds what their clients saw against the file. Gives how many lines were
/// acknowledged and how many the file has.
fn kill(kills: u64, flags: &[&str]) -> (u64, usize) {
    let folder = Folder::new();
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = number("RELAY_SEED", since.as_secs() / (24 * 60 * 60));
    println!("RELAY_SEED={seed}");
    let mut play = Play::new(seed);
    let mut relay = folder.relay(flags);
    for _ in 0..kills {
        let more = play.rng.below(300);
        play.talk_until(relay.address(), more);
        // Dropping a relay kills it.
        drop(relay);
        for seat in &mut play.seats {
            seat.drain(play.started, &mut play.recorder);
        }
        play.recorder.trace.died();
        relay = folder.relay(flags);
    }
    play.talk_until(relay.address(), 100);
    play.settle(relay.address());
    let (_, newest, _) = history(&folder.file());
    for seat in &play.seats {
        seat.player.has_caught_up(newest, &mut play.recorder);
    }
    relay.stop();
    let (history, _, count) = history(&folder.file());
    let report = check(&play.recorder.trace, &history);
    assert!(report.is_clean(), "{report}");
    let acknowledged = play.recorder.acknowledged;
    println!("{kills} kills, {acknowledged} lines acknowledged, {count} in the history");
    assert_eq!(play.recorder.forgotten, 0, "a token that was given out is known again");
    (acknowledged, count)
}

#[test]
fn whenever_the_relay_is_killed_nothing_acknowledged_is_lost_or_doubled() {
    let kills = number("RELAY_KILLS", 15);
    let (acknowledged, _) = kill(kills, &["--durability", "commit"]);
    assert!(acknowledged > 50 * kills, "{acknowledged} lines are no load");
}

#[test]
fn whenever_the_relay_is_killed_while_it_prunes_only_what_it_says_is_pruned_is_gone() {
    let kills = number("RELAY_KILLS", 5);
    let (acknowledged, count) = kill(kills, &["--durability", "commit", "--history-max-rows", "300"]);
    assert!(count <= 400 && acknowledged > count as u64, "{count} of {acknowledged}: nothing was pruned");
}
