//! What a person is told who does not look: counts, and the desktop's notices.

use std::time::Duration;

use tertulia_wire::session::Source;

use super::conversation::{ConversationId, Kind};
use super::entry::{Place, Said};
use super::{Command, Model, Notification};
use crate::fold::{has_word, name_key};
use crate::phrases::{Phrase, Sentence};

/// How long after coming back nobody is notified: what was missed comes then, and is counted.
pub const QUIET_AFTER_READY: Duration = Duration::from_secs(3);

/// The shortest time between two notices of one conversation.
pub const NOTIFY_PAUSE: Duration = Duration::from_secs(5);

/// Characters of a line that a notice shows.
const BODY_CHARS_MAX: usize = 200;

impl Model {
    /// Whether a text names the reader, or has one of the words that are waited for.
    pub(super) fn names_reader(&self, text: &str) -> bool {
        let text = name_key(text);
        let words = self.settings.keywords.iter().map(String::as_str);
        words.chain([self.name.as_str()]).any(|word| has_word(&text, &name_key(word)))
    }

    /// Somebody else has said something that nobody has seen.
    pub(super) fn note_unread(&mut self, id: ConversationId, place: Place, said: &Said, source: Source) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        // Read on another device.
        if place <= Place::of_line(conversation.marks.known) {
            return;
        }
        self.note_unread_place(id, place);
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let is_for_reader = said.is_mention || conversation.kind == Kind::Private;
        conversation.unread = conversation.unread.saturating_add(1);
        conversation.mentions = conversation.mentions.saturating_add(u64::from(is_for_reader));
        if is_for_reader && source == Source::Live {
            self.notify(id, said);
        }
    }

    fn notify(&mut self, id: ConversationId, said: &Said) {
        // Who has the window in front sees its counts.
        if self.is_focused {
            return;
        }
        let now = self.now.monotonic;
        let is_recent = |at: &Duration| now.saturating_sub(*at) < NOTIFY_PAUSE;
        if !self.settings.notify || now < self.quiet_until || self.notified.get(&id).is_some_and(is_recent) {
            return;
        }
        let Some(conversation) = self.conversations.get(id) else { return };
        if conversation.kind == Kind::Room && self.settings.is_muted(&conversation.name) {
            return;
        }
        let title = match conversation.kind {
            Kind::Room => Sentence::new(Phrase::NotifyMention, &[&said.name, &conversation.name]),
            Kind::Private => Sentence::new(Phrase::NotifyPrivate, &[&said.name]),
        };
        let notification = Notification {
            title: title.in_language(self.language()),
            body: shortened(&said.text, BODY_CHARS_MAX),
            has_sound: self.settings.sound,
            conversation: id,
        };
        self.notified.insert(id, now);
        self.commands.push_back(Command::Notify(notification));
    }
}

/// The text in one row, cut between characters and ended with `…` where it is longer.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    let mut row = String::new();
    let mut chars = text.chars().map(|c| if c == '\u{2028}' || c == '\n' { ' ' } else { c });
    row.extend(chars.by_ref().take(chars_max));
    if chars.next().is_some() {
        row.push('…');
    }
    row
}
