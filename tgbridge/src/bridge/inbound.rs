//! From Telegram to the chat: updates become lines, each under a label that is its update's id, so that a repeat is
//! harmless. `saying` says the lines.

use tertulia_wire::text::join_lines;

use super::describe::{QUOTE_UNITS_MAX, describe, with_links};
use super::saying::SAY_BYTES_MAX;
use super::settings::Backlog;
use super::split::{byte_parts, shorten};
use super::who::{forwarded_from, is_bot, speaker};
use super::{Bridge, Now};
use crate::phrases::{Language, Phrase};
use crate::telegram::types::{Message, Update, integer, sender, string, user};

impl Bridge {
    /// Takes the updates of a poll. How many of them are new.
    pub(super) fn take_updates(&mut self, mut updates: Vec<Update>, now: Now) -> usize {
        updates.sort_by_key(|update| update.id);
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
            self.inbound.begin(update.id);
            if let Some(message) = update.message {
                self.take_message(update.id, &message, now);
            }
        }
        if news > 0 {
            self.polling.last_update_unix_ms = now.unix_ms;
            self.confirm_what_is_done();
        }
        news
    }

    fn take_message(&mut self, update: i64, message: &Message, now: Now) {
        if self.is_echo(message) || self.take_command(message, now) {
            return;
        }
        if self.follow_migration(message) {
            return;
        }
        let Some(index) = self.link_of_chat(message.chat, message.thread) else { return };
        if self.is_own_post(index, message) {
            return;
        }
        // A place that moves is no text that was changed.
        if message.is_edit && (!self.settings.tells_edits || message.body.get("location").is_some()) {
            return;
        }
        if self.is_too_old(message, now) {
            return self.note_skipped_message(index, now.at);
        }
        self.say_message(update, index, message);
    }

    /// The group tells its new number, and the supergroup the old one. Whether all is said of it.
    fn follow_migration(&mut self, message: &Message) -> bool {
        let has_chat = |chat: i64| self.links.iter().position(|link| link.chat == chat);
        let (to, from) =
            ["migrate_to_chat_id", "migrate_from_chat_id"].map(|key| integer(&message.body, key)).into();
        if let Some((index, to)) = has_chat(message.chat).zip(to) {
            self.migrate(index, to);
        } else if let Some(index) = from.and_then(has_chat) {
            self.migrate(index, message.chat);
        }
        from.is_some()
    }

    /// Telegram's clock counts, as far as it is known: what came behind a poll that brought nothing shows what it says, and cannot
    /// be older than that poll, whatever the clocks say.
    fn is_too_old(&self, message: &Message, now: Now) -> bool {
        let written = if message.is_edit { integer(&message.body, "edit_date") } else { Some(message.date) };
        let is_fresh = match (self.settings.backlog, self.polling.age_max) {
            (Backlog::MaxAge(age), Some(age_max)) => age_max <= age,
            (Backlog::Skip, age_max) => age_max.is_some(),
            _ => false,
        };
        let Some(written) = written.filter(|date| *date > 0 && !is_fresh) else { return false };
        let cutoff = self.settings.backlog.cutoff_ms(self.settings.started_unix_ms, now.unix_ms);
        let cutoff = if cutoff == 0 { 0 } else { cutoff.saturating_add_signed(self.polling.clock_offset_ms) };
        u64::try_from(written).unwrap_or_default().saturating_mul(1000) < cutoff
    }

    /// A post of a channel has no author; the bridge's own are known by their numbers.
    fn is_own_post(&self, index: usize, message: &Message) -> bool {
        let is_known = self.links.get(index).is_some_and(|link| link.ids.has_message(message.id));
        message.from.is_none() && !message.is_edit && is_known
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
        // Line breaks are longer in the room than in Telegram; they count as they are said.
        let text = join_lines(&text);
        for (number, part) in byte_parts(&text, SAY_BYTES_MAX).into_iter().enumerate() {
            let label = if number == 0 { format!("t{update}") } else { format!("t{update}.{number}") };
            let label = self.label(&label);
            let reply = reply.filter(|_| number == 0);
            self.say_for_update(update, index, message.id, &who, (label, part.to_owned(), reply));
        }
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
        let quote = message.body.get("quote").map(|quote| string(quote, "text")).unwrap_or_default();
        let text = if quote.is_empty() { string(answered, "text") } else { quote };
        let text = with_links(text, None);
        let text = if text.is_empty() { describe(answered, self.language()) } else { text };
        let is_own = answered.get("from").and_then(user).is_some_and(|from| from.id == self.settings.bot_id);
        if is_own {
            return (None, quoted("", &text));
        }
        let of_chat = answered.get("sender_chat").and_then(sender).map(|chat| chat.title);
        let name = of_chat.or_else(|| answered.get("from").and_then(user).map(|from| from.first_name));
        (None, quoted(&name.unwrap_or_default(), &text))
    }
}

/// Of the lines in a message, the one at a position in UTF-16 units; without one, the last. None: that is no line of the room, but
/// something of the bridge's own.
fn line_at(lines: &[u64], text: &str, position: Option<i64>) -> Option<u64> {
    let Some(position) = position.and_then(|position| usize::try_from(position).ok()) else {
        return lines.last().copied();
    };
    let (mut at, mut count, mut is_notice) = (0_usize, 0_usize, false);
    for (number, line) in text.split('\n').enumerate() {
        // Indented ones go on with what is before.
        if number == 0 || !line.starts_with("  ") {
            is_notice = line.starts_with("* ") || (number == 0 && is_mark(line));
            count += usize::from(!is_notice);
        }
        at = at.saturating_add(super::split::units(line)).saturating_add(1);
        if position < at {
            break;
        }
    }
    if is_notice {
        return None;
    }
    lines.get(count.saturating_sub(1)).or(lines.last()).copied()
}

fn is_mark(line: &str) -> bool {
    [Language::Es, Language::En].iter().any(|language| Phrase::InDoubt.in_language(*language) == line)
}

fn quoted(name: &str, text: &str) -> String {
    let text = text.replace('\n', " ");
    let words = shorten(&text, QUOTE_UNITS_MAX);
    if name.is_empty() { format!("(re {words}) ") } else { format!("(re {name}: {words}) ") }
}
