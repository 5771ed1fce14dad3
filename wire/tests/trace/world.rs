//! A small honest world: a relay that keeps its promises, clients that come and go, and what they would record.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use tertulia_wire::time::rfc3339;
use tertulia_wire::trace::{History, Line, Reader, Report, Session, Trace, check};

const ROOMS: [&str; 3] = ["general", "cocina", "patio"];
const SESSIONS: u32 = 5;
const STEPS: usize = 700;
/// Lines of each room that a relay remembers when it starts.
const REFILLED: usize = 12;

/// Random numbers that a seed repeats: SplitMix64.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.below(among.len()))
    }
}

/// A line wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) id: u64,
    pub(crate) sid: u64,
    pub(crate) label: String,
    pub(crate) room: String,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) unix_ms: u64,
}

/// A record. Readers are numbered in the order in which they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Hello { session: u32, sid: u64 },
    Said { session: u32, label: String, room: String, name: String, text: String },
    Acked { session: u32, label: String, id: u64, unix_ms: u64 },
    Refused { session: u32, label: String },
    NotKept { session: u32, label: String, id: u64 },
    Listens { session: u32, room: String, behind: u64, is_resumed: bool },
    Heard { reader: usize, line: Spoken },
    Gap { reader: usize, from: u64, to: u64 },
    CaughtUp { reader: usize, id: u64 },
    Cut,
    Died,
}

/// A run: what was recorded, and what was read back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    pub(crate) events: Vec<Event>,
    pub(crate) rows: Vec<Spoken>,
}

impl Run {
    pub(crate) fn check(&self) -> Report {
        let mut trace = Trace::new();
        let mut readers: Vec<Reader> = Vec::new();
        for event in &self.events {
            match event {
                Event::Hello { session, sid } => trace.hello(Session(*session), *sid),
                Event::Said { session, label, room, name, text } => {
                    trace.said(Session(*session), label, room, name, text);
                }
                Event::Acked { session, label, id, unix_ms } => {
                    trace.acked(Session(*session), label, *id, &rfc3339(*unix_ms));
                }
                Event::Refused { session, label } => trace.refused(Session(*session), label),
                Event::NotKept { session, label, id } => trace.not_kept(Session(*session), label, *id),
                Event::Listens { session, room, behind, is_resumed: true } => {
                    readers.push(trace.resumes(Session(*session), room, *behind));
                }
                Event::Listens { session, room, behind, is_resumed: false } => {
                    readers.push(trace.listens(Session(*session), room, *behind));
                }
                Event::Heard { reader, line } => trace.heard(readers[*reader], &line.line()),
                Event::Gap { reader, from, to } => trace.gap(readers[*reader], *from, *to),
                Event::CaughtUp { reader, id } => trace.caught_up(readers[*reader], *id),
                Event::Cut => trace.cut(),
                Event::Died => trace.died(),
            }
        }
        let mut history = History::new();
        self.rows.iter().for_each(|row| history.row(&row.room, row.unix_ms, &row.line()));
        check(&trace, &history)
    }
}

impl Spoken {
    fn line(&self) -> Line<'_> {
        Line { id: self.id, sid: self.sid, label: &self.label, name: &self.name, text: &self.text }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Kept,
    NotKept,
}

#[derive(Debug, Clone)]
struct InLog {
    line: Spoken,
    /// The connection that said it hears it not.
    connection: Option<usize>,
}

/// What the relay has in memory.
#[derive(Default)]
struct Relay {
    logs: BTreeMap<String, Vec<InLog>>,
    /// No line up to here is in the log.
    complete_after: BTreeMap<String, u64>,
    labels: HashMap<(u32, String), (Spoken, Fate)>,
    pending: VecDeque<(u32, Spoken)>,
}

struct Ear {
    reader: usize,
    room: String,
    /// The next line of the log.
    cursor: usize,
}

#[derive(Default)]
struct Client {
    connection: Option<usize>,
    ears: Vec<Ear>,
    answers: VecDeque<Event>,
    /// Sent, and not answered.
    open: Vec<Event>,
    answered: Vec<Event>,
    heard: BTreeMap<String, u64>,
    labels: u32,
}

/// The world as it goes.
struct World {
    rng: Rng,
    run: Run,
    relay: Relay,
    kept: Vec<Spoken>,
    clients: Vec<Client>,
    readers: usize,
    connections: usize,
    id: u64,
    /// Ids given out are below it; a restart begins above.
    ceiling: u64,
}

/// The run of that seed, which keeps every promise.
pub(crate) fn honest(seed: u64) -> Run {
    let clients = (0..SESSIONS).map(|_| Client::default()).collect();
    let mut world = World {
        rng: Rng(seed),
        run: Run::default(),
        relay: Relay::default(),
        kept: Vec::new(),
        clients,
        readers: 0,
        connections: 0,
        id: 1 << 20,
        ceiling: 0,
    };
    for _ in 0..STEPS {
        world.step();
    }
    world.end();
    let mut rows = world.kept;
    rows.sort_by(|one, other| (&one.room, one.id).cmp(&(&other.room, other.id)));
    world.run.rows = rows;
    world.run
}

impl World {
    fn step(&mut self) {
        let who = self.rng.below(self.clients.len());
        if self.clients[who].connection.is_none() {
            return if self.rng.one_in(3) {
                self.connect(who);
            };
        }
        match self.rng.below(100) {
            0..30 => self.say_new(who),
            30..35 => self.say_again(who),
            35..38 => self.say_elsewhere(who),
            38..70 => self.hear(who, 4),
            70..80 => self.take_answers(who, 3),
            80..90 => self.commit(),
            90..92 => self.lose_one(),
            92..94 => self.fall(who),
            94..98 => self.cut(who),
            98 => self.join_another(who),
            _ => self.die(),
        }
    }

    fn next_id(&mut self) -> u64 {
        self.id += 10 + self.rng.next() % 50;
        self.ceiling = self.ceiling.max(self.id + 1_000);
        self.id
    }

    fn sid(who: usize) -> u64 {
        100 + who as u64
    }

    fn name(who: usize) -> String {
        ["Ana", "Luis", "Eva", "Telegram - Paz", "Ñandú"][who].to_owned()
    }

    fn connect(&mut self, who: usize) {
        self.clients[who].connection = Some(self.connections);
        self.connections += 1;
        self.run.events.push(Event::Hello { session: who as u32, sid: Self::sid(who) });
        let rooms: Vec<String> = self.clients[who].heard.keys().cloned().collect();
        for room in &rooms {
            self.resume(who, room);
        }
        if rooms.is_empty() {
            self.listen(who, ROOMS[0]);
        }
        for event in self.clients[who].open.clone() {
            self.send(who, event);
        }
    }

    fn start(&mut self, who: usize, room: &str, behind: u64, is_resumed: bool) -> usize {
        let reader = self.readers;
        self.readers += 1;
        let room = room.to_owned();
        self.run.events.push(Event::Listens { session: who as u32, room, behind, is_resumed });
        reader
    }

    fn listen(&mut self, who: usize, room: &str) {
        let last = self.id;
        let reader = self.start(who, room, last, false);
        let cursor = self.relay.logs.entry(room.to_owned()).or_default().len();
        self.clients[who].ears.push(Ear { reader, room: room.to_owned(), cursor });
        self.clients[who].heard.insert(room.to_owned(), last);
    }

    fn resume(&mut self, who: usize, room: &str) {
        let after = self.clients[who].heard[room];
        let reader = self.start(who, room, after, true);
        let log = self.relay.logs.entry(room.to_owned()).or_default();
        let mut cursor = log.iter().position(|line| line.line.id > after).unwrap_or(log.len());
        let complete_after = self.relay.complete_after.get(room).copied().unwrap_or_default();
        if after < complete_after {
            cursor = 0;
            self.run.events.push(Event::Gap { reader, from: after + 1, to: complete_after });
            self.clients[who].heard.insert(room.to_owned(), complete_after);
        }
        self.clients[who].ears.push(Ear { reader, room: room.to_owned(), cursor });
    }

    fn join_another(&mut self, who: usize) {
        let room = ROOMS[self.rng.below(ROOMS.len())];
        if !self.clients[who].heard.contains_key(room) {
            self.listen(who, room);
        }
    }

    fn say_new(&mut self, who: usize) {
        let number = self.clients[who].labels;
        self.clients[who].labels += 1;
        let ears = &self.clients[who].ears;
        let room = ears[self.rng.below(ears.len())].room.clone();
        self.say(who, format!("m{number}"), room);
    }

    fn say_elsewhere(&mut self, who: usize) {
        let label = format!("x{}", self.clients[who].labels);
        self.clients[who].labels += 1;
        self.say(who, label, "nowhere".to_owned());
    }

    fn say(&mut self, who: usize, label: String, room: String) {
        let text = format!("{}, {label} of {who}", ["hola", "¿cenamos?", "sí", ""][self.rng.below(4)]);
        let event = Event::Said { session: who as u32, label, room, name: Self::name(who), text };
        self.clients[who].open.push(event.clone());
        self.send(who, event);
    }

    /// What waits for an answer; what has one; or something else under a label that was used.
    fn say_again(&mut self, who: usize) {
        let among = [&self.clients[who].open, &self.clients[who].answered][self.rng.below(2)];
        let Some(mut event) = self.rng.pick(among).cloned() else { return };
        if let Event::Said { text, .. } = &mut event {
            if self.rng.one_in(3) {
                text.push_str(", o no");
                let Event::Said { session, label, .. } = &event else { return };
                if !self.relay.labels.contains_key(&(*session, label.clone())) {
                    return;
                }
            }
        }
        self.send(who, event);
    }

    /// A line goes to the relay, which takes it at once.
    fn send(&mut self, who: usize, event: Event) {
        self.run.events.push(event.clone());
        let Event::Said { session, label, room, name, text } = event else { return };
        if let Some((known, fate)) = self.relay.labels.get(&(session, label.clone())).cloned() {
            let is_same = known.text == text && known.room == room;
            if is_same {
                self.tell(&known, session, fate);
            } else {
                self.clients[who].answers.push_back(Event::Refused { session, label });
            }
            return;
        }
        if !self.clients[who].ears.iter().any(|ear| ear.room == room) {
            self.clients[who].answers.push_back(Event::Refused { session, label });
            return;
        }
        let id = self.next_id();
        let line =
            Spoken { id, sid: Self::sid(who), label, room, name, text, unix_ms: 1_700_000_000_000 + id };
        let log = self.relay.logs.entry(line.room.clone()).or_default();
        log.push(InLog { line: line.clone(), connection: self.clients[who].connection });
        self.relay.labels.insert((session, line.label.clone()), (line.clone(), Fate::Open));
        self.relay.pending.push_back((session, line));
    }

    fn tell(&mut self, line: &Spoken, session: u32, fate: Fate) {
        let client = &mut self.clients[session as usize];
        if client.connection.is_none() {
            return;
        }
        let (label, id) = (line.label.clone(), line.id);
        match fate {
            Fate::Open => {}
            Fate::Kept => {
                client.answers.push_back(Event::Acked { session, label, id, unix_ms: line.unix_ms });
            }
            Fate::NotKept => client.answers.push_back(Event::NotKept { session, label, id }),
        }
    }

    fn settle(&mut self, session: u32, line: &Spoken, fate: Fate) {
        self.relay.labels.insert((session, line.label.clone()), (line.clone(), fate));
        self.tell(line, session, fate);
    }

    fn commit(&mut self) {
        let count = self.rng.below(self.relay.pending.len() + 1);
        self.commit_some(count);
    }

    fn commit_some(&mut self, count: usize) {
        for (session, line) in self.relay.pending.drain(..count).collect::<Vec<_>>() {
            self.kept.push(line.clone());
            self.settle(session, &line, Fate::Kept);
        }
    }

    /// The disk is full for one line.
    fn lose_one(&mut self) {
        if let Some((session, line)) = self.relay.pending.pop_back() {
            self.settle(session, &line, Fate::NotKept);
        }
    }

    fn take_answers(&mut self, who: usize, most: usize) {
        for _ in 0..most {
            let Some(answer) = self.clients[who].answers.pop_front() else { return };
            let (Event::Acked { label: answered, .. }
            | Event::Refused { label: answered, .. }
            | Event::NotKept { label: answered, .. }) = &answer
            else {
                return;
            };
            let client = &mut self.clients[who];
            let is_meant = |event: &Event| matches!(event, Event::Said { label, .. } if label == answered);
            if let Some(index) = client.open.iter().position(is_meant) {
                let event = client.open.remove(index);
                if matches!(answer, Event::Acked { .. }) {
                    client.answered.push(event);
                }
            }
            self.run.events.push(answer);
        }
    }

    fn hear(&mut self, who: usize, most: usize) {
        let chosen = self.rng.below(self.clients[who].ears.len());
        for _ in 0..most {
            self.hear_one(who, chosen);
        }
    }

    fn hear_one(&mut self, who: usize, ear: usize) -> bool {
        let client = &mut self.clients[who];
        let ear = &mut client.ears[ear];
        let Some(next) = self.relay.logs.get(&ear.room).and_then(|log| log.get(ear.cursor)) else {
            return false;
        };
        ear.cursor += 1;
        if next.connection.is_none() || next.connection != client.connection {
            self.run.events.push(Event::Heard { reader: ear.reader, line: next.line.clone() });
            client.heard.insert(ear.room.clone(), next.line.id);
        }
        true
    }

    /// The reader falls out of the log, and goes on with the newest line.
    fn fall(&mut self, who: usize) {
        let chosen = self.rng.below(self.clients[who].ears.len());
        let client = &mut self.clients[who];
        let ear = &mut client.ears[chosen];
        let Some(log) = self.relay.logs.get(&ear.room) else { return };
        if ear.cursor + 1 >= log.len() {
            return;
        }
        let (from, to) = (log[ear.cursor].line.id, log[log.len() - 1].line.id - 1);
        self.run.events.push(Event::Gap { reader: ear.reader, from, to });
        client.heard.insert(ear.room.clone(), to);
        ear.cursor = log.len() - 1;
    }

    fn cut(&mut self, who: usize) {
        self.run.events.push(Event::Cut);
        self.disconnect(who);
    }

    fn disconnect(&mut self, who: usize) {
        let client = &mut self.clients[who];
        client.connection = None;
        client.ears.clear();
        client.answers.clear();
    }

    /// `kill -9`: what was not kept is lost. What is on its way may still be heard.
    fn die(&mut self) {
        let committed = self.rng.below(self.relay.pending.len() + 1);
        let pending: Vec<_> = self.relay.pending.drain(..committed).collect();
        self.kept.extend(pending.into_iter().map(|(_, line)| line));
        self.run.events.push(Event::Died);
        for who in 0..self.clients.len() {
            if self.clients[who].connection.is_some() && self.rng.one_in(2) {
                self.hear(who, 2);
                self.take_answers(who, 1);
            }
            self.disconnect(who);
        }
        self.relay = Relay::default();
        self.id = self.ceiling.max(self.id);
        for room in ROOMS {
            let mut lines: Vec<_> = self.kept.iter().filter(|line| line.room == room).cloned().collect();
            lines.sort_by_key(|line| line.id);
            let older = lines.len().saturating_sub(REFILLED);
            let complete_after = older.checked_sub(1).map_or(0, |last| lines[last].id);
            self.relay.complete_after.insert(room.to_owned(), complete_after);
            let refilled = lines.drain(older..).map(|line| InLog { line, connection: None });
            self.relay.logs.insert(room.to_owned(), refilled.collect());
        }
        for line in &self.kept {
            let session = (line.sid - Self::sid(0)) as u32;
            self.relay.labels.insert((session, line.label.clone()), (line.clone(), Fate::Kept));
        }
    }

    /// Everybody comes back, and everything that was said is heard and answered.
    fn end(&mut self) {
        for who in 0..self.clients.len() {
            if self.clients[who].connection.is_none() {
                self.connect(who);
            }
        }
        self.commit_some(self.relay.pending.len());
        let mut seen = BTreeSet::new();
        for who in 0..self.clients.len() {
            self.take_answers(who, usize::MAX);
            for ear in 0..self.clients[who].ears.len() {
                while self.hear_one(who, ear) {}
                let reader = self.clients[who].ears[ear].reader;
                assert!(seen.insert(reader));
                self.run.events.push(Event::CaughtUp { reader, id: self.id });
            }
        }
    }
}
