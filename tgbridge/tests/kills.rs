//! The bridge and the relay, killed at random moments with `kill -9` while both sides talk; and Telegram failing as it likes.
//! `BRIDGE_KILLS=n` for longer, `BRIDGE_SEED=n` for another course.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod fake;
mod support;

use std::collections::BTreeMap;
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
}

impl Talker {
    fn new(address: std::net::SocketAddr) -> Self {
        let session = Session::new(Config::new(&address.to_string(), "Ana", &["general"], 7));
        Self { session, socket: None, started: Instant::now(), address, heard: Vec::new(), acknowledged: 0 }
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
                _ => {}
            }
        }
    }
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
    for kill in 0..=kills {
        let until_then = Instant::now() + Duration::from_millis(100 + below(900));
        while Instant::now() < until_then {
            if said - ana.acknowledged < 5 {
                said += 1;
                let say = Say { room: "general", text: &format!("línea {said}"), ..Say::default() };
                ana.session.say(&say).unwrap();
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
        match below(3) {
            0 => bridge.restart(),
            1 => relay.restart(),
            _ => {
                bridge.process.kill();
                relay.restart();
                bridge.restart();
            }
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
    check(&fake, &ana, said, posted);
    println!("{kills} kills, {said} lines, {posted} messages, {} sent", fake.sent().len());
}

fn check(fake: &Fake, ana: &Talker, said: usize, posted: usize) {
    let expected: Vec<String> =
        (1..=posted).map(|number| format!("Telegram - Luis: mensaje {number}")).collect();
    let heard: Vec<&String> = ana.heard.iter().filter(|line| line.contains("mensaje")).collect();
    assert_eq!(heard, expected.iter().collect::<Vec<_>>(), "each message once, in order");
    let (mut unmarked, mut all) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    for sent in fake.sent() {
        for line in sent.text.lines().filter(|line| line.starts_with("Ana: ")) {
            *all.entry(line.to_owned()).or_default() += 1;
            *unmarked.entry(line.to_owned()).or_default() +=
                usize::from(!sent.text.starts_with("(quizá repetido)"));
        }
    }
    for number in 1..=said {
        let line = format!("Ana: línea {number}");
        assert!(all.contains_key(&line), "{line} is not in Telegram");
        assert!(unmarked.get(&line).is_none_or(|count| *count <= 1), "{line} came twice, unmarked");
    }
}
