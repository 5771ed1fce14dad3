//! The whole window, as a person sees it.

use std::time::Duration;

use tertulia_desktop::model::{Act, ConnectError, LinkEvent};
use tertulia_desktop::phrases::Language;
use tertulia_desktop::render::draw;
use tertulia_desktop::settings::Settings;
use tertulia_wire::heard::Notice::Join;
use tertulia_wire::session::{Event, Reason};

use crate::window::{Window, settings};

/// Compares as a person would: between rulers, so that what differs is seen.
#[track_caller]
fn assert_drawn(window: &Window, columns: usize, lines: usize, expected: &str) {
    let drawn = draw(&window.model, columns, lines);
    let expected = expected.trim_matches('\n');
    assert!(drawn == expected, "\ngot:\n~~~~~\n{drawn}\n~~~~~\nexpected:\n~~~~~\n{expected}\n~~~~~");
}

fn busy(language: Language) -> Window {
    let rooms = vec!["general".to_owned(), "cocina".to_owned()];
    let mut window = Window::ready_with(Settings { rooms, language: Some(language), ..settings() });
    for name in ["Ana", "Eva", "Luis"] {
        window.session(Event::Who { label: None, room: "general".to_owned(), name: name.to_owned() });
    }
    window.session(Event::AnswerEnd { label: None, what: "WHO".to_owned() });
    let question = window.hear("general", "Luis", "¿cenamos?");
    window.notice("general", "Ivo", Join);
    window.hear("general", "Eva", "Ana, mira https://example.org");
    window.hear("cocina", "Luis", "sopa");
    window.whisper("Luis", "psst");
    window.act(Act::Reply(window.row("¿cenamos?").entry));
    window.say("a las nueve\nen mi casa");
    let label = window.take_said().remove(0).label;
    window.acknowledge(&label);
    window.say("y traed pan");
    assert!(question > 0);
    window
}

#[test]
fn a_busy_window_in_spanish() {
    let mut window = busy(Language::Es);
    window.write("adi");
    assert_drawn(
        &window,
        84,
        9,
        "
(2) general · Ana · Tertulia
>#general !   | (aquí empieza lo que se guarda)                     | Ana *
 #cocina 1    | --- hoy ---                                         | Eva
 @Luis 1*1    | 16:37 Luis: ¿cenamos?                               | Ivo
              | 16:37 Ivo se ha unido al chat                       | Luis
              | 16:37 Eva: *Ana*, mira <https://example.org>        |
              |       | Luis: ¿cenamos?                             |
              | 16:37 Tú: a las nueve                               |
              |       en mi casa                                    |
              | 16:37 Tú: ~y traed pan~                             |
> adi|",
    );
}

#[test]
fn a_busy_window_in_english_that_has_lost_its_relay() {
    let mut window = busy(Language::En);
    window.link(LinkEvent::ConnectFailed(ConnectError::NameNotFound));
    window.session(Event::Waiting { reason: Reason::ConnectFailed, retry_in: Duration::from_secs(12) });
    assert_drawn(
        &window,
        84,
        9,
        "
(2) general · Ana · Tertulia
# “10.0.0.5” cannot be found (is it written right?); trying again in 12 s [Connect]
>#general !   | (here begins what is kept)                          | Ana *
 #cocina 1    | --- today ---                                       | Eva
 @Luis 1*1    | 16:37 Luis: ¿cenamos?                               | Ivo
              | 16:37 Ivo has joined the chat                       | Luis
              | 16:37 Eva: *Ana*, mira <https://example.org>        |
              |       | Luis: ¿cenamos?                             |
              | 16:37 You: a las nueve                              |
              |       en mi casa                                    |
              | 16:37 You: ~y traed pan~                            |
> (Write in general)",
    );
}

#[test]
fn a_window_that_begins() {
    let window = Window::with(Settings { name: String::new(), ..settings() });
    let drawn = draw(&window.model, 60, 2);
    let guest = window.screen().name_question.unwrap().hint;
    assert_eq!(
        drawn,
        format!(
            "general · Tertulia\n? ¿Cómo te llamas? ({guest})\n>#general ?   |                             |\n              |                             |\n> (Escribe en general)"
        )
    );
}
