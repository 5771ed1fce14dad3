//! Everything has a bound, and a line costs the same however many there were.

use tertulia_desktop::model::{
    Act, BYTES_KEPT, BYTES_KEPT_ALL, CHANGES_MAX, Command, ENTRIES_KEPT, FileCommand, LinkCommand, LinkEvent,
    PEOPLE_MAX, RowChange,
};
use tertulia_desktop::render;
use tertulia_desktop::settings::Settings;
use tertulia_wire::heard::Notice::{Join, Leave};
use tertulia_wire::limits::ROOMS_PER_CLIENT_MAX;
use tertulia_wire::session::{Event, Line};

use crate::window::{Window, line, settings};

#[test]
fn a_million_lines_leave_the_window_as_large_as_the_first_thousands() {
    let mut window = Window::ready();
    let mut most = (0, 0);
    for number in 0..1_000_000_u32 {
        window.hear("general", "Luis", "una línea como otra cualquiera");
        if number % 50_000 == 0 {
            window.act(Act::Focus(number % 100_000 == 0));
        }
        let held = window.model.held();
        most = (most.0.max(held.0), most.1.max(held.1));
        assert!(window.commands.is_empty(), "{:?}", window.commands);
    }
    assert!(most.0 <= ENTRIES_KEPT && most.0 > ENTRIES_KEPT / 2, "{most:?}");
    assert!(most.1 < 2 * 1024 * 1024, "{most:?}");
    assert!(window.model.take_row_changes().len() <= CHANGES_MAX);
    assert_eq!(window.screen().rows, window.model.held().0);
}

#[test]
fn long_lines_are_bounded_by_their_bytes() {
    let mut window = Window::ready();
    let long = "a".repeat(15_000);
    for _ in 0..1000 {
        window.hear("general", "Luis", &long);
    }
    let (entries, bytes) = window.model.held();
    assert!(bytes <= BYTES_KEPT && entries < 300, "{entries} {bytes}");
}

#[test]
fn all_rooms_together_are_bounded_and_what_is_dropped_can_be_fetched_again() {
    let rooms: Vec<String> = (0..ROOMS_PER_CLIENT_MAX).map(|number| format!("sala{number}")).collect();
    let mut window = Window::ready_with(Settings { rooms: rooms.clone(), ..settings() });
    let long = "a".repeat(1000);
    for _ in 0..1000 {
        for room in &rooms {
            window.hear(room, "Luis", &long);
        }
    }
    let (_, bytes) = window.model.held();
    assert!(bytes <= BYTES_KEPT_ALL, "{bytes}");
    for room in &rooms {
        window.act(Act::Join(room.clone()));
        assert!(window.screen().rows > 0, "{room}");
        window.scroll(true, true);
    }
    let asked = rooms.iter().filter(|room| window.take_fetch(room).is_some());
    assert_eq!(asked.count(), tertulia_desktop::model::ASKS_OPEN_MAX);
}

#[test]
fn own_lines_without_an_answer_are_never_dropped() {
    let mut window = Window::ready();
    window.say("la mía");
    let label = window.take_said().remove(0).label;
    for _ in 0..3 * ENTRIES_KEPT {
        window.hear("general", "Luis", "otra");
    }
    assert!(window.transcript().ends_with("~la mía~"));
    window.refuse(&label, "EMPTY");
    for _ in 0..3 * ENTRIES_KEPT {
        window.hear("general", "Luis", "otra");
    }
    assert!(window.transcript().contains("!la mía!"));
}

#[test]
fn own_lines_without_an_answer_are_kept_however_long_they_are() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "otra");
    let long = "a".repeat(15_000);
    let count = 2 * BYTES_KEPT / long.len();
    (0..count).for_each(|_| window.say(&long));
    assert_eq!(window.take_said().len(), count);
    assert_eq!(window.screen().rows, count, "what was heard goes, what was not said yet stays");
}

#[test]
fn people_who_come_and_go_all_day_leave_no_trace() {
    let mut window = Window::ready();
    for number in 0..30_000 {
        let name = format!("Usuario_{number}");
        window.notice("general", &name, Join);
        window.hear("general", &name, "hola");
        window.notice("general", &name, Leave);
    }
    assert_eq!(window.screen().people, Some(0));
    assert!(window.model.held().0 <= ENTRIES_KEPT);
    for number in 0..PEOPLE_MAX + 100 {
        window.notice("general", &format!("Usuario_{number}"), Join);
    }
    assert_eq!(window.screen().people, Some(PEOPLE_MAX));
}

#[test]
fn the_changes_of_rows_are_exact_or_a_new_beginning() {
    let mut window = Window::ready();
    let mut heights: Vec<u64> = Vec::new();
    let follow = |window: &mut Window, heights: &mut Vec<u64>| {
        for change in window.model.take_row_changes() {
            match change {
                RowChange::Inserted { at, count } => {
                    heights.splice(at..at, std::iter::repeat_n(0, count));
                }
                RowChange::Removed { at, count } => {
                    heights.drain(at..at + count);
                }
                RowChange::Changed { at } => heights[at] = 0,
                RowChange::Reset => *heights = vec![0; render::row_count(&window.model)],
            }
        }
        assert_eq!(heights.len(), render::row_count(&window.model));
        for (position, height) in heights.iter_mut().enumerate() {
            let (entry, _) = render::row_key(&window.model, position).unwrap();
            assert!(*height == 0 || *height == entry.number(), "a height stays with its row");
            *height = entry.number();
        }
    };
    for number in 0..600_u32 {
        match number % 7 {
            0 => window.say("mía"),
            3 => {
                for line in window.take_said() {
                    window.acknowledge(&line.label);
                }
            }
            5 => window.notice("general", "Eva", Join),
            _ => {
                window.hear("general", "Luis", "otra");
            }
        }
        if number % 40 == 0 {
            (0..3 * CHANGES_MAX).for_each(|_| {
                window.hear("general", "Luis", "muchas");
            });
        }
        follow(&mut window, &mut heights);
    }
}

#[test]
fn what_a_thousand_people_say_does_not_have_their_list_drawn_anew() {
    let mut window = Window::ready();
    for number in 0..1000 {
        let name = format!("Usuario_{number}");
        window.session(Event::Who { label: None, room: "general".to_owned(), name });
    }
    window.session(Event::AnswerEnd { label: None, what: "WHO".to_owned() });
    let before = window.screen().people_revision;
    for number in 0..20_000 {
        window.hear("general", &format!("Usuario_{}", number % 1000), "hola");
    }
    assert_eq!(window.screen().people_revision, before, "the list is not drawn anew for it");
}

#[test]
fn questions_to_the_history_are_few_at_once_and_the_rest_wait() {
    let rooms: Vec<String> = (0..ROOMS_PER_CLIENT_MAX).map(|number| format!("sala{number}")).collect();
    let mut window = Window::with(Settings { rooms: rooms.clone(), ..settings() });
    window.greet();
    rooms.iter().for_each(|room| window.joined(room));
    let open = |window: &Window| {
        let fetches =
            window.commands.iter().filter(|c| matches!(c, Command::Link(LinkCommand::Fetch { .. })));
        fetches.count()
    };
    assert_eq!(open(&window), tertulia_desktop::model::ASKS_OPEN_MAX);
    for room in &rooms {
        window.answer_older(room, &[], false);
    }
    assert_eq!(open(&window), 0);
}

#[test]
fn a_thousand_lines_refused_at_once_are_written_down_once() {
    let mut window = Window::ready();
    for number in 0..1000 {
        window.say(&format!("línea {number}"));
    }
    let labels: Vec<String> = window.take_said().into_iter().map(|line| line.label).collect();
    window.commands.clear();
    for label in labels {
        let (code, sentence) = ("NO_ROOM".to_owned(), String::new());
        let event = Event::Refused { label, code, sentence };
        window.model.handle(tertulia_desktop::model::Event::Link(LinkEvent::Session(event)), window.now);
    }
    window.act(Act::Focus(true));
    let files = window.files();
    assert_eq!(files.len(), 1);
    let FileCommand::SaveDraftsSafely(text) = &files[0] else { panic!("{files:?}") };
    assert!(text.contains("línea 0") && text.contains("línea 999"));
}

#[test]
fn ids_at_the_edge_of_what_can_be_do_no_harm() {
    let mut window = Window::ready();
    for id in [u64::MAX, u64::MAX - 1, 0, 1] {
        window.hear_line(line(Some(id), Some("general"), "Luis", "borde"));
        window.session(Event::GapFound { room: "general".to_owned(), from: id, to: u64::MAX });
        window.session(Event::GapLeft {
            room: "general".to_owned(),
            from: id,
            to: u64::MAX,
            code: "x".to_owned(),
        });
    }
    window.session(Event::Storm { room: "general".to_owned(), joined: u64::MAX, left: u64::MAX });
    window.session(Event::Storm { room: "general".to_owned(), joined: u64::MAX, left: 1 });
    window.say("mía");
    let label = window.take_said().remove(0).label;
    window.session(Event::Acknowledged { label, id: u64::MAX, unix_ms: Some(u64::MAX) });
    window.hear_line(Line { unix_ms: Some(u64::MAX), ..line(None, Some("general"), "Luis", "sin id") });
    assert!(!window.screen().conversations[0].has_unsent);
    assert!(window.transcript().contains("sin id"));
}
