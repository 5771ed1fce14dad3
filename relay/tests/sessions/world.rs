//! The relay's core, a disk and clients, and all that can happen to them.

use std::io::IoSlice;
use std::time::Duration;

use tertulia_relay::batch::Durability;
use tertulia_relay::chat::{Answer, Chat, ClientId, Origin, Sent, Settings, Sink};
use tertulia_relay::flood::Flood;
use tertulia_relay::moment::Moment;
use tertulia_relay::phrases::Language;
use tertulia_wire::trace::{self, History, Recorder, Report, check};

use crate::disk::{Disk, Outcome};
use crate::player::Player;
use crate::rng::Rng;

const PLAYERS: usize = 6;
const ROOMS: [&str; 3] = ["general", "cocina", "taller"];
/// Turns in which the core may still have something to do before it counts as one that never rests.
const TURNS_MAX: usize = 5000;
/// Half seconds that everything may take to be settled.
const SETTLING_MAX: usize = 4000;

pub(crate) struct World {
    rng: Rng,
    chat: Chat,
    disk: Disk,
    pub(crate) players: Vec<Player>,
    recorder: Recorder,
    micros: u64,
    unix_ms: u64,
    /// When the relay that lives now was started.
    started: u64,
    next_text: u64,
    log_bytes: usize,
    is_in_trouble: bool,
    pub(crate) deaths: u64,
}

/// The ends of the wires at the relay.
struct Wires<'a>(&'a mut [Player]);

impl Sink for Wires<'_> {
    fn write(&mut self, client: ClientId, pieces: &[IoSlice<'_>]) -> Sent {
        let holds = |player: &&mut Player| player.connection == Some(client.0) && !player.is_ended;
        // A ghost's bytes vanish.
        let Some(player) = self.0.iter_mut().find(holds) else {
            return Sent::Bytes(pieces.iter().map(|piece| piece.len()).sum());
        };
        let before = player.heard.len();
        let place = player.place();
        player.heard.extend(pieces.iter().flat_map(|piece| piece.iter().copied()).take(place));
        match player.heard.len() - before {
            0 => Sent::Full,
            taken => Sent::Bytes(taken),
        }
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let log_bytes = if rng.percent(70) { 128 * 1024 } else { 0 };
        let players = (0..PLAYERS)
            .map(|number| {
                let rooms = &ROOMS[..rng.between(1, 3) as usize];
                Player::new(&format!("p{number}"), rooms, rng.next())
            })
            .collect();
        let mut world = Self {
            chat: new_chat(&mut rng, log_bytes),
            rng,
            disk: Disk::default(),
            players,
            recorder: Recorder::new(),
            micros: 0,
            unix_ms: 1_700_000_000_000,
            started: 0,
            next_text: 0,
            log_bytes,
            is_in_trouble: false,
            deaths: 0,
        };
        world.start_relay();
        world
    }

    fn start_relay(&mut self) {
        self.started = self.micros;
        self.chat = new_chat(&mut self.rng, self.log_bytes);
        self.chat.handle_clock(self.unix_ms);
        let recent = self.rng.index(60);
        self.chat.keep_history(Durability::Commit, self.disk.remembered(recent, self.unix_ms));
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.micros)
    }

    fn at(&self) -> Moment {
        Moment::from_start(Duration::from_micros(self.micros - self.started))
    }

    /// One thing that happens, whatever it is.
    pub(crate) fn step(&mut self) {
        let player = self.rng.index(PLAYERS);
        match self.rng.below(1000) {
            0..=249 => self.say(player),
            250..=549 => self.carry(player),
            550..=699 => self.write(),
            700..=719 => self.walk(player),
            720..=739 => self.cut(player),
            740..=749 => self.players[player].is_slow ^= true,
            750..=754 => self.kill(),
            755..=757 => self.set_clock(),
            758..=760 => self.change_trouble(),
            761..=780 => self.notice_ghosts(),
            781..=785 => self.search(player),
            _ => {
                let micros = *self.rng.pick(&[1_000, 50_000, 400_000, 3_000_000]);
                let micros = self.rng.between(1, micros);
                self.pass(micros);
            }
        }
        self.connect_all();
        self.turn();
    }

    fn say(&mut self, player: usize) {
        let room = *self.rng.pick(&ROOMS);
        self.next_text += 1;
        let long = if self.rng.percent(5) { "muchas palabras ".repeat(700) } else { String::new() };
        let text = format!("línea {} {long}", self.next_text);
        let player = &mut self.players[player];
        if player.session.rooms().any(|own| own == room) {
            player.say(room, &text);
        }
    }

    /// Somebody looks for what all have said, or for one line.
    fn search(&mut self, player: usize) {
        let room = *self.rng.pick(&ROOMS);
        let words = match self.rng.percent(80) {
            true => "línea".to_owned(),
            false => format!("línea {}", self.rng.below(self.next_text + 1)),
        };
        let limit = self.rng.below(40) as u32;
        self.players[player].search(room, &words, limit);
    }

    /// Bytes arrive, in pieces of any size.
    fn carry(&mut self, player: usize) {
        let (to_relay, to_player) = (self.rng.index(3000), self.rng.index(6000));
        self.carry_so_many(player, to_relay, to_player);
    }

    fn carry_so_many(&mut self, index: usize, to_relay: usize, to_player: usize) {
        let (now, at) = (self.now(), self.at());
        let player = &mut self.players[index];
        player.transmit(&mut self.recorder);
        let Some(connection) = player.connection else { return };
        player.hear(to_player, now, &mut self.recorder);
        if player.connection != Some(connection) {
            // It has closed, or found the end.
            return;
        }
        let client = ClientId(connection);
        if player.is_slow || to_player > 0 {
            self.chat.handle_writable(client);
        }
        let player = &mut self.players[index];
        if self.chat.wants_read(client) && !player.is_ended {
            let bytes: Vec<u8> = player.sent.drain(..to_relay.min(player.sent.len())).collect();
            if !bytes.is_empty() {
                self.chat.handle_bytes(client, &bytes, at);
            }
        }
    }

    /// The client enters or leaves a room. The first one it never leaves.
    fn walk(&mut self, player: usize) {
        let room = ROOMS[1 + self.rng.index(2)];
        let player = &mut self.players[player];
        if player.session.rooms().any(|own| own == room) {
            player.session.part(room);
            // What was missed there is of no interest any more.
            player.gaps_open.remove(room);
        } else {
            let _ = player.session.join(room);
        }
    }

    /// A wire breaks. The relay may notice later.
    fn cut(&mut self, player: usize) {
        let now = self.now();
        self.players[player].cut(now, &mut self.recorder);
    }

    fn notice_ghosts(&mut self) {
        let at = self.at();
        let ghosts = self.players.iter_mut().flat_map(|player| std::mem::take(&mut player.closed));
        for ghost in ghosts.collect::<Vec<_>>() {
            if self.rng.percent(50) {
                // An end that looks as if it were meant, in the middle of a line.
                self.chat.handle_end_of_input(ClientId(ghost), at);
                self.turn();
            }
            self.chat.handle_gone(ClientId(ghost), at);
        }
    }

    /// The disk does some of its work, and the relay is told of some of it.
    fn write(&mut self) {
        if !self.is_in_trouble {
            self.disk.commit(self.rng.index(4));
        }
        for _ in 0..self.rng.index(6) {
            self.tell_outcome();
        }
        for (ticket, lines) in self.disk.answers() {
            self.chat.handle_answer(ticket, &Answer::Lines(lines));
        }
    }

    fn tell_outcome(&mut self) {
        let at = self.at();
        match self.disk.next_outcome() {
            Some(Outcome::Kept(number)) => self.chat.handle_kept(number, at),
            Some(Outcome::Lost(number)) => self.chat.handle_lost(number, at),
            None => {}
        }
    }

    fn change_trouble(&mut self) {
        self.is_in_trouble ^= true;
        let at = self.at();
        self.chat.handle_history_trouble(self.is_in_trouble, at);
    }

    fn set_clock(&mut self) {
        self.unix_ms = match self.rng.percent(50) {
            true => self.unix_ms.saturating_sub(3_600_000),
            false => self.unix_ms + self.rng.below(7_200_000),
        };
    }

    /// `kill -9`, and the next relay on the same file. What was under way to the clients still comes, or a part of it; who
    /// hears it is known to have heard it of the dead one.
    fn kill(&mut self) {
        let now = self.now();
        for player in self.players.iter_mut().filter(|player| player.connection.is_some()) {
            player.is_ended = true;
            let count = if self.rng.percent(70) { usize::MAX } else { self.rng.index(3000) };
            player.hear(count, now, &mut self.recorder);
            player.cut(now, &mut self.recorder);
        }
        self.deaths += 1;
        self.is_in_trouble = false;
        // The last write may have been done without anybody knowing.
        self.disk.commit(self.rng.index(3));
        self.disk.lose_memory();
        self.recorder.trace.died();
        for player in &mut self.players {
            player.closed.clear();
        }
        self.start_relay();
    }

    fn connect_all(&mut self) {
        for index in 0..PLAYERS {
            if self.players[index].wants_connection && self.rng.percent(30) {
                self.connect(index);
            }
        }
    }

    fn connect(&mut self, index: usize) {
        let is_free = |number: &u32| {
            let holds = |player: &Player| player.connection == Some(*number) && !player.is_ended;
            !self.players.iter().any(|player| player.closed.contains(number) || holds(player))
        };
        let number = (0..).find(is_free).unwrap_or_default();
        let now = self.now();
        self.chat.handle_connect(ClientId(number), Origin { is_trusted: true, ..Origin::default() });
        self.players[index].connect(number, now);
    }

    fn pass(&mut self, micros: u64) {
        let until = self.micros + micros;
        for _ in 0..TURNS_MAX {
            let due = self.chat.next_due().map(|due| {
                let since = due.since(Moment::START).as_micros();
                self.started.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
            });
            let next = due.unwrap_or(u64::MAX).clamp(self.micros, until);
            self.unix_ms += (next - self.micros) / 1000;
            self.micros = next;
            let (now, at) = (self.now(), self.at());
            self.chat.handle_time(at);
            self.players.iter_mut().for_each(|player| player.pass_time(now));
            self.turn();
            if self.micros == until {
                return;
            }
        }
        panic!("time does not pass: there is always something due");
    }

    /// What the shell does behind every event.
    fn turn(&mut self) {
        self.chat.handle_clock(self.unix_ms);
        for _ in 0..TURNS_MAX {
            let at = self.at();
            self.chat.flush(at, &mut Wires(&mut self.players));
            while self.chat.poll_resumed(at).is_some() {}
            while let Some(client) = self.chat.poll_ended() {
                self.close(client.0);
            }
            while self.chat.poll_event().is_some() {}
            while let Some(work) = self.chat.poll_kept() {
                let is_lost = self.is_in_trouble && self.rng.percent(10);
                self.disk.put(work, is_lost);
            }
            while let Some(question) = self.chat.poll_question() {
                self.disk.ask(question);
            }
            if !self.chat.needs_flush() {
                return;
            }
        }
        panic!("the relay never rests: it always wants to write");
    }

    fn close(&mut self, connection: u32) {
        let at = self.at();
        let holds = |player: &&mut Player| player.connection == Some(connection) && !player.is_ended;
        if let Some(player) = self.players.iter_mut().find(holds) {
            player.is_ended = true;
        }
        self.players.iter_mut().for_each(|player| player.closed.retain(|closed| *closed != connection));
        self.chat.handle_gone(ClientId(connection), at);
    }

    /// Nothing goes wrong any more, until everybody has heard everything and every line is answered.
    pub(crate) fn settle(&mut self) {
        if self.is_in_trouble {
            self.change_trouble();
        }
        self.notice_ghosts();
        self.players.iter_mut().for_each(|player| player.is_slow = false);
        for _ in 0..SETTLING_MAX {
            self.pass_smoothly();
            if self.is_settled() {
                return self.say_last_words();
            }
        }
        let left: Vec<String> = self.players.iter().map(Player::describe).collect();
        panic!("it never settles; the disk rests: {}; {left:?}", self.disk.is_idle());
    }

    /// Half a second in which nothing goes wrong.
    fn pass_smoothly(&mut self) {
        self.notice_ghosts();
        self.pass(500_000);
        for index in 0..PLAYERS {
            if self.players[index].wants_connection {
                self.connect(index);
            }
            self.carry_so_many(index, usize::MAX, usize::MAX);
        }
        self.turn();
        self.disk.commit(usize::MAX);
        (0..1000).for_each(|_| self.tell_outcome());
        self.write();
        self.turn();
    }

    /// Where nothing goes wrong, a line is answered without being sent again, for which a client waits longer.
    fn say_last_words(&mut self) {
        (0..PLAYERS).for_each(|index| self.players[index].say(ROOMS[0], "adiós"));
        for _ in 0..8 {
            self.pass_smoothly();
        }
        let is_answered = |player: &Player| player.open.is_empty();
        assert!(self.players.iter().all(is_answered), "a line was not answered");
    }

    fn is_settled(&self) -> bool {
        let is_quiet = |player: &Player| {
            player.session.is_ready()
                && player.session.unanswered() == 0
                && player.gaps_open.is_empty()
                && player.searches_open.is_empty()
                && player.heard.is_empty()
                && player.sent.is_empty()
                && !player.wants_connection
        };
        self.disk.is_idle() && self.players.iter().all(is_quiet)
    }

    /// What the checker of traces says of it all.
    pub(crate) fn judge(&mut self) -> Report {
        let newest = self.disk.rows.last().map_or(0, |row| row.id);
        for player in &self.players {
            player.has_caught_up(newest, &mut self.recorder);
        }
        let mut history = History::new();
        for row in &self.disk.rows {
            let Some((sid, label, _)) = &row.key else { continue };
            let line = trace::Line { id: row.id, sid: *sid, label, name: &row.name, text: &row.text };
            history.row(&row.room, row.unix_ms, &line);
        }
        check(&self.recorder.trace, &history)
    }

    /// Everybody who never left the first room was given every line of it once, but its own.
    pub(crate) fn check_given(&self) {
        let first = ROOMS[0];
        for (number, player) in self.players.iter().enumerate() {
            let mut heard_from = None;
            for row in self.disk.rows.iter().filter(|row| row.room == first) {
                let Some((sid, label, _)) = &row.key else { continue };
                let is_given = player.given.contains(&(first.to_owned(), *sid, label.clone()));
                heard_from = heard_from.or(is_given.then_some(row.id));
                let is_own = player.sids.contains(sid);
                assert!(
                    is_given || is_own || heard_from.is_none(),
                    "p{number} was never given {sid}.{label}, {} of {first}, and no word of a gap",
                    row.id
                );
            }
        }
    }

    /// What a search found is all that there was between its first line and its last; without more, down to the oldest.
    pub(crate) fn check_found(&self) {
        for search in self.players.iter().flat_map(|player| &player.searches) {
            let newest = search.found.first().copied().unwrap_or_default();
            let oldest = match search.is_more {
                true => search.found.last().copied().unwrap_or(u64::MAX),
                false => 0,
            };
            let all =
                self.disk.rows.iter().rev().filter(|row| row.room == search.room && row.has(&search.words));
            let there: Vec<u64> = all.map(|row| row.id).filter(|id| (oldest..=newest).contains(id)).collect();
            assert_eq!(search.found, there, "{search:?}");
        }
    }

    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.recorder.acknowledged, self.recorder.forgotten)
    }
}

fn new_chat(rng: &mut Rng, room_log_bytes: usize) -> Chat {
    let mut token_key = [0; 32];
    token_key.iter_mut().for_each(|byte| *byte = rng.below(256) as u8);
    let flood = rng.percent(30).then(|| Flood::new(20, 50));
    Chat::new(Settings {
        flood,
        language: Language::En,
        room_log_bytes,
        token_key: token_key.into(),
        labels_max: 40,
    })
}
