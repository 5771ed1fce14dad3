//! What operators do to the window: it is put out and stays away, and its account becomes an operator's or is one no more;
//! and passwords that are others now.

use std::time::Duration;

use tertulia_desktop::model::{
    Act, Answer, Command, Event as Told, Keyring, LinkCommand, LinkEvent, ViewCommand,
};
use tertulia_desktop::phrases::Language;
use tertulia_desktop::render;
use tertulia_desktop::settings::Settings;
use tertulia_wire::account::ActKind;
use tertulia_wire::secret::Secret;
use tertulia_wire::session::{AskError, Event, Reason};

use crate::window::{Window, settings};

fn removed(code: &str, sentence: &str) -> Event {
    Event::Removed { code: code.to_owned(), sentence: sentence.to_owned() }
}

fn kicked() -> Window {
    let mut window = Window::ready();
    window.session(removed("KICKED", "Berta te ha echado: spam"));
    window
}

fn needs_password(window: &mut Window) {
    window.session(Event::LoginNeeded { name: "Ana".to_owned(), is_private: true });
    let (code, name, sentence) = ("NAME_REGISTERED".to_owned(), "Ana".to_owned(), "entra".to_owned());
    window.session(Event::HelloRefused { code, name, sentence, again_in: None });
}

fn refuse_password(window: &mut Window) {
    let (code, sentence) = ("REFUSED".to_owned(), "no".to_owned());
    window.session(Event::LoginRefused { code, sentence, again_in: None });
}

fn answer(window: &mut Window, password: &str) {
    let number = render::question(&window.model).expect("a question").number;
    let values = vec![Secret(password.to_owned())];
    window.act(Act::Answer(Answer { number, is_accepted: true, values }));
}

fn why_asked(window: &Window) -> Option<String> {
    render::question(&window.model).expect("a question").error
}

#[test]
fn who_was_kicked_is_told_by_whom_and_why_and_stays_away() {
    let mut window = kicked();
    let banner = window.screen().banner.unwrap();
    assert_eq!(banner.text, "te han echado de 10.0.0.5:2000: «Berta te ha echado: spam»");
    assert_eq!(banner.button.unwrap().label, "Volver (Enter)");
    window.commands.clear();
    window.pass(Duration::from_secs(3600));
    assert!(window.link_commands().is_empty());
    window.act(Act::Send);
    assert_eq!(window.link_commands(), [LinkCommand::Reconnect]);
    window.act(Act::Send);
    assert!(window.link_commands().is_empty(), "once is enough");
    window.greet();
    assert!(window.screen().banner.is_none());
    assert!(render::draw(&window.model, 100, 9).contains("te han echado de"), "among the lines it stays");
}

#[test]
fn the_button_and_f5_come_back_too() {
    let mut window = kicked();
    window.commands.clear();
    let act = window.screen().banner.unwrap().button.unwrap().act;
    window.act(act.clone());
    assert_eq!((act, window.link_commands()), (Act::Reconnect, vec![LinkCommand::Reconnect]));
}

#[test]
fn who_was_kicked_in_the_middle_of_a_line_keeps_it_and_is_told_to_come_back_first() {
    let mut window = Window::ready();
    window.write("y otra cosa");
    window.session(removed("KICKED", ""));
    window.commands.clear();
    window.act(Act::Send);
    assert!(window.link_commands().is_empty());
    assert_eq!(window.input(), "y otra cosa");
    assert_eq!(window.screen().hint.unwrap().text, "aquí no te oye nadie: pulsa «Volver» antes");
    assert!(window.screen().banner.unwrap().text.ends_with("«KICKED»"), "a relay that says nothing else");
}

#[test]
fn who_is_banned_reads_so_in_their_language_with_the_relay_s_own_words() {
    let english = Settings { language: Some(Language::En), ..settings() };
    let mut window = Window::with(english);
    window.session(removed("BANNED", "you may not enter this relay"));
    let banner = window.screen().banner.unwrap();
    assert_eq!(banner.text, "you are not let into 10.0.0.5:2000: “you may not enter this relay”");
    assert_eq!(banner.button.unwrap().label, "Come back (Enter)");
}

#[test]
fn nothing_is_asked_of_who_was_put_out() {
    let mut window = Window::with(settings());
    needs_password(&mut window);
    window.session(removed("BANNED", "fuera"));
    assert_eq!(render::question(&window.model), None);
    let mut window = Window::with(settings());
    let (code, name, sentence) = ("NAME_IN_USE".to_owned(), "Ana".to_owned(), "ya".to_owned());
    window.session(Event::HelloRefused { code, name, sentence, again_in: None });
    window.session(removed("BANNED", "fuera"));
    assert!(window.screen().name_question.is_none());
}

#[test]
fn who_was_put_out_can_close_the_window() {
    let mut window = kicked();
    window.commands.clear();
    window.act(Act::Close);
    assert_eq!(window.link_commands(), [LinkCommand::Quit]);
    window.session(Event::Ended);
    assert!(window.commands.contains(&Command::View(ViewCommand::Close)));
}

#[test]
fn another_relay_has_nothing_to_do_with_it() {
    let mut window = kicked();
    let relay = "casa:2000".to_owned();
    window.act(Act::ChangeSettings(Box::new(Settings { relay, ..window.model.settings().clone() })));
    assert!(window.link_commands().iter().any(|command| matches!(command, LinkCommand::Start { .. })));
    assert!(!window.screen().banner.unwrap().text.contains("echado"));
}

fn password_changed(window: &mut Window) {
    let (words, sentence) = ("FAIL RELAY PASSWORD_CHANGED".to_owned(), "otra clave".to_owned());
    window.session(Event::Other { words, label: None, sentence });
    let retry_in = Duration::from_secs(1);
    window.session(Event::Waiting { reason: Reason::Disconnected, retry_in });
    needs_password(window);
}

const CHANGED: &str = "la contraseña de «Ana» ha cambiado: hace falta la nueva";

#[test]
fn a_password_that_was_changed_elsewhere_is_asked_for_with_the_reason_once() {
    let mut window = Window::ready();
    password_changed(&mut window);
    assert_eq!(why_asked(&window).unwrap(), CHANGED);
    answer(&mut window, "otra distinta");
    refuse_password(&mut window);
    assert_eq!(why_asked(&window).unwrap(), "esa no es la contraseña de «Ana», o no hay tal cuenta");
    answer(&mut window, "la buena de verdad");
    window.greet();
    window.session(Event::LoggedIn { role: "user".to_owned() });
    assert_eq!(render::question(&window.model), None);
}

#[test]
fn a_keyring_that_has_the_old_password_still_leads_to_the_question() {
    for password in [Some("la de antes"), None] {
        let mut window = Window::ready();
        window.handle(Told::Keyring(Keyring::IsThere));
        password_changed(&mut window);
        let password = password.map(|password| Secret(password.to_owned()));
        let is_found = password.is_some();
        window.handle(Told::Keyring(Keyring::Found { name: "Ana".to_owned(), password }));
        if is_found {
            refuse_password(&mut window);
        }
        assert_eq!(why_asked(&window).unwrap(), CHANGED);
    }
}

#[test]
fn a_password_that_the_session_knew_and_the_relay_refuses_is_asked_for() {
    let mut window = Window::ready();
    let retry_in = Duration::from_secs(1);
    window.session(Event::Waiting { reason: Reason::Disconnected, retry_in });
    refuse_password(&mut window);
    assert!(why_asked(&window).unwrap().starts_with("esa no es la contraseña de «Ana»"));
    window.commands.clear();
    answer(&mut window, "otra distinta");
    let password = Secret("otra distinta".to_owned());
    assert_eq!(window.link_commands(), [LinkCommand::LogIn { password }]);
}

#[test]
fn an_order_with_a_password_is_no_line_whatever_stands_before_it() {
    for text in [
        " /login Ana correcto caballo",
        "\t/entrar Ana correcto caballo",
        "\u{a0}/LOGIN Ana correcto caballo",
        "\n\n/register Ana correcto caballo",
        "/clave correcto caballo",
        "\u{2003} /Registrar Ana correcto caballo\n",
    ] {
        let mut window = Window::ready();
        window.say(text);
        let commands = window.link_commands();
        assert!(matches!(commands[..], [LinkCommand::Command { .. }]), "{text:?}: {commands:?}");
        assert_eq!(window.input(), "");
        window.act(Act::Earlier);
        assert_eq!(window.input(), "", "{text:?}");
    }
}

#[test]
fn what_may_be_an_order_with_a_password_is_neither_said_nor_remembered() {
    for text in [
        "\u{200b}/login Ana correcto caballo",
        "\u{202a}/clave correcto caballo",
        "/login Ana correcto caballo\nhola",
        "/login\nAna correcto caballo",
        "/ login Ana correcto caballo",
        "/lo\u{ad}gin Ana correcto caballo",
        "/privado Luis /login Ana correcto caballo",
        "/msg Luis  /passwd correcto caballo",
    ] {
        let mut window = Window::ready();
        window.say(text);
        assert!(window.link_commands().is_empty(), "{text:?}");
        assert!(window.screen().hint.unwrap().is_error, "{text:?}");
        assert_eq!(window.input(), text, "the person can mend it");
        window.write("");
        window.act(Act::Earlier);
        assert_eq!(window.input(), "", "{text:?}");
    }
}

#[test]
fn what_only_speaks_of_passwords_is_said() {
    for text in ["usa /login NOMBRE", "//silencio es la orden", "login Ana", "/clave"] {
        let mut window = Window::ready();
        window.say(text);
        assert_eq!(window.take_said().len(), usize::from(text != "/clave"), "{text}");
    }
}

#[test]
fn a_link_that_ends_by_itself_is_told_after_a_kick_too() {
    let mut window = kicked();
    window.link(LinkEvent::Gone);
    assert!(!window.screen().banner.unwrap().text.contains("echado"));
}

fn acts(window: &Window) -> usize {
    render::operator_acts(&window.model, "Luis").len()
}

#[test]
fn who_is_made_an_operator_has_the_acts_at_once_and_no_more_once_they_are_not() {
    let mut window = Window::ready();
    window.session(Event::LoggedIn { role: "user".to_owned() });
    assert_eq!(acts(&window), 0);
    window.session(Event::RoleChanged { role: "operator".to_owned() });
    assert_eq!(acts(&window), 6);
    let text = render::draw(&window.model, 100, 9);
    assert!(text.contains("ahora eres operador: lo que puedes hacer"), "{text}");
    window.act(Act::Operate { kind: ActKind::Ban, name: "Luis".to_owned() });
    window.session(Event::RoleChanged { role: "user".to_owned() });
    assert_eq!((acts(&window), render::question(&window.model)), (0, None));
    assert!(render::draw(&window.model, 100, 9).contains("ya no eres operador"));
    let rows = render::row_count(&window.model);
    window.session(Event::RoleChanged { role: "bridge".to_owned() });
    assert_eq!(render::row_count(&window.model), rows, "what the window has nothing for is not told");
}

#[test]
fn while_the_relay_looks_at_a_password_what_is_typed_has_a_field_that_shows_nothing() {
    let mut window = Window::with(settings());
    needs_password(&mut window);
    answer(&mut window, "correcto caballo");
    let text = render::draw(&window.model, 100, 3);
    let expected =
        "? Contraseña de «Ana»\n  el relay la está comprobando…\n  (Contraseña ***)\n  [Cancelar]\n";
    assert!(text.contains(expected), "{text}");
    window.commands.clear();
    answer(&mut window, "correcto caballo");
    assert!(window.commands.is_empty(), "once is enough");
    assert!(render::draw(&window.model, 100, 3).contains(expected), "Enter does not take it away");
    refuse_password(&mut window);
    assert!(why_asked(&window).is_some());
    answer(&mut window, "correcto caballo");
    window.greet();
    assert_eq!(render::question(&window.model), None);
}

#[test]
fn a_password_that_nobody_looks_at_any_more_is_waited_for_no_longer() {
    let cut = |window: &mut Window| {
        let retry_in = Duration::from_secs(1);
        window.session(Event::Waiting { reason: Reason::Disconnected, retry_in });
    };
    let name_in_use = |window: &mut Window| {
        let (code, name, sentence) = ("NAME_IN_USE".to_owned(), "Ana".to_owned(), "ya".to_owned());
        window.session(Event::HelloRefused { code, name, sentence, again_in: None });
    };
    let ends: [&dyn Fn(&mut Window); 3] = [&cut, &name_in_use, &|window| window.link(LinkEvent::Gone)];
    for end in ends {
        let mut window = Window::with(settings());
        needs_password(&mut window);
        answer(&mut window, "correcto caballo");
        end(&mut window);
        assert_eq!(render::question(&window.model), None);
    }
    let mut window = Window::ready();
    window.say("/entrar Berta");
    answer(&mut window, "correcto caballo");
    assert!(render::question(&window.model).is_some());
    window.link(LinkEvent::CommandFailed { error: AskError::NotPrivate });
    assert_eq!(render::question(&window.model), None);
}

#[test]
fn what_was_kept_of_a_room_that_is_opened_by_who_was_put_out_is_theirs_to_say_again() {
    let kept = "[[retried]]\nroom = 'otra'\nunix_ms = 5\ntext = 'no salió'\nlabel = 'w1.1'\n";
    let mut window = Window::ready();
    window.model.restore_drafts(kept).unwrap();
    window.session(removed("KICKED", "fuera"));
    window.act(Act::Join("otra".to_owned()));
    assert!(window.take_said().is_empty());
    assert!(window.transcript().contains("!no salió!"), "{}", window.transcript());
    assert!(window.model.drafts().contains("no salió"));
}
