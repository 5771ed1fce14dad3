//! What lies over the window: a question, the settings, the emoji. There is one at a time, and no window of its own, so
//! that no window manager has to find it a place.

mod build;
mod emoji;
mod form;

use fltk::enums::Event;
use fltk::prelude::*;

use super::View;
use super::arrange::{Room, place};
use super::post::{Sheet, Wish};
use crate::model::{Act, Model};
use form::Form;

/// The sheet that lies there.
pub(super) struct Open {
    kind: Sheet,
    form: Form,
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
        self.remove_sheet();
        let veil = &mut self.panes.veil;
        veil.begin();
        let form = build::build(kind, &self.brush, &self.post, model);
        veil.end();
        veil.show();
        let (post, is_asked) = (self.post.clone(), kind == Sheet::Name);
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
        self.sheet = Some(Open { kind, form });
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
        if open.kind == Sheet::Name && is_asked && !is_accepted {
            return None;
        }
        let act = open.form.act(open.kind, is_accepted, model);
        self.remove_sheet();
        self.panes.focus_input();
        self.panes.window.redraw();
        act
    }

    fn remove_sheet(&mut self) {
        if self.sheet.take().is_some() {
            self.post.set_covered(false);
            self.panes.veil.clear();
            self.panes.veil.hide();
        }
    }

    pub(super) fn arrange_sheet(&mut self) {
        let Some(open) = &mut self.sheet else { return };
        let window = &self.panes.window;
        let (width, height) = open.form.size(&self.brush);
        let (width, height) =
            (width.min(window.w() - 2 * self.brush.gap()), height.min(window.h() - 2 * self.brush.gap()));
        let room = Room { x: (window.w() - width) / 2, y: (window.h() - height) / 2, w: width, h: height };
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
