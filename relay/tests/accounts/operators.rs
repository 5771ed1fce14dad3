//! What operators do.

use std::time::Instant;

use crate::support::{Client, DEADLINE, Folder, Relay};
use crate::{account, device, expect, logged_in, make_accounts, relay};

fn with_operator() -> (Folder, Relay) {
    let folder = Folder::new();
    make_accounts(&folder, &[("Jefa", "operator"), ("Ana", "user")]);
    let relay = relay(&folder, &[]);
    (folder, relay)
}

#[test]
fn a_slip_in_a_time_makes_no_ban_and_no_mute() {
    let (_folder, relay) = with_operator();
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    for word in ["5x", "1h30m", "0", "0h", "-1h"] {
        expect(&mut jefa, &format!("/ban Ana {word} ruido"), &format!("* FAIL BAN NO_TIME {word} :"));
        expect(&mut jefa, &format!("/mute Ana {word}"), &format!("* FAIL MUTE NO_TIME {word} :"));
    }
    expect(&mut jefa, "/bans", "* END BANS shown=0 of=0");
    expect(&mut jefa, "/mute Ana 2W ruido", "* NOTE MUTE DONE Ana :");
}

#[test]
fn only_an_operator_acts() {
    let (_folder, relay) = with_operator();
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    let mut guest = relay.named("Eva");
    for (line, command) in [
        ("/kick Eva", "KICK"),
        ("/silenciar Eva", "MUTE"),
        ("/ban Eva", "BAN"),
        ("/unban Eva", "UNBAN"),
        ("/op Ana", "OP"),
        ("/deop Jefa", "DEOP"),
        ("/room junta members", "ROOM"),
        ("/allow junta Ana", "ALLOW"),
    ] {
        expect(&mut ana, line, &format!("* FAIL {command} NOT_OPERATOR :"));
        expect(&mut guest, line, &format!("* FAIL {command} NOT_OPERATOR :"));
    }
}

#[test]
fn who_is_kicked_hears_why_it_ends_and_the_others_see_it_leave_at_once() {
    let (_folder, relay) = with_operator();
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    let mut eva = relay.named("Eva");
    let mut extended = relay.client();
    extended.tell("/hello v=1 name=Pepe");
    jefa.forget();
    expect(&mut jefa, "/kick Eva demasiado ruido", "* NOTE KICK DONE Eva :");
    let told = eva.lines_until_closed();
    let kicked = "* FAIL RELAY KICKED :un operador ha cerrado tu conexión";
    assert!(told.contains(&format!("{kicked}: demasiado ruido")), "{told:?}");
    jefa.forget();
    jefa.tell("/kick Pepe");
    assert!(jefa.all_lines().contains(&"Pepe ha abandonado el chat.".to_owned()));
    assert!(extended.lines_until_closed().contains(&kicked.to_owned()));
    let said = relay.stop().join("\n");
    assert!(said.contains("act kind=kick by=Jefa target=Eva why=demasiado\\sruido"), "{said}");
}

#[test]
fn a_muted_client_says_nothing_in_any_way() {
    let (_folder, relay) = with_operator();
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    let mut device = relay.client();
    device.tell("/hello v=1 name=Ana");
    device.tell("/login Ana Ana-password");
    device.forget();
    device.tell("/hello v=1 name=Ana");
    let mut guest = relay.named("Eva");
    for name in ["Ana", "Eva"] {
        expect(&mut jefa, &format!("/mute {name} 1h"), &format!("* NOTE MUTE DONE {name} :"));
    }
    jefa.forget();
    for client in [(&mut ana, "Ana"), (&mut guest, "Eva")] {
        let (client, name) = client;
        for line in [
            format!("{name}: hola"),
            "hola".to_owned(),
            "//hola".to_owned(),
            format!("[RESPUESTA a 'x'] {name}: hola"),
            format!("{name} - Pepe: hola"),
            "Pepe: hola".to_owned(),
            "Pepe se ha unido al chat.".to_owned(),
            "/msg Jefa hola".to_owned(),
            "/privado Jefa hola".to_owned(),
            "/nick hola".to_owned(),
        ] {
            expect(client, &line, "* FAIL SAY MUTED :");
        }
        expect(client, "/who", "* END WHO ");
    }
    for line in ["@label=1 hola", "@label=2;to=Jefa hola", "@label=3;as=Pepe hola", "@label=4;reply=7 hola"] {
        let label = &line[7..8];
        expect(&mut device, line, &format!("* FAIL SAY MUTED label={label} :"));
    }
    expect(&mut device, "/msg Jefa hola", "* FAIL SAY MUTED");
    jefa.hears(&[]);
    for name in ["Ana", "Eva"] {
        expect(&mut jefa, &format!("/unmute {name}"), &format!("* NOTE UNMUTE DONE {name} :"));
    }
    jefa.forget();
    ana.tell("Ana: por fin");
    guest.tell("Eva: y yo");
    jefa.hears(&["Ana: por fin", "Eva: y yo"]);
}

#[test]
fn a_muted_account_is_muted_after_a_restart_and_until_its_time_is_over() {
    let (folder, first) = with_operator();
    let mut jefa = logged_in(&first, "Jefa", "Jefa-password");
    expect(&mut jefa, "/mute Ana", "* NOTE MUTE DONE Ana :");
    first.stop();
    let second = relay(&folder, &[]);
    let mut ana = logged_in(&second, "Ana", "Ana-password");
    expect(&mut ana, "Ana: hola", "* FAIL SAY MUTED :");
    let mut jefa = logged_in(&second, "Jefa", "Jefa-password");
    expect(&mut jefa, "/mute Ana 1s", "* NOTE MUTE DONE Ana :");
    jefa.forget();
    let until = Instant::now() + DEADLINE;
    // Until then each try is answered, and the first that is not was heard.
    loop {
        ana.tell("Ana: hola");
        if !ana.all_lines().iter().any(|line| line.starts_with("* FAIL SAY MUTED :")) {
            break;
        }
        assert!(Instant::now() < until, "the mute has no end");
    }
    jefa.hears(&["Ana: hola"]);
}

#[test]
fn an_operator_makes_another_one_and_that_outlives_the_relay() {
    let (folder, first) = with_operator();
    let mut jefa = logged_in(&first, "Jefa", "Jefa-password");
    let mut ana = logged_in(&first, "Ana", "Ana-password");
    expect(&mut jefa, "/op Ana", "* NOTE OP DONE Ana :");
    expect(&mut ana, "/deop Jefa", "* NOTE DEOP DONE Jefa :");
    expect(&mut jefa, "/op Jefa", "* FAIL OP NOT_OPERATOR :");
    expect(&mut ana, "/op Nadie", "* FAIL OP NO_ACCOUNT Nadie :");
    first.stop();
    let second = relay(&folder, &[]);
    let mut ana = logged_in(&second, "Ana", "Ana-password");
    expect(&mut ana, "/kick Nadie", "* FAIL KICK NOT_HERE Nadie :");
}

#[test]
fn whoever_is_on_this_machine_cannot_be_shut_out_by_its_address_nor_an_operator_there_at_all() {
    let (_folder, relay) = with_operator();
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    let _guest = relay.named("Eva");
    for target in ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0", "0::1", "Jefa", "Eva"] {
        expect(&mut jefa, &format!("/ban {target}"), &format!("* FAIL BAN PROTECTED {target} :"));
    }
    expect(&mut jefa, "/ban 10.0.0.0/8 2h", "* NOTE BAN DONE 10.0.0.0/8 :");
    expect(&mut jefa, "/unban 10.0.0.0/8", "* NOTE UNBAN DONE 10.0.0.0/8 :");
    expect(&mut jefa, "/unban 10.0.0.0/8", "* FAIL UNBAN NO_SUCH 10.0.0.0/8 :");
    expect(&mut jefa, "/room general members", "* FAIL ROOM DEFAULT_ROOM general :");
    expect(&mut jefa, "/room junta secreta", "* FAIL ROOM ACCESS_INVALID junta :");
    expect(&mut jefa, "/allow junta Ana", "* FAIL ALLOW NOT_CLOSED junta :");
}

#[test]
fn no_crowd_of_other_lines_hides_from_the_log_what_an_operator_did() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Jefa", "operator")]);
    let relay = relay(&folder, &["--flood", "0"]);
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    let mut noisy = relay.client();
    let names: String = (0..400).map(|number| format!("/nick n{number}\n")).collect();
    // All of it in one second, or in two.
    noisy.tell(&format!("{names}/nick Eva"));
    expect(&mut jefa, "/passwd otra clave", "* NOTE PASSWD DONE :");
    logged_in(&relay, "Jefa", "otra clave");
    expect(&mut relay.client(), "/register Ana una clave", "* NOTE REGISTER DONE name=Ana :");
    expect(&mut jefa, "/kick Eva ruido", "* NOTE KICK DONE Eva :");
    let said = relay.stop().join("\n");
    for line in ["passwd name=Jefa from=127.0.0.1", "register name=Ana from=127.0.0.1"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(said.matches("login name=Jefa from=127.0.0.1").count(), 2, "{said}");
    assert!(said.contains("act kind=kick by=Jefa target=Eva why=ruido"), "{said}");
    assert!(said.contains("left_out lines="), "{said}");
}

#[test]
fn each_device_hears_at_once_what_its_account_may_do_from_now_on() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Jefa", "operator"), ("Ana", "user"), ("Luis", "user")]);
    let mut relay = relay(&folder, &["--lang", "en"]);
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    let mut plain = logged_in(&relay, "Ana", "Ana-password");
    let (mut extended, _) = device(&relay, "Ana");
    let (mut own, _) = device(&relay, "Jefa");
    let mut guest = relay.named("Eva");
    let mut luis = logged_in(&relay, "Luis", "Luis-password");
    [&mut jefa, &mut plain, &mut extended, &mut own, &mut guest, &mut luis]
        .into_iter()
        .for_each(Client::forget);
    expect(&mut jefa, "/op Ana", "* NOTE OP DONE Ana :");
    for device in [&mut plain, &mut extended] {
        device.hears(&["* ROLE role=operator :you are an operator now; see in /help what you can do"]);
    }
    // What it was already is nothing to tell.
    expect(&mut jefa, "/op Ana", "* NOTE OP DONE Ana :");
    expect(&mut plain, "/kick Nadie", "* FAIL KICK NOT_HERE Nadie :");
    extended.hears(&[]);
    // Who takes a role away from itself is told before it hears that it is done, and without the label of that.
    own.send("/deop label=d Jefa");
    own.expect_line("* ROLE role=user :your account is now like any other");
    own.expect_line("* NOTE DEOP DONE Jefa label=d :…");
    jefa.hears(&["* ROLE role=user :…"]);
    assert!(account(&folder, &["role", "Ana", "bridge"], "").0);
    relay.signal("HUP");
    relay.await_said("accounts changed=1 gone=0");
    for device in [&mut plain, &mut extended] {
        device.hears(&["* ROLE role=bridge :your account is a bridge now, and may speak for others"]);
    }
    guest.hears(&[]);
    luis.hears(&[]);
    assert!(device(&relay, "Ana").0.all_lines().iter().all(|line| !line.starts_with("* ROLE ")));
}

#[test]
fn the_log_has_who_logged_in_who_registered_whom_and_who_has_a_new_password() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Jefa", "operator")]);
    let relay = relay(&folder, &[]);
    let mut jefa = logged_in(&relay, "Jefa", "Jefa-password");
    expect(&mut jefa, "/register Luis\\sL una clave", "* NOTE REGISTER DONE name=Luis\\sL :");
    expect(&mut jefa, "/passwd otra clave", "* NOTE PASSWD DONE :");
    expect(&mut relay.client(), "/register Ana la de Ana", "* NOTE REGISTER DONE name=Ana :");
    let said = relay.stop();
    for line in [
        "login name=Jefa from=127.0.0.1",
        "register name=Luis\\sL by=Jefa from=127.0.0.1",
        "passwd name=Jefa from=127.0.0.1",
        "register name=Ana from=127.0.0.1",
    ] {
        assert!(said.iter().any(|other| other == line), "{line}: {said:?}");
    }
    assert!(!said.concat().contains("clave") && !said.concat().contains("la de"), "{said:?}");
}
