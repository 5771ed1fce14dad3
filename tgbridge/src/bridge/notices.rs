//! What the bridge itself says of lines that were left out, and of who comes and goes in the room.

use std::time::Duration;

use super::link::{Fetching, Link, NAMES_MAX, NoticeKind};
use super::settings::{Backlog, Notices};
use super::{Bridge, Now};
use crate::phrases::Phrase;

/// How long who comes and goes is collected before it is told.
const FOLD: Duration = Duration::from_secs(60);

/// How long after the last message that was too old it is told how many were.
pub(super) const SKIPPED_AFTER: Duration = Duration::from_secs(5);

impl Bridge {
    /// Somebody came into a room or left it.
    pub fn handle_notice(&mut self, room: &str, name: &str, has_joined: bool, now: Now) {
        if self.settings.notices == Notices::Off || self.is_own_name(name) {
            return;
        }
        let Some(link) = self.link_of_room(room).and_then(|index| self.links.get_mut(index)) else { return };
        let (names, others) =
            if has_joined { (&mut link.came, &mut link.went) } else { (&mut link.went, &mut link.came) };
        // Who goes and comes back within the minute was not away.
        match others.iter().position(|other| other == name) {
            Some(at) => drop(others.remove(at)),
            None if names.len() <= NAMES_MAX => names.push(name.to_owned()),
            None => {}
        }
        link.notices_due.get_or_insert(now.at.saturating_add(FOLD));
    }

    pub(super) fn fold_notices(&mut self, now: Duration) {
        let language = self.language();
        for link in self.links.iter_mut().filter(|link| link.notices_due.is_some_and(|due| due <= now)) {
            link.notices_due = None;
            let (came, went) = (std::mem::take(&mut link.came), std::mem::take(&mut link.went));
            let (came, went) = (enumerate(&came), enumerate(&went));
            let text = match (came.is_empty(), went.is_empty()) {
                (true, true) => continue,
                (false, true) => Phrase::Came.with(language, &[&came]),
                (true, false) => Phrase::Went.with(language, &[&went]),
                (false, false) => Phrase::CameAndWent.with(language, &[&came, &went]),
            };
            link.notify(NoticeKind::Presence, &text);
        }
    }

    /// How many were left out, and because of what.
    pub(super) fn skipped_words(&self, count: u64) -> String {
        let language = self.language();
        let age = match self.settings.backlog {
            Backlog::MaxAge(age) => Phrase::OlderThan.with(language, &[&age_words(age)]),
            Backlog::Skip | Backlog::Replay => Phrase::WhileAway.with(language, &[]),
        };
        match count {
            1 => Phrase::SkippedOne.with(language, &[&age]),
            many => Phrase::SkippedMany.with(language, &[&many.to_string(), &age]),
        }
    }

    /// Lines of the room that were too old, told on both sides.
    pub(super) fn tell_skipped_lines(&mut self, index: usize) {
        // All that was missed is told in one sentence, and not behind another one of them.
        let is_due = |link: &&mut Link| {
            let may_come = link.fetching != Fetching::No || link.has_notice(NoticeKind::SkippedLines);
            link.skipped > 0 && !may_come
        };
        let Some(link) = self.links.get_mut(index).filter(is_due) else { return };
        let count = link.take_skipped();
        // The same label for the same lines, however often they are fetched.
        let up_to = link.scanned.unwrap_or_default();
        let room = link.settings.room.clone();
        let text = self.skipped_words(count);
        if let Some(link) = self.links.get_mut(index) {
            link.notify(NoticeKind::SkippedLines, &text);
        }
        self.say_notice(format!("old{up_to}"), room, text);
    }

    /// A message of the chat was too old. How many were is told once no more have come for a while: one sentence for all that
    /// was said while the bridge was away, however many polls bring it.
    pub(super) fn note_skipped_message(&mut self, index: usize, now: Duration) {
        self.counters.skipped += 1;
        if let Some(link) = self.links.get_mut(index) {
            link.skipped_messages = link.skipped_messages.saturating_add(1);
            link.skipped_due = Some(now.saturating_add(SKIPPED_AFTER));
        }
    }

    /// What was too old is told on both sides. The label is the next update's, so that a repeat after a kill is harmless.
    pub(super) fn tell_skipped_messages(&mut self, now: Duration) {
        for index in 0..self.links.len() {
            let is_due = |link: &&mut Link| link.next_skipped().is_some_and(|due| due <= now);
            let Some(link) = self.links.get_mut(index).filter(is_due) else { continue };
            link.skipped_due = None;
            let count = std::mem::take(&mut link.skipped_messages);
            let room = link.settings.room.clone();
            let text = self.skipped_words(count);
            if let Some(link) = self.links.get_mut(index) {
                link.notify(NoticeKind::SkippedMessages, &text);
            }
            let label = self.label(&format!("skipped{}-{index}", self.polling.offset));
            self.say_notice(label, room, text);
        }
    }
}

fn age_words(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

fn enumerate(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMES_MAX { format!("{shown}…") } else { shown }
}
