//! All that a mouse can do, with the keys.

use super::{open, settings};
use crate::support::desk::{Desk, Window, home};
use crate::support::{Relay, until};

/// Goes to the newest row of the transcript.
fn to_newest_row(window: &Window<'_>) {
    window.keys(&["shift+F6", "End", "Up"]);
    window.still();
}

fn await_line(window: &Window<'_>, line: &str) {
    window.await_transcript(line, |lines| lines.iter().any(|seen| seen.ends_with(line)));
}

#[test]
fn the_menu_key_offers_all_that_a_row_has() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    luis.say("mira https://example.org/uno y https://example.org/dos");
    await_line(&window, "dos");
    for menu in ["Menu", "shift+F10"] {
        to_newest_row(&window);
        window.keys(&[menu]);
        window.still();
        // Answer, copy, open one, copy one, open two, copy two.
        window.keys(&["Down", "Down", "Down", "Down", "Down", "Return"]);
        assert_eq!(desk.clipboard(), "https://example.org/dos");
        window.keys(&["Escape"]);
    }
    to_newest_row(&window);
    window.keys(&["ctrl+r"]);
    window.types("visto");
    window.keys(&["Return"]);
    luis.await_line("the answer", |line| {
        line.starts_with("[RESPUESTA a 'Luis: mira") && line.ends_with("Ana: visto")
    });
    window.close();
}

#[test]
fn enter_says_what_was_typed_also_after_a_click_in_the_transcript() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    luis.say("hola");
    await_line(&window, "hola");
    window.types("ya voy");
    window.click(330, 505, 1);
    window.still();
    window.keys(&["Return"]);
    luis.await_said("Ana: ya voy");
    window.close();
}

#[test]
fn a_refused_line_is_said_again_by_its_row() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    window.still();
    window.types("/privado Luis ¿estás?");
    window.keys(&["Return"]);
    window.await_picture("the red line", |picture| picture.count(super::RED, 60) > 200);
    let eva = relay.plain("Eva");
    let luis = relay.plain("Luis");
    eva.await_line("Luis", |line| line == "Luis se ha unido al chat.");
    to_newest_row(&window);
    window.keys(&["Return"]);
    window.still();
    // The menu begins with saying it again.
    window.keys(&["Return"]);
    luis.await_line("the private line", |line| line.contains("¿estás?"));
    window.await_picture("no red line", |picture| picture.count(super::RED, 60) < 50);
    window.close();
}

#[test]
fn up_and_down_walk_what_was_sent_at_the_first_and_the_last_row_only() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let write = || {
        window.types("aa");
        window.keys(&["shift+Return"]);
        window.types("bb");
    };
    write();
    // In the last of two rows, Up goes to the first.
    window.keys(&["Up"]);
    window.types("X");
    window.keys(&["Return"]);
    relay.await_said("Ana: aaX\u{2028}bb");
    write();
    // From the first row Up goes to what was sent; Down in its last row goes back to what was being written.
    window.keys(&["Up", "Up", "ctrl+End", "Down", "ctrl+End"]);
    window.types("Y");
    window.keys(&["Return"]);
    relay.await_said("Ana: aa\u{2028}bbY");
    window.keys(&["Up", "Up", "Up", "Return"]);
    until("what was sent first, again", || {
        (relay.said() == ["Ana: aaX\u{2028}bb", "Ana: aa\u{2028}bbY", "Ana: aaX\u{2028}bb"]).then_some(())
    });
    window.close();
}

#[test]
fn the_font_grows_and_shrinks_and_its_size_is_kept() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let size = |wanted: &str| {
        let line = format!("font_size = {wanted}\n");
        until(&line, || settings(&home).contains(&line).then_some(()));
    };
    let usual = window.still();
    window.keys(&["ctrl+plus", "ctrl+plus", "ctrl+plus"]);
    size("17");
    let large = window.still();
    assert!(large.changed(&usual) > 0.02);
    window.keys(&["ctrl+minus"]);
    size("16");
    window.keys(&["ctrl+0"]);
    size("14");
    assert!(window.still().changed(&usual) < 0.002, "as it was");
    window.close();
}

#[test]
fn who_is_here_can_be_seen_and_talked_to_where_there_is_no_room_for_a_pane() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let luis = relay.plain("Luis");
    await_line(&window, "Luis se ha unido al chat");
    window.resize(600, 400);
    let before = window.still();
    window.keys(&["ctrl+p"]);
    let list = window.await_picture("the list", |picture| picture.changed(&before) > 0.05);
    window.keys(&["Escape"]);
    window.await_picture("no list", |picture| picture.changed(&list) > 0.05);
    // The button does the same.
    window.click(480, 19, 1);
    window.await_picture("the list", |picture| picture.changed(&list) < 0.01);
    // Ana stands before Luis.
    window.keys(&["Down", "Return"]);
    until("a private conversation", || window.title().starts_with("Luis").then_some(()));
    window.types("hola");
    window.keys(&["Return"]);
    luis.await_line("the private line", |line| line.contains("hola"));
    window.close();
}

#[test]
fn an_accent_is_composed_and_enter_then_sends() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let address = relay.address().to_string();
    let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana", "--lang", "es"]);
    let window = desk.start(command.env("LC_ALL", "C.UTF-8"));
    window.still();
    window.types("caf");
    window.keys(&["dead_acute", "e"]);
    window.keys(&["Return"]);
    relay.await_said("Ana: café");
    window.close();
}
