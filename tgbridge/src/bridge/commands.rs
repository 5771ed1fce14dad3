//! What people ask of the bot itself: `/start`, and who is in the room.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::link::{NAMES_MAX, NoticeKind};
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
    /// Which link asked who is there, and who was named so far, by the number of the question.
    who: BTreeMap<u64, (usize, Vec<String>)>,
    questions: u64,
    asked: VecDeque<(i64, Duration)>,
    /// To chats without a room; at most one to each of those that were answered lately.
    answers: VecDeque<SendMessage>,
    /// The bot's name behind the `@`; empty: not known.
    pub(super) bot_username: String,
}

impl Commands {
    /// What is still to be sent to chats without a room.
    pub(super) fn answers(&self) -> impl Iterator<Item = &SendMessage> {
        self.answers.iter()
    }

    /// The first answer whose chat may be written to.
    pub(super) fn take_answer(&mut self, may_send: impl Fn(i64) -> bool) -> Option<SendMessage> {
        let at = self.answers.iter().position(|answer| may_send(answer.chat))?;
        self.answers.remove(at)
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
        if asked.len().max(self.commands.answers.len()) >= ASKED_MAX
            || asked.iter().any(|(chat, _)| *chat == message.chat)
        {
            return;
        }
        asked.push_back((message.chat, now));
        let chat = match message.thread {
            Some(thread) => format!("{}/{thread}", message.chat),
            None => message.chat.to_string(),
        };
        let text = Phrase::StartElsewhere.with(self.language(), &[&chat]);
        self.commands.answers.push_back(SendMessage {
            target: Target::Elsewhere,
            chat: message.chat,
            thread: message.thread,
            text,
            reply_to: None,
        });
    }

    fn ask_who(&mut self, index: usize) {
        let Some(room) = self.links.get(index).map(|link| link.settings.room.clone()) else { return };
        if !self.is_relay_ready || self.commands.who.len() >= WHO_MAX {
            return self.notify(index, Phrase::RelayAway.with(self.language(), &[]));
        }
        let question = self.commands.questions;
        self.commands.questions = question.wrapping_add(1);
        self.commands.who.insert(question, (index, Vec::new()));
        self.outputs.push_back(Output::Who { question, room });
    }

    /// A name in the room that was asked about.
    pub fn handle_who(&mut self, question: u64, name: &str) {
        let is_own = name == self.settings.name || name == self.relay_name;
        if let Some((_, names)) = self.commands.who.get_mut(&question) {
            if names.len() <= NAMES_MAX && !is_own {
                names.push(name.to_owned());
            }
        }
    }

    /// All names of it were told.
    pub fn handle_who_end(&mut self, question: u64, now: Now) {
        if let Some((index, names)) = self.commands.who.remove(&question) {
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

    /// The relay does not tell who is there: nobody is, or it cannot be asked.
    pub fn handle_who_refused(&mut self, question: u64, now: Now) {
        if let Some((index, _)) = self.commands.who.remove(&question) {
            let room = self.links.get(index).map(|link| link.settings.room.clone()).unwrap_or_default();
            self.notify(index, Phrase::NobodyIsThere.with(self.language(), &[&room]));
        }
        self.advance(now);
    }

    /// It cannot be found out who is there.
    pub fn fail_who(&mut self) {
        for (index, _) in std::mem::take(&mut self.commands.who).into_values() {
            self.notify(index, Phrase::RelayAway.with(self.language(), &[]));
        }
    }

    fn notify(&mut self, index: usize, text: String) {
        if let Some(link) = self.links.get_mut(index) {
            link.notify(NoticeKind::Answer, &text);
        }
    }

    /// Says something of the bridge's own in a room. No update waits for it.
    pub(super) fn say_notice(&mut self, label: String, room: String, text: String) {
        self.outputs.push_back(Output::Say(SayLine { label, room, text, reply: None, as_who: None }));
        // The session says it again after a kill.
        self.is_dirty = true;
    }
}
