//! Goes through the records in their order. What can only be told at the end is left to `judge` and `slices`.

use super::lines::{Answer, LineId, Lines, Match, Moment};
use super::report::{Counts, Report};
use super::slices::{Place as SlicePlace, Slice};
use super::violation::{Ear, Place, Quoted, Violation};
use super::words::{Map, Word};
use super::{History, Reader, Record, Said, Session, Trace};

/// Whether a run kept its promises. `history` is what was read back behind the last record. A million records take
/// less than a second.
pub fn check(trace: &Trace, history: &History) -> Report {
    let mut check = Check::new(trace, history);
    if trace.dropped > 0 {
        check.report.add(Violation::TraceFull { dropped: trace.dropped });
    }
    for record in &trace.records {
        if let Record::Hello { session, sid } = *record {
            check.note_hello(session, sid);
        }
    }
    for (number, record) in trace.records.iter().enumerate() {
        check.replay(number, *record);
    }
    check.read_history();
    check.judge_lines();
    check.judge_repeats();
    check.judge_slices();
    check.report
}

pub(super) struct Check<'a> {
    pub(super) trace: &'a Trace,
    pub(super) history: &'a History,
    pub(super) report: Report,
    pub(super) lines: Lines,
    pub(super) slices: Vec<Slice>,
    /// Whose line has which id.
    by_id: Map<u64, LineId>,
    by_sid: Map<u64, Session>,
    sids: Map<u32, u64>,
    /// The greatest id that anybody knows.
    newest: u64,
    /// Deaths of the relay.
    pub(super) life: u32,
}

impl<'a> Check<'a> {
    fn new(trace: &'a Trace, history: &'a History) -> Self {
        Self {
            trace,
            history,
            report: Report::default(),
            lines: Lines::default(),
            slices: Vec::new(),
            by_id: Map::default(),
            by_sid: Map::default(),
            sids: Map::default(),
            newest: 0,
            life: 0,
        }
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        &mut self.report.counts
    }

    fn note_hello(&mut self, session: Session, sid: u64) {
        let holder = *self.by_sid.entry(sid).or_insert(session);
        if holder != session {
            self.report.add(Violation::SidShared { sid, first: holder.0, second: session.0 });
        }
        let first = *self.sids.entry(session.0).or_insert(sid);
        if first != sid {
            self.report.add(Violation::SidChanged { session: session.0, first, second: sid });
        }
    }

    fn replay(&mut self, number: usize, record: Record) {
        match record {
            Record::Hello { .. } => {}
            Record::Said { session, label, said } => {
                let moment = Moment { at: number, newest: self.newest, life: self.life };
                self.lines.note_said(session, label, said, moment);
            }
            Record::Acked { session, label, id, time } => self.note_acked(session, label, id, time),
            Record::Refused { session, label } => self.note_refused(session, label),
            Record::NotKept { session, label, id } => self.note_not_kept(session, label, id),
            Record::Listens { session, room, behind, is_resumed } => {
                self.counts().readers += 1;
                self.counts().resumed += u64::from(is_resumed);
                let place =
                    SlicePlace { session, room, behind, is_resumed, life: self.life, began_at: number };
                self.slices.push(Slice::new(place));
            }
            Record::Heard { reader, id, sid, label, name, text } => {
                self.note_heard(reader, id, (sid, label), name, text);
            }
            Record::Gap { reader, from, to } => self.note_gap(reader, from, to),
            Record::CaughtUp { reader, id } => {
                if let Some(slice) = self.slices.get_mut(reader.0 as usize) {
                    slice.end = slice.end.max(id);
                }
            }
            Record::Faulty { session, fault, line } => {
                let (session, line) = (session.map(|session| session.0), self.excerpt(line));
                self.report.add(Violation::LineFaulty { session, fault, line });
            }
            Record::Cut => self.counts().cuts += 1,
            Record::Died => {
                self.counts().deaths += 1;
                self.life += 1;
            }
        }
    }

    fn note_acked(&mut self, session: Session, label: Word, id: u64, time: Word) {
        let Some(line) = self.answered(session, label) else { return };
        self.note_id(line, id);
        let Some(state) = self.lines.get_mut(line) else { return };
        match state.answer {
            Answer::None => (state.answer, state.answered_in) = (Answer::Acked { id, time }, self.life),
            Answer::Acked { id: first, .. } if first != id => {
                let quoted = self.quote(line);
                self.report.add(Violation::AckedTwice { line: quoted, first, second: id });
            }
            Answer::Acked { time: first, .. } if first != time => {
                let quoted = self.quote(line);
                self.report.add(Violation::TimeDiffers { line: quoted, id });
            }
            Answer::Acked { .. } => {}
            Answer::NotKept { id: first } => self.add_answers_differ(line, first, id),
        }
    }

    fn note_not_kept(&mut self, session: Session, label: Word, id: u64) {
        let Some(line) = self.answered(session, label) else { return };
        self.note_id(line, id);
        let Some(state) = self.lines.get_mut(line) else { return };
        match state.answer {
            Answer::None => (state.answer, state.answered_in) = (Answer::NotKept { id }, self.life),
            Answer::NotKept { id: first } if first == id => {}
            Answer::NotKept { id: first } | Answer::Acked { id: first, .. } => {
                self.add_answers_differ(line, first, id);
            }
        }
    }

    fn add_answers_differ(&mut self, line: LineId, first: u64, second: u64) {
        let line = self.quote(line);
        self.report.add(Violation::AnswersDiffer { line, first, second });
    }

    fn note_refused(&mut self, session: Session, label: Word) {
        self.counts().refused += 1;
        if let Some(line) = self.answered(session, label) {
            self.lines.note_refused(line);
        }
    }

    fn answered(&mut self, session: Session, label: Word) -> Option<LineId> {
        let line = self.lines.find(session, label);
        if line.is_none() {
            let label = self.excerpt(label);
            self.report.add(Violation::AnsweredUnasked { session: session.0, label });
        }
        line
    }

    fn note_heard(&mut self, reader: Reader, id: u64, key: (u64, Word), name: Word, text: Word) {
        self.counts().heard += 1;
        let Some(slice) = self.slices.get_mut(reader.0 as usize) else { return };
        let place = slice.place;
        let out_of_order = slice.note_heard(id);
        if let Some(disorder) = out_of_order {
            let ear = self.ear(&place);
            self.report.add(disorder.of(ear, id));
        }
        let found = Said { room: place.room, name, text };
        let Some(line) = self.match_found(key, id, found, Some(reader)) else { return };
        self.note_id(line, id);
        self.lines.note_copy(line, id, place.life);
        let Some(state) = self.lines.get(line) else { return };
        // What it said on an earlier connection may well come when it resumes.
        if state.session == place.session && state.said_at > place.began_at {
            let (ear, line) = (self.ear(&place), self.quote(line));
            self.report.add(Violation::OwnLineHeard { ear, line, id });
        }
    }

    fn note_gap(&mut self, reader: Reader, from: u64, to: u64) {
        self.counts().gaps += 1;
        let Some(slice) = self.slices.get_mut(reader.0 as usize) else { return };
        let (place, has) = (slice.place, slice.position);
        if !slice.note_gap(from, to) {
            let ear = self.ear(&place);
            self.report.add(Violation::GapMisplaced { ear, from, to, has });
        }
    }

    pub(super) fn line_of(&self, sid: u64, label: Word) -> Option<LineId> {
        self.lines.find(*self.by_sid.get(&sid)?, label)
    }

    /// The line with this key, if there is one. Says what is wrong with what was found of it.
    pub(super) fn match_found(
        &mut self,
        (sid, label): (u64, Word),
        id: u64,
        found: Said,
        reader: Option<Reader>,
    ) -> Option<LineId> {
        let line = self.line_of(sid, label);
        let outcome = line.map(|line| self.lines.match_found(line, found, reader.map(|reader| reader.0)));
        // That it was said may be among what was dropped.
        let may_be_dropped = line.is_none() && self.trace.dropped > 0;
        if outcome == Some(Match::Same) || may_be_dropped {
            return line;
        }
        let slice = reader.and_then(|reader| self.slices.get(reader.0 as usize));
        let place = slice.map_or(Place::History, |slice| Place::Heard(self.ear(&slice.place)));
        let quoted = line.map(|line| self.quote(line));
        let violation = match (quoted, outcome) {
            (Some(line), Some(Match::OtherName(said))) => {
                let (said, found) = (self.excerpt(said.name), self.excerpt(found.name));
                Violation::NameForged { place, line, id, said, found }
            }
            (Some(line), Some(Match::OtherRoom(said))) => {
                let (said, found) = (self.excerpt(said.room), self.excerpt(found.room));
                Violation::WrongRoom { place, line, id, said, found }
            }
            (Some(mut line), Some(Match::OtherText(said))) => {
                line.text = self.excerpt(said.text);
                Violation::TextChanged { place, line, id, found: self.excerpt(found.text) }
            }
            _ => {
                let line = Quoted { sid, label: self.excerpt(label), text: self.excerpt(found.text) };
                Violation::NobodySaid { place, line, id }
            }
        };
        self.report.add(violation);
        line
    }

    /// The line was seen with this id.
    pub(super) fn note_id(&mut self, line: LineId, id: u64) {
        self.newest = self.newest.max(id);
        let holder = match self.by_id.get(&id) {
            Some(holder) if *holder == line => return,
            Some(holder) => *holder,
            None => {
                self.by_id.insert(id, line);
                let known = self.lines.get(line).map_or(0, |state| state.floor);
                if id <= known {
                    let line = self.quote(line);
                    self.report.add(Violation::IdBackInTime { line, id, known });
                }
                return;
            }
        };
        let (first, second) = (self.quote(holder), self.quote(line));
        self.report.add(Violation::IdReused { id, first, second });
    }

    pub(super) fn quote(&self, line: LineId) -> Quoted {
        let Some(state) = self.lines.get(line) else {
            return Quoted { sid: 0, label: String::new(), text: String::new() };
        };
        let sid = self.sids.get(&state.session.0).copied().unwrap_or_default();
        // The first one: under a label that is used again, the one that was taken.
        let text =
            self.lines.sayings(line).last().map_or(String::new(), |saying| self.excerpt(saying.said.text));
        Quoted { sid, label: self.excerpt(state.label), text }
    }

    pub(super) fn ear(&self, place: &SlicePlace) -> Ear {
        Ear { session: place.session.0, room: self.excerpt(place.room), deaths: place.life }
    }

    pub(super) fn excerpt(&self, word: Word) -> String {
        let words = [&self.trace.words, &self.history.words];
        words.into_iter().find_map(|words| words.excerpt(word)).unwrap_or_default().to_owned()
    }
}
