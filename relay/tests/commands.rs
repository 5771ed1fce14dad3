//! What the relay says itself, and commands: PROTOCOL.md, sections 4 and 5, rule by rule.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::{Client, Relay};

#[test]
fn each_command_has_an_english_and_a_spanish_name() {
    let relay = Relay::calm();
    let [mut ana, _luis] = relay.people(["Ana", "Luis"]);
    let pairs = [
        ("/rooms", "/salas"),
        ("/who", "/quien"),
        ("/who room=general", "/quien room=general"),
        ("/help", "/ayuda"),
        ("/msg Nadie hola", "/privado Nadie hola"),
        ("/nick Luis", "/nombre Luis"),
        ("/join dos#:", "/sala dos#:"),
    ];
    for (english, spanish) in pairs {
        ana.tell(english);
        let answer = ana.all_lines();
        assert!(!answer.is_empty(), "{english}");
        ana.tell(spanish);
        assert_eq!(ana.all_lines(), answer, "{spanish}");
    }
}

#[test]
fn an_unknown_command_and_a_missing_word_are_named() {
    let relay = Relay::calm();
    let [mut luis, mut ana] = relay.people(["Luis", "Ana"]);
    let cases = [
        ("/baila", "* FAIL BAILA UNKNOWN_COMMAND :…"),
        ("/hello v=1 name=Eva", "* FAIL HELLO TOO_LATE :…"),
        ("/part cocina", "* FAIL PART NOT_EXTENDED :…"),
        ("/join", "* FAIL JOIN MISSING ROOM :…"),
        ("/msg", "* FAIL MSG MISSING NAME :…"),
        ("/msg Luis", "* FAIL MSG MISSING TEXT :…"),
        ("/nick", "* FAIL NICK MISSING NAME :…"),
    ];
    for (command, answer) in cases {
        ana.tell(command);
        ana.hears(&[answer]);
    }
    luis.hears(&[]);
}

#[test]
fn unknown_options_are_ignored() {
    let relay = Relay::calm();
    let mut nobody = relay.client();
    nobody.tell("/who colour=red room=general x=\\s");
    nobody.hears(&["* END WHO room=general shown=0 of=0"]);
    nobody.tell("/rooms colour=red");
    nobody.hears(&["* ROOMS room=general names=0", "* END ROOMS shown=1 of=1"]);
}

#[test]
fn a_command_is_never_said() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for command in ["/who", "/rooms", "/help", "/ping x", "/baila", "/", "/ hola"] {
        ana.tell(command);
    }
    luis.hears(&[]);
}

#[test]
fn ping_gives_back_its_word() {
    let relay = Relay::calm();
    let mut nobody = relay.client();
    nobody.tell("/ping 1234-año");
    nobody.hears(&["* PONG 1234-año"]);
}

#[test]
fn help_lists_the_commands() {
    let relay = Relay::calm();
    let mut nobody = relay.client();
    nobody.tell("/help");
    let mut lines = nobody.all_lines();
    assert_eq!(lines.pop().as_deref(), Some("* END HELP"));
    assert!(lines.iter().all(|line| line.starts_with("* HELP ") && line.contains(" :")), "{lines:?}");
    for command in ["join", "rooms", "who", "msg", "nick", "help", "ping", "quit"] {
        assert!(
            lines.iter().any(|line| line.to_lowercase().contains(command)),
            "{command} is not in {lines:?}"
        );
    }
}

#[test]
fn quit_shows_the_leave_once_says_goodbye_and_closes() {
    for command in ["/quit", "/salir"] {
        let relay = Relay::calm();
        let [mut luis, mut ana] = relay.people(["Luis", "Ana"]);
        ana.send_bytes(format!("Ana: me voy\n{command}\nAna: ya no\n").as_bytes());
        ana.expect_line("* NOTE QUIT BYE :…");
        ana.expect_closed();
        luis.expect_line("Ana: me voy");
        luis.expect_line("Ana ha abandonado el chat.");
        luis.hears(&[]);
    }
}

#[test]
fn who_goes_to_another_room_hears_and_is_heard_there_only() {
    let relay = Relay::calm();
    let [mut ana, mut luis, mut eva] = relay.people(["Ana", "Luis", "Eva"]);
    ana.tell("/join cocina");
    ana.hears(&["* JOINED room=cocina :…"]);
    luis.hears(&["Ana ha abandonado el chat."]);
    luis.tell("/sala Cocina");
    luis.hears(&["* JOINED room=cocina :…"]);
    ana.hears(&["Luis se ha unido al chat."]);
    ana.tell("Ana: en la cocina");
    luis.hears(&["Ana: en la cocina"]);
    eva.tell("Eva: en general");
    eva.hears(&["Ana ha abandonado el chat.", "Luis ha abandonado el chat."]);
    luis.hears(&[]);
    ana.tell("/join general");
    luis.hears(&["Ana ha abandonado el chat."]);
    eva.hears(&["Ana se ha unido al chat."]);
}

#[test]
fn what_is_no_room_is_not_joined() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    for room in [&"r".repeat(33), "#general", "a:b", "@x", "*", "a\u{a0}b", "a\u{200b}b"] {
        ana.tell(&format!("/join {room}"));
        ana.hears(&["* FAIL JOIN ROOM_INVALID :…"]);
    }
    luis.hears(&[]);
    let longest = "r".repeat(32);
    ana.tell(&format!("/join {longest}"));
    ana.hears(&[&format!("* JOINED room={longest} :…")]);
}

#[test]
fn a_room_is_gone_when_nobody_is_in_it() {
    let relay = Relay::calm();
    let [mut ana] = relay.people(["Ana"]);
    ana.tell("/join cocina");
    ana.tell("/join salon");
    ana.tell("/rooms");
    ana.forget();
    ana.tell("/join general");
    ana.tell("/rooms");
    ana.hears(&["* JOINED room=general :…", "* ROOMS room=general names=1", "* END ROOMS shown=1 of=1"]);
    ana.tell("/who room=cocina");
    ana.hears(&["* FAIL WHO NO_SUCH_ROOM cocina :…"]);
}

#[test]
fn an_unnamed_connection_goes_to_another_room_without_a_notice() {
    let relay = Relay::calm();
    let [mut luis] = relay.people(["Luis"]);
    let mut nobody = relay.client();
    nobody.tell("/join cocina");
    nobody.hears(&["* JOINED room=cocina :…"]);
    luis.tell("/join cocina");
    luis.hears(&["* JOINED room=cocina :…"]);
    nobody.hears(&["Luis se ha unido al chat."]);
}

#[test]
fn there_are_at_most_1000_rooms() {
    let relay = Relay::calm();
    let mut clients: Vec<Client> = (0..=1000).map(|_| relay.client()).collect();
    let mut refused = 0;
    for (number, client) in clients.iter_mut().enumerate() {
        client.tell(&format!("/join sala{number}"));
        let answer = client.next_line();
        refused += usize::from(support::matches("* FAIL JOIN TOO_MANY_ROOMS 1000 :…", &answer));
        assert!(refused > 0 || answer.starts_with(&format!("* JOINED room=sala{number} :")), "{answer}");
    }
    // `general` counts while somebody is in it, or always.
    assert!((1..=2).contains(&refused), "{refused} of 1001 refused");
}

#[test]
fn rooms_are_listed_by_name_at_most_256_at_once_and_paged() {
    let relay = Relay::calm();
    let mut clients: Vec<Client> = (0..300).map(|_| relay.client()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.tell(&format!("/join a{number:03}"));
    }
    let mut asking = clients.pop().unwrap();
    asking.forget();
    asking.tell("/rooms");
    let first = asking.all_lines();
    assert_eq!((first.len(), first[0].as_str()), (257, "* ROOMS room=a000 names=0"));
    assert!(first[256].starts_with("* END ROOMS shown=256 of="), "{}", first[256]);
    asking.tell("/rooms after=a255");
    let rest = asking.all_lines();
    assert_eq!(
        (rest[0].as_str(), rest[43].as_str()),
        ("* ROOMS room=a256 names=0", "* ROOMS room=a299 names=0")
    );
    assert!(rest.last().unwrap().starts_with("* END ROOMS shown=4"), "{rest:?}");
}

#[test]
fn names_are_listed_by_name_at_most_256_at_once_and_paged() {
    let relay = Relay::calm();
    let mut asking = relay.client();
    let clients: Vec<Client> = (0..300).rev().map(|number| relay.named(&format!("u {number:03}"))).collect();
    asking.forget();
    let page = |numbers: std::ops::Range<usize>, end: &str| {
        let line = |number| format!("* WHO room=general name=u\\s{number:03}");
        numbers.map(line).chain([end.to_owned()]).collect::<Vec<_>>()
    };
    asking.tell("/who");
    assert_eq!(heard_without_notices(&mut asking), page(0..256, "* END WHO room=general shown=256 of=300"));
    asking.tell("/quien room=general after=u\\s255");
    assert_eq!(heard_without_notices(&mut asking), page(256..300, "* END WHO room=general shown=44 of=300"));
    drop(clients);
}

/// The notices of so many joins come in storms, whose lines come when their second is over.
fn heard_without_notices(client: &mut Client) -> Vec<String> {
    client.all_lines().into_iter().filter(|line| !line.starts_with("* NOTE ROOM STORM")).collect()
}

#[test]
fn who_names_the_room_asked_for() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    luis.tell("/join cocina");
    luis.hears(&["* JOINED room=cocina :…"]);
    ana.hears(&["Luis ha abandonado el chat."]);
    ana.tell("/who room=cocina");
    ana.hears(&["* WHO room=cocina name=Luis", "* END WHO room=cocina shown=1 of=1"]);
    ana.tell("/who room=bar");
    ana.hears(&["* FAIL WHO NO_SUCH_ROOM bar :…"]);
}

#[test]
fn a_private_line_is_heard_by_one_alone() {
    let relay = Relay::calm();
    let [mut maria, mut luis, mut eva] = relay.people(["Ana María", "Luis", "Eva"]);
    luis.tell("/msg Ana\\sMaría ¿vamos?  a=b :x");
    maria.hears(&["* PRIVATE Luis :¿vamos?  a=b :x"]);
    maria.tell("/privado LUIS sí\u{1b}\u{202e}\u{2029}voy");
    luis.hears(&["* PRIVATE Ana\\sMaría :sí\u{2028}voy"]);
    eva.tell("/join cocina");
    eva.hears(&["* JOINED room=cocina :…"]);
    luis.tell("/msg Eva ¿me oyes?");
    eva.hears(&["* PRIVATE Luis :¿me oyes?"]);
}

#[test]
fn a_private_line_needs_a_sender_and_a_receiver() {
    let relay = Relay::calm();
    let [mut ana] = relay.people(["Ana"]);
    ana.tell("/msg Luis\\sX hola");
    ana.hears(&["* FAIL MSG NOT_HERE Luis\\sX :…"]);
    let mut nobody = relay.client();
    nobody.tell("/msg Ana hola");
    nobody.hears(&["* FAIL MSG NAME_NEEDED :…"]);
    ana.hears(&[]);
}

#[test]
fn nick_shows_leave_then_join_and_frees_the_old_name() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    ana.tell("/nick Eva\\sMaría");
    ana.hears(&["* NOTE NICK RENAMED Eva\\sMaría :…"]);
    luis.hears(&["Ana ha abandonado el chat.", "Eva María se ha unido al chat."]);
    ana.tell("hola");
    luis.hears(&["Eva María: hola"]);
    luis.tell("/nombre Ana");
    luis.hears(&["* NOTE NICK RENAMED Ana :…"]);
}

#[test]
fn nick_refuses_names_in_use_reserved_and_invalid() {
    let relay = Relay::calm();
    let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
    let cases = [
        ("/nick LUIS", "* FAIL NICK NAME_IN_USE LUIS :…"),
        ("/nick Tertulia", "* FAIL NICK NAME_RESERVED Tertulia :…"),
        ("/nick a:b", "* FAIL NICK NAME_INVALID :…"),
        ("/nick *x", "* FAIL NICK NAME_INVALID :…"),
        ("/nick Ana\\nLuis", "* FAIL NICK NAME_INVALID :…"),
        ("/nick Luis\\sse\\sha\\sunido\\sal\\schat.", "* FAIL NICK NAME_INVALID :…"),
    ];
    for (command, answer) in cases {
        ana.tell(command);
        ana.hears(&[answer]);
    }
    ana.tell("sigo siendo yo");
    luis.hears(&["Ana: sigo siendo yo"]);
}

#[test]
fn sentences_are_spanish_or_english_and_words_for_machines_and_notices_are_the_same() {
    let heard_in = |flags: &[&str]| {
        let relay = Relay::start(flags);
        let [mut ana, mut luis] = relay.people(["Ana", "Luis"]);
        ana.tell("/baila");
        ana.tell("/join cocina");
        assert_eq!(luis.next_line(), "Ana ha abandonado el chat.");
        ana.all_lines()
    };
    let (default, es) = (heard_in(&[]), heard_in(&["--lang", "es"]));
    let en = heard_in(&["--lang", "en"]);
    assert_eq!(default, es);
    assert_eq!(es.len(), en.len());
    for (es, en) in es.iter().zip(&en) {
        let (es, en) = (es.split_once(" :").unwrap(), en.split_once(" :").unwrap());
        assert_eq!(es.0, en.0);
        assert_ne!(es.1, en.1);
    }
}

#[test]
fn a_storm_of_notices_is_told_in_one_line_a_second_and_none_is_lost() {
    let relay = Relay::calm();
    let mut luis = relay.client();
    luis.sync();
    let mut crowd: Vec<Client> = (0..100).map(|_| relay.client()).collect();
    relay.in_one_batch(|| {
        for (number, client) in crowd.iter_mut().enumerate() {
            client.send(&format!("u{number} se ha unido al chat."));
        }
    });
    let (mut shown, mut told) = (0, 0);
    while shown + told < 100 {
        let line = luis.next_line();
        match line.strip_prefix("* NOTE ROOM STORM joined=").and_then(|rest| rest.split_once(" left=0 :")) {
            Some((joined, _)) => told += joined.parse::<usize>().unwrap(),
            None if line.ends_with(" se ha unido al chat.") => shown += 1,
            None => panic!("{line:?} in a storm of joins"),
        }
    }
    assert!(shown >= 20 && told > 0, "{shown} shown, {told} told");
    luis.hears(&[]);
    assert_eq!(shown + told, 100);
}
