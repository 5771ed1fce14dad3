//! The mouse: selecting, menus, links, quotes, the wheel.

use super::{RED, open, settings};
use crate::support::desk::{Desk, Window, home};
use crate::support::{Folder, Plain, Relay, until};

/// Where the newest line of a window of 800x600 stands, and where its words begin.
const NEWEST: (i32, i32) = (330, 505);

/// Waits until a line of somebody stands in the window.
fn await_line(window: &Window<'_>, line: &str) {
    window.await_transcript(line, |lines| lines.iter().any(|seen| seen.ends_with(line)));
}

/// A program of this name, which writes down what it is given and ends with this code. Gives the file, and the path to
/// look for programs in.
fn stand_in(home: &Folder, name: &str, code: i32) -> (std::path::PathBuf, String) {
    use std::os::unix::fs::PermissionsExt;
    let (program, told) = (home.file(name), home.file("told"));
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\nexit {code}\n", told.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (told, format!("{}:{}", home.0.display(), std::env::var("PATH").unwrap()))
}

#[test]
fn what_the_mouse_selects_in_the_transcript_is_pasted_as_clean_text() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    let before = window.still();
    luis.say("palabras que se copian");
    window.await_picture("what Luis said", |picture| picture.changed(&before) > 0.001);
    window.still();
    // The newest line stands at the bottom of the transcript.
    window.drag((298, NEWEST.1), (640, NEWEST.1));
    window.still();
    window.click(300, 566, 2);
    window.still();
    window.keys(&["Return"]);
    luis.await_said("Ana: palabras que se copian");
    window.close();
}

#[test]
fn the_menu_of_a_row_copies_that_row() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    luis.say("esto no");
    luis.say("esto sí, R&D");
    await_line(&window, "esto sí, R&D");
    window.click(NEWEST.0, NEWEST.1, 3);
    window.still();
    // Answer, copy.
    window.keys(&["Down", "Return"]);
    assert_eq!(desk.clipboard(), "esto sí, R&D");
    window.close();
}

#[test]
fn a_line_without_its_name_above_leads_to_who_said_it_all_the_same() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    luis.say("una");
    luis.say("y otra");
    await_line(&window, "y otra");
    window.click(NEWEST.0, NEWEST.1, 3);
    window.still();
    // Answer, copy, talk privately.
    window.keys(&["Down", "Down", "Return"]);
    until("a private conversation", || window.title().starts_with("Luis").then_some(()));
    window.close();
}

#[test]
fn who_is_ignored_by_the_menu_is_seen_no_more_and_that_is_kept() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let (mut luis, mut eva): (Plain, Plain) = (relay.plain("Luis"), relay.plain("Eva"));
    eva.say("hola a todos");
    await_line(&window, "hola a todos");
    luis.say("spam");
    await_line(&window, "spam");
    window.click(NEWEST.0, NEWEST.1, 3);
    window.still();
    window.keys(&["Down", "Down", "Down", "Return"]);
    let lines = window.await_transcript("no spam", |lines| !lines.iter().any(|line| line.contains("spam")));
    assert!(lines.iter().any(|line| line == "Eva: hola a todos"), "{lines:?}");
    until("the settings", || settings(&home).contains("ignored = [\"Luis\"]").then_some(()));
    window.close();
}

#[test]
fn a_room_is_muted_by_its_menu_and_that_is_kept() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &["--room", "general", "--room", "cocina"]);
    window.still();
    // The second room of the list.
    window.click(60, 71, 3);
    window.still();
    window.keys(&["Return"]);
    until("the settings", || settings(&home).contains("muted = [\"cocina\"]").then_some(()));
    window.close();
}

#[test]
fn what_comes_while_a_menu_is_open_is_taken_and_so_is_the_end() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    luis.say("hola");
    await_line(&window, "hola");
    window.click(NEWEST.0, NEWEST.1, 3);
    let menu = window.still();
    luis.say("mientras tanto");
    window.await_picture("what came meanwhile", |picture| picture.changed(&menu) > 0.001);
    window.close();
}

#[test]
fn a_link_is_opened_once_however_often_one_clicks_and_copied_by_its_menu() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let (told, path) = stand_in(&home, "xdg-open", 0);
    let address = relay.address().to_string();
    let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana", "--lang", "es"]);
    let window = desk.start(command.env("PATH", path));
    let mut luis = relay.plain("Luis");
    luis.say("https://example.org/a?b&c");
    await_line(&window, "b&c");
    window.double_click(NEWEST.0, NEWEST.1);
    let opened =
        until("the link", || std::fs::read_to_string(&told).ok().filter(|text| text.ends_with('\n')));
    window.still();
    window.click(NEWEST.0, NEWEST.1, 3);
    window.still();
    // Answer, copy, open the link, copy the link.
    window.keys(&["Down", "Down", "Down", "Return"]);
    assert_eq!(desk.clipboard(), "https://example.org/a?b&c");
    assert_eq!(std::fs::read_to_string(&told).unwrap(), opened, "once");
    assert_eq!(opened, "https://example.org/a?b&c\n");
    window.close();
}

#[test]
fn a_link_that_cannot_be_opened_is_told() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let (told, path) = stand_in(&home, "xdg-open", 3);
    let address = relay.address().to_string();
    let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana", "--lang", "es"]);
    let window = desk.start(command.env("PATH", path));
    let mut luis = relay.plain("Luis");
    luis.say("https://example.org");
    await_line(&window, "example.org");
    // Below the transcript.
    let hint = (172, 518, 480, 26);
    assert_eq!(window.still().count_in(hint, RED, 60), 0, "nothing is wrong");
    window.click(NEWEST.0, NEWEST.1, 1);
    window.await_picture("what is wrong", |picture| picture.count_in(hint, RED, 60) > 100);
    assert!(told.exists());
    window.close();
}

#[test]
fn a_click_on_a_quote_leads_to_the_line() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    luis.say("la primera de todas");
    await_line(&window, "la primera de todas");
    window.keys(&["shift+F6", "End", "Up", "ctrl+r"]);
    for number in 0..60 {
        luis.say(&format!("relleno {number}"));
    }
    await_line(&window, "relleno 59");
    window.types("de acuerdo");
    window.keys(&["Return"]);
    relay.await_said("Ana: de acuerdo");
    let end = window.still();
    // The quote stands above the newest line.
    window.click(NEWEST.0, NEWEST.1 - 20, 1);
    window.await_picture("the line", |picture| picture.changed(&end) > 0.02);
    window.keys(&["End"]);
    window.close();
}

#[test]
fn older_lines_come_on_the_way_up() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let mut luis = relay.plain("Luis");
    for number in 0..450 {
        luis.say(&format!("línea {number}"));
    }
    relay.await_said("Luis: línea 449");
    let window = open(&desk, &home, &relay, &[]);
    window.await_transcript("the newest", |lines| lines.last().is_some_and(|line| line == "Luis: línea 449"));
    assert!(!window.transcript().contains(&"Luis: línea 0".to_owned()), "not all at once");
    let lines = until("the oldest", || {
        window.wheel_up(400, 300, 40);
        Some(window.transcript()).filter(|lines| lines.iter().any(|line| line == "Luis: línea 0"))
    });
    let said: Vec<&String> = lines.iter().filter(|line| line.starts_with("Luis: ")).collect();
    let expected: Vec<String> = (0..450).map(|number| format!("Luis: línea {number}")).collect();
    assert!(said.iter().copied().eq(expected.iter()), "each once, in order: {} of 450", said.len());
    window.close();
}

#[test]
fn a_button_leads_up_to_what_was_not_read() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    luis.say("antes");
    await_line(&window, "antes");
    let elsewhere = desk.window(&home.0, &["--relay", &relay.address().to_string(), "--name", "Eva"]);
    elsewhere.move_to(900, 0);
    for number in 0..60 {
        luis.say(&format!("sin leer {number}"));
    }
    window.await_picture("the count", |_| window.title().starts_with("(60)"));
    window.focus();
    let end = window.still();
    let top = (300, 40, 250, 60);
    assert!(end.count_in(top, super::ACCENT, 0) > 500, "the button is there");
    assert!(end.count(RED, 0) < 50, "the rule is not seen");
    window.click(414, 58, 1);
    window.await_picture("the rule", |picture| picture.count(RED, 0) > 200);
    let there = window.still();
    assert!(there.count_in(top, super::ACCENT, 0) < 50, "one is there already");
    elsewhere.close();
    window.close();
}

#[test]
fn what_lies_over_the_transcript_stays_when_that_is_scrolled() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    for number in 0..60 {
        luis.say(&format!("línea {number}"));
    }
    await_line(&window, "línea 59");
    for _ in 0..3 {
        window.wheel_up(400, 300, 2);
        let picture = window.still();
        // The way to the end, in the middle of the bottom.
        assert!(picture.count_in((340, 490, 150, 35), super::ACCENT, 0) > 500);
    }
    window.close();
}
