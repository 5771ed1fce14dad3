//! Decides who hears what. Knows no socket and no clock: [`crate::server`] feeds it bytes and the time, and
//! carries out what it says.
//!
//! The public door, in the order of a turn of the loop:
//!
//! 1. what happened: [`Chat::handle_connect`], [`Chat::handle_bytes`], [`Chat::handle_end_of_input`],
//!    [`Chat::handle_writable`], [`Chat::handle_gone`], [`Chat::handle_time`];
//! 2. what is to be written: [`Chat::flush`], once a turn, into a [`Sink`];
//! 3. what else is to be done, each until `None`: [`Chat::poll_resumed`] (read it again), [`Chat::poll_ended`]
//!    (close it), [`Chat::poll_event`] (log it); and [`Chat::next_due`] says when to call `handle_time`.

// What only a kept history brings about.
#![cfg_attr(not(any(feature = "history", debug_assertions)), allow(dead_code, unused_imports))]

#[cfg(feature = "history")]
mod accounts;
mod answers;
mod asking;
mod client;
mod commands;
mod ending;
mod event;
mod fanout;
mod foreign;
mod gap;
mod hello;
mod history;
mod ids;
mod input;
mod labeled;
mod last;
mod membership;
mod names;
#[cfg(not(feature = "history"))]
mod no_accounts;
mod notices;
mod origin;
mod outbox;
mod pages;
mod ping;
mod presence;
mod pressure;
mod promises;
mod questions;
mod rare;
mod rooms;
mod seats;
mod sessions;
mod sink;
mod speech;
mod tagged;
mod timers;
mod unframed;
mod writing;

use std::collections::VecDeque;
use std::time::Duration;

#[cfg(feature = "history")]
pub use accounts::{ACCOUNTS_MAX, ATTEMPTS_MAX, Rules, TASKS_MAX, is_same_name};
pub use event::{Cut, Event};
pub use foreign::Foreign;
pub use history::{
    Answer, HISTORY_LINES, HISTORY_LINES_MAX, QUESTIONS_MAX, Question, Remembered, SEARCHES_MAX, Wanted,
};
pub use ids::ceiling_ahead;
pub use last::LAST_ANSWERS_AFTER;
pub use names::RESERVED;
pub use origin::Origin;
pub use outbox::{ANSWER_BYTES_MAX, MARKS_MAX};
pub use pressure::UNKEPT_BYTES_MAX;
pub use rooms::{LOGS_BYTES_MAX, NOTICES_MAX, ROOMS_MAX, STORM_WINDOW, TAGGED_BYTES_KEPT};
pub use sessions::{LABELS_MAX, SESSIONS_MAX, SIDS_AHEAD};
pub use sink::{Sent, Sink};

use tertulia_wire::secret::Secret;

use crate::flood::Flood;
use crate::moment::Moment;
use crate::phrases::{Language, Phrase};
use client::Client;
use history::KeepingPlace;
use ids::Ids;
use names::Names;
use outbox::Outbox;
use promises::Promise;
use rooms::{DEFAULT_ROOM, Encoding, Place, Room, Rooms};
use sessions::Sessions;
use timers::{Look, Timers};

/// Bytes of unfinished lines of all connections together; past it the one that has waited longest is cut.
pub const HELD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long a connection that is being closed may go without reading any of its last lines.
pub const CLOSING_AFTER: Duration = Duration::from_secs(10);

/// A connection, as the shell numbers it: small numbers, given again once [`Chat::handle_gone`] was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RoomId(u32);

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `None`: no flood control.
    pub flood: Option<Flood>,
    /// Of the sentences for people.
    pub language: Language,
    /// Bound of each room's log; 0 is none.
    pub room_log_bytes: usize,
    /// Labels of all sessions in memory: [`LABELS_MAX`], or fewer.
    pub labels_max: usize,
    /// Secret, and another one at each start: tokens are made of it.
    pub token_key: Secret<[u8; 32]>,
}

/// Counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines and messages taken from clients, commands and refused ones too.
    pub lines_in: u64,
    /// Lines handed to clients: one said to a hundred people counts a hundred times.
    pub lines_out: u64,
    /// Connections ended, by the order of [`Cut::ALL`].
    pub cut: [u64; Cut::ALL.len()],
}

/// The chat: rooms, names, connections.
#[derive(Debug)]
pub struct Chat {
    settings: Settings,
    /// By [`ClientId`]; apart from the outboxes, which the fan-out touches all the time.
    clients: Vec<Option<Client>>,
    outboxes: Vec<Outbox>,
    rooms: Rooms,
    names: Names,
    timers: Timers,
    /// Where what is said is kept: what is still to be handed over.
    keeping: Option<KeepingPlace>,
    ids: Ids,
    sessions: Sessions,
    #[cfg(feature = "history")]
    accounts: accounts::Accounts,
    /// Answers that wait for their work to be kept, in the order of its numbers.
    promises: VecDeque<(u64, Promise)>,
    /// Tokens given since the start.
    token_count: u64,
    /// When extended connections are looked at next; [`Moment::NEVER`]: there is none.
    ping_due: Moment,
    /// Whose command is being answered, and the label that its answers repeat.
    labeling: Option<(ClientId, Box<str>)>,
    /// Memory for the tags of the line that is being said.
    tags_scratch: String,
    /// The same for the name of who says it.
    shown_scratch: String,
    /// Outboxes to flush by themselves: answers, sockets that became writable, paced clients.
    listed: VecDeque<ClientId>,
    /// Held-back connections that may be read again.
    resumed: VecDeque<ClientId>,
    ended: VecDeque<ClientId>,
    events: VecDeque<Event>,
    /// Readers that fell out of a log and are to be cut.
    fallen: Vec<ClientId>,
    counts: Counts,
    /// Sum of all [`client::Input::counted`].
    held_bytes: usize,
}

impl Chat {
    /// An empty chat.
    pub fn new(settings: Settings) -> Self {
        let rooms = Rooms::new(settings.room_log_bytes);
        let sessions = Sessions::new(settings.labels_max);
        Self {
            settings,
            clients: Vec::new(),
            outboxes: Vec::new(),
            rooms,
            names: Names::default(),
            timers: Timers::default(),
            keeping: None,
            ids: Ids::default(),
            sessions,
            #[cfg(feature = "history")]
            accounts: accounts::Accounts::default(),
            promises: VecDeque::new(),
            token_count: 0,
            ping_due: Moment::NEVER,
            labeling: None,
            tags_scratch: String::new(),
            shown_scratch: String::new(),
            listed: VecDeque::new(),
            resumed: VecDeque::new(),
            ended: VecDeque::new(),
            events: VecDeque::new(),
            fallen: Vec::new(),
            counts: Counts::default(),
            held_bytes: 0,
        }
    }

    /// A connection is there. It hears the default room from now on, if it may.
    pub fn handle_connect(&mut self, client: ClientId, origin: Origin) {
        let index = client.0 as usize;
        let place = Place { room: DEFAULT_ROOM, encoding: Encoding::Plain };
        while self.clients.len() <= index {
            self.clients.push(None);
            self.outboxes.push(Outbox::new(place, 0));
        }
        let log_end = self.rooms.log_end(place);
        if let (Some(slot), Some(outbox)) = (self.clients.get_mut(index), self.outboxes.get_mut(index)) {
            *slot = Some(Client::new(origin));
            *outbox = Outbox::new(place, log_end);
        }
        let room = self.first_room(client);
        if room == DEFAULT_ROOM {
            return self.seat(client, DEFAULT_ROOM);
        }
        let place = Place { room, encoding: Encoding::Plain };
        if let Some(state) = self.client_mut(client) {
            state.room = Some(room);
        }
        if let Some(outbox) = self.outbox_mut(client) {
            *outbox = Outbox::new(place, 0);
        }
    }

    /// The socket is closed or broken. The others are told, if it was somebody. The number may be given again.
    pub fn handle_gone(&mut self, client: ClientId, now: Moment) {
        if self.client(client).is_none() {
            return;
        }
        self.step_away(client, None, now);
        self.forget_name(client, None, now);
        self.leave_others(client);
        self.unseat(client);
        self.stop_lingering(client);
        self.forget_questions(client);
        self.forget_device(client);
        self.fallen.retain(|fallen| *fallen != client);
        if let Some(gone) = self.clients.get_mut(client.0 as usize).and_then(Option::take) {
            self.held_bytes -= gone.input.counted;
        }
    }

    /// What time it is: does everything that was due.
    pub fn handle_time(&mut self, now: Moment) {
        while let Some(look) = self.timers.take_due(now) {
            match look {
                Look::Input(client) => self.look_at_input(client, now),
                Look::Pace(client) => self.look_at_pace(client),
                Look::Close(client) => self.look_at_closing(client, now),
                Look::Storm(room) => self.end_storm(room, now),
                Look::Greeting(client) => self.look_at_greeting(client),
                Look::Away(session) => self.look_at_away(session, now),
                Look::Restart => self.end_restart(now),
                Look::Ping => self.look_for_silence(now),
            }
        }
    }

    /// The operator has chosen anew: how fast lines may be said, and the language of sentences.
    pub fn handle_settings(&mut self, flood: Option<Flood>, language: Language) {
        self.settings.flood = flood;
        self.settings.language = language;
    }

    /// Says goodbye to everybody. Each connection ends once it has heard what was queued; nobody hears the others
    /// leave.
    pub fn handle_shutdown(&mut self, now: Moment) {
        let numbers = 0..u32::try_from(self.clients.len()).unwrap_or(u32::MAX);
        let is_open = |client: &ClientId| self.client(*client).is_some_and(|client| !client.is_closing);
        let open: Vec<ClientId> = numbers.map(ClientId).filter(is_open).collect();
        for &client in &open {
            self.answer(client, "NOTE RELAY CLOSING", Some(Phrase::Closing));
            self.end_outbox(client);
        }
        for client in open {
            self.close(client, now);
        }
    }

    /// When [`Chat::handle_time`] has something to do. `None`: never, as things stand.
    pub fn next_due(&self) -> Option<Moment> {
        self.timers.next_due()
    }

    /// Whether the connection is to be read. If not, [`Chat::poll_resumed`] names it when it is again.
    pub fn wants_read(&self, client: ClientId) -> bool {
        self.client(client).is_some_and(|client| {
            let is_held_up = client.awaits_history || (client.extended.is_some() && self.is_pressed());
            !is_held_up && !client.is_held_back && !client.is_closing && !client.has_ended
        })
    }

    /// The next connection that may be read again; what had been held back of it is said first.
    pub fn poll_resumed(&mut self, now: Moment) -> Option<ClientId> {
        while let Some(client) = self.resumed.pop_front() {
            if self.client(client).is_some_and(|state| state.is_held_back) {
                self.release_input(client, now);
            }
            if self.wants_read(client) {
                return Some(client);
            }
        }
        None
    }

    /// The next connection to close: everything was written, or there is no use in trying. The shell closes it
    /// and calls [`Chat::handle_gone`].
    pub fn poll_ended(&mut self) -> Option<ClientId> {
        self.ended.pop_front()
    }

    /// The next event for the operator's log.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Bytes that wait to be written, summed over all receivers; in memory they stand once.
    pub fn queued_bytes(&self) -> u64 {
        let present = self.clients.iter().zip(&self.outboxes).filter_map(|(client, outbox)| {
            let unframed = client.as_ref()?.unframed.as_ref().map_or(0, |unframed| unframed.waiting_bytes());
            let all = client.as_ref()?.others().iter().map(|other| &other.outbox).chain([outbox]);
            let waiting = all.map(|outbox| outbox.waiting_bytes(self.rooms.log_end(outbox.place)));
            Some(waiting.sum::<u64>() + unframed)
        });
        present.sum()
    }

    /// Connections that hold a name.
    pub fn named_clients(&self) -> usize {
        self.clients.iter().flatten().filter(|client| client.named.is_some()).count()
    }

    /// Sessions known, those whose connection is gone too.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Rooms there are.
    pub fn room_count(&self) -> usize {
        self.rooms.iter().count()
    }

    /// Bytes kept in the logs of all rooms.
    pub fn log_bytes(&self) -> usize {
        self.rooms.iter().map(Room::log_bytes).sum()
    }

    fn client(&self, client: ClientId) -> Option<&Client> {
        self.clients.get(client.0 as usize)?.as_ref()
    }

    fn client_mut(&mut self, client: ClientId) -> Option<&mut Client> {
        self.clients.get_mut(client.0 as usize)?.as_mut()
    }

    fn outbox(&self, client: ClientId) -> Option<&Outbox> {
        self.outboxes.get(client.0 as usize)
    }

    fn outbox_mut(&mut self, client: ClientId) -> Option<&mut Outbox> {
        self.outboxes.get_mut(client.0 as usize)
    }
}
