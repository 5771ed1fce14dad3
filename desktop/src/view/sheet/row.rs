//! The rows of a sheet: what is asked, and what stands there.

use fltk::button::CheckButton;
use fltk::frame::Frame;
use fltk::input::{Input as Field, SecretInput};
use fltk::prelude::*;
use tertulia_wire::secret::Secret;

use super::choice::Choice;
use super::form::Form;
use crate::view::paint::Brush;

/// Something to fill in.
pub(super) enum Control {
    Field(Field),
    /// What is typed is not shown.
    Secret(SecretInput),
    Choice(Choice),
    Check(CheckButton),
}

/// A row: what is asked, and where the answer goes.
pub(super) struct FormRow {
    pub(super) label: Option<Frame>,
    pub(super) control: Control,
}

impl Form {
    /// What stands in the n-th row, if it is a field.
    pub(super) fn text(&self, row: usize) -> String {
        match self.rows.get(row).map(|row| &row.control) {
            Some(Control::Field(field)) => field.value(),
            _ => String::new(),
        }
    }

    /// What stands in each row, as [`crate::model::Answer`] has it.
    pub(super) fn values(&self) -> Vec<Secret<String>> {
        let value = |row: &FormRow| match &row.control {
            Control::Field(field) => field.value(),
            Control::Secret(field) => field.value(),
            Control::Choice(choice) => choice.chosen().to_string(),
            Control::Check(check) if check.is_checked() => "1".to_owned(),
            Control::Check(_) => String::new(),
        };
        self.rows.iter().map(value).map(Secret).collect()
    }

    /// Which is chosen in the n-th row.
    pub(super) fn chosen(&self, row: usize) -> usize {
        match self.rows.get(row).map(|row| &row.control) {
            Some(Control::Choice(choice)) => choice.chosen(),
            _ => 0,
        }
    }

    /// Whether the n-th row is checked.
    pub(super) fn is_checked(&self, row: usize) -> bool {
        matches!(self.rows.get(row).map(|row| &row.control), Some(Control::Check(check)) if check.is_checked())
    }
}

pub(super) fn row_height(brush: &Brush, row: &FormRow) -> i32 {
    let is_check = matches!(row.control, Control::Check(_));
    brush.gap() + if is_check { brush.line() } else { brush.control() - brush.gap() / 2 }
}
