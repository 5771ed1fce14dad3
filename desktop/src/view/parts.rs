//! Small parts that the window is made of: buttons, labels, a strip that says something.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::button::Button;
use fltk::enums::{Align, Cursor, Event, FrameType, Key, Shortcut};
use fltk::frame::Frame;
use fltk::input::Input as Field;
use fltk::prelude::*;
use fltk::widget::Widget;
use fltk::window::Window;

use super::paint::{BOLD, Brush, FIELD, REGULAR, color, fill};
use super::post::{Post, Wish};
use crate::colour::Colour;

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// What is wanted most.
    Strong,
    /// One of several.
    Calm,
    /// Words in a bar.
    Flat,
}

/// A button that says a wish, and leaves the keyboard where it is.
pub(super) fn button(brush: &Brush, label: &str, look: Look, post: &Post, wish: Wish) -> Button {
    let mut button = Button::new(0, 0, 10, 10, None);
    button.clear_visible_focus();
    set_label(&mut button, label);
    dress(&mut button, brush, look);
    let post = post.clone();
    button.set_callback(move |_| post.send(wish.clone()));
    button.handle(|button, event| match event {
        Event::Enter | Event::Leave => {
            if let Some(mut window) = button.window() {
                window.set_cursor(if event == Event::Enter { Cursor::Hand } else { Cursor::Default });
            }
            false
        }
        _ => false,
    });
    button
}

/// Colours and sizes of a button.
pub(super) fn dress(button: &mut Button, brush: &Brush, look: Look) {
    let palette = brush.palette();
    let (ground, ink) = match look {
        Look::Strong => (palette.accent, palette.accent_text),
        Look::Calm => (palette.border, palette.text),
        Look::Flat => (palette.panel, palette.text),
    };
    button.set_frame(FrameType::RFlatBox);
    button.set_down_frame(FrameType::RFlatBox);
    button.set_color(color(ground));
    button.set_selection_color(color(palette.border));
    button.set_label_color(color(ink));
    button.set_label_font(if look == Look::Strong { BOLD } else { REGULAR });
    button.set_label_size(brush.size);
    button.redraw();
}

/// How wide a button with this label is.
pub(super) fn button_width(brush: &Brush, label: &str) -> i32 {
    fltk::draw::set_font(BOLD, brush.size);
    fltk::draw::width(label).ceil() as i32 + 2 * brush.margin()
}

/// A button whose sign says little: its name, and the keys that do the same, are shown where the mouse rests.
pub(super) fn set_name(button: &mut Button, name: &str, keys: &str) {
    let tip = if keys.is_empty() { name.to_owned() } else { format!("{name} ({keys})") };
    if button.tooltip().as_deref() != Some(tip.as_str()) {
        button.set_tooltip(&tip);
    }
}

/// A label in which `&` and `@` are letters, on what the toolkit presses at an underlined letter.
pub(super) fn set_label(button: &mut impl ButtonExt, label: &str) {
    put_label(button, button_label(label));
}

/// Words in which `&` and `@` are letters.
pub(super) fn set_words(frame: &mut Frame, words: &str) {
    put_label(frame, frame_label(words));
}

/// The toolkit underlines what follows a `&`, and draws what a word after `@` names.
fn button_label(label: &str) -> String {
    frame_label(label).replace('&', "&&")
}

/// Where there is nothing to press, `&` is a letter.
fn frame_label(words: &str) -> String {
    words.replace('@', "@@")
}

fn put_label(widget: &mut impl WidgetExt, label: String) {
    if widget.label() != label {
        widget.set_label(&label);
    }
}

/// A window with a sentence and a button that closes it.
pub(super) fn tell(brush: &Brush, sentence: &str, close: &str) {
    let (width, inner) = (32 * brush.size, 32 * brush.size - 2 * brush.margin());
    fltk::draw::set_font(REGULAR, brush.size);
    let mut window = Window::new(0, 0, width, 100, None).center_screen();
    window.set_label("Tertulia");
    window.set_xclass(super::CLASS);
    window.set_color(color(brush.palette().panel));
    let mut words = frame(brush, sentence, Align::Left);
    words.set_align(Align::Left | Align::Inside | Align::Wrap | Align::Top);
    let (_, height) = fltk::draw::wrap_measure(&words.label(), inner, false);
    words.resize(brush.margin(), brush.margin(), inner, height);
    let mut button = Button::new(0, 0, 10, 10, None);
    set_label(&mut button, close);
    dress(&mut button, brush, Look::Strong);
    let (button_width, top) = (button_width(brush, close), height + 2 * brush.margin());
    button.resize(width - brush.margin() - button_width, top, button_width, brush.control());
    button.set_shortcut(Shortcut::from_key(Key::Enter));
    let mut closed = window.clone();
    button.set_callback(move |_| closed.hide());
    window.end();
    window.set_size(width, top + brush.control() + brush.margin());
    window.show();
    let _ = button.take_focus();
}

/// Words that are not pressed.
pub(super) fn frame(brush: &Brush, label: &str, align: Align) -> Frame {
    let mut frame = Frame::new(0, 0, 10, 10, None);
    frame.set_align(align | Align::Inside | Align::Clip);
    set_words(&mut frame, label);
    ink(&mut frame, brush, brush.palette().text, false);
    frame
}

/// Colours and sizes of words.
pub(super) fn ink(frame: &mut Frame, brush: &Brush, colour: Colour, is_bold: bool) {
    frame.set_label_color(color(colour));
    frame.set_label_font(if is_bold { BOLD } else { REGULAR });
    frame.set_label_size(brush.size);
    frame.redraw();
}

/// A field of one line. Its name is not drawn.
pub(super) fn field(brush: &Brush, label: &str) -> Field {
    let mut field = Field::new(0, 0, 10, 10, None);
    field.set_label(label);
    field.set_label_type(fltk::enums::LabelType::None);
    dress_field(&mut field, brush);
    field
}

/// Colours and sizes of a field.
pub(super) fn dress_field(field: &mut impl InputExt, brush: &Brush) {
    let palette = brush.palette();
    field.set_frame(FIELD);
    field.set_color(color(palette.background));
    field.set_text_color(color(palette.text));
    field.set_cursor_color(color(palette.text));
    field.set_selection_color(color(palette.selection));
    field.set_text_font(REGULAR);
    field.set_text_size(brush.size);
}

/// Shows a widget or hides it, if it is not so already.
pub(super) fn show(widget: &mut impl WidgetExt, is_shown: bool) {
    match (is_shown, widget.visible()) {
        (true, false) => widget.show(),
        (false, true) => widget.hide(),
        _ => {}
    }
}

/// A strip with words in as many lines as they need.
#[derive(Clone)]
pub(super) struct Strip {
    pub(super) widget: Widget,
    state: Rc<RefCell<StripState>>,
}

#[derive(Clone, PartialEq)]
struct StripState {
    text: String,
    size: i32,
    ground: Colour,
    ink: Colour,
    margin: i32,
    /// What is at its right end.
    right: i32,
}

impl Strip {
    /// Inside the group that is open.
    pub(super) fn new(brush: &Brush) -> Self {
        let palette = brush.palette();
        let state = StripState {
            text: String::new(),
            size: brush.size,
            ground: palette.panel,
            ink: palette.text,
            margin: brush.margin(),
            right: 0,
        };
        let mut widget = Widget::new(0, 0, 10, 10, None);
        widget.super_draw(false);
        let strip = Self { widget, state: Rc::new(RefCell::new(state)) };
        let drawn = strip.clone();
        strip.widget.clone().draw(move |_| drawn.draw());
        strip
    }

    /// What it says. Whether that is something else than before.
    pub(super) fn set(&mut self, brush: &Brush, text: &str, ground: Colour, ink: Colour) -> bool {
        let mut state = self.state.borrow_mut();
        let (right, text) = (state.right, text.replace('@', "@@"));
        let new = StripState { text, size: brush.size, ground, ink, margin: brush.margin(), right };
        if *state == new {
            return false;
        }
        *state = new;
        self.widget.redraw();
        true
    }

    /// How high it is to be, where so much of its width is not for words.
    pub(super) fn wanted_height(&self, width: i32, right: i32) -> i32 {
        let mut state = self.state.borrow_mut();
        state.right = right;
        fltk::draw::set_font(REGULAR, state.size);
        let (_, height) = fltk::draw::wrap_measure(&state.text, width - right - 2 * state.margin, false);
        height
    }

    fn draw(&self) {
        let state = self.state.borrow();
        let (x, y, w, h) = (self.widget.x(), self.widget.y(), self.widget.w(), self.widget.h());
        fill(x, y, w, h, state.ground);
        fltk::draw::set_font(REGULAR, state.size);
        fltk::draw::set_draw_color(color(state.ink));
        let width = w - state.right - 2 * state.margin;
        let align = Align::Left | Align::Inside | Align::Wrap | Align::Clip;
        fltk::draw::draw_text2(&state.text, x + state.margin, y, width, h, align);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_the_toolkit_are_letters_and_each_is_doubled_only_where_it_is_undone() {
        assert_eq!(button_label("R&B @ casa"), "R&&B @@ casa");
        assert_eq!(frame_label("R&B @ casa"), "R&B @@ casa");
    }
}
