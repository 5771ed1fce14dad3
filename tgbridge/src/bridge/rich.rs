//! Rich messages, flattened to text: the words of every block in the order of the document, a line for each block and for each row
//! of a table, media as a word, addresses behind the words that lead to them. Takes any tree: what is new in it still gives its
//! words, behind what is known.

use serde_json::{Map, Value};

use super::describe::describe;
use crate::phrases::Language;

/// Deeper blocks than these are left out; Telegram itself nests far less.
const DEPTH_MAX: usize = 32;

/// Keys that are met in this order. All others that hold something come behind them.
const ORDER: [&str; 19] = [
    "label",
    "summary",
    "title",
    "text",
    "expression",
    "alternative_text",
    "photo",
    "video",
    "audio",
    "voice_note",
    "animation",
    "location",
    "header",
    "blocks",
    "items",
    "cells",
    "rows",
    "caption",
    "credit",
];

/// Of these, the ones whose strings are words.
const WORDS: [&str; 9] =
    ["label", "summary", "title", "text", "expression", "alternative_text", "header", "caption", "credit"];

/// Media, which are told as in a message of their own.
const MEDIA: [&str; 6] = ["photo", "video", "audio", "voice_note", "animation", "location"];

/// What stands between the cells of a row.
const BETWEEN_CELLS: &str = " | ";

/// The kinds of rich text, which stand within a line; all other kinds are blocks.
const WITHIN_A_LINE: [&str; 25] = [
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "code",
    "subscript",
    "superscript",
    "marked",
    "url",
    "text_link",
    "mention",
    "text_mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "email_address",
    "phone_number",
    "bank_card_number",
    "custom_emoji",
    "date_time",
    "reference",
    "reference_link",
    "anchor_link",
    "anchor",
];

/// The words of a rich message; empty where it has none.
pub(super) fn flatten(rich: &Value, language: Language) -> String {
    let mut flat = Flat { text: String::new(), language, is_behind_label: false };
    flat.walk(rich, 0);
    let lines = flat.text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

struct Flat {
    text: String,
    language: Language,
    /// What comes next stands on the line of its label.
    is_behind_label: bool,
}

impl Flat {
    fn walk(&mut self, value: &Value, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        match value {
            Value::String(words) => self.text.push_str(words),
            Value::Array(all) => all.iter().for_each(|one| self.walk(one, depth + 1)),
            Value::Object(object) if is_within_a_line(object) => self.pieces(object, depth + 1),
            Value::Object(object) => {
                self.begin_line();
                self.pieces(object, depth + 1);
                self.begin_line();
            }
            _ => {}
        }
    }

    fn pieces(&mut self, object: &Map<String, Value>, depth: usize) {
        for key in ORDER {
            if let Some(value) = object.get(key).filter(|value| !value.is_null()) {
                self.piece(key, value, depth);
            }
        }
        let others = object.iter().filter(|(key, _)| !ORDER.contains(&key.as_str()));
        others.filter(|(_, value)| value.is_object() || value.is_array()).for_each(|(_, value)| {
            self.walk(value, depth);
        });
        if let Some(url) = object.get("url").and_then(Value::as_str) {
            if !url.is_empty() && !self.text.ends_with(url) {
                self.text.push_str(&format!(" ({url})"));
            }
        }
    }

    fn piece(&mut self, key: &str, value: &Value, depth: usize) {
        if MEDIA.contains(&key) {
            let key = if key == "voice_note" { "voice" } else { key };
            self.text.push_str(&describe(&serde_json::json!({ key: value }), self.language));
            return;
        }
        match (key, value) {
            ("cells" | "rows", Value::Array(rows)) => rows.iter().for_each(|row| self.row(row, depth)),
            ("credit", _) => {
                self.text.push_str(if self.is_at_start() { "— " } else { " — " });
                self.walk(value, depth);
            }
            ("caption", _) => {
                self.text.push_str(if self.is_at_start() { "" } else { " " });
                self.walk(value, depth);
            }
            ("summary" | "header" | "title", _) => {
                self.walk(value, depth);
                self.begin_line();
            }
            ("label", _) => {
                self.walk(value, depth);
                self.text.push(' ');
                self.is_behind_label = true;
            }
            (word, Value::String(_)) if !WORDS.contains(&word) => {}
            _ => self.walk(value, depth),
        }
    }

    /// A row of cells is one line.
    fn row(&mut self, row: &Value, depth: usize) {
        self.begin_line();
        match row {
            Value::Array(cells) => {
                for (number, cell) in cells.iter().enumerate() {
                    self.text.push_str(if number > 0 { BETWEEN_CELLS } else { "" });
                    self.walk(cell, depth + 1);
                }
            }
            other => self.walk(other, depth + 1),
        }
        self.begin_line();
    }

    fn begin_line(&mut self) {
        if !std::mem::take(&mut self.is_behind_label) && !self.is_at_start() {
            self.text.push('\n');
        }
    }

    fn is_at_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }
}

/// Rich text of a kind that stands within a line; or what has no kind and is no item of a list: a caption, a cell.
fn is_within_a_line(object: &Map<String, Value>) -> bool {
    match object.get("type").and_then(Value::as_str) {
        Some(kind) => WITHIN_A_LINE.contains(&kind),
        None => !object.contains_key("blocks") && !object.contains_key("label"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rich_text_is_flattened_block_by_block_in_its_order() {
        let rich = json!({"blocks": [
            {"type": "heading", "text": "Título", "size": 1},
            {"type": "paragraph", "text": ["uno ", {"type": "bold", "text": "dos"}, " tres"]},
            {"type": "paragraph", "text": ["mira ", {"type": "url", "text": "aquí", "url": "https://example.org/"}, " ya"]},
            {"type": "list", "items": [
                {"label": "1.", "blocks": [{"type": "paragraph", "text": "a"}]},
                {"label": "2.", "blocks": [{"type": "paragraph", "text": "b"}, {"type": "paragraph", "text": "c"}]},
            ]},
            {"type": "photo", "photo": [{"file_id": "x"}], "caption": {"text": "el mar", "credit": "Ana"}},
            {"type": "details", "summary": "más", "blocks": [{"type": "paragraph", "text": "dentro"}]},
            {"type": "table", "cells": [[{"text": "a1"}, {"text": ["b", {"type": "bold", "text": "1"}]}], [{"text": "a2"}, {"text": "b2"}]], "caption": "tabla"},
            {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "cita"}], "credit": "Luis"},
            {"type": "pullquote", "text": "otra", "credit": "Eva"},
            {"type": "mathematical_expression", "expression": "x^2"},
            {"type": "divider"},
            {"type": "voice_note", "voice_note": {"duration": 65}},
            {"type": "of_tomorrow", "text": "palabras", "alpha": [{"type": "paragraph", "text": "y más"}]},
            {"type": "footer", "text": "fin"},
        ]});
        let lines = [
            "Título",
            "uno dos tres",
            "mira aquí (https://example.org/) ya",
            "1. a",
            "2. b",
            "c",
            "[foto] el mar — Ana",
            "más",
            "dentro",
            "a1 | b1",
            "a2 | b2",
            "tabla",
            "cita",
            "— Luis",
            "otra — Eva",
            "x^2",
            "[nota de voz, 1:05]",
            "palabras",
            "y más",
            "fin",
        ];
        assert_eq!(flatten(&rich, Language::Es), lines.join("\n"));
    }

    #[test]
    fn a_tree_as_deep_as_one_likes_ends() {
        let deep = (0..200).fold(json!({"text": "x"}), |inner, _| json!({"blocks": [inner]}));
        assert_eq!(flatten(&deep, Language::Es), "");
    }
}
