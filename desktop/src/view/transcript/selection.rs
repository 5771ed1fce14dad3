//! What is selected in the transcript, and what is copied of it.

use super::Transcript;
use crate::model::{EntryId, Model};
use crate::render::{self, Point};

impl Transcript {
    /// What is selected, if this row is a part of it; else all of the row.
    pub(in crate::view) fn copied_of(&self, model: &Model, entry: EntryId) -> String {
        let position = render::row_position(model, entry);
        let is_selected = {
            let state = self.state.borrow();
            let holds = |((from, _), (to, _)): ((usize, usize), (usize, usize))| {
                position.is_some_and(|position| (from..=to).contains(&position))
            };
            state.selected_rows.is_some_and(holds)
        };
        if is_selected {
            return self.selected(model);
        }
        let point = |byte| Point { entry, byte };
        render::copy_text(model, point(0), point(usize::MAX))
    }

    /// What is selected, or the keyboard's row, as text.
    pub(in crate::view) fn selected(&self, model: &Model) -> String {
        let state = self.state.borrow();
        let row = |entry| (Point { entry, byte: 0 }, Point { entry, byte: usize::MAX });
        let range = state.selection.or(state.cursor.filter(|_| state.is_focused).map(row));
        range.map(|(from, to)| render::copy_text(model, from, to)).unwrap_or_default()
    }

    /// All rows are selected.
    pub(in crate::view) fn select_all(&mut self, model: &Model) {
        let entry = |row| render::row_key(model, row).map(|(entry, _)| entry);
        let last = render::row_count(model).saturating_sub(1);
        if let (Some(first), Some(last)) = (entry(0), entry(last)) {
            let point = |entry, byte| Point { entry, byte };
            self.state.borrow_mut().selection = Some((point(first, 0), point(last, usize::MAX)));
        }
        self.settle(model);
    }

    /// Nothing is selected or marked any more. False: nothing was.
    pub(in crate::view) fn forget_selection(&mut self) -> bool {
        let mut state = self.state.borrow_mut();
        let had = state.selection.take().is_some() | state.marked.take().is_some();
        state.selected_rows = None;
        if had {
            self.redraw();
        }
        had
    }
}

/// Two points as rows and bytes, the upper one first. None: one of them is gone.
pub(super) fn rows_between(
    model: &Model,
    one: Point,
    other: Point,
) -> Option<((usize, usize), (usize, usize))> {
    let one = (render::row_position(model, one.entry)?, one.byte);
    let other = (render::row_position(model, other.entry)?, other.byte);
    Some(if one <= other { (one, other) } else { (other, one) })
}
