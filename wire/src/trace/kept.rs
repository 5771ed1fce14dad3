//! What is in the history, held against what was said and answered.

use super::check::Check;
use super::lines::Answer;
use super::violation::Violation;
use super::words::{Map, Word, hash};
use crate::time::rfc3339;

impl Check<'_> {
    pub(super) fn read_history(&mut self) {
        let mut last: Map<Word, u64> = Map::default();
        for row in &self.history.rows {
            self.counts().kept += 1;
            let before = last.insert(row.said.room, row.id).unwrap_or_default();
            if row.id < before {
                let room = self.excerpt(row.said.room);
                self.report.add(Violation::HistoryUnsorted { room, before, id: row.id });
            }
            let found = self.match_found((row.sid, row.label), row.id, row.said, None);
            let Some(line) = found else { continue };
            self.note_id(line, row.id);
            let Some(state) = self.lines.get_mut(line) else { continue };
            let answer = state.answer;
            if let Some(first) = state.kept {
                let line = self.quote(line);
                self.report.add(Violation::KeptTwice { line, first, second: row.id });
                continue;
            }
            state.kept = Some(row.id);
            match answer {
                Answer::Acked { id, .. } if id != row.id => {
                    let line = self.quote(line);
                    self.report.add(Violation::AckedUnderOtherId { line, acked: id, kept: row.id });
                }
                Answer::Acked { id, time } if time != hash(&rfc3339(row.unix_ms)) => {
                    let line = self.quote(line);
                    self.report.add(Violation::TimeDiffers { line, id });
                }
                Answer::NotKept { .. } => {
                    let line = self.quote(line);
                    self.report.add(Violation::NotKeptIsKept { line, id: row.id });
                }
                Answer::Acked { .. } | Answer::None => {}
            }
        }
    }
}
