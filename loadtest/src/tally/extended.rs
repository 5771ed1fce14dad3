//! What a server that acknowledges says beside the lines: to whom it has given which session, what became of whose
//! line, and the ids that lines are heard under.

use std::collections::HashMap;
use std::ops::Range;

use tertulia_wire::heard::Greeting;

use super::Tally;
use super::preview::Preview;
use crate::answers::{Answer, Answered, Answers};
use crate::names;
use crate::protocol::{Tags, id};
use crate::schedule::Pace;
use crate::stamp::{Stamp, Unstamped};
use crate::verdict::COMPLAINTS_MAX;

/// Sessions, and what became of the senders' lines.
#[derive(Debug)]
pub(super) struct Extended {
    pub(super) answers: Answers,
    pub(super) preview: Preview,
    /// By sender: the number of its session.
    sids: Vec<Option<u64>>,
    /// Of those that leave and come back: the secret of the session.
    tokens: HashMap<u32, Box<str>>,
    /// The id of the last line of the transcript.
    transcript_id: u64,
    greeted: Answered,
}

impl Extended {
    pub(super) fn new(receivers: usize, senders: usize) -> Self {
        Self {
            answers: Answers::new(receivers, senders),
            preview: Preview::default(),
            sids: vec![None; senders],
            tokens: HashMap::new(),
            transcript_id: 0,
            greeted: Answered::default(),
        }
    }

    /// Whether a line may stand behind the last one of the transcript: nobody who hears it there is looked at by itself.
    pub(super) fn grows(&self, id: u64) -> bool {
        id > self.transcript_id
    }

    /// A line with this id is in the transcript now.
    pub(super) fn note_appended(&mut self, id: u64) {
        self.transcript_id = id;
    }
}

/// The ids of the first line in `bytes` and of the last, which is so long. The transcript has them in order.
pub(super) fn ids(bytes: &[u8], last_bytes: usize) -> Option<(u64, u64)> {
    let last = bytes.get(bytes.len().checked_sub(last_bytes)?..)?;
    Some((id(bytes)?, id(last)?))
}

impl Tally {
    /// What a client is to say as soon as it is connected.
    pub fn hello(&self, number: usize) -> Vec<u8> {
        let token = self.extended.as_ref().and_then(|extended| extended.tokens.get(&(number as u32)));
        match token {
            Some(token) => self.plan.protocol.come_back(&self.names.of(number), token),
            None => names::hello(&self.plan, self.names, number),
        }
    }

    /// The server knows a client.
    pub(super) fn take_greeting(&mut self, receiver: u32, greeting: &Greeting<'_>) {
        let churners: Range<usize> = self.plan.churners();
        let name = self.names.of(receiver as usize);
        if greeting.name != name {
            self.note_renamed(receiver, greeting.name.as_bytes());
        }
        let Some(extended) = &mut self.extended else { return };
        if let Some(sid) = extended.sids.get_mut(receiver as usize) {
            *sid = Some(greeting.sid);
        }
        if churners.contains(&(receiver as usize)) {
            extended.tokens.insert(receiver, greeting.token.as_ref().into());
        }
        let (burst, rate) = (greeting.burst, greeting.rate);
        let durability = greeting.durability.clone().into_owned();
        extended.greeted = Answered { burst, rate, durability, ..Answered::default() };
    }

    /// A server's word on a line that this client said.
    pub(super) fn take_answer(
        &mut self,
        receiver: u32,
        number: u64,
        answer: Answer,
        words: &[u8],
        now_us: u64,
    ) {
        // What everybody said so that all hear each other is no line.
        let (Ok(sequence), Ok(sender)) = (u32::try_from(number), u16::try_from(receiver)) else { return };
        let Some(extended) = &mut self.extended else { return };
        let noted = extended.answers.answer(sender, sequence, answer, now_us);
        if noted.is_corrupt {
            self.arrivals.note_corrupt();
        }
        if noted.frees && !self.is_open_loop() {
            self.freed.push(sender);
        }
        if let Some(late_us) = noted.late_us {
            self.flights.record_ack(late_us);
        }
        if answer == Answer::Refused && noted.is_first {
            let stamp = Stamp { sender, sequence, due_us: 0 };
            self.flights.cancel(&stamp);
            self.arrivals.note_unsaid(&stamp);
            self.expected = self.expected.saturating_sub(u64::from(self.receivers()));
            self.note_complaint(words);
        }
    }

    pub(super) fn note_complaint(&mut self, words: &[u8]) {
        self.complained += 1;
        if self.complaints.len() < COMPLAINTS_MAX {
            self.complaints.push(String::from_utf8_lossy(words).trim_end().to_owned());
        }
    }

    /// A line with tags that is not the next one of the transcript.
    pub(super) fn take_tagged(
        &mut self,
        receiver: u32,
        piece: &[u8],
        tags: Tags,
        said: (&[u8], &[u8]),
        now_us: u64,
    ) {
        let (name, text) = said;
        match self.read(Some(name), text) {
            Ok(stamp) if self.is_key_of(&stamp, tags) => {
                let previews = self.previews(receiver);
                if let Some(extended) = self.extended.as_mut().filter(|_| previews) {
                    extended.preview.note(tags.id, stamp, piece);
                }
                self.take_line(receiver, piece, &stamp, Some(tags.id), now_us);
            }
            Ok(_) | Err(Unstamped::Corrupt) => self.arrivals.note_corrupt(),
            Err(Unstamped::Foreign) => self.note_other(receiver),
        }
    }

    /// Whether the key says the same of a line as its stamp.
    fn is_key_of(&self, stamp: &Stamp, tags: Tags) -> bool {
        let sids = self.extended.as_ref().map(|extended| &extended.sids);
        let sid = sids.and_then(|sids| sids.get(usize::from(stamp.sender))).copied().flatten();
        tags.number == u64::from(stamp.sequence) && sid == Some(tags.sid)
    }

    /// Whether this is the id that the line is known under; true where lines have none.
    pub(super) fn know(&mut self, stamp: &Stamp, id: Option<u64>) -> bool {
        let (Some(extended), Some(id)) = (&mut self.extended, id) else { return true };
        let known = extended.answers.know(stamp, id);
        if known.is_corrupt {
            self.arrivals.note_corrupt();
        }
        known.is_own
    }

    /// A receiver heard lines with ids from the first to the last, each for the first time, and in the order of their
    /// senders. `is_own`: under the ids that they are known by.
    pub(super) fn check_ids(&mut self, receiver: u32, (first, last): (u64, u64), is_own: bool) {
        let Some(extended) = &mut self.extended else { return };
        if !is_own {
            self.arrivals.note_doubled();
        } else if !extended.answers.advance(receiver, first, last) {
            self.arrivals.note_out_of_order();
        }
    }

    /// Whether answers are waited for.
    pub fn awaits_answers(&self) -> bool {
        self.extended.as_ref().is_some_and(|extended| extended.answers.awaited() > 0)
    }

    /// When the last line was heard for the first time by somebody, or answered.
    pub fn last_sign_us(&self) -> u64 {
        let answered_us = self.extended.as_ref().map_or(0, |extended| extended.answers.last_us());
        self.last_heard_us.max(answered_us)
    }

    /// What the senders were answered, where the server answers.
    pub fn answered(&self) -> Option<Answered> {
        let extended = self.extended.as_ref()?;
        let sum = extended.answers.sum().clone();
        let unanswered = self.taken().map(u64::from).sum::<u64>().saturating_sub(sum.lines());
        let Answered { burst, rate, durability, .. } = extended.greeted.clone();
        Some(Answered { unanswered, burst, rate, durability, ..sum })
    }

    /// Lines that the server refused, or said that it will never keep: they are not accepted.
    pub(super) fn not_accepted(&self) -> u64 {
        self.extended.as_ref().map_or(0, |extended| {
            let sum = extended.answers.sum();
            sum.refused + sum.not_kept
        })
    }

    pub(super) fn is_open_loop(&self) -> bool {
        matches!(self.plan.pace, Pace::Rate(_))
    }
}
