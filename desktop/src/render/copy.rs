//! What is selected, as clean text: what was said, who said it and when where several lines are; no buttons, no rules.

use super::row::{Row, RowKind, row, row_position};
use crate::model::{EntryId, Model};

/// A place in the transcript: a byte of a row's body, all its pieces together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The row.
    pub entry: EntryId,
    /// In bytes; past the end, or inside a character, counts as the place before.
    pub byte: usize,
}

/// The text between two points, in whichever order. Within one row, that piece of its body; over several rows each as
/// `[18:03] Ana: hola`, the first and the last as far as they are selected. Rows that are gone count as the nearest.
pub fn copy_text(model: &Model, one: Point, other: Point) -> String {
    let place = |point: Point| row_position(model, point.entry).map(|position| (position, point.byte));
    let (Some(one), Some(other)) = (place(one), place(other)) else { return String::new() };
    let (from, to) = if one <= other { (one, other) } else { (other, one) };
    if from.0 == to.0 {
        return row(model, from.0).map(|row| cut(&body(&row), from.1, to.1).to_owned()).unwrap_or_default();
    }
    let mut lines = Vec::new();
    for position in from.0..=to.0 {
        let Some(row) = row(model, position).filter(|row| row.kind != RowKind::Hidden) else { continue };
        let body = body(&row);
        let start = if position == from.0 { from.1 } else { 0 };
        let end = if position == to.0 { to.1 } else { body.len() };
        lines.push(line(&row, cut(&body, start, end), start == 0));
    }
    lines.join("\n")
}

fn body(row: &Row) -> String {
    row.body.iter().map(|span| span.text.as_str()).collect()
}

fn line(row: &Row, text: &str, is_from_start: bool) -> String {
    match (&row.name, is_from_start) {
        (_, false) => text.to_owned(),
        (Some(name), true) => format!("[{}] {}: {text}", row.time, name.text),
        (None, true) => format!("[{}] {text}", row.time),
    }
}

fn cut(text: &str, from: usize, to: usize) -> &str {
    let boundary = |at: usize| {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    text.get(boundary(from)..boundary(to.max(from))).unwrap_or_default()
}
