//! From the chat to Telegram, the second half: what waits is sent, one message at a time in each chat, and what becomes of
//! it is noted. What waits was queued by `hearing`.

use std::time::Duration;

use tertulia_wire::retry;

use super::compose::{compose, next_part};
use super::ids::NO_LINE;
use super::link::{Item, Link, NoticeKind, Sending};
use super::polling::spread;
use super::settings::InDoubt;
use super::{Bridge, Now, Output, SendMessage, Target};
use crate::phrases::{Language, Phrase};
use crate::telegram::reply::CallError;

/// The wait after a 429 that does not say for how long.
const TOO_MANY_WAIT: Duration = Duration::from_secs(5);

/// The waits while a chat does not take anything: the bot was put out, or may not write.
const CLOSED_WAIT: Duration = Duration::from_secs(30);
const CLOSED_WAIT_MAX: Duration = Duration::from_secs(600);

/// The shortest limit that a chat is believed to have, in UTF-16 units.
const UNITS_MIN: usize = 256;

/// What a refusal says that is about the text and nothing else, in small letters. Only for these is a line left out: whatever
/// else is wrong may pass.
const OF_TEXT: [&str; 7] = [
    "message text is empty",
    "text must be non-empty",
    "message is too long",
    "message_too_long",
    "text is too long",
    "can't parse entities",
    "must be encoded in utf-8",
];

impl Bridge {
    /// Of the links of one chat, the one goes first that has waited longest.
    pub(super) fn send_what_waits(&mut self, now: Duration) {
        let mut order: Vec<usize> = (0..self.links.len()).collect();
        order.sort_by_key(|index| self.links.get(*index).and_then(|link| link.sent_at));
        order.into_iter().for_each(|index| self.send_next(index, now));
        while let Some(answer) = self.commands.take_answer(|chat| self.paces.next_at(chat) <= now) {
            self.paces.take(answer.chat, now);
            self.outputs.push_back(Output::Send(answer));
        }
    }

    fn send_next(&mut self, index: usize, now: Duration) {
        let language = self.language();
        let Some(link) = self.links.get_mut(index) else { return };
        let due = self.paces.next_at(link.chat).max(link.not_before);
        if link.sending.is_some() || due > now {
            return;
        }
        if self.settings.in_doubt == InDoubt::Skip {
            drop_doubtful(link, language);
        }
        let Some(draft) = compose(link, language) else { return };
        link.sending = Some(draft.sending);
        link.sent_at = Some(now);
        self.paces.take(link.chat, now);
        self.is_dirty = true;
        self.outputs.push_back(Output::Send(SendMessage {
            target: Target::Link(index),
            chat: link.chat,
            thread: link.settings.thread,
            text: draft.text,
            reply_to: draft.reply_to,
        }));
    }

    /// Telegram has taken a message, and given it this number; or not.
    pub fn handle_sent(&mut self, target: Target, result: Result<i64, CallError>, now: Now) {
        if let Target::Link(index) = target {
            let sending = self.links.get_mut(index).and_then(|link| link.sending.take());
            if let Some(sending) = sending {
                match result {
                    Ok(message) => self.note_sent(index, sending, message),
                    Err(error) => self.note_unsent(index, sending, &error, now),
                }
                self.is_dirty = true;
            }
        }
        self.advance(now);
    }

    fn note_sent(&mut self, index: usize, sending: Sending, message: i64) {
        let Some(link) = self.links.get_mut(index) else { return };
        link.attempt = 0;
        let is_well_again = link.trouble.take().is_some();
        self.counters.messages_to_telegram += 1;
        match sending {
            Sending::Whole(count) => {
                for _ in 0..count {
                    let Some(id) = link.pop().map(|item| item.id) else { break };
                    self.counters.lines_to_telegram += u64::from(id.is_some());
                    link.ids.pair(message, id.unwrap_or(NO_LINE));
                }
            }
            Sending::Part(bytes) => {
                if let Some(item) = link.queue.front_mut() {
                    item.done = item.done.saturating_add(bytes);
                    item.is_doubt = false;
                    item.id.into_iter().for_each(|id| link.ids.pair(message, id));
                }
            }
        }
        if is_well_again {
            let chat = link.chat;
            self.log(
                format!("se puede escribir de nuevo en el chat {chat}"),
                format!("chat {chat} can be written to again"),
            );
        }
    }

    fn note_unsent(&mut self, index: usize, sending: Sending, error: &CallError, now: Now) {
        let Some(link) = self.links.get_mut(index) else { return };
        link.attempt = link.attempt.saturating_add(1);
        let backoff =
            retry::delay(link.attempt.saturating_sub(1), spread(now)).max(Duration::from_millis(200));
        let chat = link.chat;
        match error {
            CallError::Refused { migrate_to: Some(chat), .. } => return self.migrate(index, *chat),
            CallError::Refused { code: 429, retry_after, .. } => {
                let wait = retry_after.unwrap_or(TOO_MANY_WAIT);
                link.attempt = 0;
                self.counters.too_many_requests += 1;
                self.paces.block(chat, now.at.saturating_add(wait));
                return self.log_slower(index, wait);
            }
            CallError::Refused { code: 400, description, .. } if is_of_text(description) => {
                self.counters.calls_failed += 1;
                return self.isolate(index, sending, description);
            }
            CallError::Refused { code: 400, description, .. } if lose_reply(link, description) => {
                self.counters.calls_failed += 1;
                return;
            }
            CallError::Refused { .. } => {
                let wait = CLOSED_WAIT.saturating_mul(link.attempt).min(CLOSED_WAIT_MAX);
                link.not_before = now.at.saturating_add(wait);
            }
            CallError::NotSent(_) | CallError::NotApi { .. } => {
                link.not_before = now.at.saturating_add(backoff);
            }
            CallError::Unknown(_) | CallError::TooLarge | CallError::Undecodable => {
                link.queue.iter_mut().take(sending.items()).for_each(|item| item.is_doubt = true);
                link.not_before = now.at.saturating_add(backoff);
            }
        }
        self.counters.calls_failed += 1;
        self.log_chat_trouble(index, error);
    }

    /// Once, until something is taken again: each 429 names another time.
    fn log_slower(&mut self, index: usize, wait: Duration) {
        let Some(link) = self.links.get_mut(index).filter(|link| link.trouble.is_none()) else { return };
        let (chat, seconds) = (link.chat, wait.as_secs());
        link.trouble = Some("429".to_owned());
        self.log(
            format!("Telegram pide esperar {seconds} s antes de escribir más en el chat {chat}"),
            format!("Telegram asks to wait {seconds} s before more is written to chat {chat}"),
        );
    }

    fn log_chat_trouble(&mut self, index: usize, error: &CallError) {
        let Some(link) = self.links.get_mut(index) else { return };
        let why = error.told();
        let (spanish, english) = (why.shown(Language::Es), why.shown(Language::En));
        let is_told = link.trouble.replace(english.to_owned()).is_some_and(|trouble| trouble == english);
        // That the token is not known any more is told by the poll.
        if is_told || matches!(error, CallError::Refused { code: 401, .. }) {
            return;
        }
        let chat = link.chat;
        self.log(
            format!(
                "no se puede escribir en el chat {chat} ({spanish}); no se pierde nada, se sigue intentando"
            ),
            format!("cannot write to chat {chat} ({english}); nothing is lost, it is tried again"),
        );
    }

    /// Telegram does not take what is in the message. Its lines are sent one by one, and the one that it does not take even
    /// so is left out, and that is said.
    fn isolate(&mut self, index: usize, sending: Sending, description: &str) {
        let language = self.language();
        let Some(link) = self.links.get_mut(index) else { return };
        let is_too_long = description.contains("too long");
        if is_too_long && link.units_max > UNITS_MIN {
            link.units_max = (link.units_max / 2).max(UNITS_MIN);
            return;
        }
        if let Sending::Whole(count @ 2..) = sending {
            link.alone = count;
            return;
        }
        let Some(item) = link.pop() else { return };
        if item.id.is_some() {
            let text = Phrase::Untakable.with(language, &[&item.name, description]);
            let mut notice = Item::notice(NoticeKind::Lost, &text);
            // Where it stood, so that the order is kept; and up to where the room was heard before the next.
            notice.before = link.queue.front().map_or(link.scanned, |next| next.before);
            link.queue_bytes = link.queue_bytes.saturating_add(notice.text.len());
            link.queue.push_front(notice);
        }
        let chat = link.chat;
        self.log(
            format!("Telegram no acepta una línea en el chat {chat}: {description}"),
            format!("Telegram does not accept a line in chat {chat}: {description}"),
        );
    }

    /// The group has become a supergroup, under another number.
    pub(super) fn migrate(&mut self, index: usize, chat: i64) {
        let Some(old) = self.links.get(index).map(|link| link.chat).filter(|old| *old != chat) else {
            return;
        };
        self.links.iter_mut().filter(|link| link.chat == old).for_each(|link| link.move_to(chat));
        self.paces.rename(old, chat);
        self.is_dirty = true;
        self.log(
            format!("el grupo {old} es ahora el supergrupo {chat}; se recuerda, y puedes ponerlo en la configuración"),
            format!("group {old} is supergroup {chat} now; that is remembered, and you may put it into the configuration"),
        );
    }
}

/// Leaves out what Telegram may have: as much as a message would hold.
fn drop_doubtful(link: &mut Link, language: Language) {
    while let Some(item) = link.queue.front().filter(|item| item.is_doubt) {
        let (part, is_whole) = next_part(link, item, language);
        match link.queue.front_mut().filter(|_| !is_whole) {
            Some(item) => {
                item.done = item.done.saturating_add(part.bytes);
                item.is_doubt = false;
            }
            None => drop(link.pop()),
        }
    }
}

fn is_of_text(description: &str) -> bool {
    let description = description.to_lowercase();
    OF_TEXT.iter().any(|words| description.contains(words))
}

/// The message that the first line answers is not there: the line goes without it, once. False: it answers none.
fn lose_reply(link: &mut Link, description: &str) -> bool {
    let Some(item) = link.queue.front_mut() else { return false };
    let is_lost = item.reply.is_some() && !item.is_reply_lost && description.to_lowercase().contains("repl");
    item.is_reply_lost |= is_lost;
    is_lost
}
