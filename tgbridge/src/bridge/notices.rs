//! What the bridge itself says of lines that were left out, and of who comes and goes in the room.

use std::time::Duration;

use tertulia_wire::name::SEPARATOR;

use super::link::{Item, NAMES_MAX};
use super::settings::{Backlog, Notices};
use super::{Bridge, Now};
use crate::phrases::Phrase;

/// How long who comes and goes is collected before it is told.
const FOLD: Duration = Duration::from_secs(60);

impl Bridge {
    /// Somebody came into a room or left it.
    pub fn handle_notice(&mut self, room: &str, name: &str, has_joined: bool, now: Now) {
        let is_own = name.split(SEPARATOR).next() == Some(self.settings.name.as_str());
        if self.settings.notices == Notices::Off || is_own {
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
            link.push(Item::notice(&text));
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
        let Some(link) = self.links.get_mut(index).filter(|link| link.skipped > 0) else { return };
        let count = std::mem::take(&mut link.skipped);
        // The same label for the same lines, however often they are fetched.
        let up_to = link.scanned.unwrap_or_default();
        let room = link.settings.room.clone();
        let text = self.skipped_words(count);
        if let Some(link) = self.links.get_mut(index) {
            link.push(Item::notice(&text));
        }
        self.say_notice(format!("old{up_to}"), room, text);
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
