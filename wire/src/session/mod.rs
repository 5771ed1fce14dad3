//! A client of extended mode without its socket: it is given bytes and the time, and says what to write, when to connect
//! and what happened. It greets, resumes, keeps each line until the relay has answered it, hears each line once, fetches
//! what it missed and sends no faster than the relay takes.
//!
//! The caller's turn, over and over: wait for the socket, for its own commands or for [`Session::next_due`]; hand over
//! what happened (`handle_…`, each with the time since the caller's own start); then obey [`Session::poll_action`], write
//! what [`Session::poll_transmit`] gives while the socket takes it, and read [`Session::poll_event`] until it is empty.
//!
//! What it does not know: sockets, clocks, threads, files, windows. PROTOCOL.md, "Extended mode", is what it speaks.

mod asking;
mod clock;
mod config;
mod error;
mod event;
mod fetch;
mod greeting;
mod hearing;
mod login;
mod pace;
mod paging;
mod random;
mod recent;
mod refused;
mod removal;
mod rooms;
mod saved;
mod sending;
mod unanswered;

use std::collections::VecDeque;
use std::time::Duration;

pub use asking::Way;
pub use config::{
    ANSWER_WAIT, Config, EVENTS_MAX, HELLO_WAIT, KEYS_KEPT, NAME_AGAIN_AFTER, QUIET_MAX, QUIT_WAIT,
    TOKEN_WAIT,
};
pub use error::{AskError, SayError};
pub use event::{Action, Event, Line, Reason, Source, Ticket};
pub use fetch::{FETCHES_MAX, GAPS_MAX, WORDS_BYTES_MAX};
pub use refused::{REFUSED_MAX, Refused};
pub use saved::{OTHER_RELAY, RestoreError};
pub use sending::{COMMANDS_MAX, Say};
pub use unanswered::UNANSWERED_BYTES_MAX;

use crate::limits::{LINE_BYTES_MAX, ROOM_DEFAULT, TAGGED_LINE_BYTES_MAX};
use crate::lines::{self, Lines};
use crate::name::check_room;
use crate::retry;
use crate::secret::Secret;
use crate::text::clean;
use fetch::Fetches;
use login::Login;
use pace::Pace;
use random::Random;
use recent::RecentKeys;
use refused::Refusals;
use rooms::Rooms;
use unanswered::Queue;

/// Numbers that the session had at earlier times, so that it knows its own lines.
const SIDS_KEPT: usize = 16;

/// What is known of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// There is none until then.
    Waiting { until: Duration },
    /// The caller is connecting.
    Connecting,
    /// A hello was sent.
    Greeting { until: Duration },
    /// It was refused. Asked again then, or once the caller has changed something.
    Refused { again_at: Option<Duration> },
    /// Extended mode.
    Ready,
    /// There is none, and none is wanted.
    Ended,
}

/// What the relay gave.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    token: Secret<String>,
    sid: u64,
    /// An account has logged in with it: the token is worth as much as the password.
    is_of_account: bool,
}

/// What is known of one connection, and of nothing beyond it.
#[derive(Debug, Default)]
struct Connection {
    /// Bytes that wait for nothing: hello, with its token, and pong.
    urgent: Secret<Vec<u8>>,
    pace: Pace,
    /// The hello carried a token.
    has_asked_resume: bool,
    is_resume_unknown: bool,
    /// Nobody can read on its way what is sent.
    is_private: bool,
    /// Something came that only a relay says.
    is_relay: bool,
    /// The relay is still saying which rooms it has the session in; a marker ends that.
    settling: Option<Settling>,
    /// The name that the hello asked for.
    hello_name: String,
    /// The room that it asked for.
    hello_room: Option<String>,
    /// The name that was asked for since.
    nick_asked: Option<String>,
    heard_at: Duration,
    is_alive_asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settling {
    MarkerDue,
    MarkerSent,
}

/// The way out.
#[derive(Debug, Clone, Copy)]
struct Quit {
    until: Duration,
    is_sent: bool,
}

/// A client of extended mode.
#[derive(Debug)]
pub struct Session {
    address: String,
    /// The name that is wanted.
    name: String,
    /// The name the relay gave last.
    held_name: Option<String>,
    /// The name that a connection that is gone had, or may have got: the relay may still take it for one in use.
    ghost_name: Option<String>,
    identity: Option<Identity>,
    login: Login,
    /// Of earlier identities, the newest last.
    old_sids: VecDeque<u64>,
    rooms: Rooms,
    unanswered: Queue,
    refusals: Refusals,
    keeps_refused: bool,
    is_attended: bool,
    fetches: Fetches,
    recent: RecentKeys,
    /// Commands of the caller, some of which hold a password.
    commands: VecDeque<Secret<String>>,
    link: Link,
    connection: Connection,
    lines: Lines,
    line_bytes_max: usize,
    /// The newest id that was seen anywhere: what is said from now on has a greater one.
    highest: u64,
    next_label: u64,
    gap_lines_max: u64,
    attempt: u32,
    /// So often it was kicked or banned.
    removals: u32,
    random: Random,
    now: Duration,
    quit: Option<Quit>,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
}

impl Session {
    /// A new session. It wants to connect at once. What cannot be a room's name is left out; what
    /// cannot be a name is refused by the relay.
    pub fn new(config: Config) -> Self {
        let mut random = Random::new(config.seed);
        let mut rooms = Rooms::default();
        let names = config.rooms.iter().map(|room| room.to_lowercase());
        for room in names.filter(|room| check_room(room).is_ok()) {
            rooms.want(&room);
        }
        if rooms.wanted().next().is_none() {
            rooms.want(ROOM_DEFAULT);
        }
        Self {
            address: config.address,
            name: config.name,
            held_name: None,
            ghost_name: None,
            identity: None,
            login: Login::default(),
            old_sids: VecDeque::new(),
            rooms,
            unanswered: Queue::default(),
            refusals: Refusals::default(),
            keeps_refused: config.keeps_refused,
            is_attended: config.is_attended,
            fetches: Fetches::default(),
            recent: RecentKeys::new(config.keys_kept, random.bits()),
            commands: VecDeque::new(),
            link: Link::Connecting,
            connection: Connection::default(),
            lines: Lines::new(TAGGED_LINE_BYTES_MAX),
            line_bytes_max: LINE_BYTES_MAX,
            highest: 0,
            next_label: 1,
            gap_lines_max: config.gap_lines_max,
            attempt: 0,
            removals: 0,
            random,
            now: Duration::ZERO,
            quit: None,
            actions: VecDeque::from([Action::Connect]),
            events: VecDeque::new(),
        }
    }

    /// The connection is there. Others may read on its way what is sent: no password goes over it.
    pub fn handle_connected(&mut self, now: Duration) {
        self.begin_connection(now, false);
    }

    fn begin_connection(&mut self, now: Duration, is_private: bool) {
        self.advance(now);
        if self.link == Link::Connecting {
            self.connection = Connection { heard_at: self.now, is_private, ..Connection::default() };
            self.lines = Lines::new(TAGGED_LINE_BYTES_MAX);
            self.send_hello();
        }
    }

    /// The connection cannot be had.
    pub fn handle_connect_failed(&mut self, now: Duration) {
        self.advance(now);
        if self.link == Link::Connecting {
            self.wait(Reason::ConnectFailed);
        }
    }

    /// What was read, cut anywhere.
    pub fn handle_bytes(&mut self, mut bytes: &[u8], now: Duration) {
        self.advance(now);
        self.connection.heard_at = self.now;
        self.connection.is_alive_asked = false;
        let mut lines = std::mem::take(&mut self.lines);
        while self.is_connected() {
            match lines.next(&mut bytes) {
                None => break,
                Some(lines::Line::TooLong) => self.handle_unreadable(),
                Some(lines::Line::Whole(line)) => match std::str::from_utf8(line) {
                    Ok(line) => self.handle_line(&clean(line)),
                    Err(_) => self.handle_unreadable(),
                },
            }
        }
        self.lines = lines;
    }

    /// The connection is gone. What stood there of an incomplete line is dropped.
    pub fn handle_disconnected(&mut self, now: Duration) {
        self.advance(now);
        if self.is_connected() {
            self.wait(Reason::Disconnected);
        }
    }

    /// What to do with the connection, in this order.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What happened, in this order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether more is to be read: not while the caller leaves too many events lying.
    pub fn wants_read(&self) -> bool {
        self.events.len() < EVENTS_MAX
    }

    fn advance(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    fn is_connected(&self) -> bool {
        matches!(self.link, Link::Greeting { .. } | Link::Refused { .. } | Link::Ready)
    }

    /// A number that no label and no ticket had.
    fn take_number(&mut self) -> u64 {
        let number = self.next_label;
        self.next_label = self.next_label.saturating_add(1);
        number
    }

    /// Closes, and tries again later.
    fn give_up(&mut self, reason: Reason) {
        self.actions.push_back(Action::Close);
        self.wait(reason);
    }

    fn wait(&mut self, reason: Reason) {
        if self.quit.is_some() {
            return self.end();
        }
        let is_hopeless = matches!(reason, Reason::NotTertulia | Reason::Version);
        let attempt = if is_hopeless { u32::MAX } else { self.attempt };
        let retry_in = retry::relay_delay(attempt, self.random.bits());
        self.attempt = self.attempt.saturating_add(1);
        self.disconnect(Link::Waiting { until: self.now.saturating_add(retry_in) });
        self.events.push_back(Event::Waiting { reason, retry_in });
    }

    fn end(&mut self) {
        self.quit = None;
        self.disconnect(Link::Ended);
        self.events.push_back(Event::Ended);
    }

    /// The name that the relay may think it still has, once the connection is gone.
    fn next_ghost(&self) -> Option<&str> {
        match self.link {
            Link::Ready => self.held_name.as_deref(),
            // It may have been greeted without hearing of it.
            Link::Greeting { .. } => Some(&self.connection.hello_name),
            Link::Waiting { .. } | Link::Connecting | Link::Refused { .. } | Link::Ended => {
                self.ghost_name.as_deref()
            }
        }
    }

    /// Commands of the caller go with the connection: their answers would come to nobody.
    fn disconnect(&mut self, link: Link) {
        self.ghost_name = self.next_ghost().map(str::to_owned);
        self.link = link;
        self.connection = Connection::default();
        self.commands.clear();
    }
}
