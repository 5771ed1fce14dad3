//! What each act of a person does. A table: what is done is in the modules that it calls.

use std::time::Duration;

use super::event::Act;
use super::{Command, LinkCommand, Model, Status, ViewCommand};
use crate::settings::{FONT_SIZE, FONT_SIZES, Settings};

/// The shortest time between two attempts to connect that writing brings about.
const HURRY_PAUSE: Duration = Duration::from_secs(1);

impl Model {
    pub(super) fn handle_act(&mut self, act: Act) {
        match act {
            Act::Edit { text, cursor } => self.edit(text, cursor),
            Act::Send => self.send(),
            Act::Complete { backwards } => self.complete(backwards),
            Act::Earlier => self.earlier(),
            Act::Later => self.later(),
            Act::Paste(text) => self.paste(&text),
            Act::ConfirmPaste(is_wanted) => self.confirm_paste(is_wanted),
            Act::PickEmoji(emoji) => self.view(ViewCommand::InsertText(emoji)),
            Act::JumpToEnd => self.jump_to_end(),
            Act::JumpToUnread => self.jump_to_unread(),
            Act::JumpToQuoted(entry) => self.jump_to_quoted(entry),
            Act::Reply(entry) => self.reply(entry),
            Act::Retry(entry) => self.retry(entry),
            Act::Discard(entry) => self.discard(entry),
            Act::OpenLink(url) => self.open_link(url),
            Act::OpenSearch => self.open_search(""),
            Act::Search(words) => self.search_for(&words),
            Act::SearchStep { forwards } => self.search_step(forwards),
            Act::SearchHistory => self.search_history(),
            Act::OpenResult(index) => self.open_result(index),
            Act::CloseSearch => self.close_search(),
            other => self.handle_window_act(other),
        }
    }

    /// What is not about the conversation that is shown.
    fn handle_window_act(&mut self, act: Act) {
        match act {
            Act::Answer(answer) => self.answer_question(answer),
            Act::Operate { kind, name } => self.operate(kind, &name),
            Act::ChooseName(name) => self.choose_name(&name),
            Act::Select(id) => self.select(id),
            Act::SelectNext { backwards } => {
                let next = self.conversations.neighbour(backwards);
                self.select(next);
            }
            Act::SelectUnread => self.select_unread(),
            Act::Join(room) => self.join(&room),
            Act::Leave(id) => self.leave(id),
            Act::Talk(name) => {
                self.talk(&name);
            }
            Act::Rename(name) => self.rename(&name),
            Act::Ignore { name, is_ignored } => self.ignore(&name, is_ignored),
            Act::Mute { conversation, is_muted } => self.mute(conversation, is_muted),
            Act::Cancel => self.cancel(),
            Act::ChangeSettings(settings) => self.change_settings(*settings),
            Act::Zoom(direction) => self.zoom(direction),
            Act::ShowPeople(is_shown) => {
                self.settings.show_people = is_shown;
                self.save_settings();
            }
            Act::Focus(is_focused) => self.focus(is_focused),
            Act::Reconnect => self.reconnect(),
            Act::Close => self.close(),
            _ => {}
        }
    }

    /// Escape: what was begun last is given up.
    fn cancel(&mut self) {
        let shown = self.conversations.shown_mut();
        if shown.draft.reply.take().is_some() {
            return;
        }
        if self.search.is_some() {
            return self.close_search();
        }
        self.hint = None;
    }

    /// Http and https only: what else a link may start is nobody's to choose but the reader's.
    fn open_link(&mut self, url: String) {
        if crate::render::is_web_link(&url) {
            self.view(ViewCommand::OpenLink(url));
        }
    }

    fn focus(&mut self, is_focused: bool) {
        self.is_focused = is_focused;
        let shown = self.conversations.shown_mut();
        if !is_focused && shown.unread == 0 {
            shown.clear_unread_line();
        }
        self.read_if_watched();
    }

    fn zoom(&mut self, direction: Option<bool>) {
        let size = self.settings.font_size;
        let size = match direction {
            None => FONT_SIZE,
            Some(true) => size.saturating_add(1),
            Some(false) => size.saturating_sub(1),
        };
        let size = size.clamp(*FONT_SIZES.start(), *FONT_SIZES.end());
        if size != self.settings.font_size {
            self.settings.font_size = size;
            self.view(ViewCommand::Restyle);
            self.save_settings();
        }
    }

    /// The dialog was accepted.
    fn change_settings(&mut self, settings: Settings) {
        let settings = settings.mended();
        let last = std::mem::replace(&mut self.settings, settings);
        let rooms = std::mem::replace(&mut self.settings.rooms, last.rooms.clone());
        let name = std::mem::replace(&mut self.settings.name, last.name.clone());
        let whom = |settings: &Settings| (settings.relay.clone(), settings.tls, settings.certificate());
        let is_other_relay = whom(&self.settings) != whom(&last);
        let is_other_name = !name.is_empty() && name != self.name;
        if is_other_relay && self.status != Status::NotBegun {
            // The other relay is asked for the new name at once; the last one need not hear it.
            if is_other_name {
                self.take_name(name);
            }
            if self.settings.relay != last.relay {
                self.forget_lines(&last.relay);
            }
            self.start();
        } else if is_other_name {
            self.rename(&name);
        }
        self.change_rooms(&rooms);
        let looks = |settings: &Settings| {
            (settings.theme, settings.font.clone(), settings.font_size, settings.language())
        };
        if looks(&last) != looks(&self.settings) {
            self.view(ViewCommand::Restyle);
        }
        self.restyle_rows();
        self.save_settings();
    }

    fn change_rooms(&mut self, rooms: &[String]) {
        let shown = self.conversations.shown().id;
        let now = self.conversations.rooms();
        rooms.iter().filter(|room| !now.contains(room)).for_each(|room| self.join(room));
        for room in now.iter().filter(|room| !rooms.contains(room)) {
            if let Some(id) = self.conversations.find(super::Kind::Room, room) {
                self.leave(id);
            }
        }
        self.select(shown);
    }

    /// Connects now instead of later, but not again and again.
    pub(super) fn hurry(&mut self) {
        let now = self.now.monotonic;
        let is_recent = self.hurried.is_some_and(|at| now.saturating_sub(at) < HURRY_PAUSE);
        if matches!(self.status, Status::Waiting { .. }) && !is_recent {
            self.hurried = Some(now);
            self.reconnect();
        }
    }

    pub(super) fn reconnect(&mut self) {
        self.forget_refusals();
        if matches!(
            self.status,
            Status::TakenOver
                | Status::Removed { .. }
                | Status::Ended
                | Status::Waiting { .. }
                | Status::HelloRefused { .. }
        ) {
            self.status = Status::Connecting;
            self.link(LinkCommand::Reconnect);
        }
    }

    fn close(&mut self) {
        self.save_drafts();
        if self.closing_since.is_some()
            || matches!(self.status, Status::NotBegun | Status::Ended | Status::LinkGone)
        {
            return self.commands.push_back(Command::View(ViewCommand::Close));
        }
        self.closing_since = Some(self.now.monotonic);
        self.link(LinkCommand::Quit);
    }
}
