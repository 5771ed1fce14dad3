//! One of a few, side by side. All are seen at once, so that nothing has to open over the window: a list of the toolkit's
//! that is open lets nothing else happen, not even what the relay says.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::draw;
use fltk::enums::{Align, Event, Key};
use fltk::prelude::*;
use fltk::widget::Widget;

use super::form;
use crate::view::paint::{Brush, REGULAR, fill_round, outline_round, text_in};
use crate::view::post::Post;

struct State {
    brush: Brush,
    options: Vec<String>,
    chosen: usize,
    is_focused: bool,
}

/// The widget.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) widget: Widget,
    state: Rc<RefCell<State>>,
    post: Post,
    focused: Focused,
}

/// What is to be done once it has the keyboard.
type Focused = Rc<RefCell<Option<Box<dyn Fn(&Widget)>>>>;

impl Choice {
    /// Inside the group that is open.
    pub(super) fn new(brush: Brush, post: &Post, label: &str, options: &[&str], chosen: usize) -> Self {
        let mut widget = Widget::new(0, 0, 10, 10, None);
        widget.set_label(label);
        widget.super_draw(false);
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let state = State { brush, options, chosen, is_focused: false };
        let choice = Self {
            widget,
            state: Rc::new(RefCell::new(state)),
            post: post.clone(),
            focused: Focused::default(),
        };
        let drawn = choice.clone();
        choice.widget.clone().draw(move |_| drawn.draw());
        let hands = choice.clone();
        choice.widget.clone().handle(move |_, event| hands.handle(event));
        choice
    }

    /// What is to be done each time it gets the keyboard.
    pub(super) fn when_focused(&self, act: impl Fn(&Widget) + 'static) {
        *self.focused.borrow_mut() = Some(Box::new(act));
    }

    /// Which is chosen.
    pub(super) fn chosen(&self) -> usize {
        self.state.borrow().chosen
    }

    fn draw(&self) {
        let Ok(state) = self.state.try_borrow() else { return };
        let (x, y, w, h) = (self.widget.x(), self.widget.y(), self.widget.w(), self.widget.h());
        let brush = state.brush;
        let palette = brush.palette();
        fill_round(x, y, w, h, palette.background);
        let mut left = x;
        for (index, (option, width)) in state.options.iter().zip(widths(&state, w)).enumerate() {
            let is_chosen = index == state.chosen;
            let ink = if is_chosen { palette.accent_text } else { palette.text };
            if is_chosen {
                fill_round(left, y, width, h, palette.accent);
            }
            text_in(option, (left, y, width, h), (REGULAR, brush.size), ink, Align::Center);
            left += width;
        }
        let line = if state.is_focused { palette.text } else { palette.border };
        outline_round(x, y, w, h, line);
    }

    fn handle(&self, event: Event) -> bool {
        match event {
            Event::Focus | Event::Unfocus => {
                if let Ok(mut state) = self.state.try_borrow_mut() {
                    state.is_focused = event == Event::Focus;
                }
                if let Some(act) = self.focused.borrow().as_ref().filter(|_| event == Event::Focus) {
                    act(&self.widget);
                }
                self.widget.clone().redraw();
                true
            }
            Event::Enter | Event::Leave => true,
            Event::Push => {
                let _ = self.widget.clone().take_focus();
                let under = self.under(app::event_x());
                self.choose(|chosen, _| under.unwrap_or(chosen))
            }
            Event::KeyDown => self.key(app::event_key()),
            _ => false,
        }
    }

    fn key(&self, key: Key) -> bool {
        match key {
            Key::Left | Key::Up => self.choose(|chosen, _| chosen.saturating_sub(1)),
            Key::Right | Key::Down => self.choose(|chosen, count| (chosen + 1).min(count.saturating_sub(1))),
            // Over and over, for who presses nothing else.
            key if key.to_char() == Some(' ') => self.choose(|chosen, count| (chosen + 1) % count.max(1)),
            _ => form::press(&self.post),
        }
    }

    fn choose(&self, which: impl FnOnce(usize, usize) -> usize) -> bool {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.chosen = which(state.chosen, state.options.len());
        }
        self.widget.clone().redraw();
        true
    }

    /// The one at this place.
    fn under(&self, x: i32) -> Option<usize> {
        let state = self.state.try_borrow().ok()?;
        let mut right = self.widget.x();
        widths(&state, self.widget.w()).iter().position(|width| {
            right += width;
            x < right
        })
    }
}

/// How wide each is: as its words, and all together as wide as the widget.
fn widths(state: &State, all: i32) -> Vec<i32> {
    draw::set_font(REGULAR, state.brush.size);
    let words: Vec<i32> = state.options.iter().map(|option| draw::width(option).ceil() as i32).collect();
    let count = i32::try_from(words.len()).unwrap_or(1).max(1);
    let spare = (all - words.iter().sum::<i32>()) / count;
    let mut widths: Vec<i32> = words.iter().map(|width| width + spare).collect();
    // What the division leaves.
    let rest = all - widths.iter().sum::<i32>();
    if let Some(last) = widths.last_mut() {
        *last += rest;
    }
    widths
}
