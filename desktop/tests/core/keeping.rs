//! What outlives the window: drafts, refused lines, settings.

use std::time::Duration;

use tertulia_desktop::colour::Theme;
use tertulia_desktop::model::{Act, FileCommand, LinkCommand, ViewCommand};
use tertulia_desktop::phrases::Language;
use tertulia_desktop::settings::Settings;

use crate::window::{Window, settings};

fn saved_drafts(window: &mut Window) -> Option<String> {
    window.files().into_iter().rev().find_map(|file| match file {
        FileCommand::SaveDrafts(text) => Some(text),
        FileCommand::SaveSettings(_) => None,
    })
}

#[test]
fn a_draft_is_written_down_soon_and_is_there_again() {
    let mut window = Window::ready();
    window.write("empiezo a\nescribir \"algo\"");
    assert!(saved_drafts(&mut window).is_none(), "not at each key");
    window.pass(Duration::from_secs(2));
    let text = saved_drafts(&mut window).unwrap();
    let mut again = Window::with(settings());
    again.model.restore_drafts(&text).unwrap();
    again.commands.clear();
    again.act(Act::Focus(true));
    let text = "empiezo a\nescribir \"algo\"".to_owned();
    assert_eq!(again.input(), text);
    assert_eq!(again.view_commands(), [ViewCommand::SetInput { cursor: text.len(), text }]);
}

#[test]
fn each_conversation_has_a_draft_of_its_own() {
    let rooms = vec!["general".to_owned(), "cocina".to_owned()];
    let mut window = Window::ready_with(Settings { rooms, ..settings() });
    let ids: Vec<_> = window.screen().conversations.iter().map(|row| row.id).collect();
    window.write("para todos");
    window.act(Act::Select(ids[1]));
    assert_eq!(window.input(), "");
    window.write("para la cocina");
    window.commands.clear();
    window.act(Act::Select(ids[0]));
    let shown = window.view_commands();
    assert!(
        shown.contains(&ViewCommand::SetInput { text: "para todos".to_owned(), cursor: 10 }),
        "{shown:?}"
    );
    assert!(window.screen().conversations[1].has_draft);
}

#[test]
fn refused_lines_are_written_down_and_are_there_again() {
    let mut window = Window::ready();
    window.say("no se dijo");
    let label = window.take_said().remove(0).label;
    window.refuse(&label, "NO_ROOM");
    window.pass(Duration::from_secs(2));
    let text = saved_drafts(&mut window).unwrap();
    let mut again = Window::with(settings());
    again.model.restore_drafts(&text).unwrap();
    assert!(again.transcript().contains("!no se dijo!"), "{}", again.transcript());
    again.act(Act::Retry(again.row("no se dijo").entry));
    assert_eq!(again.take_said()[0].text, "no se dijo");
    again.pass(Duration::from_secs(2));
    assert!(!saved_drafts(&mut again).unwrap().contains("no se dijo"), "the session has it now");
}

#[test]
fn drafts_that_cannot_be_read_are_an_error_and_change_nothing() {
    let mut window = Window::ready();
    assert!(!window.model.restore_drafts("draft = [").unwrap_err().reason.is_empty());
    window
        .model
        .restore_drafts("[[draft]]\nroom = 'otra'\ntext = 'x'\n[[draft]]\nperson = 'a:b'\ntext = 'y'\n")
        .unwrap();
    assert_eq!(window.screen().conversations.len(), 1);
}

#[test]
fn settings_of_the_dialog_take_effect_and_are_written_down() {
    let mut window = Window::ready();
    let chosen = Settings {
        theme: Theme::Dark,
        language: Some(Language::En),
        rooms: vec!["general".to_owned(), "kitchen".to_owned()],
        ..window.model.settings().clone()
    };
    window.act(Act::ChangeSettings(Box::new(chosen)));
    let commands = std::mem::take(&mut window.commands);
    use tertulia_desktop::model::Command;
    assert!(commands.contains(&Command::Link(LinkCommand::Join { room: "kitchen".to_owned() })));
    assert!(commands.contains(&Command::View(ViewCommand::Restyle)));
    let last = commands.iter().rev().find_map(|command| match command {
        Command::File(FileCommand::SaveSettings(text)) => Some(text.clone()),
        _ => None,
    });
    let written = Settings::from_toml(&last.unwrap()).unwrap();
    assert_eq!((written.theme, written.rooms.len()), (Theme::Dark, 2));
    assert_eq!(window.screen().compose.label, "Write in general");
}

#[test]
fn another_relay_begins_another_session() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "de este relay");
    window.say("aún no");
    window.commands.clear();
    let chosen = Settings { relay: "casa".to_owned(), ..window.model.settings().clone() };
    window.act(Act::ChangeSettings(Box::new(chosen)));
    assert_eq!(window.screen().rows, 1, "what another relay said is gone, what was not said yet is not");
    let started = window.link_commands();
    assert!(
        matches!(&started[..], [LinkCommand::Start { relay, .. }] if relay == "casa:2000"),
        "{started:?}"
    );
}

#[test]
fn the_font_grows_shrinks_and_goes_back_within_bounds() {
    let mut window = Window::ready();
    for _ in 0..100 {
        window.act(Act::Zoom(Some(true)));
    }
    assert_eq!(window.model.settings().font_size, 40);
    window.act(Act::Zoom(None));
    assert_eq!(window.model.settings().font_size, 14);
    window.act(Act::Zoom(Some(false)));
    assert_eq!(window.model.settings().font_size, 13);
}
