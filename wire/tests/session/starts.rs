//! How a session begins, is cut, comes back and ends.

use std::time::Duration;

use tertulia_wire::limits::PONG_WAIT;
use tertulia_wire::session::{
    Action, Config, Event, HELLO_WAIT, NAME_AGAIN_AFTER, OTHER_RELAY, QUIET_MAX, QUIT_WAIT, REFUSED_MAX,
    Reason, RestoreError, Say, Session, Source,
};

use crate::bench::{
    HELLO, actions, config, connect, events, general, hear, ready, reconnect, seconds, texts, written,
};

/// The wait among the events, and why.
fn waiting(events: &[Event]) -> (Reason, Duration) {
    match events {
        [Event::Waiting { reason, retry_in }] => (*reason, *retry_in),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_first_hello_carries_no_token_and_nothing_is_said_before_it_is_answered() {
    let mut session = Session::new(Config::new("a:1", "Ana María", &["General", "cocina"], 1));
    let label = session.say(&general("hola")).unwrap();
    assert_eq!(connect(&mut session, seconds(0)), ["/hello v=1 name=Ana\\sMaría room=general"]);
    // What a plain client hears meanwhile is not for it.
    assert_eq!(hear(&mut session, "Luis: hola\n@id=1;room=general Luis: hola\n", seconds(1)), []);
    assert!(written(&mut session).is_empty());
    let greeted = hear(&mut session, HELLO, seconds(1));
    let ready = Event::Ready { name: "Ana".into(), sid: 7, is_resumed: false, durability: "commit".into() };
    assert_eq!(greeted, [ready]);
    assert_eq!(
        written(&mut session),
        ["/join cocina".to_owned(), format!("@label={label};room=general hola")]
    );
}

#[test]
fn who_does_not_greet_in_time_is_no_relay() {
    let mut session = Session::new(config());
    connect(&mut session, seconds(5));
    assert_eq!(session.next_due(), Some(seconds(5) + HELLO_WAIT));
    session.handle_bytes(b"SSH-2.0-OpenSSH\r\n* OK IMAP4\r\n", seconds(6));
    events(&mut session);
    session.handle_time(seconds(5) + HELLO_WAIT);
    let (reason, retry_in) = waiting(&events(&mut session));
    assert_eq!((reason, reason.in_spanish()), (Reason::NotTertulia, "no es un relay de Tertulia"));
    assert_eq!(actions(&mut session), [Action::Close]);
    assert_eq!(session.next_due(), Some(seconds(5) + HELLO_WAIT + retry_in));
    let mut longest = Duration::ZERO;
    for seed in 0..100 {
        let mut session = Session::new(Config { seed, ..config() });
        connect(&mut session, seconds(0));
        session.handle_time(HELLO_WAIT);
        longest = longest.max(waiting(&events(&mut session)).1);
    }
    assert!(longest > seconds(50), "{longest:?}");
}

#[test]
fn a_relay_that_was_one_before_and_does_not_greet_is_silent() {
    let mut session = ready();
    reconnect(&mut session, seconds(10));
    session.handle_time(seconds(70) + HELLO_WAIT);
    assert_eq!(waiting(&events(&mut session)).0, Reason::Silent);
}

#[test]
fn waits_are_short_at_first_grow_up_to_the_cap_and_begin_anew_behind_a_greeting() {
    let longest = |failures: usize| {
        let wait = |seed| {
            let mut session = Session::new(Config { seed, ..config() });
            let mut now = seconds(0);
            let mut last = Duration::ZERO;
            for _ in 0..failures {
                session.handle_time(now);
                session.handle_connect_failed(now);
                last = waiting(&events(&mut session)).1;
                now += last;
            }
            last
        };
        (0..200).map(wait).max().unwrap()
    };
    let all: Vec<u64> = [1, 2, 15, 18, 30].into_iter().map(|failures| longest(failures).as_secs()).collect();
    assert!(all[0] <= 3 && all[1] <= 4 && all[2] <= 4 && all[3] > 36 && all[4] <= 60, "{all:?}");
    let mut session = Session::new(config());
    let mut now = seconds(0);
    for _ in 0..30 {
        session.handle_time(now);
        session.handle_connect_failed(now);
        now += seconds(100);
    }
    events(&mut session);
    actions(&mut session);
    session.handle_time(now);
    connect_again(&mut session, now);
    hear(&mut session, HELLO, now);
    session.handle_disconnected(now);
    assert!(waiting(&events(&mut session)).1 <= seconds(3));
}

#[test]
fn who_asks_for_the_relay_by_hand_begins_the_waits_anew() {
    let mut session = Session::new(config());
    let mut now = seconds(0);
    for _ in 0..30 {
        session.handle_time(now);
        session.handle_connect_failed(now);
        now += seconds(100);
    }
    session.start(now);
    events(&mut session);
    session.handle_connect_failed(now);
    assert!(waiting(&events(&mut session)).1 <= seconds(3));
}

fn connect_again(session: &mut Session, now: Duration) {
    actions(session);
    session.handle_connected(now);
    written(session);
}

#[test]
fn a_cut_session_resumes_where_it_was_and_says_again_what_was_not_answered() {
    let mut session = ready();
    hear(&mut session, "@id=12;room=general Luis: a\n", seconds(1));
    for label in ["a", "b", "c"] {
        session.say_labeled(label, &general(label)).unwrap();
    }
    written(&mut session);
    hear(&mut session, "* ACK label=b id=14 time=x\n", seconds(1));
    session.handle_bytes(b"@id=15;room=general Luis: cort", seconds(1));
    session.handle_disconnected(seconds(1));
    session.say_labeled("d", &general("d")).unwrap();
    assert_eq!(waiting(&events(&mut session)).0, Reason::Disconnected);
    assert_eq!(
        connect(&mut session, seconds(60)),
        ["/hello v=1 name=Ana room=general resume=T after=12,general:12"]
    );
    let back = format!("{HELLO}* JOINED room=general last=15 :x\n@id=15;room=general Luis: cortada\n");
    let heard = hear(&mut session, &back, seconds(60));
    assert!(matches!(heard[0], Event::Ready { is_resumed: true, .. }));
    assert_eq!(texts(&heard, |source| source == Source::Live), ["cortada"]);
    assert_eq!(written(&mut session), ["/ping rooms"]);
    assert_eq!(hear(&mut session, "* PONG rooms\n", seconds(60)), []);
    let again = ["@label=a;room=general a", "@label=c;room=general c", "@label=d;room=general d"];
    assert_eq!(written(&mut session), again);
}

#[test]
fn a_resumed_session_joins_the_rooms_that_the_relay_does_not_have_it_in_and_fetches_what_it_missed_there() {
    let mut session = ready();
    session.join("cocina").unwrap();
    written(&mut session);
    hear(&mut session, "* JOINED room=cocina last=5 :x\n", seconds(1));
    reconnect(&mut session, seconds(10));
    hear(&mut session, &format!("{HELLO}* JOINED room=general last=10 :x\n"), seconds(70));
    written(&mut session);
    hear(&mut session, "* PONG rooms\n", seconds(70));
    assert_eq!(written(&mut session), ["/join cocina"]);
    let heard = hear(&mut session, "* JOINED room=cocina last=9 :x\n", seconds(70));
    assert_eq!(heard[1], Event::GapFound { room: "cocina".into(), from: 6, to: 9 });
}

#[test]
fn a_forgotten_session_looks_into_the_history_before_it_says_again() {
    let mut session = ready();
    for label in ["a", "b"] {
        session.say_labeled(label, &general(label)).unwrap();
    }
    session.say_labeled("p", &Say { to: Some("Luis"), ..general("p") }).unwrap();
    written(&mut session);
    // Others are heard behind it before it is answered.
    hear(&mut session, "@id=13;room=general;key=3.a Luis: después\n", seconds(1));
    reconnect(&mut session, seconds(10));
    session.say_labeled("c", &general("c")).unwrap();
    let new = HELLO.replace("token=T sid=7", "token=U sid=8");
    let back = format!("* WARN HELLO RESUME_UNKNOWN :x\n{new}* JOINED room=general last=14 :x\n");
    let heard = hear(&mut session, &back, seconds(70));
    assert!(matches!(heard[0], Event::Ready { is_resumed: false, sid: 8, .. }));
    assert_eq!(heard[2], Event::GapFound { room: "general".into(), from: 14, to: 14 });
    let asked = written(&mut session);
    let [asked] = &asked[..] else { panic!("{asked:?}") };
    let label = asked.strip_prefix("/history room=general after=10 limit=500 label=").unwrap();
    let page = format!(
        "@label={label};id=12;room=general;key=7.a Ana: a\n@label={label};id=13;room=general;key=3.a Luis: después\n\
        @label={label};id=14;room=general;key=3.b Luis: más\n* END HISTORY room=general more=0 label={label}\n"
    );
    let heard = hear(&mut session, &page, seconds(70));
    assert_eq!(heard, [Event::Acknowledged { label: "a".into(), id: 12, unix_ms: None }]);
    let sent = written(&mut session);
    assert!(sent[0].starts_with("/history room=general after=13 "), "{sent:?}");
    assert_eq!(sent[1..], ["@label=b;room=general b", "@label=p;to=Luis p", "@label=c;room=general c"]);
}

#[test]
fn where_the_history_cannot_tell_lines_are_said_again_and_that_is_announced() {
    let mut session = ready();
    session.say_labeled("a", &general("a")).unwrap();
    written(&mut session);
    reconnect(&mut session, seconds(10));
    let new = HELLO.replace("token=T sid=7", "token=U sid=8");
    hear(&mut session, &format!("* WARN HELLO RESUME_UNKNOWN :x\n{new}"), seconds(70));
    let label = written(&mut session)[0].rsplit_once('=').unwrap().1.to_owned();
    let heard = hear(&mut session, &format!("* FAIL HISTORY NOT_KEPT label={label} :x\n"), seconds(70));
    assert_eq!(heard, [Event::MayBeDoubled { room: "general".into() }]);
    assert_eq!(written(&mut session), ["@label=a;room=general a"]);
}

#[test]
fn each_refusal_of_a_hello_is_told_and_another_name_or_room_asks_again() {
    for code in ["NAME_IN_USE", "NAME_RESERVED", "NAME_INVALID", "ROOM_INVALID"] {
        let mut session = Session::new(config());
        connect(&mut session, seconds(0));
        let heard = hear(&mut session, &format!("* FAIL HELLO {code} Ana :x\n"), seconds(0));
        let refused = Event::HelloRefused {
            code: code.into(),
            name: "Ana".into(),
            sentence: "x".into(),
            again_in: None,
        };
        assert_eq!(heard, [refused]);
        assert_eq!(session.next_due(), None);
        session.rename("Eva").unwrap();
        assert_eq!(written(&mut session), ["/hello v=1 name=Eva room=general"]);
        hear(&mut session, &format!("* FAIL HELLO {code} Eva :x\n"), seconds(0));
        session.join("otra").unwrap();
        session.part("general");
        assert_eq!(written(&mut session), ["/hello v=1 name=Eva room=general"]);
        // What was changed after a hello was sent is asked for as soon as that is answered.
        hear(&mut session, &format!("* FAIL HELLO {code} Eva :x\n"), seconds(0));
        assert_eq!(written(&mut session), ["/hello v=1 name=Eva room=otra"]);
    }
}

#[test]
fn a_name_that_it_held_before_is_asked_for_again_by_itself() {
    let mut session = ready();
    reconnect(&mut session, seconds(10));
    let heard = hear(&mut session, "* FAIL HELLO NAME_IN_USE Ana :x\n", seconds(70));
    assert!(matches!(heard[..], [Event::HelloRefused { again_in: Some(NAME_AGAIN_AFTER), .. }]), "{heard:?}");
    assert_eq!(session.next_due(), Some(seconds(70) + NAME_AGAIN_AFTER));
    session.handle_time(seconds(70) + NAME_AGAIN_AFTER);
    assert!(written(&mut session)[0].starts_with("/hello v=1 name=Ana "));
}

#[test]
fn a_relay_of_another_version_is_left_alone_for_long() {
    let mut session = Session::new(config());
    connect(&mut session, seconds(0));
    let heard = hear(&mut session, "* FAIL HELLO VERSION 2 :x\n", seconds(0));
    assert_eq!(waiting(&heard).0, Reason::Version);
    assert_eq!(actions(&mut session), [Action::Close]);
}

#[test]
fn a_relay_that_has_to_keep_a_new_token_first_may_take_longer() {
    let mut session = ready();
    reconnect(&mut session, seconds(10));
    hear(&mut session, "* WARN HELLO RESUME_UNKNOWN :x\n", seconds(71));
    session.handle_time(seconds(80));
    assert_eq!(actions(&mut session), []);
    assert!(!session.is_ready());
    hear(&mut session, &HELLO.replace("sid=7", "sid=8"), seconds(81));
    assert!(session.is_ready());
}

#[test]
fn a_relay_that_says_that_it_has_to_wait_is_waited_for() {
    let mut session = Session::new(config());
    connect(&mut session, seconds(0));
    hear(&mut session, "* NOTE HELLO WAIT :x\n", seconds(2));
    session.handle_time(seconds(20));
    assert_eq!(actions(&mut session), []);
    hear(&mut session, HELLO, seconds(21));
    assert!(session.is_ready());
}

#[test]
fn nothing_is_sent_faster_than_the_bucket_of_the_hello() {
    let mut session = Session::new(config());
    connect(&mut session, seconds(0));
    hear(&mut session, &HELLO.replace("burst=0 rate=0", "burst=5 rate=2"), seconds(0));
    for _ in 0..20 {
        session.say(&general("x")).unwrap();
    }
    // The relay's own bucket, in milliseconds, the hello taken off.
    let (mut full_at, mut sent, mut now, mut due) = (500, 0, Duration::ZERO, Duration::ZERO);
    while sent < 20 {
        now = due;
        session.handle_time(now);
        for _ in written(&mut session) {
            sent += 1;
            let ms = now.as_millis() as i64;
            full_at = full_at.max(ms) + 500;
            assert!(full_at - 5 * 500 <= ms, "line {sent} at {now:?} would be held back");
        }
        due = session.next_due().unwrap();
        assert!(due > now);
    }
    assert_eq!(now, Duration::from_millis(8_500));
}

#[test]
fn a_relay_that_says_nothing_is_asked_and_then_given_up() {
    let mut session = ready();
    events(&mut session);
    session.handle_time(QUIET_MAX);
    assert_eq!(written(&mut session), ["/ping alive"]);
    hear(&mut session, "* PONG alive\n", QUIET_MAX + seconds(1));
    assert_eq!(events(&mut session), [], "nobody else asked");
    session.handle_time(QUIET_MAX + PONG_WAIT);
    assert!(session.is_ready());
    session.handle_time(QUIET_MAX * 2 + seconds(1));
    assert_eq!(written(&mut session), ["/ping alive"]);
    session.handle_time(QUIET_MAX * 2 + seconds(1) + PONG_WAIT);
    assert_eq!(waiting(&events(&mut session)).0, Reason::Silent);
}

#[test]
fn who_quits_waits_for_the_answers_says_so_and_waits_for_the_end() {
    let mut session = ready();
    let label = session.say(&general("adiós")).unwrap();
    session.quit(seconds(1));
    assert_eq!(written(&mut session).len(), 1);
    hear(&mut session, &format!("* ACK label={label} id=40 time=x\n"), seconds(1));
    assert_eq!(written(&mut session), ["/quit"]);
    assert_eq!(events(&mut session), []);
    session.handle_disconnected(seconds(2));
    assert_eq!(events(&mut session), [Event::Ended]);
    assert_eq!((actions(&mut session).len(), session.next_due()), (0, None));
}

#[test]
fn who_quits_does_not_wait_for_ever() {
    let mut session = ready();
    session.say(&general("adiós")).unwrap();
    written(&mut session);
    session.quit(seconds(1));
    assert_eq!(session.next_due(), Some(seconds(1) + QUIT_WAIT));
    session.handle_time(seconds(1) + QUIT_WAIT);
    assert_eq!(written(&mut session), ["/quit"]);
    session.handle_time(seconds(1) + QUIT_WAIT * 2);
    assert_eq!((actions(&mut session), events(&mut session)), (vec![Action::Close], vec![Event::Ended]));
    let mut waiting = Session::new(config());
    waiting.quit(seconds(0));
    assert_eq!(events(&mut waiting), [Event::Ended]);
    assert_eq!(actions(&mut waiting).last(), Some(&Action::Close));
}

#[test]
fn a_greeting_that_was_refused_is_asked_for_once_more_when_the_caller_says_so() {
    let mut session = Session::new(config());
    let hello = connect(&mut session, seconds(0));
    hear(&mut session, "* FAIL HELLO FULL :x\n", seconds(0));
    assert_eq!(written(&mut session), [""; 0]);
    session.start(seconds(1));
    assert_eq!(written(&mut session), hello);
}

#[test]
fn a_saved_session_goes_on_where_it_was() {
    let mut session = ready();
    hear(&mut session, "@id=12;room=general Luis: a\n* WARN GAP room=general from=13 to=20\n", seconds(1));
    let say = Say { reply: Some(9), as_who: Some("Luis; G"), ..general("con espacios\ny \\ barras=1") };
    let label = session.say(&say).unwrap();
    let saved = session.saved();
    let empty = Config { name: String::new(), rooms: Vec::new(), ..config() };
    let mut again = Session::restore(empty, &saved).unwrap();
    assert_eq!(again.saved().replace(" sid=7 after=20 text", " text"), saved);
    assert_eq!((again.name(), again.unanswered()), ("Ana", 1));
    let (unanswered, kept) = again.unanswered_lines().next().unwrap();
    assert_eq!((unanswered, kept.room, kept.reply, kept.to), (label.as_str(), "general", Some(9), None));
    assert_eq!((kept.text, kept.as_who), ("con espacios\u{2028}y \\ barras=1", Some("Luis; G")));
    let hello = connect(&mut again, seconds(0));
    assert_eq!(hello, ["/hello v=1 name=Ana room=general resume=T after=20,general:20"]);
    hear(&mut again, &format!("{HELLO}* JOINED room=general last=20 :x\n"), seconds(0));
    let asked = written(&mut again);
    assert!(asked[1].starts_with("/history room=general after=12 "), "{asked:?}");
    hear(&mut again, "* PONG rooms\n", seconds(0));
    assert_eq!(
        written(&mut again)[0],
        format!("@label={label};room=general;reply=9;as=Luis\\:\\sG con espacios\u{2028}y \\ barras=1")
    );
    assert_ne!(again.say(&general("x")).unwrap(), label);
}

#[test]
fn a_line_that_was_sent_after_the_session_was_saved_is_looked_for_before_it_is_said_again() {
    let mut session = ready();
    session.say_labeled("a", &general("hola")).unwrap();
    let saved = session.saved();
    assert_eq!(written(&mut session).len(), 1);
    let mut again = Session::restore(config(), &saved).unwrap();
    connect(&mut again, seconds(0));
    let new = HELLO.replace("token=T sid=7", "token=U sid=8");
    hear(&mut again, &format!("* WARN HELLO RESUME_UNKNOWN :x\n{new}"), seconds(0));
    let asked = written(&mut again);
    assert!(asked.len() == 1 && asked[0].starts_with("/history room=general after=10 "), "{asked:?}");
}

#[test]
fn a_line_that_was_sent_again_under_a_later_number_than_was_kept_is_not_said_twice() {
    let saved = "tertulia-session 1\naddress value=relay.example:2000\nname value=Ana\nsid value=6\ntoken value=T sid=7\n\
                 next label=5 highest=20\nroom name=general newest=20\nsay label=a room=general sid=6 after=10 text=hola\n";
    let mut session = Session::restore(config(), saved).unwrap();
    connect(&mut session, seconds(0));
    let new = HELLO.replace("token=T sid=7", "token=U sid=8");
    hear(
        &mut session,
        &format!("* WARN HELLO RESUME_UNKNOWN :x\n{new}* JOINED room=general last=30 :x\n"),
        seconds(0),
    );
    let asked = written(&mut session);
    let label = asked.iter().find_map(|line| line.split_once("after=10 ")?.1.split_once("label=")).unwrap().1;
    let label = label.split(' ').next().unwrap();
    let page = format!(
        "@id=15;room=general;key=7.a;label={label} Ana: hola\n* END HISTORY label={label} more=0\n* PONG rooms\n"
    );
    hear(&mut session, &page, seconds(0));
    assert!(!written(&mut session).iter().any(|line| line.contains("hola")), "it is there");
    assert_eq!(session.unanswered(), 0);
}

#[test]
fn at_another_address_the_token_is_not_given_and_what_was_written_for_others_is_not_said() {
    let keeps = Config { keeps_refused: true, ..config() };
    let mut session = Session::new(keeps.clone());
    let label = session.say(&Say { reply: Some(4), ..general("hola") }).unwrap();
    let other = Config { address: "other.example:2000".into(), ..keeps.clone() };
    let mut again = Session::restore(other, &session.saved()).unwrap();
    assert!(events(&mut again).contains(&Event::Refused {
        label: label.clone(),
        code: OTHER_RELAY.to_owned(),
        sentence: String::new(),
    }));
    assert_eq!(connect(&mut again, seconds(0)), ["/hello v=1 name=Ana room=general"]);
    hear(&mut again, &HELLO.replace("sid=7", "sid=1"), seconds(0));
    assert_eq!(written(&mut again), [""; 0]);
    let refused = again.refused_lines().next().unwrap();
    assert_eq!((refused.label, refused.address), (label.as_str(), Some("relay.example:2000")));
    assert_eq!((refused.say.text, refused.say.reply), ("hola", None), "its ids are other lines there");
    // Back at the relay that was to hear it, it is still the person's to decide.
    let mut back = Session::restore(keeps, &again.saved()).unwrap();
    assert_eq!((back.unanswered(), back.refused_lines().count()), (0, 1));
    assert_eq!(back.refused_lines().next().unwrap().address, None);
    assert!(back.forget_refused(&label) && !back.forget_refused(&label));
    assert!(!back.saved().contains("hola"));
}

#[test]
fn a_refused_line_is_kept_until_the_caller_has_it_in_safety() {
    let config = Config { keeps_refused: true, ..config() };
    let mut session = Session::new(config.clone());
    connect(&mut session, seconds(0));
    hear(&mut session, &format!("{HELLO}* PONG rooms\n"), seconds(0));
    session.say_labeled("a", &general("no pasa")).unwrap();
    hear(&mut session, "* FAIL SAY NO_ROOM label=a :x\n", seconds(1));
    let mut again = Session::restore(config, &session.saved()).unwrap();
    let refused = again.refused_lines().next().unwrap();
    assert_eq!((again.unanswered(), refused.label, refused.say.text), (0, "a", "no pasa"));
    assert!(again.forget_refused("a"));
    assert_eq!(again.refused_lines().count(), 0);
    assert!(!again.saved().contains("no pasa"));
}

#[test]
fn whoever_keeps_what_is_refused_and_never_forgets_it_has_a_bound() {
    let text: String =
        (0..REFUSED_MAX + 10).map(|label| format!("refused label=r{label} room=general text=x\n")).collect();
    let config = Config { keeps_refused: true, ..config() };
    let session = Session::restore(config, &format!("tertulia-session 1\n{text}")).unwrap();
    assert_eq!(session.refused_lines().count(), REFUSED_MAX);
    assert_eq!(session.refused_lines().next().unwrap().label, "r10");
}

#[test]
fn a_text_that_is_no_saved_session_is_refused_with_its_line() {
    let restore = |text: &str| Session::restore(config(), text).map(|_| ());
    assert_eq!(restore(""), Err(RestoreError::Version));
    assert_eq!(restore("tertulia-session 2\n"), Err(RestoreError::Version));
    let wrong = |number, key| Err(RestoreError::Line { number, key });
    let cases = [
        ("say label=a room=general", wrong(2, "text")),
        ("say label=a room=general text=", wrong(2, "text")),
        ("say label=a\\sb room=general text=x", wrong(2, "label")),
        ("say label=a text=x", wrong(2, "room")),
        ("say label=a room=general reply=x text=x", wrong(2, "reply")),
        ("say label=a room=general text=x\nsay label=a room=general text=y", wrong(3, "label")),
        ("address value=relay.example:2000\ntoken value=T", wrong(3, "sid")),
        ("address value=relay.example:2000\nroom name=a\\sb", wrong(3, "name")),
        ("address value=relay.example:2000\ngap room=general after=x to=2", wrong(3, "after")),
        ("next label=x", wrong(2, "label")),
        ("something=new\nanything\n\n", Ok(())),
    ];
    for (text, expected) in cases {
        assert_eq!(restore(&format!("tertulia-session 1\n{text}\n")), expected, "{text}");
    }
    let many: String = (0..5000).map(|label| format!("say label={label} room=general text=x\n")).collect();
    assert_eq!(restore(&format!("tertulia-session 1\n{many}")), Err(RestoreError::TooManyLines));
}

#[test]
fn a_room_that_counts_from_elsewhere_is_told_and_heard_from_there() {
    let mut session = ready();
    reconnect(&mut session, seconds(5));
    let new = HELLO.replace("token=T sid=7", "token=U sid=8");
    let room = "* JOINED room=general last=3 :x\n@id=4;room=general Luis: hola\n";
    let told = hear(&mut session, &format!("* WARN HELLO RESUME_UNKNOWN :x\n{new}{room}"), seconds(65));
    let anew = Event::RoomAnew { room: "general".to_owned(), last: 3 };
    assert_eq!(told.iter().filter(|event| **event == anew).count(), 1, "{told:?}");
    assert_eq!(texts(&told, |source| source == Source::Live), ["hola"]);
}
