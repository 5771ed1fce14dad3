//! From bytes to lines, as PROTOCOL.md has it: framed or not, when each line counts, and who has to wait.

use tertulia_relay::phrases::Phrase;

use crate::grammar::{JOIN, LEAVE, clean, join_lines, name, names_somebody};
use crate::model::{Mode, Model, Person};
use crate::speech::Held;

const LINE_BYTES_MAX: usize = 16_384;
const DECIDED_AFTER_US: u64 = 200_000;
const REST_AFTER_US: u64 = 20_000;

impl Model {
    /// One read.
    pub(crate) fn read(&mut self, id: u32, bytes: &[u8], now: u64) {
        let person = self.person(id);
        if person.room.is_none() || bytes.is_empty() {
            return;
        }
        let is_start = person.input.is_empty();
        person.input.extend_from_slice(bytes);
        let ends_in_lf = bytes.last() == Some(&b'\n');
        match person.mode {
            Mode::Framed => self.take_lines(id, now),
            Mode::Undecided | Mode::Unframed if ends_in_lf => {
                let was_unframed = person.mode == Mode::Unframed;
                person.mode = Mode::Framed;
                person.due = None;
                person.ears.become_framed();
                self.seen.framed_again += u64::from(was_unframed);
                self.take_lines(id, now);
            }
            Mode::Undecided if person.input.len() > LINE_BYTES_MAX => {
                person.mode = Mode::Framed;
                person.due = None;
                self.take_lines(id, now);
            }
            Mode::Undecided if is_start => person.due = Some(now + DECIDED_AFTER_US),
            Mode::Undecided => {}
            Mode::Unframed => self.take_message(id, bytes.len(), now),
        }
    }

    pub(crate) fn end_of_input(&mut self, id: u32, now: u64) {
        self.person(id).has_ended = true;
        if !self.person(id).is_held_back {
            self.take_last(id, now);
        }
    }

    pub(crate) fn look_at_input(&mut self, id: u32, now: u64) {
        let person = self.person(id);
        person.due = None;
        if person.mode == Mode::Undecided {
            let bytes = person.input.len();
            if begins_as_unframed(&person.input) {
                person.mode = Mode::Unframed;
                person.ears.become_unframed();
                return self.take_message(id, bytes, now);
            }
            person.mode = Mode::Framed;
        }
        self.release(id, now);
    }

    /// Takes what was held back, as far as it may be taken.
    pub(crate) fn release(&mut self, id: u32, now: u64) {
        let person = self.person(id);
        person.is_held_back = false;
        match person.mode {
            Mode::Undecided => {}
            Mode::Framed => self.take_lines(id, now),
            Mode::Unframed => self.take_whole_message(id, now),
        }
        let person = self.person(id);
        if person.has_ended && !person.is_held_back {
            self.take_last(id, now);
        }
    }

    /// Who was held back for lack of place and has place again.
    pub(crate) fn take_resumed(&mut self) -> Vec<u32> {
        let has_place = |person: &Person| person.is_gated && person.ears.has_place();
        let resumed: Vec<u32> =
            self.people.iter().filter(|(_, person)| has_place(person)).map(|(id, _)| *id).collect();
        resumed.iter().for_each(|id| self.person(*id).is_gated = false);
        resumed
    }

    fn take_lines(&mut self, id: u32, now: u64) {
        loop {
            let person = self.person(id);
            if person.room.is_none() {
                return;
            }
            if person.owes_refusal {
                if !self.may_speak(id, now) {
                    return;
                }
                self.person(id).owes_refusal = false;
                self.refuse_too_long(id, now);
                continue;
            }
            let Some(end) = person.input.iter().position(|&byte| byte == b'\n') else { break };
            if std::mem::take(&mut person.is_swallowing) {
                person.input.drain(..=end);
                continue;
            }
            if !self.may_speak(id, now) {
                return;
            }
            let mut line: Vec<u8> = self.person(id).input.drain(..=end).collect();
            line.pop();
            self.take_line(id, line, now);
        }
        let person = self.person(id);
        let is_cr_last = person.input.last() == Some(&b'\r');
        if person.is_swallowing {
            person.input.clear();
        } else if person.input.len() > LINE_BYTES_MAX + usize::from(is_cr_last) {
            person.is_swallowing = true;
            person.owes_refusal = true;
            person.input.clear();
            self.take_lines(id, now);
        }
    }

    fn take_line(&mut self, id: u32, mut line: Vec<u8>, now: u64) {
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > LINE_BYTES_MAX {
            return self.refuse_too_long(id, now);
        }
        let is_first = self.person(id).is_first;
        self.person(id).is_first &= line.is_empty();
        if is_first && line.ends_with(b" HTTP/1.1") {
            self.seen.foreign += 1;
            self.answer(id, "FAIL RELAY FOREIGN_PROTOCOL http", Some(Phrase::Foreign));
            return self.start_closing(id, now);
        }
        self.count_line(id, now);
        match String::from_utf8(line) {
            Ok(line) => self.take_text(id, &clean(&line), now),
            Err(_) => self.answer(id, "FAIL SAY NOT_UTF8", Some(Phrase::NotUtf8)),
        }
    }

    fn refuse_too_long(&mut self, id: u32, now: u64) {
        self.seen.too_long += 1;
        self.count_line(id, now);
        self.answer(id, "FAIL SAY LINE_TOO_LONG 16384", Some(Phrase::LineTooLong));
    }

    /// A read of an unframed client, or what arrived before it was known to be one.
    fn take_message(&mut self, id: u32, read_bytes: usize, now: u64) {
        let person = self.person(id);
        let ends_inside = std::str::from_utf8(&person.input).is_err_and(|error| error.error_len().is_none());
        let may_have_more = read_bytes >= 1000 || ends_inside;
        if may_have_more && person.input.len() <= LINE_BYTES_MAX {
            person.due = Some(now + REST_AFTER_US);
            return;
        }
        person.due = None;
        self.take_whole_message(id, now);
    }

    fn take_whole_message(&mut self, id: u32, now: u64) {
        if self.person(id).input.is_empty() || !self.may_speak(id, now) {
            return;
        }
        self.seen.unframed_messages += 1;
        self.person(id).is_first = false;
        let message = std::mem::take(&mut self.person(id).input);
        if message.len() > LINE_BYTES_MAX {
            return self.refuse_too_long(id, now);
        }
        self.count_line(id, now);
        let Ok(message) = String::from_utf8(message) else {
            return self.answer(id, "FAIL SAY NOT_UTF8", Some(Phrase::NotUtf8));
        };
        let message = clean(&join_lines(&message));
        let mut rest = &*message;
        if let Some((joining, behind)) = message.split_once(JOIN) {
            if let Some(joining) = name(joining).filter(|name| self.may_join_as(id, name)) {
                self.join(id, &joining, &message, now);
                rest = behind.trim_start_matches('\u{2028}');
            }
        }
        let own = self.person(id).held.as_ref().map_or_else(Vec::new, Held::own_names);
        let before =
            |own: &String| Some((rest.strip_suffix(LEAVE)?.strip_suffix(own.as_str())?, own.clone()));
        let Some((before, own)) = own.iter().find_map(before) else { return self.take_text(id, rest, now) };
        self.take_text(id, before.trim_end_matches('\u{2028}'), now);
        self.take_text(id, &format!("{own}{LEAVE}"), now);
    }

    /// Nothing more will come: what stands there is the last line.
    fn take_last(&mut self, id: u32, now: u64) {
        let person = self.person(id);
        if person.room.is_none() {
            return;
        }
        person.due = None;
        if person.mode == Mode::Undecided {
            let is_message = !person.input.contains(&b'\n') && begins_as_unframed(&person.input);
            person.mode = if is_message { Mode::Unframed } else { Mode::Framed };
        }
        if person.mode == Mode::Unframed {
            person.ears.become_unframed();
            self.take_whole_message(id, now);
        } else {
            if !person.input.is_empty() && !person.is_swallowing && person.input.last() != Some(&b'\n') {
                person.input.push(b'\n');
            }
            self.take_lines(id, now);
        }
        let person = self.person(id);
        if !person.is_held_back && person.room.is_some() {
            self.forget_name(id, now);
            self.start_closing(id, now);
        }
    }

    /// Whether a line may be taken now; otherwise it is held back.
    fn may_speak(&mut self, id: u32, now: u64) -> bool {
        let flood = self.flood;
        let person = self.person(id);
        let has_place = person.ears.has_place();
        let wait = flood.filter(|_| !person.is_trusted).and_then(|(burst, interval)| {
            person.fill_bucket(burst * interval, now);
            interval.checked_sub(person.level.0).filter(|wait| *wait > 0)
        });
        if has_place && wait.is_none() {
            return true;
        }
        person.is_held_back = true;
        if has_place {
            person.due = wait.map(|wait| now + wait);
            self.seen.held_back += 1;
        } else {
            person.is_gated = true;
            self.seen.gated += 1;
        }
        false
    }

    fn count_line(&mut self, id: u32, now: u64) {
        self.lines_in += 1;
        self.seen.lines += 1;
        let Some((burst, interval)) = self.flood else { return };
        let person = self.person(id);
        person.fill_bucket(burst * interval, now);
        person.level.0 = person.level.0.saturating_sub(interval);
    }
}

/// As one of the first four rows of the table, and without an LF at the end.
fn begins_as_unframed(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let text = join_lines(text.trim_end_matches('\u{FFFD}'));
    let first = text.split('\u{2028}').next().unwrap_or_default();
    let joins = text.split_once(JOIN).is_some_and(|(joining, _)| name(joining).is_some());
    names_somebody(&text) || names_somebody(first) || joins
}
