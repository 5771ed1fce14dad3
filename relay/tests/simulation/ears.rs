//! What one client is to hear, in order, and what it has heard of it. Every byte that its socket takes must be
//! the next one here.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::grammar::{cut, forges, to_message};

/// Answers that may wait before a client is no longer read, and ranges of its own lines.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const EXCEPTIONS_MAX: usize = 256;

const WRITE_BYTES_MAX: usize = 1024;
const PACE_US: u64 = 20_000;

/// Which room: a name may be that of another room later.
pub(crate) type RoomNo = u32;

/// A place in what was said in a room, in bytes since the room began.
pub(crate) type Place = (RoomNo, u64);

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Heard(Place),
    /// The client's own line, which it does not hear.
    Own(Place),
    Answer,
    Switch {
        from: Place,
        to: Place,
    },
}

#[derive(Debug)]
struct Item {
    what: What,
    bytes: Rc<[u8]>,
}

#[derive(Debug, Default)]
pub(crate) struct Ears {
    queue: VecDeque<Item>,
    /// Bytes of the front that were heard.
    taken: usize,
    /// Bytes heard in all.
    pub(crate) heard: u64,
    is_inside_line: bool,
    messages: Option<Messages>,
    /// What is heard next begins with an LF: it ends the last message of a client that is framed again.
    owes_line_feed: bool,
    /// What it hears as lines again may begin as late as its next message would have.
    paced_until: u64,
}

/// How an unframed client hears.
#[derive(Debug, Default)]
struct Messages {
    /// Of a message too long for one write.
    rest: String,
    /// Of a write that was offered, and not or not all taken.
    left: Vec<u8>,
    next_at: u64,
    /// It is framed again, once what was begun is written.
    is_leaving: bool,
}

impl Ears {
    pub(crate) fn hear_line(&mut self, place: Place, line: Rc<[u8]>) {
        self.queue.push_back(Item { what: What::Heard(place), bytes: line });
    }

    pub(crate) fn skip_own_line(&mut self, place: Place) {
        self.push_silent(What::Own(place));
    }

    pub(crate) fn switch(&mut self, from: Place, to: Place) {
        self.push_silent(What::Switch { from, to });
    }

    pub(crate) fn answer(&mut self, line: &str) {
        self.queue.push_back(Item { what: What::Answer, bytes: line.as_bytes().into() });
    }

    fn push_silent(&mut self, what: What) {
        if !self.queue.is_empty() {
            self.queue.push_back(Item { what, bytes: Rc::new([]) });
        }
    }

    /// Fell out of the log: nothing more but this line.
    pub(crate) fn end_with(&mut self, line: &str) {
        self.queue.clear();
        self.taken = 0;
        if self.is_inside_line {
            self.answer("\n");
        }
        self.answer(line);
    }

    /// Whether everything was heard.
    pub(crate) fn is_done(&self) -> bool {
        let is_between = |messages: &Messages| messages.rest.is_empty() && messages.left.is_empty();
        self.queue.is_empty() && self.messages.as_ref().is_none_or(is_between)
    }

    /// Whether there may be nothing to hear and still a byte to come.
    pub(crate) fn is_owed(&self, now: u64) -> bool {
        self.owes_line_feed || self.is_paced(now)
    }

    /// Whether what is left waits for its time.
    pub(crate) fn is_paced(&self, now: u64) -> bool {
        now < self.messages.as_ref().map_or(self.paced_until, |messages| messages.next_at)
    }

    pub(crate) fn describe(&self) -> String {
        let rest = self.messages.as_ref().map(|messages| (text(&messages.left), &messages.rest));
        let items: Vec<String> = self.queue.iter().take(3).map(|item| text(&item.bytes)).collect();
        format!("{} items, the first {items:?}, of messages {rest:?}", self.queue.len())
    }

    /// Whether the client's own input may add to what it is to hear.
    pub(crate) fn has_place(&self) -> bool {
        let answers = self.queue.iter().filter(|item| item.what == What::Answer);
        let bytes: usize = answers.map(|item| item.bytes.len()).sum();
        let is_answer_begun = self.queue.front().is_some_and(|item| item.what == What::Answer);
        let bytes = if is_answer_begun { bytes - self.taken } else { bytes };
        bytes < ANSWER_BYTES_MAX && (self.queue.len() < EXCEPTIONS_MAX || self.exceptions() < EXCEPTIONS_MAX)
    }

    /// Ranges of own lines, ranges of answers, and changes of room.
    pub(crate) fn exceptions(&self) -> usize {
        let kind = |what: &What| match what {
            What::Heard(_) => 0,
            What::Own(_) => 1,
            What::Answer => 2,
            What::Switch { .. } => 3,
        };
        let kinds: Vec<u8> = self.queue.iter().map(|item| kind(&item.what)).collect();
        let begins = |at: usize| kinds[at] != 0 && (kinds[at] == 3 || at == 0 || kinds[at - 1] != kinds[at]);
        (0..kinds.len()).filter(|&at| begins(at)).count()
    }

    /// The first place in this room that is not behind the client.
    pub(crate) fn oldest_in(&self, room: RoomNo) -> Option<u64> {
        let found = self.queue.iter().enumerate().find_map(|(number, item)| {
            let places: [Option<Place>; 2] = match item.what {
                What::Heard((place_room, at)) if number == 0 => {
                    [Some((place_room, at + self.taken as u64)), None]
                }
                What::Heard(place) | What::Own(place) => [Some(place), None],
                What::Switch { from, to } => [Some(from), Some(to)],
                What::Answer => [None, None],
            };
            places.into_iter().flatten().find(|place| place.0 == room)
        });
        found.map(|(_, at)| at)
    }

    /// Rooms that it has left, but not yet in what it has heard.
    pub(crate) fn rooms_left(&self) -> impl Iterator<Item = RoomNo> {
        self.queue.iter().filter_map(|item| match item.what {
            What::Switch { from, .. } => Some(from.0),
            _ => None,
        })
    }

    /// From here on it hears whole messages.
    pub(crate) fn become_unframed(&mut self) {
        self.is_inside_line = false;
        match self.messages.as_mut() {
            Some(messages) => messages.is_leaving = false,
            None => self.messages = Some(Messages::default()),
        }
    }

    /// From here on it hears lines, once what was begun is written.
    pub(crate) fn become_framed(&mut self) {
        if let Some(messages) = self.messages.as_mut() {
            messages.is_leaving = true;
        }
        self.leave_messages();
    }

    fn leave_messages(&mut self) {
        let is_between = |messages: &mut Messages| {
            messages.is_leaving && messages.rest.is_empty() && messages.left.is_empty()
        };
        if let Some(messages) = self.messages.take_if(is_between) {
            self.owes_line_feed = messages.next_at > 0;
            self.paced_until = messages.next_at;
        }
    }

    /// Its socket was offered this, and took so much of it.
    pub(crate) fn hear(&mut self, offered: &[u8], taken: usize, now: u64) -> Result<(), String> {
        self.heard += taken as u64;
        if self.messages.is_some() {
            self.hear_messages(offered, taken, now)?;
        } else {
            self.hear_bytes(&offered[..taken])?;
        }
        self.pass_silent();
        Ok(())
    }

    fn hear_bytes(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        if let Some(last) = bytes.last() {
            self.is_inside_line = *last != b'\n';
        }
        if self.owes_line_feed && !bytes.is_empty() {
            bytes = bytes.strip_prefix(b"\n").ok_or("no LF behind the last message")?;
            self.owes_line_feed = false;
        }
        while !bytes.is_empty() {
            let Some(front) = self.queue.front() else {
                return Err(format!("heard {:?}, which nobody said", text(bytes)));
            };
            let wanted = &front.bytes[self.taken..];
            let length = wanted.len().min(bytes.len());
            if wanted[..length] != bytes[..length] {
                return Err(format!("heard {:?} instead of {:?}", text(bytes), text(wanted)));
            }
            bytes = &bytes[length..];
            self.taken += length;
            if self.taken == front.bytes.len() {
                self.queue.pop_front();
                self.taken = 0;
            }
        }
        Ok(())
    }

    fn pass_silent(&mut self) {
        while self.queue.front().is_some_and(|item| matches!(item.what, What::Own(_) | What::Switch { .. })) {
            self.queue.pop_front();
        }
    }

    fn hear_messages(&mut self, offered: &[u8], taken: usize, now: u64) -> Result<(), String> {
        let Some(messages) = self.messages.as_mut() else { return Ok(()) };
        if messages.left.is_empty() {
            if now < messages.next_at {
                return Err(format!("a write {} us too early", messages.next_at - now));
            }
            if offered.len() > WRITE_BYTES_MAX {
                return Err(format!("a write of {} bytes", offered.len()));
            }
            let write = std::str::from_utf8(offered).map_err(|_| "a write cut inside a character")?;
            let rest = std::mem::take(&mut messages.rest);
            let rest = self.hear_write(write, rest)?;
            if let Some(messages) = self.messages.as_mut() {
                messages.rest = rest;
            }
        } else if messages.left != offered {
            return Err(format!(
                "{:?} instead of the rest of a write, {:?}",
                text(offered),
                text(&messages.left)
            ));
        }
        let Some(messages) = self.messages.as_mut() else { return Ok(()) };
        messages.left = offered[taken..].to_vec();
        if messages.left.is_empty() {
            messages.next_at = now + PACE_US;
            self.leave_messages();
        }
        Ok(())
    }

    /// One write: a piece of a long message or a whole one, and more whole ones, each behind an LF.
    fn hear_write(&mut self, write: &str, mut rest: String) -> Result<String, String> {
        let heard = |wanted: &str| format!("heard the write {write:?} instead of {wanted:?}");
        // Of a line that was begun before it was known to be unframed, the LF alone may be left.
        while rest.is_empty() {
            rest = self.next_message().ok_or_else(|| heard("nothing"))?;
        }
        let piece = cut(&rest, WRITE_BYTES_MAX).to_owned();
        let mut behind = write.strip_prefix(&*piece).ok_or_else(|| heard(&piece))?;
        rest.drain(..piece.len());
        if !rest.is_empty() {
            if forges(rest.split('\n').next().unwrap_or_default()) {
                rest.insert_str(0, "  ");
            }
            return if behind.is_empty() { Ok(rest) } else { Err(heard(&piece)) };
        }
        while !behind.is_empty() {
            let message = self.next_message().ok_or_else(|| heard("nothing"))?;
            behind = behind.strip_prefix('\n').ok_or_else(|| heard("a line feed"))?;
            behind = behind.strip_prefix(&*message).ok_or_else(|| heard(&message))?;
        }
        Ok(rest)
    }

    /// The next message; an answer may be of several lines.
    fn next_message(&mut self) -> Option<String> {
        self.pass_silent();
        let front = self.queue.front()?;
        let left = &front.bytes[self.taken..];
        let length = left.iter().position(|&byte| byte == b'\n').map_or(left.len(), |end| end + 1);
        let message = to_message(&String::from_utf8_lossy(&left[..length]));
        self.taken += length;
        if self.taken == front.bytes.len() {
            self.queue.pop_front();
            self.taken = 0;
        }
        self.pass_silent();
        Some(message)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(160)]).into_owned()
}
