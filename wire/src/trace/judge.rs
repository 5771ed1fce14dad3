//! What can be said of each line once everything is known.

use super::Record;
use super::check::Check;
use super::lines::{Answer, LineId};
use super::violation::Violation;
use super::words::Map;

impl Check<'_> {
    pub(super) fn judge_lines(&mut self) {
        let mut last_of: Map<u32, (LineId, u64)> = Map::default();
        for line in self.lines.ids() {
            self.judge_answer(line);
            self.judge_refused(line);
            self.judge_ids(line);
            let Some(state) = self.lines.get(line) else { continue };
            // A session's lines have ids in the order in which it sent them.
            let Some((session, id)) = state.first_id().map(|id| (state.session, id)) else { continue };
            let before = last_of.insert(session.0, (line, id));
            if let Some((first, first_id)) = before.filter(|(_, before)| *before > id) {
                let (first, second) = (self.quote(first), self.quote(line));
                self.report.add(Violation::SenderReordered { first, first_id, second, second_id: id });
            }
        }
    }

    fn judge_answer(&mut self, line: LineId) {
        self.counts().said += 1;
        let Some(state) = self.lines.get(line) else { return };
        let (answer, kept) = (state.answer, state.kept);
        match answer {
            Answer::Acked { id, .. } => {
                self.counts().acknowledged += 1;
                if kept.is_none() && id > self.history.pruned_to {
                    let line = self.quote(line);
                    self.report.add(Violation::AckedMissing { line, id });
                }
            }
            Answer::NotKept { .. } => self.counts().not_kept += 1,
            Answer::None if self.lines.sayings(line).all(|saying| saying.is_refused) => {}
            Answer::None => {
                self.counts().unanswered += 1;
                self.counts().unanswered_kept += u64::from(kept.is_some());
            }
        }
    }

    fn judge_refused(&mut self, line: LineId) {
        let sayings = self.lines.sayings(line).filter(|saying| saying.is_refused);
        for saying in sayings.filter(|saying| self.lines.is_refused(line, saying.said)).collect::<Vec<_>>() {
            let slice = saying.heard_in.and_then(|number| self.slices.get(number as usize));
            if let Some(ear) = slice.map(|slice| self.ear(&slice.place)) {
                let mut line = self.quote(line);
                line.text = self.excerpt(saying.said.text);
                self.report.add(Violation::RefusedHeard { ear, line });
            }
            let kept = self.lines.get(line).and_then(|state| state.kept);
            if let Some(id) = kept.filter(|_| saying.is_kept) {
                let mut line = self.quote(line);
                line.text = self.excerpt(saying.said.text);
                self.report.add(Violation::RefusedKept { line, id });
            }
        }
    }

    /// A line gets another id only when a death of the relay has lost it; then a greater one.
    fn judge_ids(&mut self, line: LineId) {
        let Some(state) = self.lines.get(line) else { return };
        let final_id = state.final_id();
        let is_plain = state.copy.is_none_or(|copy| final_id.is_none_or(|id| id == copy.id));
        if is_plain && !self.lines.has_more_copies(line) {
            return;
        }
        let copies = self.lines.copies(line);
        let pairs = copies.iter().zip(copies.iter().skip(1));
        let mut wrong =
            pairs.filter(|(one, next)| next.first_life <= one.last_life).map(|(one, next)| (one.id, next.id));
        let mut unexplained = copies.iter().filter_map(|copy| {
            let id = final_id.filter(|id| *id != copy.id)?;
            (id < copy.id || copy.last_life >= self.life).then_some((copy.id, id))
        });
        if let Some((first, second)) = wrong.next().or(unexplained.next()) {
            let line = self.quote(line);
            self.report.add(Violation::TwoIds { line, first, second });
        }
    }

    /// Finds who heard a line again under another id. After a death of the relay that is counted only.
    pub(super) fn judge_repeats(&mut self) {
        if !self.lines.some_have_more_copies() {
            return;
        }
        let mut heard: Map<(u32, u32), (u64, u32)> = Map::default();
        for record in &self.trace.records {
            let Record::Heard { reader, id, sid, label, .. } = *record else { continue };
            let Some(line) = self.line_of(sid, label).filter(|line| self.lines.has_more_copies(*line)) else {
                continue;
            };
            let Some(place) = self.slices.get(reader.0 as usize).map(|slice| slice.place) else { continue };
            let before = heard.insert((place.session.0, line.0), (id, place.life));
            let Some((first, life)) = before.filter(|(first, _)| *first != id) else { continue };
            if life != place.life {
                self.counts().heard_again += 1;
                continue;
            }
            let (ear, line) = (self.ear(&place), self.quote(line));
            self.report.add(Violation::HeardAgain { ear, line, first, second: id });
        }
    }
}
