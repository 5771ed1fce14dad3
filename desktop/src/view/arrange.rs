//! Where each part of the window stands, for its size, the font and what there is to show.

use fltk::prelude::*;

use super::View;
use super::paint::Brush;
use super::parts::{button_width, show};
use crate::model::Model;

/// What the toolkit leaves above text in the input, in pixels.
const INPUT_TOP: i32 = 2;

/// What the toolkit leaves before a button's label at the left, in pixels.
const LABEL_LEFT: i32 = 3;

/// A rectangle that is used up from its edges.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Room {
    pub(super) fn top(&mut self, height: i32) -> Self {
        let height = height.min(self.h).max(0);
        let part = Self { h: height, ..*self };
        self.y += height;
        self.h -= height;
        part
    }

    pub(super) fn bottom(&mut self, height: i32) -> Self {
        let height = height.min(self.h).max(0);
        self.h -= height;
        Self { y: self.y + self.h, h: height, ..*self }
    }

    pub(super) fn left(&mut self, width: i32) -> Self {
        let width = width.min(self.w).max(0);
        let part = Self { w: width, ..*self };
        self.x += width;
        self.w -= width;
        part
    }

    pub(super) fn right(&mut self, width: i32) -> Self {
        let width = width.min(self.w).max(0);
        self.w -= width;
        Self { x: self.x + self.w, w: width, ..*self }
    }

    pub(super) fn inset(self, x: i32, y: i32) -> Self {
        Self { x: self.x + x, y: self.y + y, w: (self.w - 2 * x).max(0), h: (self.h - 2 * y).max(0) }
    }

    fn area(self) -> (i32, i32, i32, i32) {
        (self.x, self.y, self.w, self.h)
    }
}

pub(super) fn place(widget: &mut impl WidgetExt, room: Room) {
    if (widget.x(), widget.y(), widget.w(), widget.h()) != (room.x, room.y, room.w, room.h) {
        widget.resize(room.x, room.y, room.w, room.h);
    }
}

/// The width of the list of conversations.
fn rooms_width(brush: &Brush, window: i32) -> i32 {
    (window / 5).clamp(9 * brush.size, 13 * brush.size)
}

/// The width of the list of people; none where it would take the room that words need.
fn people_width(brush: &Brush, window: i32) -> Option<i32> {
    let width = (window / 6).clamp(8 * brush.size, 12 * brush.size);
    (window - rooms_width(brush, window) - width >= 32 * brush.size).then_some(width)
}

impl View {
    /// Whether the list of people can be a pane.
    pub(super) fn has_room_for_people(&self) -> bool {
        people_width(&self.brush, self.panes.window.w()).is_some()
    }

    /// Puts each part where it belongs.
    pub(super) fn arrange(&mut self, model: &Model) {
        let window = &self.panes.window;
        let mut room = Room { x: 0, y: 0, w: window.w(), h: window.h() };
        place(&mut self.panes.ground, room);
        place(&mut self.panes.veil, room);
        let brush = self.brush;
        let width = room.w;
        self.arrange_rooms(room.left(rooms_width(&brush, width)));
        let wants_people = self.screen.as_ref().is_some_and(|screen| screen.shows_people);
        let people = people_width(&brush, width).filter(|_| wants_people);
        show(&mut self.panes.people.widget, people.is_some());
        if let Some(people) = people {
            let mut right = room.right(people);
            right.top(brush.margin() / 2);
            place(&mut self.panes.people.widget, right);
        }
        let is_room = self.screen.as_ref().is_some_and(|screen| screen.people.is_some());
        show(&mut self.panes.show_people, is_room);
        self.arrange_heading(room.top(brush.control() + brush.gap()));
        self.arrange_banner(&mut room);
        self.arrange_search(&mut room);
        self.arrange_compose(&mut room);
        self.panes.transcript.place(model, room.area());
        self.arrange_ways();
        self.arrange_sheet();
        self.panes.window.redraw();
    }

    fn arrange_rooms(&mut self, mut room: Room) {
        let brush = self.brush;
        let mut foot = room.bottom(brush.control() + brush.gap());
        foot = foot.inset(brush.gap() / 2, brush.gap() / 2);
        place(&mut self.panes.join, foot.right(brush.control()));
        // Its words begin where those of the list do.
        foot.left(brush.margin() - brush.gap() / 2 - LABEL_LEFT);
        place(&mut self.panes.own_name, foot);
        room.top(brush.margin() / 2);
        place(&mut self.panes.rooms.widget, room);
    }

    fn arrange_heading(&mut self, room: Room) {
        let brush = self.brush;
        let mut room = room.inset(brush.margin(), brush.gap() / 2);
        let panes = &mut self.panes;
        for button in [&mut panes.settings, &mut panes.show_people, &mut panes.find] {
            if button.visible() {
                let width = button_width(&brush, &button.label());
                place(button, room.right(width));
            }
        }
        fltk::draw::set_font(super::paint::BOLD, brush.size);
        let width = fltk::draw::width(&panes.heading.label()).ceil() as i32 + brush.margin();
        place(&mut panes.heading, room.left(width.min(room.w)));
        place(&mut panes.count, room);
    }

    fn arrange_banner(&mut self, room: &mut Room) {
        let brush = self.brush;
        let panes = &mut self.panes;
        if !panes.banner.widget.visible() {
            return;
        }
        let button = if panes.banner_button.visible() {
            button_width(&brush, &panes.banner_button.label()) + brush.margin()
        } else {
            0
        };
        let height = panes.banner.wanted_height(room.w, button) + brush.margin();
        let mut strip = room.top(height.max(brush.control() + brush.gap()));
        place(&mut panes.banner.widget, strip);
        if button > 0 {
            strip.right(brush.margin());
            let part = strip.right(button - brush.margin());
            let height = brush.control();
            let place_of_button = Room { y: part.y + (part.h - height) / 2, h: height, ..part };
            place(&mut panes.banner_button, place_of_button);
        }
    }

    fn arrange_search(&mut self, room: &mut Room) {
        let brush = self.brush;
        let parts = &mut self.panes.search;
        if !parts.field.visible() {
            return;
        }
        let mut bar = room.top(brush.control() + brush.gap()).inset(brush.margin(), brush.gap() / 2);
        for button in [&mut parts.close, &mut parts.down, &mut parts.up] {
            place(button, bar.right(brush.control()));
        }
        if parts.history.visible() {
            let width = button_width(&brush, &parts.history.label());
            bar.right(brush.gap());
            place(&mut parts.history, bar.right(width.min(bar.w / 2)));
            bar.right(brush.gap());
        }
        let status = bar.right((bar.w / 3).min(12 * brush.size));
        place(&mut parts.status, status.inset(brush.gap() / 2, 0));
        place(&mut parts.field, bar);
        if parts.results.widget.visible() {
            let results = room.top((room.h / 3).max(4 * brush.line()));
            place(&mut parts.results.widget, results);
        }
    }

    fn arrange_compose(&mut self, room: &mut Room) {
        let brush = self.brush;
        let inner = room.inset(brush.margin(), 0).w;
        let buttons = brush.control() + button_width(&brush, &self.panes.send.label()) + brush.gap();
        // The width decides how many lines the text has, and with it the height.
        let text_width = inner - buttons - 2 * brush.padding();
        let input = &mut self.panes.input;
        if input.widget.w() != text_width {
            let (x, y, h) = (input.widget.x(), input.widget.y(), input.widget.h());
            input.widget.resize(x, y, text_width, h);
        }
        let wanted = input.wanted_height(&brush);
        let height = wanted.max(brush.control() - brush.gap() / 2);
        let padding = brush.padding();
        room.bottom(brush.margin());
        let mut compose = room.bottom(height + 2 * padding).inset(brush.margin(), 0);
        place(&mut self.panes.field, compose);
        compose = compose.inset(padding, padding);
        let send = compose.right(button_width(&brush, &self.panes.send.label()));
        let button_height = (brush.control() - brush.gap() / 2).min(send.h);
        let foot = |mut room: Room| room.bottom(button_height);
        place(&mut self.panes.send, foot(send));
        place(&mut self.panes.emoji, foot(compose.right(brush.control())));
        // The toolkit draws text at the top; one line stands in the middle.
        compose.top((height - wanted + brush.gap()) / 2 - INPUT_TOP);
        place(&mut self.panes.input.widget, compose);
        if self.panes.reply.visible() {
            let mut strip = room.bottom(brush.line() + brush.gap()).inset(brush.margin(), 0);
            place(&mut self.panes.reply_cancel, strip.right(brush.control()));
            place(&mut self.panes.reply, strip);
        }
        // The transcript's ground goes on below its last row, where hints are.
        room.bottom(brush.gap());
        let floor = room.bottom(brush.line() + brush.gap() / 2);
        place(&mut self.panes.floor, floor);
        place(&mut self.panes.hint, floor.inset(brush.margin(), 0));
    }

    /// The ways to the end and to what was not read lie over the transcript. Measured only where they are seen: their
    /// arrows are of a font that nothing else may need.
    pub(super) fn arrange_ways(&mut self) {
        let brush = self.brush;
        let transcript = &self.panes.transcript.widget;
        let (x, y, w, h) = (transcript.x(), transcript.y(), transcript.w(), transcript.h());
        let bottom = y + h - brush.gap() - brush.control();
        for (button, top) in [(&mut self.panes.unread, y + brush.gap()), (&mut self.panes.jump, bottom)] {
            if button.visible() {
                let width = button_width(&brush, &button.label());
                place(button, Room { x: x + (w - width) / 2, y: top, w: width, h: brush.control() });
            }
        }
    }
}
