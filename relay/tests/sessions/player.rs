//! A client: the session that all programs use, its wire with a tap on it, and what it was told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tertulia_wire::session::{Action, Config, Event, Line, Reason, Say, Session, Source, Ticket};

use crate::tap::{Record, Tap};

/// Bytes under way from a relay to a client, where the client is slow.
const WIRE_BYTES_MAX: usize = 60_000;

/// What a player did not hear and was told so: a room and the ids.
pub(crate) type Gap = (String, u64, u64);

/// What a player looked for in a room, and what came of it.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) room: String,
    pub(crate) words: String,
    limit: u32,
    /// Ids, as they came.
    pub(crate) found: Vec<u64>,
    pub(crate) is_more: bool,
}

pub(crate) struct Player {
    pub(crate) session: Session,
    tap: Tap,
    /// The relay's number of its connection.
    pub(crate) connection: Option<u32>,
    pub(crate) wants_connection: bool,
    /// Connections that it has closed and the relay has not noticed.
    pub(crate) closed: Vec<u32>,
    /// Under way to the relay, and from it.
    pub(crate) sent: VecDeque<u8>,
    pub(crate) heard: VecDeque<u8>,
    /// The relay's end is closed: what is under way still comes.
    pub(crate) is_ended: bool,
    pub(crate) is_slow: bool,
    /// Lines said and not yet answered.
    pub(crate) open: BTreeSet<String>,
    pub(crate) sids: BTreeSet<u64>,
    /// Keys of lines that it was given, by room.
    pub(crate) given: BTreeSet<(String, u64, String)>,
    /// By room.
    pub(crate) gaps_open: BTreeMap<String, usize>,
    pub(crate) gaps_left: Vec<Gap>,
    pub(crate) may_be_doubled: bool,
    /// Searches whose end is still to come, and those that are whole.
    pub(crate) searches_open: BTreeMap<Ticket, Search>,
    pub(crate) searches: Vec<Search>,
    pub(crate) counts: Counts,
}

/// What a player met.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) acknowledged: u64,
    pub(crate) not_kept: u64,
    pub(crate) resumed: u64,
    pub(crate) gaps_closed: u64,
    pub(crate) fetched_lines: u64,
    /// Lines that searches found.
    pub(crate) found: u64,
}

impl Player {
    pub(crate) fn new(name: &str, rooms: &[&str], seed: u64) -> Self {
        let mut player = Self {
            session: Session::new(Config::new("relay:2000", name, rooms, seed)),
            tap: Tap::new(),
            connection: None,
            wants_connection: false,
            closed: Vec::new(),
            sent: VecDeque::new(),
            heard: VecDeque::new(),
            is_ended: false,
            is_slow: false,
            open: BTreeSet::new(),
            sids: BTreeSet::new(),
            given: BTreeSet::new(),
            gaps_open: BTreeMap::new(),
            gaps_left: Vec::new(),
            may_be_doubled: false,
            searches_open: BTreeMap::new(),
            searches: Vec::new(),
            counts: Counts::default(),
        };
        player.obey();
        player
    }

    pub(crate) fn say(&mut self, room: &str, text: &str) {
        // Full is no harm: it says so, and nothing is lost.
        if let Ok(label) = self.session.say(&Say { room, text, ..Say::default() }) {
            self.open.insert(label);
        }
    }

    pub(crate) fn search(&mut self, room: &str, words: &str, limit: u32) {
        // Full is no harm here either.
        if let Ok(ticket) = self.session.search(room, words, u64::MAX, limit) {
            let (room, words) = (room.to_owned(), words.to_owned());
            let search = Search { room, words, limit, found: Vec::new(), is_more: false };
            self.searches_open.insert(ticket, search);
        }
    }

    fn find(&mut self, ticket: Ticket, line: &Line) {
        let search = self.searches_open.get_mut(&ticket).expect("a search whose end has not come");
        let id = line.id.expect("a line of a room");
        assert!(
            search.found.last().is_none_or(|last| id < *last),
            "{id} came in no order, or twice: {search:?}"
        );
        search.found.push(id);
        assert!(search.found.len() <= search.limit as usize, "more than was asked for: {search:?}");
    }

    /// The relay has accepted it.
    pub(crate) fn connect(&mut self, connection: u32, now: Duration) {
        self.wants_connection = false;
        self.connection = Some(connection);
        (self.is_ended, self.sent, self.heard) = (false, VecDeque::new(), VecDeque::new());
        self.tap.connect();
        self.session.handle_connected(now);
        self.obey();
    }

    /// The wire is broken; what was under way is lost.
    pub(crate) fn cut(&mut self, now: Duration, record: &mut Record) {
        if self.connection.is_some() {
            self.close();
            record.trace.cut();
            self.session.handle_disconnected(now);
            self.obey();
        }
    }

    /// What the session wants written goes on its way.
    pub(crate) fn transmit(&mut self, record: &mut Record) {
        while let Some(bytes) = self.session.poll_transmit() {
            if self.connection.is_some() && !self.is_ended {
                self.tap.sends(&bytes, record);
                self.sent.extend(bytes);
            }
        }
    }

    /// So many bytes arrive at it.
    pub(crate) fn hear(&mut self, count: usize, now: Duration, record: &mut Record) {
        let bytes: Vec<u8> = self.heard.drain(..count.min(self.heard.len())).collect();
        self.tap.hears(&bytes, record);
        self.session.handle_bytes(&bytes, now);
        self.take_events();
        if self.is_ended && self.heard.is_empty() {
            self.connection = None;
            self.session.handle_disconnected(now);
        }
        self.obey();
    }

    pub(crate) fn pass_time(&mut self, now: Duration) {
        self.session.handle_time(now);
        self.obey();
    }

    /// How much more its wire takes from the relay.
    pub(crate) fn place(&self) -> usize {
        if self.is_slow { WIRE_BYTES_MAX.saturating_sub(self.heard.len()) } else { usize::MAX }
    }

    fn obey(&mut self) {
        self.take_events();
        while let Some(action) = self.session.poll_action() {
            self.wants_connection = action == Action::Connect;
            if action == Action::Close {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        self.closed.extend(self.connection.take().filter(|_| !self.is_ended));
    }

    fn take_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.take_event(event);
        }
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Ready { sid, is_resumed, .. } => {
                self.sids.insert(sid);
                self.counts.resumed += u64::from(is_resumed);
            }
            Event::Acknowledged { label, .. } => {
                assert!(self.open.remove(&label), "{label} was answered twice");
                self.counts.acknowledged += 1;
            }
            Event::NotKept { label, .. } => {
                assert!(self.open.remove(&label), "{label} was answered twice");
                self.counts.not_kept += 1;
            }
            Event::Refused { label, code, .. } => {
                assert_eq!(code, "NO_ROOM", "{label} was refused");
                self.open.remove(&label);
            }
            Event::Heard { line, source: Source::Search(ticket) }
            | Event::Own { line, source: Source::Search(ticket), .. } => self.find(ticket, &line),
            Event::Fetched { ticket, is_more } => {
                let search = self.searches_open.remove(&ticket).expect("a search that was begun");
                self.counts.found += search.found.len() as u64;
                self.searches.push(Search { is_more, ..search });
            }
            Event::Heard { line, source } => {
                self.counts.fetched_lines += u64::from(source == Source::Gap);
                let (Some(room), Some((sid, label))) = (line.room, line.key) else { return };
                assert!(!self.sids.contains(&sid), "its own line {sid}.{label} was given as another's");
                let is_new = self.given.insert((room.clone(), sid, label.clone()));
                assert!(is_new, "{sid}.{label} was given twice in {room}");
            }
            Event::GapFound { room, .. } => *self.gaps_open.entry(room).or_default() += 1,
            Event::Parted { room } => drop(self.gaps_open.remove(&room)),
            Event::GapClosed { room, .. } => {
                self.end_gap(&room);
                self.counts.gaps_closed += 1;
            }
            Event::GapLeft { room, from, to, code } => {
                self.end_gap(&room);
                self.gaps_left.push((room, from, to));
                assert_eq!(code, "UNREADABLE", "a gap was left");
            }
            Event::MayBeDoubled { .. } => self.may_be_doubled = true,
            // Its wire may be so slow that it gives up, but it is a relay's.
            Event::Waiting { reason, .. } => assert_ne!(reason, Reason::Version),
            Event::TakenOver | Event::Unreadable | Event::FetchRefused { .. } => panic!("{event:?}"),
            _ => {}
        }
    }

    fn end_gap(&mut self, room: &str) {
        let open = self.gaps_open.get_mut(room).expect("a gap that was found");
        *open -= 1;
        self.gaps_open.retain(|_, open| *open > 0);
    }

    /// What it still waits for.
    pub(crate) fn describe(&self) -> String {
        let Self { session, open, gaps_open, searches_open, sent, heard, .. } = self;
        format!(
            "ready {}, {} lines, gaps {gaps_open:?}, searches {searches_open:?}, {} bytes to send, {} to hear",
            session.is_ready(),
            open.len(),
            sent.len(),
            heard.len()
        )
    }

    pub(crate) fn has_caught_up(&self, id: u64, record: &mut Record) {
        self.tap.has_caught_up(id, record);
    }
}
