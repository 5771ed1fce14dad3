//! Days of a window, played with a real session and relays in memory: cuts and kills between any two things that happen,
//! refusals, many rooms, another relay, somebody who scrolls, searches, types and walks through what was sent. `DESKTOP_SEEDS=n` plays n of them, `DESKTOP_SEED=s` that one again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tertulia_desktop::model::{
    Act, Command, ConnectError, ENTRIES_KEPT, Event, FileCommand, LinkCommand, LinkEvent, Model, Now,
    Refusal, RowChange, Scroll, Unsent, ViewCommand,
};
use tertulia_desktop::render::{self, RowKind};
use tertulia_desktop::settings::Settings;
use tertulia_wire::session::{Action, Config, Say, Session};

use crate::relay::Relay;
use crate::window::{START_MS, Window, settings};

const SEEDS: u64 = 40;
const STEPS: usize = 400;

/// Of so many things that happen, one is the last before a kill, or a cut.
const KILL_AFTER: u64 = 600;
/// See [`KILL_AFTER`].
const CUT_AFTER: u64 = 300;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }
}

struct World {
    random: Random,
    model: Model,
    now: Now,
    settings: Settings,
    session: Option<Session>,
    relay: Relay,
    relay_name: String,
    /// The relay that the window has nothing to do with now.
    parked: Relay,
    is_relay_up: bool,
    /// Nothing is cut or killed in between any more.
    is_calm: bool,
    /// What the disk has.
    saved: Option<String>,
    drafts: Option<String>,
    input: String,
    heights: Vec<u64>,
    /// What the link took, and the relay it was for.
    typed: BTreeMap<String, String>,
    private: BTreeMap<String, String>,
    discarded: BTreeSet<String>,
    retried: BTreeSet<String>,
    next: u64,
    is_closed: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = Now { monotonic: Duration::from_secs(5), unix_ms: START_MS, utc_offset_seconds: 3600 };
        let rooms = ["general", "cocina", "taller"].map(str::to_owned).to_vec();
        let settings = Settings { rooms, ..settings() };
        let mut world = Self {
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            model: Model::new(settings.clone(), now),
            now,
            settings: settings.clone(),
            session: None,
            relay: Relay::default(),
            relay_name: settings.relay.clone(),
            parked: Relay::default(),
            is_relay_up: true,
            is_calm: false,
            saved: None,
            drafts: None,
            input: String::new(),
            heights: Vec::new(),
            typed: BTreeMap::new(),
            private: BTreeMap::new(),
            discarded: BTreeSet::new(),
            retried: BTreeSet::new(),
            next: 0,
            is_closed: false,
        };
        world.advance(Duration::ZERO);
        world.turn();
        world
    }

    fn act(&mut self, act: Act) {
        self.handle(Event::Act(act));
    }

    fn handle(&mut self, event: Event) {
        self.model.handle(event, self.now);
        self.turn();
    }

    /// Everything that follows from what has happened.
    fn turn(&mut self) {
        for _ in 0..10_000 {
            let mut is_quiet = true;
            while let Some(command) = self.model.poll_command() {
                is_quiet = false;
                self.obey(command);
                if !self.is_calm && self.random.below(KILL_AFTER) == 0 {
                    self.begin_again();
                }
            }
            self.check_heights();
            is_quiet &= !self.turn_link();
            if is_quiet {
                return;
            }
        }
        panic!("it never ends");
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Link(command) => self.obey_link(command),
            Command::View(ViewCommand::SetInput { text, .. }) => self.input = text,
            Command::View(ViewCommand::InsertText(text)) => self.input.push_str(&text),
            Command::View(ViewCommand::Reveal(entry)) => {
                assert!(render::row_position(&self.model, entry).is_some(), "only what is there is revealed");
            }
            Command::View(ViewCommand::Close) => self.is_closed = true,
            Command::View(_) | Command::Notify(_) | Command::Keyring(_) => {}
            Command::File(FileCommand::SaveDrafts(text) | FileCommand::SaveDraftsSafely(text)) => {
                self.drafts = Some(text);
                self.model.handle(Event::Drafts { are_written: true }, self.now);
            }
            Command::File(FileCommand::SaveSettings(text)) => {
                let read = Settings::from_toml(&text).unwrap();
                self.settings = read;
            }
        }
    }

    /// Each command is one call of the session's.
    fn obey_link(&mut self, command: LinkCommand) {
        if let LinkCommand::Start { relay, name, rooms, .. } = &command {
            return self.start(relay, name, rooms);
        }
        let now = self.now.monotonic;
        let Some(session) = &mut self.session else { return };
        let mut event = None;
        match command {
            LinkCommand::Start { .. } => unreachable!(),
            LinkCommand::Say(line) => {
                let (to, reply) = (line.to.as_deref(), line.reply);
                let say = Say { room: &line.room, text: &line.text, reply, as_who: None, to };
                let said = session.say_labeled(&line.label, &say);
                event = said.err().map(|error| LinkEvent::SayFailed { label: line.label, error });
                self.saved = Some(session.saved());
                let taken = if line.to.is_some() { &mut self.private } else { &mut self.typed };
                taken.entry(line.text).or_insert(self.relay_name.clone());
            }
            LinkCommand::Join { room } => session.join(&room).unwrap(),
            LinkCommand::Part { room } => session.part(&room),
            LinkCommand::Rename { name } => session.rename(&name).unwrap(),
            LinkCommand::Fetch { ask, room, way, limit } => {
                event = Some(match session.fetch(&room, way, limit) {
                    Ok(ticket) => LinkEvent::Asked { ask, ticket },
                    Err(error) => LinkEvent::AskFailed { ask, error },
                });
            }
            LinkCommand::Search { ask, room, words, before, limit } => {
                event = Some(match session.search(&room, &words, before, limit) {
                    Ok(ticket) => LinkEvent::Asked { ask, ticket },
                    Err(error) => LinkEvent::AskFailed { ask, error },
                });
            }
            LinkCommand::List { line } => {
                event = session.command(&line).err().map(|_| LinkEvent::ListFailed);
            }
            LinkCommand::LogIn { password } => session.log_in(&password).unwrap(),
            LinkCommand::Command { line } => drop(session.command(&line)),
            LinkCommand::Read { room, id } => drop(session.mark_read(&room, id)),
            LinkCommand::ForgetRefused { label } => {
                session.forget_refused(&label);
            }
            LinkCommand::Reconnect => session.start(now),
            LinkCommand::Quit => session.quit(now),
        }
        if let Some(event) = event {
            self.model.handle(Event::Link(event), self.now);
        }
    }

    fn start(&mut self, relay: &str, name: &str, rooms: &[String]) {
        self.relay.cut();
        if relay != self.relay_name {
            std::mem::swap(&mut self.relay, &mut self.parked);
            self.relay_name = relay.to_owned();
            self.relay.unix_ms = self.now.unix_ms;
        }
        let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
        let config = Config::new(relay, name, &rooms, self.random.below(u64::MAX));
        let config = Config { keeps_refused: true, ..config };
        let session = match &self.saved {
            Some(saved) => Session::restore(config, saved).unwrap(),
            None => Session::new(config),
        };
        let unsent = |label: &str, say: Say<'_>, refusal| Unsent {
            label: label.to_owned(),
            room: say.room.to_owned(),
            to: say.to.map(str::to_owned),
            reply: say.reply,
            text: say.text.to_owned(),
            refusal,
        };
        let said = session.unanswered_lines().map(|(label, say)| unsent(label, say, None));
        let refused = session.refused_lines().map(|line| {
            let other = line.address.map(|address| Refusal::OtherRelay(address.to_owned()));
            unsent(line.label, line.say, Some(other.unwrap_or(Refusal::Before)))
        });
        let unsent: Vec<Unsent> = said.chain(refused).collect();
        self.saved = Some(session.saved());
        self.session = Some(session);
        self.model.handle(Event::Link(LinkEvent::Restored(unsent)), self.now);
    }

    /// False: nothing happened.
    fn turn_link(&mut self) -> bool {
        let now = self.now.monotonic;
        let mut has_happened = false;
        let Some(session) = &mut self.session else { return false };
        while let Some(action) = session.poll_action() {
            has_happened = true;
            match action {
                Action::Connect if self.is_relay_up => session.handle_connected(now),
                Action::Connect => {
                    let event = LinkEvent::ConnectFailed(ConnectError::Refused);
                    self.model.handle(Event::Link(event), self.now);
                    session.handle_connect_failed(now);
                }
                Action::Close => self.relay.cut(),
            }
        }
        while let Some(bytes) = session.poll_transmit() {
            has_happened = true;
            let text = String::from_utf8(bytes).unwrap();
            text.lines().for_each(|line| self.relay.handle(line));
        }
        let heard = self.relay.take();
        if !heard.is_empty() {
            has_happened = true;
            let middle = self.random.index(heard.len());
            session.handle_bytes(&heard.as_bytes()[..middle], now);
            session.handle_bytes(&heard.as_bytes()[middle..], now);
            if heard.contains("QUIT BYE") {
                self.relay.cut();
                session.handle_disconnected(now);
            }
        }
        while let Some(event) = session.poll_event() {
            has_happened = true;
            self.model.handle(Event::Link(LinkEvent::Session(event)), self.now);
            if !self.is_calm && self.random.below(CUT_AFTER) == 0 {
                self.relay.cut();
                session.handle_disconnected(now);
            }
            if !self.is_calm && self.random.below(KILL_AFTER) == 0 {
                self.begin_again();
                return true;
            }
        }
        if has_happened {
            self.saved = Some(session.saved());
        }
        has_happened
    }

    fn check_heights(&mut self) {
        for change in self.model.take_row_changes() {
            match change {
                RowChange::Inserted { at, count } => {
                    self.heights.splice(at..at, std::iter::repeat_n(0, count));
                }
                RowChange::Removed { at, count } => {
                    self.heights.drain(at..at + count);
                }
                RowChange::Changed { at } => self.heights[at] = 0,
                RowChange::Reset => self.heights = vec![0; render::row_count(&self.model)],
            }
        }
        assert_eq!(self.heights.len(), render::row_count(&self.model));
        assert!(self.model.held().0 <= ENTRIES_KEPT * 40);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.monotonic + time;
        for _ in 0..100_000 {
            let session = self.session.as_ref().and_then(Session::next_due);
            let due = [self.model.next_due(), session].into_iter().flatten().min().filter(|due| *due <= end);
            let Some(due) = due else { break };
            let due = due.max(self.now.monotonic);
            self.advance(due - self.now.monotonic);
            if let Some(session) = &mut self.session {
                session.handle_time(due);
            }
            self.handle(Event::Tick);
        }
        let left = end.saturating_sub(self.now.monotonic);
        self.advance(left);
    }

    fn advance(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.unix_ms += u64::try_from(time.as_millis()).unwrap();
        self.relay.unix_ms = self.now.unix_ms;
    }

    fn cut(&mut self) {
        self.relay.cut();
        let now = self.now.monotonic;
        if let Some(session) = &mut self.session {
            session.handle_disconnected(now);
        }
        self.turn();
    }

    /// The program is killed and begins again with what the disk has.
    fn kill(&mut self) {
        self.begin_again();
        self.turn();
    }

    fn begin_again(&mut self) {
        self.relay.cut();
        self.session = None;
        let seed = self.random.below(u64::MAX);
        self.model = Model::with_seed(self.settings.clone(), self.now, seed);
        self.heights.clear();
        self.input.clear();
        if let Some(drafts) = &self.drafts {
            self.model.restore_drafts(drafts).unwrap();
        }
    }

    fn type_something(&mut self) {
        self.next += 1;
        let is_refused = self.random.below(8) == 0;
        let is_private = self.random.below(8) == 0;
        let text = format!("t{}{}.", self.next, if is_refused { " rechazo" } else { "" });
        let written = if is_private { format!("/msg Luis {text}") } else { text.clone() };
        let cursor = written.len();
        self.input = written.clone();
        self.act(Act::Edit { text: written, cursor });
        self.act(Act::Send);
    }

    /// Walks through what was sent, and looks elsewhere meanwhile: what was begun before is there again.
    fn walk(&mut self) {
        self.is_calm = true;
        self.next += 1;
        let begun = format!("b{} a medias", self.next);
        self.act(Act::Edit { text: begun.clone(), cursor: begun.len() });
        let count = 1 + self.random.index(4);
        (0..count).for_each(|_| self.act(Act::Earlier));
        match self.random.below(3) {
            0 => (0..count).for_each(|_| self.act(Act::Later)),
            1 => {
                let shown = self.model.selected();
                self.act(Act::SelectNext { backwards: true });
                self.act(Act::Select(shown));
            }
            _ => {
                self.act(Act::Close);
                self.act(Act::Close);
                self.is_closed = false;
                let screen = render::screen(&self.model);
                self.begin_again();
                self.turn();
                let is_room = screen.people.is_some();
                self.act(if is_room { Act::Join(screen.heading) } else { Act::Talk(screen.heading) });
            }
        }
        assert_eq!(render::screen(&self.model).compose.text, begun);
        self.act(Act::Edit { text: String::new(), cursor: 0 });
        self.is_calm = false;
    }

    /// Enters a room or leaves it, or goes to another relay.
    fn move_on(&mut self) {
        let screen = render::screen(&self.model);
        let patio = screen.conversations.iter().find(|row| row.name == "patio").map(|row| row.id);
        match (self.random.below(4), patio) {
            (0, _) => {
                let relay = ["10.0.0.5:2000", "casa:2000"][self.random.index(2)].to_owned();
                let settings = Settings { relay, ..self.model.settings().clone() };
                self.act(Act::ChangeSettings(Box::new(settings)));
            }
            (1, Some(id)) => self.act(Act::Leave(id)),
            _ => self.act(Act::Join("patio".to_owned())),
        }
    }

    fn random_row(&mut self) -> Option<render::Row> {
        let count = render::row_count(&self.model);
        if count == 0 {
            return None;
        }
        let position = self.random.index(count);
        render::row(&self.model, position)
    }

    fn step(&mut self) {
        let rooms = ["general", "cocina", "taller"];
        match self.random.below(26) {
            0..4 => self.type_something(),
            4..9 => {
                let room = rooms[self.random.index(3)];
                let count = if self.random.below(20) == 0 { 700 } else { 1 + self.random.below(6) };
                for _ in 0..count {
                    self.next += 1;
                    let text = format!("o{} hola", self.next);
                    self.relay.hear(room, ["Luis", "Eva"][self.random.index(2)], &text);
                }
                self.turn();
            }
            9 => self.cut(),
            10 => {
                self.is_relay_up = false;
                self.cut();
            }
            11 | 12 => self.is_relay_up = true,
            13 => self.kill(),
            14 => self.act(Act::SelectNext { backwards: false }),
            15 | 16 => {
                let first = self.random_row().map(|row| row.entry);
                let is_near_start = self.random.below(2) == 0;
                self.act(Act::Scroll(Scroll { is_at_end: false, is_near_start, first }));
            }
            17 => self.act(Act::Scroll(Scroll { is_at_end: true, ..Scroll::default() })),
            18 => self.act(Act::JumpToEnd),
            19 => {
                if let Some(row) = self.random_row() {
                    self.act(Act::Reply(row.entry));
                    self.act(Act::JumpToQuoted(row.entry));
                }
            }
            20 => {
                self.relay.refuses = ["", "rechazo"][self.random.index(2)];
                self.retry_or_discard(true);
            }
            21 => {
                let focus = self.random.below(2) == 0;
                self.act(Act::Focus(focus));
                self.act(Act::OpenSearch);
                self.act(Act::Search("hola".to_owned()));
                self.act(Act::SearchStep { forwards: false });
                self.act(Act::SearchHistory);
                self.act(Act::SearchHistory);
                if self.random.below(2) == 0 {
                    self.act(Act::OpenResult(150));
                }
                self.act(Act::Cancel);
            }
            23 => self.walk(),
            24 => self.move_on(),
            22 => {
                let notices =
                    [tertulia_desktop::settings::Notices::None, tertulia_desktop::settings::Notices::Smart];
                let notices = notices[self.random.index(2)];
                let settings = Settings { notices, ..self.model.settings().clone() };
                self.act(Act::ChangeSettings(Box::new(settings)));
            }
            _ => {
                let time = Duration::from_millis(self.random.below(20_000));
                self.pass(time);
            }
        }
        if self.random.below(50) == 0 {
            self.draw();
        }
    }

    /// The rows in red, and what they say.
    fn refused_rows(&self) -> Vec<(String, render::Row)> {
        let rows = render::rows(&self.model, 0..render::row_count(&self.model));
        let words = |row: &render::Row| row.body.iter().map(|span| span.text.as_str()).collect();
        rows.into_iter().filter(|row| row.status.len() == 3).map(|row| (words(&row), row)).collect()
    }

    fn retry_or_discard(&mut self, may_discard: bool) {
        for (text, _) in self.refused_rows() {
            // After a kill its row is another one.
            let Some((_, row)) = self.refused_rows().into_iter().find(|(words, _)| *words == text) else {
                continue;
            };
            if may_discard && self.random.below(3) == 0 {
                self.discarded.insert(text);
                self.act(Act::Discard(row.entry));
            } else {
                self.retried.insert(text);
                self.act(Act::Retry(row.entry));
            }
        }
    }

    fn draw(&self) {
        let drawn = render::draw(&self.model, 80, 24);
        assert!(!drawn.is_empty());
        let count = render::row_count(&self.model);
        let rows = render::rows(&self.model, 0..count);
        for (position, row) in rows.iter().enumerate() {
            assert_eq!(render::row_key(&self.model, position), Some((row.entry, row.revision)));
        }
        if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            let point = |row: &render::Row, byte| render::Point { entry: row.entry, byte };
            render::copy_text(&self.model, point(first, 3), point(last, 2));
        }
    }

    /// The day ends: all troubles are over, and everything has time.
    fn settle(&mut self) {
        self.is_relay_up = true;
        self.is_calm = true;
        self.relay.refuses = "";
        self.parked.refuses = "";
        // What was refused in a room that is not open is there once it is.
        self.act(Act::Join("patio".to_owned()));
        self.pass(Duration::from_secs(200));
        for _ in 0..2 {
            for row in render::screen(&self.model).conversations {
                self.act(Act::Select(row.id));
                self.retry_or_discard(false);
                self.pass(Duration::from_secs(60));
            }
        }
    }

    /// Each room shows what the relay has of it, in order, without a hole and nothing twice, up to the newest.
    fn check_rooms(&mut self) {
        for conversation in render::screen(&self.model).conversations {
            self.act(Act::Select(conversation.id));
            self.act(Act::JumpToEnd);
            self.pass(Duration::from_secs(5));
            let rows = render::rows(&self.model, 0..render::row_count(&self.model));
            let said = rows.iter().filter(|row| matches!(row.kind, RowKind::Said | RowKind::Own));
            let said: Vec<String> =
                said.map(|row| row.body.iter().map(|span| span.text.as_str()).collect()).collect();
            assert!(rows.iter().all(|row| row.status.is_empty()), "all was said: {said:?}");
            if conversation.kind == tertulia_desktop::model::Kind::Private {
                continue;
            }
            let kept = self.relay.rooms.get(&conversation.name).cloned().unwrap_or_default();
            let kept: Vec<String> = kept.iter().map(|line| line.text.clone()).collect();
            assert!(!said.is_empty() || kept.is_empty());
            let from = kept.len().checked_sub(said.len()).unwrap_or_else(|| panic!("too much: {said:?}"));
            assert_eq!(said, kept[from..], "{}", conversation.name);
            assert!(said.len() >= kept.len().min(100), "{} of {}", said.len(), kept.len());
        }
    }

    /// What was typed was said once, to whom it was for, or given up by hand. What was said again by hand just before a kill may
    /// be there twice, since these relays know no session any more.
    fn check_typed(&self) {
        let count = |relay: &Relay, text: &str| {
            let lines = relay.rooms.values().flatten();
            lines.filter(|line| line.text == text).count()
        };
        let other_name = |name: &str| name != self.relay_name;
        for (text, written_for) in &self.typed {
            let (here, there) = (count(&self.relay, text), count(&self.parked, text));
            let is_retried = self.retried.contains(text);
            let elsewhere = if other_name(written_for) { here } else { there };
            assert!(elsewhere == 0 || is_retried, "{text} was said to people it was not for");
            let least = usize::from(!self.discarded.contains(text));
            let most = 1 + usize::from(is_retried);
            assert!((least..=most).contains(&(here + there)), "{text} was said {here} and {there} times");
        }
        for (text, written_for) in &self.private {
            let count = |relay: &Relay| relay.private.iter().filter(|said| *said == text).count();
            let (here, there) = (count(&self.relay), count(&self.parked));
            let elsewhere = if other_name(written_for) { here } else { there };
            assert!(elsewhere == 0 || self.retried.contains(text), "{text} was said to somebody else");
            assert!(here + there > 0 || self.discarded.contains(text), "{text} was lost");
        }
    }
}

fn play(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.settle();
    world.check_rooms();
    world.check_typed();
    world.act(Act::Close);
    world.pass(Duration::from_secs(20));
    assert!(world.is_closed);
}

#[test]
fn nothing_typed_is_lost_and_every_room_shows_what_the_relay_has() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("DESKTOP_SEED") {
        return play(seed);
    }
    for seed in 1..=number("DESKTOP_SEEDS").unwrap_or(SEEDS) {
        let played = std::panic::catch_unwind(|| play(seed));
        assert!(played.is_ok(), "DESKTOP_SEED={seed} plays it again");
    }
}

/// What is unread is counted here by other means: one number for each room.
#[test]
fn counts_of_what_is_unread_are_true_whatever_a_person_does() {
    for seed in 1..=60 {
        let mut random = Random(seed * 7919);
        let rooms: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let mut window = Window::ready_with(Settings { rooms: rooms.clone(), ..settings() });
        let ids: Vec<_> = window.screen().conversations.iter().map(|row| row.id).collect();
        let (mut unread, mut at_end, mut shown, mut is_focused) = ([0_u64; 3], [true; 3], 0, true);
        for _ in 0..300 {
            let room = random.index(3);
            match random.below(8) {
                0..4 => {
                    window.hear(&rooms[room], "Luis", "hola");
                    let is_seen = room == shown && is_focused && at_end[room];
                    unread[room] += u64::from(!is_seen);
                }
                4 => {
                    shown = room;
                    window.act(Act::Select(ids[room]));
                }
                5 => {
                    at_end[shown] = random.below(2) == 0;
                    let scroll = Scroll { is_at_end: at_end[shown], ..Scroll::default() };
                    window.act(Act::Scroll(scroll));
                }
                6 => {
                    is_focused = random.below(2) == 0;
                    window.act(Act::Focus(is_focused));
                }
                _ => {
                    window.say("yo");
                    at_end[shown] = true;
                    unread[shown] = 0;
                }
            }
            if is_focused && at_end[shown] {
                unread[shown] = 0;
            }
            let screen = window.screen();
            let counted: Vec<u64> = screen.conversations.iter().map(|row| row.unread).collect();
            assert_eq!(counted, unread);
            assert_eq!(
                screen.jump.is_some(),
                !at_end[shown] && screen.rows > 0,
                "the button is there when it leads somewhere"
            );
            let all: u64 = unread.iter().sum();
            assert_eq!(screen.title.starts_with('('), all > 0);
            let rules = render::rows(&window.model, 0..screen.rows)
                .iter()
                .filter(|row| row.above.iter().any(|above| above.style == render::Style::Unread))
                .count();
            assert!(rules <= 1 && (rules == 1 || unread[shown] == 0), "what is unread has one rule above it");
        }
    }
}
