//! Sessions against a relay that fails, with chance and without a clock: what was said is in the log exactly once, and
//! everybody hears each line exactly once or is told that it is missing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::relay::Relay;
use tertulia_wire::session::{Action, Config, Event, Say, Session, Source};

const SEEDS: u64 = 200;
const STEPS: u32 = 800;
const CLIENTS: usize = 4;
const ROOMS: [&str; 2] = ["general", "cocina"];

/// The same generator as everybody's: an addition and two multiplications.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        (mixed ^ (mixed >> 29)) % end.max(1)
    }

    fn of_100(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

struct Client {
    session: Session,
    conn: Option<usize>,
    to_relay: Vec<u8>,
    said: Vec<String>,
    acknowledged: BTreeMap<String, u32>,
    /// How often each text was heard.
    heard: BTreeMap<String, u32>,
    /// Where it heard first of each room.
    since: BTreeMap<String, u64>,
    left: Vec<(String, u64, u64)>,
    open_gaps: i64,
    seen: Seen,
}

/// What happened at all, so that a simulation in which nothing does is noticed.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    resumed: u32,
    forgotten: u32,
    gaps: u32,
    left: u32,
    names_in_use: u32,
    restarts: u32,
}

struct World {
    chance: Chance,
    relay: Relay,
    clients: Vec<Client>,
    now: Duration,
    /// The relay is killed and loses what it had not committed; else it forgets tokens.
    is_killed: bool,
    is_failing: bool,
    plain_lines: u32,
}

fn config(number: usize, seed: u64) -> Config {
    Config::new("relay.example:2000", &format!("Ana{number}"), &ROOMS, seed)
}

impl World {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let client = |number| Client {
            session: Session::new(config(number, seed + number as u64)),
            conn: None,
            to_relay: Vec::new(),
            said: Vec::new(),
            acknowledged: BTreeMap::new(),
            heard: BTreeMap::new(),
            since: BTreeMap::new(),
            left: Vec::new(),
            open_gaps: 0,
            seen: Seen::default(),
        };
        let mut relay = Relay::default();
        relay.bucket = if chance.of_100(50) { (0, 0) } else { (20, 50) };
        let clients = (0..CLIENTS).map(client).collect();
        Self {
            chance,
            relay,
            clients,
            now: Duration::ZERO,
            is_killed: seed % 2 == 0,
            is_failing: true,
            plain_lines: 0,
        }
    }

    fn step(&mut self) {
        let number = self.chance.below(CLIENTS as u64) as usize;
        match self.chance.below(100) {
            0..=11 => self.say(number),
            12..=14 => {
                self.plain_lines += 1;
                let room = ROOMS[self.chance.below(2) as usize];
                self.relay.plain_said(room, format!("plain-{}", self.plain_lines));
            }
            15..=64 => (0..CLIENTS).for_each(|number| self.move_bytes(number)),
            65..=67 => self.cut(number),
            68..=75 => {
                let lost = if self.chance.of_100(20) { 1 } else { 0 };
                self.relay.commit(lost);
            }
            76 if self.is_killed => self.relay.kill(),
            76 => self.relay.forget(|sid| sid % CLIENTS as u64 == number as u64),
            77..=79 => {
                let room = ROOMS[self.chance.below(2) as usize];
                self.on_conn(number, |relay, conn| relay.skip(conn, room));
            }
            80..=83 => self.on_conn(number, Relay::catch_up),
            84..=86 => self.fail_history(),
            87 if !self.is_killed => self.restart(number),
            _ => self.now += Duration::from_millis(self.chance.below(4_000)),
        }
        self.settle();
    }

    fn say(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let text = format!("{number}-{}", client.said.len());
        let room = ROOMS[self.chance.below(2) as usize];
        client.session.say(&Say { room, text: &text, ..Say::default() }).expect("there is place");
        client.said.push(text);
    }

    fn on_conn(&mut self, number: usize, what: impl Fn(&mut Relay, usize)) {
        if let Some(conn) = self.clients[number].conn {
            what(&mut self.relay, conn);
        }
    }

    fn fail_history(&mut self) {
        let codes: &[&'static str] =
            if self.is_killed { &["BUSY", "UNREADABLE", "NOT_KEPT"] } else { &["BUSY", "UNREADABLE"] };
        self.relay.history_fails = Some(codes[self.chance.below(codes.len() as u64) as usize]);
    }

    /// Some bytes get through, each way, cut anywhere.
    fn move_bytes(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let Some(conn) = client.conn else { return };
        let up = self.chance.below(client.to_relay.len() as u64 + 1) as usize;
        let bytes: Vec<u8> = client.to_relay.drain(..up).collect();
        self.relay.take(conn, &bytes);
        let down = self.chance.below(self.relay.conns[conn].output.len() as u64 + 1) as usize;
        let bytes: Vec<u8> = self.relay.conns[conn].output.drain(..down).collect();
        client.session.handle_bytes(&bytes, self.now);
    }

    fn cut(&mut self, number: usize) {
        self.move_bytes(number);
        let client = &mut self.clients[number];
        let Some(conn) = client.conn.take() else { return };
        client.to_relay.clear();
        self.relay.cut(conn);
        client.session.handle_disconnected(self.now);
    }

    /// The program ends without a word and begins again from what it kept.
    fn restart(&mut self, number: usize) {
        self.hear(number);
        // It had kept this last line, and perhaps sent it.
        self.say(number);
        let client = &mut self.clients[number];
        let saved = client.session.saved();
        if let Some(conn) = client.conn.filter(|_| self.chance.of_100(50)) {
            let waiting = std::iter::from_fn(|| client.session.poll_transmit()).flatten();
            client.to_relay.extend(waiting);
            self.relay.take(conn, &std::mem::take(&mut client.to_relay));
        }
        if let Some(conn) = client.conn.take() {
            client.to_relay.clear();
            self.relay.cut(conn);
        }
        let empty =
            Config { name: String::new(), rooms: Vec::new(), ..config(number, self.chance.below(u64::MAX)) };
        client.session = Session::restore(empty, &saved).expect("what was saved");
        assert_eq!(
            client.session.unanswered(),
            saved.lines().filter(|line| line.starts_with("say ")).count()
        );
        client.seen.restarts += 1;
    }

    /// Everybody does what is due.
    fn settle(&mut self) {
        self.relay.set_time(self.now.as_millis() as u64);
        for number in 0..CLIENTS {
            let client = &mut self.clients[number];
            if let Some(conn) = client.conn.filter(|conn| self.relay.conns[*conn].is_closed) {
                client.conn = None;
                client.to_relay.clear();
                // What it had written may still come.
                if self.chance.of_100(50) {
                    let bytes = std::mem::take(&mut self.relay.conns[conn].output);
                    client.session.handle_bytes(&bytes, self.now);
                }
                client.session.handle_disconnected(self.now);
            }
            client.session.handle_time(self.now);
            // A wait of no time at all ends in the next call.
            client.session.handle_time(self.now);
            assert!(client.session.next_due().is_none_or(|due| due > self.now), "due again at once");
            self.obey(number);
            self.hear(number);
        }
    }

    fn obey(&mut self, number: usize) {
        let client = &mut self.clients[number];
        while let Some(action) = client.session.poll_action() {
            if let Some(conn) = client.conn.take() {
                client.to_relay.clear();
                self.relay.cut(conn);
            }
            match action {
                Action::Close => {}
                Action::Connect if self.is_failing && self.chance.of_100(20) => {
                    client.session.handle_connect_failed(self.now);
                }
                Action::Connect => {
                    client.conn = Some(self.relay.accept());
                    client.session.handle_connected(self.now);
                }
            }
        }
        if client.conn.is_some() {
            while let Some(bytes) = client.session.poll_transmit() {
                client.to_relay.extend(bytes);
            }
        }
    }

    fn hear(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let own = format!("{number}-");
        while let Some(event) = client.session.poll_event() {
            match event {
                Event::Acknowledged { label, .. } => *client.acknowledged.entry(label).or_default() += 1,
                Event::Heard { line, source } => {
                    assert!(!line.text.starts_with(&own), "its own line as another's: {line:?}");
                    assert!(matches!(source, Source::Live | Source::Gap));
                    *client.heard.entry(line.text).or_default() += 1;
                }
                Event::Own { line, .. } => assert!(line.text.starts_with(&own)),
                Event::Joined { room } => {
                    // Nobody hears what was said before it came first; what that was, the relay's log says.
                    let newest = self.relay.log.iter().map(|line| line.id).max().unwrap_or_default();
                    client.since.entry(room).or_insert(newest);
                }
                Event::GapFound { .. } => {
                    client.open_gaps += 1;
                    client.seen.gaps += 1;
                }
                Event::GapClosed { .. } => client.open_gaps -= 1,
                Event::GapLeft { room, from, to, .. } => {
                    client.open_gaps -= 1;
                    client.left.push((room, from, to));
                    client.seen.left += 1;
                }
                Event::Ready { is_resumed, sid, .. } => {
                    client.seen.resumed += u32::from(is_resumed);
                    client.seen.forgotten += u32::from(!is_resumed && sid > CLIENTS as u64);
                }
                Event::HelloRefused { again_in, .. } => {
                    assert!(again_in.is_some(), "it held the name");
                    client.seen.names_in_use += 1;
                }
                // What a relay that was killed had not kept is said again, under greater ids.
                Event::Waiting { .. } | Event::RoomAnew { .. } => {}
                other => panic!("client {number}: {other:?}"),
            }
        }
    }

    /// Nothing fails any more: all that is to come comes.
    fn finish(&mut self) {
        self.is_failing = false;
        self.relay.history_fails = None;
        for _ in 0..2_000 {
            for number in 0..CLIENTS {
                for _ in 0..4 {
                    self.move_bytes(number);
                }
                self.on_conn(number, Relay::catch_up);
            }
            self.relay.commit(0);
            self.now += Duration::from_millis(200);
            self.settle();
            let is_done = |client: &Client| {
                let session = &client.session;
                let is_quiet = client.conn.is_some_and(|conn| self.relay.conns[conn].output.is_empty());
                session.is_ready()
                    && session.unanswered() == 0
                    && client.open_gaps == 0
                    && is_quiet
                    && client.to_relay.is_empty()
            };
            if self.clients.iter().all(is_done) {
                return;
            }
        }
        let states: Vec<_> = self.clients.iter().map(|client| (&client.session, client.open_gaps)).collect();
        panic!("it does not come to rest: {states:#?}");
    }

    fn check(&self) {
        for (number, client) in self.clients.iter().enumerate() {
            for text in &client.said {
                let found: Vec<_> = self.relay.log.iter().filter(|line| line.text == *text).collect();
                assert_eq!(found.len(), 1, "{text} is in the log so often: {found:?}");
            }
            assert_eq!(client.acknowledged.len(), client.said.len(), "client {number}: lines acknowledged");
            assert!(client.acknowledged.values().all(|times| *times == 1), "acknowledged twice");
            let (mut last, own) = (0, format!("{number}-"));
            for line in &self.relay.log {
                assert!(line.id > last, "ids grow");
                last = line.id;
                let times = client.heard.get(&line.text).copied().unwrap_or_default();
                if line.text.starts_with(&own) {
                    continue;
                }
                assert!(times <= 1, "client {number} heard {line:?} {times} times");
                let is_left = client
                    .left
                    .iter()
                    .any(|(room, from, to)| *room == line.room && (*from..=*to).contains(&line.id));
                let is_before = client.since.get(&line.room).is_none_or(|since| line.id <= *since);
                assert!(times == 1 || is_left || is_before, "client {number} never heard {line:?}");
            }
        }
    }
}

fn play(seed: u64) -> Seen {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.finish();
    world.check();
    let mut all = Seen::default();
    for Client { seen, .. } in &world.clients {
        all.resumed += seen.resumed;
        all.forgotten += seen.forgotten;
        all.gaps += seen.gaps;
        all.left += seen.left;
        all.names_in_use += seen.names_in_use;
        all.restarts += seen.restarts;
    }
    all
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[test]
fn whatever_fails_each_line_is_in_the_log_once_and_heard_once_or_announced_as_missing() {
    if let Some(seed) = number("SESSION_SEED") {
        play(seed);
        return;
    }
    let mut all = Seen::default();
    for seed in 0..number("SESSION_SEEDS").unwrap_or(SEEDS) {
        let seen = std::panic::catch_unwind(|| play(seed)).unwrap_or_else(|_| panic!("seed {seed}"));
        all.resumed += seen.resumed;
        all.forgotten += seen.forgotten;
        all.gaps += seen.gaps;
        all.left += seen.left;
        all.names_in_use += seen.names_in_use;
        all.restarts += seen.restarts;
    }
    // That all of it happened is part of what is tested.
    for count in [all.resumed, all.forgotten, all.gaps, all.left, all.names_in_use, all.restarts] {
        assert!(count > 10, "{all:?}");
    }
}
