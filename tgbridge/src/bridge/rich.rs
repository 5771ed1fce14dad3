//! Rich messages, flattened to text: the words of every block in their order, a line for each block, media as a word.
//! Takes any tree: what is new in it still gives its words.

use serde_json::Value;

use super::describe::describe;
use crate::phrases::Language;

/// Deeper blocks than these are left out; Telegram itself nests far less.
const DEPTH_MAX: usize = 32;

/// Keys whose strings are words.
const WORDS: [&str; 5] = ["text", "expression", "label", "title", "alternative_text"];

/// Media, which are told as in a message of their own.
const MEDIA: [&str; 6] = ["photo", "video", "audio", "voice_note", "animation", "location"];

/// The words of a rich message; empty where it has none.
pub(super) fn flatten(rich: &Value, language: Language) -> String {
    let mut text = String::new();
    collect(rich, language, &mut text, 0);
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn collect(value: &Value, language: Language, text: &mut String, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect_piece(one, language, text, depth)),
        Value::Object(object) => {
            for (key, inner) in object {
                if MEDIA.contains(&key.as_str()) {
                    let key = if key == "voice_note" { "voice" } else { key };
                    text.push_str(&describe(&serde_json::json!({ key: inner }), language));
                } else if WORDS.contains(&key.as_str()) {
                    collect_piece(inner, language, text, depth);
                } else if inner.is_object() || inner.is_array() {
                    collect(inner, language, text, depth + 1);
                }
            }
            if is_block(value) {
                text.push('\n');
            }
        }
        _ => {}
    }
}

/// Words, or what holds some.
fn collect_piece(value: &Value, language: Language, text: &mut String, depth: usize) {
    match value {
        Value::String(words) => text.push_str(words),
        other => collect(other, language, text, depth + 1),
    }
}

/// Blocks stand on lines of their own; pieces of rich text within a line are told apart by their types.
fn is_block(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    let within_a_line = [
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
    !within_a_line.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rich_text_is_flattened_block_by_block() {
        let rich = json!({"blocks": [
            {"type": "heading", "text": "Título", "size": 1},
            {"type": "paragraph", "text": ["uno ", {"type": "bold", "text": "dos"}, " tres"]},
            {"type": "list", "items": [{"label": "1.", "blocks": [{"type": "paragraph", "text": " a"}]}]},
            {"type": "photo", "photo": [{"file_id": "x"}], "caption": {"text": "el mar"}},
            {"type": "of_tomorrow", "text": "palabras"},
        ]});
        let text = flatten(&rich, Language::Es);
        for words in ["Título\n", "uno dos tres\n", " a\n", "[foto]", "el mar", "palabras"] {
            assert!(text.contains(words), "{words:?} in {text:?}");
        }
    }

    #[test]
    fn a_tree_as_deep_as_one_likes_ends() {
        let deep = (0..200).fold(json!({"text": "x"}), |inner, _| json!({"blocks": [inner]}));
        assert_eq!(flatten(&deep, Language::Es), "");
    }
}
