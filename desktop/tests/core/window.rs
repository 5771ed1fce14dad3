//! A window for tests: the model with a clock of its own, and words for what happens to it.

use std::time::Duration;

use tertulia_desktop::model::{
    Act, AskId, Command, Event, FileCommand, LinkCommand, LinkEvent, Model, Notification, Now, SayLine,
    Scroll, ViewCommand,
};
use tertulia_desktop::phrases::Language;
use tertulia_desktop::render;
use tertulia_desktop::settings::Settings;
use tertulia_wire::heard::Notice;
use tertulia_wire::session::{self, Line, Source};

/// 2026-11-22T16:37:00Z, a Sunday.
pub(crate) const START_MS: u64 = 1_795_365_420_000;

pub(crate) struct Window {
    pub(crate) model: Model,
    pub(crate) now: Now,
    /// What the model wanted since it was last looked at.
    pub(crate) commands: Vec<Command>,
    pub(crate) next_id: u64,
}

pub(crate) fn settings() -> Settings {
    Settings {
        name: "Ana".to_owned(),
        relay: "10.0.0.5:2000".to_owned(),
        language: Some(Language::Es),
        ..Settings::default()
    }
}

impl Window {
    pub(crate) fn with(settings: Settings) -> Self {
        let now = Now { monotonic: Duration::from_secs(100), unix_ms: START_MS, utc_offset_seconds: 0 };
        let mut window = Self { model: Model::new(settings, now), now, commands: Vec::new(), next_id: 1000 };
        window.drain();
        window
    }

    /// Connected, in `general`, with nothing said before, and past the quiet after coming back.
    pub(crate) fn ready() -> Self {
        Self::ready_with(settings())
    }

    pub(crate) fn ready_with(settings: Settings) -> Self {
        let rooms = settings.rooms.clone();
        let mut window = Self::with(settings);
        window.greet();
        for room in &rooms {
            window.joined(room);
            window.answer_older(room, &[], false);
        }
        window.pass(Duration::from_secs(10));
        window.commands.clear();
        window
    }

    pub(crate) fn handle(&mut self, event: Event) {
        self.model.handle(event, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(command) = self.model.poll_command() {
            self.commands.push(command);
        }
    }

    pub(crate) fn act(&mut self, act: Act) {
        self.handle(Event::Act(act));
    }

    pub(crate) fn link(&mut self, event: LinkEvent) {
        self.handle(Event::Link(event));
    }

    pub(crate) fn session(&mut self, event: session::Event) {
        self.link(LinkEvent::Session(event));
    }

    /// Time passes, with a tick whenever one is due.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.monotonic + time;
        while let Some(due) = self.model.next_due().filter(|due| *due <= end) {
            let due = due.max(self.now.monotonic);
            self.advance(due - self.now.monotonic);
            let before = self.model.next_due();
            self.handle(Event::Tick);
            assert!(
                self.model.next_due() != before || self.model.next_due() > Some(due),
                "a tick does something"
            );
        }
        self.advance(end - self.now.monotonic);
    }

    fn advance(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.unix_ms += u64::try_from(time.as_millis()).unwrap();
    }

    pub(crate) fn greet(&mut self) {
        self.session(session::Event::Ready {
            name: self.model.settings().name.clone(),
            sid: 7,
            is_resumed: false,
            durability: "commit".to_owned(),
        });
    }

    pub(crate) fn joined(&mut self, room: &str) {
        self.session(session::Event::Joined { room: room.to_owned() });
    }

    /// The open question about older lines of a room is answered.
    pub(crate) fn answer_older(&mut self, room: &str, lines: &[(u64, &str, &str)], is_more: bool) {
        let ask = self.take_fetch(room).expect("older lines were asked for").0;
        self.answer(ask, room, lines, is_more);
    }

    /// The newest question of that kind, and the way it goes.
    pub(crate) fn take_fetch(&mut self, of: &str) -> Option<(AskId, session::Way)> {
        let position = self.commands.iter().position(
            |command| matches!(command, Command::Link(LinkCommand::Fetch { room, .. }) if room == of),
        )?;
        match self.commands.remove(position) {
            Command::Link(LinkCommand::Fetch { ask, way, .. }) => Some((ask, way)),
            _ => unreachable!(),
        }
    }

    pub(crate) fn answer(&mut self, ask: AskId, room: &str, lines: &[(u64, &str, &str)], is_more: bool) {
        let ticket = ticket(room);
        self.link(LinkEvent::Asked { ask, ticket });
        for (id, name, text) in lines {
            let line = line(Some(*id), Some(room), name, text);
            self.session(session::Event::Heard { line, source: Source::Fetch(ticket) });
        }
        self.session(session::Event::Fetched { ticket, is_more });
    }

    /// Somebody says something in a room now. Its id.
    pub(crate) fn hear(&mut self, room: &str, name: &str, text: &str) -> u64 {
        let id = self.take_id();
        self.hear_line(Line { unix_ms: Some(self.now.unix_ms), ..line(Some(id), Some(room), name, text) });
        id
    }

    pub(crate) fn hear_line(&mut self, line: Line) {
        self.session(session::Event::Heard { line, source: Source::Live });
    }

    /// Somebody says something to us alone.
    pub(crate) fn whisper(&mut self, name: &str, text: &str) {
        let id = self.take_id();
        let unix_ms = Some(self.now.unix_ms);
        self.hear_line(Line { is_private: true, unix_ms, ..line(Some(id), None, name, text) });
    }

    pub(crate) fn notice(&mut self, room: &str, name: &str, notice: Notice) {
        let id = self.take_id();
        let unix_ms = Some(self.now.unix_ms);
        self.hear_line(Line { notice: Some(notice), unix_ms, ..line(Some(id), Some(room), name, "") });
    }

    pub(crate) fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Writes a text into the input, the cursor behind it.
    pub(crate) fn write(&mut self, text: &str) {
        self.act(Act::Edit { text: text.to_owned(), cursor: text.len() });
    }

    /// Writes and sends.
    pub(crate) fn say(&mut self, text: &str) {
        self.write(text);
        self.act(Act::Send);
    }

    /// What was said since the commands were taken last.
    pub(crate) fn take_said(&mut self) -> Vec<SayLine> {
        let said = self.commands.iter().filter_map(|command| match command {
            Command::Link(LinkCommand::Say(line)) => Some(line.clone()),
            _ => None,
        });
        let said = said.collect();
        self.commands.retain(|command| !matches!(command, Command::Link(LinkCommand::Say(_))));
        said
    }

    pub(crate) fn acknowledge(&mut self, label: &str) -> u64 {
        let id = self.take_id();
        let unix_ms = Some(self.now.unix_ms);
        self.session(session::Event::Acknowledged { label: label.to_owned(), id, unix_ms });
        id
    }

    pub(crate) fn refuse(&mut self, label: &str, code: &str) {
        let (label, code, sentence) = (label.to_owned(), code.to_owned(), String::new());
        self.session(session::Event::Refused { label, code, sentence });
    }

    pub(crate) fn scroll(&mut self, is_at_end: bool, is_near_start: bool) {
        let first = render::row(&self.model, 0).map(|row| row.entry).filter(|_| !is_at_end);
        self.act(Act::Scroll(Scroll { is_at_end, is_near_start, first }));
    }

    /// What the person sees of the transcript, its rows together.
    pub(crate) fn transcript(&self) -> String {
        let drawn = render::draw(&self.model, 200, 40);
        let middle = drawn.lines().filter_map(|line| line.split_once("| ").map(|(_, rest)| rest));
        let rows: Vec<&str> =
            middle.map(|rest| rest.rsplit_once('|').map_or(rest, |(row, _)| row).trim_end()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    pub(crate) fn screen(&self) -> render::Screen {
        render::screen(&self.model)
    }

    /// The first row that has this text.
    pub(crate) fn row(&self, text: &str) -> render::Row {
        let rows = render::rows(&self.model, 0..render::row_count(&self.model));
        let has_text =
            |row: &render::Row| row.body.iter().map(|span| span.text.as_str()).collect::<String>() == text;
        rows.into_iter().find(has_text).unwrap_or_else(|| panic!("no row says {text:?}"))
    }

    pub(crate) fn notifications(&mut self) -> Vec<Notification> {
        let commands = std::mem::take(&mut self.commands);
        let notified = commands.into_iter().filter_map(|command| match command {
            Command::Notify(notification) => Some(notification),
            _ => None,
        });
        notified.collect()
    }

    pub(crate) fn view_commands(&mut self) -> Vec<ViewCommand> {
        let commands = std::mem::take(&mut self.commands);
        let view = commands.into_iter().filter_map(|command| match command {
            Command::View(command) => Some(command),
            _ => None,
        });
        view.collect()
    }

    pub(crate) fn link_commands(&mut self) -> Vec<LinkCommand> {
        let commands = std::mem::take(&mut self.commands);
        let link = commands.into_iter().filter_map(|command| match command {
            Command::Link(command) => Some(command),
            _ => None,
        });
        link.collect()
    }

    pub(crate) fn files(&mut self) -> Vec<FileCommand> {
        let commands = std::mem::take(&mut self.commands);
        let files = commands.into_iter().filter_map(|command| match command {
            Command::File(command) => Some(command),
            _ => None,
        });
        files.collect()
    }

    /// What stands in the input.
    pub(crate) fn input(&self) -> String {
        self.screen().compose.text
    }
}

/// A ticket, which only a session can give: one for each room.
pub(crate) fn ticket(room: &str) -> session::Ticket {
    let mut session = session::Session::new(session::Config::new("a", "Ana", &[], 1));
    let number = room.bytes().fold(0, |sum, byte| (sum * 7 + u32::from(byte)) % 15);
    let mut last = session.fetch("x", session::Way::After(0), 1).unwrap();
    for _ in 0..number {
        last = session.fetch("x", session::Way::After(0), 1).unwrap();
    }
    last
}

pub(crate) fn line(id: Option<u64>, room: Option<&str>, name: &str, text: &str) -> Line {
    Line {
        id,
        unix_ms: Some(START_MS - 3_600_000),
        room: room.map(str::to_owned),
        key: None,
        reply: None,
        quote: None,
        is_private: false,
        to: None,
        notice: None,
        name: name.to_owned(),
        text: text.to_owned(),
    }
}
