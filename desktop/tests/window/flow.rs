//! What a new user does: one relay, two windows, talk; and what happens with the profiles.

use crate::support::desk::{Desk, Window, home};
use crate::support::{Folder, Relay, until};

/// Opens a window as `make chat` does, and answers its question for a name.
fn chat<'a>(desk: &'a Desk, home: &Folder, relay: &Relay, name: &str) -> Window<'a> {
    let window = desk.window(&home.0, &["--relay", &relay.address().to_string(), "--lang", "es"]);
    window.still();
    window.types(name);
    window.keys(&["Return"]);
    window
}

fn says(window: &Window<'_>, text: &str) {
    window.focus();
    window.types(text);
    window.keys(&["Return"]);
}

/// What was said, sorted: what two say at once has no order of its own.
fn sorted(lines: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut lines: Vec<String> = lines.into_iter().map(Into::into).collect();
    lines.sort();
    lines
}

/// What people said of what stands in a window.
fn said(lines: &[String], own: &str) -> Vec<String> {
    let said = lines.iter().filter_map(|line| line.split_once(": "));
    sorted(said.map(|(name, text)| format!("{}: {text}", if name == "Tú" { own } else { name })))
}

/// Runs the program to its end: its code, and what it says.
fn run(desk: &Desk, home: &Folder, display: Option<&str>, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = desk.command(&home.0, arguments);
    command.env_remove("DISPLAY");
    let output = command.envs(display.map(|display| ("DISPLAY", display))).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn without_a_display_the_program_says_so_and_ends_with_1() {
    let (desk, home) = (Desk::open(), home());
    let (code, said) = run(&desk, &home, None, &["--lang", "es"]);
    assert!(code == Some(1) && said.contains("no hay ninguna pantalla"), "{code:?} {said}");
    let (code, said) = run(&desk, &home, Some(":4000000000"), &["--lang", "en"]);
    assert!(code == Some(1) && said.contains("nobody answers at the display :4000000000"), "{code:?} {said}");
}

#[test]
fn a_flag_that_cannot_be_is_told_and_no_window_opens() {
    let (desk, home) = (Desk::open(), home());
    for (arguments, expected) in [
        (["--relay", "casa:99999"], "«casa:99999» no vale como dirección"),
        (["--room", "dos salas"], "«dos salas» no vale como sala"),
        (["--name", "a:b"], "eso no vale como nombre"),
    ] {
        let (code, said) = run(&desk, &home, None, &[&["--lang", "es"], &arguments[..]].concat());
        assert!(code == Some(2) && said.contains(expected), "{arguments:?}: {code:?} {said}");
    }
}

#[test]
fn who_is_asked_for_a_name_and_logs_out_ends_in_order() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = desk.window(&home.0, &["--relay", &relay.address().to_string()]);
    window.still();
    window.close();
}

#[test]
fn who_was_killed_with_a_line_to_say_only_has_to_accept_the_name_and_it_is_said() {
    let (mut relay, desk, home) = (Relay::start(), Desk::open(), home());
    let address = relay.address().to_string();
    let window = desk.window(&home.0, &["--relay", &address, "--lang", "es", "--name", "Ana"]);
    window.still();
    relay.kill();
    says(&window, "pendiente");
    let session = home.file(".local/state/tertulia/default/session");
    let read = || std::fs::read_to_string(&session).unwrap_or_default();
    until("the line in its file", || read().contains("pendiente").then_some(()));
    window.kill();
    relay.start_again();
    let window = desk.window(&home.0, &["--relay", &address, "--lang", "es"]);
    window.still();
    window.keys(&["Return"]);
    relay.await_said("Ana: pendiente");
    window.close();
}

#[test]
fn two_windows_talk_on_while_the_relay_is_killed_and_nothing_is_missing_in_either() {
    let (mut relay, desk, home) = (Relay::start(), Desk::open(), home());
    let ana = chat(&desk, &home, &relay, "Ana");
    let luis = chat(&desk, &home, &relay, "Luis");
    luis.move_to(900, 0);
    let mut all = vec!["Ana: hola, Luis".to_owned()];
    says(&ana, "hola, Luis");
    luis.await_transcript("what Ana said", |lines| !lines.is_empty());
    says(&luis, "hola, Ana");
    all.push("Luis: hola, Ana".to_owned());
    ana.await_transcript("what Luis said", |lines| lines.contains(&all[1]));
    relay.kill();
    for number in 0..3 {
        says(&ana, &format!("sigo {number}"));
        says(&luis, &format!("aquí {number}"));
        all.extend([format!("Ana: sigo {number}"), format!("Luis: aquí {number}")]);
    }
    relay.start_again();
    // Nobody presses anything: the windows come back by themselves.
    until("all of it in the history", || (relay.said().len() >= all.len()).then_some(()));
    says(&ana, "ya está");
    all.push("Ana: ya está".to_owned());
    let all = sorted(all);
    for (window, own) in [(&ana, "Ana"), (&luis, "Luis")] {
        let lines = window.await_transcript("the last line", |lines| said(lines, own).len() >= all.len());
        assert_eq!(said(&lines, own), all, "in the window of {own}");
    }
    assert_eq!(sorted(relay.said()), all);
    ana.close();
    luis.close();
}

#[test]
fn the_second_window_begins_with_what_was_chosen_in_the_first_but_for_the_name() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let folder = home.file(".config/tertulia");
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!("relay = '{}'\nname = 'Ana'\nlanguage = 'es'\nfont_size = 17\n", relay.address());
    std::fs::write(folder.join("default.toml"), text).unwrap();
    let ana = desk.window(&home.0, &[]);
    ana.still();
    let second = desk.window(&home.0, &[]);
    second.still();
    second.types("Luis");
    second.keys(&["Return"]);
    let settings = until("the settings of the second", || {
        std::fs::read_to_string(folder.join("default-2.toml")).ok().filter(|text| text.contains("Luis"))
    });
    assert!(settings.contains("font_size = 17") && !settings.contains("Ana"), "{settings}");
    assert!(std::fs::read_to_string(folder.join("default.toml")).unwrap().contains("Ana"));
    second.close();
    ana.close();
}

#[test]
fn a_profile_that_is_open_already_is_told_in_a_window_where_there_is_no_terminal() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let address = relay.address().to_string();
    let arguments = ["--relay", &address, "--name", "Ana", "--profile", "ana", "--lang", "es"];
    let ana = desk.window(&home.0, &arguments);
    let mut command = desk.command(&home.0, &arguments);
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut told = desk.find(child);
    told.still();
    told.focus();
    told.keys(&["Return"]);
    let (code, said) = told.end();
    assert_eq!(code, Some(2));
    assert!(said.contains("«ana»") && said.contains("--profile OTRO"), "{said}");
    ana.close();
}
