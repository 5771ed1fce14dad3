//! The bridge without its sockets: it is given what came from Telegram and from the relay, and the time, and says what to
//! say, send, fetch and keep.
//!
//! The caller's turn, over and over: wait; hand over what happened (`handle_…`); take [`Bridge::poll_output`] until it is
//! empty; where [`Bridge::take_dirty`] says so, keep [`Bridge::saved`] together with the session, safely; only then do
//! what was put out and let the session write. So whatever happens to the program, what Telegram or the relay has seen is
//! not newer than what is kept.
//!
//! What it does not know: transports, the clock, files, threads, the token. `run` calls it.

mod commands;
mod compose;
mod describe;
mod hearing;
mod ids;
mod inbound;
mod link;
mod notices;
mod outbound;
mod pace;
mod polling;
mod rich;
mod settings;
pub mod split;
mod state;
mod who;

use std::collections::VecDeque;
use std::time::Duration;

pub use describe::describe;
pub use hearing::FETCH_LINES;
pub use inbound::{SAY_BYTES_MAX, SAYS_OPEN_MAX};
pub use link::{AHEAD_LINES_MAX, NAMES_MAX, QUEUE_BYTES_MAX, QUEUE_LINES_MAX};
pub use polling::{CONFLICTS_MAX, EMPTY_POLL_PAUSE, UPDATES_MAX};
pub use settings::{Backlog, InDoubt, LinkSettings, Notices, PaceSettings, Settings};
pub use state::Saved;
pub use who::{Naming, clean_name};

use crate::phrases::Language;
use commands::Commands;
use inbound::Inbound;
use link::Link;
use polling::Polling;

/// The time, as both clocks tell it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Now {
    /// Since the caller's own start; never goes back.
    pub at: Duration,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
}

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Say a line in a room; [`Bridge::handle_acknowledged`] or [`Bridge::handle_say_refused`] answers.
    Say(SayLine),
    /// Fetch lines of a room; [`Bridge::handle_fetched_line`] for each, then [`Bridge::handle_fetched`], or
    /// [`Bridge::handle_fetch_refused`].
    Fetch {
        /// Which link asks.
        link: usize,
        /// The room.
        room: String,
        /// Where to begin.
        from: FetchFrom,
        /// Lines at most.
        limit: u32,
    },
    /// Ask who is in a room; [`Bridge::handle_who`] for each name, then [`Bridge::handle_who_end`].
    Who {
        /// The room.
        room: String,
    },
    /// Send a message; [`Bridge::handle_sent`] answers.
    Send(SendMessage),
    /// Ask Telegram for updates; [`Bridge::handle_updates`] answers.
    Poll(Poll),
    /// Tell whoever runs the bridge.
    Log(String),
    /// Tell why, and end.
    Stop(String),
}

/// A line for a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SayLine {
    /// The same for the same line, whenever it is said.
    pub label: String,
    /// The room.
    pub room: String,
    /// The text; line feeds are line breaks.
    pub text: String,
    /// The id of the line it answers.
    pub reply: Option<u64>,
    /// For whom; None: for the bridge itself.
    pub as_who: Option<String>,
}

/// Where a fetch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchFrom {
    /// Behind this id.
    After(u64),
    /// The newest line of all.
    Newest,
}

/// For whom a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// For a link's chat.
    Link(usize),
    /// For a chat without one.
    Elsewhere,
}

/// A message for Telegram, plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// To be given back with the answer.
    pub target: Target,
    /// The chat.
    pub chat: i64,
    /// The topic.
    pub thread: Option<i64>,
    /// The text.
    pub text: String,
    /// The message it answers.
    pub reply_to: Option<i64>,
}

/// A poll for updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// The first update that is wanted; it confirms all before. None: whichever there is.
    pub offset: Option<i64>,
    /// Updates at most.
    pub limit: usize,
    /// How long Telegram may wait for one.
    pub timeout: Duration,
}

/// What was counted since the start, and what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Lines of the chat that Telegram took.
    pub lines_to_telegram: u64,
    /// Messages that they took.
    pub messages_to_telegram: u64,
    /// Lines said in the chat, and acknowledged.
    pub lines_to_chat: u64,
    /// Answers that told to send less often.
    pub too_many_requests: u64,
    /// Calls that failed otherwise.
    pub calls_failed: u64,
    /// Lines and messages that were too old.
    pub skipped: u64,
    /// When Telegram answered a poll last, in milliseconds since 1970; 0: never.
    pub last_good_poll_unix_ms: u64,
}

/// Telegram on one side, a relay on the other.
#[derive(Debug)]
pub struct Bridge {
    settings: Settings,
    links: Vec<Link>,
    inbound: Inbound,
    polling: Polling,
    commands: Commands,
    counters: Counters,
    is_relay_ready: bool,
    is_ending: bool,
    is_dirty: bool,
    outputs: VecDeque<Output>,
}

impl Bridge {
    /// A bridge that goes on where `saved` says. What was kept of links that are not in the settings is forgotten.
    pub fn new(settings: Settings, saved: Saved) -> Self {
        let mut kept = saved.links;
        let links = settings.links.iter().map(|link| {
            let is_it = |kept: &state::SavedLink| {
                (kept.chat, kept.thread, &kept.room) == (link.chat, link.thread, &link.room)
            };
            let found = kept.iter().position(is_it).map(|index| kept.swap_remove(index));
            Link::new(link.clone(), settings.pace, found)
        });
        Self {
            links: links.collect(),
            inbound: Inbound::default(),
            polling: Polling::new(saved.offset, saved.last_update_unix_ms),
            commands: Commands::default(),
            counters: Counters::default(),
            is_relay_ready: false,
            is_ending: false,
            is_dirty: false,
            outputs: VecDeque::new(),
            settings,
        }
    }

    /// Time has passed: does what is due.
    pub fn handle_time(&mut self, now: Now) {
        self.fold_notices(now.at);
        self.advance(now);
    }

    /// The relay has greeted the session, which hears its rooms from now on.
    pub fn handle_relay_ready(&mut self, now: Now) {
        self.is_relay_ready = true;
        self.advance(now);
    }

    /// The connection to the relay is gone. What was said and has no answer is said again by the session.
    pub fn handle_relay_gone(&mut self, now: Now) {
        self.is_relay_ready = false;
        self.fail_who();
        self.advance(now);
    }

    /// The program ends: nothing new is begun, answers are still taken.
    pub fn begin_end(&mut self) {
        self.is_ending = true;
    }

    /// Whether a message is on its way of which it is not known whether it arrived.
    pub fn is_sending(&self) -> bool {
        self.links.iter().any(|link| link.sending.is_some())
    }

    /// What to do, in this order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether [`Bridge::saved`] has changed in something that must be kept before the outputs are done.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.is_dirty)
    }

    /// What must outlive the program, without the session.
    pub fn saved(&self) -> Saved {
        let links = self.links.iter().map(Link::saved).collect();
        Saved::new(self.polling.offset, self.polling.last_update_unix_ms, links)
    }

    /// When [`Bridge::handle_time`] is to be called next, if nothing happens before; a moment that has passed means now.
    pub fn next_due(&self) -> Option<Duration> {
        let sends = self.links.iter().filter(|link| link.sending.is_none() && !link.queue.is_empty());
        let sends = sends.map(|link| link.pace.next_at());
        let notices = self.links.iter().filter_map(|link| link.notices_due);
        let poll = self.polling.due().filter(|_| self.inbound.is_settled());
        sends.chain(notices).chain(poll).min()
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Lines that wait for Telegram, of each link.
    pub fn waiting(&self) -> impl Iterator<Item = (&LinkSettings, usize)> {
        self.links.iter().map(|link| (&link.settings, link.queue.len()))
    }

    /// Lines for the chat that have no answer from the relay.
    pub fn unacknowledged(&self) -> usize {
        self.inbound.unanswered()
    }

    /// The update from which the next poll asks.
    pub fn offset(&self) -> i64 {
        self.polling.offset
    }

    /// What every input ends with: all that can be done now is put out.
    fn advance(&mut self, now: Now) {
        if self.is_ending {
            return;
        }
        self.say_what_waits();
        self.fetch_what_is_missed();
        self.send_what_waits(now.at);
        self.poll_if_due(now);
    }

    fn language(&self) -> Language {
        self.settings.language
    }

    /// Tells whoever runs the bridge, in their language.
    fn log(&mut self, spanish: String, english: String) {
        let text = match self.language() {
            Language::Es => spanish,
            Language::En => english,
        };
        self.outputs.push_back(Output::Log(text));
    }

    fn link_of_room(&self, room: &str) -> Option<usize> {
        self.links.iter().position(|link| link.settings.room == room)
    }

    fn link_of_chat(&self, chat: i64, thread: Option<i64>) -> Option<usize> {
        let is_it =
            |link: &Link| (link.chat == chat || link.settings.chat == chat) && link.settings.thread == thread;
        self.links.iter().position(is_it)
    }
}
