//! What the senders were answered, and under which id each line is known, where a server acknowledges. Knows no socket
//! and no clock: it is told who heard, or was answered, what when.
//!
//! A line has one id, for everybody who hears it and in its answer, and ids grow in each receiver's order: no id can
//! then be that of two lines.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::stamp::Stamp;

/// Lines that are remembered, of all senders together, each of which has its share; past it the oldest is forgotten.
pub const ANSWERS_MAX: usize = 1_000_000;
/// The share is never less than this.
const SHARE_MIN: usize = 64;

/// What a sender is told of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is kept, under this id.
    Acked(u64),
    /// It was not said.
    Refused,
    /// It was said under this id, and is not kept.
    NotKept(u64),
}

/// What the senders were answered, in sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Lines acknowledged.
    pub acked: u64,
    /// Lines that were not said: neither accepted nor expected.
    pub refused: u64,
    /// Lines that were said and will never be kept: not accepted.
    pub not_kept: u64,
    /// Lines that sockets took, and that got no answer.
    pub unanswered: u64,
    /// What an acknowledgement promises, in the server's word.
    pub durability: String,
    /// Lines that the server lets a client say at once; 0: any number.
    pub burst: u32,
    /// Lines a second that it lets a client say then; 0: any number.
    pub rate: u32,
}

impl Answered {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            acked: self.acked + other.acked,
            refused: self.refused + other.refused,
            not_kept: self.not_kept + other.not_kept,
            unanswered: self.unanswered + other.unanswered,
            ..self
        }
    }

    /// Lines answered, in whichever way.
    pub fn lines(&self) -> u64 {
        self.acked + self.refused + self.not_kept
    }
}

/// What an answer came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    /// It is the line's first one.
    pub is_first: bool,
    /// It was waited for: its sender may go on.
    pub frees: bool,
    /// It is none that can be: of no line, of one that was answered before, or not what was heard.
    pub is_corrupt: bool,
    /// How long behind when it was due a line that is recorded was acknowledged.
    pub late_us: Option<u64>,
}

/// What the id of a line that was heard came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// It is the id that the line is known under.
    pub is_own: bool,
    /// It is not the one that its sender was answered.
    pub is_corrupt: bool,
}

/// Lines and their answers.
#[derive(Debug)]
pub struct Answers {
    senders: Vec<Sender>,
    share: usize,
    /// By receiver: the greatest id that it has heard.
    latest: Vec<u64>,
    awaited: usize,
    is_recording: bool,
    last_us: u64,
    sum: Answered,
}

#[derive(Debug, Default)]
struct Sender {
    /// Sequence of the first line.
    first: u32,
    lines: VecDeque<Line>,
    /// Lines that were forgotten without an answer.
    forgotten: u64,
}

#[derive(Debug)]
struct Line {
    due_us: u64,
    sent_us: u64,
    /// As it was heard first.
    heard_id: Option<u64>,
    answer: Option<Answer>,
    is_awaited: bool,
    is_recorded: bool,
}

impl Line {
    /// What was heard and what was answered do not go together.
    fn is_contradicted(&self) -> bool {
        match (self.heard_id, self.answer) {
            (Some(heard), Some(Answer::Acked(id) | Answer::NotKept(id))) => heard != id,
            (heard, answer) => heard.is_some() && answer == Some(Answer::Refused),
        }
    }
}

impl Answers {
    /// Nothing said yet.
    pub fn new(receivers: usize, senders: usize) -> Self {
        Self {
            senders: (0..senders).map(|_| Sender::default()).collect(),
            share: (ANSWERS_MAX / senders.max(1)).max(SHARE_MIN),
            latest: vec![0; receivers],
            awaited: 0,
            is_recording: false,
            last_us: 0,
            sum: Answered::default(),
        }
    }

    /// From now on lines that are launched are recorded, or not.
    pub fn record(&mut self, is_recording: bool) {
        self.is_recording = is_recording;
    }

    /// A sender's next line goes out. All receivers have those of its lines that come before `through`.
    pub fn launch(&mut self, sender: u16, due_us: u64, sent_us: u64, through: u32) {
        let (share, is_recorded) = (self.share, self.is_recording);
        let Some(of_sender) = self.senders.get_mut(usize::from(sender)) else { return };
        let line = Line { due_us, sent_us, heard_id: None, answer: None, is_awaited: true, is_recorded };
        of_sender.lines.push_back(line);
        self.awaited += 1;
        while of_sender.lines.len() > share
            || (of_sender.first < through
                && of_sender.lines.front().is_some_and(|line| line.answer.is_some()))
        {
            let Some(line) = of_sender.lines.pop_front() else { return };
            of_sender.first += 1;
            of_sender.forgotten += u64::from(line.answer.is_none());
            self.awaited -= usize::from(line.is_awaited);
        }
    }

    fn line(&mut self, sender: u16, sequence: u32) -> Option<&mut Line> {
        let of_sender = self.senders.get_mut(usize::from(sender))?;
        of_sender.lines.get_mut(sequence.checked_sub(of_sender.first)? as usize)
    }

    /// A sender was answered.
    pub fn answer(&mut self, sender: u16, sequence: u32, answer: Answer, now_us: u64) -> Noted {
        let Some(line) = self.line(sender, sequence) else {
            return self.answer_forgotten(sender, sequence, answer);
        };
        if line.answer.is_some() {
            return Noted { is_corrupt: true, ..Noted::default() };
        }
        line.answer = Some(answer);
        let is_timed = line.is_recorded && matches!(answer, Answer::Acked(_));
        let noted = Noted {
            is_first: true,
            frees: std::mem::take(&mut line.is_awaited),
            is_corrupt: line.is_contradicted(),
            late_us: now_us.checked_sub(line.due_us).filter(|_| is_timed),
        };
        self.awaited -= usize::from(noted.frees);
        self.last_us = now_us;
        self.count(answer);
        noted
    }

    /// An answer to a line that is not remembered: to one that never went out, or, where none lacks its answer, again.
    fn answer_forgotten(&mut self, sender: u16, sequence: u32, answer: Answer) -> Noted {
        let of_sender = self.senders.get_mut(usize::from(sender));
        let Some(of_sender) = of_sender.filter(|one| sequence < one.first && one.forgotten > 0) else {
            return Noted { is_corrupt: true, ..Noted::default() };
        };
        of_sender.forgotten -= 1;
        self.count(answer);
        Noted { is_first: true, ..Noted::default() }
    }

    fn count(&mut self, answer: Answer) {
        match answer {
            Answer::Acked(_) => self.sum.acked += 1,
            Answer::Refused => self.sum.refused += 1,
            Answer::NotKept(_) => self.sum.not_kept += 1,
        }
    }

    /// Somebody heard a line under this id. Of a line that is not remembered, nothing can be said against it.
    pub fn know(&mut self, stamp: &Stamp, id: u64) -> Known {
        let Some(line) = self.line(stamp.sender, stamp.sequence) else {
            return Known { is_own: true, is_corrupt: false };
        };
        match line.heard_id {
            Some(heard) => Known { is_own: heard == id, is_corrupt: false },
            None => {
                line.heard_id = Some(id);
                Known { is_own: true, is_corrupt: line.is_contradicted() }
            }
        }
    }

    /// A receiver heard lines whose ids grow from `first` to `last`. True: they are above all that it heard before.
    pub fn advance(&mut self, receiver: u32, first: u64, last: u64) -> bool {
        let Some(latest) = self.latest.get_mut(receiver as usize) else { return true };
        let grows = first > *latest;
        *latest = last.max(*latest);
        grows
    }

    /// Does not wait any longer for answers to lines sent before then. Gives their senders, each as often.
    pub fn give_up(&mut self, sent_before_us: u64, given_up: &mut Vec<u16>) {
        for (sender, of_sender) in (0u16..).zip(&mut self.senders) {
            let awaited = of_sender.lines.iter_mut().filter(|line| line.is_awaited);
            for line in awaited.take_while(|line| line.sent_us < sent_before_us) {
                line.is_awaited = false;
                self.awaited -= 1;
                given_up.push(sender);
            }
        }
    }

    /// Lines whose answer is waited for.
    pub fn awaited(&self) -> usize {
        self.awaited
    }

    /// When the last answer came.
    pub fn last_us(&self) -> u64 {
        self.last_us
    }

    /// What was answered so far. How many lines were not, and what the server said of itself, others know.
    pub fn sum(&self) -> &Answered {
        &self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sequence: u32) -> Stamp {
        Stamp { sender: 0, sequence, due_us: 0 }
    }

    #[test]
    fn no_more_lines_are_remembered_than_there_is_place_for_and_a_late_answer_still_counts() {
        let mut answers = Answers::new(2, ANSWERS_MAX);
        for number in 0..SHARE_MIN as u64 + 2 {
            answers.launch(0, number, number, 0);
        }
        assert_eq!(answers.awaited(), SHARE_MIN);
        let late = answers.answer(0, 0, Answer::Acked(1), 9);
        assert_eq!(late, Noted { is_first: true, ..Noted::default() });
        assert!(!answers.answer(0, 1, Answer::Acked(2), 9).is_corrupt);
        // Two were forgotten, and both have their answer.
        assert!(answers.answer(0, 1, Answer::Acked(2), 9).is_corrupt);
        assert_eq!(answers.sum().acked, 2);
    }

    #[test]
    fn a_line_is_forgotten_once_it_is_answered_and_everybody_has_it() {
        let mut answers = Answers::new(2, 1);
        answers.launch(0, 0, 0, 0);
        answers.know(&stamp(0), 5);
        answers.answer(0, 0, Answer::Acked(5), 1);
        answers.launch(0, 1, 1, 0);
        assert!(!answers.know(&stamp(0), 6).is_own);
        answers.launch(0, 2, 2, 1);
        assert!(answers.know(&stamp(0), 6).is_own);
        assert!(answers.answer(0, 0, Answer::Acked(5), 1).is_corrupt);
    }

    #[test]
    fn whichever_comes_first_the_answer_has_to_be_of_what_was_heard() {
        for (answer, is_corrupt) in [
            (Answer::Acked(5), false),
            (Answer::Acked(6), true),
            (Answer::NotKept(5), false),
            (Answer::NotKept(6), true),
            (Answer::Refused, true),
        ] {
            let mut answers = Answers::new(2, 1);
            (0..2).for_each(|number| answers.launch(0, number, number, 0));
            answers.know(&stamp(0), 5);
            assert_eq!(answers.answer(0, 0, answer, 9).is_corrupt, is_corrupt, "{answer:?}");
            assert!(!answers.answer(0, 1, answer, 9).is_corrupt);
            assert_eq!(answers.know(&stamp(1), 5).is_corrupt, is_corrupt, "{answer:?}");
        }
    }

    #[test]
    fn only_lines_that_are_recorded_and_acknowledged_are_timed_and_a_given_up_one_frees_once() {
        let mut answers = Answers::new(2, 1);
        answers.launch(0, 100, 100, 0);
        answers.record(true);
        (0..3).for_each(|_| answers.launch(0, 200, 250, 0));
        assert_eq!(answers.answer(0, 0, Answer::Acked(1), 900).late_us, None);
        assert_eq!(answers.answer(0, 1, Answer::Acked(2), 900).late_us, Some(700));
        assert_eq!(answers.answer(0, 2, Answer::NotKept(3), 900).late_us, None);
        let mut given_up = Vec::new();
        answers.give_up(250, &mut given_up);
        assert!(given_up.is_empty());
        answers.give_up(251, &mut given_up);
        assert_eq!((given_up, answers.awaited()), (vec![0], 0));
        let late = answers.answer(0, 3, Answer::Acked(4), 1_000);
        assert_eq!((late.frees, late.is_first, late.late_us), (false, true, Some(800)));
    }

    #[test]
    fn ids_have_to_grow_above_the_greatest_that_a_receiver_has_heard() {
        let mut answers = Answers::new(2, 1);
        assert!(answers.advance(1, 5, 9));
        assert!(!answers.advance(1, 7, 8));
        assert!(!answers.advance(1, 9, 9));
        assert!(answers.advance(1, 10, 12));
        assert!(answers.advance(0, 3, 3));
    }
}
