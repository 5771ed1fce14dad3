//! A session on a workbench: what the relay says is put in by hand.

use std::time::Duration;

use tertulia_wire::session::{Action, Config, Event, Line, Say, Session, Source};

pub(crate) const HELLO: &str =
    "* HELLO v=1 name=Ana token=T sid=7 line=16384 burst=0 rate=0 durability=commit\n";

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn config() -> Config {
    Config::new("relay.example:2000", "Ana", &["general"], 1)
}

/// Says it in `general`.
pub(crate) fn general(text: &str) -> Say<'_> {
    Say { room: "general", text, ..Say::default() }
}

pub(crate) fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

pub(crate) fn actions(session: &mut Session) -> Vec<Action> {
    std::iter::from_fn(|| session.poll_action()).collect()
}

/// All that is written now, line by line.
pub(crate) fn written(session: &mut Session) -> Vec<String> {
    let bytes: Vec<u8> = std::iter::from_fn(|| session.poll_transmit()).flatten().collect();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// What happens when the relay says this.
pub(crate) fn hear(session: &mut Session, lines: &str, now: Duration) -> Vec<Event> {
    session.handle_bytes(lines.as_bytes(), now);
    events(session)
}

/// Connected, and the hello is written.
pub(crate) fn connect(session: &mut Session, now: Duration) -> Vec<String> {
    session.handle_time(now);
    assert_eq!(actions(session), [Action::Connect]);
    session.handle_connected(now);
    written(session)
}

/// A session that was greeted and is in `general`, where the newest id is 10.
pub(crate) fn ready() -> Session {
    let mut session = Session::new(config());
    connect(&mut session, seconds(0));
    hear(&mut session, &format!("{HELLO}* JOINED room=general last=10 :aquí\n"), seconds(0));
    session
}

/// Cut, and connected again; gives what is written then.
pub(crate) fn reconnect(session: &mut Session, now: Duration) -> Vec<String> {
    session.handle_disconnected(now);
    events(session);
    connect(session, now + seconds(60))
}

/// Texts of the lines among the events that came from there.
pub(crate) fn texts(events: &[Event], from: impl Fn(Source) -> bool) -> Vec<&str> {
    let line = |event| match event {
        &Event::Heard { ref line, source } if from(source) => Some(line.text.as_str()),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

/// A line in `general` that Luis said.
pub(crate) fn of_luis(id: u64, key: (u64, &str), text: &str) -> Line {
    Line {
        id: Some(id),
        unix_ms: None,
        room: Some("general".to_owned()),
        key: Some((key.0, key.1.to_owned())),
        reply: None,
        quote: None,
        is_private: false,
        to: None,
        notice: None,
        name: "Luis".to_owned(),
        text: text.to_owned(),
    }
}
