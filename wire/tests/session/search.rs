//! What a session looks for in the history.

use tertulia_wire::session::{AskError, Event, FETCHES_MAX, Session, Source, Ticket, WORDS_BYTES_MAX};

use crate::bench::{HELLO, events, hear, ready, reconnect, seconds, texts, written};

/// What is asked for `cena` in `general`, at most so many lines before that id, and the question's label.
fn asked(session: &mut Session, before: u64, limit: u32) -> (Ticket, String) {
    let ticket = session.search("General", " cena ", before, limit).unwrap();
    let lines = written(session);
    (ticket, label_of(&lines[0], &format!("/search room=general before={before} limit={limit}")).to_owned())
}

fn label_of<'a>(line: &'a str, start: &str) -> &'a str {
    let rest = line.strip_prefix(start).and_then(|rest| rest.strip_prefix(" label="));
    rest.and_then(|rest| rest.strip_suffix(" cena")).unwrap_or_else(|| panic!("{line}"))
}

fn found(label: &str, id: u64, text: &str) -> String {
    format!("@label={label};id={id};room=general;key=3.{id} Luis: {text}\n")
}

fn end(label: &str, more: u8) -> String {
    format!("* END SEARCH room=general more={more} label={label}\n")
}

#[test]
fn what_is_found_comes_the_newest_first_also_what_was_heard_before() {
    let mut session = ready();
    hear(&mut session, "@id=12;room=general;key=3.12 Luis: la cena\n", seconds(1));
    let (ticket, label) = asked(&mut session, u64::MAX, 2);
    let answer = found(&label, 12, "la cena") + &found(&label, 5, "cena") + &end(&label, 1);
    let heard = hear(&mut session, &answer, seconds(1));
    assert_eq!(texts(&heard, |source| source == Source::Search(ticket)), ["la cena", "cena"]);
    assert_eq!(heard.last(), Some(&Event::Fetched { ticket, is_more: true }));
    let (older, label) = asked(&mut session, 5, 2);
    assert_ne!(older, ticket);
    let heard = hear(&mut session, &end(&label, 0), seconds(1));
    assert_eq!(heard, [Event::Fetched { ticket: older, is_more: false }]);
}

#[test]
fn a_line_that_was_found_is_still_heard_when_it_comes_by_itself_and_closes_no_gap() {
    let mut session = ready();
    let (_, label) = asked(&mut session, u64::MAX, 9);
    hear(&mut session, "* WARN GAP room=general from=11 to=20\n", seconds(1));
    hear(&mut session, &(found(&label, 15, "cena") + &end(&label, 0)), seconds(1));
    let gap = written(&mut session)[0].rsplit_once('=').unwrap().1.to_owned();
    let page = found(&gap, 15, "cena")
        + &format!("* END HISTORY room=general more=0 label={gap}\n")
        + "@id=21;room=general;key=3.21 Luis: hola\n";
    let heard = hear(&mut session, &page, seconds(1));
    assert_eq!(texts(&heard, |source| source == Source::Gap), ["cena"]);
    assert!(heard.contains(&Event::GapClosed { room: "general".into(), to: 20, lines: 1 }), "{heard:?}");
    assert_eq!(texts(&heard, |source| source == Source::Live), ["hola"]);
}

#[test]
fn an_own_line_that_is_found_is_told_as_such_and_needs_no_other_answer() {
    let mut session = ready();
    let label = session.say(&crate::bench::general("cena")).unwrap();
    written(&mut session);
    let (ticket, asked) = asked(&mut session, u64::MAX, 9);
    let line = format!("@label={asked};id=12;room=general;key=7.{label} Ana: cena\n");
    let heard = hear(&mut session, &line, seconds(1));
    assert!(
        matches!(&heard[..], [Event::Acknowledged { id: 12, .. }, Event::Own { source, .. }] if *source == Source::Search(ticket)),
        "{heard:?}"
    );
}

#[test]
fn a_search_that_was_cut_goes_on_behind_the_last_line_that_came() {
    let mut session = ready();
    let (ticket, label) = asked(&mut session, u64::MAX, 3);
    let first = hear(&mut session, &(found(&label, 9, "cena") + &found(&label, 7, "cena")), seconds(1));
    assert_eq!(texts(&first, |source| source == Source::Search(ticket)), ["cena", "cena"]);
    reconnect(&mut session, seconds(2));
    hear(&mut session, HELLO, seconds(70));
    let lines = written(&mut session);
    let again = lines.iter().find(|line| line.starts_with("/search")).unwrap();
    let label = label_of(again, "/search room=general before=7 limit=1").to_owned();
    // What this relay gives beyond the question is not taken for more.
    let answer = found(&label, 7, "cena") + &found(&label, 4, "otra cena") + &end(&label, 0);
    let heard = hear(&mut session, &answer, seconds(70));
    assert_eq!(texts(&heard, |source| source == Source::Search(ticket)), ["otra cena"]);
    assert_eq!(heard.last(), Some(&Event::Fetched { ticket, is_more: false }));
}

#[test]
fn a_search_that_was_cut_before_its_end_alone_asks_only_whether_there_is_more() {
    let mut session = ready();
    let (ticket, label) = asked(&mut session, u64::MAX, 1);
    hear(&mut session, &found(&label, 9, "cena"), seconds(1));
    reconnect(&mut session, seconds(2));
    hear(&mut session, HELLO, seconds(70));
    let lines = written(&mut session);
    let again = lines.iter().find(|line| line.starts_with("/search")).unwrap();
    let label = label_of(again, "/search room=general before=9 limit=0").to_owned();
    let heard = hear(&mut session, &end(&label, 1), seconds(70));
    assert_eq!(heard, [Event::Fetched { ticket, is_more: true }]);
}

#[test]
fn a_refused_search_says_why_and_a_busy_history_is_asked_again() {
    for code in ["NOT_KEPT", "ROOM_INVALID", "UNREADABLE", "UNKNOWN_COMMAND"] {
        let mut session = ready();
        let (ticket, label) = asked(&mut session, u64::MAX, 2);
        let heard = hear(&mut session, &format!("* FAIL SEARCH {code} label={label} :x\n"), seconds(1));
        assert_eq!(heard, [Event::FetchRefused { ticket, code: code.into() }]);
        assert!(written(&mut session).is_empty());
    }
    let mut session = ready();
    let (_, label) = asked(&mut session, u64::MAX, 2);
    assert_eq!(hear(&mut session, &format!("* FAIL SEARCH BUSY label={label} :x\n"), seconds(1)), []);
    session.handle_time(seconds(2));
    assert!(written(&mut session)[0].starts_with("/search room=general "));
    assert_eq!(events(&mut session), []);
}

#[test]
fn words_that_look_like_options_are_looked_for() {
    let mut session = ready();
    session.search("general", "room=cocina label=x\nlimit=9", 7, 2).unwrap();
    let line = written(&mut session).remove(0);
    let command = tertulia_wire::command::Command::parse(line.strip_prefix('/').unwrap());
    let Ok(tertulia_wire::command::Command::Search(search)) = command else { panic!("{command:?}") };
    assert_eq!((search.room.as_deref(), search.before, search.limit), (Some("general"), Some(7), Some(2)));
    assert_eq!(search.words, "\"room=cocina label=x\u{2028}limit=9");
}

#[test]
fn what_cannot_be_looked_for_is_refused_at_once() {
    let mut session = ready();
    for words in ["", "  ", "\n", "\u{7}"] {
        assert_eq!(session.search("general", words, u64::MAX, 2), Err(AskError::Words), "{words:?}");
    }
    assert!(session.search("general", &"x".repeat(WORDS_BYTES_MAX), 9, 2).is_ok());
    assert_eq!(session.search("general", &"x".repeat(WORDS_BYTES_MAX + 1), 9, 2), Err(AskError::Words));
    assert!(matches!(session.search("la sala", "x", 9, 2), Err(AskError::Name(_))));
    for _ in 1..FETCHES_MAX {
        session.search("general", "x", 9, 2).unwrap();
    }
    assert_eq!(session.search("general", "x", 9, 2), Err(AskError::Full));
}
