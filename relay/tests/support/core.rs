//! The relay's core with no shell: bytes in, bytes out, and a clock that stands until it is moved.

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::time::Duration;

use tertulia_relay::batch::{Batch, Durability, Work};
use tertulia_relay::chat::{Answer, Chat, ClientId, Origin, Remembered, Sent, Settings, Sink};
use tertulia_relay::flood::Flood;
use tertulia_relay::moment::Moment;
use tertulia_relay::phrases::Language;

/// What each connection was written and has not yet been asked for.
#[derive(Default)]
struct Written(BTreeMap<u32, Vec<u8>>);

impl Sink for Written {
    fn write(&mut self, client: ClientId, pieces: &[IoSlice<'_>]) -> Sent {
        let written = self.0.entry(client.0).or_default();
        pieces.iter().for_each(|piece| written.extend_from_slice(piece));
        Sent::Bytes(pieces.iter().map(|piece| piece.len()).sum())
    }
}

/// A core and its connections.
pub(crate) struct Core {
    pub(crate) chat: Chat,
    written: Written,
    pub(crate) seconds: f64,
    /// Work that the core gave to be kept and was not told of yet.
    pub(crate) works: Vec<Work>,
    pub(crate) closed: Vec<u32>,
}

impl Core {
    pub(crate) fn new(flood: Option<Flood>) -> Self {
        let settings = Settings {
            flood,
            language: Language::En,
            room_log_bytes: 128 * 1024,
            token_key: [7; 32].into(),
            labels_max: 1000,
        };
        let mut chat = Chat::new(settings);
        chat.handle_clock(1_700_000_000_000);
        Self { chat, written: Written::default(), seconds: 0.0, works: Vec::new(), closed: Vec::new() }
    }

    /// One that keeps what is said, after a run that left `remembered`.
    pub(crate) fn keeping(durability: Durability, remembered: Remembered) -> Self {
        let mut core = Self::new(None);
        core.chat.keep_history(durability, remembered);
        core
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::from_start(Duration::from_secs_f64(self.seconds))
    }

    pub(crate) fn connect(&mut self, client: u32) {
        self.chat.handle_connect(ClientId(client), Origin::default());
    }

    pub(crate) fn gone(&mut self, client: u32) {
        self.chat.handle_gone(ClientId(client), self.now());
        self.turn();
    }

    pub(crate) fn send(&mut self, client: u32, line: &str) {
        let now = self.now();
        self.chat.handle_bytes(ClientId(client), format!("{line}\n").as_bytes(), now);
        self.turn();
    }

    /// What the shell does in a turn, but that nothing is kept until it is told.
    pub(crate) fn turn(&mut self) {
        for _ in 0..1000 {
            let now = self.now();
            self.chat.flush(now, &mut self.written);
            while self.chat.poll_resumed(now).is_some() {}
            while let Some(client) = self.chat.poll_ended() {
                self.closed.push(client.0);
                self.chat.handle_gone(client, now);
            }
            while self.chat.poll_event().is_some() {}
            while let Some(work) = self.chat.poll_kept() {
                self.works.push(work);
            }
            if !self.chat.needs_flush() {
                return;
            }
        }
        panic!("the core never rests");
    }

    /// All work is kept; the core is told.
    pub(crate) fn keep_all(&mut self) -> Vec<Work> {
        let works = std::mem::take(&mut self.works);
        if let Some(last) = works.last() {
            self.chat.handle_kept(last.number, self.now());
        }
        self.turn();
        works
    }

    /// Answers every question with what `answer` makes of it.
    pub(crate) fn answer_all(&mut self, mut answer: impl FnMut(&tertulia_relay::chat::Wanted) -> Batch) {
        self.answer_with(|wanted| Answer::Lines(answer(wanted)));
    }

    /// The same with any answer.
    pub(crate) fn answer_with(&mut self, mut answer: impl FnMut(&tertulia_relay::chat::Wanted) -> Answer) {
        while let Some(question) = self.chat.poll_question() {
            let answer = answer(&question.what);
            self.chat.handle_answer(question.ticket, &answer);
            self.turn();
        }
    }

    /// Moves the clock, stopping at whatever is due.
    pub(crate) fn pass(&mut self, seconds: f64) {
        let until = self.seconds + seconds;
        while let Some(due) = self.chat.next_due().map(|due| due.since(Moment::START).as_secs_f64()) {
            if due > until {
                break;
            }
            self.seconds = self.seconds.max(due);
            self.chat.handle_time(self.now());
            self.turn();
        }
        self.seconds = until;
        self.chat.handle_time(self.now());
        self.turn();
    }

    /// The lines that the connection heard since they were last asked for.
    pub(crate) fn heard(&mut self, client: u32) -> Vec<String> {
        let bytes = self.written.0.remove(&client).unwrap_or_default();
        let text = String::from_utf8(bytes).expect("the relay writes UTF-8");
        text.lines().map(str::to_owned).collect()
    }
}
