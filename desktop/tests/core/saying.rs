//! What is said, from the key to its answer. Nothing typed is ever lost.

use tertulia_desktop::model::{Act, LinkEvent, Unsent};
use tertulia_desktop::render;
use tertulia_wire::heard::Notice;
use tertulia_wire::session::{self, SayError, Source};

use crate::window::{Window, line, settings};

#[test]
fn a_line_is_shown_at_once_in_grey_and_becomes_normal_when_it_is_acknowledged() {
    let mut window = Window::ready();
    window.say("hola a todos");
    assert_eq!(window.transcript(), "(aquí empieza lo que se guarda)\n--- hoy ---\n16:37 Tú: ~hola a todos~");
    assert_eq!(window.input(), "");
    let said = window.take_said();
    assert_eq!(
        (said[0].room.as_str(), said[0].text.as_str(), &said[0].to),
        ("general", "hola a todos", &None)
    );
    window.acknowledge(&said[0].label);
    assert!(window.transcript().ends_with("16:37 Tú: hola a todos"), "{}", window.transcript());
}

#[test]
fn a_refused_line_is_red_says_why_and_can_be_said_again_under_another_label() {
    let mut window = Window::ready();
    window.say("hola");
    let first = window.take_said().remove(0);
    window.refuse(&first.label, "NO_ROOM");
    assert!(
        window
            .transcript()
            .ends_with("Tú: !hola! !no enviado: no estás en esa sala! [reintentar] [descartar]"),
        "{}",
        window.transcript()
    );
    window.act(Act::Retry(window.row("hola").entry));
    let again = window.take_said().remove(0);
    assert_eq!(again.text, "hola");
    assert_ne!(again.label, first.label, "an answered label is spent");
    assert_eq!(render::row_count(&window.model), 1);
    window.acknowledge(&again.label);
    assert!(window.transcript().ends_with("Tú: hola"));
}

#[test]
fn a_refused_line_that_is_discarded_goes_back_into_an_empty_input() {
    let mut window = Window::ready();
    window.say("uno\ndos");
    let said = window.take_said().remove(0);
    assert_eq!(said.text, "uno\u{2028}dos", "a line break travels as U+2028");
    window.refuse(&said.label, "EMPTY");
    window.act(Act::Discard(window.row("uno\ndos").entry));
    assert_eq!(render::row_count(&window.model), 0);
    assert_eq!(window.input(), "uno\ndos");
}

#[test]
fn what_the_session_does_not_take_is_kept_in_red() {
    let mut window = Window::ready();
    window.say("hola");
    let label = window.take_said().remove(0).label;
    window.link(LinkEvent::SayFailed { label, error: SayError::Full });
    assert!(window.transcript().contains("!hola!"), "{}", window.transcript());
}

#[test]
fn a_line_that_was_said_but_not_kept_says_so_and_is_final() {
    let mut window = Window::ready();
    window.say("hola");
    let label = window.take_said().remove(0).label;
    window.session(session::Event::NotKept { label, id: 5000 });
    assert!(window.transcript().ends_with("Tú: hola dicho, pero el relay no lo pudo guardar"));
}

#[test]
fn lines_without_an_answer_stay_below_what_is_heard_until_they_have_their_place() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "primero");
    window.say("segundo");
    let label = window.take_said().remove(0).label;
    window.hear("general", "Eva", "llega antes");
    let texts = |window: &Window| -> Vec<String> {
        let rows = render::rows(&window.model, 0..9);
        rows.iter().map(|row| row.body.iter().map(|span| span.text.as_str()).collect()).collect()
    };
    assert_eq!(texts(&window), ["primero", "llega antes", "segundo"]);
    window.acknowledge(&label);
    window.hear("general", "Eva", "llega después");
    assert_eq!(texts(&window), ["primero", "llega antes", "segundo", "llega después"]);
}

#[test]
fn an_answer_with_an_older_id_puts_the_line_where_the_others_see_it() {
    let mut window = Window::ready();
    window.say("mío");
    let label = window.take_said().remove(0).label;
    let id = window.take_id();
    window.hear("general", "Eva", "de otra persona");
    window.session(session::Event::Acknowledged { label, id, unix_ms: None });
    let rows = render::rows(&window.model, 0..9);
    let names: Vec<_> = rows.iter().map(|row| row.name.clone().unwrap().text).collect();
    assert_eq!(names, ["Tú", "Eva"]);
}

#[test]
fn an_own_line_that_comes_back_is_its_own_answer_and_not_there_twice() {
    let mut window = Window::ready();
    window.say("hola");
    let label = window.take_said().remove(0).label;
    let own = line(Some(5000), Some("general"), "Ana", "hola");
    for source in [Source::Live, Source::Gap] {
        window.session(session::Event::Own { label: label.clone(), line: own.clone(), source });
    }
    window.session(session::Event::Acknowledged { label, id: 5000, unix_ms: None });
    assert_eq!(render::row_count(&window.model), 1);
    assert!(window.transcript().ends_with("Tú: hola"), "{}", window.transcript());
}

#[test]
fn what_this_session_said_elsewhere_is_shown_as_one_s_own() {
    let mut window = Window::ready();
    let own = line(Some(5000), Some("general"), "Ana", "desde el portátil");
    window.session(session::Event::Own { label: "other".to_owned(), line: own, source: Source::Live });
    assert!(window.transcript().ends_with("15:37 Tú: desde el portátil"), "{}", window.transcript());
    assert_eq!(window.screen().conversations[0].unread, 0);
}

#[test]
fn lines_of_an_earlier_run_are_there_again_in_grey_and_are_answered() {
    let mut window = Window::with(settings());
    let unsent = |label: &str, to: Option<&str>, text: &str| Unsent {
        label: label.to_owned(),
        room: if to.is_some() { String::new() } else { "general".to_owned() },
        to: to.map(str::to_owned),
        reply: None,
        text: text.to_owned(),
        refusal: None,
    };
    window.link(LinkEvent::Restored(vec![
        unsent("w1.1", None, "de ayer"),
        unsent("w1.2", Some("Luis"), "psst"),
    ]));
    assert!(window.transcript().ends_with("Tú: ~de ayer~"));
    assert_eq!(window.screen().conversations[1].name, "Luis");
    assert!(window.take_said().is_empty(), "the session has them already");
    window.link(LinkEvent::Restored(vec![unsent("w1.1", None, "de ayer")]));
    assert_eq!(render::row_count(&window.model), 1);
    window.acknowledge("w1.1");
    assert!(window.transcript().ends_with("Tú: de ayer"));
}

#[test]
fn a_line_that_is_too_long_stays_in_the_input_and_the_person_is_told() {
    let mut window = Window::ready();
    let long = "a".repeat(tertulia_desktop::model::TEXT_BYTES_MAX + 3);
    window.write(&long);
    assert_eq!(window.screen().compose.over_bytes, 3);
    window.act(Act::Send);
    assert!(window.take_said().is_empty());
    assert_eq!(window.input(), long);
    assert_eq!(window.screen().hint.unwrap().text, "sobran 3 bytes");
}

#[test]
fn when_too_much_waits_nothing_more_is_taken_and_nothing_is_lost() {
    let mut window = Window::with(settings());
    for number in 0..tertulia_desktop::model::UNSENT_MAX {
        window.say(&format!("línea {number}"));
    }
    assert_eq!(window.take_said().len(), tertulia_desktop::model::UNSENT_MAX);
    window.say("una más");
    assert!(window.take_said().is_empty());
    assert_eq!(window.input(), "una más");
    assert!(window.screen().hint.unwrap().is_error);
    assert_eq!(render::row_count(&window.model), tertulia_desktop::model::UNSENT_MAX);
}

#[test]
fn a_line_is_never_only_blanks_and_is_cleaned_at_its_ends() {
    let mut window = Window::ready();
    window.say("  \n ");
    assert!(window.take_said().is_empty());
    window.say("  hola\n\n");
    assert_eq!(window.take_said()[0].text, "hola");
    window.say("//no es una orden");
    assert_eq!(window.take_said()[0].text, "/no es una orden");
    window.say("\u{202e}\u{7}");
    assert!(window.take_said().is_empty());
}

#[test]
fn a_reply_goes_with_the_id_it_answers_and_shows_the_words_above() {
    let mut window = Window::ready();
    let id = window.hear("general", "Luis", "¿cenamos?");
    window.act(Act::Reply(window.row("¿cenamos?").entry));
    assert_eq!(window.screen().compose.reply.unwrap(), "Respondes a Luis: ¿cenamos?");
    window.say("a las nueve");
    assert_eq!(window.take_said()[0].reply, Some(id));
    assert!(window.screen().compose.reply.is_none());
    assert!(
        window.transcript().ends_with("      | Luis: ¿cenamos?\n16:37 Tú: ~a las nueve~"),
        "{}",
        window.transcript()
    );
}

#[test]
fn a_reply_is_given_up_with_escape_and_impossible_while_the_line_has_no_id() {
    let mut window = Window::ready();
    window.say("mío");
    window.act(Act::Reply(window.row("mío").entry));
    assert!(window.screen().compose.reply.is_none());
    assert_eq!(window.screen().hint.unwrap().text, "esa línea aún no se ha enviado; espera un momento");
    window.notice("general", "Ivo", Notice::Join);
    window.act(Act::Reply(window.row("Ivo se ha unido al chat").entry));
    assert_eq!(window.screen().hint.unwrap().text, "a eso no se puede responder");
    window.hear("general", "Luis", "hola");
    window.act(Act::Reply(window.row("hola").entry));
    window.act(Act::Cancel);
    assert!(window.screen().compose.reply.is_none());
}

#[test]
fn labels_are_valid_and_never_the_same_twice_not_even_in_a_run_of_the_same_moment() {
    let mut labels = std::collections::HashSet::new();
    for seed in [0, 1, u64::MAX] {
        let mut window = Window::ready();
        window.model = tertulia_desktop::model::Model::with_seed(settings(), window.now, seed);
        window.greet();
        for _ in 0..5 {
            window.say("x");
        }
        for line in window.take_said() {
            assert!(tertulia_wire::extended::is_label(&line.label), "{}", line.label);
            assert!(!line.label.starts_with('s'), "these are the session's");
            assert!(labels.insert(line.label));
        }
    }
}
