//! The relay's core and its shadow side by side: what happens to one happens to the other, and what sockets are
//! offered is held against what the shadow says is next.

use std::collections::{BTreeMap, VecDeque};
use std::io::IoSlice;
use std::time::Duration;

use tertulia_relay::batch::Durability;
use tertulia_relay::chat::{Chat, ClientId, Cut, Event, Origin, Remembered, Sent, Settings, Sink};
use tertulia_relay::flood::Flood;
use tertulia_relay::moment::Moment;
use tertulia_relay::phrases::Language;

use crate::model::Model;
use crate::rng::Rng;
use crate::script;

const CLIENTS_MAX: usize = 40;
/// What happened last, for whom a failure is told.
const REMEMBERED_MAX: usize = 25;
/// Turns in which the core may still have something to do before it counts as one that never rests.
const TURNS_MAX: usize = 5000;
/// Bytes of a read, as the relay's shell makes them.
const READ_BYTES_MAX: usize = 4096;

/// Something that was not as it should be.
pub(crate) type Checked = Result<(), String>;

/// A client's end of its socket.
struct Peer {
    /// Bytes that the socket takes before it is full; `None`: any.
    takes: Option<usize>,
    is_broken: bool,
    sends_lines: bool,
    own_name: String,
    unsent: VecDeque<u8>,
}

struct Write {
    client: u32,
    offered: Vec<u8>,
    taken: usize,
}

#[derive(Default)]
struct Sockets {
    peers: BTreeMap<u32, Peer>,
    writes: Vec<Write>,
}

impl Sink for Sockets {
    fn write(&mut self, client: ClientId, pieces: &[IoSlice<'_>]) -> Sent {
        let offered: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        let Some(peer) = self.peers.get_mut(&client.0).filter(|peer| !peer.is_broken) else {
            return Sent::Broken;
        };
        let taken = peer.takes.map_or(offered.len(), |takes| takes.min(offered.len()));
        if let Some(takes) = &mut peer.takes {
            *takes -= taken;
        }
        self.writes.push(Write { client: client.0, offered, taken });
        if taken == 0 { Sent::Full } else { Sent::Bytes(taken) }
    }
}

pub(crate) struct World {
    rng: Rng,
    chat: Chat,
    pub(crate) model: Model,
    sockets: Sockets,
    now: u64,
    /// The turn behind the last event was not done yet: more happens before it.
    is_behind: bool,
    is_finishing: bool,
    last: VecDeque<String>,
    is_told: bool,
    /// Of the newest line that was kept.
    last_id: u64,
}

impl World {
    /// `is_told`: what happens is printed as it does.
    pub(crate) fn new(seed: u64, is_told: bool) -> Self {
        let mut rng = Rng::new(seed);
        // Rates whose interval is a whole number of microseconds.
        let flood = rng.percent(60).then(|| (rng.between(1, 30) as u32, *rng.pick(&[1, 2, 5, 8, 10, 20])));
        let language = if rng.percent(50) { Language::Es } else { Language::En };
        let room_log_bytes = if rng.percent(80) { 128 * 1024 } else { 0 };
        let settings = Settings {
            flood: flood.map(|(burst, rate)| Flood::new(burst, rate)),
            language,
            room_log_bytes,
            token_key: [0; 32].into(),
            labels_max: 1000,
        };
        let interval = flood.map(|(burst, rate)| (u64::from(burst), 1_000_000 / u64::from(rate)));
        let mut chat = Chat::new(settings);
        let remembered = Remembered { newest: seed << 16, id_ceiling: u64::MAX, ..Remembered::default() };
        chat.keep_history(Durability::Commit, remembered);
        Self {
            rng,
            chat,
            last_id: seed << 16,
            model: Model::new(interval, language, room_log_bytes),
            sockets: Sockets::default(),
            now: 0,
            is_behind: false,
            is_finishing: false,
            last: VecDeque::new(),
            is_told,
        }
    }

    /// What happened last, newest at the end.
    pub(crate) fn last(&self) -> String {
        self.last.iter().map(|what| format!("  {what}\n")).collect()
    }

    fn remember(&mut self, what: String) {
        if self.last.len() == REMEMBERED_MAX {
            self.last.pop_front();
        }
        let what = format!("{:.6} s  {what}", self.now as f64 / 1e6);
        if self.is_told {
            println!("{what}");
        }
        self.last.push_back(what);
    }

    fn at(&self) -> Moment {
        Moment::from_start(Duration::from_micros(self.now))
    }

    /// One thing that happens, whatever it is.
    pub(crate) fn step(&mut self) -> Checked {
        let Some(client) = self.any_client() else { return self.connect() };
        match self.rng.below(1000) {
            0..=49 => self.connect()?,
            50..=699 => self.send(client)?,
            700..=739 => self.write_long(client)?,
            740..=829 => self.grant(client)?,
            830..=939 => self.pass_time()?,
            940..=959 => self.end_input(client)?,
            960..=979 => self.reset(client)?,
            980..=987 => self.break_socket(client),
            988..=991 => self.rush()?,
            _ => self.change_pace(client),
        }
        self.check()
    }

    fn any_client(&mut self) -> Option<u32> {
        let present: Vec<u32> = self.sockets.peers.keys().copied().collect();
        (!present.is_empty()).then(|| *self.rng.pick(&present))
    }

    fn connect(&mut self) -> Checked {
        if self.sockets.peers.len() < CLIENTS_MAX {
            self.connect_one();
        }
        self.turn()
    }

    fn connect_one(&mut self) -> u32 {
        let client = (0..).find(|number| !self.sockets.peers.contains_key(number)).unwrap_or_default();
        let is_trusted = self.rng.percent(30);
        let takes = self.rng.percent(15).then(|| self.rng.index(3000));
        let own_name = script::name(&mut self.rng);
        let sends_lines = self.rng.percent(75);
        let peer = Peer { takes, is_broken: false, sends_lines, own_name, unsent: VecDeque::new() };
        self.remember(format!(
            "{client} connects, trusted {is_trusted}, takes {takes:?}, lines {sends_lines}"
        ));
        self.sockets.peers.insert(client, peer);
        self.chat.handle_connect(ClientId(client), Origin { is_trusted, ..Origin::default() });
        self.model.connect(client, is_trusted, self.now);
        client
    }

    /// Many come, or go, at once.
    fn rush(&mut self) -> Checked {
        let is_leaving = self.rng.percent(40);
        for _ in 0..self.rng.between(15, 40) {
            if is_leaving {
                let Some(client) = self.any_client() else { return Ok(()) };
                self.reset(client)?;
            } else if self.sockets.peers.len() < CLIENTS_MAX {
                let client = self.connect_one();
                let join = format!("{}{}\n", script::name(&mut self.rng), crate::grammar::JOIN);
                self.read(client, join.as_bytes())?;
            }
        }
        Ok(())
    }

    /// The client sends some of what it has to say.
    fn send(&mut self, client: u32) -> Checked {
        if !self.model.wants_read(client) {
            return Ok(());
        }
        let Some(peer) = self.sockets.peers.get_mut(&client) else { return Ok(()) };
        if !peer.sends_lines {
            let message = script::message(&mut self.rng, &peer.own_name);
            return self.read(client, &message);
        }
        if let Some(name) = self.model.name_of_a_full_one().filter(|_| peer.unsent.is_empty()) {
            return self.read(client, format!("/msg {} hola\n", crate::grammar::escape(&name)).as_bytes());
        }
        if peer.unsent.is_empty() {
            peer.unsent = script::lines(&mut self.rng, Some(&peer.own_name)).into();
            if self.rng.percent(1) {
                peer.unsent = b"GET / HTTP/1.1\r\n".to_vec().into();
                let bytes: Vec<u8> = peer.unsent.drain(..).collect();
                return self.read(client, &bytes);
            }
        }
        let most = peer.unsent.len().min(READ_BYTES_MAX) as u64;
        let length = if self.rng.percent(75) { most } else { self.rng.between(1, most) };
        let bytes: Vec<u8> = peer.unsent.drain(..length as usize).collect();
        self.read(client, &bytes)
    }

    /// A long text, read in pieces: so that slow readers fall behind.
    fn write_long(&mut self, client: u32) -> Checked {
        let Some(peer) = self.sockets.peers.get(&client).filter(|peer| peer.sends_lines) else {
            return Ok(());
        };
        if !peer.unsent.is_empty() {
            return Ok(());
        }
        let text = "muchas palabras ".repeat(self.rng.between(100, 900) as usize);
        let mut line = format!("{}: {text}\n", peer.own_name).into_bytes();
        while !line.is_empty() && self.model.wants_read(client) {
            let rest = line.split_off(line.len().min(READ_BYTES_MAX));
            self.read(client, &line)?;
            line = rest;
        }
        if let Some(peer) = self.sockets.peers.get_mut(&client) {
            peer.unsent.extend(line);
        }
        Ok(())
    }

    fn read(&mut self, client: u32, bytes: &[u8]) -> Checked {
        if bytes.is_empty() {
            return Ok(());
        }
        self.remember(format!("{client} sends {:?}", shorten(&String::from_utf8_lossy(bytes))));
        self.chat.handle_bytes(ClientId(client), bytes, self.at());
        self.model.read(client, bytes, self.now);
        self.turn()
    }

    /// The socket takes more.
    fn grant(&mut self, client: u32) -> Checked {
        let more = self.rng.between(1, 40_000) as usize;
        let Some(peer) = self.sockets.peers.get_mut(&client) else { return Ok(()) };
        let Some(takes) = &mut peer.takes else { return Ok(()) };
        *takes += if more > 20_000 { 200_000 } else { more };
        self.remember(format!("{client} reads {more}"));
        self.chat.handle_writable(ClientId(client));
        self.turn()
    }

    fn change_pace(&mut self, client: u32) {
        if let Some(peer) = self.sockets.peers.get_mut(&client) {
            if peer.takes.is_none() {
                peer.takes = Some(0);
            }
        }
        self.remember(format!("{client} stops reading"));
    }

    fn end_input(&mut self, client: u32) -> Checked {
        if !self.model.people.get(&client).is_some_and(|person| !person.has_ended && !person.is_closing()) {
            return Ok(());
        }
        self.remember(format!("{client} ends its input"));
        self.chat.handle_end_of_input(ClientId(client), self.at());
        self.model.end_of_input(client, self.now);
        self.turn()
    }

    fn reset(&mut self, client: u32) -> Checked {
        self.remember(format!("{client} is gone"));
        self.chat.handle_gone(ClientId(client), self.at());
        self.sockets.peers.remove(&client);
        self.model.gone(client, self.now);
        self.turn()
    }

    fn break_socket(&mut self, client: u32) {
        self.remember(format!("{client} breaks"));
        if let Some(peer) = self.sockets.peers.get_mut(&client) {
            peer.is_broken = true;
        }
    }

    fn pass_time(&mut self) -> Checked {
        let most = *self.rng.pick(&[1_000, 30_000, 400_000, 2_000_000, 12_000_000]);
        let until = self.now + self.rng.between(1, most);
        if self.rng.percent(20) && self.model.dues_until(until) <= 1 {
            // The machine slept: what was due meanwhile is looked at late (in which order is not promised).
            self.now = until;
            self.remember("time jumps".into());
            self.chat.handle_time(self.at());
            self.model.time(self.now);
            return self.turn();
        }
        self.pass_time_until(until)
    }

    /// Stops at each moment at which something is due.
    fn pass_time_until(&mut self, until: u64) -> Checked {
        for _ in 0..TURNS_MAX {
            let relay_due = self.chat.next_due().map(micros);
            let due = [relay_due, self.model.next_due()].into_iter().flatten().min();
            self.now = due.unwrap_or(until).clamp(self.now, until);
            self.remember("time passes".into());
            self.chat.handle_time(self.at());
            self.model.time(self.now);
            self.turn()?;
            self.check()?;
            if self.now == until && due.is_none_or(|due| due > until) {
                return Ok(());
            }
        }
        Err("time does not pass: there is always something due".into())
    }

    /// What the shell does behind some events: write, read again, close, until there is nothing to do.
    /// What was said is kept, in its order, each line once, under ids that grow, whatever the clock says.
    fn check_kept(&mut self) -> Checked {
        // A clock that is set back now and then.
        let unix_ms = self.now / 1000 * self.rng.below(2);
        self.chat.handle_clock(unix_ms);
        while let Some(work) = self.chat.poll_kept() {
            self.chat.handle_kept(work.number, self.at());
            for line in work.lines.iter() {
                let quote = line.quote.map_or_else(String::new, |quote| format!("[RESPUESTA a '{quote}'] "));
                let kept = (line.room.to_owned(), format!("{quote}{}: {}", line.name, line.text));
                let said = self.model.kept.pop_front();
                if said.as_ref() != Some(&kept) {
                    return Err(format!("kept {kept:?} and not {said:?}"));
                }
                if line.id <= self.last_id {
                    return Err(format!("id {} behind {}", line.id, self.last_id));
                }
                self.last_id = line.id;
            }
        }
        match self.model.kept.front() {
            Some(said) => Err(format!("{said:?} was said and not kept")),
            None => Ok(()),
        }
    }

    fn turn(&mut self) -> Checked {
        self.is_behind = !self.is_finishing && self.rng.percent(10);
        if self.is_behind {
            return Ok(());
        }
        for _ in 0..TURNS_MAX {
            let now = self.at();
            self.chat.flush(now, &mut self.sockets);
            self.cut_slow()?;
            self.hear()?;
            self.resume();
            self.check_kept()?;
            self.close_ended()?;
            if !self.chat.needs_flush() {
                return self.cut_slow();
            }
        }
        Err("the relay never rests: it always wants to write".into())
    }

    /// Who fell out of a log: the shadow knows who, the relay in which order.
    fn cut_slow(&mut self) -> Checked {
        let mut order = Vec::new();
        while let Some(event) = self.chat.poll_event() {
            if let Event::Left { client, cut: Some(Cut::Slow), .. } = event {
                order.push(client.0);
            }
        }
        for client in order {
            if !self.model.fallen.contains(&client) {
                return Err(format!("{client} was cut as a slow reader, but is none"));
            }
            self.remember(format!("{client} is cut"));
            self.model.cut_slow(client, self.now);
        }
        while let Some(client) = self.model.fallen.first().copied() {
            self.remember(format!("{client}, without a name, is cut"));
            self.model.cut_slow(client, self.now);
        }
        Ok(())
    }

    fn hear(&mut self) -> Checked {
        for write in std::mem::take(&mut self.sockets.writes) {
            let Write { client, offered, taken } = write;
            let heard = self.model.person(client).ears.hear(&offered, taken, self.now);
            heard.map_err(|wrong| format!("{client}: {wrong}"))?;
        }
        self.model.free_rooms();
        Ok(())
    }

    fn resume(&mut self) {
        let mut order = Vec::new();
        while let Some(client) = self.chat.poll_resumed(self.at()) {
            order.push(client.0);
        }
        let mut resumed = self.model.take_resumed();
        resumed.sort_by_key(|client| order.iter().position(|other| other == client));
        for client in resumed {
            self.model.release(client, self.now);
        }
    }

    fn close_ended(&mut self) -> Checked {
        while let Some(client) = self.chat.poll_ended() {
            let Some(peer) = self.sockets.peers.get(&client.0) else { continue };
            let is_broken = peer.is_broken;
            let person = self.model.person(client.0);
            if !is_broken && !(person.is_closing() && (person.ears.is_done() || person.is_over)) {
                return Err(format!("{} was closed before its time", client.0));
            }
            self.remember(format!("{} is closed", client.0));
            self.sockets.peers.remove(&client.0);
            self.chat.handle_gone(client, self.at());
            self.model.gone(client.0, self.now);
        }
        Ok(())
    }

    /// What must be so whenever the relay rests.
    fn check(&mut self) -> Checked {
        if self.is_behind {
            return Ok(());
        }
        same("lines taken", self.chat.counts().lines_in, self.model.lines_in)?;
        same("names held", self.chat.named_clients(), self.model.named())?;
        same("rooms", self.chat.room_count(), self.model.rooms.len())?;
        same("slow readers cut", self.chat.counts().cut[0], self.model.seen.slow_cuts)?;
        for (&client, person) in &self.model.people {
            let wanted = self.model.wants_read(client);
            same(&format!("{client} is read"), self.chat.wants_read(ClientId(client)), wanted)?;
            let Some(peer) = self.sockets.peers.get(&client) else {
                return Err(format!("{client} is in the shadow alone"));
            };
            let is_free = peer.takes.is_none() && !peer.is_broken;
            if is_free && !person.ears.is_done() && !person.ears.is_paced(self.now) {
                return Err(format!("{client} reads, and yet {} wait for it", person.ears.describe()));
            }
            let is_heard = person.ears.is_done() && !person.ears.is_owed(self.now);
            if person.is_closing() && !peer.is_broken && (is_heard || person.is_over) {
                return Err(format!("{client} is to be closed, and is not"));
            }
        }
        match (self.chat.next_due().map(micros), self.model.next_due()) {
            (Some(relay), Some(shadow)) if relay <= shadow => Ok(()),
            (_, None) => Ok(()),
            (relay, shadow) => Err(format!("due at {shadow:?}, but the relay looks again at {relay:?}")),
        }
    }

    /// Everybody reads what is left and goes, or the relay is told to stop: nothing may remain.
    pub(crate) fn finish(&mut self) -> Checked {
        self.is_finishing = true;
        self.turn()?;
        self.check()?;
        if self.rng.percent(50) {
            self.remember("shutdown".into());
            self.chat.handle_shutdown(self.at());
            self.model.shutdown(self.now);
            self.turn()?;
        }
        let present: Vec<u32> = self.sockets.peers.keys().copied().collect();
        for client in present {
            if let Some(peer) = self.sockets.peers.get_mut(&client) {
                peer.takes = None;
                self.remember(format!("{client} reads everything"));
                self.chat.handle_writable(ClientId(client));
                self.turn()?;
                self.check()?;
            }
        }
        self.pass_time_until(self.now + 3_600_000_000)?;
        let left: Vec<u32> = self.sockets.peers.keys().copied().collect();
        if let Some((client, person)) = self.model.people.iter().find(|(_, person)| !person.ears.is_done()) {
            return Err(format!("{client} never heard {}", person.ears.describe()));
        }
        for client in left {
            self.reset(client)?;
            self.check()?;
        }
        self.pass_time_until(self.now + 3_600_000_000)?;
        same("due", self.chat.next_due(), None)?;
        same("queued bytes", self.chat.queued_bytes(), 0)?;
        same("rooms", self.chat.room_count(), 1)
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, relay: T, shadow: T) -> Checked {
    if relay == shadow { Ok(()) } else { Err(format!("{what}: {relay:?}, and in the shadow {shadow:?}")) }
}

fn micros(moment: Moment) -> u64 {
    u64::try_from(moment.since(Moment::START).as_micros()).unwrap_or(u64::MAX)
}

fn shorten(text: &str) -> String {
    let kept: String = text.chars().take(120).collect();
    if kept.len() < text.len() { format!("{kept}… ({} bytes)", text.len()) } else { kept }
}
