//! Searching, at hand and in the history.

use tertulia_desktop::model::{Act, LinkCommand, LinkEvent, ViewCommand};
use tertulia_wire::session::{Event, Source};

use crate::window::{Window, line, ticket};

fn searched() -> Window {
    let mut window = Window::ready();
    for text in ["la cena de mañana", "nada", "MANANA a las nueve", "adiós"] {
        window.hear("general", "Luis", text);
    }
    window.act(Act::OpenSearch);
    window.act(Act::Search("mañana".to_owned()));
    window
}

#[test]
fn all_matches_are_marked_and_walked_through() {
    let mut window = searched();
    let bar = window.screen().search.unwrap();
    assert_eq!(bar.status, "2 de 2");
    assert!(window.transcript().contains("» Luis: {MANANA} a las nueve"), "{}", window.transcript());
    assert!(window.transcript().contains("Luis: la cena de {mañana}"));
    window.commands.clear();
    window.act(Act::SearchStep { forwards: false });
    assert_eq!(window.view_commands(), [ViewCommand::Reveal(window.row("la cena de mañana").entry)]);
    assert_eq!(window.screen().search.unwrap().status, "1 de 2");
    window.act(Act::SearchStep { forwards: false });
    assert_eq!(window.screen().search.unwrap().status, "2 de 2", "around the end");
    window.act(Act::Search("perro".to_owned()));
    assert_eq!(window.screen().search.unwrap().status, "nada por aquí");
    window.act(Act::CloseSearch);
    assert!(window.screen().search.is_none());
    assert!(!window.transcript().contains('{'));
}

#[test]
fn what_comes_while_one_searches_is_found_as_well() {
    let mut window = searched();
    window.hear("general", "Eva", "pasado mañana");
    window.act(Act::SearchStep { forwards: true });
    assert!(window.screen().search.unwrap().status.ends_with("de 3"));
}

#[test]
fn the_history_is_searched_and_older_results_follow() {
    let mut window = searched();
    window.commands.clear();
    window.act(window.screen().search.unwrap().history.unwrap().act);
    let asked = window.link_commands();
    let [LinkCommand::Search { ask, room, words, before, .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((room.as_str(), words.as_str(), *before), ("general", "mañana", u64::MAX));
    let found = ticket("busca");
    window.link(LinkEvent::Asked { ask: *ask, ticket: found });
    assert_eq!(window.screen().search.unwrap().history_status.unwrap(), "buscando en el historial…");
    for id in [90, 80] {
        let line = line(Some(id), Some("general"), "Eva", &format!("mañana {id}"));
        window.session(Event::Heard { line, source: Source::Search(found) });
    }
    window.session(Event::Fetched { ticket: found, is_more: true });
    let bar = window.screen().search.unwrap();
    assert_eq!((bar.results.len(), bar.results[1].text.as_str()), (2, "mañana 80"));
    assert_eq!(bar.history.clone().unwrap().label, "Más antiguos");
    assert!(!window.transcript().contains("mañana 80"), "results are no part of the transcript");
    window.act(bar.history.unwrap().act);
    let asked = window.link_commands();
    assert!(matches!(&asked[..], [LinkCommand::Search { before: 80, .. }]), "{asked:?}");
}

#[test]
fn a_result_leads_to_its_place() {
    let mut window = searched();
    window.commands.clear();
    window.act(Act::SearchHistory);
    let asked = window.link_commands();
    let [LinkCommand::Search { ask, .. }] = &asked[..] else { panic!("{asked:?}") };
    let found = ticket("busca");
    window.link(LinkEvent::Asked { ask: *ask, ticket: found });
    let line = line(Some(90), Some("general"), "Eva", "mañana 90");
    window.session(Event::Heard { line, source: Source::Search(found) });
    window.session(Event::Fetched { ticket: found, is_more: false });
    window.act(Act::OpenResult(0));
    let (ask, way) = window.take_fetch("general").unwrap();
    assert_eq!(way, tertulia_wire::session::Way::Before(91));
    window.answer(ask, "general", &[(89, "Luis", "antes"), (90, "Eva", "mañana 90")], true);
    let reveal = ViewCommand::Reveal(window.row("mañana 90").entry);
    assert!(window.view_commands().contains(&reveal));
    window.act(Act::OpenResult(7));
}

#[test]
fn what_the_history_found_stays_behind_with_its_room() {
    let mut window = searched();
    window.act(Act::Join("cocina".to_owned()));
    window.joined("cocina");
    window.answer_older("cocina", &[], false);
    window.act(Act::SelectNext { backwards: true });
    window.commands.clear();
    window.act(Act::SearchHistory);
    let asked = window.link_commands();
    let [LinkCommand::Search { ask, .. }] = &asked[..] else { panic!("{asked:?}") };
    let found = ticket("busca");
    window.link(LinkEvent::Asked { ask: *ask, ticket: found });
    let line = |id| line(Some(id), Some("general"), "Eva", "mañana");
    window.session(Event::Heard { line: line(90), source: Source::Search(found) });
    assert_eq!(window.screen().search.unwrap().results.len(), 1);
    window.act(Act::SelectNext { backwards: false });
    window.session(Event::Heard { line: line(80), source: Source::Search(found) });
    window.session(Event::Fetched { ticket: found, is_more: true });
    let bar = window.screen().search.unwrap();
    assert!(bar.results.is_empty(), "{bar:?}");
    window.commands.clear();
    window.act(bar.history.unwrap().act);
    let asked = window.link_commands();
    assert!(matches!(&asked[..], [LinkCommand::Search { room, .. }] if room == "cocina"), "{asked:?}");
}

#[test]
fn a_history_that_cannot_be_searched_says_so() {
    let mut window = searched();
    window.commands.clear();
    window.act(Act::SearchHistory);
    let asked = window.link_commands();
    let [LinkCommand::Search { ask, .. }] = &asked[..] else { panic!("{asked:?}") };
    let found = ticket("busca");
    window.link(LinkEvent::Asked { ask: *ask, ticket: found });
    window.session(Event::FetchRefused { ticket: found, code: "NOT_KEPT".to_owned() });
    let status = window.screen().search.unwrap().history_status.unwrap();
    assert_eq!(status, "este relay no guarda lo que se dice");
}

#[test]
fn a_command_searches_and_escape_ends_it() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "la cena");
    window.say("/buscar cena");
    assert_eq!(window.screen().search.unwrap().status, "1 de 1");
    window.act(Act::Cancel);
    assert!(window.screen().search.is_none());
}
