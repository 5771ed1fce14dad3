//! Who is there, who comes and goes, who is not listened to.

use std::time::Duration;

use tertulia_desktop::model::{Act, LinkCommand};
use tertulia_desktop::render::people;
use tertulia_desktop::settings::{Notices, Settings};
use tertulia_wire::heard::Notice::{Join, Leave};
use tertulia_wire::session::Event;

use crate::window::{Window, settings};

fn listed(window: &mut Window, names: &[&str]) {
    for name in names {
        window.session(Event::Who { label: None, room: "general".to_owned(), name: (*name).to_owned() });
    }
    window.session(Event::AnswerEnd { label: None, what: "WHO".to_owned() });
}

fn names(window: &Window) -> Vec<String> {
    people(&window.model, 0..2000).into_iter().map(|row| row.name).collect()
}

#[test]
fn who_is_there_is_asked_for_on_entering_and_kept_up() {
    let mut window = Window::with(settings());
    window.greet();
    window.commands.clear();
    window.joined("general");
    assert!(window.link_commands().contains(&LinkCommand::List { line: "/who room=general".to_owned() }));
    listed(&mut window, &["luis", "Ana", "Zoe"]);
    assert_eq!(names(&window), ["Ana", "luis", "Zoe"], "by name, whatever the case");
    window.notice("general", "Eva", Join);
    window.notice("general", "luis", Leave);
    assert_eq!(names(&window), ["Ana", "Eva", "Zoe"]);
    assert!(people(&window.model, 0..1)[0].is_self);
}

#[test]
fn a_list_of_a_thousand_is_asked_for_page_by_page() {
    let mut window = Window::with(settings());
    window.greet();
    window.joined("general");
    let all: Vec<String> = (0..1000).map(|number| format!("Usuario_{number:03}")).collect();
    for page in all.chunks(256) {
        window.commands.clear();
        listed(&mut window, &page.iter().map(String::as_str).collect::<Vec<_>>());
        let asked = window.link_commands();
        let last = page.last().unwrap();
        let next = LinkCommand::List { line: format!("/who room=general after={last}") };
        assert_eq!(asked.contains(&next), page.len() == 256, "{asked:?}");
    }
    assert_eq!(names(&window).len(), 1000);
    assert_eq!(window.screen().people, Some(1000));
}

#[test]
fn who_comes_or_goes_while_the_list_is_told_is_not_told_wrongly() {
    let mut window = Window::with(settings());
    window.greet();
    window.joined("general");
    for name in ["Ana", "Luis"] {
        window.session(Event::Who { label: None, room: "general".to_owned(), name: name.to_owned() });
    }
    window.notice("general", "Luis", Leave);
    window.notice("general", "Eva", Join);
    window.session(Event::AnswerEnd { label: None, what: "WHO".to_owned() });
    assert_eq!(names(&window), ["Ana", "Eva"]);
}

#[test]
fn comings_and_goings_that_follow_each_other_are_one_row() {
    let mut window = Window::ready();
    for name in ["Luis", "Eva", "Ivo", "Zoe", "Max", "Pau", "Teo"] {
        window.notice("general", name, Join);
    }
    window.notice("general", "Luis", Leave);
    assert!(
        window
            .transcript()
            .ends_with("16:37 Eva, Ivo, Zoe, Max y 2 más se han unido al chat · Luis ha abandonado el chat"),
        "{}",
        window.transcript()
    );
    window.hear("general", "Eva", "hola");
    window.notice("general", "Zoe", Leave);
    assert!(window.transcript().ends_with("Eva: hola\n16:37 Zoe ha abandonado el chat"));
}

#[test]
fn notices_can_be_of_all_of_those_who_spoke_or_of_nobody_also_afterwards() {
    let mut window = Window::ready();
    window.hear("general", "Eva", "hola");
    window.notice("general", "Luis", Leave);
    window.notice("general", "Eva", Leave);
    let with = |window: &mut Window, notices| {
        let settings = Settings { notices, ..window.model.settings().clone() };
        window.act(Act::ChangeSettings(Box::new(settings)));
        window.transcript()
    };
    assert!(with(&mut window, Notices::All).ends_with("Luis y Eva han abandonado el chat"));
    assert!(with(&mut window, Notices::Smart).ends_with("16:37 Eva ha abandonado el chat"));
    assert!(with(&mut window, Notices::None).ends_with("Eva: hola"));
}

#[test]
fn a_storm_is_one_row_and_the_list_is_asked_for_anew_once_it_is_over() {
    let mut window = Window::ready();
    listed(&mut window, &["Ana", "Luis"]);
    window.commands.clear();
    for _ in 0..3 {
        window.session(Event::Storm { room: "general".to_owned(), joined: 37, left: 2 });
    }
    assert!(
        window
            .transcript()
            .ends_with("111 personas se han unido al chat · 6 personas han abandonado el chat"),
        "{}",
        window.transcript()
    );
    assert!(window.link_commands().is_empty());
    window.pass(Duration::from_secs(6));
    assert_eq!(window.link_commands(), [LinkCommand::List { line: "/who room=general".to_owned() }]);
}

#[test]
fn what_an_ignored_person_says_is_hidden_also_what_was_said_before_and_can_come_back() {
    let mut window = Window::ready();
    window.hear("general", "Pesado", "bla");
    window.hear("general", "Eva", "hola");
    window.say("/ignorar pesado");
    assert!(!window.transcript().contains("bla"), "{}", window.transcript());
    assert!(window.transcript().contains("Eva: hola"));
    window.hear("general", "Pesado", "más bla");
    assert!(!window.transcript().contains("bla"));
    window.act(Act::Ignore { name: "PESADO".to_owned(), is_ignored: false });
    assert!(window.transcript().contains("Pesado: más bla"));
}

#[test]
fn nobody_ignores_themselves() {
    let mut window = Window::ready();
    window.say("/ignorar ana");
    assert!(window.model.settings().ignored.is_empty());
    assert!(window.screen().hint.unwrap().is_error);
}

#[test]
fn who_is_there_can_be_asked_for_and_is_told() {
    let mut window = Window::ready();
    listed(&mut window, &["Ana", "Luis"]);
    window.commands.clear();
    window.say("/quien");
    assert_eq!(window.link_commands(), [LinkCommand::List { line: "/who room=general".to_owned() }]);
    listed(&mut window, &["Ana", "Luis"]);
    assert!(window.transcript().ends_with("16:37 en general: Ana, Luis"), "{}", window.transcript());
    window.say("/salas");
    window.session(Event::Room { label: None, room: "cocina".to_owned(), names: 3 });
    window.session(Event::AnswerEnd { label: None, what: "ROOMS".to_owned() });
    assert!(window.transcript().ends_with("16:37 salas: cocina"), "{}", window.transcript());
}

#[test]
fn who_is_ignored_looks_other_in_the_list_at_once() {
    let mut window = Window::ready();
    window.notice("general", "Luis", Join);
    let before = window.screen().people_revision;
    window.act(Act::Ignore { name: "Luis".to_owned(), is_ignored: true });
    assert_ne!(window.screen().people_revision, before);
}

#[test]
fn comings_and_goings_that_stand_together_have_the_time_of_the_last() {
    let mut window = Window::ready();
    window.notice("general", "Ivo", Join);
    window.pass(Duration::from_secs(5 * 60));
    window.notice("general", "Eva", Join);
    assert!(window.transcript().ends_with("16:42 Ivo y Eva se han unido al chat"), "{}", window.transcript());
}
