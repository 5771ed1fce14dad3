//! Extended mode: tags, labels, acknowledgements, several rooms, resume. Without a history: what is kept on a disk is
//! tested elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::{Client, DEADLINE, Heard, Relay};

/// An extended connection that was greeted, with the token it was given.
fn greeted(relay: &Relay, words: &str) -> (Client, String) {
    let mut client = relay.client();
    client.send(&format!("/hello v=1 {words}"));
    let hello = client.next_line();
    let token = word(&hello, "token");
    (client, token)
}

/// An extended connection in `general`, with its token; all that was said before is heard.
fn extended(relay: &Relay, name: &str) -> (Client, String) {
    let (mut client, token) = greeted(relay, &format!("name={name}"));
    client.forget();
    (client, token)
}

/// The value of `key=` in a line of the relay.
fn word(line: &str, key: &str) -> String {
    let start = format!("{key}=");
    let found = line.split(' ').find_map(|word| word.strip_prefix(&start));
    found.unwrap_or_else(|| panic!("{key} is missing in {line:?}")).to_owned()
}

/// The value of a tag.
fn tag(line: &str, key: &str) -> Option<String> {
    let tags = line.strip_prefix('@')?.split(' ').next()?;
    tags.split(';').find_map(|tag| Some(tag.strip_prefix(key)?.strip_prefix('=')?.to_owned()))
}

/// The next line without its tags, which must have an id.
fn said(client: &mut Client) -> (u64, String) {
    let line = client.next_line();
    let id = tag(&line, "id").unwrap_or_else(|| panic!("no id in {line:?}"));
    (id.parse().unwrap(), line.split_once(' ').unwrap().1.to_owned())
}

/// Says a line and gives the id that it was acknowledged under.
fn say(client: &mut Client, label: &str, line: &str) -> u64 {
    client.send(line);
    let ack = client.next_line();
    assert!(ack.starts_with(&format!("* ACK label={label} ")), "{ack}");
    word(&ack, "id").parse().unwrap()
}

#[test]
fn a_hello_is_answered_with_a_token_the_limits_and_the_room() {
    let relay = Relay::start(&["--flood", "7,3"]);
    let (mut ana, token) = greeted(&relay, "name=Ana\\sMaría room=Cocina");
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    assert!(ana.next_line().starts_with("* JOINED room=cocina last="));
    let mut other = relay.client();
    other.send("/hello v=1 name=Luis");
    let hello = other.next_line();
    assert!(hello.starts_with("* HELLO v=1 name=Luis token="), "{hello}");
    assert!(hello.ends_with(" line=16384 burst=7 rate=3 durability=none"), "{hello}");
}

#[test]
fn a_hello_that_cannot_be_is_refused_and_another_one_may_follow() {
    let relay = Relay::calm();
    let _ana = relay.named("Ana");
    let mut luis = relay.client();
    let cases = [
        ("/hello", "* FAIL HELLO VERSION 1 :…"),
        ("/hello v=2 name=Luis", "* FAIL HELLO VERSION 1 :…"),
        ("/hello v=1", "* FAIL HELLO NAME_INVALID :…"),
        ("/hello v=1 name=a:b", "* FAIL HELLO NAME_INVALID :…"),
        ("/hello v=1 name=Luis\\s-\\sEva", "* FAIL HELLO NAME_INVALID :…"),
        ("/hello v=1 name=ANA", "* FAIL HELLO NAME_IN_USE ANA :…"),
        ("/hello v=1 name=Tertulia", "* FAIL HELLO NAME_RESERVED Tertulia :…"),
        ("/hello v=1 name=Luis room=a\\sb", "* FAIL HELLO ROOM_INVALID :…"),
    ];
    for (hello, answer) in cases {
        luis.send(hello);
        luis.expect_line(answer);
    }
    luis.send("/hello v=1 name=Luis");
    assert!(luis.next_line().starts_with("* HELLO "));
    luis.forget();
    luis.tell("/hello v=1 name=Luis");
    luis.hears(&["* FAIL HELLO ALREADY :…"]);
}

#[test]
fn a_connection_that_has_a_name_is_too_late_for_a_hello() {
    let relay = Relay::calm();
    let mut ana = relay.named("Ana");
    ana.tell("/hello v=1 name=Eva");
    ana.hears(&["* FAIL HELLO TOO_LATE :…"]);
}

#[test]
fn what_extended_connections_hear_carries_tags_and_plain_ones_hear_what_they_always_did() {
    let relay = Relay::calm();
    let (mut ana, _) = extended(&relay, "Ana");
    let mut luis = relay.named("Luis");
    let joined = ana.next_line();
    assert_eq!(tag(&joined, "notice").as_deref(), Some("join"));
    assert!(joined.ends_with(" Luis se ha unido al chat."), "{joined}");
    luis.tell("Luis: hola");
    let line = ana.next_line();
    assert!(line.ends_with(" Luis: hola"), "{line}");
    assert_eq!((tag(&line, "room").as_deref(), tag(&line, "key")), (Some("general"), None));
    assert_eq!(tag(&line, "time").map(|time| time.len()), Some(24));
    say(&mut ana, "1", "@label=1 buenas");
    luis.hears(&["Ana: buenas"]);
    luis.tell("[RESPUESTA a 'Ana: buenas'] Luis: sí");
    let reply = ana.next_line();
    assert_eq!(tag(&reply, "quote").as_deref(), Some("Ana:\\sbuenas"));
    assert!(reply.ends_with(" Luis: sí"), "{reply}");
}

#[test]
fn a_line_is_acknowledged_once_it_is_said_and_its_repeats_get_the_same_answer_and_are_not_said() {
    let relay = Relay::calm();
    let (mut ana, _) = extended(&relay, "Ana");
    let (mut eva, _) = extended(&relay, "Eva");
    let mut luis = relay.named("Luis");
    ana.forget();
    let id = say(&mut ana, "a.1", "@label=a.1 hola");
    assert_eq!(say(&mut ana, "a.1", "@label=a.1 hola"), id);
    let next = say(&mut ana, "a.2", "@label=a.2;unknown=x hola");
    assert!(next > id);
    ana.tell("@label=a.1 otra cosa");
    ana.hears(&["* FAIL SAY LABEL_REUSED label=a.1 :…"]);
    luis.hears(&["Ana: hola", "Ana: hola"]);
    assert!(said(&mut eva).1.ends_with("se ha unido al chat."));
    let heard = eva.next_line();
    assert_eq!(tag(&heard, "id"), Some(id.to_string()));
    assert!(tag(&heard, "key").is_some_and(|key| key.ends_with(".a.1")), "{heard}");
    assert_eq!(said(&mut eva), (next, "Ana: hola".into()));
    // A label is a session's own.
    say(&mut eva, "a.1", "@label=a.1 yo también");
}

#[test]
fn a_line_that_cannot_be_said_is_refused_with_its_label() {
    let relay = Relay::calm();
    let (mut ana, _) = extended(&relay, "Ana");
    let long = format!("@label={} x", "l".repeat(65));
    let cases = [
        ("hola", "* FAIL SAY LABEL_NEEDED :…"),
        ("Ana: hola", "* FAIL SAY LABEL_NEEDED :…"),
        ("@room=general hola", "* FAIL SAY LABEL_NEEDED :…"),
        (&long, "* FAIL SAY LABEL_INVALID :…"),
        ("@label=ñ hola", "* FAIL SAY LABEL_INVALID :…"),
        ("@label=1 ", "* FAIL SAY EMPTY label=1 :…"),
        ("@label=1;room=cocina hola", "* FAIL SAY NO_ROOM label=1 :…"),
        ("@label=1;reply=x hola", "* FAIL SAY TAG_INVALID reply label=1 :…"),
        ("@label=1;as=a:b hola", "* FAIL SAY TAG_INVALID as label=1 :…"),
        ("@label=1;to=Luis hola", "* FAIL SAY NOT_HERE label=1 :…"),
    ];
    for (line, answer) in cases {
        ana.tell(line);
        ana.hears(&[answer]);
    }
    say(&mut ana, "1", "@label=1 ahora sí");
}

#[test]
fn a_reply_is_seen_as_a_bracket_by_plain_connections_and_as_an_id_by_extended_ones() {
    let relay = Relay::calm();
    let (mut ana, _) = extended(&relay, "Ana");
    let (mut eva, _) = extended(&relay, "Eva");
    let mut luis = relay.named("Luis");
    ana.forget();
    eva.forget();
    luis.tell("Luis: ¿cenamos?");
    let (id, _) = said(&mut ana);
    say(&mut ana, "1", &format!("@label=1;reply={id} a las nueve"));
    luis.hears(&["[RESPUESTA a 'Luis: ¿cenamos?'] Ana: a las nueve"]);
    assert_eq!(said(&mut eva).0, id);
    assert_eq!(tag(&eva.next_line(), "reply"), Some(id.to_string()));
    // A line that the log does not have is named by its id alone.
    say(&mut ana, "2", "@label=2;reply=7 ¿qué?");
    luis.hears(&["Ana: ¿qué?"]);
}

#[test]
fn an_extended_connection_speaks_for_others_under_its_own_name() {
    let relay = Relay::calm();
    let (mut bridge, _) = extended(&relay, "Telegram");
    let mut luis = relay.named("Luis");
    bridge.forget();
    say(&mut bridge, "1", "@label=1;as=Eva\\sG hola");
    luis.hears(&["Telegram - Eva G: hola"]);
}

#[test]
fn a_private_line_reaches_its_receiver_alone_in_the_form_it_understands() {
    let relay = Relay::calm();
    let (mut ana, _) = extended(&relay, "Ana");
    let (mut eva, _) = extended(&relay, "Eva");
    let mut luis = relay.named("Luis");
    ana.forget();
    eva.forget();
    say(&mut ana, "1", "@label=1;to=Luis psst");
    luis.hears(&["* PRIVATE Ana :psst"]);
    say(&mut ana, "2", "@label=2;to=eva hola");
    let line = eva.next_line();
    assert_eq!((tag(&line, "private").as_deref(), tag(&line, "room")), (Some("1"), None));
    assert!(line.ends_with(" Ana: hola"), "{line}");
    luis.tell("/msg Ana ¿sí?");
    assert_eq!(said(&mut ana).1, "Luis: ¿sí?");
    eva.hears(&[]);
}

#[test]
fn an_extended_connection_is_in_several_rooms_and_names_the_one_it_speaks_in() {
    let relay = Relay::calm();
    let (mut ana, _) = extended(&relay, "Ana");
    let mut luis = relay.named("Luis");
    luis.tell("/join cocina");
    ana.forget();
    luis.forget();
    ana.send("/join cocina label=j");
    let joined = ana.next_line();
    assert!(joined.starts_with("* JOINED room=cocina last=") && joined.contains(" label=j :"), "{joined}");
    ana.tell("@label=1 ¿dónde?");
    ana.hears(&["* FAIL SAY NO_ROOM label=1 :…"]);
    say(&mut ana, "1", "@label=1;room=COCINA aquí");
    luis.hears(&["Ana se ha unido al chat.", "Ana: aquí"]);
    luis.tell("Luis: bien");
    let line = ana.next_line();
    assert_eq!(tag(&line, "room").as_deref(), Some("cocina"));
    ana.tell("/part cocina");
    ana.hears(&["* PARTED room=cocina :…"]);
    luis.tell("Luis: ¿sigues?");
    luis.hears(&["Ana ha abandonado el chat."]);
    say(&mut ana, "2", "@label=2 en general");
    ana.tell("/part cocina");
    ana.hears(&["* FAIL PART NO_ROOM :…"]);
    ana.tell("/part general");
    ana.hears(&["* PARTED room=general :…"]);
    ana.tell("@label=3 ¿hay alguien?");
    ana.hears(&["* FAIL SAY NO_ROOM label=3 :…"]);
}

#[test]
fn nobody_is_in_more_than_32_rooms() {
    let relay = Relay::calm();
    let (mut ana, _) = extended(&relay, "Ana");
    for number in 1..32 {
        ana.send(&format!("/join r{number}"));
        assert!(ana.next_line().starts_with(&format!("* JOINED room=r{number} ")));
    }
    ana.tell("/join r32");
    ana.hears(&["* FAIL JOIN TOO_MANY_ROOMS 32 :…"]);
    let mut luis = relay.named("Luis");
    luis.tell("/join r31");
    ana.forget();
    luis.forget();
    for number in [31, 7, 0] {
        let room = if number == 0 { "general".into() } else { format!("r{number}") };
        luis.tell(&format!("/join {room}"));
        luis.tell("Luis: aquí estoy");
        let lines = ana.all_lines();
        let heard = lines.iter().filter(|line| line.ends_with(" Luis: aquí estoy"));
        let rooms: Vec<_> = heard.filter_map(|line| tag(line, "room")).collect();
        assert_eq!(rooms, [room]);
    }
}

#[test]
fn the_answers_of_a_command_repeat_its_label() {
    let relay = Relay::calm();
    let (mut ana, _) = extended(&relay, "Ana");
    ana.tell("/who label=w.1");
    ana.hears(&["* WHO room=general name=Ana label=w.1", "* END WHO room=general shown=1 of=1 label=w.1"]);
    ana.tell("/baila label=x");
    ana.hears(&["* FAIL BAILA UNKNOWN_COMMAND label=x :…"]);
    ana.tell("/history label=h");
    ana.hears(&["* FAIL HISTORY NOT_KEPT label=h :…"]);
    ana.tell("/who");
    ana.hears(&["* WHO room=general name=Ana", "* END WHO room=general shown=1 of=1"]);
}

#[test]
fn who_comes_back_hears_what_it_missed_and_the_others_never_see_it_go() {
    let relay = Relay::calm();
    let (mut ana, token) = extended(&relay, "Ana");
    let mut luis = relay.named("Luis");
    ana.forget();
    luis.tell("Luis: uno");
    let (first, _) = said(&mut ana);
    let own = say(&mut ana, "1", "@label=1 dos");
    ana.reset();
    luis.tell("Luis: tres");
    luis.tell("/who");
    luis.hears(&[
        "Ana: dos",
        "* WHO room=general name=Ana",
        "* WHO room=general name=Luis",
        "* END WHO room=general shown=2 of=2",
    ]);
    let (mut ana, again) = greeted(&relay, &format!("name=Ana resume={token} after={first}"));
    assert_eq!(again, token);
    assert!(ana.next_line().starts_with("* JOINED room=general last="));
    // Its own line is among what was said since: the key tells it whose it is.
    assert_eq!(said(&mut ana), (own, "Ana: dos".into()));
    assert_eq!(said(&mut ana).1, "Luis: tres");
    assert_eq!(say(&mut ana, "1", "@label=1 dos"), own);
    luis.hears(&[]);
}

#[test]
fn a_second_connection_takes_a_session_over_and_nothing_more_is_read_of_the_first() {
    let relay = Relay::calm();
    let (mut ghost, token) = extended(&relay, "Ana");
    let mut luis = relay.named("Luis");
    ghost.forget();
    let (mut ana, _) = greeted(&relay, &format!("resume={token}"));
    ghost.send("@label=1 soy un fantasma");
    let lines = ghost.lines_until_closed();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(support::matches("* FAIL HELLO RESUMED :…", &lines[0]), "{lines:?}");
    ana.forget();
    say(&mut ana, "1", "@label=1 soy yo");
    luis.hears(&["Ana: soy yo"]);
}

#[test]
fn a_hello_whose_ending_never_came_takes_no_session_over() {
    let relay = Relay::calm();
    let (mut ana, token) = extended(&relay, "Ana");
    let mut stale = relay.client();
    stale.send_bytes(format!("/hello v=1 resume={token}").as_bytes());
    stale.half_close();
    stale.expect_closed();
    say(&mut ana, "1", "@label=1 sigo aquí");
}

#[test]
fn an_unknown_token_is_told_and_a_new_session_begins() {
    let relay = Relay::calm();
    let mut ana = relay.client();
    ana.send("/hello v=1 name=Ana resume=0123456789abcdef0123456789abcdef after=7");
    ana.expect_line("* WARN HELLO RESUME_UNKNOWN :…");
    let hello = ana.next_line();
    assert!(hello.starts_with("* HELLO ") && word(&hello, "token") != "0123456789abcdef0123456789abcdef");
}

#[test]
fn who_says_goodbye_is_seen_to_go_at_once_and_comes_back_with_a_join() {
    let relay = Relay::calm();
    let (mut ana, token) = extended(&relay, "Ana");
    let mut luis = relay.named("Luis");
    ana.forget();
    ana.send("/quit");
    ana.expect_line("* NOTE QUIT BYE :…");
    ana.expect_closed();
    luis.expect_line("Ana ha abandonado el chat.");
    let (mut ana, _) = greeted(&relay, &format!("resume={token}"));
    luis.expect_line("Ana se ha unido al chat.");
    ana.forget();
    ana.send("Ana ha abandonado el chat.");
    ana.expect_closed();
    luis.expect_line("Ana ha abandonado el chat.");
    let mut eva = relay.client();
    eva.send("/hello v=1 name=Ana");
    assert!(eva.next_line().starts_with("* HELLO v=1 name=Ana "), "the name is free again");
    let mut ana = relay.client();
    ana.send(&format!("/hello v=1 resume={token}"));
    ana.expect_line("* FAIL HELLO NAME_IN_USE Ana :…");
    ana.send(&format!("/hello v=1 name=Anita resume={token}"));
    assert!(ana.next_line().starts_with("* HELLO v=1 name=Anita "), "another name is taken up");
}

#[test]
fn the_name_of_one_who_may_come_back_is_held_until_the_grace_is_over() {
    let relay = Relay::calm();
    let (ana, token) = extended(&relay, "Ana");
    let mut luis = relay.named("Luis");
    ana.reset();
    luis.forget();
    let mut eva = relay.client();
    eva.send("/hello v=1 name=ana");
    eva.expect_line("* FAIL HELLO NAME_IN_USE ana :…");
    // Ten seconds later everybody sees it go, and the name is free.
    let until = std::time::Instant::now() + DEADLINE + DEADLINE;
    let heard = luis.hear(until.saturating_duration_since(std::time::Instant::now()));
    assert_eq!(heard, Heard::Line("Ana ha abandonado el chat.".into()));
    eva.expect_line("Ana ha abandonado el chat.");
    eva.send("/hello v=1 name=ana");
    assert!(eva.next_line().starts_with("* HELLO v=1 name=ana "));
    let mut ana = relay.client();
    ana.send(&format!("/hello v=1 resume={token}"));
    ana.expect_line("* FAIL HELLO NAME_IN_USE Ana :…");
}

#[test]
fn a_reader_that_fell_far_behind_is_told_of_the_gap_and_goes_on() {
    let relay = Relay::start(&["--flood", "0", "--room-log-bytes", "131072"]);
    let mut ana = Client::connect_with_small_buffers(relay.address());
    ana.send("/hello v=1 name=Ana");
    let mut luis = relay.named("Luis");
    ana.forget();
    luis.send("Luis: el primero");
    let (first, _) = said(&mut ana);
    let text = "x".repeat(16_000);
    for _ in 0..600 {
        luis.send(&format!("Luis: {text}"));
    }
    luis.sync();
    luis.tell("Luis: el último");
    let mut newest = first;
    let mut gaps = 0;
    loop {
        let line = ana.next_line();
        if line.starts_with("* WARN GAP room=general ") {
            let (from, to): (u64, u64) =
                (word(&line, "from").parse().unwrap(), word(&line, "to").parse().unwrap());
            assert!(newest < from && from <= to, "{line} behind {newest}");
            (newest, gaps) = (to, gaps + 1);
            continue;
        }
        let id: u64 = tag(&line, "id").unwrap().parse().unwrap();
        assert!(id > newest, "{line} behind {newest}");
        newest = id;
        if line.ends_with(" Luis: el último") {
            break;
        }
    }
    assert!(gaps > 0, "it never fell behind");
    say(&mut ana, "1", "@label=1 sigo aquí");
}
