//! The bridge and the relay, killed at random moments with `kill -9` while both sides talk; and Telegram failing as it likes.
//! `BRIDGE_KILLS=n` for longer, `BRIDGE_SEED=n` for another course.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod fake;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use fake::Fake;
use serde_json::json;
use support::{Bridge, Folder, Relay, until};
use tertulia_wire::session::{Action, Config, Event, Say, Session};

/// Somebody who talks in the room and never loses a line, because a session says it again.
struct Talker {
    session: Session,
    socket: Option<std::net::TcpStream>,
    started: Instant,
    address: std::net::SocketAddr,
    heard: Vec<String>,
    acknowledged: usize,
    /// What it said, by label.
    said: Vec<(String, String)>,
    /// The numbers that its session had.
    sids: BTreeSet<u64>,
}

impl Talker {
    fn new(address: std::net::SocketAddr) -> Self {
        let session = Session::new(Config::new(&address.to_string(), "Ana", &["general"], 7));
        Self {
            session,
            socket: None,
            started: Instant::now(),
            address,
            heard: Vec::new(),
            acknowledged: 0,
            said: Vec::new(),
            sids: BTreeSet::new(),
        }
    }

    fn say(&mut self, text: String) {
        let label = self.session.say(&Say { room: "general", text: &text, ..Say::default() }).unwrap();
        self.said.push((label, format!("Ana: {text}")));
    }

    /// What it said under keys whose numbers, behind this salt, are among these.
    fn lines_under(&self, salt: u64, numbers: &BTreeSet<u64>) -> BTreeSet<String> {
        let is_among =
            |label: &str| self.sids.iter().any(|sid| numbers.contains(&key_number(salt, *sid, label)));
        self.said.iter().filter(|(label, _)| is_among(label)).map(|(_, line)| line.clone()).collect()
    }

    fn turn(&mut self) {
        use std::io::{ErrorKind, Read, Write};
        let now = self.started.elapsed();
        self.session.handle_time(now);
        while let Some(action) = self.session.poll_action() {
            self.socket = None;
            if action == Action::Connect {
                match std::net::TcpStream::connect(self.address) {
                    Ok(socket) => {
                        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
                        self.socket = Some(socket);
                        self.session.handle_connected(now);
                    }
                    Err(_) => self.session.handle_connect_failed(now),
                }
            }
        }
        let Some(socket) = &mut self.socket else { return std::thread::sleep(Duration::from_millis(2)) };
        let mut is_gone = false;
        while let Some(bytes) = self.session.poll_transmit() {
            is_gone |= socket.write_all(&bytes).is_err();
        }
        let mut buffer = [0; 16 * 1024];
        match socket.read(&mut buffer) {
            Ok(0) => is_gone = true,
            Ok(count) => self.session.handle_bytes(&buffer[..count], now),
            Err(error) => is_gone |= !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
        if is_gone {
            self.socket = None;
            self.session.handle_disconnected(now);
            // It would wait before it connects again.
            self.session.start(now);
        }
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Heard { line, .. } if line.notice.is_none() => {
                    self.heard.push(format!("{}: {}", line.name, line.text));
                }
                Event::Acknowledged { .. } => self.acknowledged += 1,
                Event::Ready { sid, .. } => drop(self.sids.insert(sid)),
                _ => {}
            }
        }
    }
}

/// As the state file has keys: FNV-1a over the salt, the session's number and the label.
fn key_number(salt: u64, sid: u64, label: &str) -> u64 {
    let bytes = [salt.to_le_bytes(), sid.to_le_bytes()].concat();
    bytes.iter().chain(label.as_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What the state file of a killed bridge says to be on its way. It may be no more than one message, the last one that was sent
/// or one that never came.
fn in_flight(folder: &Folder, fake: &Fake, ana: &Talker, known: &BTreeSet<String>) -> BTreeSet<String> {
    let Ok(text) = std::fs::read_to_string(folder.path("bridge.json")) else { return BTreeSet::new() };
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys = state["links"][0]["doubt_keys"].as_array().unwrap().iter();
    let lines =
        ana.lines_under(state["salt"].as_u64().unwrap(), &keys.map(|key| key.as_u64().unwrap()).collect());
    let sent = fake.sent();
    let before = sent.len().saturating_sub(1);
    for sent in &sent[..before] {
        for line in sent.text.lines().filter(|line| lines.contains(*line)) {
            assert!(known.contains(line), "{line} was taken and answered, and is said to be in doubt");
        }
    }
    lines
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn whenever_the_bridge_or_the_relay_is_killed_nothing_is_lost_and_only_what_was_in_doubt_comes_twice() {
    let (kills, mut random) = (number("BRIDGE_KILLS", 6), number("BRIDGE_SEED", 1) | 1);
    let mut below = |end: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % end
    };
    let (fake, folder) = (Fake::start(), Folder::new());
    let mut relay = Relay::start(&folder);
    let mut bridge = Bridge::start(&fake, &relay, &folder, &["--pace", "0.02,0"]);
    bridge.await_ready();
    let mut ana = Talker::new(relay.address);
    until(
        || {
            ana.turn();
            ana.session.is_ready().then_some(())
        },
        || "a greeting".to_owned(),
    );
    // Once a line of hers is there, the bridge knows the room.
    let mut said = 0_usize;
    let mut posted = 0_usize;
    let mut doubted = BTreeSet::new();
    for kill in 0..=kills {
        let until_then = Instant::now() + Duration::from_millis(100 + below(900));
        while Instant::now() < until_then {
            if said - ana.acknowledged < 5 {
                said += 1;
                ana.say(format!("línea {said}"));
            }
            if below(10) == 0 {
                posted += 1;
                fake.message("Luis", json!({"text": format!("mensaje {posted}")}));
            }
            ana.turn();
        }
        if kill == kills {
            break;
        }
        let faults = ["sendMessage 500", "sendMessage 429 1", "getUpdates cut", "sendMessage taken-cut"];
        fake.script(faults[usize::try_from(below(4)).unwrap()]);
        let which = below(3);
        if which != 1 {
            bridge.process.kill();
            doubted.extend(fake.world().unanswered.iter().flat_map(|text| text.lines().map(str::to_owned)));
            let lines = in_flight(&folder, &fake, &ana, &doubted);
            doubted.extend(lines);
        }
        if which != 0 {
            relay.restart();
        }
        if which != 1 {
            bridge.restart();
        }
    }
    let last = format!("Ana: línea {said}");
    until(
        || {
            ana.turn();
            let is_there = fake.lines().contains(&last) && ana.acknowledged == said;
            let is_heard = ana.heard.iter().any(|line| line.ends_with(&format!("mensaje {posted}")));
            (is_there && is_heard).then_some(())
        },
        || format!("{last} and message {posted}; the bridge said {:?}", bridge.process.said()),
    );
    doubted.extend(fake.world().unanswered.iter().flat_map(|text| text.lines().map(str::to_owned)));
    check(&fake, &ana, posted, &doubted);
    println!("{kills} kills, {said} lines, {posted} messages, {} sent", fake.sent().len());
}

fn check(fake: &Fake, ana: &Talker, posted: usize, doubted: &BTreeSet<String>) {
    let expected: Vec<String> =
        (1..=posted).map(|number| format!("Telegram - Luis: mensaje {number}")).collect();
    let heard: Vec<&String> = ana.heard.iter().filter(|line| line.contains("mensaje")).collect();
    assert_eq!(heard, expected.iter().collect::<Vec<_>>(), "each message once, in order");
    let (mut unmarked, mut all) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    for sent in fake.sent() {
        let is_marked = sent.text.starts_with("(quizá repetido)");
        for line in sent.text.lines().filter(|line| line.starts_with("Ana: ")) {
            assert!(!is_marked || doubted.contains(line), "{line} is marked and was never in doubt");
            *all.entry(line.to_owned()).or_default() += 1;
            *unmarked.entry(line.to_owned()).or_default() += usize::from(!is_marked);
        }
    }
    for (_, line) in &ana.said {
        assert!(all.contains_key(line), "{line} is not in Telegram");
        assert!(unmarked.get(line).is_none_or(|count| *count <= 1), "{line} came twice, unmarked");
    }
}
