//! What each sentence of the relay does to a session that was greeted.

use tertulia_wire::extended::Hello;
use tertulia_wire::heard::Heard;
use tertulia_wire::heard::Notice;
use tertulia_wire::limits::{LABELS_KEPT, LINE_BYTES_MAX, TAGGED_LINE_BYTES_MAX};
use tertulia_wire::session::{
    ANSWER_WAIT, Action, AskError, Config, Event, FETCHES_MAX, Line, Say, SayError, Session, Source,
    UNANSWERED_BYTES_MAX, Way,
};

use crate::bench::{
    HELLO, actions, config, connect, events, general, hear, of_luis, ready, seconds, texts, written,
};

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn what_the_relay_tells_is_passed_on_as_what_it_is() {
    let own = |label: &str| Some(text(label));
    let cases = [
        (
            "* NOTE ROOM STORM room=general joined=37 left=2 :x",
            Event::Storm { room: text("general"), joined: 37, left: 2 },
        ),
        ("* NOTE HISTORY TROUBLE :x", Event::History { is_kept: false }),
        ("* NOTE HISTORY KEPT :x", Event::History { is_kept: true }),
        ("* NOTE RELAY CLOSING :x", Event::Closing),
        ("* PARTED room=general :x", Event::Parted { room: text("general") }),
        (
            "* WHO room=general name=Ana\\sM label=c1",
            Event::Who { label: own("c1"), room: text("general"), name: text("Ana M") },
        ),
        ("* ROOMS room=a names=2 label=c1", Event::Room { label: own("c1"), room: text("a"), names: 2 }),
        ("* END WHO room=a shown=1 of=1 label=c1", Event::AnswerEnd { label: own("c1"), what: text("WHO") }),
        ("* NOTE NICK RENAMED Eva :x", Event::Renamed { name: text("Eva") }),
        (
            "* FAIL SAY LINE_TOO_LONG 16384 :larga",
            Event::Other {
                words: text("FAIL SAY LINE_TOO_LONG 16384"),
                label: None,
                sentence: text("larga"),
            },
        ),
        ("* FAIL SLOW :x", Event::Other { words: text("FAIL SLOW"), label: None, sentence: text("x") }),
        (
            "* ANYTHING label=c9 new :x",
            Event::Other { words: text("ANYTHING label=c9 new"), label: own("c9"), sentence: text("x") },
        ),
        ("* PONG mine", Event::Other { words: text("PONG mine"), label: None, sentence: text("") }),
        ("no tags", Event::Unreadable),
        ("@id=x;room=general Luis: a", Event::Unreadable),
    ];
    for (line, expected) in cases {
        assert_eq!(hear(&mut ready(), &format!("{line}\n"), seconds(1)), [expected], "{line}");
    }
}

#[test]
fn a_line_that_is_not_utf8_or_too_long_is_dropped_and_the_next_one_is_heard() {
    let mut session = ready();
    session.handle_bytes(b"@id=11;room=general Luis: \xff\n", seconds(1));
    let long = format!("@id=12;room=general Luis: {}\n", "x".repeat(TAGGED_LINE_BYTES_MAX));
    session.handle_bytes(long.as_bytes(), seconds(1));
    assert_eq!(events(&mut session), [Event::Unreadable, Event::Unreadable]);
    let heard = hear(&mut session, "@id=13;room=general Luis: hola\n", seconds(1));
    assert_eq!(texts(&heard, |_| true), ["hola"]);
}

#[test]
fn a_line_is_heard_with_its_tags_and_clean() {
    let mut session = ready();
    let heard =
        hear(&mut session, "@id=11;room=general;key=3.a;reply=9;new=1 Luis: ho\u{1b}[2Jla\n", seconds(1));
    let line = Line { reply: Some(9), ..of_luis(11, (3, "a"), "ho[2Jla") };
    assert_eq!(heard, [Event::Heard { line, source: Source::Live }]);
    let heard =
        hear(&mut session, "@id=12;room=general;notice=leave Luis ha abandonado el chat.\n", seconds(1));
    let line = Line { notice: Some(Notice::Leave), key: None, ..of_luis(12, (0, ""), "") };
    assert_eq!(heard, [Event::Heard { line, source: Source::Live }]);
    let heard = hear(&mut session, "@id=13;private=1;key=3.b Luis: a ti\n", seconds(1));
    let line = Line { room: None, is_private: true, ..of_luis(13, (3, "b"), "a ti") };
    assert_eq!(heard, [Event::Heard { line, source: Source::Live }]);
}

#[test]
fn a_line_whose_id_or_key_was_heard_is_dropped_and_its_own_is_told_apart() {
    let mut session = ready();
    let lines = "@id=12;room=general;key=3.a Luis: uno\n@id=12;room=general;key=3.b Luis: vieja\n\
        @id=10;room=general;key=3.c Luis: vieja\n@id=13;room=general;key=3.a Luis: uno\n\
        @id=14;room=general;key=4.a Eva: dos\n@id=15;private=1;key=4.b Eva: tres\n@id=16;private=1;key=4.b Eva: tres\n\
        @id=17;room=otra;key=4.c Eva: de otra sala\n";
    let heard = hear(&mut session, lines, seconds(1));
    assert_eq!(texts(&heard, |_| true), ["uno", "dos", "tres"]);
    let own = hear(&mut session, "@id=18;room=general;key=7.z Ana: mía\n", seconds(1));
    assert!(matches!(&own[..], [Event::Own { label, source: Source::Live, .. }] if label == "z"), "{own:?}");
}

#[test]
fn a_line_is_sent_once_and_answered_once() {
    let mut session = ready();
    let say = Say { reply: Some(9), as_who: Some("Luis G"), ..general("uno\ndos\u{7}") };
    let label = session.say(&say).unwrap();
    let line = format!("@label={label};room=general;reply=9;as=Luis\\sG uno\u{2028}dos");
    assert_eq!(written(&mut session), [line]);
    assert_eq!((written(&mut session).len(), session.unanswered()), (0, 1));
    let ack = format!("* ACK label={label} id=43 time=2026-11-22T16:37:00.123Z\n");
    let expected = Event::Acknowledged { label, id: 43, unix_ms: Some(1_795_365_420_123) };
    assert_eq!(hear(&mut session, &ack, seconds(1)), [expected]);
    assert_eq!(hear(&mut session, &ack, seconds(1)), []);
    assert_eq!(session.unanswered(), 0);
}

#[test]
fn each_final_answer_takes_the_line_away() {
    let refused = |code: &str| Event::Refused { label: text("7"), code: text(code), sentence: text("x") };
    let not_kept = Event::NotKept { label: text("7"), id: 43 };
    let mut cases = vec![("* NOTE SAY NOT_KEPT label=7 id=43 :x".to_owned(), not_kept)];
    for code in ["NO_ROOM", "NOT_HERE", "NOT_READING", "EMPTY", "LABEL_REUSED"] {
        cases.push((format!("* FAIL SAY {code} label=7 :x"), refused(code)));
    }
    cases.push(("* FAIL SAY TAG_INVALID as label=7 :x".to_owned(), refused("TAG_INVALID")));
    for (line, expected) in cases {
        let mut session = ready();
        session.say_labeled("7", &general("hola")).unwrap();
        written(&mut session);
        assert_eq!(hear(&mut session, &format!("{line}\n"), seconds(1)), [expected], "{line}");
        assert_eq!(session.unanswered(), 0);
    }
}

#[test]
fn what_cannot_be_said_is_refused_at_once() {
    let mut session = ready();
    assert_eq!(session.say(&general("\n\u{7}\r\n")), Err(SayError::Empty));
    let long = "x".repeat(LINE_BYTES_MAX);
    assert!(matches!(session.say(&general(&long)), Err(SayError::TooLong { bytes_max: LINE_BYTES_MAX, .. })));
    assert!(matches!(session.say(&Say { room: "a b", ..general("x") }), Err(SayError::Room(_))));
    assert_eq!(session.say_labeled("a b", &general("x")), Err(SayError::Label));
    session.say_labeled("a", &general("x")).unwrap();
    assert_eq!(session.say_labeled("a", &general("x")), Ok(()));
    assert_eq!(session.say_labeled("a", &general("y")), Err(SayError::LabelReused));
    assert_eq!(session.say_labeled("a", &Say { reply: Some(1), ..general("x") }), Err(SayError::LabelReused));
    assert_eq!(session.unanswered(), 1);
}

#[test]
fn a_session_says_when_it_is_full_and_takes_more_once_it_was_answered() {
    let mut session = ready();
    for number in 0..LABELS_KEPT {
        session.say_labeled(&number.to_string(), &general("x")).unwrap();
    }
    assert_eq!(session.say(&general("x")), Err(SayError::Full));
    hear(&mut session, "* ACK label=17 id=43 time=x\n", seconds(1));
    assert!(session.say(&general("x")).is_ok());
    let mut session = ready();
    let long = "x".repeat(LINE_BYTES_MAX - 100);
    let taken = (0..LABELS_KEPT).take_while(|_| session.say(&general(&long)).is_ok()).count();
    assert!((200..=UNANSWERED_BYTES_MAX / long.len()).contains(&taken), "{taken}");
}

#[test]
fn a_line_that_this_relay_does_not_take_is_refused_when_its_turn_comes() {
    let mut session = Session::new(config());
    session.say_labeled("a", &general(&"x".repeat(100))).unwrap();
    session.say_labeled("b", &general("corta")).unwrap();
    connect(&mut session, seconds(0));
    hear(&mut session, &HELLO.replace("line=16384", "line=60"), seconds(0));
    assert_eq!(written(&mut session), ["@label=b;room=general corta"]);
    let refused = Event::Refused { label: text("a"), code: text("LINE_TOO_LONG"), sentence: text("") };
    assert_eq!(events(&mut session), [refused]);
}

#[test]
fn a_line_without_an_answer_is_sent_again_over_the_same_connection() {
    let mut session = ready();
    session.say_labeled("a", &general("uno")).unwrap();
    session.say_labeled("b", &general("dos")).unwrap();
    assert_eq!(written(&mut session).len(), 2);
    assert_eq!(session.next_due(), Some(ANSWER_WAIT));
    session.handle_time(ANSWER_WAIT);
    assert_eq!(written(&mut session), ["@label=a;room=general uno"]);
    hear(&mut session, "* ACK label=a id=43 time=x\n", ANSWER_WAIT);
    session.handle_time(ANSWER_WAIT);
    assert_eq!(written(&mut session), ["@label=b;room=general dos"]);
}

#[test]
fn a_gap_is_fetched_page_by_page_while_others_go_on_talking() {
    let mut session = ready();
    let found = hear(
        &mut session,
        "* WARN GAP room=general from=11 to=20\n@id=21;room=general;key=3.z Luis: vivo\n",
        seconds(1),
    );
    assert_eq!(found[0], Event::GapFound { room: text("general"), from: 11, to: 20 });
    assert_eq!(texts(&found, |source| source == Source::Live), ["vivo"]);
    let asked = written(&mut session);
    let [asked] = &asked[..] else { panic!("{asked:?}") };
    let label = asked.strip_prefix("/history room=general after=10 limit=500 label=").unwrap();
    let page = format!(
        "@label={label};id=11;room=general;key=3.a Luis: uno\n@label={label};id=11;room=general;key=3.a Luis: uno\n\
        @id=22;room=general;key=3.y Luis: más\n@label={label};id=15;room=general;key=7.q Ana: mía\n\
        @label=otra;id=16;room=general Luis: de otra pregunta\n* END HISTORY room=general more=1 label={label}\n"
    );
    let heard = hear(&mut session, &page, seconds(1));
    assert_eq!(texts(&heard, |source| source == Source::Gap), ["uno"]);
    assert!(
        heard
            .iter()
            .any(|event| matches!(event, Event::Own { label, source: Source::Gap, .. } if label == "q"))
    );
    let asked = written(&mut session);
    let label = asked[0].strip_prefix("/history room=general after=15 limit=500 label=").unwrap();
    let page = format!(
        "@label={label};id=19;room=general;key=3.b Luis: dos\n@label={label};id=21;room=general;key=3.z Luis: vivo\n\
        * END HISTORY room=general more=1 label={label}\n"
    );
    let heard = hear(&mut session, &page, seconds(1));
    assert_eq!(texts(&heard, |_| true), ["dos"]);
    assert_eq!(heard.last(), Some(&Event::GapClosed { room: text("general"), to: 20, lines: 3 }));
    assert!(written(&mut session).is_empty());
}

#[test]
fn a_gap_whose_history_cannot_be_had_is_announced() {
    let left = |from, code: &str| Event::GapLeft { room: text("general"), from, to: 20, code: text(code) };
    let gap = || {
        let mut session = ready();
        hear(&mut session, "* WARN GAP room=general from=11 to=20\n", seconds(1));
        let label = written(&mut session)[0].rsplit_once('=').unwrap().1.to_owned();
        (session, label)
    };
    let (mut session, label) = gap();
    let heard = hear(&mut session, &format!("* FAIL HISTORY NOT_KEPT label={label} :x\n"), seconds(1));
    assert_eq!(heard, [left(11, "NOT_KEPT")]);
    let (mut session, label) = gap();
    let page =
        format!("@label={label};id=14;room=general Luis: a\n* FAIL HISTORY ROOM_INVALID label={label} :x\n");
    assert_eq!(hear(&mut session, &page, seconds(1)).last(), Some(&left(15, "ROOM_INVALID")));
    let (mut session, label) = gap();
    let heard = hear(&mut session, &format!("* END HISTORY room=general more=1 label={label}\n"), seconds(1));
    assert_eq!(heard, [left(11, "NO_END")]);
}

#[test]
fn a_busy_history_is_asked_again_later() {
    let mut session = ready();
    hear(&mut session, "* WARN GAP room=general from=11 to=20\n", seconds(1));
    let label = written(&mut session)[0].rsplit_once('=').unwrap().1.to_owned();
    assert_eq!(hear(&mut session, &format!("* FAIL HISTORY BUSY label={label} :x\n"), seconds(1)), []);
    assert!(written(&mut session).is_empty());
    assert_eq!(session.next_due(), Some(seconds(2)));
    session.handle_time(seconds(2));
    assert!(written(&mut session)[0].starts_with("/history room=general after=10 "));
}

#[test]
fn what_the_relay_cannot_read_is_asked_for_again_for_a_gap_and_told_to_who_scrolls() {
    let mut session = ready();
    let ticket = session.fetch("general", Way::Before(9), 2).unwrap();
    let label = written(&mut session)[0].rsplit_once('=').unwrap().1.to_owned();
    let heard = hear(&mut session, &format!("* FAIL HISTORY UNREADABLE label={label} :x\n"), seconds(1));
    assert_eq!(heard, [Event::FetchRefused { ticket, code: text("UNREADABLE") }]);
    hear(&mut session, "* WARN GAP room=general from=11 to=20\n", seconds(1));
    let mut now = seconds(1);
    let left = loop {
        session.handle_time(now);
        for asked in written(&mut session) {
            let Some((_, label)) = asked.rsplit_once('=') else { continue };
            session.handle_bytes(format!("* FAIL HISTORY UNREADABLE label={label} :x\n").as_bytes(), now);
        }
        if let Some(event) = session.poll_event() {
            break event;
        }
        now = session.next_due().unwrap();
    };
    assert_eq!(left, Event::GapLeft { room: text("general"), from: 11, to: 20, code: text("UNREADABLE") });
    assert_eq!(now, seconds(1 + 1 + 2 + 4 + 8 + 16 + 30));
}

#[test]
fn a_token_is_not_shown_to_who_debugs() {
    let numbers = format!("{:?}", b"SECRET");
    let assert_hidden = |shown: String| {
        let is_shown = shown.contains("SECRET") || shown.contains(numbers.trim_matches(['[', ']']));
        assert!(!is_shown, "{shown}");
    };
    let hello = HELLO.replace("token=T", "token=SECRET");
    let mut session = Session::new(config());
    connect(&mut session, seconds(0));
    // A greeting of which the end has not come.
    hear(&mut session, hello.trim_end(), seconds(0));
    assert_hidden(format!("{session:?}"));
    hear(&mut session, "\n", seconds(0));
    written(&mut session);
    assert_hidden(format!("{session:?}"));
    let saved = session.saved();
    assert!(saved.contains("SECRET"));
    // A hello that was not written.
    let mut again = Session::restore(config(), &saved).unwrap();
    again.handle_connected(seconds(1));
    assert_hidden(format!("{again:?} {again:#?}"));
    let hello = written(&mut again).remove(0);
    assert!(hello.contains("resume=SECRET"), "{hello}");
    // And what both are while they are read.
    assert_hidden(format!("{:?}", Hello::parse(&hello)));
    assert_hidden(format!("{:?}", Heard::parse("* HELLO v=1 name=Ana token=SECRET sid=7")));
}

#[test]
fn more_of_a_gap_than_is_wanted_is_left() {
    let mut config = config();
    config.gap_lines_max = 1;
    let mut session = Session::new(config);
    connect(&mut session, seconds(0));
    hear(
        &mut session,
        &format!("{HELLO}* JOINED room=general last=10\n* WARN GAP room=general from=11 to=20\n"),
        seconds(0),
    );
    let label = written(&mut session)[0].rsplit_once('=').unwrap().1.to_owned();
    let page = format!(
        "@label={label};id=12;room=general Luis: a\n* END HISTORY room=general more=1 label={label}\n"
    );
    let heard = hear(&mut session, &page, seconds(1));
    let left = Event::GapLeft { room: text("general"), from: 13, to: 20, code: text("TOO_MANY") };
    assert_eq!(heard.last(), Some(&left));
}

#[test]
fn who_scrolls_up_gets_a_page_and_whether_there_is_more() {
    let mut session = ready();
    let ticket = session.fetch("General", Way::Before(9), 2).unwrap();
    let asked = written(&mut session);
    let label = asked[0].strip_prefix("/history room=general before=9 limit=2 label=").unwrap();
    let page = format!(
        "@label={label};id=3;room=general;key=3.a Luis: uno\n@label={label};id=5;room=general;key=3.b Luis: dos\n\
        * END HISTORY room=general more=1 label={label}\n"
    );
    let heard = hear(&mut session, &page, seconds(1));
    assert_eq!(texts(&heard, |source| source == Source::Fetch(ticket)), ["uno", "dos"]);
    assert_eq!(heard.last(), Some(&Event::Fetched { ticket, is_more: true }));
    let ticket = session.fetch("general", Way::After(5), 2).unwrap();
    let label = written(&mut session)[0]
        .strip_prefix("/history room=general after=5 limit=2 label=")
        .unwrap()
        .to_owned();
    let heard = hear(&mut session, &format!("* FAIL HISTORY NOT_KEPT label={label} :x\n"), seconds(1));
    assert_eq!(heard, [Event::FetchRefused { ticket, code: text("NOT_KEPT") }]);
    for _ in 0..FETCHES_MAX {
        session.fetch("general", Way::After(5), 2).unwrap();
    }
    assert_eq!(session.fetch("general", Way::After(5), 2), Err(AskError::Full));
}

#[test]
fn rooms_are_joined_and_left_and_asked_for_again_after_a_cut() {
    let mut session = ready();
    session.join("Cocina").unwrap();
    session.join("patio").unwrap();
    assert_eq!(written(&mut session), ["/join cocina", "/join patio"]);
    let joined = Event::Joined { room: text("cocina") };
    assert_eq!(hear(&mut session, "* JOINED room=cocina last=5 :x\n", seconds(1)), [joined]);
    let refused =
        Event::JoinRefused { room: text("patio"), code: text("TOO_MANY_ROOMS"), sentence: text("x") };
    assert_eq!(hear(&mut session, "* FAIL JOIN TOO_MANY_ROOMS 1000 :x\n", seconds(1)), [refused]);
    session.part("general");
    assert_eq!(written(&mut session), ["/part general"]);
    assert_eq!(
        texts(&hear(&mut session, "@id=30;room=general Luis: tarde\n", seconds(1)), |_| true),
        [""; 0]
    );
    hear(&mut session, "* PARTED room=general :x\n", seconds(1));
    assert_eq!(session.rooms().collect::<Vec<_>>(), ["cocina"]);
    let hello = crate::bench::reconnect(&mut session, seconds(2));
    assert_eq!(hello, ["/hello v=1 name=Ana room=cocina resume=T after=5,cocina:5"]);
}

#[test]
fn a_room_that_was_not_asked_for_is_left() {
    let mut session = ready();
    assert_eq!(hear(&mut session, "* JOINED room=otra last=5 :x\n", seconds(1)), []);
    assert_eq!(written(&mut session), ["/part otra"]);
}

#[test]
fn another_name_is_asked_for_and_a_refused_one_is_given_up() {
    let mut session = ready();
    session.rename("Ana María").unwrap();
    assert_eq!(written(&mut session), ["/nick Ana\\sMaría"]);
    let refused = Event::RenameRefused { code: text("NAME_IN_USE"), sentence: text("ya") };
    assert_eq!(hear(&mut session, "* FAIL NICK NAME_IN_USE Ana\\sMaría :ya\n", seconds(1)), [refused]);
    assert_eq!((written(&mut session).len(), session.name()), (0, "Ana"));
    session.rename("Eva").unwrap();
    assert_eq!(written(&mut session), ["/nick Eva"]);
    hear(&mut session, "* NOTE NICK RENAMED Eva :x\n", seconds(1));
    assert_eq!((written(&mut session).len(), session.name()), (0, "Eva"));
    assert!(matches!(session.rename("a:b"), Err(AskError::Name(_))));
}

#[test]
fn commands_carry_a_label_where_their_answers_do_and_those_of_the_session_are_refused() {
    let mut session = ready();
    let label = session.command("/quien room=general").unwrap().unwrap();
    assert_eq!(session.command("/msg Luis hola"), Ok(None));
    assert_eq!(written(&mut session), [format!("/quien room=general label={label}"), text("/msg Luis hola")]);
    for line in
        ["/quit", "/join x", "/part x", "/nick x", "/hello v=1", "/history", "/pong x", "who", "/who\n/quit"]
    {
        assert_eq!(session.command(line), Err(AskError::Command), "{line:?}");
    }
    session.handle_disconnected(seconds(1));
    assert_eq!(session.command("/who"), Err(AskError::NotReady));
}

#[test]
fn a_ping_is_answered_although_the_bucket_is_empty() {
    let mut session = Session::new(config());
    connect(&mut session, seconds(0));
    hear(&mut session, &HELLO.replace("burst=0 rate=0", "burst=2 rate=1"), seconds(0));
    for _ in 0..5 {
        session.say(&general("x")).unwrap();
    }
    written(&mut session);
    assert!(written(&mut session).is_empty());
    hear(&mut session, "* PING abc\n", seconds(0));
    assert_eq!(written(&mut session), ["/pong abc"]);
}

#[test]
fn a_session_that_another_connection_took_over_stays_away_until_it_is_started() {
    let mut session = ready();
    assert_eq!(hear(&mut session, "* FAIL HELLO RESUMED :x\n", seconds(1)), [Event::TakenOver]);
    assert_eq!(actions(&mut session), [Action::Close]);
    session.handle_disconnected(seconds(2));
    session.handle_time(seconds(1000));
    assert_eq!((actions(&mut session).len(), session.next_due()), (0, None));
    session.start(seconds(1000));
    assert_eq!(actions(&mut session), [Action::Connect]);
}

/// One that is in `cocina` alone.
fn in_the_kitchen() -> Session {
    let mut session = Session::new(Config::new("relay.example:2000", "Ana", &["cocina"], 1));
    connect(&mut session, seconds(0));
    hear(&mut session, &format!("{HELLO}* JOINED room=cocina last=10 :aquí\n"), seconds(0));
    session
}

#[test]
fn whose_only_room_is_closed_stays_where_the_relay_puts_it() {
    let put_out = "* FAIL JOIN NOT_ALLOWED cocina :no\n* JOINED room=general last=12 :aquí\n";
    let joined = Event::Joined { room: text("general") };
    // While it was away.
    let mut session = in_the_kitchen();
    crate::bench::reconnect(&mut session, seconds(1));
    let told = hear(&mut session, &format!("{HELLO}{put_out}"), seconds(61));
    let refused =
        Event::JoinRefused { room: text("cocina"), code: text("NOT_ALLOWED"), sentence: text("no") };
    assert_eq!(told[1..], [refused, joined.clone()]);
    hear(&mut session, "* PONG rooms\n", seconds(61));
    assert!(written(&mut session).iter().all(|line| line.starts_with("/ping ")));
    assert_eq!(session.rooms().collect::<Vec<_>>(), ["general"]);
    assert_eq!(
        texts(&hear(&mut session, "@id=13;room=general Luis: hola\n", seconds(62)), |_| true),
        ["hola"]
    );
    // While it was there.
    let mut session = in_the_kitchen();
    let told =
        hear(&mut session, "* PARTED room=cocina :no\n* JOINED room=general last=12 :aquí\n", seconds(1));
    assert_eq!(told, [Event::Parted { room: text("cocina") }, joined]);
    assert!(written(&mut session).is_empty());
    assert_eq!(session.rooms().collect::<Vec<_>>(), ["general"]);
}

#[test]
fn who_has_given_its_only_room_up_itself_leaves_where_the_relay_still_has_it() {
    let mut session = in_the_kitchen();
    session.handle_disconnected(seconds(1));
    events(&mut session);
    session.part("cocina");
    connect(&mut session, seconds(61));
    hear(&mut session, &format!("{HELLO}* JOINED room=cocina last=12 :aquí\n"), seconds(61));
    written(&mut session);
    hear(&mut session, "* PONG rooms\n", seconds(61));
    assert_eq!(written(&mut session), ["/part cocina"]);
    // One that it asks for and may not enter is none that it was in.
    let mut session = ready();
    session.join("junta").unwrap();
    session.part("general");
    written(&mut session);
    hear(&mut session, "* FAIL JOIN NOT_ALLOWED junta :no\n* PARTED room=general :x\n", seconds(1));
    hear(&mut session, "* JOINED room=patio last=12 :aquí\n", seconds(1));
    assert_eq!(written(&mut session), ["/part patio"]);
}
