//! The input: text in several lines, of which Enter sends and Shift+Enter breaks, and which grows with what stands in it.

use fltk::app;
use fltk::draw;
use fltk::enums::{Align, CallbackTrigger, Event, FrameType, Key, LabelType, Shortcut};
use fltk::prelude::*;
use fltk::text::{Cursor, TextBuffer, TextEditor, WrapMode};

use super::keys;
use super::paint::{Brush, REGULAR, color};
use super::post::{Post, Wish};
use crate::model::Act;

/// Lines that the input shows; what has more is scrolled.
const LINES_SEEN_MAX: i32 = 6;

/// The widget.
#[derive(Clone)]
pub(super) struct Input {
    pub(super) widget: TextEditor,
    buffer: TextBuffer,
}

impl Input {
    /// Inside the group that is open.
    pub(super) fn new(brush: Brush, post: &Post) -> Self {
        let mut widget = TextEditor::new(0, 0, 10, 10, None);
        let buffer = TextBuffer::default();
        widget.set_buffer(buffer.clone());
        widget.wrap_mode(WrapMode::AtBounds, 0);
        widget.set_frame(FrameType::FlatBox);
        // The toolkit would put it above the widget; it is drawn inside while nothing stands there.
        widget.set_label_type(LabelType::None);
        widget.set_cursor_style(Cursor::Simple);
        widget.set_trigger(CallbackTrigger::Changed);
        // Else what the closure has done is done again by the toolkit: Enter would send and break the line.
        widget.super_handle_first(false);
        let edited = post.clone();
        widget.set_callback(move |_| edited.send(Wish::Edited));
        let hands = post.clone();
        widget.handle(move |editor, event| handle(editor, event, &hands));
        widget.draw(draw_label);
        let mut input = Self { widget, buffer };
        input.restyle(brush);
        input
    }

    pub(super) fn restyle(&mut self, brush: Brush) {
        let palette = brush.palette();
        self.widget.set_text_font(REGULAR);
        self.widget.set_text_size(brush.size);
        self.widget.set_text_color(color(palette.text));
        self.widget.set_color(color(palette.background));
        self.widget.set_cursor_color(color(palette.text));
        self.widget.set_selection_color(color(palette.selection));
        self.widget.set_label_color(color(palette.muted));
        self.widget.set_label_size(brush.size);
        self.widget.set_scrollbar_size(brush.scroll_width());
        self.widget.redraw();
    }

    /// All that stands in it, and where the cursor is, in bytes.
    pub(super) fn content(&self) -> (String, usize) {
        content(&self.widget)
    }

    /// Other text.
    pub(super) fn set(&mut self, text: &str, cursor: usize) {
        if text_of(&self.buffer) != text {
            self.buffer.set_text(text);
        }
        self.widget.set_insert_position(i32::try_from(cursor).unwrap_or(i32::MAX));
        self.widget.show_insert_position();
        self.widget.redraw();
    }

    /// Text at the cursor, in place of what is selected.
    pub(super) fn insert(&mut self, text: &str) {
        self.buffer.remove_selection();
        self.widget.insert(text);
        self.widget.show_insert_position();
    }

    /// What is said in the empty input, and to who cannot see it.
    pub(super) fn set_label(&mut self, label: &str) {
        if self.widget.label() != label {
            self.widget.set_label(label);
            self.widget.redraw();
        }
    }

    /// How high it is to be, for what stands in it and its width. It has a bar only once not all of it is seen: the toolkit
    /// would show one earlier.
    pub(super) fn wanted_height(&mut self, brush: &Brush) -> i32 {
        let lines = breaks_before(&self.widget, &self.buffer, self.buffer.length(), LINES_SEEN_MAX) + 1;
        let bar = if lines > LINES_SEEN_MAX { Align::Right } else { Align::empty() };
        if self.widget.scrollbar_align() != bar {
            self.widget.set_scrollbar_align(bar);
            // The toolkit looks at it when the size changes.
            let (x, y, w, h) = (self.widget.x(), self.widget.y(), self.widget.w(), self.widget.h());
            self.widget.resize(x, y, w, h + 1);
            self.widget.resize(x, y, w, h);
        }
        draw::set_font(REGULAR, brush.size);
        lines.clamp(1, LINES_SEEN_MAX) * draw::height() + brush.gap()
    }
}

/// All that stands in a buffer, byte by byte: the binding never gives back what its own way to ask for text takes, and
/// that is asked for with every key.
fn text_of(buffer: &TextBuffer) -> String {
    let bytes = (0..buffer.length()).map(|place| buffer.byte_at(place)).collect();
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn content(editor: &TextEditor) -> (String, usize) {
    let text = editor.buffer().map(|buffer| text_of(&buffer)).unwrap_or_default();
    (text, usize::try_from(editor.insert_position()).unwrap_or_default())
}

fn handle(editor: &mut TextEditor, event: Event, post: &Post) -> bool {
    match event {
        Event::KeyDown => key(editor, post),
        // The cursor may be elsewhere, and the model knows where.
        Event::KeyUp | Event::Released => {
            post.send(Wish::Edited);
            false
        }
        Event::Paste => {
            edit(editor, post);
            post.send(Wish::Act(Act::Paste(app::event_text())));
            true
        }
        _ => false,
    }
}

fn edit(editor: &TextEditor, post: &Post) {
    let (text, cursor) = content(editor);
    post.send(Wish::Act(Act::Edit { text, cursor }));
}

fn key(editor: &mut TextEditor, post: &Post) -> bool {
    if post.is_covered() {
        return false;
    }
    let state = app::event_state();
    let is_plain = !state.intersects(Shortcut::Shift | Shortcut::Ctrl | Shortcut::Alt | Shortcut::Meta);
    let act = match app::event_key() {
        // An input method that composes has Enter for itself.
        Key::Enter | Key::KPEnter if is_plain && !is_composing(app::compose_state(), &app::event_text()) => {
            Act::Send
        }
        Key::Tab if is_plain || state.contains(Shortcut::Shift) && !state.contains(Shortcut::Ctrl) => {
            Act::Complete { backwards: state.contains(Shortcut::Shift) }
        }
        Key::Up if is_plain && is_first_row(editor) => Act::Earlier,
        Key::Down if is_plain && is_last_row(editor) => Act::Later,
        _ => return keys::press(post),
    };
    edit(editor, post);
    post.send(Wish::Act(act));
    true
}

/// Whether Enter is the input method's: a composition is under way, or this key press is what one has come to. `composed`:
/// how many bytes stand there for the time being; `text`: what the key press brings.
fn is_composing(composed: i32, text: &str) -> bool {
    composed > 0 || !matches!(text, "" | "\r" | "\n")
}

/// How many breaks there are before a place, those that the width makes included; not more than that. The toolkit's own
/// count is wrong where the text begins with a character of several bytes; where each line begins, it knows.
fn breaks_before(editor: &TextEditor, buffer: &TextBuffer, place: i32, at_most: i32) -> i32 {
    if place <= 0 {
        return 0;
    }
    let (mut breaks, mut begin) = (0, 0);
    while breaks < at_most {
        let next = editor.clone().skip_lines(begin, 1, true);
        // Where no line follows it is at the end.
        let is_line = next < buffer.length() || buffer.byte_at(next - 1) == b'\n';
        if next <= begin || next > place || !is_line {
            break;
        }
        (breaks, begin) = (breaks + 1, next);
    }
    breaks
}

fn is_first_row(editor: &TextEditor) -> bool {
    let place = editor.insert_position();
    editor.buffer().is_none_or(|buffer| breaks_before(editor, &buffer, place, 1) == 0)
}

fn is_last_row(editor: &TextEditor) -> bool {
    let breaks = |buffer: &TextBuffer, place| breaks_before(editor, buffer, place, i32::MAX);
    let place = editor.insert_position();
    editor.buffer().is_none_or(|buffer| breaks(&buffer, place) >= breaks(&buffer, buffer.length()))
}

/// In the empty input stands what it is for.
fn draw_label(editor: &mut TextEditor) {
    if editor.buffer().is_some_and(|buffer| buffer.length() > 0) {
        return;
    }
    draw::set_font(REGULAR, editor.text_size());
    draw::set_draw_color(editor.label_color());
    draw::push_clip(editor.x(), editor.y(), editor.w(), editor.h());
    let baseline = editor.y() + 2 + draw::height() - draw::descent();
    draw::draw_text_n(&editor.label(), editor.x() + 5, baseline);
    draw::pop_clip();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_in_the_middle_of_a_composition_does_not_send() {
        assert!(is_composing(6, "\r"), "something stands there for the time being");
        assert!(is_composing(0, "漢字"), "this is what was composed");
        assert!(is_composing(2, ""));
        for enter in ["", "\r", "\n"] {
            assert!(!is_composing(0, enter), "a key alone: {enter:?}");
        }
    }
}
