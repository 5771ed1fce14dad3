//! The input: completion, what was sent before, pastes, hints, emoji.

use tertulia_desktop::model::{Act, PASTE_LINES_ASKED, SENT_KEPT, TEXT_BYTES_MAX, ViewCommand};
use tertulia_desktop::settings::Settings;
use tertulia_wire::session::Event;

use crate::window::{Window, settings};

fn with_people(names: &[&str]) -> Window {
    let mut window = Window::ready();
    for name in names {
        window.session(Event::Who { label: None, room: "general".to_owned(), name: (*name).to_owned() });
    }
    window.session(Event::AnswerEnd { label: None, what: "WHO".to_owned() });
    window
}

fn tab(window: &mut Window) -> String {
    window.act(Act::Complete { backwards: false });
    window.input()
}

#[test]
fn tab_completes_names_and_cycles_who_spoke_last_first() {
    let mut window = with_people(&["Luisa", "Lucas", "Luis", "Eva", "Ana"]);
    window.hear("general", "Luisa", "hola");
    window.write("lu");
    assert_eq!(tab(&mut window), "Luisa: ");
    assert_eq!(tab(&mut window), "Lucas: ");
    assert_eq!(tab(&mut window), "Luis: ");
    assert_eq!(tab(&mut window), "Luisa: ");
    window.act(Act::Complete { backwards: true });
    assert_eq!(window.input(), "Luis: ");
}

#[test]
fn tab_in_the_middle_leaves_the_rest_alone_and_adds_a_space() {
    let mut window = with_people(&["Ñandú", "Ana"]);
    window.act(Act::Edit { text: "hola ñan y adiós".to_owned(), cursor: 9 });
    assert_eq!(tab(&mut window), "hola Ñandú  y adiós");
    assert_eq!(window.screen().compose.cursor, "hola Ñandú ".len());
}

#[test]
fn tab_without_anything_to_complete_changes_nothing() {
    let mut window = with_people(&["Ana", "Eva"]);
    for text in ["", "x", "hola ", "ana"] {
        window.write(text);
        assert_eq!(tab(&mut window), text, "one's own name is not offered");
    }
}

#[test]
fn typing_on_begins_another_completion() {
    let mut window = with_people(&["Luis", "Lucas"]);
    window.write("lu");
    tab(&mut window);
    window.write("Lucas: y lui");
    assert_eq!(tab(&mut window), "Lucas: y Luis ");
}

#[test]
fn tab_completes_commands_of_both_languages() {
    let mut window = Window::ready();
    window.write("/sal");
    assert_eq!(tab(&mut window), "/sala ");
    assert_eq!(tab(&mut window), "/salas ");
    assert_eq!(tab(&mut window), "/salir ");
    window.write("/jo");
    assert_eq!(tab(&mut window), "/join ");
}

#[test]
fn up_and_down_walk_what_was_sent_and_come_back_to_what_was_being_written() {
    let mut window = Window::ready();
    for text in ["uno", "dos", "dos"] {
        window.say(text);
    }
    window.write("a medias");
    let walk = |window: &mut Window, act: Act| {
        window.act(act);
        window.input()
    };
    assert_eq!(walk(&mut window, Act::Earlier), "dos");
    assert_eq!(walk(&mut window, Act::Earlier), "uno", "the same twice is kept once");
    assert_eq!(walk(&mut window, Act::Earlier), "uno");
    assert_eq!(walk(&mut window, Act::Later), "dos");
    assert_eq!(walk(&mut window, Act::Later), "a medias");
    assert_eq!(walk(&mut window, Act::Later), "a medias");
}

#[test]
fn what_was_begun_before_a_walk_is_never_lost() {
    let rooms = vec!["general".to_owned(), "cocina".to_owned()];
    let mut window = Window::ready_with(Settings { rooms, ..settings() });
    let ids: Vec<_> = window.screen().conversations.iter().map(|row| row.id).collect();
    window.say("uno");
    window.write("a medias");
    window.act(Act::Earlier);
    assert_eq!(window.input(), "uno");
    assert!(window.model.drafts().contains("a medias"), "{}", window.model.drafts());
    window.act(Act::Select(ids[1]));
    window.act(Act::Select(ids[0]));
    assert_eq!(window.input(), "a medias", "another room was looked at");
    window.act(Act::Earlier);
    window.act(Act::Send);
    assert_eq!(window.take_said().pop().unwrap().text, "uno");
    assert_eq!(window.input(), "a medias", "a line of before was sent");
    window.act(Act::Earlier);
    window.write("uno y algo");
    assert_eq!(window.input(), "uno y algo");
    window.act(Act::Earlier);
    assert_eq!(window.input(), "a medias", "a line of before was written on");
    window.act(Act::Later);
    assert_eq!(window.input(), "uno y algo");
}

#[test]
fn what_was_sent_is_kept_within_a_bound() {
    let mut window = Window::ready();
    for number in 0..2 * SENT_KEPT {
        window.say(&format!("línea {number}"));
    }
    for _ in 0..3 * SENT_KEPT {
        window.act(Act::Earlier);
    }
    assert_eq!(window.input(), format!("línea {SENT_KEPT}"));
}

#[test]
fn a_long_paste_is_asked_about_and_a_short_one_is_not() {
    let mut window = Window::ready();
    let short = ["línea"; PASTE_LINES_ASKED].join("\r\n");
    window.commands.clear();
    window.act(Act::Paste(short.clone()));
    assert_eq!(window.view_commands(), [ViewCommand::InsertText(short.replace("\r\n", "\n"))]);
    let long = ["línea"; PASTE_LINES_ASKED + 1].join("\n");
    window.act(Act::Paste(long.clone()));
    assert_eq!(window.view_commands(), [ViewCommand::AskPaste { lines: 6 }]);
    window.act(Act::ConfirmPaste(false));
    assert!(window.view_commands().is_empty());
    window.act(Act::Paste(long.clone()));
    window.commands.clear();
    window.act(Act::ConfirmPaste(true));
    assert_eq!(window.view_commands(), [ViewCommand::InsertText(long)]);
    window.act(Act::ConfirmPaste(true));
    assert!(window.view_commands().is_empty(), "asked once, pasted once");
}

#[test]
fn the_question_can_be_switched_off_and_what_fits_no_message_is_refused() {
    let mut window = Window::ready_with(Settings { ask_before_paste: false, ..settings() });
    let long = vec!["línea"; 50].join("\n");
    window.act(Act::Paste(long.clone()));
    assert_eq!(window.view_commands(), [ViewCommand::InsertText(long)]);
    window.act(Act::Paste("x".repeat(TEXT_BYTES_MAX + 1)));
    assert!(window.view_commands().is_empty());
    assert!(window.screen().hint.unwrap().is_error);
}

#[test]
fn a_command_being_written_is_explained() {
    let mut window = Window::ready();
    let hint = |window: &mut Window, text: &str| {
        window.write(text);
        window.screen().hint.map(|hint| hint.text)
    };
    assert_eq!(hint(&mut window, "/sa").unwrap(), "/sala  /salas  /salir");
    assert_eq!(hint(&mut window, "/sala").unwrap(), "/sala NOMBRE — entrar en una sala");
    assert_eq!(hint(&mut window, "/join x").unwrap(), "/sala NOMBRE — entrar en una sala");
    assert!(hint(&mut window, "/baila").unwrap().starts_with("no existe /baila"));
    assert_eq!(hint(&mut window, "//texto"), None);
    assert_eq!(hint(&mut window, "texto"), None);
}

#[test]
fn a_command_that_fails_stays_written_and_one_that_works_does_not() {
    let mut window = Window::ready();
    for text in ["/sala", "/baila", "/privado"] {
        window.say(text);
        assert_eq!(window.input(), text);
        assert!(window.screen().hint.unwrap().is_error, "{text}");
    }
    window.say("/ayuda");
    assert_eq!(window.input(), "");
    assert!(window.transcript().contains("/privado NOMBRE [TEXTO]"), "{}", window.transcript());
    assert!(window.take_said().is_empty());
}

#[test]
fn an_emoji_goes_in_at_the_cursor() {
    let mut window = Window::ready();
    window.commands.clear();
    window.act(Act::PickEmoji("😀".to_owned()));
    assert_eq!(window.view_commands(), [ViewCommand::InsertText("😀".to_owned())]);
}

#[test]
fn a_cursor_inside_a_character_counts_as_before_it() {
    let mut window = Window::ready();
    window.act(Act::Edit { text: "ñ".to_owned(), cursor: 1 });
    assert_eq!(window.screen().compose.cursor, 0);
    window.act(Act::Edit { text: "ñ".to_owned(), cursor: 99 });
    assert_eq!(window.screen().compose.cursor, 2);
}
