//! From the chat to Telegram, the first half: what was heard is queued, what was missed is fetched from the history. What
//! is queued is sent by `outbound`.

use std::time::Duration;

use tertulia_wire::name::SEPARATOR;
use tertulia_wire::session::Line;

use super::ids::key_number;
use super::link::{AHEAD_LINES_MAX, Fetching, Item, Link, NoticeKind};
use super::{Bridge, FetchFrom, Now, Output};
use crate::phrases::Phrase;

/// Lines that are fetched at once.
pub const FETCH_LINES: u32 = 128;

/// The wait before the history is asked again that could not answer; it doubles up to [`FETCH_WAIT_MAX`].
const FETCH_WAIT: Duration = Duration::from_secs(2);
/// See [`FETCH_WAIT`].
const FETCH_WAIT_MAX: Duration = Duration::from_secs(300);

/// Names that were said in the log to be left out; further ones are left out without a word.
const NAMES_LEFT_OUT_MAX: usize = 64;

/// Fetches that are on their way together; the session has more places than these.
const FETCHES_MAX: usize = 8;

impl Bridge {
    /// A line was heard as it was said.
    pub fn handle_line(&mut self, line: &Line, now: Now) {
        let Some(index) = line.room.as_deref().and_then(|room| self.link_of_room(room)) else { return };
        let Some(id) = line.id else { return };
        let item = self.item(line);
        let Some(link) = self.links.get_mut(index) else { return };
        if link.scanned.is_some_and(|scanned| id <= scanned) {
            return;
        }
        // It was said just now, whatever the relay's clock and this one say.
        match (link.fetching, item) {
            (Fetching::No, Some(item)) if link.has_room() => push_new(link, item),
            (Fetching::No, Some(_)) => {
                link.fetching = Fetching::Wanted;
                link.is_ahead_full = true;
            }
            (Fetching::No, None) => link.step_over(id),
            (_, Some(item)) => keep_ahead(link, item),
            (_, None) => {}
        }
        self.advance(now);
    }

    /// Lines of a room were missed: they are in the history.
    pub fn handle_missed(&mut self, room: &str, now: Now) {
        if let Some(link) = self.link_of_room(room).and_then(|index| self.links.get_mut(index)) {
            link.is_gap_known = true;
            if link.fetching == Fetching::No {
                link.fetching = Fetching::Wanted;
            } else {
                // The fetch that is on its way may have been answered before them.
                link.is_ahead_full = true;
            }
        }
        self.advance(now);
    }

    /// A line of the history, whoever said it.
    pub fn handle_fetched_line(&mut self, index: usize, line: &Line, now: Now) {
        let Some(id) = line.id else { return };
        let item = self.item(line);
        let cutoff = self.settings.backlog.cutoff_ms(self.settings.started_unix_ms, now.unix_ms);
        let Some(link) = self.links.get_mut(index) else { return };
        if link.is_new {
            return link.step_over(id);
        }
        let scanned = link.scanned.unwrap_or_default();
        if id <= scanned {
            return;
        }
        match item {
            Some(_) if line.unix_ms.is_some_and(|said| said < cutoff) => {
                self.counters.skipped += 1;
                link.ahead.retain(|ahead| ahead.id != Some(id));
                link.skip(id);
            }
            Some(item) => push_fetched(link, item),
            None => link.step_over(id),
        }
    }

    /// A line of the history that the bridge's own session has said, whatever name it had then.
    pub fn handle_fetched_own(&mut self, index: usize, line: &Line) {
        if let Some((link, id)) = self.links.get_mut(index).zip(line.id) {
            link.step_over(id);
        }
    }

    /// All lines of a fetch have come; there may be more.
    pub fn handle_fetched(&mut self, index: usize, is_more: bool, now: Now) {
        if let Some(link) = self.links.get_mut(index) {
            (link.fetch_attempt, link.is_gap_known) = (0, link.is_gap_known && is_more);
            if link.is_new {
                begin(link, Some(link.scanned.unwrap_or_default()));
                // From now on a kill loses nothing.
                self.is_dirty = true;
            } else if is_more {
                link.fetching = Fetching::Wanted;
            } else {
                // What is queued is kept with the next message that is sent.
                drain_ahead(link);
            }
        }
        self.tell_skipped_lines(index);
        self.advance(now);
    }

    /// The relay does not give what was missed. `NOT_KEPT`: it keeps nothing, so what was missed is lost, and that is said.
    /// Whatever else is wrong may pass: it is asked again.
    pub fn handle_fetch_refused(&mut self, index: usize, code: &str, now: Now) {
        let language = self.language();
        let Some(link) = self.links.get_mut(index) else { return };
        let room = link.settings.room.clone();
        if code == "NOT_KEPT" {
            let is_something_lost = !link.is_new && (link.is_gap_known || link.is_ahead_full);
            (link.fetch_attempt, link.is_gap_known, link.is_ahead_full) = (0, false, false);
            if is_something_lost {
                link.notify(NoticeKind::Lost, Phrase::Gap.in_language(language));
            }
            begin(link, link.scanned);
            if is_something_lost {
                self.log(
                    format!("el relay no guarda lo que se dice: falta algo de la sala {room}"),
                    format!("the relay keeps nothing of what is said: something of room {room} is missing"),
                );
            }
            return self.advance(now);
        }
        let wait = FETCH_WAIT.saturating_mul(1_u32.checked_shl(link.fetch_attempt).unwrap_or(u32::MAX));
        let is_first = link.fetch_attempt == 0;
        link.fetch_attempt = link.fetch_attempt.saturating_add(1);
        link.fetch_at = now.at.saturating_add(wait.min(FETCH_WAIT_MAX));
        link.fetching = Fetching::Wanted;
        if is_first {
            self.log(
                format!("el relay no da lo que faltaba de la sala {room} ({code}); se le pide otra vez"),
                format!("the relay does not give what was missed of room {room} ({code}); it is asked again"),
            );
        }
        self.advance(now);
    }

    /// The room counts its lines from elsewhere: the relay has lost the newest ones, or all of them.
    pub fn handle_room_anew(&mut self, room: &str, last: u64, now: Now) {
        if let Some(link) = self.link_of_room(room).and_then(|index| self.links.get_mut(index)) {
            link.begin_anew(last);
            self.is_dirty = true;
        }
        self.advance(now);
    }

    /// The relay cannot be asked now. It is asked again with the next thing that happens.
    pub fn handle_fetch_delayed(&mut self, index: usize) {
        if let Some(link) = self.links.get_mut(index) {
            link.fetching = Fetching::Wanted;
        }
    }

    /// The line as it waits for Telegram. None: it is not for Telegram.
    fn item(&mut self, line: &Line) -> Option<Item> {
        if line.is_private || line.notice.is_some() || self.is_own_name(&line.name) {
            return None;
        }
        if line.name.contains(SEPARATOR) && !self.settings.hears_bridges {
            self.tell_left_out(&line.name);
            return None;
        }
        let salt = self.salt;
        Some(Item {
            id: line.id,
            key: line.key.as_ref().map(|(sid, label)| key_number(salt, *sid, label)),
            name: line.name.clone(),
            text: line.text.clone(),
            reply: line.reply,
            quote: line.quote.clone(),
            ..Item::empty()
        })
    }

    /// Once for each name: it may be a person's.
    fn tell_left_out(&mut self, name: &str) {
        if self.names_left_out.len() >= NAMES_LEFT_OUT_MAX || !self.names_left_out.insert(name.to_owned()) {
            return;
        }
        self.log(
            format!("lo que dice «{name}» no pasa a Telegram: un nombre con « - » es de otro puente. Si es una persona, que cambie de nombre, o usa --bridges on"),
            format!("what “{name}” says does not go to Telegram: a name with “ - ” is another bridge's. If it is a person, let them change it, or pass --bridges on"),
        );
    }

    /// The oldest first: what one link fetches, others wait for.
    pub(super) fn fetch_what_is_missed(&mut self, now: Duration) {
        if !self.is_relay_ready {
            return;
        }
        let mut asked = self.links.iter().filter(|link| link.fetching == Fetching::Asked).count();
        for (index, link) in self.links.iter_mut().enumerate() {
            if asked >= FETCHES_MAX || !link.wants_fetch(now) {
                continue;
            }
            link.fetching = Fetching::Asked;
            // What is heard from now on may be too new for the answer.
            link.is_ahead_full = false;
            asked += 1;
            let from = match link.is_new {
                true => FetchFrom::Newest,
                false => FetchFrom::After(link.scanned.unwrap_or_default()),
            };
            let limit = if from == FetchFrom::Newest { 1 } else { FETCH_LINES };
            self.outputs.push_back(Output::Fetch {
                link: index,
                room: link.settings.room.clone(),
                from,
                limit,
            });
        }
    }
}

/// A line that was told already, under another id because the relay was killed, is not told again.
fn push_new(link: &mut Link, item: Item) {
    if item.key.is_none_or(|key| link.ids.is_new(key)) {
        link.push(item);
    } else if let Some(id) = item.id {
        link.step_over(id);
    }
}

/// Until what was missed has come, what is heard waits.
fn keep_ahead(link: &mut Link, item: Item) {
    if link.ahead.len() >= AHEAD_LINES_MAX || link.is_ahead_full {
        link.is_ahead_full = true;
        return;
    }
    let is_there = link.ahead.iter().any(|ahead| ahead.id == item.id);
    if !is_there && item.key.is_none_or(|key| link.ids.is_new(key)) {
        link.ahead.push_back(item);
    }
}

/// A line of the history that is also ahead is taken here, where its order is right.
fn push_fetched(link: &mut Link, item: Item) {
    let is_same = |ahead: &Item| ahead.id == item.id || (item.key.is_some() && ahead.key == item.key);
    match link.ahead.iter().position(is_same) {
        Some(at) => {
            link.ahead.remove(at);
            link.push(item);
        }
        None => push_new(link, item),
    }
}

/// The room is known from its newest line on, or from the first one that was heard meanwhile.
fn begin(link: &mut Link, newest: Option<u64>) {
    let first = link.ahead.front().and_then(|item| item.id).map(|first| first.saturating_sub(1));
    link.scanned = [newest, first].into_iter().flatten().min();
    link.is_new = false;
    // What the bridge has said itself meanwhile stands before all of the room.
    let scanned = link.scanned;
    link.queue.iter_mut().for_each(|item| item.before = item.before.or(scanned));
    drain_ahead(link);
}

/// What was heard meanwhile follows what was fetched; also what the relay could not keep.
fn drain_ahead(link: &mut Link) {
    for item in std::mem::take(&mut link.ahead) {
        link.push(item);
    }
    link.fetching = if std::mem::take(&mut link.is_ahead_full) { Fetching::Wanted } else { Fetching::No };
}
