//! What is typed is said, and what others say is seen.

use super::{LIGHT, WARNING, open, session};
use crate::support::desk::{Desk, Window, home};
use crate::support::{Folder, Relay, until};

#[test]
fn what_is_typed_is_said_and_what_others_say_is_seen() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    window.types("hola");
    window.keys(&["shift+Return"]);
    window.types("qué tal, señor");
    window.keys(&["Return"]);
    luis.await_said("Ana: hola\u{2028}qué tal, señor");
    let before = window.still();
    luis.say("muy bien, ¿y tú? https://example.org");
    let after = window.await_picture("what Luis said", |picture| picture.changed(&before) > 0.001);
    assert!(after.count(LIGHT, 0) > after.width * after.height / 4, "a light transcript");
    window.close();
    luis.await_line("the notice", |line| line == "Ana ha abandonado el chat.");
}

#[test]
fn what_is_typed_while_the_relay_is_dead_is_said_once_it_is_back() {
    let (mut relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    window.types("uno");
    window.keys(&["Return"]);
    relay.await_said("Ana: uno");
    relay.kill();
    window.await_picture("the warning", |picture| picture.count(WARNING, 3) > 2000);
    window.types("dos");
    window.keys(&["Return"]);
    window.types("tres");
    window.keys(&["Return"]);
    until("the lines in the file", || session(&home).contains("text=tres").then_some(()));
    // Nothing that was typed is lost with the window either.
    window.kill();
    let window = open(&desk, &home, &relay, &[]);
    relay.start_again();
    window.keys(&["F5"]);
    relay.await_said("Ana: tres");
    window.await_picture("no warning", |picture| picture.count(WARNING, 3) < 100);
    window.close();
    assert_eq!(relay.said(), ["Ana: uno", "Ana: dos", "Ana: tres"]);
}

#[test]
fn a_name_is_asked_for_and_who_gives_none_is_a_guest() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let address = relay.address().to_string();
    let luis = relay.plain("Luis");
    let window = desk.window(&home.0, &["--relay", &address]);
    window.still();
    window.keys(&["Return"]);
    luis.await_line("a guest", |line| {
        line.strip_prefix("Usuario_").is_some_and(|rest| rest.ends_with(" se ha unido al chat."))
    });
    window.close();
}

#[test]
fn an_emoji_is_picked_by_keyboard_and_by_words() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let luis = relay.plain("Luis");
    window.types("bravo ");
    window.keys(&["ctrl+e"]);
    window.still();
    window.types("aplau");
    window.keys(&["Return"]);
    window.still();
    window.keys(&["Return"]);
    luis.await_said("Ana: bravo 👏");
    let picture = window.still();
    assert!(picture.coloured(120) > 40, "the emoji has its colours");
    window.close();
}

#[test]
fn many_lines_are_asked_about_before_they_are_pasted() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let lines: Vec<String> = (0..8).map(|number| format!("verso {number}")).collect();
    for line in &lines {
        window.types(line);
        window.keys(&["shift+Return"]);
    }
    window.keys(&["ctrl+a", "ctrl+x", "ctrl+v"]);
    let asked = window.still();
    window.keys(&["Return"]);
    window.await_picture("the answer", |picture| picture.changed(&asked) > 0.01);
    window.keys(&["Return"]);
    relay.await_said(&format!("Ana: {}", lines.join("\u{2028}")));
    window.close();
}

/// Ana's window on a desktop whose notices are a script's. The script stands in the home.
fn open_with_notices<'a>(desk: &'a Desk, home: &Folder, relay: &Relay, script: &str) -> Window<'a> {
    use std::os::unix::fs::PermissionsExt;
    let program = home.file("notify-send");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let address = relay.address().to_string();
    let rooms = ["--room", "general", "--room", "cocina"];
    let mut command = desk
        .command(&home.0, &[&["--relay", &address, "--name", "Ana", "--lang", "es"], &rooms[..]].concat());
    let path = format!("{}:{}", home.0.display(), std::env::var("PATH").unwrap());
    desk.start(command.env("PATH", path).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere"))
}

#[test]
fn a_click_on_a_notice_leads_to_where_it_was_said() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    // The desktop's program says this when somebody clicks.
    let window = open_with_notices(&desk, &home, &relay, "echo default");
    let mut luis = relay.plain("Luis");
    luis.send("/join cocina");
    window.still();
    let address = relay.address().to_string();
    let elsewhere = desk.window(&home.0, &["--relay", &address, "--name", "Eva", "--profile", "eva"]);
    elsewhere.still();
    until("the room", || {
        luis.say("Ana, mira");
        window.title().contains("cocina ·").then_some(())
    });
    window.close();
    elsewhere.close();
}

#[test]
fn who_is_named_while_looking_elsewhere_is_told_by_the_desktop() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let told = home.file("told");
    let script = format!("printf '%s\\n' \"$@\" >>'{}'", told.display());
    let window = open_with_notices(&desk, &home, &relay, &script);
    let mut luis = relay.plain("Luis");
    // Who is looked at is not told; what comes with the greeting is no news.
    let seen = window.still();
    luis.say("Ana, estás mirando");
    window.await_picture("what Luis said", |picture| picture.changed(&seen) > 0.001);
    let address = relay.address().to_string();
    let elsewhere = desk.window(&home.0, &["--relay", &address, "--name", "Eva", "--profile", "eva"]);
    elsewhere.still();
    let tell = || {
        luis.say("Ana, <mira>");
        std::fs::read_to_string(&told).ok()
    };
    let text = until("the notice", tell);
    assert!(text.contains("Luis en general\n") && text.contains("Ana, &lt;mira&gt;\n"), "{text}");
    assert!(!text.contains("estás mirando"), "{text}");
    assert!(window.title().starts_with('('), "{}", window.title());
    window.close();
    elsewhere.close();
}

#[test]
fn the_history_is_searched_from_the_window() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let mut luis = relay.plain("Luis");
    luis.say("dónde está la llave");
    luis.say("debajo de la maceta");
    relay.await_said("Luis: debajo de la maceta");
    let window = open(&desk, &home, &relay, &[]);
    window.still();
    window.keys(&["ctrl+f"]);
    window.types("llave");
    let before = window.still();
    window.keys(&["ctrl+Return"]);
    let after = window.await_picture("what was found", |picture| picture.changed(&before) > 0.05);
    assert_eq!((after.width, after.height), (800, 600));
    window.close();
}
