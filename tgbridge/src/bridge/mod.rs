//! The bridge without its sockets: it is given what came from Telegram and from the relay, and the time, and says what to
//! say, send, fetch and keep.
//!
//! The caller's turn, over and over: wait; hand over what happened (`handle_…`); take [`Bridge::poll_output`] until it is
//! empty; where [`Bridge::take_dirty`] says so, keep [`Bridge::saved`] together with the session, safely; only then do
//! what was put out and let the session write. So whatever happens to the program, what cannot be undone is not newer
//! than what is kept; all else comes again, and is known again.
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
mod output;
mod pace;
mod polling;
mod rich;
mod saying;
mod settings;
pub mod split;
mod state;
mod who;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

pub use describe::describe;
pub use hearing::FETCH_LINES;
pub use link::{AHEAD_LINES_MAX, NAMES_MAX, NOTICES_MAX, QUEUE_BYTES_MAX, QUEUE_LINES_MAX};
pub use output::{Counters, FetchFrom, Now, Output, Poll, SayLine, SendMessage, Target};
pub use polling::{CONFLICTS_MAX, EMPTY_POLL_PAUSE, UPDATES_MAX};
pub use saying::{SAY_BYTES_MAX, SAYS_OPEN_MAX};
pub use settings::{Backlog, InDoubt, LinkSettings, Notices, PaceSettings, Settings};
pub use state::Saved;
pub use who::{Naming, clean_name};

use tertulia_wire::name::SEPARATOR;

use crate::phrases::Language;
use commands::Commands;
use link::Link;
use pace::Paces;
use polling::Polling;
use saying::Inbound;
use state::Source;

/// Telegram on one side, a relay on the other.
#[derive(Debug)]
pub struct Bridge {
    settings: Settings,
    links: Vec<Link>,
    inbound: Inbound,
    polling: Polling,
    commands: Commands,
    paces: Paces,
    counters: Counters,
    /// The name that the relay knows it by, which may be another one than it asked for.
    relay_name: String,
    /// Names that were told to be left out.
    names_left_out: BTreeSet<String>,
    /// Keys are numbers under it.
    salt: u64,
    source: Source,
    is_relay_ready: bool,
    is_ending: bool,
    is_dirty: bool,
    outputs: VecDeque<Output>,
}

impl Bridge {
    /// A bridge that goes on where `saved` says. What was kept of links that are not in the settings is forgotten; a chat is
    /// known under the number that it had at first, and under the one that it has now.
    pub fn new(settings: Settings, saved: Saved) -> Self {
        let mut kept = saved.links;
        let links = settings.links.iter().map(|link| {
            let is_it = |kept: &state::SavedLink| {
                let is_chat = kept.chat == link.chat || kept.current_chat == Some(link.chat);
                is_chat && (kept.thread, &kept.room) == (link.thread, &link.room)
            };
            let found = kept.iter().position(is_it).map(|index| kept.swap_remove(index));
            Link::new(link.clone(), found)
        });
        Self {
            links: links.collect(),
            inbound: Inbound::default(),
            polling: Polling::new(saved.offset, saved.last_update_unix_ms),
            commands: Commands::default(),
            paces: Paces::new(settings.pace),
            counters: Counters::default(),
            relay_name: settings.name.clone(),
            names_left_out: BTreeSet::new(),
            salt: saved.salt.unwrap_or(settings.seed),
            source: saved.source,
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
        (0..self.links.len()).for_each(|index| self.tell_skipped_lines(index));
        self.advance(now);
    }

    /// The relay knows the bridge by this name; what is said under it does not come back to Telegram.
    pub fn handle_name(&mut self, name: &str) {
        name.clone_into(&mut self.relay_name);
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
        Saved {
            offset: self.polling.offset,
            last_update_unix_ms: self.polling.last_update_unix_ms,
            links: self.links.iter().map(Link::saved).collect(),
            salt: Some(self.salt),
            source: self.source.clone(),
            ..Saved::default()
        }
    }

    /// When [`Bridge::handle_time`] is to be called next, if nothing happens before; a moment that has passed means now.
    pub fn next_due(&self) -> Option<Duration> {
        let sends = self.links.iter().filter(|link| link.sending.is_none() && !link.queue.is_empty());
        let sends = sends.map(|link| self.paces.next_at(link.chat).max(link.not_before));
        let answers = self.commands.answers().map(|answer| self.paces.next_at(answer.chat));
        let notices = self.links.iter().flat_map(|link| [link.notices_due, link.next_skipped()]).flatten();
        let waits =
            |link: &&Link| self.is_relay_ready && link.fetch_attempt > 0 && link.wants_fetch(link.fetch_at);
        let fetches = self.links.iter().filter(waits).map(|link| link.fetch_at);
        let joins =
            self.links.iter().filter(|link| link.is_out && self.is_relay_ready).map(|link| link.join_at);
        let poll = self.polling.due().filter(|_| self.inbound.is_settled());
        sends.chain(answers).chain(notices).chain(fetches).chain(joins).chain(poll).min()
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Lines that wait for Telegram, of each link.
    pub fn waiting(&self) -> impl Iterator<Item = (&LinkSettings, usize)> {
        self.links.iter().map(|link| (&link.settings, link.queue.len()))
    }

    /// Links whose chat does not take what is sent, or whose room does not let the bridge in.
    pub fn troubled(&self) -> usize {
        self.links.iter().filter(|link| link.trouble.is_some() || link.is_out).count()
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
        self.tell_skipped_messages(now.at);
        self.join_again(now.at);
        self.say_what_waits();
        self.fetch_what_is_missed(now.at);
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

    /// Whether a name in the room is the bridge's own, or somebody's for whom it speaks.
    fn is_own_name(&self, name: &str) -> bool {
        let base = name.split(SEPARATOR).next().unwrap_or_default();
        base == self.settings.name || base == self.relay_name
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
