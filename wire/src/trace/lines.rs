//! What is known of each line: what was said under its label, what was answered, which ids it was seen with.

use super::words::{Map, Word};
use super::{Said, Session};

/// No saying.
const NONE: u32 = u32::MAX;

/// A line's place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LineId(pub(super) u32);

/// Everything said under one label of one session.
#[derive(Debug)]
pub(super) struct LineState {
    pub(super) session: Session,
    pub(super) label: Word,
    /// When it was first said, as the number of the record.
    pub(super) said_at: usize,
    /// The greatest id that anybody knew then: its own is above it.
    pub(super) floor: u64,
    /// Deaths of the relay by then.
    pub(super) said_in: u32,
    pub(super) answer: Answer,
    /// Deaths of the relay by the time of the answer.
    pub(super) answered_in: u32,
    /// Its id in the history.
    pub(super) kept: Option<u64>,
    /// The id under which it was first heard.
    pub(super) copy: Option<HeardCopy>,
    last_saying: u32,
    is_repeated: bool,
}

/// When something was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The number of the record.
    pub(super) at: usize,
    /// The greatest id that anybody knew.
    pub(super) newest: u64,
    /// Deaths of the relay.
    pub(super) life: u32,
}

impl LineState {
    /// The id that it has in the end, as far as its sender and the history know one.
    pub(super) fn final_id(&self) -> Option<u64> {
        match (self.kept, self.answer) {
            (Some(id), _) => Some(id),
            (None, Answer::Acked { id, .. } | Answer::NotKept { id }) => Some(id),
            (None, Answer::None) => None,
        }
    }

    /// The id that it got when it was sent for the first time. None where that cannot be told: a repeat may have got
    /// it, also one that was not recorded, behind a death of the relay.
    pub(super) fn first_id(&self) -> Option<u64> {
        let answered = match self.answer {
            Answer::Acked { id, .. } | Answer::NotKept { id } if self.answered_in == self.said_in => Some(id),
            _ => None,
        };
        let heard = self.copy.filter(|copy| copy.first_life == self.said_in).map(|copy| copy.id);
        answered.or(heard).filter(|_| !self.is_repeated)
    }
}

/// What its sender was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    None,
    Acked { id: u64, time: Word },
    NotKept { id: u64 },
}

/// An id under which a line was heard, and between which deaths of the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeardCopy {
    pub(super) id: u64,
    pub(super) first_life: u32,
    pub(super) last_life: u32,
}

/// One sending of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Saying {
    /// The one before, of the same label.
    previous: u32,
    pub(super) said: Said,
    pub(super) is_refused: bool,
    /// The stretch of listening in which it was first heard.
    pub(super) heard_in: Option<u32>,
    pub(super) is_kept: bool,
}

/// How a line that was found compares to what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Same,
    OtherText(Said),
    OtherName(Said),
    OtherRoom(Said),
}

/// All lines, in the order in which they were first said.
#[derive(Debug, Default)]
pub(super) struct Lines {
    by_key: Map<(u32, Word), LineId>,
    lines: Vec<LineState>,
    sayings: Vec<Saying>,
    /// Further ids under which a line was heard. Deaths of the relay make some.
    more_copies: Map<u32, Vec<HeardCopy>>,
}

impl Lines {
    pub(super) fn find(&self, session: Session, label: Word) -> Option<LineId> {
        self.by_key.get(&(session.0, label)).copied()
    }

    pub(super) fn get(&self, line: LineId) -> Option<&LineState> {
        self.lines.get(line.0 as usize)
    }

    pub(super) fn get_mut(&mut self, line: LineId) -> Option<&mut LineState> {
        self.lines.get_mut(line.0 as usize)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = LineId> + use<> {
        (0..self.lines.len() as u32).map(LineId)
    }

    pub(super) fn note_said(&mut self, session: Session, label: Word, said: Said, moment: Moment) {
        let number = self.sayings.len() as u32;
        let mut saying = Saying { previous: NONE, said, is_refused: false, heard_in: None, is_kept: false };
        match self.find(session, label).and_then(|line| self.lines.get_mut(line.0 as usize)) {
            Some(line) => {
                saying.previous = line.last_saying;
                line.last_saying = number;
                line.is_repeated = true;
            }
            None => {
                self.by_key.insert((session.0, label), LineId(self.lines.len() as u32));
                self.lines.push(LineState {
                    session,
                    label,
                    said_at: moment.at,
                    floor: moment.newest,
                    said_in: moment.life,
                    answer: Answer::None,
                    answered_in: moment.life,
                    kept: None,
                    copy: None,
                    last_saying: number,
                    is_repeated: false,
                });
            }
        }
        self.sayings.push(saying);
    }

    /// What was said under the label, the newest first.
    pub(super) fn sayings(&self, line: LineId) -> impl Iterator<Item = Saying> + '_ {
        let mut next = self.get(line).map_or(NONE, |line| line.last_saying);
        std::iter::from_fn(move || {
            let saying = *self.sayings.get(next as usize)?;
            next = saying.previous;
            Some(saying)
        })
    }

    /// The newest saying of which this holds.
    fn saying_mut(&mut self, line: LineId, is_meant: impl Fn(&Saying) -> bool) -> Option<&mut Saying> {
        let mut number = self.get(line)?.last_saying;
        loop {
            let saying = self.sayings.get(number as usize)?;
            if is_meant(saying) {
                return self.sayings.get_mut(number as usize);
            }
            number = saying.previous;
        }
    }

    pub(super) fn note_refused(&mut self, line: LineId) {
        if let Some(saying) = self.saying_mut(line, |saying| !saying.is_refused) {
            saying.is_refused = true;
        }
    }

    /// Finds what was said of what was found, and notes on it where that was.
    pub(super) fn match_found(&mut self, line: LineId, found: Said, heard_in: Option<u32>) -> Match {
        if let Some(saying) = self.saying_mut(line, |saying| saying.said == found) {
            match heard_in {
                Some(_) => saying.heard_in = saying.heard_in.or(heard_in),
                None => saying.is_kept = true,
            }
            return Match::Same;
        }
        let mut nearest = Match::Same;
        for Saying { said, .. } in self.sayings(line) {
            nearest = match nearest {
                _ if said.text == found.text && said.room == found.room => Match::OtherName(said),
                Match::OtherName(_) => nearest,
                _ if said.text == found.text => Match::OtherRoom(said),
                Match::OtherRoom(_) => nearest,
                _ => Match::OtherText(said),
            };
        }
        nearest
    }

    /// Where it was heard or kept.
    pub(super) fn room(&self, line: LineId) -> Option<Word> {
        let was_found = |saying: &Saying| saying.is_kept || saying.heard_in.is_some();
        self.sayings(line).find(was_found).map(|saying| saying.said.room)
    }

    /// Of what was said like this under the label, whether all was refused.
    pub(super) fn is_refused(&self, line: LineId, said: Said) -> bool {
        self.sayings(line).filter(|saying| saying.said == said).all(|saying| saying.is_refused)
    }

    /// The line was heard under this id.
    pub(super) fn note_copy(&mut self, line: LineId, id: u64, life: u32) {
        let Some(state) = self.lines.get_mut(line.0 as usize) else { return };
        let first = state.copy.get_or_insert(HeardCopy { id, first_life: life, last_life: life });
        if first.id == id {
            return first.widen(life);
        }
        let more = self.more_copies.entry(line.0).or_default();
        match more.iter_mut().find(|copy| copy.id == id) {
            Some(copy) => copy.widen(life),
            None => more.push(HeardCopy { id, first_life: life, last_life: life }),
        }
    }

    /// The ids under which it was heard, in the order of their ids.
    pub(super) fn copies(&self, line: LineId) -> Vec<HeardCopy> {
        let more = self.more_copies.get(&line.0);
        let first = self.get(line).and_then(|line| line.copy);
        let mut copies: Vec<_> = first.into_iter().chain(more.into_iter().flatten().copied()).collect();
        copies.sort_unstable_by_key(|copy| copy.id);
        copies
    }

    pub(super) fn has_more_copies(&self, line: LineId) -> bool {
        self.more_copies.contains_key(&line.0)
    }

    pub(super) fn some_have_more_copies(&self) -> bool {
        !self.more_copies.is_empty()
    }
}

impl HeardCopy {
    fn widen(&mut self, life: u32) {
        self.first_life = self.first_life.min(life);
        self.last_life = self.last_life.max(life);
    }
}
