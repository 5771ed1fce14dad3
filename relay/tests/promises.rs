//! What is promised is kept: the core of extended mode with a history that answers when it is told to, and a clock that
//! moves when it is moved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::core::Core;
use tertulia_relay::batch::{Batch, Durability, Kept, Key, SessionRow, Work};
use tertulia_relay::chat::{Answer, ClientId, Remembered, SEARCHES_MAX, SESSIONS_MAX, Wanted};
use tertulia_relay::flood::Flood;
use tertulia_wire::limits::LABELS_KEPT;

const ANA: u32 = 1;
const LUIS: u32 = 2;

fn keeping() -> Core {
    Core::keeping(Durability::Commit, begun())
}

/// What the first run of all finds.
fn begun() -> Remembered {
    Remembered { id_ceiling: u64::MAX, sid_ceiling: 1000, ..Remembered::default() }
}

/// Ana greeted, Luis a plain listener; nothing is waiting.
fn ana_and_luis(mut core: Core) -> (Core, String) {
    core.connect(ANA);
    core.connect(LUIS);
    core.send(ANA, "/hello v=1 name=Ana");
    core.keep_all();
    let hello = core.heard(ANA).remove(0);
    let token = hello.split("token=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    core.send(LUIS, "Luis se ha unido al chat.");
    core.heard(ANA);
    core.heard(LUIS);
    (core, token)
}

/// The codes of what was heard: `ACK label=1`.
fn codes(lines: &[String]) -> Vec<String> {
    let code = |line: &String| line.split(" id=").next().unwrap().split(" :").next().unwrap().to_owned();
    lines.iter().filter(|line| line.starts_with("* ")).map(code).collect()
}

#[test]
fn no_token_is_shown_to_who_debugs_wherever_it_is_on_its_way() {
    let mut core = keeping();
    let mut shown = Vec::new();
    let mut note = |moment, core: &Core| shown.push((moment, format!("{:?}", core.chat)));
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Ana");
    note("not kept", &core);
    core.chat.handle_kept(core.works.last().unwrap().number, core.now());
    note("kept, and not written", &core);
    core.turn();
    let hello = core.heard(ANA).remove(0);
    let token = hello.split("token=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    note("in use", &core);
    core.gone(ANA);
    note("away", &core);
    core.connect(LUIS);
    let now = core.now();
    core.chat.handle_bytes(ClientId(LUIS), b"/ping\n", now);
    core.chat.handle_bytes(ClientId(LUIS), format!("/hello v=1 resume={token}").as_bytes(), now);
    note("coming back, and the end of the line is not there", &core);
    core.send(LUIS, "");
    note("back", &core);
    assert!(core.heard(LUIS).iter().any(|line| line.contains(&token)));
    let numbers = |bytes: &[u8]| format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
    for secret in [numbers(token.as_bytes()), numbers(&[7; 32]), token] {
        for (moment, shown) in &shown {
            assert!(!shown.contains(&secret), "{moment}: {secret} is shown");
        }
    }
}

#[test]
fn a_token_is_given_out_and_the_others_told_only_once_it_is_kept() {
    let mut core = keeping();
    core.connect(ANA);
    core.connect(LUIS);
    core.send(ANA, "/hello v=1 name=Ana");
    core.send(ANA, "@label=1 hola");
    assert_eq!((core.heard(ANA), core.heard(LUIS)), (vec![], vec![]));
    let works = core.keep_all();
    assert_eq!(works[0].sessions.len(), 1);
    let heard = core.heard(ANA);
    assert!(heard[0].starts_with("* HELLO v=1 name=Ana token="), "{heard:?}");
    assert_eq!(core.heard(LUIS), ["Ana se ha unido al chat.", "Ana: hola"]);
}

#[test]
fn who_waits_long_for_its_token_is_told_that_it_is_on_its_way() {
    let mut core = keeping();
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Ana");
    core.pass(0.9);
    assert_eq!(core.heard(ANA), [""; 0]);
    core.pass(0.2);
    assert_eq!(codes(&core.heard(ANA)), ["* NOTE HELLO WAIT"]);
    core.keep_all();
    assert!(core.heard(ANA)[0].starts_with("* HELLO "));
}

#[test]
fn a_line_is_heard_at_once_and_acknowledged_only_once_it_is_kept() {
    let (mut core, _) = ana_and_luis(keeping());
    core.send(ANA, "@label=1 hola");
    // Sent again before the answer: it shares it.
    core.send(ANA, "@label=1 hola");
    assert_eq!(core.heard(LUIS), ["Ana: hola"]);
    assert_eq!(codes(&core.heard(ANA)), [""; 0]);
    core.keep_all();
    assert_eq!(codes(&core.heard(ANA)), ["* ACK label=1"]);
    core.send(ANA, "@label=1 hola");
    assert_eq!(codes(&core.heard(ANA)), ["* ACK label=1"]);
}

#[test]
fn a_line_that_was_not_kept_is_answered_once_and_finally() {
    let (mut core, _) = ana_and_luis(keeping());
    core.send(ANA, "@label=1 hola");
    core.send(ANA, "@label=2 otra");
    let works = std::mem::take(&mut core.works);
    assert_eq!(works.len(), 2);
    core.chat.handle_lost(works[0].number, core.now());
    core.chat.handle_kept(works[1].number, core.now());
    core.turn();
    assert_eq!(codes(&core.heard(ANA)), ["* NOTE SAY NOT_KEPT label=1", "* ACK label=2"]);
    core.send(ANA, "@label=1 hola");
    assert_eq!(codes(&core.heard(ANA)), ["* NOTE SAY NOT_KEPT label=1"]);
    assert_eq!(core.heard(LUIS), ["Ana: hola", "Ana: otra"]);
}

#[test]
fn an_acknowledgement_reaches_the_connection_that_holds_the_session_by_then() {
    let (mut core, token) = ana_and_luis(keeping());
    core.send(ANA, "@label=1 hola");
    core.gone(ANA);
    core.connect(3);
    core.send(3, &format!("/hello v=1 resume={token}"));
    core.heard(3);
    core.keep_all();
    assert_eq!(codes(&core.heard(3)), ["* ACK label=1"]);
}

#[test]
fn with_durability_none_nobody_waits_for_the_history() {
    let (mut core, _) = ana_and_luis(Core::keeping(Durability::None, begun()));
    core.send(ANA, "@label=1 hola");
    assert_eq!(codes(&core.heard(ANA)), ["* ACK label=1"]);
}

#[test]
fn while_nothing_can_be_kept_a_newcomer_is_greeted_and_no_line_acknowledged() {
    let (mut core, _) = ana_and_luis(keeping());
    core.chat.handle_history_trouble(true, core.now());
    core.turn();
    core.connect(3);
    core.send(3, "/hello v=1 name=Eva");
    core.send(ANA, "@label=1 hola");
    assert!(core.heard(3)[0].starts_with("* HELLO "));
    assert_eq!(codes(&core.heard(ANA)), ["* NOTE HISTORY TROUBLE"]);
    core.chat.handle_history_trouble(false, core.now());
    core.keep_all();
    assert_eq!(codes(&core.heard(ANA)), ["* NOTE HISTORY KEPT", "* ACK label=1"]);
}

#[test]
fn nobody_is_greeted_under_a_number_that_may_be_given_again() {
    let mut core = Core::keeping(Durability::Commit, Remembered { sid_ceiling: 0, ..begun() });
    core.chat.handle_history_trouble(true, core.now());
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Ana");
    assert_eq!(codes(&core.heard(ANA)), [""; 0]);
    assert!(core.works[0].sid_ceiling > Some(1000));
    core.keep_all();
    assert!(core.heard(ANA)[0].starts_with("* HELLO "));
}

#[test]
fn a_session_with_4096_unanswered_lines_is_read_again_when_one_is_answered() {
    let (mut core, _) = ana_and_luis(keeping());
    for label in 0..4096 {
        core.send(ANA, &format!("@label={label} x"));
    }
    core.send(ANA, "@label=late hola");
    assert!(!core.heard(LUIS).contains(&"Ana: hola".to_owned()));
    core.keep_all();
    assert!(core.heard(LUIS).contains(&"Ana: hola".to_owned()));
    core.keep_all();
    assert_eq!(codes(&core.heard(ANA)).last().map(String::as_str), Some("* ACK label=late"));
}

#[test]
fn a_line_without_an_answer_is_known_again_behind_however_many_private_ones() {
    let (mut core, _) = ana_and_luis(keeping());
    core.send(ANA, "@label=1 hola");
    for number in 0..LABELS_KEPT + 10 {
        core.send(ANA, &format!("@label=p{number};to=Luis entre nosotros"));
    }
    core.heard(ANA);
    core.send(ANA, "@label=1 hola");
    core.keep_all();
    assert_eq!(codes(&core.heard(ANA)), ["* ACK label=1"]);
    let said = core.heard(LUIS).into_iter().filter(|line| line == "Ana: hola");
    assert_eq!(said.count(), 1);
}

/// What a relay that was killed left behind: Ana's session, present, and the lines she had said.
fn left_behind(works: &[Work]) -> Remembered {
    let mut recent = Batch::default();
    let mut sessions: Vec<SessionRow> = Vec::new();
    let mut newest = 0;
    for work in works {
        for line in work.lines.iter() {
            recent.push(line);
            newest = newest.max(line.id);
        }
        newest = newest.max(work.id_ceiling.unwrap_or_default());
        for row in &work.sessions {
            sessions.retain(|other| other.sid != row.sid);
            sessions.push(row.clone());
        }
    }
    let last_sid = works.iter().filter_map(|work| work.sid_ceiling).max().unwrap_or_default();
    let id_ceiling = newest + (10_000 << 16);
    Remembered {
        newest,
        id_ceiling,
        last_sid,
        sid_ceiling: last_sid + 1000,
        sessions,
        recent,
        ..Remembered::default()
    }
}

/// A relay that was killed while Ana was there, and one that starts from what it had kept.
fn restarted() -> (Core, String) {
    let mut core = keeping();
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Ana");
    let mut works = core.keep_all();
    let hello = core.heard(ANA).remove(0);
    let token = hello.split("token=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    core.send(ANA, "@label=1 hola");
    core.send(ANA, "@label=2 adiós");
    works.extend(core.keep_all());
    (Core::keeping(Durability::Commit, left_behind(&works)), token)
}

#[test]
fn after_a_restart_who_comes_back_in_time_shows_nobody_anything() {
    let (mut core, token) = restarted();
    core.connect(LUIS);
    core.send(LUIS, "Luis se ha unido al chat.");
    core.pass(59.0);
    core.send(LUIS, "Ana: soy otra");
    assert_eq!(core.heard(LUIS), [""; 0], "the name is held, and Luis says that text himself");
    core.connect(ANA);
    core.send(ANA, &format!("/hello v=1 resume={token} after=0"));
    core.answer_all(|_| Batch::default());
    let heard = core.heard(ANA);
    assert!(heard.iter().any(|line| line.ends_with(" Ana: hola")), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("* WARN GAP")), "{heard:?}");
    core.pass(120.0);
    assert_eq!(core.heard(LUIS), [""; 0]);
}

#[test]
fn after_a_restart_who_does_not_come_back_in_time_is_seen_to_leave() {
    let (mut core, _) = restarted();
    core.connect(LUIS);
    core.send(LUIS, "Luis se ha unido al chat.");
    core.send(LUIS, "/who");
    assert!(core.heard(LUIS).contains(&"* WHO room=general name=Ana".to_owned()));
    core.pass(61.0);
    assert_eq!(core.heard(LUIS), ["Ana ha abandonado el chat."]);
}

/// A proxy that dies takes all with it: with a look at all questions for each of them, this would take an hour.
#[test]
fn after_a_restart_thousands_who_go_at_once_take_their_own_questions_with_them_and_no_others() {
    const ROOMS: u32 = 500;
    const PEOPLE: u32 = 10_000;
    let greet = |core: &mut Core, client: u32, words: &str| {
        core.connect(client);
        let line = format!("/hello v=1 name=N{client} room=r{} {words}\n", client % ROOMS);
        core.chat.handle_bytes(ClientId(client), line.as_bytes(), core.now());
    };
    let mut core = Core::keeping(Durability::Commit, Remembered { sid_ceiling: u64::MAX, ..begun() });
    (0..PEOPLE).for_each(|client| greet(&mut core, client, ""));
    core.turn();
    let works = core.keep_all();
    let token = |hello: &str| hello.split("token=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let tokens: Vec<String> = (0..PEOPLE).map(|client| token(&core.heard(client)[0])).collect();
    let remembered = left_behind(&works);
    let newest = remembered.newest;
    let mut core = Core::keeping(Durability::Commit, remembered);
    for (client, token) in (0..PEOPLE).zip(&tokens) {
        greet(&mut core, client, &format!("resume={token}"));
    }
    for client in (0..PEOPLE).rev().filter(|client| client % 1000 != 7) {
        core.chat.handle_gone(ClientId(client), core.now());
    }
    let mut asked = Vec::new();
    core.answer_all(|wanted| {
        asked.push(wanted.clone());
        Batch::default()
    });
    let left: Vec<u32> = (0..PEOPLE).filter(|client| client % 1000 == 7).collect();
    assert_eq!(
        asked,
        left.iter().map(|client| Wanted::Labels(u64::from(*client) + 1, newest)).collect::<Vec<_>>()
    );
    for client in left {
        core.send(client, "@label=1 aquí sigo");
        core.keep_all();
        assert_eq!(codes(&core.heard(client)).last().unwrap(), "* ACK label=1");
    }
}

#[test]
fn a_clock_that_is_wrong_at_the_start_and_then_set_takes_nobodys_session() {
    const NOW: u64 = 1_700_000_000_000;
    const DAYS_100: u64 = 100 * 24 * 60 * 60 * 1000;
    let (mut core, token) = ana_and_luis(keeping());
    core.send(ANA, "/quit");
    let works = core.keep_all();
    for wrong in [NOW + DAYS_100, 0] {
        let mut core = Core::new(None);
        core.chat.handle_clock(wrong);
        core.chat.keep_history(Durability::Commit, left_behind(&works));
        core.chat.handle_clock(NOW);
        core.connect(ANA);
        core.send(ANA, &format!("/hello v=1 resume={token}"));
        let heard = core.heard(ANA);
        assert!(heard[0].contains(&format!(" token={token} ")), "{heard:?}");
    }
}

#[test]
fn after_a_restart_a_repeated_label_gets_its_first_answer_and_is_not_said_again() {
    let (mut core, token) = restarted();
    core.connect(LUIS);
    core.connect(ANA);
    core.send(ANA, &format!("/hello v=1 resume={token}"));
    assert!(!core.chat.wants_read(ClientId(ANA)), "what it sends is held by the kernel, not here");
    // Sent before the history has told which labels there were: it waits.
    core.send(ANA, "@label=1 hola");
    core.heard(ANA);
    let mut asked = Vec::new();
    core.answer_all(|wanted| {
        asked.push(wanted.clone());
        let mut lines = Batch::default();
        let key = Some(Key { sid: 1, label: "1", hash: 0 });
        let line = Kept {
            id: 77,
            unix_ms: 5,
            room: "general",
            name: "Ana",
            reply: None,
            quote: None,
            key,
            text: "hola",
        };
        lines.push(line);
        lines
    });
    assert!(matches!(asked[..], [Wanted::Labels(1, to)] if to >= 77), "{asked:?}");
    assert_eq!(core.heard(ANA), ["* ACK label=1 id=77 time=1970-01-01T00:00:00.005Z"]);
    assert_eq!(core.heard(LUIS), [""; 0]);
    assert!(core.chat.wants_read(ClientId(ANA)));
    core.send(ANA, "@label=3 nueva");
    assert_eq!(core.heard(LUIS), ["Ana: nueva"]);
}

#[test]
fn a_session_whose_token_was_never_given_out_goes_with_its_connection() {
    let mut core = keeping();
    core.connect(LUIS);
    for number in 0..3 {
        core.connect(ANA);
        core.send(ANA, "/hello v=1 name=Ana");
        assert_eq!(core.chat.session_count(), 1);
        core.gone(ANA);
        assert_eq!(core.chat.session_count(), 0, "round {number}");
    }
    // Another one takes its place before the first was kept: it is not greeted for the first one's sake.
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Eva");
    let last = core.works.len() - 1;
    core.chat.handle_kept(core.works[last - 1].number, core.now());
    core.turn();
    assert_eq!((core.heard(ANA), core.heard(LUIS)), (vec![], vec![]));
    let works = core.keep_all();
    assert!(core.heard(ANA)[0].starts_with("* HELLO v=1 name=Eva "));
    assert_eq!(core.heard(LUIS), ["Eva se ha unido al chat."]);
    let forgotten: Vec<u64> = works.iter().flat_map(|work| work.forgotten.clone()).collect();
    let kept: Vec<u64> = works.iter().flat_map(|work| &work.sessions).map(|row| row.sid).collect();
    assert_eq!(forgotten, [1, 2, 3]);
    assert!(kept.contains(&4), "{kept:?}");
}

/// Greets a client of this name; its token.
fn greeted(core: &mut Core, client: u32, name: &str) -> String {
    core.connect(client);
    core.send(client, &format!("/hello v=1 name={name}"));
    let heard = core.heard(client);
    let hello = heard.iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    hello.split("token=").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn beyond_so_many_sessions_those_unused_for_longest_are_forgotten_and_none_that_is_there() {
    const MORE: usize = 1_000;
    let mut core = Core::new(None);
    let mut tokens = vec![greeted(&mut core, LUIS, "Luis")];
    let mut unix_ms = 1_700_000_000_000;
    for number in 1..SESSIONS_MAX + MORE {
        unix_ms += 1;
        core.chat.handle_clock(unix_ms);
        tokens.push(greeted(&mut core, ANA, "Ana"));
        core.send(ANA, "/quit");
        if number == 2 * MORE {
            // The first one of those is used again.
            core.connect(ANA);
            core.send(ANA, &format!("/hello v=1 name=Ana resume={}", tokens[1]));
            core.send(ANA, "/quit");
            core.heard(ANA);
        }
    }
    assert_eq!(core.chat.session_count(), SESSIONS_MAX);
    core.heard(ANA);
    let mut is_known = |number: usize| {
        core.connect(ANA);
        core.send(ANA, &format!("/hello v=1 name=Ana resume={}", tokens[number]));
        let is_known = !core.heard(ANA)[0].contains("RESUME_UNKNOWN");
        core.send(ANA, "/quit");
        core.heard(ANA);
        is_known
    };
    // Asked in this order, because each that is unknown begins a new one.
    let known = [MORE + 2, SESSIONS_MAX, 1, MORE + 1, MORE, 2].map(&mut is_known);
    assert_eq!(known, [true, true, true, false, false, false]);
    core.connect(ANA);
    core.send(ANA, &format!("/hello v=1 resume={}", tokens[0]));
    assert!(core.heard(ANA)[0].contains(" name=Luis "), "who is there is known, however long ago it came");
}

#[test]
fn who_has_said_something_is_known_however_many_come_and_go_who_say_nothing() {
    let mut core = Core::new(None);
    let token = greeted(&mut core, LUIS, "Luis");
    core.send(LUIS, "@label=1 hola");
    core.send(LUIS, "/quit");
    let said = core.heard(LUIS);
    let ack = said.iter().find(|line| line.starts_with("* ACK label=1 ")).unwrap();
    for number in 0..SESSIONS_MAX + 10 {
        // Some say goodbye, and of most only the connection is gone: they may come back.
        greeted(&mut core, ANA, &format!("p{number}"));
        if number % 10 == 0 {
            core.send(ANA, "/quit");
        }
        core.gone(ANA);
        core.heard(ANA);
        assert!(core.chat.session_count() <= SESSIONS_MAX);
    }
    core.connect(LUIS);
    core.send(LUIS, &format!("/hello v=1 name=Luis resume={token}"));
    core.send(LUIS, "@label=1 hola");
    assert_eq!(core.heard(LUIS).last(), Some(ack));
}

#[test]
fn whose_labels_are_damaged_is_cut_once_and_comes_back_as_somebody_new() {
    let (mut core, token) = restarted();
    core.connect(LUIS);
    core.send(LUIS, "Luis se ha unido al chat.");
    core.connect(ANA);
    core.send(ANA, &format!("/hello v=1 resume={token}"));
    core.send(ANA, "@label=1 hola");
    core.answer_with(|_| Answer::Damaged);
    assert_eq!(codes(&core.heard(ANA)).last().unwrap(), "* FAIL HISTORY UNREADABLE");
    assert_eq!(core.closed, [ANA]);
    assert_eq!(core.heard(LUIS), ["Ana ha abandonado el chat."]);
    let forgotten: Vec<u64> = core.keep_all().into_iter().flat_map(|work| work.forgotten).collect();
    assert_eq!(forgotten, [1]);
    core.connect(ANA);
    core.send(ANA, &format!("/hello v=1 name=Ana resume={token}"));
    core.keep_all();
    core.answer_with(|_| Answer::Damaged);
    let heard = core.heard(ANA);
    assert!(heard[0].starts_with("* WARN HELLO RESUME_UNKNOWN "), "{heard:?}");
    assert!(heard[1].contains(" sid=4098 "), "{heard:?}");
    core.send(ANA, "@label=1 hola");
    core.keep_all();
    assert_eq!(codes(&core.heard(ANA)), ["* ACK label=1"]);
    assert_eq!(core.heard(LUIS), ["Ana se ha unido al chat.", "Ana: hola"]);
}

#[test]
fn whose_labels_cannot_be_read_for_now_is_the_same_session_when_it_comes_back() {
    let (mut core, token) = restarted();
    for answer in [Answer::Unreadable, Answer::Lines(Batch::default())] {
        core.connect(ANA);
        core.send(ANA, &format!("/hello v=1 resume={token}"));
        let mut answer = Some(answer);
        core.answer_with(|_| answer.take().unwrap());
        let heard = core.heard(ANA);
        assert!(heard[0].contains(&token), "{heard:?}");
    }
    assert_eq!(core.closed, [ANA]);
}

#[test]
fn ids_after_a_restart_are_above_all_that_may_have_been_given_also_when_the_clock_went_back() {
    let (mut core, token) = restarted();
    core.chat.handle_clock(1_000);
    core.connect(ANA);
    core.send(ANA, &format!("/hello v=1 resume={token}"));
    core.answer_all(|_| Batch::default());
    core.heard(ANA);
    core.send(ANA, "@label=9 hola");
    core.keep_all();
    let ack = core.heard(ANA).remove(0);
    let id: u64 = ack.split(" id=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(id > 1_700_000_000_000 << 16, "{ack}");
}

#[test]
fn a_silent_extended_connection_is_asked_and_cut_if_it_does_not_answer() {
    let (mut core, _) = ana_and_luis(keeping());
    core.pass(89.0);
    assert_eq!(codes(&core.heard(ANA)), [""; 0]);
    core.pass(12.0);
    let ping = core.heard(ANA).remove(0);
    let word = ping.strip_prefix("* PING ").unwrap().to_owned();
    core.send(ANA, &format!("/pong {word}"));
    core.pass(60.0);
    assert_eq!(codes(&core.heard(ANA)), [""; 0]);
    core.pass(80.0);
    let heard = codes(&core.heard(ANA));
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert_eq!(heard[1], "* FAIL PING TIMEOUT");
    assert_eq!(core.closed, [ANA]);
}

#[test]
fn the_pings_of_all_connections_come_in_one_tick() {
    let mut core = keeping();
    core.pass(1.0);
    for client in 0..20 {
        core.connect(client);
        core.send(client, &format!("/hello v=1 name=p{client}"));
        core.keep_all();
        core.pass(0.3);
    }
    let pinged = |core: &mut Core| (0..20).filter(|&client| !codes(&core.heard(client)).is_empty()).count();
    pinged(&mut core);
    let mut dues = Vec::new();
    while core.seconds < 110.0 {
        core.pass(0.5);
        match pinged(&mut core) {
            0 => {}
            count => dues.push(count),
        }
    }
    assert_eq!(dues, [20]);
}

#[test]
fn the_clock_of_a_ping_stands_still_while_the_relay_does_not_read() {
    let mut core = Core::new(Some(Flood::new(1, 1)));
    core.connect(ANA);
    core.send(ANA, "/hello v=1 name=Ana");
    core.heard(ANA);
    // So many lines that flood control is busy with them for four minutes.
    let lines: String = (0..240).map(|label| format!("@label={label} x\n")).collect();
    core.send(ANA, &lines);
    core.pass(235.0);
    assert!(!codes(&core.heard(ANA)).iter().any(|code| code.starts_with("* PING")));
    assert_eq!(core.closed, [0; 0]);
}

#[test]
fn searches_come_behind_all_other_questions_and_only_so_many_are_open_at_once() {
    let mut core = keeping();
    let first = 100;
    for client in first..=first + SEARCHES_MAX as u32 {
        core.connect(client);
        core.send(client, "/search hola");
    }
    let refused = first + SEARCHES_MAX as u32;
    assert!(core.heard(refused)[0].starts_with("* FAIL SEARCH BUSY :"));
    core.send(refused, "/history");
    let question = core.chat.poll_question().unwrap();
    assert!(matches!(question.what, Wanted::Lines { .. }), "{question:?}");
    // One that the history has counts until it is answered, also when whoever asked is gone.
    let taken = core.chat.poll_question().unwrap();
    assert!(matches!(taken.what, Wanted::Search { .. }), "{taken:?}");
    core.gone(first);
    core.connect(LUIS);
    core.send(LUIS, "/search hola");
    assert!(core.heard(LUIS)[0].starts_with("* FAIL SEARCH BUSY :"));
    core.chat.handle_answer(taken.ticket, &Answer::Lines(Batch::default()));
    core.send(LUIS, "/search hola");
    assert_eq!(core.heard(LUIS), [""; 0]);
    // One that it has not goes with whoever asked.
    core.gone(first + 1);
    core.connect(ANA);
    core.send(ANA, "/search hola");
    assert_eq!(core.heard(ANA), [""; 0]);
}

#[test]
fn a_search_that_takes_too_long_is_refused_with_its_label_and_the_connection_goes_on() {
    let (mut core, _) = ana_and_luis(keeping());
    core.send(ANA, "/search label=s de la que");
    core.answer_with(|_| Answer::Costly);
    let heard = core.heard(ANA);
    assert!(heard[0].starts_with("* FAIL SEARCH BUSY label=s :those words"), "{heard:?}");
    core.send(ANA, "/ping x");
    assert_eq!(core.heard(ANA), ["* PONG x"]);
}

#[test]
fn whoever_comes_while_nothing_can_be_kept_hears_of_it() {
    let (mut core, _) = ana_and_luis(keeping());
    let now = core.now();
    core.chat.handle_history_trouble(true, now);
    core.turn();
    for client in [ANA, LUIS] {
        assert!(core.heard(client)[0].starts_with("* NOTE HISTORY TROUBLE :"));
    }
    core.connect(7);
    core.send(7, "Eva se ha unido al chat.");
    assert!(core.heard(7)[0].starts_with("* NOTE HISTORY TROUBLE :"));
    core.connect(8);
    core.send(8, "/hello v=1 name=Teo");
    core.keep_all();
    let heard = core.heard(8);
    assert_eq!(
        heard.iter().filter(|line| line.starts_with("* NOTE HISTORY TROUBLE :")).count(),
        1,
        "{heard:?}"
    );
    let now = core.now();
    core.chat.handle_history_trouble(false, now);
    core.connect(9);
    core.send(9, "Sol se ha unido al chat.");
    assert!(!core.heard(9).iter().any(|line| line.contains("TROUBLE")));
}
