//! Tab: the word before the cursor becomes a name, or a command; again, the next one.

use super::{Kind, Model};
use crate::fold::name_key;

/// What Tab offers, and which of it stands in the input.
#[derive(Debug)]
pub(super) struct Completion {
    /// Where the word begins, in bytes.
    start: usize,
    candidates: Vec<String>,
    chosen: usize,
    /// The input as the last Tab left it.
    text: String,
    cursor: usize,
}

impl Model {
    pub(super) fn complete(&mut self, is_backwards: bool) {
        let draft = &self.conversations.shown().draft;
        let (text, cursor) = (draft.text.clone(), draft.cursor);
        let running = self.completion.take().filter(|last| last.text == text && last.cursor == cursor);
        let next = match running {
            Some(last) => {
                let count = last.candidates.len().max(1);
                let step = if is_backwards { count - 1 } else { 1 };
                Completion { chosen: (last.chosen + step) % count, ..last }
            }
            None => {
                let (start, candidates) = self.candidates(&text, cursor);
                let chosen = if is_backwards { candidates.len().saturating_sub(1) } else { 0 };
                Completion { start, candidates, chosen, text: text.clone(), cursor }
            }
        };
        let Some(word) = next.candidates.get(next.chosen) else { return };
        let (before, after) = (text.get(..next.start), text.get(cursor..));
        let (Some(before), Some(after)) = (before, after) else { return };
        let completed = format!("{before}{word}{after}");
        let cursor = next.start + word.len();
        self.set_input(completed.clone(), cursor);
        self.completion = Some(Completion { text: completed, cursor, ..next });
    }

    /// Where the word before the cursor begins, and what it may become.
    fn candidates(&self, text: &str, cursor: usize) -> (usize, Vec<String>) {
        let before = text.get(..cursor).unwrap_or_default();
        let is_break = |c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '«' | '¿' | '¡' | '@');
        let start = before.rfind(is_break).map_or(0, |at| {
            at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        });
        let word = before.get(start..).unwrap_or_default();
        if word.is_empty() {
            return (start, Vec::new());
        }
        if start == 0 {
            if let Some(command) = word.strip_prefix('/') {
                let names = super::slash::names_beginning_with(command, self.language());
                return (0, names.iter().map(|name| format!("/{name} ")).collect());
            }
        }
        let ending = if start == 0 { ": " } else { " " };
        let names = self.names_beginning_with(&name_key(word));
        (start, names.into_iter().map(|name| format!("{name}{ending}")).collect())
    }

    fn names_beginning_with(&self, start: &str) -> Vec<String> {
        let shown = self.conversations.shown();
        let own = name_key(&self.name);
        let mut names: Vec<String> = match shown.kind {
            Kind::Room => shown.people.beginning_with(start).into_iter().map(str::to_owned).collect(),
            Kind::Private => vec![shown.name.clone()],
        };
        names.retain(|name| {
            let key = name_key(name);
            key.starts_with(start) && key != own
        });
        names
    }
}
