//! The README's pictures.

use std::time::{Duration, Instant};

use super::open;
use crate::support::desk::{Desk, Window, home};
use crate::support::{Folder, Plain, Relay, until};

/// Says a line, and waits until it is said: a talk has an order.
fn say(relay: &Relay, who: &mut Plain, text: &str) {
    who.say(text);
    await_text(relay, text);
}

/// The same with a line as it travels.
fn send(relay: &Relay, who: &mut Plain, line: &str, text: &str) {
    who.send(line);
    await_text(relay, text);
}

fn await_text(relay: &Relay, text: &str) {
    until(text, || relay.said().iter().any(|said| said.ends_with(text)).then_some(()));
}

fn type_and_send(relay: &Relay, window: &Window<'_>, text: &str) {
    window.types(text);
    window.keys(&["Return"]);
    await_text(relay, text);
}

/// What is said right after the greeting counts as missed; this is to be a talk.
fn await_quiet(window: &Window<'_>) {
    window.still();
    let begin = Instant::now();
    let quiet = tertulia_desktop::model::QUIET_AFTER_READY + Duration::from_secs(1);
    until("the end of the quiet", || (begin.elapsed() > quiet).then_some(()));
}

#[test]
#[ignore = "only where pictures are wanted: make pictures"]
fn pictures() {
    let (mut relay, desk, home) = (Relay::start(), Desk::open(), home());
    let mut people = ["Luis", "Eva", "Telegram", "漢字"].map(|name| relay.plain(name));
    let window = open(&desk, &home, &relay, &["--room", "general", "--room", "cocina", "--room", "música"]);
    await_quiet(&window);
    talk(&relay, &window, &mut people);
    window.types("sí, ahora llamo");
    window.keep_picture("light");
    window.resize(600, 400);
    window.keep_picture("small");
    window.resize(1600, 1000);
    window.keep_picture("large");
    window.resize(800, 600);
    for (key, name) in [("ctrl+e", "emoji"), ("ctrl+comma", "settings")] {
        let closed = window.still();
        window.keys(&[key]);
        window.await_picture(name, |picture| *picture != closed);
        window.keep_picture(name);
        window.keys(&["Escape"]);
        window.await_picture("the window without a sheet", |picture| *picture == closed);
    }
    window.keys(&["ctrl+f"]);
    window.types("sitio");
    window.keep_picture("search");
    window.keys(&["Escape"]);
    begun(&relay, &window, &mut people);
    unread(&relay, &window, &mut people);
    window.close();
    without_relay(&mut relay, &desk, &home);
    let address = relay.address().to_string();
    let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana", "--lang", "es"]);
    let twice = desk.start(command.env("FLTK_SCALING_FACTOR", "2"));
    twice.keep_picture("scale-200");
    twice.close();
}

fn talk(relay: &Relay, window: &Window<'_>, people: &mut [Plain; 4]) {
    let [luis, eva, telegram, other] = people;
    say(
        relay,
        eva,
        "¿quedamos el jueves para la tertulia? Hay sitio en https://example.org/cafe desde las seis",
    );
    type_and_send(relay, window, "por mí perfecto, llevo el libro 📚");
    say(relay, luis, "yo llego un poco más tarde, que salgo a las siete y media y el tren tarda lo suyo");
    say(relay, luis, "guardadme sitio 🙏");
    send(relay, eva, "[RESPUESTA a 'Luis: guardadme sitio 🙏'] Eva: claro que sí", "claro que sí");
    let text = "¿puedo ir con una amiga? Es de Málaga 👩🏽‍🚀";
    send(relay, telegram, &format!("Telegram - María José: {text}"), text);
    say(relay, other, "我也来，星期四见 · مرحبا بكم · नमस्ते");
    say(relay, eva, "Ana, ¿te encargas de avisar al café?");
    luis.send("/join cocina");
    say(relay, luis, "¿alguien tiene la receta del gazpacho?");
}

/// A private conversation with a line that was refused, and an answer that is being written.
fn begun(relay: &Relay, window: &Window<'_>, people: &mut [Plain; 4]) {
    let eva = &mut people[1];
    window.keys(&["ctrl+a"]);
    window.types("/privado Eva ¿le digo al café que seremos seis?");
    window.keys(&["Return"]);
    eva.await_line("the private line", |line| line.contains("seremos seis"));
    eva.send("/privado Ana sí, y que nos guarden la mesa del fondo");
    window.types("voy");
    window.await_transcript("the answer", |lines| lines.iter().any(|line| line.ends_with("mesa del fondo")));
    window.keep_picture("private");
    window.keys(&["ctrl+a"]);
    window.types("/privado Marta ¿vienes el jueves?");
    window.keys(&["Return"]);
    window.await_picture("the red line", |picture| picture.count(super::RED, 60) > 200);
    window.keep_picture("refused");
    window.keys(&["Escape", "alt+Up", "alt+Up", "alt+Up", "alt+Up"]);
    until("the room", || window.title().contains("general ·").then_some(()));
    window.keys(&["shift+F6", "End", "Up", "Up", "ctrl+r"]);
    window.types("hecho, nos esperan a las seis");
    window.keep_picture("reply");
    window.keys(&["Return"]);
    await_text(relay, "nos esperan a las seis");
}

/// Who reads further up while much is said, in another room.
fn unread(relay: &Relay, window: &Window<'_>, people: &mut [Plain; 4]) {
    let [luis, eva, ..] = people;
    luis.send("/join música");
    eva.send("/join música");
    window.keys(&["alt+Down", "alt+Down"]);
    until("the room", || window.title().contains("música ·").then_some(()));
    // More than is seen at once: else there is nothing to read further up.
    for number in 1..=30 {
        say(relay, eva, &format!("para el sorteo de libros hay {number} apuntados"));
    }
    window.still();
    window.keys(&["Prior"]);
    window.still();
    for number in 1..=12 {
        say(relay, eva, &format!("y {} que avisan mañana", 30 + number));
        say(relay, luis, &format!("yo traigo {number} más"));
    }
    until("the count", || window.title().starts_with("(24)").then_some(()));
    window.keys(&["ctrl+j"]);
    window.await_picture("the rule", |picture| picture.count(super::RED, 60) > 20);
    window.keep_picture("unread");
    window.keys(&["End"]);
}

fn without_relay(relay: &mut Relay, desk: &Desk, home: &Folder) {
    let dark = open(desk, home, relay, &["--theme", "dark", "--room", "general", "--room", "cocina"]);
    dark.keep_picture("dark");
    relay.kill();
    dark.keys(&["ctrl+a"]);
    dark.types("esto espera a que vuelva");
    dark.keys(&["Return"]);
    dark.keep_picture("cut");
    dark.close();
    relay.start_again();
}
