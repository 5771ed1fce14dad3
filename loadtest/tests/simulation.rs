//! The four checks against a model that remembers everything: whatever a server does to the lines, to their ids and to the
//! answers, in whatever order and pieces they come, both count the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tertulia_loadtest::answers::Answer;
use tertulia_loadtest::names::Names;
use tertulia_loadtest::plan::{Joins, Plan};
use tertulia_loadtest::protocol::Protocol;
use tertulia_loadtest::schedule::{Due, Pace};
use tertulia_loadtest::stamp::{Sizes, Stamp};
use tertulia_loadtest::stats::Counts;
use tertulia_loadtest::tally::Tally;

/// Numbers that follow from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        count > 0 && self.below(count) == 0
    }
}

/// What a server does, and how often: one line in so many; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
struct Harm {
    drops: u64,
    doubles: u64,
    swaps: u64,
    corrupts: u64,
    /// One turn in so many, a receiver hears nothing.
    stalls: u64,
    /// A receiver hears a line under another id than it was given.
    renumbers: u64,
    /// A line is given an id below that of the line before.
    goes_back: u64,
    /// An answer does not come, comes twice, is of another id, says that the line is not kept.
    unanswered: u64,
    answers_twice: u64,
    misanswers: u64,
    keeps_not: u64,
}

/// What somebody hears: a line, whole or with a byte that is not its own.
#[derive(Clone, Copy)]
struct Said {
    sender: u16,
    sequence: u32,
    due_us: u64,
    is_corrupt: bool,
    /// Where lines have one.
    id: Option<u64>,
}

/// What comes to a client.
#[derive(Clone, Copy)]
enum Coming {
    Line(Said),
    /// Of its line with this number.
    Answer(u32, Answer),
}

/// What is known of a line.
#[derive(Default)]
struct Told {
    heard_id: Option<u64>,
    answer: Option<Answer>,
}

impl Told {
    fn is_contradicted(&self) -> bool {
        match (self.heard_id, self.answer) {
            (Some(heard), Some(Answer::Acked(id) | Answer::NotKept(id))) => heard != id,
            _ => false,
        }
    }
}

#[derive(Default)]
struct Model {
    heard: HashMap<(u32, u16), (HashSet<u32>, u32)>,
    told: HashMap<(u16, u32), Told>,
    /// By receiver: the greatest id of a line that it heard in order.
    latest: HashMap<u32, u64>,
    acked: u64,
    not_kept: u64,
    /// By line: who has it.
    holders: HashMap<(u16, u32), usize>,
    counts: Counts,
}

impl Model {
    fn hear(&mut self, receiver: u32, said: Said) {
        if said.is_corrupt {
            self.counts.corrupt += 1;
            return;
        }
        let is_own = self.know(said);
        let (heard, end) = self.heard.entry((receiver, said.sender)).or_default();
        if !heard.insert(said.sequence) {
            self.counts.doubled += 1;
            return;
        }
        self.counts.delivered += 1;
        let is_late = said.sequence < *end;
        *end = (*end).max(said.sequence + 1);
        *self.holders.entry((said.sender, said.sequence)).or_default() += 1;
        // A line counts once, whatever is wrong with it.
        match said.id {
            _ if is_late => self.counts.out_of_order += 1,
            Some(_) if !is_own => self.counts.doubled += 1,
            Some(id) => {
                let latest = self.latest.entry(receiver).or_default();
                self.counts.out_of_order += u64::from(id <= *latest);
                *latest = id.max(*latest);
            }
            None => {}
        }
    }

    /// Whether the line has the id that it was first heard under.
    fn know(&mut self, said: Said) -> bool {
        let Some(id) = said.id else { return true };
        let told = self.told.entry((said.sender, said.sequence)).or_default();
        if told.heard_id.is_none() {
            told.heard_id = Some(id);
            self.counts.corrupt += u64::from(told.is_contradicted());
        }
        told.heard_id == Some(id)
    }

    fn answer(&mut self, sender: u16, sequence: u32, answer: Answer) {
        let told = self.told.entry((sender, sequence)).or_default();
        if told.answer.is_some() {
            self.counts.corrupt += 1;
            return;
        }
        told.answer = Some(answer);
        self.counts.corrupt += u64::from(told.is_contradicted());
        match answer {
            Answer::Acked(_) => self.acked += 1,
            _ => self.not_kept += 1,
        }
    }
}

struct World {
    chance: Chance,
    plan: Plan,
    harm: Harm,
    tally: Tally,
    model: Model,
    /// By receiver: what is on its way to it.
    coming: Vec<VecDeque<Coming>>,
    /// By receiver: bytes that have come, and were not yet a whole piece.
    begun: Vec<Vec<u8>>,
    now_us: u64,
    last_id: u64,
}

fn plan(clients: usize, senders: usize, protocol: Protocol) -> Plan {
    Plan {
        clients,
        senders,
        pace: Pace::Rate(1000.0),
        duration: Duration::from_secs(1),
        warmup: Duration::ZERO,
        sizes: Sizes { min_bytes: 27, max_bytes: 90 },
        protocol,
        slow: 0,
        churn_per_s: 0.0,
        connect_rate_per_s: None,
        sources: Vec::new(),
        joins: Joins::Senders,
    }
}

impl World {
    fn new(seed: u64, plan: Plan, harm: Harm) -> Self {
        let mut tally = Tally::new(&plan, Names::new(0), 1_000_000, false).unwrap();
        tally.record(true, 0);
        if protocol_has_ids(plan.protocol) {
            for client in 0..plan.clients as u32 {
                let name = tally.names().of(client as usize);
                let limits = "line=16384 burst=0 rate=0 durability=none";
                let hello = format!("* HELLO v=1 name={name} token=t sid={client} {limits}\n");
                tally.hear(client, hello.as_bytes(), 0);
            }
        }
        Self {
            chance: Chance(seed),
            tally,
            model: Model::default(),
            coming: vec![VecDeque::new(); plan.clients],
            begun: vec![Vec::new(); plan.clients],
            now_us: 1,
            last_id: 100,
            harm,
            plan,
        }
    }

    fn hears(&self, receiver: usize, sender: u16) -> bool {
        receiver != usize::from(sender) || self.plan.protocol.hears_itself()
    }

    fn say(&mut self) {
        let sender = self.chance.below(self.plan.senders as u64) as u16;
        let sequence = self.tally.accepted_of(sender);
        let due = Due { sender, sequence, due_us: self.now_us };
        self.tally.write(due, &mut Vec::new());
        self.tally.note_sent(due, self.now_us);
        let has_ids = protocol_has_ids(self.plan.protocol);
        self.last_id += 10;
        let id = self.last_id - if self.chance.one_in(self.harm.goes_back) { 15 } else { 0 };
        let said =
            Said { sender, sequence, due_us: self.now_us, is_corrupt: false, id: has_ids.then_some(id) };
        if has_ids {
            self.answer(sender, sequence, id);
        }
        for receiver in 0..self.plan.clients {
            if !self.hears(receiver, sender) || self.chance.one_in(self.harm.drops) {
                continue;
            }
            let is_corrupt = self.chance.one_in(self.harm.corrupts);
            let id = said.id.map(|id| id + u64::from(self.chance.one_in(self.harm.renumbers)));
            let coming = &mut self.coming[receiver];
            coming.push_back(Coming::Line(Said { is_corrupt, id, ..said }));
            if self.chance.one_in(self.harm.doubles) {
                coming.push_back(Coming::Line(said));
            }
            let last = coming.len() - 1;
            if last > 0 && self.chance.one_in(self.harm.swaps) {
                coming.swap(last - 1, last);
            }
        }
    }

    fn answer(&mut self, sender: u16, sequence: u32, id: u64) {
        if self.chance.one_in(self.harm.unanswered) {
            return;
        }
        let id = id + u64::from(self.chance.one_in(self.harm.misanswers));
        let keeps_not = self.chance.one_in(self.harm.keeps_not);
        let answer = if keeps_not { Answer::NotKept(id) } else { Answer::Acked(id) };
        let times = 1 + usize::from(self.chance.one_in(self.harm.answers_twice));
        self.coming[usize::from(sender)].extend([Coming::Answer(sequence, answer)].repeat(times));
    }

    fn bytes(&self, said: Said) -> Vec<u8> {
        let stamp = Stamp { sender: said.sender, sequence: said.sequence, due_us: said.due_us };
        let mut text = Vec::new();
        stamp.write(self.plan.sizes, &mut text);
        if said.is_corrupt {
            *text.last_mut().unwrap() = b'!';
        }
        let mut bytes = Vec::new();
        if self.plan.protocol == Protocol::Redis {
            let length = text.len();
            bytes
                .extend_from_slice(format!(">3\r\n$7\r\nmessage\r\n$5\r\ncarga\r\n${length}\r\n").as_bytes());
            bytes.extend_from_slice(&text);
            bytes.extend_from_slice(b"\r\n");
        } else if let Some(id) = said.id {
            let (sender, sequence) = (said.sender, said.sequence);
            let name = self.tally.names().of(usize::from(sender));
            let tags = format!("@id={id};time={TIME};room=general;key={sender}.{sequence:08x} {name}: ");
            bytes.extend_from_slice(tags.as_bytes());
            bytes.extend_from_slice(&text);
            bytes.push(b'\n');
        } else {
            self.plan.protocol.say(&self.tally.names().of(usize::from(said.sender)), 0, &text, &mut bytes);
        }
        bytes
    }

    /// Somebody hears what came, or a part of it, cut anywhere.
    fn hear(&mut self, receiver: usize, all: bool) {
        let count = self.coming[receiver].len() as u64;
        let lines = if all { count } else { self.chance.below(count + 1) };
        for _ in 0..lines {
            let bytes = match self.coming[receiver].pop_front().unwrap() {
                Coming::Line(said) => {
                    self.model.hear(receiver as u32, said);
                    self.bytes(said)
                }
                Coming::Answer(sequence, answer) => {
                    self.model.answer(receiver as u16, sequence, answer);
                    answer_bytes(sequence, answer)
                }
            };
            self.begun[receiver].extend_from_slice(&bytes);
        }
        let mut bytes = std::mem::take(&mut self.begun[receiver]);
        let cut = self.chance.below(bytes.len() as u64 + 1) as usize;
        let heard = self.tally.hear(receiver as u32, &bytes[..cut], self.now_us).bytes;
        bytes.drain(..heard);
        let heard = self.tally.hear(receiver as u32, &bytes, self.now_us).bytes;
        assert_eq!(heard, bytes.len(), "a whole line was left");
    }

    /// Says so many lines, and has them heard in turns.
    fn run(mut self, lines: usize, says_at_once: u64) {
        let mut said = 0;
        while said < lines {
            self.now_us += 1 + self.chance.below(50);
            for _ in 0..1 + self.chance.below(says_at_once) {
                self.say();
                said += 1;
            }
            for receiver in 0..self.plan.clients {
                self.now_us += 1;
                if !self.chance.one_in(self.harm.stalls) {
                    let all = self.chance.one_in(2);
                    self.hear(receiver, all);
                }
            }
        }
        self.compare(false);
        (0..self.plan.clients).for_each(|receiver| self.hear(receiver, true));
        self.compare(true);
    }

    fn compare(&mut self, is_end: bool) {
        let mut counts = self.model.counts;
        let receivers = self.plan.clients - usize::from(!self.plan.protocol.hears_itself());
        for sender in 0..self.plan.senders as u16 {
            let accepted = self.tally.accepted_of(sender);
            for receiver in (0..self.plan.clients).filter(|receiver| self.hears(*receiver, sender)) {
                let heard = self.model.heard.get(&(receiver as u32, sender));
                counts.lost += u64::from(accepted) - heard.map_or(0, |(heard, _)| heard.len() as u64);
            }
        }
        assert_eq!(self.tally.counts(), counts, "the end: {is_end}");
        let through = self.model.holders.values().filter(|holders| **holders == receivers).count();
        let flights = self.tally.flights();
        assert_eq!(flights.recorded(), counts.delivered);
        let said = (0..self.plan.senders as u16).map(|sender| u64::from(self.tally.accepted_of(sender)));
        let said = said.sum::<u64>();
        assert_eq!(flights.under_way() as u64, said - through as u64);
        assert_eq!(self.tally.accepted(), said - self.model.not_kept);
        assert_eq!(flights.latency().ack.len(), self.model.acked);
        let Model { acked, not_kept, .. } = self.model;
        let answered = self.tally.answered().map(|sum| (sum.acked, sum.not_kept, sum.unanswered));
        let has_ids = protocol_has_ids(self.plan.protocol);
        assert_eq!(answered, has_ids.then(|| (acked, not_kept, said - acked - not_kept)));
        assert_eq!(flights.latency().last.len(), through as u64);
        assert_eq!((flights.negative(), flights.beyond_horizon()), (0, 0));
    }
}

const TIME: &str = "2026-11-22T16:37:00.123Z";

fn protocol_has_ids(protocol: Protocol) -> bool {
    protocol == Protocol::Extended
}

fn answer_bytes(sequence: u32, answer: Answer) -> Vec<u8> {
    let line = match answer {
        Answer::Acked(id) => format!("* ACK label={sequence:08x} id={id} time={TIME}\n"),
        Answer::NotKept(id) => format!("* NOTE SAY NOT_KEPT label={sequence:08x} id={id} :no\n"),
        Answer::Refused => panic!("no line is refused here"),
    };
    line.into_bytes()
}

#[test]
fn whatever_a_server_does_to_ids_and_answers_the_counts_are_those_of_a_model_that_remembers_all() {
    for seed in 0..300 {
        let mut chance = Chance(seed);
        let clients = 2 + chance.below(9) as usize;
        let senders = 1 + chance.below(clients as u64) as usize;
        let mut rarely = || if chance.one_in(2) { 0 } else { 5 + chance.below(400) };
        let harm = Harm {
            drops: rarely(),
            doubles: rarely(),
            swaps: rarely(),
            corrupts: rarely(),
            stalls: rarely() / 4,
            renumbers: rarely(),
            goes_back: rarely(),
            unanswered: rarely(),
            answers_twice: rarely(),
            misanswers: rarely(),
            keeps_not: rarely(),
        };
        println!("seed {seed}: {harm:?}");
        World::new(seed, plan(clients, senders, Protocol::Extended), harm).run(1_500, 8);
    }
}

#[test]
fn whatever_a_server_does_to_lines_the_four_counts_are_those_of_a_model_that_remembers_all() {
    for seed in 0..300 {
        let mut chance = Chance(seed);
        let clients = 2 + chance.below(9) as usize;
        let senders = 1 + chance.below(clients as u64) as usize;
        let protocol = if chance.one_in(4) { Protocol::Redis } else { Protocol::Plain };
        let mut rarely = || if chance.one_in(2) { 0 } else { 5 + chance.below(400) };
        let (drops, doubles, swaps) = (rarely(), rarely(), rarely());
        let harm =
            Harm { drops, doubles, swaps, corrupts: rarely(), stalls: rarely() / 4, ..Harm::default() };
        World::new(seed, plan(clients, senders, protocol), harm).run(1_500, 8);
    }
}

#[test]
fn whoever_is_further_behind_than_lines_are_kept_is_counted_all_the_same() {
    // Lines of 32 blocks and more; a receiver hears nothing for a third of the time.
    for (seed, swaps) in [(1, 0), (2, 0), (3, 20_000)] {
        let mut world =
            World::new(seed, plan(4, 2, Protocol::Plain), Harm { swaps, drops: 9_000, ..Harm::default() });
        for said in 0..90_000 {
            world.now_us += 1;
            world.say();
            if said % 16 == 0 {
                let readers = if (20_000..60_000).contains(&said) { 3 } else { 4 };
                (0..readers).for_each(|receiver| world.hear(receiver, true));
            }
        }
        world.run(1, 1);
    }
}
