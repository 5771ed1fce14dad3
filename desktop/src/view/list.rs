//! A list in a panel: rows that are drawn as far as they are seen, chosen by mouse and keyboard. Used for conversations and
//! for people.

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;
use fltk::draw;
use fltk::enums::{Align, Event, Key};
use fltk::prelude::*;
use fltk::widget::Widget;

use super::keys;
use super::paint::{BOLD, Brush, REGULAR, color, fill, fill_round, text_in};
use super::post::{Place, Post, Wish};
use crate::colour::Colour;

/// Lines that a notch of the wheel moves.
const WHEEL_ROWS: i32 = 3;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ListRow {
    pub(super) text: String,
    pub(super) colour: Colour,
    pub(super) is_bold: bool,
    /// A count at the right, and whether it matters.
    pub(super) badge: Option<(String, bool)>,
    /// It is the one that is shown.
    pub(super) is_chosen: bool,
    /// A heading: not chosen, not counted.
    pub(super) is_heading: bool,
}

/// What happens with a row: it is counted among those that are no headings.
#[derive(Clone, Copy)]
pub(super) struct Wishes {
    pub(super) pick: fn(usize) -> Wish,
    pub(super) menu: fn(usize, Place) -> Wish,
}

struct State {
    brush: Brush,
    rows: Vec<ListRow>,
    /// Pixels above the top.
    offset: i32,
    /// The keyboard's row.
    cursor: usize,
    is_focused: bool,
    /// The keyboard's row is also where the mouse is.
    is_menu: bool,
}

/// The widget.
#[derive(Clone)]
pub(super) struct List {
    pub(super) widget: Widget,
    state: Rc<RefCell<State>>,
    post: Post,
    wishes: Wishes,
}

impl List {
    /// Inside the group that is open.
    pub(super) fn new(brush: Brush, post: &Post, label: &str, wishes: Wishes) -> Self {
        let mut widget = Widget::new(0, 0, 10, 10, None);
        widget.set_label(label);
        widget.super_draw(false);
        let state =
            State { brush, rows: Vec::new(), offset: 0, cursor: 0, is_focused: false, is_menu: false };
        let list = Self { widget, state: Rc::new(RefCell::new(state)), post: post.clone(), wishes };
        let drawn = list.clone();
        list.widget.clone().draw(move |_| drawn.draw());
        let hands = list.clone();
        list.widget.clone().handle(move |_, event| hands.handle(event));
        list
    }

    /// How high it is to be for all rows to be seen.
    pub(super) fn wanted_height(&self) -> i32 {
        let state = self.state.borrow();
        let height = row_height(&state.brush);
        i32::try_from(state.rows.len()).unwrap_or(i32::MAX / height) * height
    }

    /// From now on the keyboard's row follows the mouse.
    pub(super) fn follow_mouse(&mut self) {
        self.state.borrow_mut().is_menu = true;
    }

    pub(super) fn restyle(&mut self, brush: Brush) {
        self.state.borrow_mut().brush = brush;
        self.widget.redraw();
    }

    /// Other rows, if they are others.
    pub(super) fn set(&mut self, rows: Vec<ListRow>) {
        let mut state = self.state.borrow_mut();
        if state.rows != rows {
            state.rows = rows;
            self.widget.redraw();
        }
    }

    /// The row that is chosen can be seen.
    pub(super) fn show_chosen(&mut self) {
        let (top, height) = {
            let state = self.state.borrow();
            let Some(row) = state.rows.iter().position(|row| row.is_chosen) else { return };
            let height = row_height(&state.brush);
            (i32::try_from(row).unwrap_or(i32::MAX / height) * height, height)
        };
        let area = self.widget.h();
        let mut state = self.state.borrow_mut();
        let offset = state.offset.min(top).max(top + height - area).max(0);
        if offset != state.offset {
            state.offset = offset;
            self.widget.redraw();
        }
    }

    fn draw(&self) {
        let Ok(mut state) = self.state.try_borrow_mut() else { return };
        let (x, y, w, h) = (self.widget.x(), self.widget.y(), self.widget.w(), self.widget.h());
        let brush = state.brush;
        let height = row_height(&brush);
        let all = i32::try_from(state.rows.len()).unwrap_or(i32::MAX / height) * height;
        state.offset = state.offset.clamp(0, (all - h).max(0));
        draw::push_clip(x, y, w, h);
        fill(x, y, w, h, brush.palette().panel);
        let first = usize::try_from(state.offset / height).unwrap_or_default();
        let mut top = y - state.offset % height;
        for (index, row) in state.rows.iter().enumerate().skip(first) {
            if top >= y + h {
                break;
            }
            let is_at_cursor = state.is_focused && number(&state.rows, index) == Some(state.cursor);
            if is_at_cursor && state.is_menu {
                // Where one is going to, as what is chosen.
                let row = ListRow { is_chosen: true, ..row.clone() };
                draw_row(&brush, &row, (x, top, w, height), false);
            } else {
                draw_row(&brush, row, (x, top, w, height), is_at_cursor);
            }
            top += height;
        }
        if all > h {
            let length = (h * h / all).max(2 * brush.size);
            let at = (h - length) * state.offset / (all - h).max(1);
            fill_round(x + w - 4, y + at, 3, length, brush.palette().border);
        }
        draw::pop_clip();
    }

    fn handle(&self, event: Event) -> bool {
        match event {
            Event::Focus | Event::Unfocus => {
                if let Ok(mut state) = self.state.try_borrow_mut() {
                    state.is_focused = event == Event::Focus;
                    if event == Event::Focus {
                        let chosen = state.rows.iter().position(|row| row.is_chosen);
                        let chosen = chosen.and_then(|index| number(&state.rows, index));
                        state.cursor = chosen.unwrap_or_default();
                    }
                }
                self.widget.clone().redraw();
                true
            }
            Event::Enter | Event::Leave => true,
            Event::Move => self.hover(),
            Event::MouseWheel => self.wheel(),
            Event::Push => self.click(),
            Event::KeyDown => self.key(app::event_key()),
            _ => false,
        }
    }

    fn wheel(&self) -> bool {
        let Ok(mut state) = self.state.try_borrow_mut() else { return false };
        let step = WHEEL_ROWS * row_height(&state.brush);
        // What is too far is brought back when it is drawn.
        state.offset = state.offset.saturating_add(app::event_dy_value().saturating_mul(step));
        self.widget.clone().redraw();
        true
    }

    /// The row under the mouse.
    fn under(&self, state: &State) -> Option<usize> {
        let index = (app::event_y() - self.widget.y() + state.offset) / row_height(&state.brush);
        number(&state.rows, usize::try_from(index).ok()?)
    }

    fn hover(&self) -> bool {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            let under = self.under(&state).filter(|under| state.is_menu && *under != state.cursor);
            if let Some(under) = under {
                state.cursor = under;
                self.widget.clone().redraw();
            }
        }
        true
    }

    fn click(&self) -> bool {
        let wish = {
            let Ok(state) = self.state.try_borrow() else { return false };
            let is_menu = app::event_mouse_button() == app::MouseButton::Right;
            self.under(&state).map(|number| {
                if is_menu {
                    (self.wishes.menu)(number, app::event_coords())
                } else {
                    (self.wishes.pick)(number)
                }
            })
        };
        if let Some(wish) = wish {
            self.post.send(wish);
        }
        true
    }

    fn key(&self, key: Key) -> bool {
        let is_menu = keys::is_menu_key();
        let wish = {
            let Ok(mut state) = self.state.try_borrow_mut() else { return false };
            let count = state.rows.iter().filter(|row| !row.is_heading).count();
            let last = count.saturating_sub(1);
            match key {
                Key::Up => state.cursor = state.cursor.saturating_sub(1),
                Key::Down => state.cursor = (state.cursor + 1).min(last),
                Key::Home => state.cursor = 0,
                Key::End => state.cursor = last,
                Key::Enter | Key::KPEnter if count > 0 => {}
                _ if is_menu && count > 0 => {}
                _ => return false,
            }
            let cursor = state.cursor.min(last);
            let row = row_height(&state.brush);
            let index = (0..state.rows.len()).find(|index| number(&state.rows, *index) == Some(cursor));
            let top = i32::try_from(index.unwrap_or_default()).unwrap_or_default() * row;
            state.offset = state.offset.min(top).max(top + row - self.widget.h()).max(0);
            match key {
                Key::Enter | Key::KPEnter => Some((self.wishes.pick)(cursor)),
                _ if is_menu => {
                    let at =
                        (self.widget.x() + state.brush.margin(), self.widget.y() + top - state.offset + row);
                    Some((self.wishes.menu)(cursor, at))
                }
                _ => None,
            }
        };
        self.widget.clone().redraw();
        if let Some(wish) = wish {
            self.post.send(wish);
        }
        true
    }
}

fn row_height(brush: &Brush) -> i32 {
    brush.line() + brush.size / 3
}

/// A row's number among those that are no headings.
fn number(rows: &[ListRow], index: usize) -> Option<usize> {
    rows.get(index).filter(|row| !row.is_heading)?;
    Some(rows.iter().take(index).filter(|row| !row.is_heading).count())
}

fn draw_row(brush: &Brush, row: &ListRow, area: (i32, i32, i32, i32), is_at_cursor: bool) {
    let (x, y, w, h) = area;
    let palette = brush.palette();
    let margin = brush.margin();
    if row.is_chosen {
        fill_round(x + margin / 2, y + 1, w - margin, h - 2, palette.accent);
    }
    let ink = if row.is_chosen { palette.accent_text } else { row.colour };
    let mut right = x + w - margin;
    if let Some((count, matters)) = &row.badge {
        draw::set_font(BOLD, brush.small());
        let width = (draw::width(count).ceil() as i32 + brush.small()).max(h - 6);
        right -= width;
        let (ground, ink) = match (row.is_chosen, matters) {
            (true, _) => (palette.accent_text, palette.accent),
            (false, true) => (palette.accent, palette.accent_text),
            (false, false) => (palette.border, palette.text),
        };
        fill_round(right, y + 3, width, h - 6, ground);
        text_in(count, (right, y, width, h), (BOLD, brush.small()), ink, Align::Center);
        right -= brush.gap();
    }
    let (font, size) = match (row.is_heading, row.is_bold) {
        (true, _) => (BOLD, brush.small()),
        (false, true) => (BOLD, brush.size),
        (false, false) => (REGULAR, brush.size),
    };
    text_in(&row.text, (x + margin, y, right - x - margin, h), (font, size), ink, Align::Left);
    if is_at_cursor {
        draw::set_draw_color(color(palette.text));
        draw::draw_rect(x + margin / 2, y + 1, w - margin, h - 2);
    }
}
