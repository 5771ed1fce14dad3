//! What people ask of the bot itself: `/start`, and who is in the room. And what was counted of messages that were too old.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::link::{Item, NAMES_MAX};
use super::{Bridge, Now, Output, SayLine, SendMessage, Target};
use crate::phrases::Phrase;
use crate::telegram::types::{Message, string};

/// Chats without a room that were answered lately; who asks again at once is not answered, and the oldest go.
const ASKED_MAX: usize = 64;

/// How long such a chat is not answered again.
const ASKED_FOR: Duration = Duration::from_secs(60);

/// Questions about who is there that wait for an answer.
const WHO_MAX: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Commands {
    /// Which link asked who is there, and who was named so far; in the order of the answers.
    who: VecDeque<(usize, Vec<String>)>,
    asked: VecDeque<(i64, Duration)>,
    /// Of each link, messages that were too old, not told yet.
    skipped: BTreeMap<usize, u64>,
    /// The bot's name behind the `@`; empty: not known.
    pub(super) bot_username: String,
}

impl Commands {
    pub(super) fn skipped_messages(&mut self, index: usize) {
        let count = self.skipped.entry(index).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn take_skipped_messages(&mut self, index: usize) -> u64 {
        self.skipped.remove(&index).unwrap_or_default()
    }
}

impl Bridge {
    /// Telegram has told what the bot is called.
    pub fn handle_identity(&mut self, username: &str) {
        username.clone_into(&mut self.commands.bot_username);
    }

    /// Does what a command asks. False: it is none of the bot's.
    pub(super) fn take_command(&mut self, message: &Message, now: Now) -> bool {
        let text = string(&message.body, "text");
        if message.is_edit || !text.starts_with('/') {
            return false;
        }
        let word = text.split_whitespace().next().unwrap_or_default();
        let (command, bot) = word.split_once('@').unwrap_or((word, ""));
        let own = &self.commands.bot_username;
        if !bot.is_empty() && !own.is_empty() && !bot.eq_ignore_ascii_case(own) {
            return false;
        }
        let link = self.link_of_chat(message.chat, message.thread);
        match (command.to_lowercase().as_str(), link) {
            ("/start", Some(index)) => self.answer_start(index),
            ("/start", None) => self.answer_stranger(message, now.at),
            ("/quien" | "/quién" | "/who", Some(index)) => self.ask_who(index),
            _ => return false,
        }
        true
    }

    fn answer_start(&mut self, index: usize) {
        let Some(room) = self.links.get(index).map(|link| link.settings.room.clone()) else { return };
        self.notify(index, Phrase::StartLinked.with(self.language(), &[&room]));
    }

    /// Tells the number of a chat that is not joined to anything: it is what the configuration wants.
    fn answer_stranger(&mut self, message: &Message, now: Duration) {
        let asked = &mut self.commands.asked;
        asked.retain(|(_, at)| now.saturating_sub(*at) < ASKED_FOR);
        if asked.len() >= ASKED_MAX || asked.iter().any(|(chat, _)| *chat == message.chat) {
            return;
        }
        asked.push_back((message.chat, now));
        let chat = match message.thread {
            Some(thread) => format!("{}/{thread}", message.chat),
            None => message.chat.to_string(),
        };
        let text = Phrase::StartElsewhere.with(self.language(), &[&chat]);
        self.outputs.push_back(Output::Send(SendMessage {
            target: Target::Elsewhere,
            chat: message.chat,
            thread: message.thread,
            text,
            reply_to: None,
        }));
    }

    fn ask_who(&mut self, index: usize) {
        let Some(room) = self.links.get(index).map(|link| link.settings.room.clone()) else { return };
        if !self.is_relay_ready || self.commands.who.len() >= WHO_MAX {
            return self.notify(index, Phrase::RelayAway.with(self.language(), &[]));
        }
        self.commands.who.push_back((index, Vec::new()));
        self.outputs.push_back(Output::Who { room });
    }

    /// A name in the room that was asked about first.
    pub fn handle_who(&mut self, name: &str) {
        let own = &self.settings.name;
        if let Some((_, names)) = self.commands.who.front_mut() {
            if names.len() <= NAMES_MAX && name != own {
                names.push(name.to_owned());
            }
        }
    }

    /// All names of it were told.
    pub fn handle_who_end(&mut self, now: Now) {
        if let Some((index, names)) = self.commands.who.pop_front() {
            let room = self.links.get(index).map(|link| link.settings.room.clone()).unwrap_or_default();
            let more = if names.len() > NAMES_MAX { "…" } else { "" };
            let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
            let text = if names.is_empty() {
                Phrase::NobodyIsThere.with(self.language(), &[&room])
            } else {
                Phrase::WhoIsThere.with(self.language(), &[&room, &format!("{shown}{more}")])
            };
            self.notify(index, text);
        }
        self.advance(now);
    }

    /// It cannot be found out who is there.
    pub fn fail_who(&mut self) {
        for (index, _) in std::mem::take(&mut self.commands.who) {
            self.notify(index, Phrase::RelayAway.with(self.language(), &[]));
        }
    }

    fn notify(&mut self, index: usize, text: String) {
        if let Some(link) = self.links.get_mut(index) {
            link.push(Item::notice(&text));
        }
    }

    /// Says something of the bridge's own in a room. No update waits for it.
    pub(super) fn say_notice(&mut self, label: String, room: String, text: String) {
        self.outputs.push_back(Output::Say(SayLine { label, room, text, reply: None, as_who: None }));
    }
}
