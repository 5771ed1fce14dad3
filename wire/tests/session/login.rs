//! Logging in: when a password goes, and when it does not.

use tertulia_wire::session::{AskError, Event, Session};

use crate::bench::{actions, config, connect, events, hear, ready, reconnect, seconds, written};

const NEEDED: &str = "* FAIL HELLO NAME_REGISTERED Ana :entra\n";
const DONE: &str = "* NOTE LOGIN DONE name=Ana role=operator :dentro\n";
const HELLO: &str =
    "* HELLO v=1 name=Ana token=T sid=7 line=16384 burst=0 rate=0 durability=commit role=operator\n";

fn connect_privately(session: &mut Session) -> Vec<String> {
    session.handle_time(seconds(0));
    actions(session);
    session.handle_connected_privately(seconds(0));
    written(session)
}

#[test]
fn a_password_goes_once_the_relay_asks_for_it_and_then_the_session_is_greeted() {
    let mut session = Session::new(config());
    session.log_in("dos palabras").unwrap();
    let hello = connect_privately(&mut session);
    assert_eq!(hello, ["/hello v=1 name=Ana room=general"]);
    assert_eq!(hear(&mut session, NEEDED, seconds(1)), []);
    assert_eq!(written(&mut session), ["/login Ana dos palabras"]);
    assert_eq!(hear(&mut session, DONE, seconds(2)), []);
    assert_eq!(written(&mut session), hello);
    let greeted = hear(&mut session, HELLO, seconds(3));
    assert!(matches!(&greeted[..], [Event::Ready { .. }, Event::LoggedIn { role }] if role == "operator"));
    assert_eq!(session.role(), Some("operator"));
    assert!(!format!("{session:?}").contains("palabras"));
    assert!(!session.saved().contains("palabras"));
}

#[test]
fn no_password_goes_where_others_may_read_it_on_its_way() {
    let mut session = Session::new(config());
    session.log_in("dos palabras").unwrap();
    connect(&mut session, seconds(0));
    let told = hear(&mut session, NEEDED, seconds(1));
    assert!(matches!(&told[..], [Event::LoginNeeded { is_private: false, .. }, Event::HelloRefused { .. }]));
    assert!(written(&mut session).is_empty());
    let mut session = ready();
    for line in [
        "/login Ana dos palabras",
        "/entrar Ana dos palabras",
        "/register Ana dos palabras",
        "/passwd dos palabras",
    ] {
        assert_eq!(session.command(line), Err(AskError::NotPrivate), "{line}");
    }
    assert!(session.command("/kick Luis").is_ok());
}

#[test]
fn who_has_no_password_is_asked_for_one_and_may_give_it_then() {
    let mut session = Session::new(config());
    connect_privately(&mut session);
    let told = hear(&mut session, "* FAIL HELLO LOGIN_NEEDED :entra\n", seconds(1));
    let needed = Event::LoginNeeded { name: "Ana".to_owned(), is_private: true };
    assert_eq!(told.first(), Some(&needed));
    assert_eq!(session.log_in("corta"), Err(AskError::Password));
    session.log_in("dos palabras").unwrap();
    assert_eq!(written(&mut session), ["/hello v=1 name=Ana room=general"]);
    hear(&mut session, "* FAIL HELLO LOGIN_NEEDED :entra\n", seconds(2));
    assert_eq!(written(&mut session), ["/login Ana dos palabras"]);
}

#[test]
fn a_wrong_password_is_forgotten_and_one_that_came_too_soon_is_tried_again() {
    let mut session = Session::new(config());
    session.log_in("dos palabras").unwrap();
    connect_privately(&mut session);
    hear(&mut session, NEEDED, seconds(1));
    written(&mut session);
    let told = hear(&mut session, "* FAIL LOGIN TOO_SOON 8 :espera\n", seconds(2));
    assert!(matches!(&told[..], [Event::LoginRefused { code, again_in, .. }]
        if code == "TOO_SOON" && *again_in == Some(seconds(8))));
    assert_eq!(session.next_due(), Some(seconds(10)));
    session.handle_time(seconds(10));
    assert_eq!(written(&mut session).len(), 1);
    hear(&mut session, NEEDED, seconds(10));
    assert_eq!(written(&mut session), ["/login Ana dos palabras"]);
    let told = hear(&mut session, "* FAIL LOGIN REFUSED :no\n", seconds(11));
    assert!(matches!(&told[..], [Event::LoginRefused { again_in: None, .. }]));
    assert_eq!(session.next_due(), None);
    session.handle_disconnected(seconds(12));
    events(&mut session);
    session.handle_time(seconds(90));
    actions(&mut session);
    session.handle_connected_privately(seconds(90));
    written(&mut session);
    let told = hear(&mut session, NEEDED, seconds(91));
    assert!(matches!(told[0], Event::LoginNeeded { .. }));
}

#[test]
fn another_role_is_told_once_and_only_to_who_has_logged_in() {
    let mut session = Session::new(config());
    connect_privately(&mut session);
    hear(&mut session, HELLO, seconds(1));
    assert_eq!(hear(&mut session, "* ROLE role=operator :eso ya lo sabía\n", seconds(2)), []);
    let told = hear(&mut session, "* ROLE role=user :como los demás\n", seconds(2));
    assert_eq!(told, [Event::RoleChanged { role: "user".to_owned() }]);
    assert_eq!(session.role(), Some("user"));
    let told = hear(&mut session, "* ROLE role=operator more=1 :otra vez\n", seconds(3));
    assert_eq!(told, [Event::RoleChanged { role: "operator".to_owned() }]);
    let mut guest = ready();
    assert_eq!(hear(&mut guest, "* ROLE role=operator :no\n", seconds(1)), []);
    assert_eq!(guest.role(), None);
}

#[test]
fn who_registers_is_a_user_and_hears_of_another_role_and_who_registers_others_keeps_its_own() {
    const REGISTERED: &str = "* NOTE REGISTER DONE name=Ana label=c1 :hecho\n";
    let mut session = ready();
    let told = hear(&mut session, REGISTERED, seconds(1));
    assert!(matches!(&told[..], [Event::Other { .. }]), "{told:?}");
    assert_eq!(session.role(), Some("user"));
    let told = hear(&mut session, "* ROLE role=operator :desde ahora\n", seconds(2));
    assert_eq!(told, [Event::RoleChanged { role: "operator".to_owned() }]);
    hear(&mut session, &REGISTERED.replace("Ana", "Luis"), seconds(3));
    assert_eq!(session.role(), Some("operator"));
}

#[test]
fn whose_password_has_changed_asks_to_be_greeted_again_and_then_for_the_new_one() {
    let mut session = Session::new(config());
    session.log_in("dos palabras").unwrap();
    connect_privately(&mut session);
    hear(&mut session, HELLO, seconds(1));
    let told = hear(&mut session, "* FAIL RELAY PASSWORD_CHANGED :entra otra vez\n", seconds(2));
    let words = "FAIL RELAY PASSWORD_CHANGED".to_owned();
    assert_eq!(told, [Event::Other { words, label: None, sentence: "entra otra vez".to_owned() }]);
    session.handle_disconnected(seconds(2));
    assert!(matches!(events(&mut session)[..], [Event::Waiting { .. }]));
    session.handle_time(seconds(90));
    actions(&mut session);
    session.handle_connected_privately(seconds(90));
    assert!(written(&mut session)[0].contains(" resume=T"));
    hear(&mut session, NEEDED, seconds(91));
    assert_eq!(written(&mut session), ["/login Ana dos palabras"]);
    let told = hear(&mut session, "* FAIL LOGIN REFUSED :no\n", seconds(92));
    assert!(matches!(&told[..], [Event::LoginRefused { code, again_in: None, .. }] if code == "REFUSED"));
    session.log_in("tres palabras nuevas").unwrap();
    assert!(written(&mut session)[0].starts_with("/hello v=1 name=Ana"));
}

#[test]
fn what_was_read_is_told_and_heard() {
    let mut session = ready();
    session.mark_read("General", 9).unwrap();
    assert_eq!(written(&mut session), ["/read room=general id=9"]);
    let told = hear(&mut session, "* READ room=general id=9\n", seconds(1));
    assert_eq!(told, [Event::Read { room: "general".to_owned(), id: 9 }]);
    assert!(matches!(session.mark_read("la sala", 9), Err(AskError::Name(_))));
}

#[test]
fn the_token_of_an_account_goes_no_way_that_the_password_may_not_go() {
    let mut session = Session::new(config());
    session.log_in("dos palabras").unwrap();
    connect_privately(&mut session);
    hear(&mut session, HELLO, seconds(1));
    let mut session = Session::restore(config(), &session.saved()).unwrap();
    actions(&mut session);
    session.handle_connected(seconds(0));
    assert_eq!(written(&mut session), ["/hello v=1 name=Ana room=general"]);
    session.handle_disconnected(seconds(1));
    session.handle_time(seconds(90));
    actions(&mut session);
    session.handle_connected_privately(seconds(90));
    let hello = written(&mut session);
    assert!(hello[0].starts_with("/hello v=1 name=Ana room=general resume=T"), "{hello:?}");
}

#[test]
fn a_session_that_logs_in_comes_back_with_the_token_that_it_was_given_for_that_and_with_no_other() {
    let mut session = ready();
    let told = hear(&mut session, "* NOTE HELLO TOKEN token=U :otro\n", seconds(1));
    assert_eq!(told, [Event::NewToken]);
    assert!(!format!("{session:?} {told:?}").contains("\"U\""));
    hear(&mut session, "* NOTE REGISTER DONE name=Ana :hecho\n", seconds(1));
    assert!(session.saved().contains("token value=U sid=7 account=1"), "{}", session.saved());
    let hello = reconnect(&mut session, seconds(2));
    assert_eq!(hello, ["/hello v=1 name=Ana room=general"]);
    session.handle_disconnected(seconds(100));
    session.handle_time(seconds(200));
    actions(&mut session);
    session.handle_connected_privately(seconds(200));
    let hello = written(&mut session);
    assert!(hello[0].starts_with("/hello v=1 name=Ana room=general resume=U "), "{hello:?}");
}

#[test]
fn who_logs_in_after_the_greeting_has_the_account_s_name_and_role() {
    let mut session = ready();
    let done = "* NOTE LOGIN DONE name=Berta role=user :dentro\n";
    let told = hear(&mut session, done, seconds(1));
    let renamed = Event::Renamed { name: "Berta".to_owned() };
    assert_eq!(told, [renamed, Event::LoggedIn { role: "user".to_owned() }]);
    assert_eq!((session.name(), session.role()), ("Berta", Some("user")));
    let told = hear(&mut session, "* FAIL LOGIN REFUSED :no\n", seconds(2));
    assert!(matches!(&told[..], [Event::LoginRefused { code, again_in: None, .. }] if code == "REFUSED"));
}
