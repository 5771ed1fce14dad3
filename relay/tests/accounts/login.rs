//! Names that are their owner's.

use crate::support::{Client, Folder};
use crate::{ask, expect, logged_in, make_accounts, relay};

#[test]
fn who_registers_a_name_has_it_again_after_a_restart_and_nobody_else_does() {
    let folder = Folder::new();
    let first = relay(&folder, &[]);
    let mut ana = first.client();
    expect(&mut ana, "/register Ana dos palabras", "* NOTE REGISTER DONE name=Ana :");
    ana.tell("Ana: ya estoy");
    first.stop();
    let second = relay(&folder, &[]);
    let mut other = second.client();
    expect(&mut other, "Ana: no soy yo", "* FAIL SAY NAME_REGISTERED Ana :");
    expect(&mut other, "Ana se ha unido al chat.", "* NOTE JOIN RENAMED Ana_2 :");
    expect(&mut other, "/nick ANA", "* FAIL NICK NAME_REGISTERED ANA :");
    expect(&mut other, "/hello v=1 name=Ana", "* FAIL HELLO TOO_LATE :");
    let mut ana = logged_in(&second, "Ana", "dos palabras");
    other.forget();
    ana.tell("Ana: sigo aquí");
    other.hears(&["Ana: sigo aquí"]);
}

#[test]
fn a_log_in_is_seen_as_a_join_and_has_the_accounts_name() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = relay(&folder, &[]);
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = relay.client();
    ana.tell("/entrar ana Ana-password");
    luis.hears(&["Ana se ha unido al chat."]);
    ana.hears(&["* NOTE LOGIN DONE name=Ana role=user :…"]);
    expect(&mut ana, "/nick Eva", "* FAIL NICK NAME_NOT_YOURS Eva :");
    ana.tell("Eva: hola");
    luis.hears(&["Ana: Eva: hola"]);
    expect(&mut ana, "/login Ana Ana-password", "* FAIL LOGIN ALREADY :");
    expect(&mut ana, "/register Eva otra clave", "* FAIL REGISTER ALREADY :");
    ana.tell("Ana ha abandonado el chat.");
    luis.hears(&["Ana ha abandonado el chat."]);
    expect(&mut ana, "Eva: hola", "* FAIL SAY NAME_NOT_YOURS Eva :");
    ana.tell("Eva se ha unido al chat.");
    luis.hears(&["Ana se ha unido al chat."]);
}

#[test]
fn a_password_in_the_place_of_the_name_does_not_stand_in_the_log() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = relay(&folder, &[]);
    expect(&mut relay.client(), "/login Ana-password Ana", "* FAIL LOGIN REFUSED :");
    expect(&mut relay.client(), "/login ANA otra", "* FAIL LOGIN REFUSED :");
    let said = relay.stop();
    assert!(said.contains(&"login_failed from=127.0.0.1".to_owned()), "{said:?}");
    assert!(said.contains(&"login_failed name=Ana from=127.0.0.1".to_owned()), "{said:?}");
    assert!(!said.concat().contains("Ana-password"), "{said:?}");
}

#[test]
fn an_unknown_account_and_a_wrong_password_are_answered_alike() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = relay(&folder, &[]);
    let answers = ["Ana", "Nadie"].map(|name| ask(&mut relay.client(), &format!("/login {name} adivinada")));
    assert!(answers[0].starts_with("* FAIL LOGIN REFUSED :"), "{answers:?}");
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn another_password_is_taken_and_the_old_one_is_not_any_more() {
    let folder = Folder::new();
    let relay = relay(&folder, &[]);
    let mut ana = relay.client();
    expect(&mut ana, "/passwd una nueva", "* FAIL PASSWD LOGIN_NEEDED :");
    expect(&mut ana, "/register Ana corta", "* FAIL REGISTER PASSWORD_INVALID :");
    expect(&mut ana, "/register Ana la primera", "* NOTE REGISTER DONE name=Ana :");
    let mut stolen = Client::connect(relay.address());
    stolen.tell("/hello v=1 name=Ana room=cocina");
    stolen.tell("/login Ana la primera");
    stolen.forget();
    stolen.tell("/hello v=1 name=Ana room=cocina");
    let hello = stolen.all_lines().into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    let token = hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned();
    let mut cook = relay.named("Eva");
    cook.tell("/join cocina");
    cook.forget();
    stolen.send("/quit");
    stolen.lines_until_closed();
    cook.hears(&["Ana ha abandonado el chat."]);
    let mut thief = logged_in(&relay, "Ana", "la primera");
    expect(&mut ana, "/passwd la segunda", "* NOTE PASSWD DONE :");
    assert!(
        thief.lines_until_closed().iter().any(|line| line.starts_with("* FAIL RELAY PASSWORD_CHANGED :"))
    );
    cook.hears(&[]);
    let mut stolen = relay.client();
    stolen.tell(&format!("/hello v=1 name=Ana resume={token}"));
    stolen.hears(&["* FAIL HELLO NAME_REGISTERED Ana :…"]);
    expect(&mut relay.client(), "/login Ana la primera", "* FAIL LOGIN REFUSED :");
    logged_in(&relay, "Ana", "la segunda");
}

#[test]
fn an_extended_client_is_told_to_log_in_and_then_has_the_name() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = relay(&folder, &[]);
    let [mut luis] = relay.people(["Luis"]);
    let mut ana = relay.client();
    expect(&mut ana, "/hello v=1 name=Ana", "* FAIL HELLO NAME_REGISTERED Ana :");
    expect(&mut ana, "/login Ana Ana-password", "* NOTE LOGIN DONE name=Ana role=user :");
    luis.hears(&[]);
    ana.tell("/hello v=1 name=Ana");
    let hello = ana.all_lines().into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    assert!(hello.contains(" name=Ana ") && hello.ends_with(" role=user"), "{hello}");
    luis.hears(&["Ana se ha unido al chat."]);
    ana.tell("@label=1 hola");
    luis.hears(&["Ana: hola"]);
    let mut eva = relay.client();
    eva.tell("/hello v=1 name=Eva");
    eva.tell("/login Ana Ana-password");
    assert!(eva.all_lines().iter().any(|line| line.starts_with("* NOTE LOGIN DONE name=Ana")));
    eva.tell("@label=1 yo también");
    luis.hears(&["Eva se ha unido al chat.", "Eva ha abandonado el chat.", "Ana: yo también"]);
}

#[test]
fn a_session_that_logged_in_comes_back_as_the_account_also_after_a_restart() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "operator")]);
    let first = relay(&folder, &["--access", "registered"]);
    let mut ana = first.client();
    expect(&mut ana, "/hello v=1 name=Ana", "* FAIL HELLO LOGIN_NEEDED :");
    ana.tell("/login Ana Ana-password");
    ana.forget();
    ana.tell("/hello v=1 name=Ana");
    let hello = ana.all_lines().into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    let token = hello.split(' ').find_map(|word| word.strip_prefix("token=")).unwrap().to_owned();
    first.stop();
    let second = relay(&folder, &["--access", "registered"]);
    let mut ana = second.client();
    ana.tell(&format!("/hello v=1 name=Ana resume={token}"));
    let hello = ana.all_lines().into_iter().find(|line| line.starts_with("* HELLO ")).unwrap();
    assert!(hello.contains(&token) && hello.ends_with(" role=operator"), "{hello}");
    expect(&mut ana, "/kick Nadie", "* FAIL KICK NOT_HERE Nadie :");
}

#[test]
fn where_an_account_is_needed_nothing_is_heard_or_said_before_a_log_in() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user"), ("Luis", "operator"), ("Telegram", "bridge")]);
    let relay = relay(&folder, &["--access", "registered"]);
    let mut ana = logged_in(&relay, "Ana", "Ana-password");
    let mut guest = relay.client();
    ana.forget();
    ana.tell("Ana: es secreto");
    guest.hears(&[]);
    for line in ["hola", "Eva: hola", "Eva se ha unido al chat.", "[RESPUESTA a 'x'] Eva: hola"] {
        expect(&mut guest, line, "* FAIL SAY LOGIN_NEEDED :");
    }
    for line in
        ["/who", "/rooms", "/history", "/search secreto", "/join cocina", "/nick Eva", "/msg Ana hola"]
    {
        let command = line[1..].split(' ').next().unwrap().to_uppercase();
        expect(&mut guest, line, &format!("* FAIL {command} LOGIN_NEEDED :"));
    }
    expect(&mut guest, "/hello v=1 name=Eva", "* FAIL HELLO LOGIN_NEEDED :");
    expect(&mut guest, "/register Eva una clave", "* FAIL REGISTER CLOSED :");
    ana.hears(&[]);
    let mut luis = logged_in(&relay, "Luis", "Luis-password");
    ana.hears(&["Luis se ha unido al chat."]);
    expect(&mut luis, "/register Eva una clave", "* NOTE REGISTER DONE name=Eva :");
    let mut eva = logged_in(&relay, "Eva", "una clave");
    eva.tell("ya puedo");
    ana.hears(&["Eva se ha unido al chat.", "Eva: ya puedo"]);
    expect(&mut eva, "Eva - Pepe: hola", "* FAIL SAY NOT_BRIDGE Eva :");
    expect(&mut eva, "/nick Eva - Pepe", "* FAIL NICK NOT_BRIDGE Eva :");
    let mut bridge = logged_in(&relay, "Telegram", "Telegram-password");
    ana.forget();
    bridge.tell("Telegram - Pepe: hola");
    ana.hears(&["Telegram - Pepe: hola"]);
}

#[test]
fn a_relay_that_keeps_nothing_has_no_accounts_and_says_so() {
    let relay = crate::support::Relay::calm();
    for line in ["/register Ana una clave", "/login Ana una clave", "/ban Ana", "/read id=7"] {
        let heard = ask(&mut relay.client(), line);
        assert!(heard.contains(" NO_ACCOUNTS :"), "{heard}");
    }
}

#[test]
fn a_password_that_was_kept_at_another_cost_is_hashed_anew_when_its_owner_logs_in() {
    let folder = Folder::new();
    make_accounts(&folder, &[("Ana", "user")]);
    let relay = folder.relay(&["--argon2-memory", "64", "--argon2-passes", "2"]);
    logged_in(&relay, "Ana", "Ana-password");
    relay.stop();
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    let kept: String = file.query_row("SELECT password FROM account", [], |row| row.get(0)).unwrap();
    assert!(kept.starts_with("$argon2id$v=19$m=64,t=2,p=4$"), "{kept}");
}
