//! Counts, the title, notices of the desktop.

use std::time::Duration;

use tertulia_desktop::model::{Act, QUIET_AFTER_READY};
use tertulia_desktop::settings::Settings;
use tertulia_wire::session::{self, Source};

use crate::window::{Window, line, settings};

fn two_rooms() -> Window {
    let rooms = vec!["general".to_owned(), "cocina".to_owned()];
    Window::ready_with(Settings { rooms, ..settings() })
}

#[test]
fn what_is_seen_is_read_and_what_is_not_is_counted() {
    let mut window = two_rooms();
    window.hear("general", "Luis", "lo veo");
    window.hear("cocina", "Luis", "no lo veo");
    window.hear("cocina", "Luis", "¿ana?");
    let screen = window.screen();
    let counts: Vec<_> = screen.conversations.iter().map(|row| (row.unread, row.mentions)).collect();
    assert_eq!(counts, [(0, 0), (2, 1)]);
    assert_eq!(screen.title, "(2) general · Ana · Tertulia");
    window.act(Act::Select(screen.conversations[1].id));
    assert_eq!(window.screen().title, "cocina · Ana · Tertulia");
    assert!(
        window.transcript().contains("=== sin leer ===\n16:37 Luis: no lo veo"),
        "{}",
        window.transcript()
    );
}

#[test]
fn without_the_focus_nothing_is_read_until_it_comes_back() {
    let mut window = Window::ready();
    window.act(Act::Focus(false));
    window.hear("general", "Luis", "uno");
    window.hear("general", "Luis", "dos");
    assert_eq!(window.screen().title, "(2) general · Ana · Tertulia");
    assert!(window.screen().jump.is_none(), "the end is in sight");
    window.act(Act::Focus(true));
    assert_eq!(window.screen().title, "general · Ana · Tertulia");
    assert!(window.transcript().contains("=== sin leer ===\n16:37 Luis: uno"), "{}", window.transcript());
    window.say("visto");
    assert!(!window.transcript().contains("sin leer"), "answered, so read");
}

#[test]
fn there_is_no_unread_line_while_the_reader_looks() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "uno");
    assert!(!window.transcript().contains("sin leer"));
    assert!(!window.screen().has_unread_line);
}

#[test]
fn a_mention_notifies_whoever_does_not_look_and_nobody_else() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "hola Ana");
    assert!(window.notifications().is_empty(), "the reader looks");
    window.act(Act::Focus(false));
    window.hear("general", "Luis", "hola a todos");
    window.hear("general", "Luis", "mañana banana");
    assert!(window.notifications().is_empty(), "nobody is named");
    window.hear("general", "Luis", "¡ANA!");
    let notified = window.notifications();
    assert_eq!((notified[0].title.as_str(), notified[0].body.as_str()), ("Luis en general", "¡ANA!"));
    assert!(!notified[0].has_sound, "off by default");
}

#[test]
fn whoever_has_the_window_in_front_is_not_notified_and_sees_the_count() {
    let mut window = two_rooms();
    window.hear("general", "Luis", "uno");
    window.scroll(false, false);
    window.hear("general", "Luis", "Ana, ven");
    window.hear("cocina", "Luis", "Ana, ven aquí");
    window.whisper("Eva", "psst");
    assert!(window.notifications().is_empty());
    assert_eq!(window.screen().title, "(3) general · Ana · Tertulia");
    window.act(Act::Focus(false));
    window.hear("general", "Luis", "Ana, que vengas");
    assert_eq!(window.notifications().len(), 1);
}

#[test]
fn a_private_line_notifies_and_its_conversation_opens() {
    let mut window = Window::ready();
    window.act(Act::Focus(false));
    window.whisper("Luis", "psst");
    let notified = window.notifications();
    assert_eq!(notified[0].title, "Luis, en privado");
    let screen = window.screen();
    assert_eq!((screen.conversations[1].name.as_str(), screen.conversations[1].mentions), ("Luis", 1));
    assert_eq!(notified[0].conversation, screen.conversations[1].id);
    assert_eq!(screen.heading, "general", "nobody is torn away from what they read");
}

#[test]
fn a_word_that_is_waited_for_counts_as_a_mention() {
    let keywords = vec!["cena".to_owned()];
    let mut window = Window::ready_with(Settings { keywords, ..settings() });
    window.act(Act::Focus(false));
    window.hear("general", "Luis", "¿quién viene a la CENA?");
    assert_eq!(window.notifications().len(), 1);
    assert!(window.transcript().contains("la *CENA*?"), "{}", window.transcript());
}

#[test]
fn a_muted_room_is_quiet_and_does_not_count_in_the_title() {
    let mut window = two_rooms();
    let id = window.screen().conversations[1].id;
    window.act(Act::Mute { conversation: id, is_muted: true });
    assert!(window.model.settings().is_muted("cocina"));
    window.hear("cocina", "Luis", "Ana, ven");
    assert!(window.notifications().is_empty());
    assert_eq!(window.screen().title, "general · Ana · Tertulia");
    assert_eq!(window.screen().conversations[1].unread, 1);
}

#[test]
fn what_was_missed_is_counted_and_notifies_nobody() {
    let mut window = Window::ready();
    window.act(Act::Focus(false));
    window.greet();
    window.hear("general", "Luis", "Ana, ¿estás?");
    let missed = line(Some(50), Some("general"), "Luis", "Ana, te busqué");
    window.session(session::Event::Heard { line: missed, source: Source::Gap });
    assert!(window.notifications().is_empty());
    assert_eq!(window.screen().conversations[0].mentions, 2);
    window.pass(QUIET_AFTER_READY);
    window.hear("general", "Luis", "¿Ana?");
    assert_eq!(window.notifications().len(), 1);
}

#[test]
fn older_lines_and_what_the_reader_does_not_listen_to_are_not_counted() {
    let ignored = vec!["Pesado".to_owned()];
    let mut window = Window::ready_with(Settings { ignored, ..settings() });
    window.act(Act::Focus(false));
    window.hear("general", "pesado", "Ana Ana Ana");
    window.whisper("PESADO", "Ana");
    assert!(window.notifications().is_empty());
    assert_eq!(window.screen().title, "general · Ana · Tertulia");
    assert_eq!(window.screen().conversations.len(), 1);
}

#[test]
fn many_mentions_at_once_are_one_notice() {
    let mut window = Window::ready();
    window.act(Act::Focus(false));
    for _ in 0..50 {
        window.hear("general", "Luis", "Ana");
    }
    assert_eq!(window.notifications().len(), 1);
    window.pass(Duration::from_secs(6));
    window.hear("general", "Luis", "Ana");
    assert_eq!(window.notifications().len(), 1);
}

#[test]
fn notices_can_be_switched_off() {
    let mut window = Window::ready_with(Settings { notify: false, ..settings() });
    window.act(Act::Focus(false));
    window.hear("general", "Luis", "Ana");
    assert!(window.notifications().is_empty());
}
