//! The mouse in the transcript: the wheel, the bar, clicks on what can be clicked, a selection that is drawn.

use std::time::{Duration, Instant};

use fltk::app;
use fltk::enums::{Cursor, Event};
use fltk::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::draw::thumb;
use super::lay::{Laid, Words};
use super::{State, Transcript};
use crate::model::Act;
use crate::render::{Point, RowKind, Style};
use crate::view::layout::{Line, offset_at};
use crate::view::post::Wish;

/// Lines that a notch of the wheel moves.
const WHEEL_LINES: i32 = 3;

/// Pixels that a press may move and still be a click.
const CLICK_SLACK: i32 = 3;

/// The shortest time between two steps of a selection that is drawn past the edge.
const EDGE_EVERY: Duration = Duration::from_millis(40);

/// A button that is held.
#[derive(Debug, Clone)]
pub(super) struct Press {
    at: (i32, i32),
    /// Where the selection began. None: the bar is held, so many pixels below its thumb's top.
    anchor: Option<Point>,
    bar: i32,
    act: Option<Act>,
    is_drag: bool,
    edge_at: Option<Instant>,
}

/// What is under the mouse.
struct Under {
    point: Point,
    act: Option<Act>,
    is_text: bool,
}

impl Transcript {
    pub(super) fn wheel(&self) -> bool {
        let line = match self.state.try_borrow() {
            Ok(state) => state.brush.line(),
            Err(_) => return false,
        };
        // More than nothing is towards the person, and down.
        self.post.send(Wish::Scroll(app::event_dy_value().saturating_mul(WHEEL_LINES * line)));
        true
    }

    pub(super) fn mouse(&self, event: Event) -> bool {
        match event {
            Event::Push => self.press(),
            Event::Drag => self.drag(),
            Event::Released => self.release(),
            Event::Move => self.hover(),
            _ => self.show_cursor(Cursor::Default),
        }
        true
    }

    fn show_cursor(&self, cursor: Cursor) {
        if let Some(mut window) = self.widget.window() {
            window.set_cursor(cursor);
        }
    }

    fn hover(&self) {
        let Ok(state) = self.state.try_borrow() else { return };
        let cursor = match under(&state, app::event_coords()) {
            Some(under) if under.act.is_some() => Cursor::Hand,
            Some(under) if under.is_text => Cursor::Insert,
            _ => Cursor::Default,
        };
        drop(state);
        self.show_cursor(cursor);
    }

    fn press(&self) {
        let _ = self.widget.clone().take_focus();
        let at = app::event_coords();
        let wish = {
            let Ok(mut state) = self.state.try_borrow_mut() else { return };
            let (x, y, w, _) = state.area;
            let is_bar = at.0 >= x + w - state.brush.scroll_width();
            if let Some((top, length)) = thumb(&state).filter(|_| is_bar) {
                let held = at.1 - y - top;
                let bar = if (0..length).contains(&held) { held } else { length / 2 };
                state.press = Some(Press { at, anchor: None, bar, act: None, is_drag: true, edge_at: None });
                drop(state);
                return self.drag();
            }
            let found = under(&state, at);
            if app::event_mouse_button() == app::MouseButton::Right {
                found.map(|under| {
                    let url = match under.act {
                        Some(Act::OpenLink(url)) => Some(url),
                        _ => None,
                    };
                    Wish::RowMenu { entry: under.point.entry, url, at }
                })
            } else {
                self.begin_selection(&mut state, at, found);
                Some(Wish::Refresh)
            }
        };
        if let Some(wish) = wish {
            self.post.send(wish);
        }
    }

    fn begin_selection(&self, state: &mut State, at: (i32, i32), found: Option<Under>) {
        state.selection = None;
        state.marked = None;
        let Some(under) = found else { return };
        (state.cursor, state.is_walking) = (Some(under.point.entry), false);
        let anchor = Some(under.point);
        let clicks = app::event_clicks_num();
        // The first press of several has done it.
        let act = under.act.filter(|_| clicks == 0);
        state.press = Some(Press { at, anchor, bar: 0, act, is_drag: false, edge_at: None });
        if clicks > 0 {
            state.selection = whole(state, under.point, clicks);
        }
    }

    fn drag(&self) {
        let at = app::event_coords();
        let wishes = {
            let Ok(mut state) = self.state.try_borrow_mut() else { return };
            let Some(mut press) = state.press.take() else { return };
            let moved = (at.0 - press.at.0).abs().max((at.1 - press.at.1).abs());
            press.is_drag |= moved > CLICK_SLACK;
            let wishes = match press.anchor {
                None => vec![drag_bar(&state, &press, at)],
                Some(anchor) if press.is_drag => drag_selection(&mut state, &mut press, anchor, at),
                Some(_) => Vec::new(),
            };
            state.press = Some(press);
            wishes
        };
        wishes.into_iter().for_each(|wish| self.post.send(wish));
    }

    fn release(&self) {
        let wish = {
            let Ok(mut state) = self.state.try_borrow_mut() else { return };
            let press = state.press.take();
            match press {
                Some(Press { act: Some(act), is_drag: false, .. }) => Some(Wish::Act(act)),
                _ => state.selection.is_some().then_some(Wish::Selected),
            }
        };
        if let Some(wish) = wish {
            self.post.send(wish);
        }
    }
}

fn drag_bar(state: &State, press: &Press, at: (i32, i32)) -> Wish {
    let length = thumb(state).map_or(0, |(_, length)| length);
    let room = (state.area.3 - length).max(1);
    Wish::ToPart(f64::from(at.1 - state.area.1 - press.bar) / f64::from(room))
}

fn drag_selection(state: &mut State, press: &mut Press, anchor: Point, at: (i32, i32)) -> Vec<Wish> {
    let (_, y, _, h) = state.area;
    let mut wishes = Vec::new();
    let line = state.brush.line();
    let push = if at.1 < y {
        -line
    } else if at.1 > y + h {
        line
    } else {
        0
    };
    let is_time = press.edge_at.is_none_or(|at| at.elapsed() >= EDGE_EVERY);
    if push != 0 && is_time {
        press.edge_at = Some(Instant::now());
        wishes.push(Wish::Scroll(push));
    }
    let at = (at.0, at.1.clamp(y, y + h - 1));
    if let Some(under) = under(state, at) {
        state.selection = (under.point != anchor).then_some((anchor, under.point));
    }
    wishes.push(Wish::Refresh);
    wishes
}

/// The word at a point, or with three clicks all of the row.
fn whole(state: &State, point: Point, clicks: i32) -> Option<(Point, Point)> {
    let (_, laid) = state.seen.iter().find(|(_, laid)| laid.entry == point.entry)?;
    let text = &laid.body.text;
    let (start, end) = if clicks > 1 {
        (0, text.len())
    } else {
        let words = text.split_word_bound_indices();
        let (start, word) = words.take_while(|(start, _)| *start <= point.byte).last()?;
        (start, start + word.len())
    };
    let place = |byte| Point { entry: point.entry, byte };
    (start < end).then_some((place(start), place(end)))
}

/// What is at a place of the window.
fn under(state: &State, at: (i32, i32)) -> Option<Under> {
    let (x, y, _, _) = state.area;
    let (dx, dy) = (at.0 - x, at.1 - y);
    let below = state.seen.iter().rposition(|(top, _)| *top <= dy).unwrap_or_default();
    let (top, laid) = state.seen.get(below)?;
    let dy = dy - top;
    let mut under = Under {
        point: Point { entry: laid.entry, byte: byte_at(state, laid, (dx, dy)) },
        act: None,
        is_text: laid.kind != RowKind::Hidden && dy >= laid.body.y && dx >= state.columns.text_x,
    };
    under.act = act_at(state, laid, (dx, dy));
    Some(under)
}

fn byte_at(state: &State, laid: &Laid, at: (i32, i32)) -> usize {
    if at.1 < laid.body.y {
        return 0;
    }
    if at.1 >= laid.body.y + laid.body.height() {
        return laid.body.text.len();
    }
    let Some(line) = laid.body.line_at(at.1) else { return 0 };
    offset(state, &laid.body, line, at.0)
}

fn offset(state: &State, words: &Words, line: &Line<Style>, x: i32) -> usize {
    let mut measure = |text: &str, style| state.brush.width(text, style);
    offset_at(line, f64::from(x - state.columns.text_x), &words.text, &mut measure)
}

/// What a click there does.
fn act_at(state: &State, laid: &Laid, at: (i32, i32)) -> Option<Act> {
    let x = f64::from(at.0 - state.columns.text_x);
    if let Some((y, quote)) = &laid.quote {
        if (*y..y + laid.body.line_height).contains(&at.1) && x >= 0.0 {
            return quote.act.clone();
        }
    }
    let groups = [Some(&laid.body), laid.status.as_ref()];
    let words =
        groups.into_iter().flatten().find(|words| (words.y..words.y + words.height()).contains(&at.1))?;
    let line = words.line_at(at.1)?;
    let piece = line.pieces.iter().find(|piece| x >= piece.x && x < piece.x + piece.width)?;
    words.acts.get(piece.run).cloned().flatten()
}
