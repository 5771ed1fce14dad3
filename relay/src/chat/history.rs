//! What is kept of what is said, and what is asked of it. The file is the shell's: lines and questions go out, answers
//! come in.

use std::collections::VecDeque;

use tertulia_wire::command::History;
use tertulia_wire::message::{REPLY_CLOSE, REPLY_OPEN};
use tertulia_wire::name::check_room;
use tertulia_wire::tags::escape;
use tertulia_wire::time::rfc3339;

use super::{ANSWER_BYTES_MAX, Chat, ClientId, RoomId};
use crate::batch::{Batch, ID_COUNTER_BITS, Kept};
use crate::phrases::Phrase;
use crate::sabotage::{self, Bug};

/// Lines of the history that are given at once, where nobody says how many, and at most.
pub const HISTORY_LINES: u32 = 20;
/// See [`HISTORY_LINES`].
pub const HISTORY_LINES_MAX: u32 = 1000;

/// What somebody wants to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// To tell answers apart.
    pub ticket: u64,
    /// Of which room.
    pub room: String,
    /// Only lines before this one.
    pub before: Option<u64>,
    /// At most so many, the newest.
    pub limit: u32,
}

/// What came of a question.
#[derive(Debug)]
pub enum Answer {
    /// These lines, in the order in which they were said.
    Lines(Batch),
    /// It cannot be read.
    Unreadable,
    /// Too much is being asked.
    Busy,
}

/// Ids of lines: milliseconds since 1970 and a counter, always growing, whatever the clock does.
#[derive(Debug, Default)]
pub(super) struct Ids {
    unix_ms: u64,
    last: u64,
}

impl Ids {
    fn next(&mut self) -> u64 {
        let now = self.unix_ms << ID_COUNTER_BITS;
        self.last = if sabotage::has(Bug::IdsFollowTheClock) { now } else { now.max(self.last + 1) };
        self.last
    }
}

/// Whether what is said is kept, and how that goes.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    ids: Ids,
    /// Lines that the shell has not taken yet.
    lines: Batch,
    questions: VecDeque<Question>,
    /// Who waits for which answer.
    askers: Vec<(u64, ClientId, String)>,
    last_ticket: u64,
    is_in_trouble: bool,
}

impl Chat {
    /// What the clock says now, in milliseconds since 1970. Lines said from now on carry that time.
    pub fn handle_clock(&mut self, unix_ms: u64) {
        if let Some(keeping) = &mut self.keeping {
            keeping.ids.unix_ms = unix_ms;
        }
    }

    /// From now on lines are kept. `newest`: the id of the newest line kept before; all others are greater.
    pub fn keep_history(&mut self, newest: u64) {
        let keeping = Keeping { ids: Ids { unix_ms: 0, last: newest }, ..Keeping::default() };
        self.keeping = Some(Box::new(keeping));
    }

    /// The lines to be kept that were said since the last call.
    pub fn poll_kept(&mut self) -> Option<Batch> {
        let lines = &mut self.keeping.as_mut()?.lines;
        (!lines.is_empty()).then(|| std::mem::take(lines))
    }

    /// The next question to the history. What was said before it is already in what [`Chat::poll_kept`] gave, if that is
    /// called first.
    pub fn poll_question(&mut self) -> Option<Question> {
        self.keeping.as_mut()?.questions.pop_front()
    }

    /// Keeps a line that was said.
    pub(super) fn keep(&mut self, room: RoomId, name: &str, quote: Option<&str>, text: &str) {
        let Some(keeping) = &mut self.keeping else { return };
        let Some(room) = self.rooms.get(room) else { return };
        let id = keeping.ids.next();
        let quote = quote.filter(|_| !sabotage::has(Bug::QuoteNotKept));
        keeping.lines.push(Kept { id, room: &room.name, name, quote, text });
    }

    /// `/history`: nothing more is taken from the connection until it is answered.
    pub(super) fn ask_history(&mut self, client: ClientId, asked: &History<'_>) {
        let room = match asked.room.as_deref().filter(|room| !room.is_empty()) {
            Some(room) => room.to_lowercase(),
            None => self.room_of(client).map_or_else(String::new, |room| self.room_name(room)),
        };
        if check_room(&room).is_err() {
            return self.answer(client, "FAIL HISTORY ROOM_INVALID", Some(Phrase::RoomInvalid));
        }
        let Some(keeping) = &mut self.keeping else {
            return self.answer(client, "FAIL HISTORY NOT_KEPT", Some(Phrase::HistoryNone));
        };
        keeping.last_ticket += 1;
        let limit = asked.limit.unwrap_or(HISTORY_LINES).min(HISTORY_LINES_MAX);
        let question =
            Question { ticket: keeping.last_ticket, room: room.clone(), before: asked.before, limit };
        keeping.askers.push((keeping.last_ticket, client, room));
        keeping.questions.push_back(question);
    }

    /// Whether the connection waits for the history.
    pub(super) fn awaits_history(&self, client: ClientId) -> bool {
        self.keeping
            .as_ref()
            .is_some_and(|keeping| keeping.askers.iter().any(|(_, asker, _)| *asker == client))
    }

    /// The connection is gone, and with it what it asked.
    pub(super) fn forget_questions(&mut self, client: ClientId) {
        if let Some(keeping) = &mut self.keeping {
            keeping.askers.retain(|(_, asker, _)| *asker != client);
        }
    }

    /// What came of a question.
    pub fn handle_answer(&mut self, ticket: u64, answer: &Answer) {
        let Some(keeping) = &mut self.keeping else { return };
        let Some(index) = keeping.askers.iter().position(|(asked, _, _)| *asked == ticket) else { return };
        let (_, client, room) = keeping.askers.swap_remove(index);
        match answer {
            Answer::Lines(lines) => self.insert(client, &written(&room, lines)),
            Answer::Unreadable => {
                self.answer(client, "FAIL HISTORY UNREADABLE", Some(Phrase::HistoryTrouble));
            }
            Answer::Busy => self.answer(client, "FAIL HISTORY BUSY", Some(Phrase::HistoryBusy)),
        }
        self.resumed.push_back(client);
    }

    /// The history cannot be written, or can again: every room is told, once.
    pub fn handle_history_trouble(&mut self, is_in_trouble: bool) {
        let Some(keeping) = &mut self.keeping else { return };
        if std::mem::replace(&mut keeping.is_in_trouble, is_in_trouble) == is_in_trouble {
            return;
        }
        let (code, phrase) =
            if is_in_trouble { ("TROUBLE", Phrase::HistoryTrouble) } else { ("KEPT", Phrase::HistoryKept) };
        let line = format!("* NOTE HISTORY {code} :{}\n", phrase.in_language(self.settings.language));
        let rooms: Vec<RoomId> = self.rooms.iter_mut().map(|(id, _)| id).collect();
        for room in rooms {
            self.say_in(room, None, &[line.as_bytes()]);
        }
    }
}

/// The newest of these lines that find place in an outbox, and how to ask for those before.
fn written(room: &str, lines: &Batch) -> String {
    let all: Vec<(u64, String)> = lines.iter().map(|line| (line.id, one(&line))).collect();
    let mut bytes = 0;
    let fits = all.iter().rev().take_while(|(_, line)| {
        bytes += line.len();
        bytes <= ANSWER_BYTES_MAX
    });
    let shown = all.get(all.len() - fits.count()..).unwrap_or_default();
    let mut text: String = shown.iter().map(|(_, line)| line.as_str()).collect();
    let first = shown.first().map_or_else(String::new, |(id, _)| format!(" first={id}"));
    text.push_str(&format!("* END HISTORY room={} shown={}{first}\n", escape(room), shown.len()));
    text
}

fn one(line: &Kept<'_>) -> String {
    let time = rfc3339(line.unix_ms());
    let Kept { name, text, .. } = line;
    match line.quote {
        Some(quote) => format!("* HISTORY {time} :{REPLY_OPEN}{quote}{REPLY_CLOSE}{name}: {text}\n"),
        None => format!("* HISTORY {time} :{name}: {text}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_also_when_the_clock_goes_back_and_hold_the_time() {
        let mut ids = Ids { unix_ms: 1_000, last: 0 };
        let first = ids.next();
        assert_eq!(first >> ID_COUNTER_BITS, 1_000);
        ids.unix_ms = 10;
        let second = ids.next();
        ids.unix_ms = 2_000;
        let third = ids.next();
        assert!(first < second && second < third);
        assert_eq!(third >> ID_COUNTER_BITS, 2_000);
        let many: Vec<u64> = (0..100_000).map(|_| ids.next()).collect();
        assert!(many.is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn an_answer_that_is_too_long_keeps_the_newest_lines_and_says_where_it_begins() {
        let mut lines = Batch::default();
        let text = "x".repeat(1_000);
        for id in 1..=100 {
            lines.push(Kept { id, room: "general", name: "Ana", quote: None, text: &text });
        }
        let answer = written("general", &lines);
        assert!(answer.len() <= ANSWER_BYTES_MAX + 100);
        let shown = answer.lines().count() - 1;
        assert!(
            answer.ends_with(&format!("* END HISTORY room=general shown={shown} first={}\n", 101 - shown))
        );
    }
}
