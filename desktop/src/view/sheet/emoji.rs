//! The emoji in a grid: looked for by words, chosen by mouse or keyboard; above them a row of groups to go to.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::draw;
use fltk::enums::{Align, Event, Key};
use fltk::prelude::*;
use fltk::widget::Widget;

use super::form;
use crate::emoji;
use crate::model::Act;
use crate::view::paint::{Brush, REGULAR, color, fill, fill_round, text_in};
use crate::view::post::{Post, Wish};

struct State {
    brush: Brush,
    /// Those that are shown.
    found: Vec<&'static str>,
    /// All are shown, and the groups above them.
    is_whole: bool,
    /// Pixels above the top of the grid.
    offset: i32,
    cursor: usize,
    is_focused: bool,
}

/// The widget.
#[derive(Clone)]
pub(in crate::view) struct Grid {
    pub(super) widget: Widget,
    state: Rc<RefCell<State>>,
    post: Post,
}

/// Where cells stand.
#[derive(Clone, Copy)]
struct Cells {
    columns: i32,
    size: i32,
    /// Where the grid begins, below the groups.
    top: i32,
    height: i32,
}

impl Grid {
    pub(super) fn new(brush: Brush, post: &Post) -> Self {
        let mut widget = Widget::new(0, 0, 10, 10, None);
        widget.set_label("Emoji");
        widget.super_draw(false);
        let state = State { brush, found: all(), is_whole: true, offset: 0, cursor: 0, is_focused: false };
        let grid = Self { widget, state: Rc::new(RefCell::new(state)), post: post.clone() };
        let drawn = grid.clone();
        grid.widget.clone().draw(move |_| drawn.draw());
        let hands = grid.clone();
        grid.widget.clone().handle(move |_, event| hands.handle(event));
        grid
    }

    /// Those that go by these words; without words all of them.
    pub(super) fn look_for(&mut self, words: &str) {
        let mut state = self.state.borrow_mut();
        state.is_whole = words.trim().is_empty();
        let found = || emoji::search(words).into_iter().map(|emoji| emoji.text).collect();
        state.found = if state.is_whole { all() } else { found() };
        (state.offset, state.cursor) = (0, 0);
        self.widget.redraw();
    }

    /// The one that Enter chooses.
    pub(super) fn first(&self) -> Option<String> {
        let state = self.state.borrow();
        state.found.get(state.cursor).map(|emoji| (*emoji).to_owned())
    }

    fn cells(&self, state: &State) -> Cells {
        let size = 2 * state.brush.size + state.brush.size / 3;
        let head = if state.is_whole { size + 4 } else { 0 };
        Cells {
            columns: (self.widget.w() / size).max(1),
            size,
            top: self.widget.y() + head,
            height: (self.widget.h() - head).max(size),
        }
    }

    fn draw(&self) {
        let Ok(mut state) = self.state.try_borrow_mut() else { return };
        let (x, y, w, h) = (self.widget.x(), self.widget.y(), self.widget.w(), self.widget.h());
        let (brush, cells) = (state.brush, self.cells(&state));
        let count = i32::try_from(state.found.len()).unwrap_or_default();
        let rows = (count + cells.columns - 1) / cells.columns;
        state.offset = state.offset.clamp(0, (rows * cells.size - cells.height).max(0));
        let font = (REGULAR, brush.size * 10 / 7);
        let ink = brush.palette().text;
        draw::push_clip(x, y, w, h);
        fill(x, y, w, h, brush.palette().panel);
        draw::push_clip(x, cells.top, w, cells.height);
        let first = state.offset / cells.size * cells.columns;
        for (index, emoji) in state.found.iter().enumerate().skip(usize::try_from(first).unwrap_or_default())
        {
            let at = i32::try_from(index).unwrap_or_default();
            let left = x + at % cells.columns * cells.size;
            let top = cells.top + at / cells.columns * cells.size - state.offset;
            if top >= y + h {
                break;
            }
            if index == state.cursor {
                fill_round(left + 1, top + 1, cells.size - 2, cells.size - 2, brush.palette().selection);
            }
            text_in(emoji, (left, top, cells.size, cells.size), font, ink, Align::Center);
        }
        draw::pop_clip();
        if state.is_whole {
            let mut left = x;
            for emoji in emoji::groups().iter().filter_map(|group| group.emoji.first()) {
                text_in(emoji.text, (left, y, cells.size, cells.size), font, ink, Align::Center);
                left += cells.size;
            }
            fill(x, y + cells.size + 1, w, 1, brush.palette().border);
        }
        if state.is_focused {
            draw::set_draw_color(color(brush.palette().border));
            draw::draw_rect(x, y, w, h);
        }
        draw::pop_clip();
    }

    fn handle(&self, event: Event) -> bool {
        match event {
            Event::Focus | Event::Unfocus => {
                if let Ok(mut state) = self.state.try_borrow_mut() {
                    state.is_focused = event == Event::Focus;
                }
                self.widget.clone().redraw();
                true
            }
            Event::Enter | Event::Leave => true,
            Event::Move => {
                self.hover();
                true
            }
            Event::Push => self.click(),
            Event::MouseWheel => self.wheel(),
            Event::KeyDown => self.key(),
            _ => false,
        }
    }

    /// Whether there is one under the mouse, which is then the one to choose.
    fn hover(&self) -> bool {
        let Ok(mut state) = self.state.try_borrow_mut() else { return false };
        let cells = self.cells(&state);
        let (x, y) = app::event_coords();
        let column = (x - self.widget.x()) / cells.size;
        if y < cells.top || column >= cells.columns {
            return false;
        }
        let row = (y - cells.top + state.offset) / cells.size;
        let index = usize::try_from(row * cells.columns + column).unwrap_or_default();
        let is_one = index < state.found.len();
        if is_one && index != state.cursor {
            state.cursor = index;
            self.widget.clone().redraw();
        }
        is_one
    }

    fn click(&self) -> bool {
        if self.go_to_group() {
            return true;
        }
        if let Some(emoji) = self.first().filter(|_| self.hover()).and_then(|_| self.first()) {
            self.post.send(Wish::CloseSheet { is_accepted: false });
            self.post.send(Wish::Act(Act::PickEmoji(emoji)));
        }
        true
    }

    /// Whether a group is under the mouse, which is then gone to.
    fn go_to_group(&self) -> bool {
        let Ok(mut state) = self.state.try_borrow_mut() else { return false };
        let cells = self.cells(&state);
        if !state.is_whole || app::event_y() >= cells.top {
            return false;
        }
        let group = usize::try_from((app::event_x() - self.widget.x()) / cells.size).unwrap_or_default();
        let before: usize = emoji::groups().iter().take(group).map(|group| group.emoji.len()).sum();
        let row = i32::try_from(before).unwrap_or_default() / cells.columns;
        (state.offset, state.cursor) = (row * cells.size, before.min(state.found.len().saturating_sub(1)));
        self.widget.clone().redraw();
        true
    }

    fn wheel(&self) -> bool {
        let Ok(mut state) = self.state.try_borrow_mut() else { return false };
        let step = 2 * self.cells(&state).size;
        // What is too far is brought back when it is drawn.
        state.offset = state.offset.saturating_add(app::event_dy_value().saturating_mul(step));
        self.widget.clone().redraw();
        true
    }

    fn key(&self) -> bool {
        {
            let Ok(mut state) = self.state.try_borrow_mut() else { return false };
            let cells = self.cells(&state);
            let columns = usize::try_from(cells.columns).unwrap_or(1);
            let last = state.found.len().saturating_sub(1);
            let next = match app::event_key() {
                Key::Left => state.cursor.saturating_sub(1),
                Key::Right => state.cursor + 1,
                Key::Up => state.cursor.saturating_sub(columns),
                Key::Down => state.cursor + columns,
                _ => return form::press(&self.post),
            };
            state.cursor = next.min(last);
            let top = i32::try_from(state.cursor / columns).unwrap_or_default() * cells.size;
            state.offset = state.offset.min(top).max(top + cells.size - cells.height).max(0);
        }
        self.widget.clone().redraw();
        true
    }
}

/// All of them, group by group.
fn all() -> Vec<&'static str> {
    emoji::groups().iter().flat_map(|group| group.emoji).map(|emoji| emoji.text).collect()
}
