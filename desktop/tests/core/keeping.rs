//! What outlives the window: drafts, refused lines, settings.

use std::time::Duration;

use tertulia_desktop::colour::Theme;
use tertulia_desktop::model::{
    Act, Command, DRAFTS_APART_MAX, Event, FileCommand, LinkCommand, LinkEvent, Refusal, Unsent, ViewCommand,
};
use tertulia_desktop::phrases::Language;
use tertulia_desktop::settings::Settings;

use crate::window::{Window, settings};

fn saved_drafts(window: &mut Window) -> Option<String> {
    window.files().into_iter().rev().find_map(|file| match file {
        FileCommand::SaveDrafts(text) | FileCommand::SaveDraftsSafely(text) => Some(text),
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
    let said = again.take_said().remove(0);
    assert_eq!(said.text, "no se dijo");
    again.commands.clear();
    again.acknowledge(&said.label);
    assert!(!saved_drafts(&mut again).unwrap().contains("no se dijo"), "it is said");
}

#[test]
fn drafts_that_cannot_be_read_are_an_error_with_its_line_and_change_nothing() {
    let mut window = Window::ready();
    let error = window.model.restore_drafts("\ndraft = [").unwrap_err();
    assert!(!error.reason.is_empty());
    assert_eq!(error.why.in_language(Language::Es), "línea 2");
    assert_eq!(window.screen().conversations.len(), 1);
}

#[test]
fn what_belongs_to_rooms_that_are_not_open_is_written_back_until_they_are() {
    let text = "[[draft]]\nroom = 'otra'\ntext = 'sin acabar'\n[[draft]]\nperson = 'a:b'\ntext = 'y'\n\
                [[refused]]\nroom = 'otra'\nunix_ms = 5\ntext = 'no salió'\n";
    let mut window = Window::ready();
    window.model.restore_drafts(text).unwrap();
    assert_eq!(window.screen().conversations.len(), 1, "a draft alone leads into no room");
    window.act(Act::Close);
    let kept = saved_drafts(&mut window).unwrap();
    let mut again = Window::ready();
    again.model.restore_drafts(&kept).unwrap();
    assert!(again.model.drafts().contains("'a:b'") || again.model.drafts().contains("\"a:b\""));
    again.act(Act::Join("otra".to_owned()));
    assert_eq!(again.input(), "sin acabar");
    assert!(again.transcript().contains("!no salió!"), "{}", again.transcript());
    let kept = again.model.drafts();
    assert_eq!((kept.matches("sin acabar").count(), kept.matches("no salió").count()), (1, 1), "{kept}");
}

#[test]
fn what_is_being_written_in_a_room_that_is_left_is_there_when_it_is_entered_again() {
    let rooms = vec!["general".to_owned(), "cocina".to_owned()];
    let mut window = Window::ready_with(Settings { rooms, ..settings() });
    let id = window.screen().conversations[1].id;
    window.act(Act::Select(id));
    window.write("casi");
    window.act(Act::Leave(id));
    assert!(window.model.drafts().contains("casi"));
    window.act(Act::Join("cocina".to_owned()));
    assert_eq!(window.input(), "casi");
}

#[test]
fn drafts_of_rooms_that_are_never_entered_again_have_a_bound() {
    let mut window = Window::ready();
    let draft = |number: usize| format!("[[draft]]\nroom = 'r{number}'\ntext = 'n{number}.'\n");
    let text: String = (0..DRAFTS_APART_MAX + 5).map(draft).collect();
    window.model.restore_drafts(&text).unwrap();
    let kept = window.model.drafts();
    assert_eq!(kept.matches("[[draft]]").count(), DRAFTS_APART_MAX);
    assert!(!kept.contains("'n4.'") && !kept.contains("\"n4.\""), "the oldest go");
}

#[test]
fn what_is_being_written_to_a_person_is_there_again() {
    let mut window = Window::ready();
    window.act(Act::Talk("Luis".to_owned()));
    window.write("oye,");
    let mut again = Window::with(settings());
    again.model.restore_drafts(&window.model.drafts()).unwrap();
    let id = again.screen().conversations[1].id;
    again.act(Act::Select(id));
    assert_eq!((again.screen().heading, again.input()), ("Luis".to_owned(), "oye,".to_owned()));
}

fn forgotten(window: &mut Window) -> Vec<String> {
    let orders = window.link_commands().into_iter();
    let labels = orders.filter_map(|order| match order {
        LinkCommand::ForgetRefused { label } => Some(label),
        _ => None,
    });
    labels.collect()
}

#[test]
fn the_link_keeps_a_refused_line_until_it_stands_in_the_file_of_the_drafts() {
    let mut window = Window::ready();
    window.say("no se dijo");
    let label = window.take_said().remove(0).label;
    window.refuse(&label, "NO_ROOM");
    let files = window.files();
    assert!(matches!(&files[..], [FileCommand::SaveDraftsSafely(_)]), "{files:?}");
    window.handle(Event::Drafts { are_written: false });
    assert!(forgotten(&mut window).is_empty());
    window.pass(Duration::from_secs(6));
    let files = window.files();
    assert!(matches!(&files[..], [FileCommand::SaveDraftsSafely(_)]), "tried again: {files:?}");
    window.handle(Event::Drafts { are_written: true });
    assert_eq!(forgotten(&mut window), [label]);
    window.write("x");
    window.pass(Duration::from_secs(2));
    let files = window.files();
    assert!(matches!(&files[..], [FileCommand::SaveDrafts(_)]), "the disk is not waited for: {files:?}");
}

fn unsent(label: &str, text: &str, refusal: Option<Refusal>) -> Unsent {
    let (label, text) = (label.to_owned(), text.to_owned());
    Unsent { label, room: "general".to_owned(), to: None, reply: Some(9), text, refusal }
}

#[test]
fn a_refused_line_that_the_drafts_lack_is_taken_from_the_session_once() {
    let mut window = Window::ready();
    window.link(LinkEvent::Restored(vec![unsent("w1.1", "perdida", Some(Refusal::Before))]));
    window.link(LinkEvent::Restored(vec![unsent("w1.1", "perdida", Some(Refusal::Before))]));
    assert_eq!(window.transcript().matches("!perdida!").count(), 1, "{}", window.transcript());
    let mut again = Window::with(settings());
    again.model.restore_drafts(&window.model.drafts()).unwrap();
    again.link(LinkEvent::Restored(vec![unsent("w1.1", "perdida", Some(Refusal::Before))]));
    assert_eq!(again.transcript().matches("!perdida!").count(), 1, "{}", again.transcript());
    again.handle(Event::Drafts { are_written: true });
    assert_eq!(forgotten(&mut again), ["w1.1"]);
    // A link that was gone still had it to say.
    let mut third = Window::with(settings());
    third.model.restore_drafts(&window.model.drafts()).unwrap();
    third.link(LinkEvent::Restored(vec![unsent("w1.1", "perdida", None)]));
    assert!(third.transcript().ends_with("~perdida~"), "{}", third.transcript());
    assert!(!third.transcript().contains('!'));
}

#[test]
fn what_was_written_for_another_relay_is_red_says_for_whom_and_answers_no_line() {
    let mut window = Window::ready();
    let other = Refusal::OtherRelay("casa:2000".to_owned());
    window.link(LinkEvent::Restored(vec![unsent("w1.1", "secreto", Some(other))]));
    assert!(window.transcript().contains("escrita para casa:2000"), "{}", window.transcript());
    assert!(window.take_said().is_empty());
    // It is still known in the next run, and at its own relay it is a line like others.
    let mut again = Window::with(settings());
    again.model.restore_drafts(&window.model.drafts()).unwrap();
    assert!(again.transcript().contains("escrita para casa:2000"), "{}", again.transcript());
    let mut home = Window::with(Settings { relay: "casa:2000".to_owned(), ..settings() });
    home.model.restore_drafts(&window.model.drafts()).unwrap();
    assert!(!home.transcript().contains("escrita para"), "{}", home.transcript());
    again.act(Act::Retry(again.row("secreto").entry));
    let said = again.take_said();
    assert_eq!((said[0].text.as_str(), said[0].reply), ("secreto", None));
}

#[test]
fn what_is_refused_or_waits_when_the_relay_changes_is_not_for_the_new_one() {
    let mut window = Window::ready();
    window.say("espera");
    let label = window.take_said().remove(0).label;
    window.say("rechazada");
    let refused = window.take_said().remove(0).label;
    window.refuse(&refused, "EMPTY");
    let chosen = Settings { relay: "casa:2000".to_owned(), ..window.model.settings().clone() };
    window.act(Act::ChangeSettings(Box::new(chosen)));
    let other = Refusal::OtherRelay("10.0.0.5:2000".to_owned());
    window.link(LinkEvent::Restored(vec![unsent(&label, "espera", Some(other))]));
    let shown = window.transcript();
    assert_eq!(shown.matches("escrita para 10.0.0.5:2000").count(), 2, "{shown}");
    assert!(shown.contains("!espera!") && shown.contains("!rechazada!"), "{shown}");
}

#[test]
fn a_line_said_again_is_written_down_before_and_said_under_the_same_label_after_a_kill() {
    let mut window = Window::ready();
    window.say("otra vez");
    let label = window.take_said().remove(0).label;
    window.refuse(&label, "NOT_HERE");
    window.commands.clear();
    window.act(Act::Retry(window.row("otra vez").entry));
    let position = |wanted: fn(&Command) -> bool| window.commands.iter().position(wanted).unwrap();
    let is_file = |command: &Command| matches!(command, Command::File(_));
    let is_said = |command: &Command| matches!(command, Command::Link(LinkCommand::Say(_)));
    assert!(position(is_file) < position(is_said));
    let kept = saved_drafts_of(&window);
    let label = window.take_said().remove(0).label;
    // Killed before anybody knew: the relay takes the same label for the same line.
    let mut again = Window::with(settings());
    again.model.restore_drafts(&kept).unwrap();
    again.commands.clear();
    again.act(Act::Focus(true));
    assert!(again.transcript().ends_with("~otra vez~"), "{}", again.transcript());
    let kept = again.model.drafts();
    assert!(kept.contains("otra vez"), "{kept}");
    again.acknowledge(&label);
    assert!(!again.model.drafts().contains("otra vez"));
}

fn saved_drafts_of(window: &Window) -> String {
    let saved = window.commands.iter().find_map(|command| match command {
        Command::File(FileCommand::SaveDrafts(text) | FileCommand::SaveDraftsSafely(text)) => {
            Some(text.clone())
        }
        _ => None,
    });
    saved.unwrap()
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
