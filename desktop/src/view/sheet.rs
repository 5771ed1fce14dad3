//! What lies over the window: a question, the settings, the emoji. There is one at a time, and no window of its own, so
//! that no window manager has to find it a place.

mod build;
mod choice;
mod emoji;
mod form;
mod row;

use fltk::enums::{ColorDepth, Damage, Event};
use fltk::image::RgbImage;
use fltk::prelude::*;

use super::View;
use super::arrange::{Room, place};
use super::list::ListRow;
use super::menus::Item;
use super::post::{Place, Sheet, Wish};
use crate::model::{Act, Model};
use crate::phrases::{Phrase, Sentence};
use crate::render;
use form::Form;

/// The sheet that lies there.
pub(super) struct Open {
    kind: Sheet,
    form: Form,
    /// Where it was asked for; none: it lies in the middle.
    at: Option<Place>,
    /// What was asked about before it is done.
    asked: Vec<String>,
}

impl View {
    /// Which sheet lies there.
    pub(super) fn open_sheet_kind(&self) -> Option<Sheet> {
        self.sheet.as_ref().map(|open| open.kind)
    }

    /// Lays a sheet over the window, in place of the one that lies there.
    pub(super) fn open_sheet(&mut self, kind: Sheet, model: &Model) {
        // The question for a name comes before all else.
        if self.open_sheet_kind() == Some(Sheet::Name) && kind != Sheet::Name {
            return;
        }
        let (brush, post) = (self.brush, self.post.clone());
        self.lay_sheet(kind, None, || build::build(kind, &brush, &post, model));
    }

    /// Offers a choice at a place of the window. Without anything to choose nothing happens.
    pub(super) fn open_menu(&mut self, items: Vec<Item>, at: Place) {
        if items.is_empty() || self.open_sheet_kind() == Some(Sheet::Name) {
            return;
        }
        let (brush, post) = (self.brush, self.post.clone());
        self.lay_sheet(Sheet::Menu, Some(at), || build::menu(&brush, &post, &items));
        self.menu = items;
    }

    fn lay_sheet(&mut self, kind: Sheet, at: Option<Place>, build: impl FnOnce() -> Form) {
        self.remove_sheet();
        let veil = &mut self.panes.veil;
        veil.begin();
        let form = build();
        veil.end();
        veil.super_draw_first(false);
        let is_dimming = kind != Sheet::Menu;
        veil.draw(move |veil| {
            // Only with all of the window: what is dimmed would be dimmed again. The toolkit draws all of it for whatever
            // reason but that a part is to be drawn.
            let is_whole = |damage: Damage| !damage.difference(Damage::Child).is_empty();
            if is_dimming && veil.window().is_some_and(|window| is_whole(window.damage_type())) {
                dim(veil.x(), veil.y(), veil.w(), veil.h());
            }
        });
        veil.show();
        let (post, is_asked) = (self.post.clone(), matches!(kind, Sheet::Name | Sheet::Question(_)));
        veil.handle(move |veil, event| match event {
            // What lies beneath is not touched; a press beside the sheet puts it away.
            Event::Push => {
                let is_beside = veil.child(0).is_some_and(|sheet| !fltk::app::event_inside_widget(&sheet));
                if is_beside && !is_asked {
                    post.send(Wish::CloseSheet { is_accepted: false });
                }
                true
            }
            Event::MouseWheel | Event::Move => true,
            Event::KeyDown | Event::Shortcut => form::press(&post),
            _ => false,
        });
        self.sheet = Some(Open { kind, form, at, asked: Vec::new() });
        self.post.set_covered(true);
        self.arrange_sheet();
        if let Some(open) = &mut self.sheet {
            open.form.focus();
        }
        self.panes.window.redraw();
    }

    /// Puts it away. What the model is to hear of it.
    pub(super) fn close_sheet(&mut self, is_accepted: bool, model: &Model) -> Option<Act> {
        let open = self.sheet.as_ref()?;
        let is_asked = self.screen.as_ref().is_some_and(|screen| screen.name_question.is_some());
        if is_accepted && open.kind == Sheet::Settings && !self.check_settings(model) {
            return None;
        }
        let open = self.sheet.as_ref()?;
        if open.kind == Sheet::Name && is_asked && !is_accepted {
            return None;
        }
        let act = open.form.act(open.kind, is_accepted, model);
        self.remove_sheet();
        self.panes.focus_input();
        self.panes.window.redraw();
        act
    }

    /// Whether what stands in the settings can be; if not, the sheet says why. What would be lost by it is told once,
    /// and done when it is accepted again.
    fn check_settings(&mut self, model: &Model) -> bool {
        let Some(open) = &mut self.sheet else { return false };
        let language = model.language();
        let trouble = match open.form.settings(model) {
            Err(trouble) => trouble,
            Ok(settings) => {
                let left: Vec<String> = render::rooms_with_drafts(model)
                    .into_iter()
                    .filter(|room| !settings.rooms.contains(room))
                    .collect();
                if left.iter().all(|room| open.asked.contains(room)) {
                    return true;
                }
                open.asked.clone_from(&left);
                Sentence::new(Phrase::LeaveDraft, &[&left.join(", ")])
            }
        };
        open.form.complain(&self.brush, &trouble.in_language(language));
        self.arrange_sheet();
        self.panes.window.redraw();
        false
    }

    fn remove_sheet(&mut self) {
        if let Some(mut open) = self.sheet.take() {
            self.post.set_covered(false);
            self.menu.clear();
            open.form.group.hide();
            self.panes.veil.remove(&open.form.group);
            self.panes.veil.hide();
            // A part of it may be what was pressed just now: it goes once the toolkit is done with that.
            fltk::app::delete_widget(open.form.group);
        }
    }

    /// The list of people that lies over the window shows who is here now.
    pub(super) fn update_people_sheet(&mut self, rows: Vec<ListRow>) {
        let list = self.sheet.as_mut().filter(|open| open.kind == Sheet::People);
        if let Some(list) = list.and_then(|open| open.form.list.as_mut()) {
            list.set(rows);
        }
    }

    pub(super) fn arrange_sheet(&mut self) {
        let Some(open) = &mut self.sheet else { return };
        let window = &self.panes.window;
        let (width, height) = open.form.size(&self.brush);
        let (width, height) =
            (width.min(window.w() - 2 * self.brush.gap()), height.min(window.h() - 2 * self.brush.gap()));
        // Where it was asked for, as far as it is whole there.
        let (x, y) = open.at.unwrap_or(((window.w() - width) / 2, (window.h() - height) / 2));
        let (x, y) = (x.min(window.w() - width).max(0), y.min(window.h() - height).max(0));
        let room = Room { x, y, w: width, h: height };
        place(&mut open.form.group, room);
        open.form.arrange(&self.brush, room);
    }

    /// What lies beneath was drawn anew, and over it.
    pub(super) fn redraw_sheet(&mut self) {
        if self.sheet.is_some() {
            self.panes.window.redraw();
        }
    }
}

/// Shade over what lies beneath a sheet.
fn dim(x: i32, y: i32, w: i32, h: i32) {
    // One dark pixel, a quarter of it seen, as large as all of it.
    if let Ok(mut shade) = RgbImage::new(&[0, 0, 0, 64], 1, 1, ColorDepth::Rgba8) {
        shade.scale(w, h, false, true);
        shade.draw(x, y, w, h);
    }
}
