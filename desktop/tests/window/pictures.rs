//! The README's pictures.

use std::time::Duration;

use super::open;
use crate::support::Relay;
use crate::support::desk::{Desk, home};

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
