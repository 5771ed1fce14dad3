//! The transcript: a widget that lays out and draws the rows that can be seen, and no others. It scrolls by pixels, has a
//! selection over rows, and says what was clicked.

mod draw;
mod lay;
mod mouse;
mod scroll;
mod selection;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fltk::button::Button;
use fltk::enums::Event;
use fltk::prelude::*;
use fltk::widget::Widget;

use super::keys;
use super::paint::Brush;
use super::post::{Place, Post, Wish};
use crate::model::{Act, EntryId, Model, RowChange, Scroll};
use crate::render::{self, Point};
use lay::{Columns, Laid};
use scroll::{Heights, Scroller};
use selection::rows_between;

/// Rows that stay laid out: some screens. Then all are forgotten, and those that can be seen laid out again.
const LAID_MAX: usize = 600;

/// What can be seen and how it stands.
struct State {
    brush: Brush,
    columns: Columns,
    area: (i32, i32, i32, i32),
    scroller: Scroller,
    /// By the number of a row, which is another one when the row looks other.
    laid: HashMap<u64, Rc<Laid>>,
    /// What can be seen, each with where its top is, from above.
    seen: Vec<(i32, Rc<Laid>)>,
    rows: usize,
    /// In place of rows.
    empty: Option<String>,
    selection: Option<(Point, Point)>,
    /// The same as rows and bytes in them, the upper end first.
    selected_rows: Option<((usize, usize), (usize, usize))>,
    /// A line that somebody was led to.
    marked: Option<EntryId>,
    /// The row that the keyboard is at, while the transcript has the focus.
    cursor: Option<EntryId>,
    /// The keyboard led it there.
    is_walking: bool,
    is_focused: bool,
    press: Option<mouse::Press>,
    told: Option<Scroll>,
}

/// The rows of a model, laid out as they are asked for.
struct Rows<'a> {
    model: &'a Model,
    brush: Brush,
    columns: Columns,
    laid: &'a mut HashMap<u64, Rc<Laid>>,
    count: usize,
}

impl Rows<'_> {
    fn get(&mut self, row: usize) -> Option<Rc<Laid>> {
        let (_, number) = render::row_key(self.model, row)?;
        if let Some(laid) = self.laid.get(&number) {
            return Some(Rc::clone(laid));
        }
        if self.laid.len() >= LAID_MAX {
            self.laid.clear();
        }
        let laid = Rc::new(Laid::new(&self.brush, &self.columns, render::row(self.model, row)?));
        self.laid.insert(number, Rc::clone(&laid));
        Some(laid)
    }
}

impl Heights for Rows<'_> {
    fn count(&self) -> usize {
        self.count
    }

    fn height(&mut self, row: usize) -> i32 {
        self.get(row).map_or(0, |laid| laid.height)
    }
}

/// The widget.
#[derive(Clone)]
pub(super) struct Transcript {
    pub(super) widget: Widget,
    state: Rc<RefCell<State>>,
    post: Post,
    /// What lies over it, and has to be drawn again whenever it is.
    over: Vec<Button>,
}

impl Transcript {
    /// Inside the group that is open.
    pub(super) fn new(brush: Brush, post: &Post, label: &str) -> Self {
        let mut widget = Widget::new(0, 0, 10, 10, None);
        // Not drawn: it is for who cannot see the widget.
        widget.set_label(label);
        widget.super_draw(false);
        let state = State {
            brush,
            columns: Columns::new(&brush, 100),
            area: (0, 0, 10, 10),
            scroller: Scroller::new(),
            laid: HashMap::new(),
            seen: Vec::new(),
            rows: 0,
            empty: None,
            selection: None,
            selected_rows: None,
            marked: None,
            cursor: None,
            is_walking: false,
            is_focused: false,
            press: None,
            told: None,
        };
        let transcript =
            Self { widget, state: Rc::new(RefCell::new(state)), post: post.clone(), over: Vec::new() };
        let state = Rc::clone(&transcript.state);
        transcript.widget.clone().draw(move |_| {
            if let Ok(state) = state.try_borrow() {
                draw::draw(&state);
            }
        });
        let hands = transcript.clone();
        transcript.widget.clone().handle(move |_, event| hands.handle(event));
        transcript
    }

    /// These lie over it.
    pub(super) fn lies_under(&mut self, buttons: &[Button]) {
        self.over = buttons.to_vec();
    }

    fn redraw(&self) {
        self.widget.clone().redraw();
        self.over.iter().filter(|button| button.visible()).for_each(|button| button.clone().redraw());
    }

    /// Whether a row is above what can be seen.
    pub(super) fn is_above(&self, row: usize) -> bool {
        let scroller = self.state.borrow().scroller;
        row < scroller.row || (row == scroller.row && scroller.offset > 0)
    }

    /// Another size, or another place.
    pub(super) fn place(&mut self, model: &Model, area: (i32, i32, i32, i32)) {
        self.widget.resize(area.0, area.1, area.2, area.3);
        {
            let mut state = self.state.borrow_mut();
            let is_wider = state.area.2 != area.2;
            state.area = area;
            if is_wider {
                state.columns = Columns::new(&state.brush, area.2);
                state.laid.clear();
            }
        }
        self.settle(model);
    }

    /// Another palette, another font.
    pub(super) fn restyle(&mut self, model: &Model, brush: Brush) {
        {
            let mut state = self.state.borrow_mut();
            state.brush = brush;
            state.columns = Columns::new(&brush, state.area.2);
            state.laid.clear();
        }
        self.settle(model);
    }

    /// What has happened to the rows, in its order.
    pub(super) fn change(&mut self, model: &Model, changes: &[RowChange], empty: Option<String>) {
        {
            let mut state = self.state.borrow_mut();
            for change in changes {
                match *change {
                    RowChange::Inserted { at, count } => state.scroller.inserted(at, count),
                    RowChange::Removed { at, count } => state.scroller.removed(at, count),
                    RowChange::Changed { .. } => {}
                    RowChange::Reset => state.laid.clear(),
                }
            }
            state.empty = empty;
        }
        self.settle(model);
    }

    /// Another conversation, from a row on or at its end.
    pub(super) fn show(&mut self, model: &Model, first: Option<EntryId>) {
        {
            let mut state = self.state.borrow_mut();
            state.laid.clear();
            (state.selection, state.marked, state.cursor, state.press) = (None, None, None, None);
            state.told = None;
            state.scroller = Scroller::new();
            if let Some(row) = first.and_then(|first| render::row_position(model, first)) {
                state.scroller.go_to_row(row);
            }
        }
        self.settle(model);
    }

    /// Leads to a row, and marks it.
    pub(super) fn reveal(&mut self, model: &Model, entry: EntryId) {
        let Some(row) = render::row_position(model, entry) else { return };
        {
            let mut state = self.state.borrow_mut();
            state.marked = Some(entry);
            // The model does not know whether it was in sight already.
            state.told = None;
        }
        self.with_rows(model, |scroller, height, rows| scroller.reveal(row, height, rows));
    }

    /// To the newest row.
    pub(super) fn go_to_end(&mut self, model: &Model) {
        {
            let mut state = self.state.borrow_mut();
            // A step from there goes to the newest row.
            (state.scroller, state.cursor) = (Scroller::new(), None);
        }
        self.settle(model);
    }

    /// To the oldest row.
    pub(super) fn go_to_start(&mut self, model: &Model) {
        self.state.borrow_mut().scroller.go_to_start();
        self.settle(model);
    }

    /// Down by so many pixels, or up.
    pub(super) fn scroll(&mut self, model: &Model, pixels: i32) {
        self.with_rows(model, |scroller, height, rows| scroller.scroll(pixels, height, rows));
    }

    /// Down by so many pages, or up. A line of the old page stays.
    pub(super) fn page(&mut self, model: &Model, pages: i32) {
        let page = {
            let state = self.state.borrow();
            (state.area.3 - 2 * state.brush.line()).max(state.brush.line())
        };
        self.scroll(model, pages * page);
    }

    /// To this part of the rows, 0 to 1.
    pub(super) fn go_to_part(&mut self, model: &Model, part: f64) {
        {
            let mut state = self.state.borrow_mut();
            let last = state.rows.saturating_sub(1);
            let row = (part.clamp(0.0, 1.0) * last as f64).round() as usize;
            state.scroller.go_to_row(row.min(last));
        }
        self.settle(model);
    }

    /// The keyboard's row, up or down.
    pub(super) fn step(&mut self, model: &Model, is_down: bool) {
        let Some(last) = render::row_count(model).checked_sub(1) else { return };
        let now = self.state.borrow().cursor.and_then(|entry| render::row_position(model, entry));
        let next = match now {
            Some(row) if is_down => (row + 1).min(last),
            Some(row) => row.saturating_sub(1),
            None => last,
        };
        let Some(row) = render::row(model, next) else { return };
        {
            let mut state = self.state.borrow_mut();
            (state.cursor, state.is_walking) = (Some(row.entry), true);
        }
        self.with_rows(model, |scroller, height, rows| scroller.reveal(next, height, rows));
    }

    /// The row that the keyboard is at.
    pub(super) fn cursor(&self) -> Option<EntryId> {
        self.state.borrow().cursor
    }

    /// Whether the keyboard was walking through the rows; a click of the mouse ends that.
    pub(super) fn is_walking(&self) -> bool {
        self.state.borrow().is_walking
    }

    /// Where a menu for a row goes: below its first line, as far as that is seen.
    pub(super) fn place_of(&self, entry: EntryId) -> Place {
        let state = self.state.borrow();
        let (x, y, _, h) = state.area;
        let top =
            state.seen.iter().find(|(_, laid)| laid.entry == entry).map_or(0, |(top, laid)| top + laid.top);
        (x + state.columns.text_x, y + (top + state.brush.line()).clamp(0, h))
    }

    fn with_rows(&mut self, model: &Model, act: impl FnOnce(&mut Scroller, i32, &mut Rows<'_>)) {
        {
            let mut state = self.state.borrow_mut();
            let State { brush, columns, area, scroller, laid, .. } = &mut *state;
            let count = render::row_count(model);
            let mut rows = Rows { model, brush: *brush, columns: *columns, laid, count };
            act(scroller, area.3, &mut rows);
        }
        self.settle(model);
    }

    /// Lays out anew what can be seen.
    pub(super) fn refresh(&mut self, model: &Model) {
        self.settle(model);
    }

    /// Lays out what can be seen, and tells where the view stands if that is another place than before.
    fn settle(&mut self, model: &Model) {
        let scroll = {
            let mut state = self.state.borrow_mut();
            let State { brush, columns, area, scroller, laid, .. } = &mut *state;
            let count = render::row_count(model);
            let mut rows = Rows { model, brush: *brush, columns: *columns, laid, count };
            scroller.settle(area.3, &mut rows);
            let mut seen = Vec::new();
            let mut y = -scroller.offset;
            let mut row = scroller.row;
            while y < area.3 {
                let Some(laid) = rows.get(row) else { break };
                let height = laid.height;
                seen.push((y, laid));
                y += height;
                row += 1;
            }
            let is_near_start = scroller.is_near_start(area.3, &mut rows);
            let first = seen.first().map(|(_, laid)| laid.entry);
            let scroll = Scroll { is_at_end: scroller.is_at_end, is_near_start, first };
            (state.seen, state.rows) = (seen, count);
            state.selected_rows = state.selection.and_then(|(one, other)| rows_between(model, one, other));
            let is_news = state.told != Some(scroll);
            state.told = Some(scroll);
            is_news.then_some(scroll)
        };
        self.redraw();
        if let Some(scroll) = scroll {
            self.post.send(Wish::Act(Act::Scroll(scroll)));
        }
    }

    fn handle(&self, event: Event) -> bool {
        match event {
            Event::Focus | Event::Unfocus => {
                if let Ok(mut state) = self.state.try_borrow_mut() {
                    state.is_focused = event == Event::Focus;
                }
                self.redraw();
                true
            }
            Event::Enter => true,
            Event::KeyDown => keys::press_in_transcript(&self.post),
            Event::MouseWheel => self.wheel(),
            Event::Push | Event::Drag | Event::Released | Event::Move | Event::Leave => self.mouse(event),
            _ => false,
        }
    }
}
