//! Accounts: the certificate that is confirmed once, the password that is asked for, what operators do, what other devices
//! have read.

use std::time::Duration;

use tertulia_desktop::model::{
    Act, Answer, Command, ConnectError, Event as Told, FileCommand, KEYRING_WAIT, Keyring, KeyringCommand,
    LinkCommand, LinkEvent, MARK_AFTER, Secure,
};
use tertulia_desktop::render;
use tertulia_desktop::settings::Settings;
use tertulia_wire::account::ActKind;
use tertulia_wire::secret::Secret;
use tertulia_wire::session::{AskError, Event, Line, Reason, Source};
use tertulia_wire::tls::Fingerprint;

use crate::window::{Window, line, settings};

const SHOWN: Fingerprint = Fingerprint([0xab; 32]);

fn secure() -> Settings {
    Settings { tls: true, relay: "casa:2001".to_owned(), ..settings() }
}

fn drawn(window: &Window) -> String {
    render::draw(&window.model, 100, 3)
}

fn question(window: &Window) -> render::Question {
    render::question(&window.model).expect("a question")
}

fn answer(window: &mut Window, values: &[&str]) {
    let number = question(window).number;
    let values = values.iter().map(|value| Secret((*value).to_owned())).collect();
    window.act(Act::Answer(Answer { number, is_accepted: true, values }));
}

fn decline(window: &mut Window) {
    let number = question(window).number;
    window.act(Act::Answer(Answer { number, is_accepted: false, values: Vec::new() }));
}

fn fail(window: &mut Window, error: ConnectError) {
    window.link(LinkEvent::ConnectFailed(error));
    let retry_in = Duration::from_secs(4);
    window.session(Event::Waiting { reason: Reason::ConnectFailed, retry_in });
}

fn refuse(window: &mut Window, code: &str, is_private: bool) {
    window.session(Event::LoginNeeded { name: "Ana".to_owned(), is_private });
    let (code, name, sentence) = (code.to_owned(), "Ana".to_owned(), "entra".to_owned());
    window.session(Event::HelloRefused { code, name, sentence, again_in: None });
}

fn log_in(window: &mut Window, role: &str) {
    window.greet();
    window.session(Event::LoggedIn { role: role.to_owned() });
    window.joined("general");
    window.answer_older("general", &[], false);
    window.pass(Duration::from_secs(10));
    window.commands.clear();
}

fn logged_in(role: &str) -> Window {
    let mut window = Window::with(settings());
    log_in(&mut window, role);
    window
}

fn login(password: &str) -> LinkCommand {
    LinkCommand::LogIn { password: Secret(password.to_owned()) }
}

fn order(line: &str) -> LinkCommand {
    LinkCommand::Command { line: Secret(line.to_owned()) }
}

fn starts(window: &mut Window) -> Vec<(String, Option<Secure>)> {
    let commands = window.link_commands().into_iter();
    let starts = commands.filter_map(|command| match command {
        LinkCommand::Start { relay, tls, .. } => Some((relay, tls)),
        _ => None,
    });
    starts.collect()
}

#[test]
fn an_unknown_certificate_is_shown_and_confirmed_once_and_kept() {
    let mut window = Window::with(secure());
    assert_eq!(starts(&mut window), [("casa:2001".to_owned(), Some(Secure { fingerprint: None }))]);
    fail(&mut window, ConnectError::CertificateUnknown(SHOWN));
    let row = ["AB"; 16].join(":");
    let text = drawn(&window);
    let expected = format!(
        "  {row}\n  {row}\n  [Es la misma] [Cancelar]\n# falta confirmar el certificado de casa:2001; "
    );
    assert!(text.contains("? ¿Es este el relay?\n") && text.contains(&expected), "{text}");
    let number = question(&window).number;
    fail(&mut window, ConnectError::CertificateUnknown(Fingerprint([1; 32])));
    assert_eq!(question(&window).number, number, "what is being compared does not change");
    answer(&mut window, &[]);
    let kept = window.commands.iter().any(|command| {
        matches!(command, Command::File(FileCommand::SaveSettings(text)) if text.contains(&format!("\"casa:2001\" = \"{SHOWN}\"")))
    });
    assert!(kept, "{:?}", window.commands);
    let pinned = Some(Secure { fingerprint: Some(SHOWN) });
    assert_eq!(starts(&mut window), [("casa:2001".to_owned(), pinned)]);
    assert_eq!(render::question(&window.model), None);
    let again = Settings::from_toml(&window.model.settings().to_toml()).unwrap();
    assert_eq!(starts(&mut Window::with(again)), [("casa:2001".to_owned(), pinned)]);
}

#[test]
fn a_certificate_that_is_declined_is_not_asked_about_again_before_the_person_connects() {
    let mut window = Window::with(secure());
    fail(&mut window, ConnectError::CertificateUnknown(SHOWN));
    window.commands.clear();
    decline(&mut window);
    fail(&mut window, ConnectError::CertificateUnknown(SHOWN));
    assert_eq!(render::question(&window.model), None);
    assert!(window.commands.is_empty(), "{:?}", window.commands);
    let banner = window.screen().banner.unwrap();
    assert!(banner.text.starts_with("falta confirmar el certificado"), "{}", banner.text);
    window.act(banner.button.unwrap().act);
    fail(&mut window, ConnectError::CertificateUnknown(SHOWN));
    assert!(question(&window).exact.unwrap().starts_with("AB:AB"));
}

#[test]
fn a_certificate_that_has_changed_is_refused_with_a_sentence_and_without_a_question() {
    let mut pinned = secure();
    pinned.confirm_certificate("casa:2001".to_owned(), Fingerprint([2; 32]));
    let mut window = Window::with(pinned);
    fail(&mut window, ConnectError::CertificateChanged(SHOWN));
    assert_eq!(render::question(&window.model), None);
    let text = window.screen().banner.unwrap().text;
    assert!(text.contains("no es el que confirmaste, y no se le ha dicho nada"), "{text}");
    assert!(text.contains(&SHOWN.to_string()), "{text}");
    // The way out: the person deletes the fingerprint.
    let mut settings = window.model.settings().clone();
    settings.fill_in_certificate("", window.model.settings()).unwrap();
    window.commands.clear();
    window.act(Act::ChangeSettings(Box::new(settings)));
    assert_eq!(starts(&mut window), [("casa:2001".to_owned(), Some(Secure { fingerprint: None }))]);
}

#[test]
fn a_password_is_asked_for_and_goes_to_the_link_and_nowhere_else() {
    let mut window = Window::with(settings());
    refuse(&mut window, "NAME_REGISTERED", true);
    let text = drawn(&window);
    let expected = "? Contraseña de «Ana»\n  «Ana» es el nombre de una cuenta.\n  (Contraseña ***)\n  [Entrar] [Otro nombre]\n";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("falta la contraseña de «Ana» [Conectar]"), "{text}");
    let number = question(&window).number;
    let retry_in = Duration::from_secs(1);
    window.session(Event::Waiting { reason: Reason::Disconnected, retry_in });
    refuse(&mut window, "NAME_REGISTERED", true);
    assert_eq!(question(&window).number, number, "who types it is not disturbed");
    window.commands.clear();
    answer(&mut window, &["corta"]);
    assert_eq!(question(&window).error.unwrap(), "una contraseña tiene de 8 a 256 bytes, en una línea");
    answer(&mut window, &["correcto caballo"]);
    assert_eq!(window.commands, [Command::Link(login("correcto caballo"))]);
    assert!(!format!("{:?}", window.model).contains("caballo"));
    log_in(&mut window, "user");
    assert_eq!(render::question(&window.model), None);
    assert!(window.screen().banner.is_none());
}

#[test]
fn a_wrong_password_is_told_and_asked_for_again_and_too_many_wait_as_long_as_the_relay_says() {
    let mut window = Window::with(settings());
    refuse(&mut window, "LOGIN_NEEDED", true);
    assert_eq!(question(&window).words, ["En 10.0.0.5:2000 solo se entra con una cuenta."]);
    answer(&mut window, &["correcto caballo"]);
    let again_in = Some(Duration::from_secs(8));
    let sentence = "demasiados intentos".to_owned();
    window.session(Event::LoginRefused { code: "TOO_SOON".to_owned(), sentence, again_in });
    let text = window.screen().banner.unwrap().text;
    assert_eq!(text, "demasiados intentos; se vuelve a probar en 8 s");
    window.pass(Duration::from_secs(7));
    assert!(window.screen().banner.unwrap().text.ends_with("en 1 s"));
    let (code, sentence) = ("REFUSED".to_owned(), "no".to_owned());
    window.session(Event::LoginRefused { code, sentence, again_in: None });
    assert_eq!(question(&window).error.unwrap(), "esa no es la contraseña de «Ana», o no hay tal cuenta");
    window.commands.clear();
    answer(&mut window, &["otra distinta"]);
    assert_eq!(window.link_commands(), [login("otra distinta")]);
}

#[test]
fn who_does_not_know_the_password_takes_another_name() {
    let mut window = Window::with(settings());
    refuse(&mut window, "NAME_REGISTERED", true);
    decline(&mut window);
    assert!(window.screen().name_question.is_some());
    window.commands.clear();
    window.act(Act::ChooseName("Berta".to_owned()));
    assert!(window.link_commands().contains(&LinkCommand::Rename { name: "Berta".to_owned() }));
}

#[test]
fn no_password_is_asked_for_where_others_could_read_it() {
    let mut window = Window::with(settings());
    refuse(&mut window, "NAME_REGISTERED", false);
    assert_eq!(render::question(&window.model), None);
    let error = window.screen().name_question.unwrap().error.unwrap();
    assert!(error.contains("una contraseña no viaja sin cifrar: activa TLS"), "{error}");
    let mut window = Window::with(settings());
    refuse(&mut window, "LOGIN_NEEDED", false);
    assert!(window.screen().name_question.is_none(), "no other name would help");
    assert!(window.screen().banner.unwrap().text.contains("activa TLS en los ajustes"));
    let mut window = Window::ready();
    window.link(LinkEvent::CommandFailed { error: AskError::NotPrivate });
    assert!(window.screen().hint.unwrap().text.contains("no viaja sin cifrar"));
}

#[test]
fn a_banned_account_is_told_so_and_asked_nothing() {
    let mut window = Window::with(settings());
    refuse(&mut window, "NAME_REGISTERED", true);
    answer(&mut window, &["correcto caballo"]);
    let (code, sentence) = ("BANNED".to_owned(), "vetada".to_owned());
    window.session(Event::LoginRefused { code, sentence, again_in: None });
    let retry_in = Duration::from_secs(1);
    window.session(Event::Waiting { reason: Reason::Disconnected, retry_in });
    refuse(&mut window, "NAME_REGISTERED", true);
    assert_eq!(render::question(&window.model), None);
    assert!(window.screen().banner.unwrap().text.ends_with("la cuenta «Ana» está vetada"));
}

#[test]
fn the_keyring_is_asked_first_and_is_given_what_the_person_wants_kept() {
    let mut window = Window::with(settings());
    window.handle(Told::Keyring(Keyring::IsThere));
    window.commands.clear();
    refuse(&mut window, "NAME_REGISTERED", true);
    let asked = |password: Option<&str>| {
        let (relay, name) = ("10.0.0.5:2000".to_owned(), "Ana".to_owned());
        let password = password.map(|password| Secret(password.to_owned()));
        Command::Keyring(KeyringCommand { relay, name, password })
    };
    assert_eq!(window.commands, [asked(None)]);
    assert_eq!(render::question(&window.model), None, "while the keyring looks");
    let found = |password: Option<&str>| {
        let password = password.map(|password| Secret(password.to_owned()));
        Told::Keyring(Keyring::Found { name: "Ana".to_owned(), password })
    };
    window.commands.clear();
    window.handle(found(Some("del llavero")));
    assert_eq!(window.commands, [Command::Link(login("del llavero"))]);
    let (code, sentence) = ("REFUSED".to_owned(), "no".to_owned());
    window.session(Event::LoginRefused { code, sentence, again_in: None });
    assert!(question(&window).error.is_some(), "what the keyring has is not right");
    answer(&mut window, &["correcto caballo", "1"]);
    window.commands.clear();
    window.greet();
    window.session(Event::LoggedIn { role: "user".to_owned() });
    assert!(window.commands.contains(&asked(Some("correcto caballo"))), "{:?}", window.commands);
}

#[test]
fn a_keyring_that_says_nothing_is_not_waited_for_without_end() {
    for is_answered in [true, false] {
        let mut window = Window::with(settings());
        window.handle(Told::Keyring(Keyring::IsThere));
        refuse(&mut window, "NAME_REGISTERED", true);
        if is_answered {
            window.handle(Told::Keyring(Keyring::Found { name: "Ana".to_owned(), password: None }));
        } else {
            window.pass(KEYRING_WAIT);
        }
        assert!(drawn(&window).contains("{Guardarla en el llavero del escritorio}"), "{}", drawn(&window));
    }
}

#[test]
fn an_order_without_a_password_opens_a_sheet_and_one_with_it_is_not_remembered() {
    let mut window = logged_in("user");
    window.say("/clave");
    let text = drawn(&window);
    assert!(text.contains("? Otra contraseña para «Ana»\n"), "{text}");
    assert!(text.contains("  (Contraseña nueva ***)\n  (La misma otra vez ***)\n"), "{text}");
    answer(&mut window, &["correcto caballo", "correcto cabello"]);
    assert_eq!(question(&window).error.unwrap(), "no has escrito dos veces la misma");
    window.commands.clear();
    answer(&mut window, &["correcto caballo", "correcto caballo"]);
    assert_eq!(window.link_commands(), [order("/passwd correcto caballo")]);
    let done =
        |words: &str| Event::Other { words: words.to_owned(), label: None, sentence: "hecho".to_owned() };
    window.session(done("NOTE PASSWD DONE"));
    assert_eq!(window.link_commands(), [login("correcto caballo")], "for when it comes back");
    assert_eq!(window.screen().hint.unwrap().text, "la contraseña es otra");
    window.write("/clave secretísima");
    window.pass(Duration::from_secs(2));
    assert!(!format!("{:?}", window.commands).contains("secret"), "{:?}", window.commands);
    assert!(!window.model.drafts().contains("secret"));
    window.act(Act::Send);
    assert_eq!(window.link_commands(), [order("/passwd secretísima")]);
    assert_eq!(window.input(), "");
    window.act(Act::Earlier);
    assert_eq!(window.input(), "/clave", "what was sent with a password is not given back");
}

#[test]
fn a_name_is_registered_by_a_sheet_and_is_then_an_account() {
    let mut window = Window::ready();
    window.say("/registrar");
    assert_eq!(question(&window).title, "Registrar «Ana»");
    window.commands.clear();
    answer(&mut window, &["correcto caballo", "correcto caballo"]);
    assert_eq!(window.link_commands(), [order("/register Ana correcto caballo")]);
    let (words, sentence) = ("NOTE REGISTER DONE name=Ana".to_owned(), "hecho".to_owned());
    window.session(Event::Other { words, label: None, sentence });
    assert_eq!(window.screen().hint.unwrap().text, "«Ana» es tu cuenta");
    window.hear("general", "Luis", "hola");
    window.commands.clear();
    window.pass(MARK_AFTER);
    assert!(matches!(&window.link_commands()[..], [LinkCommand::Read { .. }]), "it has read markers");
}

#[test]
fn who_is_greeted_logs_in_as_somebody_else() {
    let mut window = Window::ready();
    window.say("/entrar Berta\\sL");
    assert_eq!(question(&window).title, "Contraseña de «Berta L»");
    window.commands.clear();
    answer(&mut window, &["correcto caballo"]);
    assert_eq!(window.link_commands(), [order("/login Berta\\sL correcto caballo")]);
    let (code, sentence) = ("REFUSED".to_owned(), "no".to_owned());
    window.session(Event::LoginRefused { code, sentence, again_in: None });
    assert!(question(&window).error.is_some() && window.screen().banner.is_none());
    answer(&mut window, &["correcto caballo"]);
    window.session(Event::Renamed { name: "Berta L".to_owned() });
    window.session(Event::LoggedIn { role: "user".to_owned() });
    assert_eq!((render::question(&window.model), window.screen().own_name.as_str()), (None, "Berta L"));
}

#[test]
fn an_account_that_the_relay_does_not_know_is_told() {
    let mut window = Window::with(Settings { login: true, ..settings() });
    window.greet();
    window.joined("general");
    let hint = window.screen().hint.unwrap();
    assert!(
        hint.is_error && hint.text.starts_with("«Ana» no es una cuenta de 10.0.0.5:2000"),
        "{}",
        hint.text
    );
}

#[test]
fn operators_acts_are_offered_to_operators_alone_and_never_about_themselves() {
    let acts = |window: &Window, name: &str| -> Vec<String> {
        render::operator_acts(&window.model, name).into_iter().map(|(label, _)| label).collect()
    };
    assert!(acts(&Window::ready(), "Luis").is_empty());
    assert!(acts(&logged_in("user"), "Luis").is_empty());
    let window = logged_in("operator");
    assert!(acts(&window, "ana").is_empty());
    assert_eq!(
        acts(&window, "Luis"),
        [
            "Expulsar a Luis…",
            "Silenciar a Luis…",
            "Dejar hablar a Luis",
            "Vetar a Luis…",
            "Hacer operador a Luis…",
            "Quitar de operador a Luis…"
        ]
    );
}

#[test]
fn an_act_asks_for_what_it_needs_and_a_ban_is_meant() {
    let mut window = logged_in("operator");
    let operate = |window: &mut Window, kind, name: &str| {
        window.commands.clear();
        window.act(Act::Operate { kind, name: name.to_owned() });
    };
    operate(&mut window, ActKind::Ban, "Luis G");
    assert!(window.commands.is_empty(), "nothing before it is confirmed");
    let text = drawn(&window);
    let expected = "? Vetar a Luis G\n  No podrá volver: su cuenta o, si no la tiene, su dirección.\n  <Cuánto tiempo: 10 minutos | 1 hora | 1 día | 1 semana | Sin fin>\n  (Por qué)\n  [Vetar] [Cancelar]\n";
    assert!(text.contains(expected), "{text}");
    decline(&mut window);
    assert!(window.commands.is_empty());
    for (kind, values, expected) in [
        (ActKind::Ban, &["1", "demasiado  ruido"][..], "/ban Luis\\sG 1h demasiado ruido"),
        (ActKind::Mute, &["4", ""], "/mute Luis\\sG"),
        (ActKind::Kick, &["fuera"], "/kick Luis\\sG fuera"),
        (ActKind::Op, &[], "/op Luis\\sG"),
        (ActKind::Deop, &[], "/deop Luis\\sG"),
    ] {
        operate(&mut window, kind, "Luis G");
        answer(&mut window, values);
        assert_eq!(window.link_commands(), [order(expected)]);
    }
    operate(&mut window, ActKind::Unmute, "Telegram - Luis");
    assert_eq!(window.link_commands(), [order("/unmute Telegram")]);
    let (words, sentence) = ("NOTE KICK DONE Luis\\sG".to_owned(), "hecho".to_owned());
    window.session(Event::Other { words, label: None, sentence });
    assert_eq!(window.screen().hint.unwrap().text, "hecho: /kick Luis G");
    let (words, sentence) = ("FAIL KICK NOT_OPERATOR".to_owned(), "no eres operador".to_owned());
    window.session(Event::Other { words, label: None, sentence });
    assert_eq!(window.screen().hint.unwrap().text, "no eres operador");
}

#[test]
fn acts_can_be_written_too() {
    let mut window = logged_in("operator");
    for (written, expected) in [
        ("/kick Luis fuera de aquí", "/kick Luis fuera de aquí"),
        ("/vetar 10.0.0.0/8 1h ruido", "/vetar 10.0.0.0/8 1h ruido"),
        ("/mute Luis 10m", "/mute Luis 10m"),
    ] {
        window.commands.clear();
        window.say(written);
        assert_eq!(window.link_commands(), [order(expected)]);
    }
    window.say("/ban Luis 5x ruido");
    assert!(window.screen().hint.unwrap().text.starts_with("«5x» no es un tiempo"));
    window.say("/kick");
    assert!(window.screen().hint.unwrap().is_error);
    assert_eq!(window.input(), "/kick", "it stays, to be written on");
}

#[test]
fn whatever_operators_can_write_is_in_the_help() {
    let mut window = logged_in("operator");
    window.say("/ayuda");
    let text = window.transcript();
    for (_, spanish, _, kind) in tertulia_wire::account::NAMES {
        assert!(kind.is_none() || text.contains(&format!("/{spanish}")), "{spanish}: {text}");
    }
}

#[test]
fn bans_and_mutes_are_listed_among_the_lines() {
    let mut window = logged_in("operator");
    window.commands.clear();
    window.say("/bans");
    assert_eq!(window.link_commands(), [order("/bans")]);
    let listed = [
        "BANS kind=ban target=Luis\\sG since=2026-11-26T05:00:00.000Z by=Jefa why=mucho\\sruido",
        "BANS kind=mute target=10.0.0.0/8 since=2026-11-26T05:00:00.000Z until=2026-11-27T05:06:07.000Z by=Jefa",
        "END BANS shown=2 of=2",
    ];
    for words in listed {
        window.session(Event::Other { words: words.to_owned(), label: None, sentence: String::new() });
    }
    let text = window.transcript();
    for line in [
        "Luis G está vetado sin fin, por Jefa («mucho ruido»)",
        "10.0.0.0/8 está silenciado hasta el 2026-11-27 05:06, por Jefa",
        "2 de 2 vetos y silencios; se quitan con /desvetar y /desilenciar",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn what_is_read_is_told_once_in_a_while_and_only_of_an_account() {
    let mut window = Window::ready();
    window.hear("general", "Luis", "hola");
    window.pass(Duration::from_secs(60));
    assert!(!window.link_commands().iter().any(|command| matches!(command, LinkCommand::Read { .. })));
    let mut window = logged_in("user");
    let mut last = 0;
    for _ in 0..50 {
        last = window.hear("general", "Luis", "hola");
    }
    window.pass(MARK_AFTER);
    assert_eq!(window.link_commands(), [LinkCommand::Read { room: "general".to_owned(), id: last }]);
    window.pass(Duration::from_secs(60));
    assert!(window.link_commands().is_empty());
    window.act(Act::Focus(false));
    window.hear("general", "Luis", "nadie mira");
    window.pass(Duration::from_secs(60));
    assert!(window.link_commands().is_empty(), "what nobody has seen is not read");
    window.act(Act::Focus(true));
    window.pass(MARK_AFTER);
    assert!(matches!(window.link_commands()[..], [LinkCommand::Read { id, .. }] if id == last + 1));
}

#[test]
fn what_another_device_has_read_is_read_here() {
    let mut window = logged_in("user");
    window.act(Act::Focus(false));
    let ids: Vec<u64> =
        ["uno", "Ana, dos", "tres"].iter().map(|text| window.hear("general", "Luis", text)).collect();
    assert!(drawn(&window).contains(">#general 3*1"), "{}", drawn(&window));
    let read = |window: &mut Window, id| window.session(Event::Read { room: "general".to_owned(), id });
    read(&mut window, ids[1]);
    assert!(drawn(&window).contains(">#general 1 "), "{}", drawn(&window));
    assert!(!window.screen().title.contains("(3)"));
    read(&mut window, ids[0]);
    assert!(drawn(&window).contains(">#general 1 "), "it only grows");
    read(&mut window, ids[2]);
    assert!(drawn(&window).contains(">#general "), "{}", drawn(&window));
    assert!(!window.screen().has_unread_line);
    let id = window.take_id();
    read(&mut window, id);
    let missed = line(Some(id), Some("general"), "Luis", "Ana, leído en el teléfono");
    window.session(Event::Heard { line: missed, source: Source::Gap });
    assert_eq!(window.screen().conversations[0].unread, 0, "it was read before it came");
}

#[test]
fn what_the_account_says_on_another_device_is_its_own() {
    let mut window = logged_in("user");
    window.act(Act::Focus(false));
    window.hear("general", "Ana", "desde el teléfono, Ana");
    assert_eq!(window.screen().conversations[0].unread, 0);
    assert!(window.transcript().ends_with("Tú: desde el teléfono, Ana"), "{}", window.transcript());
    let id = window.take_id();
    let private =
        Line { is_private: true, to: Some("Luis".to_owned()), ..line(Some(id), None, "Ana", "solo tú") };
    window.hear_line(private);
    let rows = window.screen().conversations;
    assert_eq!((rows.len(), rows[1].name.as_str(), rows[1].unread), (2, "Luis", 0));
    window.act(Act::Select(rows[1].id));
    assert!(window.transcript().ends_with("Tú: solo tú"), "{}", window.transcript());
}

#[test]
fn an_order_with_a_password_that_something_stands_before_is_not_said_to_anybody() {
    let mut window = logged_in("user");
    for text in [
        "hola\n/entrar Ana secretísima",
        "/clave secretísima\ny hola",
        "//login Ana secretísima",
        "\u{200b}/passwd secretísima",
        "/msg Luis /entrar Ana secretísima",
    ] {
        window.commands.clear();
        window.write(text);
        window.act(Act::Send);
        assert_eq!(window.link_commands(), [], "{text}");
        assert_eq!(window.input(), text);
        let hint = window.screen().hint.unwrap().text;
        assert!(hint.starts_with("parece una orden con una contraseña"), "{text}: {hint}");
    }
    window.write("hola\n/entrar Ana secretísima");
    window.pass(Duration::from_secs(2));
    assert!(!window.model.drafts().contains("secret"));
}
