//! Sizes, scales, and names of what there is to see.

use super::{ACCENT, LIGHT, open};
use crate::support::desk::{Desk, Picture, home};
use crate::support::{Folder, Relay};

/// The right end of the transcript, on a line through the middle of the picture.
fn transcript_end(picture: &Picture) -> usize {
    let middle = picture.height / 2;
    (0..picture.width).rev().find(|x| picture.pixel(*x, middle) == LIGHT).expect("a transcript") + 1
}

#[test]
fn the_window_fits_itself_to_every_size_and_no_words_are_cut() {
    let (relay, desk, home) = (Relay::start(), Desk::open(), home());
    let window = open(&desk, &home, &relay, &[]);
    let mut luis = relay.plain("Luis");
    for number in 0..30 {
        luis.say(&format!(
            "{number}: una línea bastante larga, para que haya algo que partir en dos o en tres; y una palabra que no \
             acaba: {}",
            "larguísima".repeat(20)
        ));
    }
    window.await_transcript("all lines", |lines| lines.iter().any(|line| line.starts_with("Luis: 29")));
    for (width, height) in [(600, 400), (1600, 1000), (800, 600)] {
        window.resize(width, height);
        let picture = window.still();
        assert_eq!((picture.width, picture.height), (width as usize, height as usize));
        // The transcript has the largest part, and there is text in it.
        let ground = picture.count(LIGHT, 0) as f64 / (width * height) as f64;
        assert!((0.35..0.9).contains(&ground), "{width}x{height}: {ground}");
        // What is cut is drawn up to the edge. Left of the bar there is a margin, and nothing in it.
        let (end, top, rows) = (transcript_end(&picture), 60, picture.height - 140);
        let margin = (end - 20, top, 8, rows);
        assert_eq!(picture.count_in(margin, LIGHT, 0), 8 * rows, "{width}x{height}: words in the margin");
    }
    window.close();
}

#[test]
fn at_200_percent_everything_is_twice_as_large() {
    let (relay, desk, folder) = (Relay::start(), Desk::open(), home());
    let address = relay.address().to_string();
    let look = |factor: &str, home: &Folder| {
        let mut command = desk.command(&home.0, &["--relay", &address, "--name", "Ana", "--lang", "es"]);
        let window = desk.start(command.env("FLTK_SCALING_FACTOR", factor));
        let luis = relay.plain("Luis");
        window.await_transcript("the notice", |lines| !lines.is_empty());
        let picture = window.still();
        drop(luis);
        window.types("hola");
        window.keys(&["Return"]);
        relay.await_said("Ana: hola");
        window.close();
        picture
    };
    let (once, twice) = (look("1", &folder), look("2", &home()));
    assert_eq!((once.width, once.height), (800, 600));
    assert_eq!((twice.width, twice.height), (1600, 1200));
    // Twice as wide and twice as high, also what is drawn in it: the button, the chosen room, the words.
    let text = |picture: &Picture| picture.count([0x1b, 0x1f, 0x24], 70);
    for (what, one, two) in [
        ("what matters", once.count(ACCENT, 0), twice.count(ACCENT, 0)),
        ("words", text(&once), text(&twice)),
    ] {
        let ratio = two as f64 / one as f64;
        assert!((3.0..5.5).contains(&ratio), "{what}: {one} and {two} pixels");
    }
}

#[test]
fn every_part_that_can_be_touched_has_a_name() {
    let desk = Desk::open();
    let this = std::env::current_exe().unwrap();
    // A window in this process would be one for all tests of it.
    let mut command = std::process::Command::new(this);
    command.args(["--ignored", "--exact", "looks::names_of_parts"]).env("DISPLAY", desk.display());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
#[ignore = "on a display that another test opens"]
fn names_of_parts() {
    use tertulia_desktop::model::{Model, Now};
    use tertulia_desktop::phrases::Language;
    use tertulia_desktop::settings::Settings;
    use tertulia_desktop::view::View;
    let settings = Settings { name: "Ana".to_owned(), language: Some(Language::Es), ..Settings::default() };
    let mut model = Model::new(settings, Now::default());
    let mut view = View::open(&model);
    view.update(&mut model);
    let names = view.names();
    assert!(names.len() > 20, "{names:?}");
    for name in &names {
        let letters = name.chars().filter(|c| c.is_alphabetic()).count();
        assert!(letters >= 4, "{name:?} is no name: {names:?}");
    }
    for wanted in ["Entrar en una sala… (Ctrl+K)", "Cerrar la búsqueda (Esc)", "No responder (Esc)"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted}: {names:?}");
    }
}
