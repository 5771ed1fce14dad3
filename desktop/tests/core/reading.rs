//! Following, older lines, jumps, gaps, days, links, copying.

use std::time::Duration;

use tertulia_desktop::model::{Act, BYTES_KEPT, ENTRIES_KEPT, RowChange, Scroll, ViewCommand};
use tertulia_desktop::render::{self, Point, Style};
use tertulia_wire::session::{Event, Line, Source, Way};

use crate::window::{START_MS, Window, line, settings, ticket};

#[test]
fn the_end_is_followed_only_by_who_is_there() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "uno");
    assert!(window.screen().jump.is_none());
    window.scroll(false, false);
    assert_eq!(window.screen().jump.unwrap().label, "al final ↓");
    window.hear("general", "Luis", "dos");
    assert_eq!(window.screen().jump.unwrap().label, "1 nuevo ↓");
    window.hear("general", "Luis", "tres");
    let jump = window.screen().jump.unwrap();
    assert_eq!(jump.label, "2 nuevos ↓");
    window.commands.clear();
    window.act(jump.act);
    assert_eq!(window.view_commands(), [ViewCommand::ScrollToEnd]);
    assert!(window.screen().jump.is_none());
    assert_eq!(window.screen().conversations[0].unread, 0);
}

#[test]
fn saying_something_leads_to_the_end() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "uno");
    window.scroll(false, false);
    window.say("hola");
    assert!(window.view_commands().contains(&ViewCommand::ScrollToEnd));
    assert!(window.screen().jump.is_none());
}

#[test]
fn entering_a_room_shows_what_was_said_last_and_counts_it_as_read() {
    let mut window = Window::with(settings());
    window.greet();
    window.joined("general");
    assert_eq!(window.screen().empty.unwrap(), "cargando lo anterior…");
    let (ask, way) = window.take_fetch("general").unwrap();
    assert_eq!(way, Way::Before(u64::MAX));
    window.answer(ask, "general", &[(1, "Luis", "ayer"), (2, "Eva", "Ana, mira")], true);
    assert!(
        window.transcript().ends_with("15:37 Luis: ayer\n15:37 Eva: *Ana*, mira"),
        "{}",
        window.transcript()
    );
    assert_eq!(window.screen().title, "general · Ana · Tertulia");
    assert!(window.notifications().is_empty());
}

#[test]
fn older_lines_come_on_scrolling_up_once_and_above() {
    let mut window = window_with_more();
    window.scroll(false, true);
    window.scroll(false, true);
    let (ask, way) = window.take_fetch("general").unwrap();
    assert_eq!(way, Way::Before(10));
    assert!(window.take_fetch("general").is_none(), "asked for once");
    assert!(window.transcript().starts_with("(cargando lo anterior…)"), "{}", window.transcript());
    window.model.take_row_changes();
    window.answer(ask, "general", &[(8, "Luis", "ocho"), (9, "Luis", "nueve"), (10, "Luis", "diez")], false);
    let changes = window.model.take_row_changes();
    assert!(changes.contains(&RowChange::Inserted { at: 0, count: 2 }), "{changes:?}");
    assert!(
        window.screen().rows == 3 && window.transcript().contains("Luis: diez"),
        "a line that is known is not there twice"
    );
    window.scroll(false, true);
    assert!(window.take_fetch("general").is_none(), "there is nothing older");
}

fn window_with_more() -> Window {
    let mut window = Window::with(settings());
    window.greet();
    window.joined("general");
    window.answer_older("general", &[(10, "Luis", "diez")], true);
    window
}

#[test]
fn older_lines_that_cannot_be_had_are_said_to_be_so_and_asked_for_later() {
    let mut window = window_with_more();
    window.scroll(false, true);
    let (ask, _) = window.take_fetch("general").unwrap();
    let ticket = ticket("general");
    window.link(tertulia_desktop::model::LinkEvent::Asked { ask, ticket });
    window.session(Event::FetchRefused { ticket, code: "UNREADABLE".to_owned() });
    assert!(window.transcript().starts_with("(no se pudo cargar lo anterior"), "{}", window.transcript());
    window.scroll(false, true);
    assert!(window.take_fetch("general").is_none(), "not at once");
    window.pass(Duration::from_secs(6));
    window.scroll(false, true);
    let (ask, _) = window.take_fetch("general").unwrap();
    window.link(tertulia_desktop::model::LinkEvent::Asked { ask, ticket });
    window.session(Event::FetchRefused { ticket, code: "NOT_KEPT".to_owned() });
    assert!(window.transcript().starts_with("(este relay no guarda lo que se dice)"));
}

#[test]
fn a_gap_is_shown_filled_and_gone_or_said_to_be_lost() {
    let mut window = Window::ready();
    let first = window.hear("general", "Luis", "antes");
    let (from, to) = (first + 1, first + 10);
    window.next_id += 20;
    window.session(Event::GapFound { room: "general".to_owned(), from, to });
    window.hear("general", "Luis", "después");
    assert!(
        window.transcript().contains("antes\n16:37 faltan líneas; se están pidiendo…\n16:37 Luis: después"),
        "{}",
        window.transcript()
    );
    let missed =
        |id, text: &str| Line { unix_ms: Some(START_MS), ..line(Some(id), Some("general"), "Eva", text) };
    window.session(Event::Heard { line: missed(from + 2, "en medio"), source: Source::Gap });
    window.session(Event::GapClosed { room: "general".to_owned(), to, lines: 1 });
    assert!(
        window.transcript().contains("antes\n16:37 Eva: en medio\n16:37 Luis: después"),
        "{}",
        window.transcript()
    );
    window.session(Event::GapFound { room: "general".to_owned(), from: 5, to: 9 });
    window.session(Event::GapLeft {
        room: "general".to_owned(),
        from: 5,
        to: 9,
        code: "TOO_MANY".to_owned(),
    });
    assert!(window.transcript().contains("aquí faltan líneas que ya no se pueden recuperar"));
}

#[test]
fn a_day_has_a_rule_above_it() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "hoy");
    window.now.unix_ms += 24 * 3600 * 1000;
    window.hear("general", "Luis", "otro día");
    assert!(
        window.transcript().ends_with("--- ayer ---\n16:37 Luis: hoy\n--- hoy ---\n16:37 Luis: otro día"),
        "{}",
        window.transcript()
    );
}

#[test]
fn a_jump_to_an_answered_line_reveals_it_or_fetches_it_with_its_neighbours() {
    let mut window = window_with_more();
    let reply = Line { reply: Some(10), ..line(Some(900), Some("general"), "Eva", "cerca") };
    window.hear_line(reply);
    let far = Line { reply: Some(4), ..line(Some(901), Some("general"), "Eva", "lejos") };
    window.hear_line(far);
    assert_eq!(window.row("cerca").quote.unwrap().text, "Luis: diez");
    assert_eq!(window.row("lejos").quote.unwrap().text, "respuesta a una línea anterior");
    window.commands.clear();
    window.act(Act::JumpToQuoted(window.row("cerca").entry));
    assert_eq!(window.view_commands(), [ViewCommand::Reveal(window.row("diez").entry)]);
    window.act(Act::JumpToQuoted(window.row("lejos").entry));
    let (ask, way) = window.take_fetch("general").unwrap();
    assert_eq!(way, Way::Before(5));
    window.answer(ask, "general", &[(3, "Luis", "tres"), (4, "Luis", "cuatro")], true);
    let four = window.row("cuatro").entry;
    assert!(window.commands.contains(&tertulia_desktop::model::Command::View(ViewCommand::Reveal(four))));
    // What is behind it is fetched as well, and what comes meanwhile is not lost.
    let (ask, way) = window.take_fetch("general").unwrap();
    assert_eq!(way, Way::After(4));
    window.hear("general", "Zoe", "ahora");
    assert!(!window.transcript().contains("ahora"), "its place is behind what is still missing");
    window.answer(ask, "general", &[(10, "Luis", "diez"), (900, "Eva", "cerca")], false);
    assert!(
        window.transcript().contains("cerca\n=== sin leer ===\n16:37 Zoe: ahora"),
        "{}",
        window.transcript()
    );
}

#[test]
fn who_reads_far_above_gets_the_end_back_by_jumping_there() {
    let mut window = window_with_more();
    window.hear_line(Line { reply: Some(4), ..line(Some(901), Some("general"), "Eva", "lejos") });
    window.act(Act::JumpToQuoted(window.row("lejos").entry));
    window.answer_older("general", &[(4, "Luis", "cuatro")], true);
    let (ask, _) = window.take_fetch("general").unwrap();
    window.answer(ask, "general", &[(5, "Luis", "cinco")], true);
    let id = window.hear("general", "Zoe", "Ana, ahora");
    assert_eq!(window.screen().jump.unwrap().label, "1 nuevo ↓");
    window.act(Act::JumpToEnd);
    let (ask, way) = window.take_fetch("general").unwrap();
    assert_eq!(way, Way::Before(u64::MAX));
    window.answer(ask, "general", &[(901, "Eva", "lejos"), (id, "Zoe", "Ana, ahora")], true);
    assert!(window.transcript().contains("Zoe: *Ana*, ahora"), "{}", window.transcript());
    assert!(window.screen().jump.is_none());
    window.hear("general", "Zoe", "y sigue");
    assert!(window.transcript().ends_with("Zoe: y sigue"));
}

#[test]
fn reading_far_above_drops_the_newest_lines_and_scrolling_down_brings_them_back() {
    let mut window = window_with_more();
    let newest = 20_000;
    for id in (newest - ENTRIES_KEPT as u64 + 2)..=newest {
        window.hear_line(line(Some(id), Some("general"), "Luis", "x"));
    }
    window.scroll(false, true);
    let (ask, _) = window.take_fetch("general").unwrap();
    let older: Vec<_> = (1..10).map(|id| (id, "Luis", "viejo")).collect();
    window.answer(ask, "general", &older, false);
    assert!(window.screen().rows <= ENTRIES_KEPT);
    assert_eq!(window.row("viejo").name.unwrap().text, "Luis", "what was asked for is there");
    window.hear("general", "Luis", "no a la vista");
    window.act(Act::Scroll(Scroll { is_at_end: true, is_near_start: false, first: None }));
    let (ask, way) = window.take_fetch("general").unwrap();
    let Way::After(after) = way else { panic!("{way:?}") };
    assert!(after < newest && after > newest - 1000, "{after}");
    let rest: Vec<_> = (after + 1..=newest).map(|id| (id, "Luis", "x")).collect();
    window.answer(ask, "general", &rest, false);
    assert!(window.screen().jump.is_none());
    assert!(window.screen().rows <= ENTRIES_KEPT);
}

#[test]
fn whoever_reads_further_up_keeps_the_place_however_much_is_said() {
    let mut window = Window::ready();
    for number in 0..100 {
        window.hear("general", "Luis", &format!("línea {number}"));
    }
    let read = window.row("línea 40").entry;
    window.act(Act::Scroll(Scroll { is_at_end: false, is_near_start: false, first: Some(read) }));
    for _ in 0..3 * ENTRIES_KEPT {
        window.hear("general", "Luis", "x");
        assert!(window.screen().rows <= ENTRIES_KEPT);
    }
    assert!(render::row_position(&window.model, read).is_some(), "what is read is there");
    assert_eq!(window.screen().conversations[0].unread, 3 * ENTRIES_KEPT as u64, "all of it is counted");
    // On the way down the rest is fetched.
    window.commands.clear();
    window.act(Act::Scroll(Scroll { is_at_end: true, is_near_start: false, first: None }));
    assert!(matches!(window.take_fetch("general"), Some((_, Way::After(_)))));
}

#[test]
fn whoever_reads_near_the_end_keeps_the_place_and_the_oldest_lines_go_first() {
    let mut window = Window::ready();
    for number in 0..ENTRIES_KEPT {
        window.hear("general", "Luis", &format!("línea {number}"));
    }
    let read = window.row(&format!("línea {}", ENTRIES_KEPT - 10)).entry;
    window.act(Act::Scroll(Scroll { is_at_end: false, is_near_start: false, first: Some(read) }));
    window.hear("general", "Luis", "la última");
    assert_eq!(window.row("la última").name.unwrap().text, "Luis", "what is near the reader stays");
    for _ in 0..3 * ENTRIES_KEPT {
        window.hear("general", "Luis", "x");
    }
    assert!(render::row_position(&window.model, read).is_some());
}

#[test]
fn whoever_reads_above_long_lines_keeps_the_place_within_the_bytes() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "aquí");
    let entry = window.row("aquí").entry;
    window.act(Act::Scroll(Scroll { is_at_end: false, is_near_start: false, first: Some(entry) }));
    let long = "a".repeat(15_000);
    for _ in 0..1000 {
        window.hear("general", "Luis", &long);
    }
    assert!(window.model.held().1 <= BYTES_KEPT);
    assert!(render::row_position(&window.model, entry).is_some());
}

#[test]
fn where_a_relay_keeps_nothing_the_newest_lines_stay_since_they_cannot_be_fetched() {
    let mut window = Window::with(settings());
    window.greet();
    window.joined("general");
    let (ask, _) = window.take_fetch("general").unwrap();
    let ticket = ticket("general");
    window.link(tertulia_desktop::model::LinkEvent::Asked { ask, ticket });
    window.session(Event::FetchRefused { ticket, code: "NOT_KEPT".to_owned() });
    window.hear("general", "Luis", "primera");
    window.scroll(false, false);
    for _ in 0..2 * ENTRIES_KEPT {
        window.hear("general", "Luis", "x");
    }
    window.hear("general", "Luis", "la última");
    assert_eq!(window.row("la última").name.unwrap().text, "Luis");
}

#[test]
fn a_jump_to_what_is_in_sight_leaves_the_reader_at_the_end() {
    let mut window = window_with_more();
    window.hear_line(Line { reply: Some(10), ..line(Some(900), Some("general"), "Eva", "cerca") });
    window.act(Act::JumpToQuoted(window.row("cerca").entry));
    window.pass(Duration::from_secs(10));
    window.hear("general", "Luis", "a la vista");
    assert_eq!(window.screen().conversations[0].unread, 0);
    assert!(window.screen().jump.is_none());
}

#[test]
fn what_is_held_while_newer_lines_come_has_a_bound_and_goes_with_a_jump() {
    let mut window = window_with_more();
    window.hear_line(Line { reply: Some(4), ..line(Some(901), Some("general"), "Eva", "lejos") });
    window.act(Act::JumpToQuoted(window.row("lejos").entry));
    window.answer_older("general", &[(4, "Luis", "cuatro")], true);
    let long = "a".repeat(15_000);
    for _ in 0..500 {
        window.hear("general", "Luis", &long);
    }
    let (_, bytes) = window.model.held();
    assert!(bytes > 500_000 && bytes < 2 * 1024 * 1024, "{bytes}");
    // It was too much: what comes behind the page is fetched as well.
    let (ask, _) = window.take_fetch("general").unwrap();
    window.act(Act::Scroll(Scroll { is_at_end: true, is_near_start: false, first: None }));
    window.answer(ask, "general", &[(5, "Luis", "cinco")], false);
    assert!(matches!(window.take_fetch("general"), Some((_, Way::After(5)))));
    window.act(Act::JumpToEnd);
    assert!(window.model.held().1 < 10_000);
}

#[test]
fn links_are_found_and_only_http_and_https_are_opened() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "mira https://example.org/a_(b)?c=1, y ftp://x.org o javascript:alert(1)");
    assert!(
        window
            .transcript()
            .contains("mira <https://example.org/a_(b)?c=1>, y ftp://x.org o javascript:alert(1)"),
        "{}",
        window.transcript()
    );
    window.commands.clear();
    for (url, opens) in [
        ("https://example.org/", true),
        ("HTTP://example.org/", true),
        ("file:///etc/passwd", false),
        ("https://", false),
        ("http://a b", false),
        ("httpſ://x", false),
        ("-https://x", false),
    ] {
        window.act(Act::OpenLink(url.to_owned()));
        assert_eq!(!window.view_commands().is_empty(), opens, "{url}");
    }
}

#[test]
fn a_link_in_a_row_says_where_it_leads() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "a https://uno.example b http://dos.example");
    let row = window.row("a https://uno.example b http://dos.example");
    let links: Vec<_> = row.body.iter().filter(|span| span.style == Style::Link).collect();
    assert_eq!(links[1].act, Some(Act::OpenLink("http://dos.example".to_owned())));
}

#[test]
fn copied_text_is_clean() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "uno\u{2028}dos");
    window.hear("general", "Pesado", "bla");
    window.hear("general", "Eva", "tres ñandúes");
    window.act(Act::Ignore { name: "Pesado".to_owned(), is_ignored: true });
    let point = |window: &Window, text: &str, byte| Point { entry: window.row(text).entry, byte };
    let (first, last) = (point(&window, "uno\ndos", 4), point(&window, "tres ñandúes", 6));
    assert_eq!(render::copy_text(&window.model, first, last), "dos\n[16:37] Eva: tres ");
    assert_eq!(render::copy_text(&window.model, last, first), "dos\n[16:37] Eva: tres ");
    let all = Point { byte: 0, ..first };
    assert_eq!(
        render::copy_text(&window.model, all, Point { byte: 999, ..last }),
        "[16:37] Luis: uno\ndos\n[16:37] Eva: tres ñandúes"
    );
    assert_eq!(
        render::copy_text(&window.model, Point { byte: 5, ..last }, Point { byte: 8, ..last }),
        "ña".get(..3).unwrap_or("ñ")
    );
}

#[test]
fn lines_of_one_person_that_follow_each_other_have_one_name() {
    let mut window = Window::ready();
    for (name, text) in [("Luis", "uno"), ("Luis", "dos"), ("Eva", "tres"), ("Eva", "cuatro")] {
        window.hear("general", name, text);
    }
    window.now.unix_ms += 10 * 60 * 1000;
    window.hear("general", "Eva", "cinco");
    let continues: Vec<bool> = render::rows(&window.model, 0..5).iter().map(|row| row.continues).collect();
    assert_eq!(continues, [false, true, false, true, false]);
    window.hear("general", "Pesado", "bla");
    window.hear("general", "Eva", "seis");
    assert!(!window.row("seis").continues);
    window.act(Act::Ignore { name: "Pesado".to_owned(), is_ignored: true });
    assert!(window.row("seis").continues, "what is between is not shown");
}

#[test]
fn a_row_has_another_number_only_when_it_looks_other() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "uno");
    window.say("dos");
    let key = |window: &Window, position| render::row_key(&window.model, position).unwrap();
    let (first, second) = (key(&window, 0), key(&window, 1));
    let label = window.take_said().remove(0).label;
    window.acknowledge(&label);
    assert_eq!(key(&window, 0), first);
    assert_ne!(key(&window, 1), second);
    for position in 0..2 {
        let row = render::row(&window.model, position).unwrap();
        assert_eq!((row.entry, row.revision), key(&window, position));
    }
    let before = key(&window, 0);
    window.act(Act::Ignore { name: "Luis".to_owned(), is_ignored: true });
    assert_ne!(key(&window, 0), before);
}

#[test]
fn what_was_missed_has_no_rule_above_it_while_somebody_looks() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "antes");
    window.session(Event::Waiting {
        reason: tertulia_wire::session::Reason::Disconnected,
        retry_in: Duration::from_secs(1),
    });
    window.pass(Duration::from_secs(5));
    window.greet();
    window.hear("general", "Luis", "mientras no estabas");
    window.hear("general", "Luis", "y también");
    window.pass(Duration::from_secs(5));
    window.hear("general", "Luis", "ahora");
    let text = window.transcript();
    assert!(text.contains("antes\n16:37 Luis: mientras no estabas"), "{text}");
    assert!(!text.contains("sin leer"), "{text}");
    assert_eq!(window.screen().title, "general · Ana · Tertulia", "it is in sight");
}

#[test]
fn a_line_that_cannot_be_found_leaves_everything_as_it_is() {
    let mut window = window_with_more();
    window.hear_line(Line { reply: Some(4), ..line(Some(901), Some("general"), "Eva", "lejos") });
    window.act(Act::JumpToQuoted(window.row("lejos").entry));
    assert_eq!(window.screen().hint.unwrap().text, "cargando lo anterior…");
    let before = window.transcript();
    window.answer_older("general", &[(1, "Luis", "uno"), (3, "Luis", "tres")], false);
    assert_eq!(window.transcript(), before);
    assert_eq!(window.screen().hint.unwrap().text, "esa línea ya no se encuentra");
}

#[test]
fn older_lines_whose_place_was_dropped_meanwhile_leave_no_hole() {
    let mut window = window_with_more();
    window.scroll(false, true);
    let (ask, _) = window.take_fetch("general").unwrap();
    window.act(Act::JumpToEnd);
    for _ in 0..ENTRIES_KEPT + 10 {
        window.hear("general", "Luis", "x");
    }
    window.answer(ask, "general", &[(8, "Luis", "ocho"), (9, "Luis", "nueve")], false);
    let first = render::row(&window.model, 0).unwrap();
    assert_eq!(first.body[0].text, "x");
    window.scroll(false, true);
    assert!(window.take_fetch("general").is_some(), "they can be fetched again, all of them");
}

#[test]
fn names_in_a_text_have_their_colours_and_other_words_have_none() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "hola");
    window.hear("general", "Eva", "que lo diga Luis, luis o Luisa: «Luis»");
    let row = window.row("que lo diga Luis, luis o Luisa: «Luis»");
    let named: Vec<_> = row.body.iter().filter(|span| matches!(span.style, Style::Name(_))).collect();
    assert_eq!(named.iter().map(|span| span.text.as_str()).collect::<Vec<_>>(), ["Luis", "Luis"]);
    assert_eq!(named[0].style, window.row("hola").name.unwrap().style);
}

#[test]
fn where_the_view_stands_is_no_reason_to_draw_again() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "hola");
    window.scroll(true, true);
    let before = window.model.revision();
    window.scroll(true, true);
    assert_eq!(window.model.revision(), before);
    window.scroll(false, true);
    assert_ne!(window.model.revision(), before);
}
