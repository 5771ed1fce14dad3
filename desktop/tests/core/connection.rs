//! The name, the connection, its troubles in a person's words, and the way out.

use std::time::Duration;

use tertulia_desktop::model::{
    Act, CLOSE_WAIT, ConnectError, FileCommand, LinkCommand, LinkEvent, Scroll, ViewCommand,
};
use tertulia_desktop::phrases::{Language, Sentence};
use tertulia_desktop::render::BannerKind;
use tertulia_desktop::settings::Settings;
use tertulia_wire::session::{Event, Reason};

use crate::window::{Window, settings};

fn nameless() -> Window {
    Window::with(Settings { name: String::new(), ..settings() })
}

#[test]
fn who_has_no_name_is_asked_for_one_and_connects_with_it() {
    let mut window = nameless();
    let question = window.screen().name_question.unwrap();
    assert_eq!(question.question, "¿Cómo te llamas?");
    assert!(window.link_commands().is_empty(), "nothing is begun without a name");
    window.act(Act::ChooseName(" Ana ".to_owned()));
    let started = window.link_commands();
    let LinkCommand::Start { relay, name, rooms, tls: None } = &started[0] else { panic!("{started:?}") };
    assert_eq!(
        (relay.as_str(), name.as_str(), rooms.as_slice()),
        ("10.0.0.5:2000", "Ana", &["general".to_owned()][..])
    );
    assert!(window.screen().name_question.is_none());
}

#[test]
fn who_is_asked_for_a_name_first_gets_the_history_all_the_same() {
    let mut window = nameless();
    // The window is drawn before there is an answer, and says where it stands.
    window.act(Act::Scroll(Scroll { is_at_end: true, is_near_start: true, first: None }));
    assert!(window.take_fetch("general").is_none());
    window.act(Act::ChooseName("Ana".to_owned()));
    window.greet();
    window.joined("general");
    window.answer_older("general", &[(1, "Luis", "hola")], false);
    assert!(window.transcript().contains("Luis: hola"), "{}", window.transcript());
}

#[test]
fn an_empty_name_becomes_the_guest_s_name_that_was_promised() {
    let mut window = nameless();
    let hint = window.screen().name_question.unwrap().hint;
    window.act(Act::ChooseName(String::new()));
    let started = window.link_commands();
    let [LinkCommand::Start { name, .. }] = &started[..] else { panic!("{started:?}") };
    let digits = name.strip_prefix("Usuario_").unwrap();
    assert!((1..=3).contains(&digits.len()) && digits.parse::<u32>().is_ok(), "{name}");
    assert!(hint.contains(name), "{hint}");
}

#[test]
fn who_gives_no_name_is_asked_again_the_next_time() {
    let mut window = nameless();
    window.act(Act::ChooseName(" ".to_owned()));
    let name = window.screen().own_name;
    window.session(Event::Ready {
        name: name.clone(),
        sid: 7,
        is_resumed: false,
        durability: "commit".to_owned(),
    });
    assert!(name.starts_with("Usuario_") && window.model.settings().name.is_empty(), "{name}");
    assert!(window.files().is_empty(), "nothing was chosen that could be written down");
    window.act(Act::Rename("Ana".to_owned()));
    window.session(Event::Renamed { name: "Ana".to_owned() });
    assert_eq!(window.model.settings().name, "Ana");
}

#[test]
fn a_relay_that_does_not_greet_says_why_and_can_be_tried_again() {
    let mut window = Window::with(settings());
    window.session(Event::HelloRefused {
        code: "FULL".to_owned(),
        name: "Ana".to_owned(),
        sentence: "no cabe nadie más".to_owned(),
        again_in: None,
    });
    assert!(window.screen().name_question.is_none(), "no other name would help");
    let banner = window.screen().banner.unwrap();
    assert_eq!(banner.text, "el relay de 10.0.0.5:2000 no te deja entrar: no cabe nadie más");
    window.commands.clear();
    window.act(banner.button.unwrap().act);
    assert_eq!(window.link_commands(), [LinkCommand::Reconnect]);
    window.greet();
    assert!(window.screen().banner.is_none());
}

#[test]
fn a_link_that_is_gone_is_told_and_what_was_not_said_is_red_and_kept() {
    let mut window = Window::ready();
    window.say("a medias");
    window.commands.clear();
    window.link(LinkEvent::Gone);
    let banner = window.screen().banner.unwrap();
    assert!(
        banner.kind == BannerKind::Trouble && banner.text.contains("cierra la ventana"),
        "{}",
        banner.text
    );
    assert!(window.transcript().contains("!a medias!"), "{}", window.transcript());
    let files = window.files();
    assert!(
        matches!(&files[..], [FileCommand::SaveDraftsSafely(text)] if text.contains("a medias")),
        "{files:?}"
    );
    window.say("otra");
    assert!(window.take_said().is_empty());
    assert_eq!(window.input(), "otra", "it stays where it can be kept");
    window.act(Act::Close);
    assert!(window.view_commands().contains(&ViewCommand::Close), "nobody is waited for");
}

#[test]
fn a_name_that_cannot_be_one_is_asked_for_again() {
    let mut window = nameless();
    window.act(Act::ChooseName("a:b".to_owned()));
    let question = window.screen().name_question.unwrap();
    assert!(question.error.unwrap().contains("no vale como nombre"));
    assert_eq!(question.text, "a:b");
}

#[test]
fn a_name_that_is_taken_is_asked_for_again_and_the_new_one_is_passed_on() {
    let mut window = Window::with(settings());
    window.commands.clear();
    window.session(Event::HelloRefused {
        code: "NAME_IN_USE".to_owned(),
        name: "Ana".to_owned(),
        sentence: "x".to_owned(),
        again_in: None,
    });
    let question = window.screen().name_question.unwrap();
    assert_eq!(question.error.unwrap(), "«Ana» lo usa otra persona; elige otro nombre");
    window.act(Act::ChooseName("Ana_2".to_owned()));
    assert_eq!(window.link_commands()[..], [LinkCommand::Rename { name: "Ana_2".to_owned() }]);
    window.greet();
    assert!(window.screen().name_question.is_none());
}

#[test]
fn the_ghost_of_the_last_connection_is_waited_for_with_a_countdown() {
    let mut window = Window::with(settings());
    window.session(Event::HelloRefused {
        code: "NAME_IN_USE".to_owned(),
        name: "Ana".to_owned(),
        sentence: String::new(),
        again_in: Some(Duration::from_secs(3)),
    });
    assert!(window.screen().name_question.is_none());
    assert_eq!(
        window.screen().banner.unwrap().text,
        "tu conexión anterior aún tiene el nombre «Ana»; se vuelve a pedir en 3 s"
    );
}

#[test]
fn a_relay_that_is_not_there_is_said_in_words_and_counted_down() {
    let mut window = Window::with(settings());
    window.link(LinkEvent::ConnectFailed(ConnectError::Refused));
    window.session(Event::Waiting { reason: Reason::ConnectFailed, retry_in: Duration::from_millis(3500) });
    let text = |window: &Window| window.screen().banner.unwrap().text;
    assert_eq!(text(&window), "no hay nadie escuchando en 10.0.0.5:2000; reintento en 4 s");
    window.pass(Duration::from_secs(1));
    assert_eq!(text(&window), "no hay nadie escuchando en 10.0.0.5:2000; reintento en 3 s");
    window.pass(Duration::from_secs(5));
    assert_eq!(text(&window), "no hay nadie escuchando en 10.0.0.5:2000; reintentando…");
    assert_eq!(window.model.next_due(), None, "nothing changes by itself any more");
    window.greet();
    assert!(window.screen().banner.is_none());
}

#[test]
fn every_trouble_has_a_sentence_in_both_languages() {
    let errors = [
        ConnectError::Refused,
        ConnectError::Unreachable,
        ConnectError::NoNetwork,
        ConnectError::TimedOut,
        ConnectError::NameNotFound,
        ConnectError::Denied,
        ConnectError::Other(Sentence::quoted("algo raro")),
    ];
    let mut seen = std::collections::HashSet::new();
    for language in [Language::Es, Language::En] {
        for error in &errors {
            let mut window = Window::with(Settings { language: Some(language), ..settings() });
            window.link(LinkEvent::ConnectFailed(error.clone()));
            window
                .session(Event::Waiting { reason: Reason::ConnectFailed, retry_in: Duration::from_secs(4) });
            let banner = window.screen().banner.unwrap();
            assert_eq!(banner.kind, BannerKind::Trouble);
            assert!(banner.text.contains("10.0.0.5") && banner.text.ends_with(" 4 s"), "{}", banner.text);
            assert!(seen.insert(banner.text));
        }
        let reasons = [Reason::Disconnected, Reason::NotTertulia, Reason::Version, Reason::Silent];
        for reason in reasons {
            let mut window = Window::with(Settings { language: Some(language), ..settings() });
            window.session(Event::Waiting { reason, retry_in: Duration::from_secs(4) });
            assert!(seen.insert(window.screen().banner.unwrap().text));
        }
    }
}

#[test]
fn a_cut_is_told_and_what_is_said_meanwhile_waits_in_grey() {
    let mut window = Window::ready();
    window.session(Event::Waiting { reason: Reason::Disconnected, retry_in: Duration::from_secs(2) });
    window.say("sin conexión");
    assert!(window.transcript().contains("~sin conexión~"));
    assert_eq!(window.take_said().len(), 1, "the session keeps it");
    window.session(Event::Waiting { reason: Reason::ConnectFailed, retry_in: Duration::from_secs(2) });
    window.commands.clear();
    let button = window.screen().banner.unwrap().button.unwrap();
    window.act(button.act);
    assert!(window.link_commands().contains(&LinkCommand::Reconnect));
    assert_eq!(window.screen().banner.unwrap().text, "conectando con 10.0.0.5:2000…");
}

#[test]
fn enter_connects_at_once_but_not_again_and_again() {
    let mut window = Window::ready();
    let cut = || Event::Waiting { reason: Reason::Disconnected, retry_in: Duration::from_secs(20) };
    let attempts = |window: &mut Window| {
        let commands = window.link_commands();
        window.commands.clear();
        commands.iter().filter(|command| **command == LinkCommand::Reconnect).count()
    };
    window.say("con conexión");
    assert_eq!(attempts(&mut window), 0, "there is one");
    window.session(cut());
    window.say("ahora");
    assert_eq!(attempts(&mut window), 1);
    window.session(cut());
    window.say("otra");
    assert_eq!(attempts(&mut window), 0, "it was tried a moment ago");
    window.pass(Duration::from_secs(2));
    window.act(Act::Send);
    assert_eq!(attempts(&mut window), 1, "with nothing to say as well");
}

#[test]
fn the_name_of_the_last_session_stands_there_to_be_accepted() {
    let mut window = nameless();
    assert_eq!(window.screen().name_question.unwrap().text, "");
    window.model.offer_name("Ana");
    assert_eq!(window.screen().name_question.unwrap().text, "Ana");
    window.act(Act::ChooseName("Ana".to_owned()));
    window.model.offer_name("Eva");
    assert!(window.screen().name_question.is_none(), "it has one");
}

#[test]
fn before_the_relay_has_told_it_nothing_is_said_of_what_was_said() {
    let mut window = Window::with(settings());
    assert_eq!(window.screen().empty, None);
    window.greet();
    window.joined("general");
    window.answer_older("general", &[], false);
    assert_eq!(window.screen().empty.unwrap(), "aún no se ha dicho nada");
}

#[test]
fn a_session_that_was_opened_elsewhere_waits_for_the_person() {
    let mut window = Window::ready();
    window.session(Event::TakenOver);
    let banner = window.screen().banner.unwrap();
    assert!(banner.text.contains("se ha abierto en otro sitio"));
    window.commands.clear();
    window.act(banner.button.unwrap().act);
    assert_eq!(window.link_commands(), [LinkCommand::Reconnect]);
}

#[test]
fn troubles_of_the_disk_are_told_on_both_sides() {
    let mut window = Window::ready();
    window.session(Event::History { is_kept: false });
    assert!(window.screen().banner.unwrap().text.contains("el relay no puede guardar"));
    window.session(Event::History { is_kept: true });
    assert!(window.screen().banner.is_none());
    window.link(LinkEvent::OutboxFailed { reason: Sentence::quoted("disco lleno") });
    assert!(window.screen().banner.unwrap().text.contains("(disco lleno)"));
    window.link(LinkEvent::OutboxWritten);
    assert!(window.screen().banner.is_none());
}

#[test]
fn closing_says_goodbye_first_and_closes_when_that_is_done() {
    let mut window = Window::ready();
    window.write("a medias");
    window.act(Act::Close);
    let commands = std::mem::take(&mut window.commands);
    use tertulia_desktop::model::Command;
    assert!(
        matches!(&commands[0], Command::File(FileCommand::SaveDrafts(text)) if text.contains("a medias"))
    );
    assert_eq!(commands[1], Command::Link(LinkCommand::Quit));
    assert_eq!(window.screen().banner.unwrap().text, "despidiéndose…");
    window.session(Event::Ended);
    assert_eq!(window.view_commands(), [ViewCommand::Close]);
}

#[test]
fn closing_does_not_wait_for_ever_nor_for_who_closes_twice() {
    let mut window = Window::ready();
    window.act(Act::Close);
    window.commands.clear();
    window.pass(CLOSE_WAIT);
    assert_eq!(window.view_commands(), [ViewCommand::Close]);
    let mut window = Window::ready();
    window.act(Act::Close);
    window.commands.clear();
    window.act(Act::Close);
    assert_eq!(window.view_commands(), [ViewCommand::Close]);
    let mut unnamed = nameless();
    unnamed.act(Act::Close);
    assert_eq!(unnamed.view_commands(), [ViewCommand::Close]);
}

#[test]
fn nothing_is_due_while_nothing_changes() {
    let mut window = Window::ready();
    assert_eq!(window.model.next_due(), None);
    window.hear("general", "Luis", "hola");
    let until_midnight = Duration::from_secs(((23 - 16) * 60 + 60 - 37) * 60 - 10);
    assert_eq!(window.model.next_due(), Some(window.now.monotonic + until_midnight));
    assert!(window.transcript().contains("--- hoy ---"));
    window.pass(until_midnight);
    assert!(window.transcript().contains("--- ayer ---"), "{}", window.transcript());
}

#[test]
fn a_sentence_below_goes_by_itself() {
    let mut window = Window::ready();
    window.say("/baila");
    assert!(window.screen().hint.unwrap().text.contains("no existe /baila"));
    window.write("");
    window.pass(Duration::from_secs(20));
    assert!(window.screen().hint.is_none());
    assert_eq!(window.model.next_due(), None);
}

#[test]
fn a_name_that_was_changed_is_written_down_and_mentions_follow_it() {
    let mut window = Window::ready();
    window.say("/nombre Anita");
    assert!(window.link_commands().contains(&LinkCommand::Rename { name: "Anita".to_owned() }));
    window.session(Event::Renamed { name: "Anita".to_owned() });
    assert!(matches!(&window.files()[0], FileCommand::SaveSettings(text) if text.contains("Anita")));
    window.act(Act::Focus(false));
    window.hear("general", "Luis", "hola anita");
    assert_eq!(window.notifications().len(), 1);
    window.say("/nick Luis");
    window.session(Event::RenameRefused { code: "NAME_IN_USE".to_owned(), sentence: String::new() });
    assert_eq!(window.screen().hint.unwrap().text, "«Luis» lo usa otra persona; elige otro nombre");
    assert_eq!(window.model.settings().name, "Anita");
}

#[test]
fn another_relay_is_asked_for_the_name_that_was_chosen_with_it() {
    let mut window = Window::ready();
    window.commands.clear();
    let chosen = Settings { relay: "casa:2001".to_owned(), name: "Berta".to_owned(), ..settings() };
    window.act(Act::ChangeSettings(Box::new(chosen)));
    let started = window.link_commands();
    let is_right = |command: &LinkCommand| matches!(command, LinkCommand::Start { relay, name, .. } if relay == "casa:2001" && name == "Berta");
    assert!(started.iter().any(is_right), "{started:?}");
    assert!(!started.iter().any(|command| matches!(command, LinkCommand::Rename { .. })), "{started:?}");
    assert_eq!(window.model.settings().name, "Berta");
}
