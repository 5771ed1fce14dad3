//! The real window on a display of its own, worked by keyboard and mouse, with a real relay: what a person sees, and what
//! the others hear.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use support::desk::{Desk, Window, home};
use support::{Folder, Relay, until};

/// The ground of the transcript, light and dark.
const LIGHT: [u8; 3] = [0xff, 0xff, 0xff];
/// See [`LIGHT`].
const DARK: [u8; 3] = [0x17, 0x1a, 0x1f];

/// What goes wrong with a connection is said on this.
const WARNING: [u8; 3] = [0xfd, 0xeb, 0xc8];

/// What is kept of a home, as text.
fn session(home: &Folder) -> String {
    std::fs::read_to_string(home.file(".local/state/tertulia/default/session")).unwrap_or_default()
}

/// Opens Ana's window.
fn open<'a>(desk: &'a Desk, home: &Folder, relay: &Relay, more: &[&str]) -> Window<'a> {
    desk.window(
        &home.0,
        &[&["--relay", &relay.address().to_string(), "--name", "Ana", "--lang", "es"], more].concat(),
    )
}

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
    // Two windows of one profile would write over each other's file.
    let mut second = desk.command(&home.0, &[]);
    assert_eq!(second.status().unwrap().code(), Some(2));
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
fn the_window_fits_itself_to_every_size() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    for number in 0..30 {
        luis.say(&format!(
            "{number}: una línea bastante larga, para que haya algo que partir en dos o en tres"
        ));
    }
    for (width, height) in [(600, 400), (1600, 1000), (800, 600)] {
        window.resize(width, height);
        let picture = window.still();
        assert_eq!((picture.width, picture.height), (width as usize, height as usize));
        // The transcript has the largest part, and there is text in it.
        let ground = picture.count(LIGHT, 0) as f64 / (width * height) as f64;
        assert!((0.35..0.9).contains(&ground), "{width}x{height}: {ground}");
    }
    window.close();
}

#[test]
fn the_dark_theme_is_dark_and_is_kept() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &["--theme", "dark"]);
    let picture = window.still();
    assert!(picture.count(DARK, 0) > picture.width * picture.height / 3);
    assert!(picture.brightness() < 60.0, "{}", picture.brightness());
    window.close();
}

#[test]
fn at_200_percent_everything_is_twice_as_large() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let address = relay.address().to_string();
    let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana"]);
    let window = desk.start(command.env("FLTK_SCALING_FACTOR", "2"));
    let picture = window.still();
    assert_eq!((picture.width, picture.height), (1600, 1200));
    window.types("hola");
    window.keys(&["Return"]);
    relay.await_said("Ana: hola");
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
    window.drag((308, 518), (640, 518));
    window.still();
    window.click(300, 566, 2);
    window.still();
    window.keys(&["Return"]);
    luis.await_said("Ana: palabras que se copian");
    window.close();
}

#[test]
fn who_is_named_while_looking_elsewhere_is_told_by_the_desktop() {
    use std::os::unix::fs::PermissionsExt;
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    // In place of the desktop's program: what it was told.
    let (program, told) = (home.file("notify-send"), home.file("told"));
    std::fs::write(&program, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\n", told.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let address = relay.address().to_string();
    let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana", "--lang", "es"]);
    let path = format!("{}:{}", home.0.display(), std::env::var("PATH").unwrap());
    let window = desk.start(command.env("PATH", path).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere"));
    let mut luis = relay.plain("Luis");
    // Who is looked at is not told; what comes with the greeting is no news.
    let seen = window.still();
    luis.say("Ana, estás mirando");
    window.await_picture("what Luis said", |picture| picture.changed(&seen) > 0.001);
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

/// Takes the README's pictures.
#[test]
#[ignore = "only where pictures are wanted: make pictures"]
fn pictures() {
    let (mut relay, desk) = (Relay::start(), Desk::open());
    let mut people = ["Luis", "Eva", "Telegram", "漢字"].map(|name| relay.plain(name));
    let home = home();
    let window = open(&desk, &home, &relay, &["--room", "general", "--room", "cocina", "--room", "música"]);
    window.still();
    // What is said right after the greeting counts as missed; this is to be a talk.
    std::thread::sleep(tertulia_desktop::model::QUIET_AFTER_READY + Duration::from_secs(1));
    let [luis, eva, telegram, other] = &mut people;
    eva.say("¿quedamos el jueves para la tertulia? Hay sitio en https://example.org/cafe desde las seis");
    window.still();
    window.types("por mí perfecto, llevo el libro 📚");
    window.keys(&["Return"]);
    relay.await_said("Ana: por mí perfecto, llevo el libro 📚");
    luis.say("yo llego un poco más tarde, que salgo a las siete y media y el tren tarda lo suyo");
    luis.say("guardadme sitio 🙏");
    eva.send("[RESPUESTA a 'Luis: guardadme sitio 🙏'] Eva: claro que sí");
    telegram.send("Telegram - María José: ¿puedo ir con una amiga? Es de Málaga 👩🏽‍🚀");
    other.say("我也来，星期四见 · مرحبا بكم · नमस्ते");
    eva.say("Ana, ¿te encargas de avisar al café?");
    luis.send("/join cocina");
    luis.say("¿alguien tiene la receta del gazpacho?");
    relay.await_said("Luis: ¿alguien tiene la receta del gazpacho?");
    window.types("sí, ahora llamo");
    window.keep_picture("light");
    window.resize(600, 400);
    window.keep_picture("small");
    window.resize(1600, 1000);
    window.keep_picture("large");
    window.resize(800, 600);
    window.keys(&["ctrl+e"]);
    window.keep_picture("emoji");
    window.keys(&["Escape", "ctrl+comma"]);
    window.keep_picture("settings");
    window.keys(&["Escape", "ctrl+f"]);
    window.types("sitio");
    window.keep_picture("search");
    window.keys(&["Escape"]);
    window.close();
    let dark = open(&desk, &home, &relay, &["--theme", "dark", "--room", "general", "--room", "cocina"]);
    dark.keep_picture("dark");
    relay.kill();
    dark.keys(&["ctrl+a"]);
    dark.types("esto espera a que vuelva");
    dark.keys(&["Return"]);
    dark.keep_picture("cut");
    dark.close();
    relay.start_again();
    let address = relay.address().to_string();
    let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana", "--lang", "es"]);
    let twice = desk.start(command.env("FLTK_SCALING_FACTOR", "2"));
    twice.keep_picture("scale-200");
    twice.close();
}
