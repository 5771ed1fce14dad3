//! What is chosen, in the dialog and beside it, holds at once and is kept.

use super::{DARK, LIGHT, RED, open, settings};
use crate::support::desk::{Desk, Window, home};
use crate::support::{Relay, until};

/// Writes into the field that has the keyboard, in place of what stands there, and goes to the next.
fn fill(window: &Window<'_>, text: &str) {
    window.keys(&["ctrl+a"]);
    window.types(text);
    window.keys(&["Tab"]);
}

#[test]
fn another_relay_and_another_name_are_taken_together_and_kept() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let other = Relay::start();
    let listener = other.plain("Luis");
    let window = open(&desk, &home, &relay, &[]);
    window.still();
    window.keys(&["ctrl+comma"]);
    window.still();
    fill(&window, &other.address().to_string());
    fill(&window, "Berta");
    fill(&window, "general cocina, música");
    window.keys(&["Return"]);
    listener.await_line("the new name", |line| line.starts_with("Berta "));
    let kept = until("the settings", || Some(settings(&home)).filter(|text| text.contains("Berta")));
    assert!(kept.contains("rooms = [\"general\", \"cocina\", \"música\"]"), "{kept}");
    assert!(kept.contains(&format!("relay = \"{}\"", other.address())), "{kept}");
    window.close();
}

#[test]
fn what_cannot_be_is_told_in_the_dialog_and_nothing_is_taken() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    window.still();
    window.keys(&["ctrl+comma", "Tab"]);
    let asked = window.still();
    assert!(asked.count(RED, 60) < 20);
    fill(&window, "a:b");
    window.keys(&["Return"]);
    window.await_picture("what is wrong with the name", |picture| picture.count(RED, 60) > 100);
    window.keys(&["shift+Tab"]);
    fill(&window, "Berta");
    fill(&window, "general, a:b");
    window.keys(&["Return"]);
    window.await_picture("what is wrong with the room", |picture| picture.count(RED, 60) > 100);
    assert!(!settings(&home).contains("Berta"), "nothing is taken");
    window.keys(&["shift+Tab"]);
    fill(&window, "general");
    window.keys(&["Return"]);
    until("the settings", || settings(&home).contains("name = \"Berta\"").then_some(()));
    window.close();
}

#[test]
fn a_room_with_a_draft_is_left_only_when_that_is_confirmed() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &["--room", "general", "--room", "cocina"]);
    window.still();
    window.keys(&["alt+Down"]);
    window.types("a medio escribir");
    window.keys(&["alt+Up", "ctrl+comma", "Tab", "Tab"]);
    fill(&window, "general");
    window.keys(&["Return"]);
    window.await_picture("the question", |picture| picture.count(RED, 60) > 100);
    window.keys(&["Escape"]);
    window.still();
    window.keys(&["alt+Down"]);
    until("the room", || window.title().starts_with("cocina").then_some(()));
    window.keys(&["ctrl+comma", "Tab", "Tab"]);
    fill(&window, "general");
    window.keys(&["Return"]);
    window.await_picture("the question", |picture| picture.count(RED, 60) > 100);
    window.keys(&["Return"]);
    until("the other room", || window.title().starts_with("general").then_some(()));
    window.close();
}

#[test]
fn the_dark_theme_is_chosen_in_the_dialog_and_is_kept() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let light = window.still();
    assert!(light.count(LIGHT, 0) > light.width * light.height / 3);
    // Relay, name, rooms, language, theme.
    window.keys(&["ctrl+comma", "Tab", "Tab", "Tab", "Tab", "Right", "Return"]);
    let is_dark = |picture: &crate::support::desk::Picture| {
        picture.count(DARK, 0) > picture.width * picture.height / 3 && picture.brightness() < 60.0
    };
    window.await_picture("the dark theme", is_dark);
    until("the settings", || settings(&home).contains("theme = \"dark\"").then_some(()));
    window.close();
    let again = open(&desk, &home, &relay, &[]);
    again.await_picture("the dark theme", is_dark);
    again.close();
}

#[test]
fn while_something_is_chosen_the_relay_is_heard_and_the_window_can_be_asked_to_end() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let mut luis = relay.plain("Luis");
    let window = open(&desk, &home, &relay, &["--room", "general", "--room", "cocina"]);
    window.still();
    luis.send("/join cocina");
    // Its language is being chosen, by mouse.
    window.keys(&["ctrl+comma"]);
    window.still();
    window.click(460, 174, 1);
    luis.say("hola");
    until("the count", || window.title().starts_with("(1) general").then_some(()));
    window.close();
}
