//! What the model says, shown in the parts of the window; only what has changed is touched.

use fltk::prelude::*;

use super::View;
use super::list::ListRow;
use super::paint::{Brush, color};
use super::parts::{set_label, set_words, show};
use super::post::{Sheet, Wish};
use crate::colour::name_colour;
use crate::model::{ConversationId, Kind, Model};
use crate::phrases::{Language, Phrase};
use crate::render::{self, BannerKind, ConversationRow, PersonRow, Screen};

impl View {
    /// Shows the model as it is now.
    pub fn update(&mut self, model: &mut Model) {
        self.take_changes(model);
        let screen = render::screen(model);
        let old = self.screen.take();
        self.update_lists(model, &screen, old.as_ref());
        let has_moved = self.update_bars(&screen);
        self.update_search(&screen);
        self.panes.input.set_label(&screen.compose.label);
        self.update_reply(&screen);
        let title = &screen.title;
        if self.panes.window.label() != *title {
            self.panes.window.set_label(title);
        }
        self.show_way_to_unread(model);
        let is_asked = screen.name_question.is_some();
        let shape = Shape::of(&screen, &self.panes.input.wanted_height(&self.brush));
        let is_other = old.as_ref().is_none() || self.shape != Some(shape) || has_moved;
        self.shape = Some(shape);
        self.screen = Some(screen);
        if is_other {
            self.arrange(model);
        }
        if is_asked != (self.open_sheet_kind() == Some(Sheet::Name)) {
            self.update_name_sheet(is_asked, model);
        }
        self.update_question(is_asked, model);
        self.redraw_sheet();
    }

    /// The question that lies there is the one there is.
    fn update_question(&mut self, is_name_asked: bool, model: &Model) {
        let asked = render::question(model).map(|question| Sheet::Question(question.number));
        let lies = self.open_sheet_kind().filter(|kind| matches!(kind, Sheet::Question(_)));
        match asked.filter(|_| !is_name_asked) {
            asked if asked == lies => {}
            Some(sheet) => self.open_sheet(sheet, model),
            None => self.post.send(Wish::CloseSheet { is_accepted: false }),
        }
    }

    /// The rows of the transcript as they are now.
    pub(super) fn take_changes(&mut self, model: &mut Model) {
        let changes = model.take_row_changes();
        let empty = if render::row_count(model) == 0 { render::screen(model).empty } else { None };
        self.panes.transcript.change(model, &changes, empty);
    }

    fn update_lists(&mut self, model: &Model, screen: &Screen, old: Option<&Screen>) {
        let language = model.language();
        self.panes.rooms.set(conversation_rows(&self.brush, &screen.conversations, language));
        if old.is_none_or(|old| old.shown != screen.shown) {
            self.panes.rooms.show_chosen();
        }
        set_label(&mut self.panes.own_name, &screen.own_name);
        if old.is_none_or(|old| old.people_revision != screen.people_revision) {
            let count = screen.people.unwrap_or_default();
            let people = render::people(model, 0..count);
            let rows = person_rows(&self.brush, &people, language);
            self.update_people_sheet(rows.clone());
            self.panes.people.set(rows);
        }
    }

    fn update_bars(&mut self, screen: &Screen) -> bool {
        let panes = &mut self.panes;
        let before = (panes.heading.label(), panes.jump.label(), panes.banner_button.label());
        set_words(&mut panes.heading, &screen.heading);
        let count =
            screen.people.filter(|count| *count > 0).map(|count| count.to_string()).unwrap_or_default();
        set_words(&mut panes.count, &count);
        show(&mut panes.banner.widget, screen.banner.is_some());
        let button = screen.banner.as_ref().and_then(|banner| banner.button.as_ref());
        show(&mut panes.banner_button, button.is_some());
        let mut has_moved = false;
        if let Some(banner) = &screen.banner {
            let palette = self.brush.palette();
            let (ground, ink) = match banner.kind {
                BannerKind::Progress => (palette.panel, palette.muted),
                BannerKind::Trouble => (palette.warning, palette.warning_text),
            };
            has_moved = panes.banner.set(&self.brush, &banner.text, ground, ink);
        }
        if let Some(button) = button {
            set_label(&mut panes.banner_button, &button.label);
        }
        let had_jump = panes.jump.visible();
        show(&mut panes.jump, screen.jump.is_some());
        if let Some(jump) = &screen.jump {
            set_label(&mut panes.jump, &jump.label);
        }
        let palette = self.brush.palette();
        let over = screen.compose.over_bytes;
        let (hint, is_error) = match &screen.hint {
            Some(hint) => (hint.text.clone(), hint.is_error),
            None => (String::new(), false),
        };
        let ink = if is_error || over > 0 { palette.failed } else { palette.muted };
        panes.hint.set_label_color(color(ink));
        set_words(&mut panes.hint, &hint);
        has_moved |= before != (panes.heading.label(), panes.jump.label(), panes.banner_button.label());
        if !had_jump && panes.jump.visible() {
            self.arrange_ways();
        }
        has_moved
    }

    /// The button to the rule above what was not read is there while that is above what is seen.
    pub(super) fn show_way_to_unread(&mut self, model: &Model) {
        let row = render::unread_position(model);
        let is_above = row.is_some_and(|row| self.panes.transcript.is_above(row));
        if is_above != self.panes.unread.visible() {
            show(&mut self.panes.unread, is_above);
            self.arrange_ways();
        }
    }

    fn update_search(&mut self, screen: &Screen) {
        let parts = &mut self.panes.search;
        let is_shown = screen.search.is_some();
        let was_shown = parts.field.visible();
        show(&mut parts.field, is_shown);
        show(&mut parts.status, is_shown);
        for button in [&mut parts.up, &mut parts.down, &mut parts.close] {
            show(button, is_shown);
        }
        let history = screen.search.as_ref().and_then(|search| search.history.as_ref());
        show(&mut parts.history, history.is_some());
        let results = screen.search.as_ref().map(|search| search.results.as_slice()).unwrap_or_default();
        show(&mut parts.results.widget, !results.is_empty());
        let Some(search) = &screen.search else { return };
        if let Some(history) = history {
            set_label(&mut parts.history, &history.label);
        }
        let status = search.history_status.as_ref().unwrap_or(&search.status);
        set_words(&mut parts.status, status);
        if parts.field.value() != search.words {
            parts.field.set_value(&search.words);
        }
        if !was_shown {
            let _ = parts.field.take_focus();
        }
        let palette = self.brush.palette();
        let rows = results.iter().map(|result| ListRow {
            text: format!("{}  {}: {}", result.when, result.name, result.text),
            colour: palette.text,
            is_bold: false,
            badge: None,
            is_chosen: false,
            is_heading: false,
        });
        parts.results.set(rows.collect());
    }

    fn update_reply(&mut self, screen: &Screen) {
        let panes = &mut self.panes;
        show(&mut panes.reply, screen.compose.reply.is_some());
        show(&mut panes.reply_cancel, screen.compose.reply.is_some());
        if let Some(reply) = &screen.compose.reply {
            set_words(&mut panes.reply, reply);
        }
    }

    /// The n-th conversation of the list.
    pub(super) fn conversation(&self, index: usize) -> Option<ConversationId> {
        self.screen.as_ref()?.conversations.get(index).map(|row| row.id)
    }

    fn update_name_sheet(&mut self, is_asked: bool, model: &Model) {
        if is_asked {
            self.open_sheet(Sheet::Name, model);
        } else {
            self.post.send(Wish::CloseSheet { is_accepted: false });
        }
    }
}

/// What decides where the parts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    has_banner: (bool, bool),
    has_search: (bool, bool, bool),
    has_reply: bool,
    shows_people: bool,
    is_room: bool,
    input_height: i32,
}

impl Shape {
    fn of(screen: &Screen, input_height: &i32) -> Self {
        let search = screen.search.as_ref();
        Self {
            has_banner: (
                screen.banner.is_some(),
                screen.banner.as_ref().is_some_and(|banner| banner.button.is_some()),
            ),
            has_search: (
                search.is_some(),
                search.is_some_and(|search| search.history.is_some()),
                search.is_some_and(|search| !search.results.is_empty()),
            ),
            has_reply: screen.compose.reply.is_some(),
            shows_people: screen.shows_people,
            is_room: screen.people.is_some(),
            input_height: *input_height,
        }
    }
}

/// The name of the n-th person of the list.
pub(super) fn person(model: &Model, index: usize) -> Option<String> {
    render::people(model, index..index.saturating_add(1)).pop().map(|person| person.name)
}

fn heading(brush: &Brush, text: &str) -> ListRow {
    ListRow {
        text: text.to_owned(),
        colour: brush.palette().muted,
        is_bold: false,
        badge: None,
        is_chosen: false,
        is_heading: true,
    }
}

fn conversation_rows(brush: &Brush, conversations: &[ConversationRow], language: Language) -> Vec<ListRow> {
    let palette = brush.palette();
    let mut rows = Vec::new();
    let mut last = None;
    for conversation in conversations {
        if last != Some(conversation.kind) {
            let is_room = conversation.kind == Kind::Room;
            let phrase = if is_room { Phrase::Rooms } else { Phrase::Privates };
            rows.push(heading(brush, phrase.in_language(language)));
            last = Some(conversation.kind);
        }
        let is_quiet = conversation.is_muted || !conversation.is_in;
        let mark = if conversation.has_unsent {
            " ⋯"
        } else if conversation.has_draft && !conversation.is_shown {
            " ✎"
        } else {
            ""
        };
        let count = if conversation.mentions > 0 { conversation.mentions } else { conversation.unread };
        rows.push(ListRow {
            text: format!("{}{mark}", conversation.name),
            colour: if is_quiet { palette.muted } else { palette.text },
            is_bold: conversation.unread > 0 && !conversation.is_muted,
            badge: (count > 0).then(|| (shown_count(count), conversation.mentions > 0)),
            is_chosen: conversation.is_shown,
            is_heading: false,
        });
    }
    rows
}

/// No badge is wider than its list.
fn shown_count(count: u64) -> String {
    if count > 999 { "999+".to_owned() } else { count.to_string() }
}

/// Everybody who is here, below a heading.
pub(super) fn all_people(brush: &Brush, model: &Model) -> Vec<ListRow> {
    person_rows(brush, &render::people(model, 0..usize::MAX), model.language())
}

fn person_rows(brush: &Brush, people: &[PersonRow], language: Language) -> Vec<ListRow> {
    let palette = brush.palette();
    let title = format!("{} · {}", Phrase::PeopleLabel.in_language(language), people.len());
    let head = std::iter::once(heading(brush, &title));
    let rows = people.iter().map(|person| ListRow {
        text: person.name.clone(),
        colour: match (person.is_ignored, person.is_self) {
            (true, _) => palette.muted,
            (_, true) => palette.own,
            _ => name_colour(brush.theme, person.colour),
        },
        is_bold: person.is_self,
        badge: None,
        is_chosen: false,
        is_heading: false,
    });
    head.chain(rows).collect()
}
