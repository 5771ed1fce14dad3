//! Both sides fail, and so does the bridge itself, at random and under a seed; the core alone, without sockets.
//!
//! What must hold in the end: each message of Telegram is in the room once; each word of the room is in Telegram, in its order,
//! unmarked at most once. What was on its way when the bridge was killed, or when the answer was missing, is the only thing that
//! may come again, marked, or be left out with `--in-doubt skip`. `BRIDGE_SEED=n` replays one, `BRIDGE_SEEDS=n` plays so many.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::json;
use tertulia_tgbridge::bridge::{
    Backlog, Bridge, FetchFrom, InDoubt, LinkSettings, Naming, Notices, Now, Output, PaceSettings, Poll,
    Saved, SayLine, SendMessage, Settings,
};
use tertulia_tgbridge::phrases::{Language, Told};
use tertulia_tgbridge::telegram::reply::CallError;
use tertulia_tgbridge::telegram::types::{Update, updates};
use tertulia_wire::session::Line;

const START_MS: u64 = 1_700_000_000_000;
const BRIDGE_SID: u64 = 99;
const MARK: &str = "(quizá repetido)\n";

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }
}

/// A line that the relay has.
#[derive(Debug, Clone)]
struct Kept {
    id: u64,
    key: (u64, String),
    name: String,
    text: String,
    is_committed: bool,
}

impl Kept {
    fn line(&self) -> Line {
        Line {
            id: Some(self.id),
            unix_ms: Some(START_MS),
            room: Some("r".to_owned()),
            key: Some(self.key.clone()),
            reply: None,
            quote: None,
            is_private: false,
            to: None,
            notice: None,
            name: self.name.clone(),
            text: self.text.clone(),
        }
    }
}

struct Sim {
    rng: Rng,
    now: Duration,
    bridge: Bridge,
    saved: (Saved, Vec<SayLine>),
    in_doubt: InDoubt,
    // Telegram
    updates: VecDeque<(i64, String)>,
    last_update: i64,
    polls: Vec<Poll>,
    sends: Vec<SendMessage>,
    sent: Vec<String>,
    /// Words that were on their way when something went wrong of which nobody knows whether it was carried out.
    in_flight: BTreeSet<String>,
    // The relay, and the session with it
    history: Vec<Kept>,
    next_id: u64,
    is_connected: bool,
    unanswered: Vec<SayLine>,
    fetches: Vec<(usize, FetchFrom, u32)>,
    /// Lines that were said again after a kill: their order is nobody's promise.
    said_again: Vec<String>,
    said: Vec<String>,
    posted: u64,
    is_calm: bool,
}

impl Sim {
    fn new(seed: u64, in_doubt: InDoubt) -> Self {
        let saved = Saved::default();
        let mut sim = Self {
            rng: Rng(seed),
            now: Duration::ZERO,
            bridge: Bridge::new(settings(in_doubt), saved.clone()),
            saved: (saved, Vec::new()),
            in_doubt,
            updates: VecDeque::new(),
            last_update: 1000,
            polls: Vec::new(),
            sends: Vec::new(),
            sent: Vec::new(),
            in_flight: BTreeSet::new(),
            history: Vec::new(),
            next_id: 1 << 16,
            is_connected: true,
            unanswered: Vec::new(),
            fetches: Vec::new(),
            said_again: Vec::new(),
            said: Vec::new(),
            posted: 0,
            is_calm: false,
        };
        sim.bridge.handle_relay_ready(sim.time());
        sim.settle();
        // The room is known before anything is said.
        while !sim.fetches.is_empty() {
            sim.answer_fetch();
        }
        sim
    }

    fn time(&self) -> Now {
        Now { at: self.now, unix_ms: START_MS + u64::try_from(self.now.as_millis()).unwrap() }
    }

    /// What the shell does behind each input.
    fn settle(&mut self) {
        let (mut polls, mut sends) = (Vec::new(), Vec::new());
        while let Some(output) = self.bridge.poll_output() {
            match output {
                Output::Say(line) => {
                    if !self.unanswered.iter().any(|other| other.label == line.label) {
                        self.unanswered.push(line);
                    }
                }
                Output::Fetch { link, from, limit, .. } => self.fetches.push((link, from, limit)),
                Output::Poll(poll) => polls.push(poll),
                Output::Send(message) => sends.push(message),
                Output::Who { .. } | Output::Join { .. } | Output::Log(_) => {}
                Output::Stop { why, .. } => panic!("it stops: {why}"),
            }
        }
        if self.bridge.take_dirty() {
            self.saved = (Saved::parse(&self.bridge.saved().to_text()).unwrap(), self.unanswered.clone());
        }
        self.polls.extend(polls);
        self.sends.extend(sends);
        assert!(self.polls.len() <= 1 && self.sends.len() <= 1, "more than one call at once");
    }

    fn step(&mut self) {
        match self.rng.below(100) {
            0..16 => self.post(),
            16..34 => self.say(),
            34..46 => self.answer_poll(),
            46..62 => self.answer_send(),
            62..74 => self.answer_says(),
            74..82 => self.answer_fetch(),
            82..92 => self.pass_time(),
            92..94 if !self.is_calm => self.cut(),
            94..96 => self.connect(),
            96 if !self.is_calm => self.kill_relay(),
            97 if !self.is_calm => self.kill_bridge(),
            _ => self.history.iter_mut().for_each(|line| line.is_committed = true),
        }
        self.settle();
    }

    fn post(&mut self) {
        if !self.is_calm {
            self.last_update += 1 + i64::try_from(self.rng.below(2)).unwrap();
            self.posted += 1;
            self.updates.push_back((self.last_update, format!("m{}", self.posted)));
        }
    }

    fn say(&mut self) {
        if self.is_calm {
            return;
        }
        let number = self.said.len();
        let words = if self.rng.one_in(20) { 1200 } else { 0 };
        let long: String = (0..words).map(|word| format!(" l{number}.{word}")).collect();
        let text = format!("l{number}{long}");
        self.said.push(text.clone());
        let key = (1 + self.rng.below(3), format!("s{number}"));
        self.append(key, "Ana".to_owned(), text);
    }

    fn append(&mut self, key: (u64, String), name: String, text: String) -> u64 {
        self.next_id += 1 + self.rng.below(5);
        let kept = Kept { id: self.next_id, key, name, text, is_committed: self.is_calm };
        let line = kept.line();
        self.history.push(kept);
        if self.is_connected && line.key.as_ref().is_some_and(|(sid, _)| *sid != BRIDGE_SID) {
            self.bridge.handle_line(&line, self.time());
        }
        self.next_id
    }

    fn answer_poll(&mut self) {
        let Some(poll) = self.polls.pop() else { return };
        let result = if self.fails(4) { Err(self.error()) } else { Ok(self.updates_from(poll)) };
        self.bridge.handle_updates(result, self.time());
    }

    fn updates_from(&mut self, poll: Poll) -> Vec<Update> {
        if let Some(offset) = poll.offset {
            self.updates.retain(|(id, _)| *id >= offset);
        }
        let all = self.updates.iter().take(poll.limit).map(|(id, text)| {
            json!({"update_id": id, "message": {"message_id": id, "date": START_MS / 1000, "chat": {"id": -5},
                "from": {"id": 7, "first_name": "Luis"}, "text": text}})
        });
        updates(&mut json!(all.collect::<Vec<_>>()))
    }

    fn answer_send(&mut self) {
        let Some(message) = self.sends.pop() else { return };
        let target = message.target;
        let result = match self.fails(3).then(|| self.error()) {
            Some(error) => {
                if matches!(error, CallError::Unknown(_)) {
                    self.in_flight.extend(words(&message.text));
                    if self.rng.one_in(2) {
                        self.sent.push(message.text);
                    }
                }
                Err(error)
            }
            None => {
                self.sent.push(message.text);
                Ok(i64::try_from(self.sent.len()).unwrap())
            }
        };
        self.bridge.handle_sent(target, result, self.time());
    }

    fn fails(&mut self, odds: u64) -> bool {
        !self.is_calm && self.rng.one_in(odds)
    }

    fn error(&mut self) -> CallError {
        let retry_after = Some(Duration::from_secs(self.rng.below(9)));
        match self.rng.below(3) {
            0 => CallError::NotSent(Told::same("no connection")),
            1 => CallError::Unknown(Told::same("no answer")),
            _ => CallError::Refused {
                code: 429,
                description: "slower".to_owned(),
                retry_after,
                migrate_to: None,
            },
        }
    }

    /// The relay says what it is given; a label that it knows gets the first answer.
    fn answer_says(&mut self) {
        if !self.is_connected {
            return;
        }
        let count = usize::try_from(self.rng.below(4)).unwrap();
        let lines: Vec<SayLine> = self.unanswered.drain(..count.min(self.unanswered.len())).collect();
        for line in lines {
            let key = (BRIDGE_SID, line.label.clone());
            let known = self.history.iter().find(|kept| kept.key == key).cloned();
            match known {
                Some(kept) if kept.text != line.text => {
                    self.bridge.handle_say_refused(&line.label, "LABEL_REUSED", self.time());
                }
                known => {
                    let name = format!("T - {}", line.as_who.clone().unwrap_or_default());
                    let id = known.map_or_else(|| self.append(key, name, line.text), |kept| kept.id);
                    // An acknowledged line is kept, and all before it.
                    self.history.iter_mut().for_each(|kept| kept.is_committed = true);
                    self.bridge.handle_acknowledged(&line.label, id, self.time());
                }
            }
            self.settle();
        }
    }

    fn answer_fetch(&mut self) {
        if !self.is_connected || self.fetches.is_empty() {
            return;
        }
        let (link, from, limit) = self.fetches.remove(0);
        // What is asked of the history is answered once all before it is kept.
        self.history.iter_mut().for_each(|kept| kept.is_committed = true);
        let limit = usize::try_from(limit).unwrap();
        let found: Vec<Kept> = match from {
            FetchFrom::Newest => self.history.iter().rev().take(1).cloned().collect(),
            FetchFrom::After(id) => {
                self.history.iter().filter(|kept| kept.id > id).take(limit).cloned().collect()
            }
        };
        let is_more = found.last().is_some_and(|last| self.history.iter().any(|kept| kept.id > last.id));
        for kept in found {
            self.bridge.handle_fetched_line(link, &kept.line(), self.time());
        }
        self.bridge.handle_fetched(link, is_more, self.time());
        self.settle();
    }

    fn pass_time(&mut self) {
        self.now += Duration::from_millis(200 + self.rng.below(4000));
        self.bridge.handle_time(self.time());
    }

    fn cut(&mut self) {
        if self.is_connected {
            self.is_connected = false;
            self.bridge.handle_relay_gone(self.time());
        }
    }

    /// A session that comes back is told what it missed as a gap.
    fn connect(&mut self) {
        if !self.is_connected {
            self.is_connected = true;
            self.bridge.handle_relay_ready(self.time());
            self.bridge.handle_missed("r", self.time());
        }
    }

    /// What was not kept is said again by whoever said it, under the same key and a new id.
    fn kill_relay(&mut self) {
        self.cut();
        let lost: Vec<Kept> = self.history.iter().filter(|kept| !kept.is_committed).cloned().collect();
        self.history.retain(|kept| kept.is_committed);
        for kept in lost {
            self.said_again.push(kept.text.clone());
            self.append(kept.key, kept.name, kept.text);
        }
        self.history.iter_mut().for_each(|kept| kept.is_committed = true);
    }

    /// Calls on their way are carried out, or not.
    fn kill_bridge(&mut self) {
        for message in std::mem::take(&mut self.sends) {
            self.in_flight.extend(words(&message.text));
            if self.rng.one_in(2) {
                self.sent.push(message.text);
            }
        }
        if let Some(poll) = self.polls.pop() {
            if self.rng.one_in(2) {
                self.updates_from(poll);
            }
        }
        self.fetches.clear();
        self.unanswered = self.saved.1.clone();
        self.bridge = Bridge::new(settings(self.in_doubt), self.saved.0.clone());
        self.is_connected = false;
        self.bridge.handle_time(self.time());
    }

    fn finish(&mut self) {
        self.is_calm = true;
        self.connect();
        for _ in 0..200_000 {
            self.step();
            let is_done = self.unanswered.is_empty()
                && self.fetches.is_empty()
                && self.bridge.waiting().all(|(_, count)| count == 0)
                && self.updates.iter().all(|(id, _)| *id < self.bridge.offset());
            if is_done {
                return;
            }
        }
        panic!("it never settles: {:?}", self.bridge);
    }

    fn check_messages(&self) {
        let texts =
            self.history.iter().filter(|kept| kept.key.0 == BRIDGE_SID).map(|kept| kept.text.as_str());
        let texts: Vec<&str> = texts.collect();
        let posted: Vec<String> = (1..=self.posted).map(|number| format!("m{number}")).collect();
        assert_eq!(texts, posted, "each message of Telegram is in the room once, in order");
    }

    fn check_lines(&self) {
        let mut unmarked: BTreeMap<String, usize> = BTreeMap::new();
        let (mut firsts, mut seen) = (Vec::new(), BTreeSet::new());
        for text in &self.sent {
            let is_marked = text.starts_with(MARK);
            for word in words(text) {
                assert!(
                    !is_marked || self.in_flight.contains(&word),
                    "{word} is marked and was never in doubt"
                );
                if !is_marked {
                    *unmarked.entry(word.clone()).or_default() += 1;
                }
                if seen.insert(word.clone()) {
                    firsts.push(word);
                }
            }
        }
        for word in self.said.iter().flat_map(|text| words(text)) {
            let may_be_left_out = self.in_doubt == InDoubt::Skip && self.in_flight.contains(&word);
            assert!(may_be_left_out || seen.contains(&word), "{word} is not in Telegram");
            assert!(unmarked.get(&word).is_none_or(|count| *count <= 1), "{word} came twice, unmarked");
        }
        let lines_said_again: BTreeSet<u64> =
            self.said_again.iter().flat_map(|text| words(text)).map(|word| place(&word).0).collect();
        let places = firsts.iter().map(|word| place(word));
        let places: Vec<(u64, u64)> = places.filter(|(line, _)| !lines_said_again.contains(line)).collect();
        assert!(places.is_sorted(), "the order of the room is kept: {places:?}");
        for again in lines_said_again {
            let words: Vec<u64> = firsts
                .iter()
                .map(|word| place(word))
                .filter(|(line, _)| *line == again)
                .map(|(_, word)| word)
                .collect();
            assert!(words.is_sorted(), "line {again} is in its order: {words:?}");
        }
    }
}

/// The words of the room in a message.
fn words(text: &str) -> Vec<String> {
    let is_word = |word: &&str| word.starts_with('l') && word[1..].starts_with(|c: char| c.is_ascii_digit());
    text.split_whitespace().filter(is_word).map(str::to_owned).collect()
}

/// Of which line a word is, and where in it.
fn place(word: &str) -> (u64, u64) {
    let (line, word) = word[1..].split_once('.').unwrap_or((&word[1..], ""));
    (line.parse().unwrap(), word.parse().map_or(0, |word: u64| word + 1))
}

fn settings(in_doubt: InDoubt) -> Settings {
    Settings {
        name: "T".to_owned(),
        bot_id: 1,
        language: Language::Es,
        links: vec![LinkSettings { chat: -5, thread: None, room: "r".to_owned() }],
        naming: Naming::Full,
        tells_edits: true,
        hears_bots: false,
        hears_bridges: false,
        notices: Notices::Off,
        backlog: Backlog::Replay,
        in_doubt,
        pace: PaceSettings::default(),
        poll_timeout: Duration::from_secs(50),
        takes_over: true,
        started_unix_ms: START_MS,
        seed: 5,
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn play(seed: u64, in_doubt: InDoubt) {
    println!("BRIDGE_SEED={seed}");
    let mut sim = Sim::new(seed, in_doubt);
    let steps = 200 + sim.rng.below(1800);
    (0..steps).for_each(|_| sim.step());
    sim.finish();
    sim.check_messages();
    sim.check_lines();
}

#[test]
fn whatever_fails_nothing_is_lost_and_only_what_is_in_doubt_comes_twice() {
    match number("BRIDGE_SEED") {
        Some(seed) => play(seed, InDoubt::Resend),
        None => (0..number("BRIDGE_SEEDS").unwrap_or(300)).for_each(|seed| play(seed, InDoubt::Resend)),
    }
}

#[test]
fn what_is_in_doubt_may_be_left_out_instead_and_nothing_comes_twice() {
    (0..number("BRIDGE_SEEDS").unwrap_or(100)).for_each(|seed| play(seed, InDoubt::Skip));
}
