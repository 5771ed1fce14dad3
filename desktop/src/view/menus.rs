//! What can be done with a row, a person, a conversation: menus at the mouse.

use fltk::app;
use fltk::enums::{Align, FrameType};
use fltk::menu::MenuButton;
use fltk::prelude::*;

use super::paint::{REGULAR, color};
use super::post::Wish;
use super::{View, update};
use crate::model::{Act, EntryId, Kind, Model};
use crate::phrases::Phrase;

/// Shows a menu at the mouse. What is chosen is said to the post once the menu is gone.
fn offer(view: &View, items: Vec<(&'static str, Wish)>) {
    let mut menu = MenuButton::new(app::event_x(), app::event_y(), 0, 0, None);
    let palette = view.brush.palette();
    menu.set_frame(FrameType::BorderBox);
    menu.set_color(color(palette.panel));
    menu.set_text_color(color(palette.text));
    menu.set_selection_color(color(palette.accent));
    menu.set_text_font(REGULAR);
    menu.set_text_size(view.brush.size);
    menu.set_align(Align::Left);
    let labels: Vec<String> = items.iter().map(|(label, _)| label.replace('/', "\\/")).collect();
    menu.add_choice(&labels.join("|"));
    let chosen = menu.popup().map(|_| menu.value());
    let chosen = chosen.and_then(|index| usize::try_from(index).ok());
    fltk::app::delete_widget(menu);
    if let Some((_, wish)) = chosen.and_then(|index| items.into_iter().nth(index)) {
        view.post.send(wish);
    }
}

/// With a row of the transcript, which this person said.
pub(super) fn row(view: &View, entry: EntryId, name: &str, model: &Model) {
    let say = |phrase: Phrase| phrase.in_language(model.language());
    let mut items = vec![(say(Phrase::Reply), Wish::Act(Act::Reply(entry))), (say(Phrase::Copy), Wish::Copy)];
    if !name.is_empty() {
        items.extend(person_items(name, model));
    }
    offer(view, items);
}

/// With the n-th person of the list.
pub(super) fn person(view: &View, index: usize, model: &Model) {
    if let Some(name) = update::person(model, index) {
        offer(view, person_items(&name, model));
    }
}

fn person_items(name: &str, model: &Model) -> Vec<(&'static str, Wish)> {
    let say = |phrase: Phrase| phrase.in_language(model.language());
    let is_ignored = model.settings().is_ignored(name);
    let ignore = Act::Ignore { name: name.to_owned(), is_ignored: !is_ignored };
    let label = if is_ignored { Phrase::Unignore } else { Phrase::Ignore };
    vec![(say(Phrase::TalkPrivately), Wish::Act(Act::Talk(name.to_owned()))), (say(label), Wish::Act(ignore))]
}

/// With the n-th conversation of the list.
pub(super) fn conversation(view: &View, index: usize, model: &Model) {
    let Some(row) = view.screen.as_ref().and_then(|screen| screen.conversations.get(index)) else { return };
    let say = |phrase: Phrase| phrase.in_language(model.language());
    let mut items = Vec::new();
    if row.kind == Kind::Room {
        let mute = Act::Mute { conversation: row.id, is_muted: !row.is_muted };
        let label = if row.is_muted { Phrase::Unmute } else { Phrase::Mute };
        items.push((say(label), Wish::Act(mute)));
        items.push((say(Phrase::Leave), Wish::Act(Act::Leave(row.id))));
    } else {
        items.push((say(Phrase::CloseConversation), Wish::Act(Act::Leave(row.id))));
    }
    offer(view, items);
}
