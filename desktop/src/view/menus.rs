//! What can be done with a row, a person, a conversation: menus, each a sheet where it was asked for, so that what comes
//! meanwhile is taken.

use fltk::app;

use super::post::{Place, Wish};
use super::{View, update};
use crate::model::{Act, EntryId, Kind, Model};
use crate::phrases::{Language, Phrase, fill};
use crate::render::{self, Row, Style};

/// Characters of a link in a menu.
const URL_CHARS_MAX: usize = 40;

/// What can be chosen, and what is done then.
pub(super) type Item = (String, Wish);

/// With a row of the transcript; with a link in it, that alone is offered of its links.
pub(super) fn row(view: &mut View, entry: EntryId, url: Option<String>, at: Place, model: &Model) {
    let position = render::row_position(model, entry);
    let Some(row) = position.and_then(|position| render::row(model, position)) else { return };
    let language = model.language();
    let say = |phrase: Phrase| phrase.in_language(language).to_owned();
    let mut items = buttons(&row);
    if render::can_be_answered(model, entry) {
        items.push((say(Phrase::Reply), Wish::Act(Act::Reply(entry))));
    }
    if let Some(quoted) = row.quote.as_ref().and_then(|quote| quote.act.clone()) {
        items.push((say(Phrase::ToQuoted), Wish::Act(quoted)));
    }
    let copied = view.panes.transcript.copied_of(model, entry);
    if !copied.is_empty() {
        items.push((say(Phrase::Copy), Wish::CopyText(copied)));
    }
    let urls = url.map_or_else(|| links(&row), |url| vec![url]);
    items.extend(link_items(&urls, language));
    if let Some(name) = row.name.filter(|name| name.style != Style::OwnName) {
        items.extend(person_items(&name.text, model));
    }
    view.open_menu(items, at);
}

/// What stands in a row to be pressed.
pub(super) fn acts(row: &Row) -> Vec<Act> {
    let quote = row.quote.iter().filter_map(|quote| quote.act.clone());
    let urls = links(row).into_iter().map(Act::OpenLink);
    row.status.iter().filter_map(|span| span.act.clone()).chain(urls).chain(quote).collect()
}

fn buttons(row: &Row) -> Vec<Item> {
    let item = |span: &render::Span| Some((span.text.clone(), Wish::Act(span.act.clone()?)));
    row.status.iter().filter_map(item).collect()
}

/// The links of a row, each once.
fn links(row: &Row) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for span in &row.body {
        if let Some(Act::OpenLink(url)) = &span.act {
            if !urls.contains(url) {
                urls.push(url.clone());
            }
        }
    }
    urls
}

fn link_items(urls: &[String], language: Language) -> Vec<Item> {
    let named = |phrase: Phrase, url: &str| {
        let label = phrase.in_language(language);
        if urls.len() < 2 { label.to_owned() } else { format!("{label}: {}", shortened(url)) }
    };
    let items = urls.iter().flat_map(|url| {
        let open = (named(Phrase::OpenLink, url), Wish::Act(Act::OpenLink(url.clone())));
        [open, (named(Phrase::CopyLink, url), Wish::CopyText(url.clone()))]
    });
    items.collect()
}

fn shortened(url: &str) -> String {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    let short: String = url.chars().take(URL_CHARS_MAX).collect();
    if short.len() < url.len() { format!("{short}…") } else { short }
}

/// With the n-th person of the list.
pub(super) fn person(view: &mut View, index: usize, at: Place, model: &Model) {
    if let Some(name) = update::person(model, index) {
        view.open_menu(person_items(&name, model), at);
    }
}

fn person_items(name: &str, model: &Model) -> Vec<Item> {
    let say = |phrase: Phrase| fill(phrase.in_language(model.language()), &[name]);
    let is_ignored = model.settings().is_ignored(name);
    let ignore = Act::Ignore { name: name.to_owned(), is_ignored: !is_ignored };
    let label = if is_ignored { Phrase::Unignore } else { Phrase::Ignore };
    let mut items = vec![
        (say(Phrase::TalkPrivately), Wish::Act(Act::Talk(name.to_owned()))),
        (say(label), Wish::Act(ignore)),
    ];
    items.extend(operator_items(name, model));
    items
}

fn operator_items<'a>(name: &'a str, model: &Model) -> impl Iterator<Item = Item> + use<'a> {
    let acts = render::operator_acts(model, name).into_iter();
    acts.map(move |(label, kind)| (label, Wish::Act(Act::Operate { kind, name: name.to_owned() })))
}

/// With the n-th conversation of the list.
pub(super) fn conversation(view: &mut View, index: usize, at: Place, model: &Model) {
    let Some(row) = view.screen.as_ref().and_then(|screen| screen.conversations.get(index)) else { return };
    let say = |phrase: Phrase| phrase.in_language(model.language()).to_owned();
    let mut items = Vec::new();
    if row.kind == Kind::Room {
        let mute = Act::Mute { conversation: row.id, is_muted: !row.is_muted };
        let label = if row.is_muted { Phrase::Unmute } else { Phrase::Mute };
        items.push((say(label), Wish::Act(mute)));
        items.push((say(Phrase::Leave), Wish::Act(Act::Leave(row.id))));
    } else {
        items.push((say(Phrase::CloseConversation), Wish::Act(Act::Leave(row.id))));
        items.extend(operator_items(&row.name, model));
    }
    view.open_menu(items, at);
}

/// What is chosen is done once the menu is gone.
pub(super) fn pick(view: &mut View, index: usize, model: &Model) {
    let item = view.menu.get(index).cloned();
    view.close_sheet(false, model);
    match item {
        Some((_, Wish::CopyText(text))) => app::copy(&text),
        Some((_, wish)) => view.post.send(wish),
        None => {}
    }
}
