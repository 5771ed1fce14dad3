//! The window: what the model says is drawn, and what a person touches is told. The only module that names fltk.
//!
//! In reading order: `post` (what widgets want), `paint` (colours, fonts, measures), `parts`, `list`, `layout` and
//! `transcript`, `input`, `keys` (the widgets), `panes` and `arrange` (the window made of them), `update` (the model shown
//! in it), `sheet` (what lies over it).

mod arrange;
mod input;
mod keys;
mod layout;
mod list;
mod menus;
mod paint;
mod panes;
mod parts;
mod post;
mod sheet;
mod transcript;
mod update;

use std::time::Duration;

use fltk::app;
use fltk::enums::Event;
use fltk::prelude::*;

use crate::model::{Act, Model, ViewCommand};
use crate::render::{self, Screen};
use crate::settings::Settings;
use paint::Brush;
use panes::Panes;
use post::{Post, Sheet, Wish};
use sheet::Open;

/// The name of the window's class: what a desktop knows it by.
pub const CLASS: &str = "tertulia-desktop";

/// The smallest window, in pixels of 100 %.
pub const SIZE_MIN: (i32, i32) = (600, 400);

/// The window as it first opens, in pixels of 100 %.
pub const SIZE: (i32, i32) = (800, 600);

/// The window.
pub struct View {
    panes: Panes,
    brush: Brush,
    post: Post,
    screen: Option<Screen>,
    shape: Option<update::Shape>,
    sheet: Option<Open>,
    /// What the menu offers that lies there.
    menu: Vec<menus::Item>,
    /// What the model knows of the input.
    told_input: (String, usize),
    is_focused: bool,
    is_closed: bool,
}

impl View {
    /// Opens the window. Ends the program with a sentence where there is no display: the toolkit does so itself.
    pub fn open(model: &Model) -> Self {
        let _ = app::App::default();
        app::keyboard_screen_scaling(false);
        app::set_visible_focus(true);
        let brush = Brush::take_up(model.settings());
        let post = Post::default();
        let panes = Panes::new(brush, &post, model.language());
        Self {
            panes,
            brush,
            post,
            screen: None,
            shape: None,
            sheet: None,
            menu: Vec::new(),
            told_input: (String::new(), 0),
            is_focused: true,
            is_closed: false,
        }
    }

    /// A window with a sentence and a button alone, until it is closed: where the program's own cannot be opened.
    pub fn tell(sentence: &str, close: &str) {
        let _ = app::App::default();
        let brush = Brush::take_up(&Settings::default());
        parts::tell(&brush, sentence, close);
        while app::first_window().is_some() {
            app::wait();
        }
    }

    /// Whom to call when a widget wants something; it is called from within the toolkit.
    pub fn set_pump(&self, pump: impl Fn() + 'static) {
        self.post.set_pump(pump);
    }

    /// What wakes [`View::wait`] from another thread.
    pub fn bell() -> impl Fn() + Send + Sync + 'static {
        app::awake
    }

    /// What each part of the window that can be touched is called.
    pub fn names(&self) -> Vec<String> {
        self.panes.names()
    }

    /// Waits until something happens, but not longer. False: the window is gone.
    pub fn wait(at_most: Option<Duration>) -> bool {
        if app::first_window().is_none() {
            return false;
        }
        match at_most {
            // That nothing has happened is no end.
            Some(wait) => drop(app::wait_for(wait.as_secs_f64())),
            None => drop(app::wait()),
        }
        true
    }

    /// The next thing that a person did, for the model. What is for the view alone is done on the way.
    pub fn next_act(&mut self, model: &Model) -> Option<Act> {
        let is_focused = app::focus().is_some();
        if is_focused != self.is_focused {
            self.is_focused = is_focused;
            return Some(Act::Focus(is_focused));
        }
        while let Some(wish) = self.post.take() {
            if let Some(act) = self.grant(wish, model) {
                return Some(act);
            }
        }
        None
    }

    /// Brings the window before all others, as far as the desktop lets it.
    pub fn raise(&mut self) {
        if !self.is_closed {
            self.panes.window.show();
        }
    }

    /// Whether the window was closed.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn grant(&mut self, wish: Wish, model: &Model) -> Option<Act> {
        match wish {
            Wish::Act(act) => {
                if matches!(act, Act::Scroll(_)) {
                    self.show_way_to_unread(model);
                }
                return self.note_act(act);
            }
            Wish::Edited => return self.edited(),
            Wish::Scroll(pixels) => self.panes.transcript.scroll(model, pixels),
            Wish::Page(pages) => self.panes.transcript.page(model, pages),
            Wish::ToStart => self.panes.transcript.go_to_start(model),
            Wish::ToPart(part) => self.panes.transcript.go_to_part(model, part),
            Wish::Step { is_down } => self.panes.transcript.step(model, is_down),
            Wish::Refresh => self.panes.transcript.refresh(model),
            Wish::ActOnRow => {
                let act = self.act_on_row(model);
                return act.and_then(|act| self.note_act(act));
            }
            Wish::ReplyToRow => {
                let entry = self.panes.transcript.cursor();
                return entry.and_then(|entry| self.note_act(Act::Reply(entry)));
            }
            Wish::SelectAll => self.panes.transcript.select_all(model),
            Wish::Copy => app::copy(&self.panes.transcript.selected(model)),
            Wish::Selected => app::copy2(&self.panes.transcript.selected(model)),
            Wish::CopyText(text) => app::copy(&text),
            Wish::RowMenu { entry, url, at } => menus::row(self, entry, url, at, model),
            Wish::MenuOfRow => self.menu_of_row(model),
            Wish::PersonMenu(index, at) => menus::person(self, index, at, model),
            Wish::ConversationMenu(index, at) => menus::conversation(self, index, at, model),
            Wish::PickItem(index) => menus::pick(self, index, model),
            Wish::PickConversation(index) => return self.conversation(index).map(Act::Select),
            Wish::PickPerson(index) => {
                self.close_sheet(false, model);
                return update::person(model, index).map(Act::Talk);
            }
            Wish::NextPane { is_back } => self.next_pane(is_back),
            Wish::TypeIntoInput(text) => {
                self.panes.focus_input();
                self.panes.input.insert(&text);
                return self.edited();
            }
            Wish::SendNow => return self.send_now(),
            Wish::TogglePeople => return self.toggle_people(model),
            Wish::Open(sheet) => self.open_sheet(sheet, model),
            Wish::CloseSheet { is_accepted } => return self.close_sheet(is_accepted, model),
            Wish::Escape => return self.escape(model),
            Wish::Arrange => self.arrange(model),
        }
        None
    }

    /// What the model is told that the view has to know of as well.
    fn note_act(&mut self, act: Act) -> Option<Act> {
        if let Act::Edit { text, cursor } = &act {
            self.told_input = (text.clone(), *cursor);
        }
        if matches!(act, Act::Reply(_) | Act::PickEmoji(_) | Act::CloseSearch | Act::Select(_) | Act::Talk(_))
        {
            self.panes.focus_input();
        }
        Some(act)
    }

    fn edited(&mut self) -> Option<Act> {
        let (text, cursor) = self.panes.input.content();
        if (&text, cursor) == (&self.told_input.0, self.told_input.1) {
            return None;
        }
        self.note_act(Act::Edit { text, cursor })
    }

    fn send_now(&mut self) -> Option<Act> {
        self.panes.focus_input();
        let edit = self.edited();
        if edit.is_none() {
            return Some(Act::Send);
        }
        self.post.send_first(Wish::Act(Act::Send));
        edit
    }

    /// Enter in the transcript. Who only clicked there and has something to say means to say it. Where a row has one thing
    /// to press that is pressed, where it has several a menu offers them, and where it has none it is answered.
    fn act_on_row(&mut self, model: &Model) -> Option<Act> {
        if !self.panes.transcript.is_walking() && !self.panes.input.content().0.trim().is_empty() {
            return self.send_now();
        }
        let entry = self.panes.transcript.cursor()?;
        let row = render::row(model, render::row_position(model, entry)?)?;
        let mut acts = menus::acts(&row);
        match acts.len() {
            0 => render::can_be_answered(model, entry).then_some(Act::Reply(entry)),
            1 => acts.pop(),
            _ => {
                self.menu_of_row(model);
                None
            }
        }
    }

    fn menu_of_row(&mut self, model: &Model) {
        if let Some(entry) = self.panes.transcript.cursor() {
            let at = self.panes.transcript.place_of(entry);
            menus::row(self, entry, None, at, model);
        }
    }

    /// The list of people comes or goes; where a pane of it has no room, it lies over the window.
    fn toggle_people(&mut self, model: &Model) -> Option<Act> {
        if self.screen.as_ref().is_none_or(|screen| screen.people.is_none()) {
            return None;
        }
        if self.has_room_for_people() {
            return Some(Act::ShowPeople(!model.settings().show_people));
        }
        self.open_sheet(Sheet::People, model);
        None
    }

    fn escape(&mut self, model: &Model) -> Option<Act> {
        if self.sheet.is_some() {
            return self.close_sheet(false, model);
        }
        let had = self.panes.transcript.forget_selection();
        self.panes.focus_input();
        (!had).then_some(Act::Cancel)
    }

    fn next_pane(&mut self, is_back: bool) {
        self.panes.focus_next(is_back);
    }

    /// Does what the model commands.
    pub fn obey(&mut self, command: ViewCommand, model: &mut Model) {
        match command {
            ViewCommand::SetInput { text, cursor } => {
                self.panes.input.set(&text, cursor);
                self.told_input = (text, cursor);
            }
            ViewCommand::InsertText(text) => {
                self.panes.input.insert(&text);
                self.post.send(Wish::Edited);
            }
            ViewCommand::Show { first, .. } => {
                let changes = model.take_row_changes();
                self.panes.transcript.show(model, first);
                self.panes.transcript.change(model, &changes, None);
            }
            ViewCommand::Reveal(entry) => {
                self.take_changes(model);
                self.panes.transcript.reveal(model, entry);
            }
            ViewCommand::ScrollToEnd => {
                self.take_changes(model);
                self.panes.transcript.go_to_end(model);
            }
            ViewCommand::OpenLink(_) => {}
            ViewCommand::AskPaste { lines } => self.open_sheet(Sheet::Paste(lines), model),
            ViewCommand::Restyle => self.restyle(model),
            ViewCommand::Close => {
                self.is_closed = true;
                self.panes.window.hide();
            }
        }
    }

    fn restyle(&mut self, model: &Model) {
        self.brush = Brush::take_up(model.settings());
        self.screen = None;
        self.panes.restyle(self.brush, model.language());
        self.panes.transcript.restyle(model, self.brush);
        self.arrange(model);
        self.panes.window.redraw();
    }
}

/// What the window itself is told by the toolkit.
fn handle_window(event: Event, post: &Post) -> bool {
    match event {
        Event::Shortcut | Event::KeyDown => keys::press(post),
        _ => false,
    }
}
