//! What each reader heard, held against what the room said meanwhile.

use super::Session;
use super::check::Check;
use super::lines::LineId;
use super::violation::{Ear, Violation};
use super::words::{Map, Word};

/// A stretch of listening.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) place: Place,
    /// Everything up to this id was heard, or announced as missing.
    pub(super) position: u64,
    /// Everything up to this id must have been.
    pub(super) end: u64,
    /// In order.
    heard: Vec<u64>,
    /// What was heard out of order.
    late: Vec<u64>,
    /// First and last id, in order.
    gaps: Vec<(u64, u64)>,
}

/// Whose it is, and where and when it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) session: Session,
    pub(super) room: Word,
    /// It began behind this id.
    pub(super) behind: u64,
    pub(super) is_resumed: bool,
    /// Deaths of the relay by then.
    pub(super) life: u32,
    /// The number of the record.
    pub(super) began_at: usize,
}

/// What is wrong with the place of a line among those that a reader heard.
#[derive(Debug, Clone, Copy)]
pub(super) enum Disorder {
    Twice,
    BackInTime { behind: u64 },
}

impl Disorder {
    pub(super) fn of(self, ear: Ear, id: u64) -> Violation {
        match self {
            Self::Twice => Violation::HeardTwice { ear, id },
            Self::BackInTime { behind } => Violation::HeardBackInTime { ear, id, behind },
        }
    }
}

impl Slice {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            position: place.behind,
            end: place.behind,
            heard: Vec::new(),
            late: Vec::new(),
            gaps: Vec::new(),
        }
    }

    pub(super) fn note_heard(&mut self, id: u64) -> Option<Disorder> {
        if id > self.position {
            self.position = id;
            self.heard.push(id);
            return None;
        }
        if id <= self.place.behind || self.heard.binary_search(&id).is_ok() {
            return Some(Disorder::Twice);
        }
        self.late.push(id);
        Some(Disorder::BackInTime { behind: self.position })
    }

    /// Whether it lies ahead.
    pub(super) fn note_gap(&mut self, from: u64, to: u64) -> bool {
        let is_ahead = from > self.position && to >= from;
        self.position = self.position.max(to);
        self.gaps.push((from, to));
        is_ahead
    }

    fn is_announced(&self, id: u64) -> bool {
        let next = self.gaps.partition_point(|(_, to)| *to < id);
        self.gaps.get(next).is_some_and(|(from, _)| *from <= id)
    }
}

/// Lines of a room by their ids.
type Ids = Vec<(u64, LineId)>;

impl Check<'_> {
    /// Finds what each reader should have heard and did not.
    pub(super) fn judge_slices(&mut self) {
        let (mut kept, mut lost) = self.spoken();
        kept.values_mut().chain(lost.values_mut()).for_each(|ids| ids.sort_unstable_by_key(|(id, _)| *id));
        let empty = Vec::new();
        for mut slice in std::mem::take(&mut self.slices) {
            slice.heard.append(&mut slice.late);
            slice.heard.sort_unstable();
            slice.gaps.sort_unstable();
            slice.end = slice.end.max(slice.position);
            let Place { room, life, .. } = slice.place;
            self.judge_slice(&slice, kept.get(&room).unwrap_or(&empty));
            self.judge_slice(&slice, lost.get(&(room, life)).unwrap_or(&empty));
        }
    }

    fn judge_slice(&mut self, slice: &Slice, spoken: &[(u64, LineId)]) {
        let Place { session, behind, is_resumed, .. } = slice.place;
        let first = spoken.partition_point(|(id, _)| *id <= behind);
        let mut heard = slice.heard.iter().copied().peekable();
        let within = spoken.iter().skip(first).take_while(|(id, _)| *id <= slice.end);
        for &(id, line) in within {
            while heard.next_if(|heard| *heard < id).is_some() {}
            let is_own = self.lines.get(line).is_some_and(|state| state.session == session);
            if heard.peek() == Some(&id) || is_own || slice.is_announced(id) {
                continue;
            }
            let is_first = slice.heard.first().is_none_or(|first| *first > id);
            let (ear, line) = (self.ear(&slice.place), self.quote(line));
            self.report.add(if is_resumed && is_first {
                Violation::ResumedLate { ear, after: behind, line, id }
            } else {
                Violation::Skipped { ear, line, id }
            });
        }
    }

    /// What each room's readers are to hear: what is in the history, and what somebody heard and is not; that was
    /// said between two deaths of the relay, and whoever listened then has to have it too.
    fn spoken(&mut self) -> (Map<Word, Ids>, Map<(Word, u32), Ids>) {
        let mut kept: Map<Word, Ids> = Map::default();
        let mut lost: Map<(Word, u32), Ids> = Map::default();
        for line in self.lines.ids() {
            let Some(state) = self.lines.get(line) else { continue };
            let (kept_id, copy) = (state.kept, state.copy);
            let is_plain =
                copy.is_none_or(|copy| Some(copy.id) == kept_id) && !self.lines.has_more_copies(line);
            let Some(room) = self.lines.room(line) else { continue };
            if let Some(id) = kept_id {
                kept.entry(room).or_default().push((id, line));
            }
            if is_plain {
                continue;
            }
            for copy in self.lines.copies(line).into_iter().filter(|copy| Some(copy.id) != kept_id) {
                self.counts().heard_and_lost += 1;
                if copy.first_life == copy.last_life {
                    lost.entry((room, copy.first_life)).or_default().push((copy.id, line));
                }
            }
        }
        (kept, lost)
    }
}
