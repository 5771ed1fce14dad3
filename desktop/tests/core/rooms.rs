//! Entering, leaving, private conversations, going from one to another.

use tertulia_desktop::model::{
    Act, Command, FileCommand, Kind, LinkCommand, LinkEvent, PRIVATE_MAX, Unsent, ViewCommand,
};
use tertulia_desktop::settings::{Flags, Settings};
use tertulia_wire::session::Event;

use crate::window::{Window, settings};

fn names(window: &Window) -> Vec<String> {
    window.screen().conversations.iter().map(|row| row.name.clone()).collect()
}

#[test]
fn a_room_is_entered_shown_and_written_down() {
    let mut window = Window::ready();
    window.say("/sala #Cocina");
    let commands = std::mem::take(&mut window.commands);
    assert!(commands.contains(&Command::Link(LinkCommand::Join { room: "cocina".to_owned() })));
    assert!(commands.iter().any(
        |command| matches!(command, Command::File(FileCommand::SaveSettings(text)) if text.contains("cocina"))
    ));
    assert_eq!(window.screen().heading, "cocina");
    assert!(!window.screen().conversations[1].is_in);
    window.joined("cocina");
    assert!(window.screen().conversations[1].is_in);
    window.say("/join cocina");
    assert!(!window.link_commands().iter().any(|command| matches!(command, LinkCommand::Join { .. })));
}

#[test]
fn a_room_that_does_not_let_in_is_said_to_be_so_and_goes() {
    let mut window = Window::ready();
    window.act(Act::Join("cocina".to_owned()));
    window.session(Event::JoinRefused {
        room: "cocina".to_owned(),
        code: "TOO_MANY_ROOMS".to_owned(),
        sentence: "hay demasiadas salas".to_owned(),
    });
    assert_eq!(window.screen().hint.unwrap().text, "no se puede entrar en cocina: hay demasiadas salas");
    assert_eq!(names(&window), ["general"]);
}

#[test]
fn what_cannot_be_a_room_is_refused_at_once_and_stays_written() {
    let mut window = Window::ready();
    window.say("/sala dos palabras");
    assert_eq!(names(&window), ["general"]);
    assert!(window.screen().hint.unwrap().is_error);
}

#[test]
fn leaving_shows_the_neighbour_and_the_last_room_stays() {
    let rooms = vec!["general".to_owned(), "cocina".to_owned()];
    let mut window = Window::ready_with(Settings { rooms, ..settings() });
    window.act(Act::SelectNext { backwards: false });
    window.say("/dejar");
    assert!(window.link_commands().contains(&LinkCommand::Part { room: "cocina".to_owned() }));
    assert_eq!(window.screen().heading, "general");
    window.session(Event::Parted { room: "cocina".to_owned() });
    assert_eq!(names(&window), ["general"]);
    assert_eq!(window.model.settings().rooms, ["general"]);
    window.say("/dejar");
    assert_eq!(names(&window), ["general"]);
    assert!(window.screen().hint.unwrap().is_error);
}

#[test]
fn a_room_with_unsent_lines_is_not_left() {
    let rooms = vec!["general".to_owned(), "cocina".to_owned()];
    let mut window = Window::ready_with(Settings { rooms, ..settings() });
    window.say("aún sin respuesta");
    let id = window.model.selected();
    window.act(Act::Leave(id));
    assert_eq!(names(&window).len(), 2);
    assert!(window.screen().hint.unwrap().text.contains("sin enviar"));
    let label = window.take_said().remove(0).label;
    window.acknowledge(&label);
    window.act(Act::Leave(id));
    assert_eq!(names(&window), ["cocina"]);
}

#[test]
fn a_private_line_goes_to_its_person_alone() {
    let mut window = Window::ready();
    window.say("/privado Luis ¿vamos?");
    let said = window.take_said().remove(0);
    assert_eq!((said.to.as_deref(), said.room.as_str(), said.text.as_str()), (Some("Luis"), "", "¿vamos?"));
    assert_eq!(window.screen().heading, "Luis");
    assert!(window.transcript().contains("~¿vamos?~"));
    window.acknowledge(&said.label);
    window.whisper("luis", "voy");
    assert_eq!(names(&window), ["general", "Luis"], "the same person, however written");
    assert!(window.transcript().ends_with("luis: voy"), "{}", window.transcript());
    window.say("y tú");
    assert_eq!(window.take_said()[0].to.as_deref(), Some("Luis"));
}

#[test]
fn a_private_line_to_who_is_not_there_is_red() {
    let mut window = Window::ready();
    window.say("/msg Luis hola");
    let label = window.take_said().remove(0).label;
    window.refuse(&label, "NOT_HERE");
    assert!(window.transcript().contains("no enviado: esa persona no está"), "{}", window.transcript());
}

#[test]
fn a_name_with_spaces_can_be_written_to() {
    let mut window = Window::ready();
    window.session(Event::Who { label: None, room: "general".to_owned(), name: "Ana María".to_owned() });
    window.session(Event::AnswerEnd { label: None, what: "WHO".to_owned() });
    for (text, to, said) in [
        ("/msg Ana María hola", "Ana María", "hola"),
        ("/msg \"Juan Luis\" hola", "Juan Luis", "hola"),
        ("/msg Eva\\sB hola", "Eva B", "hola"),
        ("/msg Telegram\\s-\\sLuis hola", "Telegram", "hola"),
    ] {
        window.act(Act::Join("general".to_owned()));
        window.say(text);
        let line = window.take_said().remove(0);
        assert_eq!((line.to.as_deref(), line.text.as_str()), (Some(to), said), "{text}");
    }
}

#[test]
fn nobody_talks_privately_with_themselves() {
    let mut window = Window::ready();
    window.say("/msg ana hola");
    assert_eq!(names(&window), ["general"]);
    assert!(window.take_said().is_empty());
}

#[test]
fn conversations_are_walked_through_around_the_end() {
    let rooms = ["a", "b", "c"].map(str::to_owned).to_vec();
    let mut window = Window::ready_with(Settings { rooms, ..settings() });
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(window.screen().heading);
        window.act(Act::SelectNext { backwards: false });
    }
    assert_eq!(seen, ["a", "b", "c", "a"]);
    window.act(Act::SelectNext { backwards: true });
    window.act(Act::SelectNext { backwards: true });
    assert_eq!(window.screen().heading, "c");
    window.hear("a", "Luis", "algo");
    window.hear("b", "Luis", "Ana");
    window.act(Act::SelectUnread);
    assert_eq!(window.screen().heading, "b", "who is named comes first");
    window.act(Act::SelectUnread);
    assert_eq!(window.screen().heading, "a");
}

#[test]
fn a_conversation_is_shown_again_where_it_was_read() {
    let rooms = ["a", "b"].map(str::to_owned).to_vec();
    let mut window = Window::ready_with(Settings { rooms, ..settings() });
    window.hear("a", "Luis", "uno");
    window.hear("a", "Luis", "dos");
    window.scroll(false, false);
    let first = window.row("uno").entry;
    window.act(Act::SelectNext { backwards: false });
    window.commands.clear();
    window.act(Act::SelectNext { backwards: false });
    let conversation = window.model.selected();
    assert_eq!(window.view_commands()[0], ViewCommand::Show { conversation, first: Some(first) });
}

#[test]
fn private_conversations_have_a_bound_and_none_is_closed_that_would_lose_something() {
    let mut window = Window::ready();
    window.whisper("primera", "hola");
    let first = window.screen().conversations[1].id;
    window.act(Act::Select(first));
    window.write("a medias");
    window.act(Act::Join("general".to_owned()));
    for number in 0..2 * PRIVATE_MAX {
        window.whisper(&format!("Persona {number}"), "hola");
    }
    let rows = window.screen().conversations;
    assert!(rows.iter().filter(|row| row.kind == Kind::Private).count() <= PRIVATE_MAX);
    assert!(rows.iter().any(|row| row.id == first));
}

#[test]
fn strangers_close_nothing_that_is_unread_or_answered_and_the_last_of_them_have_to_wait() {
    let mut window = Window::ready();
    window.whisper("Luis", "¿vienes?");
    window.act(Act::Talk("Eva".to_owned()));
    window.say("hola, Eva");
    let label = window.take_said().remove(0).label;
    window.acknowledge(&label);
    window.act(Act::SelectNext { backwards: false });
    for number in 0..3 * PRIVATE_MAX {
        window.whisper(&format!("Nadie_{number}"), "compra");
    }
    let open = names(&window);
    assert_eq!(open.len(), PRIVATE_MAX + 1);
    assert!(open.contains(&"Luis".to_owned()) && open.contains(&"Eva".to_owned()));
    let told = window.transcript().matches("cierra alguna").count();
    assert_eq!(told, 1, "once, and not for each: {}", window.transcript());
    window.say("/msg Otra hola");
    assert_eq!(
        window.screen().hint.unwrap().text,
        "ya hay 64 conversaciones privadas por leer o contestadas; cierra alguna"
    );
    let id = window.screen().conversations.iter().find(|row| row.name == "Nadie_3").unwrap().id;
    window.act(Act::Leave(id));
    window.whisper("Zoe", "al fin");
    assert!(names(&window).contains(&"Zoe".to_owned()));
}

#[test]
fn a_room_of_lines_that_wait_is_entered_so_that_they_can_be_said() {
    let mut window = Window::with(settings());
    window.greet();
    window.commands.clear();
    window.link(LinkEvent::Restored(vec![Unsent {
        label: "w1.1".to_owned(),
        room: "otra".to_owned(),
        to: None,
        reply: None,
        text: "de ayer".to_owned(),
        refusal: None,
    }]));
    let join = LinkCommand::Join { room: "otra".to_owned() };
    assert_eq!(window.link_commands(), std::slice::from_ref(&join));
    assert!(!window.screen().conversations[1].is_in);
    window.act(Act::Join("otra".to_owned()));
    assert!(window.link_commands().contains(&join), "who wants to be in it asks, unless in it");
}

#[test]
fn rooms_of_the_command_line_are_not_written_over_those_of_the_file() {
    let file = Settings { rooms: vec!["general".to_owned(), "taller".to_owned()], ..settings() };
    let flags = Flags { rooms: Some(vec!["fiesta".to_owned()]), ..Flags::default() };
    let mut window = Window::ready_with(file.with_flags(flags));
    assert_eq!(names(&window), ["fiesta"]);
    window.commands.clear();
    window.act(Act::Join("cocina".to_owned()));
    let files = window.files();
    let [FileCommand::SaveSettings(text)] = &files[..] else { panic!("{files:?}") };
    assert_eq!(Settings::from_toml(text).unwrap().rooms, ["general", "taller", "cocina"]);
}
