//! What a session does that was put out.

use tertulia_wire::retry::{CAP, EARLY_ATTEMPTS, relay_delay};
use tertulia_wire::session::{Action, Config, Event, Reason, Session};

use crate::bench::{HELLO, actions, config, connect, events, general, hear, reconnect, seconds, written};

const KICKED: &str = "* FAIL RELAY KICKED :Berta te ha echado: spam\n";

fn greeted(config: Config) -> Session {
    let mut session = Session::new(config);
    connect(&mut session, seconds(0));
    hear(&mut session, &format!("{HELLO}* JOINED room=general last=10 :aquí\n"), seconds(0));
    session
}

fn attended() -> Session {
    greeted(Config { is_attended: true, ..config() })
}

fn removed(code: &str, sentence: &str) -> Event {
    Event::Removed { code: code.to_owned(), sentence: sentence.to_owned() }
}

#[test]
fn where_somebody_sits_who_was_kicked_stays_away_until_it_is_started_and_says_then_what_waited() {
    let mut session = attended();
    assert_eq!(hear(&mut session, KICKED, seconds(1)), [removed("KICKED", "Berta te ha echado: spam")]);
    assert_eq!(actions(&mut session), [Action::Close]);
    session.handle_disconnected(seconds(2));
    session.handle_time(seconds(10_000));
    assert_eq!((events(&mut session), actions(&mut session), session.next_due()), (vec![], vec![], None));
    let label = session.say(&general("perdón")).unwrap();
    session.start(seconds(10_001));
    assert_eq!(actions(&mut session), [Action::Connect]);
    session.handle_connected(seconds(10_001));
    written(&mut session);
    let hello = HELLO.replace("sid=7", "sid=8");
    let back = format!("* WARN HELLO RESUME_UNKNOWN :x\n{hello}* JOINED room=general last=10 :aquí\n");
    hear(&mut session, &back, seconds(10_002));
    assert_eq!(written(&mut session), [format!("@label={label};room=general perdón")]);
}

#[test]
fn where_somebody_sits_who_is_banned_stays_away_however_it_is_told() {
    let mut session = attended();
    let told = hear(&mut session, "* FAIL RELAY BANNED :no puedes entrar\n", seconds(1));
    assert_eq!(told, [removed("BANNED", "no puedes entrar")]);
    for line in ["* FAIL RELAY BANNED :no puedes entrar\n", "* FAIL HELLO BANNED :no puedes entrar\n"] {
        let mut session = Session::new(Config { is_attended: true, ..config() });
        connect(&mut session, seconds(0));
        assert_eq!(hear(&mut session, line, seconds(1)), [removed("BANNED", "no puedes entrar")]);
        assert_eq!((actions(&mut session), session.next_due()), (vec![Action::Close], None));
    }
}

fn turned_away(session: &mut Session, line: &str) -> Vec<Event> {
    session.handle_time(seconds(0));
    assert_eq!(actions(session), [Action::Connect]);
    session.handle_turned_away(line, seconds(1));
    let told = events(session);
    assert_eq!(written(session), [""; 0], "whoever said so may be anybody");
    told
}

#[test]
fn who_is_banned_before_there_is_a_connection_stays_away_where_somebody_sits_and_else_comes_back_later() {
    const BANNED: &str = "* FAIL RELAY BANNED :no puedes entrar";
    let mut session = Session::new(Config { is_attended: true, ..config() });
    assert_eq!(turned_away(&mut session, BANNED), [removed("BANNED", "no puedes entrar")]);
    assert_eq!((actions(&mut session), session.next_due()), (vec![Action::Close], None));
    session.start(seconds(2));
    assert_eq!(actions(&mut session), [Action::Connect]);
    let mut bridge = Session::new(config());
    let told = turned_away(&mut bridge, BANNED);
    assert!(matches!(&told[..], [Event::Removed { .. }, Event::Waiting { .. }]), "{told:?}");
    assert!(bridge.next_due().is_some());
}

#[test]
fn a_line_that_nobody_vouches_for_does_no_more_than_a_cut() {
    for code in ["FULL", "ADDRESS_FULL", "KICKED", "PASSWORD_CHANGED", "ACCOUNT_REMOVED", "of_tomorrow"] {
        let mut session = attended();
        session.log_in("dos palabras").unwrap();
        hear(&mut session, "* NOTE LOGIN DONE name=Ana role=operator :dentro\n", seconds(0));
        session.handle_disconnected(seconds(0));
        events(&mut session);
        let saved = session.saved();
        session.handle_time(seconds(90));
        assert_eq!(actions(&mut session), [Action::Connect]);
        session.handle_turned_away(&format!("* FAIL RELAY {code} :no cabe nadie más"), seconds(91));
        let told = events(&mut session);
        let [Event::Other { words, sentence, .. }, Event::Waiting { reason: Reason::Disconnected, .. }] =
            &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!((words, sentence.as_str()), (&format!("FAIL RELAY {code}"), "no cabe nadie más"));
        assert_eq!((session.role(), session.saved()), (Some("operator"), saved));
        session.handle_time(seconds(900));
        assert_eq!(actions(&mut session), [Action::Connect]);
        session.handle_connected_privately(seconds(900));
        assert!(written(&mut session)[0].contains(" resume="));
        hear(&mut session, "* FAIL HELLO NAME_REGISTERED Ana :entra\n", seconds(901));
        assert_eq!(written(&mut session), ["/login Ana dos palabras"]);
    }
    let mut session = Session::new(config());
    let told = turned_away(&mut session, "lo que sea");
    assert!(matches!(&told[..], [Event::Waiting { .. }]), "{told:?}");
    let mut greeted = attended();
    greeted.handle_turned_away("* FAIL RELAY BANNED :x", seconds(1));
    assert!(greeted.is_ready() && events(&mut greeted).is_empty());
}

#[test]
fn where_nobody_sits_it_comes_back_after_waits_that_grow_though_it_was_greeted_each_time() {
    let longest = |seed: u64, times: u32| {
        let mut session = greeted(Config { seed, ..config() });
        let mut waits = Vec::new();
        let mut now = seconds(1);
        for _ in 0..times {
            let told = hear(&mut session, KICKED, now);
            let [Event::Removed { .. }, Event::Waiting { reason: Reason::Disconnected, retry_in }] =
                &told[..]
            else {
                panic!("{told:?}")
            };
            waits.push(*retry_in);
            assert_eq!(actions(&mut session), [Action::Close]);
            now += *retry_in + seconds(1);
            connect(&mut session, now);
            hear(&mut session, HELLO, now);
            assert!(session.is_ready());
        }
        waits
    };
    let all: Vec<_> = (0..200).map(|seed| longest(seed, 6)).collect();
    for (round, attempt) in (0..6).zip(EARLY_ATTEMPTS..) {
        let most = all.iter().map(|waits| waits[round]).max().unwrap();
        let bound = relay_delay(attempt, u64::MAX);
        assert!(most <= bound && most > bound * 3 / 4, "{round}: {most:?} of {bound:?}");
    }
    assert!(all.iter().any(|waits| waits[5] > CAP * 3 / 4));
}

#[test]
fn who_leaves_is_not_told_that_it_was_put_out_and_who_stays_away_can_leave() {
    let mut session = attended();
    session.quit(seconds(1));
    assert_eq!(hear(&mut session, KICKED, seconds(1)), [Event::Ended]);
    for line in [KICKED, "* FAIL HELLO RESUMED :x\n"] {
        let mut session = attended();
        hear(&mut session, line, seconds(1));
        actions(&mut session);
        session.quit(seconds(2));
        assert_eq!((events(&mut session), actions(&mut session)), (vec![Event::Ended], vec![]));
    }
}

#[test]
fn where_somebody_sits_a_password_that_is_another_one_now_is_not_tried_again() {
    const NEEDED: &str = "* FAIL HELLO NAME_REGISTERED Ana :entra\n";
    for (is_attended, code, is_tried) in [
        (true, "PASSWORD_CHANGED", false),
        (true, "ACCOUNT_REMOVED", false),
        (false, "PASSWORD_CHANGED", true),
    ] {
        let mut session = greeted(Config { is_attended, ..config() });
        session.log_in("dos palabras").unwrap();
        let told = hear(&mut session, &format!("* FAIL RELAY {code} :otra clave\n"), seconds(1));
        let words = format!("FAIL RELAY {code}");
        assert_eq!(told, [Event::Other { words, label: None, sentence: "otra clave".to_owned() }]);
        session.handle_disconnected(seconds(1));
        assert!(matches!(events(&mut session)[..], [Event::Waiting { .. }]), "it comes back by itself");
        session.handle_time(seconds(90));
        session.handle_connected_privately(seconds(90));
        written(&mut session);
        let told = hear(&mut session, NEEDED, seconds(91));
        assert_eq!(!written(&mut session).is_empty(), is_tried, "{code}");
        assert_eq!(matches!(told.first(), Some(Event::LoginNeeded { .. })), !is_tried, "{code}");
    }
}

#[test]
fn a_session_that_was_kicked_is_not_cut_into_by_what_follows_in_the_same_read() {
    let mut session = attended();
    let told = hear(&mut session, &format!("{KICKED}@id=11;room=general Luis: adiós\n"), seconds(1));
    assert_eq!(told, [removed("KICKED", "Berta te ha echado: spam")]);
    assert!(!session.is_ready());
    let mut session = greeted(config());
    reconnect(&mut session, seconds(1));
    hear(&mut session, HELLO, seconds(70));
    assert!(session.is_ready(), "a cut alone is none of this");
}
