//! From Telegram to the chat: updates become lines, each under a label that is its update's id, so that a repeat is
//! harmless. An update is confirmed only once all its lines are acknowledged.

use std::collections::{HashMap, VecDeque};

use super::describe::{QUOTE_UNITS_MAX, describe, with_links};
use super::link::Item;
use super::split::{byte_parts, shorten};
use super::who::{forwarded_from, is_bot, speaker};
use super::{Bridge, Now, SayLine};
use crate::phrases::Phrase;
use crate::telegram::types::{Message, Update, integer, sender, string, user};

/// Longest text of a line: what the relay takes, less tags and a name whose every character is escaped.
pub const SAY_BYTES_MAX: usize = 15_000;

/// Lines that the session is given at once; the next ones wait for answers.
pub const SAYS_OPEN_MAX: usize = 64;

/// A line of an update, on its way.
#[derive(Debug)]
struct Open {
    update: i64,
    link: usize,
    /// The message it says; 0 where it says none.
    message: i64,
    who: String,
}

#[derive(Debug, Default)]
pub(super) struct Inbound {
    /// Updates whose lines are not all answered, and how many are not; oldest first, at most one poll's.
    pending: VecDeque<(i64, usize)>,
    waiting: VecDeque<SayLine>,
    open: HashMap<String, Open>,
    /// So many of `open` were given to the session.
    given: usize,
}

impl Inbound {
    /// All updates of the last poll are dealt with.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn unanswered(&self) -> usize {
        self.open.len()
    }
}

impl Bridge {
    /// Takes the updates of a poll. How many of them are new.
    pub(super) fn take_updates(&mut self, updates: Vec<Update>, now: Now) -> usize {
        let mut news = 0_usize;
        let begins_anew = updates.first().is_some_and(|first| first.id < self.polling.offset)
            && updates.iter().all(|update| self.polling.is_new(update.id, now.unix_ms));
        if begins_anew {
            self.polling.offset = 0;
        }
        let mut last = self.polling.offset.saturating_sub(1);
        for update in updates {
            if update.id <= last {
                continue;
            }
            last = update.id;
            news += 1;
            self.inbound.pending.push_back((update.id, 0));
            if let Some(message) = update.message {
                self.take_message(update.id, &message, now);
            }
        }
        if news > 0 {
            self.polling.last_update_unix_ms = now.unix_ms;
            self.tell_skipped_messages(last);
            self.confirm_what_is_done();
        }
        news
    }

    fn take_message(&mut self, update: i64, message: &Message, now: Now) {
        if self.is_echo(message) || self.take_command(message, now) {
            return;
        }
        let Some(index) = self.link_of_chat(message.chat, message.thread) else { return };
        if let Some(chat) = integer(&message.body, "migrate_to_chat_id") {
            self.migrate(index, chat);
        }
        // A place that moves is no text that was changed.
        if message.is_edit && (!self.settings.tells_edits || message.body.get("location").is_some()) {
            return;
        }
        let cutoff = self.settings.backlog.cutoff_ms(self.settings.started_unix_ms, now.unix_ms);
        let sent_ms = u64::try_from(message.date).unwrap_or_default().saturating_mul(1000);
        if message.date > 0 && sent_ms < cutoff {
            self.counters.skipped += 1;
            self.commands.skipped_messages(index);
            return;
        }
        self.say_message(update, index, message);
    }

    /// What the bridge or another program has said: passed on, it could come back.
    fn is_echo(&self, message: &Message) -> bool {
        let from = message.from.as_ref().map(|from| from.id);
        from == Some(self.settings.bot_id) || (is_bot(message) && !self.settings.hears_bots)
    }

    fn say_message(&mut self, update: i64, index: usize, message: &Message) {
        let who = speaker(message, self.settings.naming);
        let (reply, answers) = self.reply_of(index, message);
        let mut text = String::new();
        if message.is_edit {
            text.push_str(Phrase::Edited.in_language(self.language()));
            text.push(' ');
        }
        if let Some(from) = forwarded_from(&message.body) {
            text.push_str(&Phrase::Forwarded.with(self.language(), &[&from]));
            text.push(' ');
        }
        text.push_str(&answers);
        text.push_str(&describe(&message.body, self.language()));
        for (number, part) in byte_parts(&text, SAY_BYTES_MAX).into_iter().enumerate() {
            let label = if number == 0 { format!("t{update}") } else { format!("t{update}.{number}") };
            let reply = reply.filter(|_| number == 0);
            self.say_for_update(update, index, message.id, &who, (label, part.to_owned(), reply));
        }
    }

    fn say_for_update(
        &mut self,
        update: i64,
        link: usize,
        message: i64,
        who: &str,
        (label, text, reply): (String, String, Option<u64>),
    ) {
        let Some(room) = self.links.get(link).map(|link| link.settings.room.clone()) else { return };
        if let Some((_, open)) = self.inbound.pending.iter_mut().find(|(id, _)| *id == update) {
            *open += 1;
        }
        self.inbound.open.insert(label.clone(), Open { update, link, message, who: who.to_owned() });
        let as_who = Some(who.to_owned()).filter(|who| !who.is_empty());
        self.inbound.waiting.push_back(SayLine { label, room, text, reply, as_who });
        self.is_dirty = true;
    }

    /// The line that a message answers, or else the first words of what it answers.
    fn reply_of(&self, index: usize, message: &Message) -> (Option<u64>, String) {
        let Some(answered) = message.body.get("reply_to_message") else {
            let quote = message.body.get("quote").map(|quote| string(quote, "text")).unwrap_or_default();
            return (None, if quote.is_empty() { String::new() } else { quoted("", quote) });
        };
        // In a topic, whatever answers nothing answers the topic's beginning.
        if answered.get("forum_topic_created").is_some() {
            return (None, String::new());
        }
        let number = integer(answered, "message_id").unwrap_or_default();
        let lines = self.links.get(index).map(|link| link.ids.lines_of(number)).unwrap_or_default();
        let position = message.body.get("quote").and_then(|quote| integer(quote, "position"));
        if let Some(line) = line_at(&lines, string(answered, "text"), position) {
            return (Some(line), String::new());
        }
        let text = with_links(string(answered, "text"), None);
        let text = if text.is_empty() { describe(answered, self.language()) } else { text };
        let is_own = answered.get("from").and_then(user).is_some_and(|from| from.id == self.settings.bot_id);
        if is_own {
            return (None, quoted("", &text));
        }
        let of_chat = answered.get("sender_chat").and_then(sender).map(|chat| chat.title);
        let name = of_chat.or_else(|| answered.get("from").and_then(user).map(|from| from.first_name));
        (None, quoted(&name.unwrap_or_default(), &text))
    }

    /// What was too old is told on both sides. The label is the last update's, so that a repeat is harmless here too.
    fn tell_skipped_messages(&mut self, update: i64) {
        for index in 0..self.links.len() {
            let count = self.commands.take_skipped_messages(index);
            if count > 0 {
                let text = self.skipped_words(count);
                let label = format!("skipped{update}-{index}");
                self.say_for_update(update, index, 0, "", (label, text.clone(), None));
                if let Some(link) = self.links.get_mut(index) {
                    link.push(Item::notice(&text));
                }
            }
        }
    }

    pub(super) fn say_what_waits(&mut self) {
        while self.inbound.given < SAYS_OPEN_MAX {
            let Some(line) = self.inbound.waiting.pop_front() else { return };
            self.inbound.given += 1;
            self.outputs.push_back(super::Output::Say(line));
        }
    }

    /// The relay has said a line, and keeps it.
    pub fn handle_acknowledged(&mut self, label: &str, id: u64, now: Now) {
        if let Some(open) = self.inbound.open.remove(label) {
            self.counters.lines_to_chat += 1;
            if let Some(link) = self.links.get_mut(open.link).filter(|_| open.message != 0) {
                link.ids.pair(open.message, id);
            }
            self.close_line(open.update);
        }
        self.advance(now);
    }

    /// The relay will not say a line. `LABEL_REUSED`: it has said one under this label, and that is the same message.
    pub fn handle_say_refused(&mut self, label: &str, code: &str, sentence: &str, now: Now) {
        if let Some(open) = self.inbound.open.remove(label) {
            if code != "LABEL_REUSED" && code != "EMPTY" {
                let why = if sentence.is_empty() { code } else { sentence };
                let text = Phrase::Unsayable.with(self.language(), &[&open.who, why]);
                if let Some(link) = self.links.get_mut(open.link) {
                    link.push(Item::notice(&text));
                }
                self.log(
                    format!("el relay no acepta la línea {label}: {code}"),
                    format!("the relay does not accept line {label}: {code}"),
                );
            }
            self.close_line(open.update);
        }
        self.advance(now);
    }

    fn close_line(&mut self, update: i64) {
        self.inbound.given = self.inbound.given.saturating_sub(1);
        if let Some((_, open)) = self.inbound.pending.iter_mut().find(|(id, _)| *id == update) {
            *open = open.saturating_sub(1);
        }
        self.confirm_what_is_done();
    }

    fn confirm_what_is_done(&mut self) {
        while let Some((update, _)) = self.inbound.pending.front().copied().filter(|(_, open)| *open == 0) {
            self.inbound.pending.pop_front();
            self.polling.offset = update.saturating_add(1);
            self.is_dirty = true;
        }
    }
}

/// Of the lines in a message, the one at a position in UTF-16 units; else the last.
fn line_at(lines: &[u64], text: &str, position: Option<i64>) -> Option<u64> {
    let Some(position) = position.and_then(|position| usize::try_from(position).ok()) else {
        return lines.last().copied();
    };
    let mut at = 0_usize;
    let mut index = 0_usize;
    for (number, line) in text.split('\n').enumerate() {
        // Indented ones go on with the line before.
        if number > 0 && !line.starts_with("  ") {
            index += 1;
        }
        at = at.saturating_add(super::split::units(line)).saturating_add(1);
        if position < at {
            break;
        }
    }
    lines.get(index).or(lines.last()).copied()
}

fn quoted(name: &str, text: &str) -> String {
    let text = text.replace('\n', " ");
    let words = shorten(&text, QUOTE_UNITS_MAX);
    let words = words.trim_end_matches('…');
    if name.is_empty() { format!("(re {words}…) ") } else { format!("(re {name}: {words}…) ") }
}
