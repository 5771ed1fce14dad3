//! Extended mode begins: a new session, or one that comes back. PROTOCOL.md, "Extended mode".

use tertulia_wire::extended::{After, Hello, VERSION};
use tertulia_wire::limits::{LINE_BYTES_MAX, NAME_BYTES_MAX, ROOM_DEFAULT};
use tertulia_wire::name::{Name, check_room};
use tertulia_wire::secret::Secret;
use tertulia_wire::tags::escape;
use tertulia_wire::text::cut;

use super::answers::refusal;
use super::client::{Extended, Mode};
use super::commands::echoed;
use super::names::Holder;
use super::promises::Promise;
use super::rooms::{DEFAULT_ROOM, Notice};
use super::sessions::{Presence, SessionId, secure_hash};
use super::tagged::offset_behind;
use super::timers::Look;
use super::{Chat, ClientId, Cut, Event, RoomId};
use crate::batch::Durability;
use crate::moment::Moment;
use crate::phrases::Phrase;

/// How long a new token may take to be kept before the client that waits for it is told.
const GREETING_PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Code, further words and sentence of a refusal.
type Refusal = (&'static str, String, Phrase);

impl Chat {
    /// The session of an extended connection.
    pub(super) fn session_of(&self, client: ClientId) -> Option<SessionId> {
        Some(self.client(client)?.extended.as_ref()?.session)
    }

    pub(super) fn is_extended(&self, client: ClientId) -> bool {
        self.session_of(client).is_some()
    }

    /// Whether the connection asked for extended mode and was not answered yet.
    pub(super) fn is_greeting(&self, client: ClientId) -> bool {
        let extended = self.client(client).and_then(|state| state.extended.as_ref());
        extended.is_some_and(|extended| extended.greeting.is_some())
    }

    /// `/hello`.
    pub(super) fn handle_hello(&mut self, client: ClientId, hello: &Hello<'_>, now: Moment) {
        let outcome = self.check_hello(client, hello).and_then(|()| {
            let token = hello.resume.as_ref().map(|token| token.as_ref());
            let found = token.and_then(|token| Some((token, self.sessions.find(token, self.ids.unix_ms())?)));
            let taken_up = match found {
                Some((token, session)) => {
                    self.check_resume(client, session, now)?.map(|session| (token, session))
                }
                None => None,
            };
            match taken_up {
                Some((token, session)) => self.resume(client, session, token, hello, now),
                None => self.begin(client, hello, now),
            }
        });
        if let Err((code, words, phrase)) = outcome {
            if code == "NAME_REGISTERED" {
                self.note_wants_hello(client);
            }
            let words = format!("FAIL HELLO {code} {words}");
            self.answer(client, words.trim_end(), Some(phrase));
        }
    }

    fn check_hello(&self, client: ClientId, hello: &Hello<'_>) -> Result<(), Refusal> {
        if self.is_extended(client) {
            return Err(("ALREADY", String::new(), Phrase::AlreadyExtended));
        }
        let hears_lines = self.client(client).is_some_and(|state| state.mode == Mode::Framed)
            && (self.shown_name(client).is_none() || self.has_logged_in_for_hello(client))
            && self.outbox(client).is_some_and(|outbox| !outbox.unframed);
        if !hears_lines {
            return Err(("TOO_LATE", String::new(), Phrase::HelloTooLate));
        }
        if hello.version.as_deref() != Some(VERSION) {
            return Err(("VERSION", VERSION.to_owned(), Phrase::Version));
        }
        if let Some(word) = hello.stray {
            let word = echoed(cut(word, 2 * NAME_BYTES_MAX)).unwrap_or_default();
            return Err(("STRAY_WORD", word, Phrase::StrayWord));
        }
        Ok(())
    }

    /// A new session. It is greeted once its token is kept.
    fn begin(&mut self, client: ClientId, hello: &Hello<'_>, now: Moment) -> Result<(), Refusal> {
        self.check_newcomer(client)?;
        let asked = self.account_name(client).or(hello.name.as_deref().map(str::to_owned));
        let name = self.claim_hello_name(client, &asked.unwrap_or_default())?;
        let room = hello.room.as_deref().unwrap_or(ROOM_DEFAULT).to_lowercase();
        if check_room(&room).is_err() {
            self.names.release(&name, client);
            return Err(("ROOM_INVALID", String::new(), Phrase::RoomInvalid));
        }
        if let Err(why) = self.check_first_room(client, &room) {
            self.names.release(&name, client);
            return Err(why);
        }
        if hello.resume.is_some() {
            self.answer(client, "WARN HELLO RESUME_UNKNOWN", Some(Phrase::ResumeUnknown));
        }
        self.make_place_for_session(now);
        let token = self.new_token();
        let session = self.sessions.add(&token, &name, client, self.ids.unix_ms());
        if let Some(session) = self.sessions.get_mut(session) {
            session.rooms.push(room);
        }
        self.log_session_in(session, self.account_of(client));
        self.extend(client, session, Some(Secret(token.into())), now);
        self.share_mute(client);
        self.set_name(client, &name, "", None, false);
        self.promise(Promise::Hello(client, session), now);
        if self.is_greeting(client) {
            self.timers.set(now.after(GREETING_PATIENCE), Look::Greeting(client));
        }
        Ok(())
    }

    /// A token is kept slowly: whoever waits for it is told that this is a relay all the same.
    pub(super) fn look_at_greeting(&mut self, client: ClientId) {
        if self.is_greeting(client) {
            self.answer(client, "NOTE HELLO WAIT", Some(Phrase::HelloWait));
        }
    }

    /// Lets the connection hold the name, which has no ` - WHO`.
    fn claim_hello_name(&mut self, client: ClientId, name: &str) -> Result<String, Refusal> {
        let parsed = Name::parse(name).ok().filter(|name| name.tail().is_empty());
        let Some(name) = parsed else { return Err(("NAME_INVALID", String::new(), Phrase::NameInvalid)) };
        self.claim_name(client, name.base()).map_err(|refused| {
            let (code, phrase) = refusal(refused);
            (code, escape(name.base()).into_owned(), phrase)
        })?;
        Ok(name.base().to_owned())
    }

    /// 128 bits that nobody can guess who does not know the key.
    pub(super) fn new_token(&mut self) -> String {
        self.token_count += 1;
        let secret = [&self.settings.token_key[..], &self.token_count.to_be_bytes()].concat();
        let token = u128::from_be_bytes(secure_hash(&secret));
        format!("{token:032x}")
    }

    fn extend(
        &mut self,
        client: ClientId,
        session: SessionId,
        greeting: Option<Secret<Box<str>>>,
        now: Moment,
    ) {
        self.go_nowhere(client);
        if let Some(state) = self.client_mut(client) {
            let extended = Extended { session, greeting, others: Vec::new(), heard_at: now, pinged_at: None };
            state.extended = Some(Box::new(extended));
        }
        self.watch_for_silence(now);
    }

    /// The token is kept: it is given out, and the others see who has come.
    pub(super) fn greet_new(&mut self, client: ClientId, session: SessionId, now: Moment) {
        let extended = self.client_mut(client).and_then(|state| state.extended.as_mut());
        let Some(token) = extended.and_then(|extended| extended.greeting.take()) else { return };
        let is_announced = !self.is_muted_guest(client);
        if let Some(named) = self.client_mut(client).and_then(|state| state.named.as_mut()) {
            named.is_announced = is_announced;
        }
        self.note_sight(client, is_announced);
        if !self.greet(client, session, &token, &After::default()).is_empty() {
            self.note_session(client);
        }
        if is_announced {
            self.notice(client, Notice::Join, now);
        }
        self.resumed.push_back(client);
    }

    /// A session comes back, on this connection.
    fn resume(
        &mut self,
        client: ClientId,
        session: SessionId,
        token: &str,
        hello: &Hello<'_>,
        now: Moment,
    ) -> Result<(), Refusal> {
        let Some(state) = self.sessions.get(session) else { return Ok(()) };
        let (mut name, presence) = (state.name.clone(), state.state);
        let account = state.account;
        let is_seen = match presence {
            Presence::Online(before) => self.is_announced(before),
            Presence::Away(_) | Presence::BeforeRestart => true,
            Presence::Offline => false,
        };
        account.into_iter().for_each(|number| self.enter_as(client, number));
        let holder = match presence {
            Presence::Online(before) => Some(Holder::Client(before)),
            Presence::Away(_) | Presence::BeforeRestart => Some(Holder::Away(session)),
            Presence::Offline => None,
        };
        match holder {
            // Nobody else can hold it: it was held for this session all the time.
            Some(holder) => {
                let _ = self.names.claim_from(&name, client, Some(holder), account);
                self.names.release_from(&name, holder);
            }
            None => name = self.claim_hello_name(client, hello.name.as_deref().unwrap_or(&name))?,
        }
        self.sessions.take_up(session, client, self.ids.unix_ms());
        if let Presence::Online(before) = presence {
            self.cut_ghost(before, now);
        }
        self.extend(client, session, None, now);
        self.share_mute(client);
        let comes = !is_seen && !self.is_muted_guest(client);
        self.set_name(client, &name, "", None, is_seen || comes);
        self.note_sight(client, is_seen || comes);
        let lost = self.greet(client, session, token, &hello.after);
        if is_seen {
            self.show_lost(client, session, &lost, now);
        }
        self.come_back(session);
        if presence == Presence::Offline || !lost.is_empty() {
            self.note_session(client);
        }
        if comes {
            self.notice(client, Notice::Join, now);
        }
        if !self.sessions.knows_labels(session) {
            self.ask_labels(client, session);
        }
        Ok(())
    }

    /// The connection that held a session until now. Nobody sees it go.
    fn cut_ghost(&mut self, ghost: ClientId, now: Moment) {
        if let Some(named) = self.client_mut(ghost).and_then(|state| state.named.take()) {
            self.events.push_back(Event::Left { client: ghost, name: named.shown, cut: Some(Cut::Resumed) });
        }
        self.forget_questions(ghost);
        self.cut(ghost, Cut::Resumed, now);
    }

    /// The others see it in none of these rooms any more, in which they had it until now; and where it has none left, in the
    /// default room.
    fn show_lost(&mut self, client: ClientId, session: SessionId, lost: &[String], now: Moment) {
        let Some(name) = self.shown_name(client).filter(|_| !lost.is_empty()) else { return };
        for room in lost {
            if let Some(room) =
                self.rooms.find(room).filter(|room| !self.is_session_elsewhere(session, *room))
            {
                self.notice_in(room, None, &name, Notice::Leave, now);
            }
        }
        let had = self.sessions.get(session).map_or(0, |session| session.rooms.len());
        if lost.len() == had {
            self.notice_in(DEFAULT_ROOM, Some(client), &name, Notice::Join, now);
        }
    }

    /// HELLO, a JOINED for each room of the session, and then what is said there. Returns the rooms that it may not enter any
    /// more; who had no others is in the default room.
    fn greet(&mut self, client: ClientId, session: SessionId, token: &str, after: &After<'_>) -> Vec<String> {
        let Some(state) = self.sessions.get(session) else { return Vec::new() };
        let (sid, names) = (state.sid, state.rooms.clone());
        let name = self.shown_name(client).unwrap_or_default();
        let flood =
            self.settings.flood.filter(|_| self.client(client).is_some_and(|state| !state.origin.is_trusted));
        let (burst, rate) = flood.map_or((0, 0), |flood| (flood.burst(), flood.rate_per_s()));
        let durability = self.keeping.as_ref().map_or(Durability::None, |keeping| keeping.durability).word();
        let name = escape(&name);
        self.answer(
            client,
            &format!(
                "HELLO v={VERSION} name={name} token={token} sid={sid} line={LINE_BYTES_MAX} burst={burst} \
                 rate={rate} durability={durability}{}",
                self.hello_words(client)
            ),
            None,
        );
        let (mut rooms, mut lost) = (Vec::new(), Vec::new());
        for name in &names {
            if !self.admits(client, "JOIN", name) {
                lost.push(name.clone());
                continue;
            }
            match self.rooms.find_or_add(name) {
                Ok(room) => rooms.push(room),
                Err(error) => self.refuse_room(client, error),
            }
        }
        let is_moved = !lost.is_empty() && lost.len() == names.len();
        if is_moved {
            rooms.push(DEFAULT_ROOM);
        }
        for room in &rooms {
            self.tell_joined(client, *room);
        }
        self.tell_trouble(client);
        self.tell_markers(client);
        // It was not in that room: it has missed nothing there.
        let nothing = After::default();
        let after = if is_moved { &nothing } else { after };
        for room in rooms {
            self.enter_after(client, room, after);
        }
        lost
    }

    /// `JOINED`, with the newest id that may have been said there.
    pub(super) fn tell_joined(&mut self, client: ClientId, room: RoomId) {
        let words =
            format!("JOINED room={} last={}", escape(&self.room_name(room)), self.rooms.newest_in(room));
        self.answer(client, &words, Some(Phrase::Joined));
    }

    /// Puts the connection into the room; what was said behind the id that it names comes first.
    fn enter_after(&mut self, client: ClientId, room: RoomId, after: &After<'_>) {
        self.rooms.write_tagged(room);
        let Some(state) = self.rooms.get(room) else { return };
        let Some(tagged) = state.tagged.as_ref() else { return };
        let (cursor, missed) = match after.of(&state.name) {
            None => (tagged.log.end(), None),
            Some(id) if id >= tagged.complete_after => (offset_behind(&tagged.log, id), None),
            Some(id) => (tagged.log.start(), Some(id.saturating_add(1))),
        };
        self.enter(client, room, cursor, missed);
    }
}
