//! The shell's loop: waits for Telegram, the relay, the clock and signals, tells the core, keeps what must be kept, and
//! does what the core says. The only place that reads the clocks.

mod account;
mod events;
mod telling;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tertulia_wire::session::Ticket;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::bridge::{Bridge, Now, Output, Target};
use crate::check::{self, Diagnosis};
use crate::options::Options;
use crate::phrases::{Language, Phrase, Told};
use crate::relay::Relay;
use crate::status::Status;
use crate::store::Store;
use crate::telegram::client::{CALL_WAIT, Client, Given};
use crate::telegram::reply::CallError;
pub(crate) use account::ROLE;

/// The wait before what could not be kept is kept again. Nothing is said or sent meanwhile.
const SAVE_AGAIN: Duration = Duration::from_secs(1);

/// How long the end waits for answers to what is being sent.
const FAREWELL: Duration = Duration::from_secs(5);

/// A name that somebody has is asked for again after so long: it may be this bridge's own ghost. So often, then another.
const NAME_WAIT: Duration = Duration::from_secs(12);
const NAME_ATTEMPTS: u32 = 3;

/// Why a bridge ended without being asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// For people.
    pub why: String,
    /// It does not pass by itself: somebody has to put it right.
    pub is_final: bool,
}

impl Ended {
    fn for_good(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_final: true }
    }
}

/// The answer to a call.
enum Answer {
    Updates(Result<Given, CallError>),
    Sent(Target, Result<i64, CallError>),
    Diagnosis(Diagnosis),
}

/// What has happened.
enum Happened {
    Relay,
    Answer(Answer),
    Time,
    Metrics(tokio::net::TcpStream),
    Signal,
}

struct Runner {
    bridge: Bridge,
    relay: Relay,
    client: Client,
    store: Store,
    options: Options,
    started: Instant,
    calls: JoinSet<Answer>,
    /// Calls that wait until the state is kept.
    due_calls: Vec<Output>,
    fetches: BTreeMap<Ticket, usize>,
    /// Which question is asked under which label.
    questions: BTreeMap<String, u64>,
    needs_save: bool,
    save_at: Option<Instant>,
    last_save_error: Option<String>,
    /// How often the state file was written.
    writes: u64,
    name_attempts: u32,
    name_again_at: Option<Instant>,
    /// The account that the session has logged in as; a session that was kept, then.
    account: Option<String>,
    /// When the password is tried again that was not taken for a reason that may pass.
    login_again_at: Option<Instant>,
    status: Option<Status>,
    status_due: Option<Instant>,
    status_written: Option<Instant>,
    stop: Option<Ended>,
}

/// Runs a bridge until a signal ends it. Why it ended, where that was not asked for.
pub async fn run(options: Options) -> Result<(), Ended> {
    if options.settings.links.is_empty() {
        // It still answers `/start` with the number of the chat, which is what is needed next.
        say(match options.settings.language {
            Language::Es => {
                "ningún grupo configurado: escribe /start en el grupo, y el bot dirá su número para --chat"
            }
            Language::En => {
                "no group is configured: write /start in the group, and the bot will tell its number for --chat"
            }
        });
    }
    let language = options.settings.language;
    let shown = |told: Told| Ended::for_good(told.shown(language));
    let metrics = telling::listen(options.metrics).await.map_err(shown)?;
    let catch = |kind| {
        let told = |error| {
            Told::new(
                format!("no se pueden atender señales: {error}"),
                format!("cannot catch signals: {error}"),
            )
        };
        signal(kind).map_err(|error| shown(told(error)))
    };
    let (mut terminate, mut interrupt) = (catch(SignalKind::terminate())?, catch(SignalKind::interrupt())?);
    let mut runner = Runner::new(options).map_err(Ended::for_good)?;
    runner.begin().await;
    loop {
        runner.settle();
        if let Some(ended) = runner.stop.take() {
            runner.end().await;
            return Err(ended);
        }
        let due = runner.next_due();
        let happened = tokio::select! {
            () = runner.relay.turn() => Happened::Relay,
            Some(Ok(answer)) = runner.calls.join_next() => Happened::Answer(answer),
            () = wait(due) => Happened::Time,
            caller = telling::accept(metrics.as_ref()) => Happened::Metrics(caller),
            _ = terminate.recv() => Happened::Signal,
            _ = interrupt.recv() => Happened::Signal,
        };
        match happened {
            Happened::Relay | Happened::Time => runner.note_time(),
            Happened::Answer(answer) => runner.note_answer(answer),
            Happened::Metrics(caller) => runner.tell_metrics(caller),
            Happened::Signal => {
                runner.end().await;
                return Ok(());
            }
        }
    }
}

impl Runner {
    /// Locks and reads the state file, and goes on from there.
    fn new(options: Options) -> Result<Self, String> {
        let language = options.settings.language;
        let shown = |told: Told| told.shown(language).to_owned();
        let (store, mut saved) = Store::open(&options.state).map_err(shown)?;
        if saved.bind(options.settings.bot_id, &options.api_url) {
            say(match language {
                Language::Es => {
                    "el estado era de otro bot o de otra Bot API: se lee de Telegram desde el principio"
                }
                Language::En => {
                    "the state was another bot's, or another Bot API's: Telegram is read from the beginning"
                }
            });
        }
        let client =
            Client::new(&options.api_url, options.token.clone(), options.proxy.as_deref()).map_err(shown)?;
        let started = Instant::now();
        let session = account::session(&options, &saved)?;
        let login = options.login.as_ref().map(|login| &login.name);
        let account = saved.account.clone().filter(|name| Some(name) == login);
        let relay = Relay::new(session, options.way.clone(), started);
        Ok(Self {
            bridge: Bridge::new(options.settings.clone(), saved),
            relay,
            client,
            store,
            started,
            calls: JoinSet::new(),
            due_calls: Vec::new(),
            fetches: BTreeMap::new(),
            questions: BTreeMap::new(),
            needs_save: true,
            save_at: None,
            last_save_error: None,
            writes: 0,
            name_attempts: 0,
            name_again_at: None,
            account,
            login_again_at: None,
            status: None,
            status_due: None,
            status_written: None,
            stop: None,
            options,
        })
    }

    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { at: self.started.elapsed(), unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) }
    }

    async fn begin(&mut self) {
        if self.options.deletes_webhook {
            let deleted = self.client.call("deleteWebhook", &serde_json::json!({}), CALL_WAIT).await;
            let language = self.options.settings.language;
            say(&deleted.map_or_else(
                |error| format!("deleteWebhook: {}", error.told().shown(language)),
                |_| "deleteWebhook: ok".to_owned(),
            ));
        }
        let (client, settings) = (self.client.clone(), self.options.settings.clone());
        let chats = self.bridge.saved().chats(&settings.links);
        self.calls.spawn(async move { Answer::Diagnosis(check::telegram(&client, &settings, &chats).await) });
        self.bridge.handle_time(self.now());
    }

    /// Hands everything over until nothing is left, keeps it, and only then lets it out.
    fn settle(&mut self) {
        loop {
            let mut is_idle = true;
            while let Some(event) = self.relay.session.poll_event() {
                self.note_event(event);
                is_idle = false;
            }
            while let Some(output) = self.bridge.poll_output() {
                self.do_output(output);
                is_idle = false;
            }
            if is_idle {
                break;
            }
        }
        self.needs_save |= self.bridge.take_dirty();
        if self.needs_save && self.save_at.is_none_or(|at| at <= Instant::now()) {
            self.save();
        }
        if !self.needs_save {
            for call in std::mem::take(&mut self.due_calls) {
                self.call(call);
            }
            self.relay.obey();
        }
        self.tell_status();
    }

    fn save(&mut self) {
        let mut saved = self.bridge.saved();
        saved.session = self.relay.session.saved();
        saved.account.clone_from(&self.account);
        self.writes = self.writes.saturating_add(1);
        match self.store.save(&saved.to_text()) {
            Ok(()) => {
                self.needs_save = false;
                self.save_at = None;
                self.last_save_error = None;
            }
            Err(error) => {
                let path = self.options.state.display();
                let words = match self.options.settings.language {
                    Language::Es => {
                        format!("no se puede escribir {path}: {error}; hasta que se pueda no se envía nada")
                    }
                    Language::En => format!("cannot write {path}: {error}; nothing is sent until it can be"),
                };
                if self.last_save_error.as_ref() != Some(&words) {
                    say(&words);
                    self.last_save_error = Some(words);
                }
                self.save_at = Some(Instant::now() + SAVE_AGAIN);
            }
        }
    }

    fn do_output(&mut self, output: Output) {
        match output {
            Output::Say(line) => self.say_line(&line),
            Output::Fetch { link, room, from, limit } => self.fetch(link, &room, from, limit),
            Output::Who { question, room } => self.ask_who(question, &room),
            Output::Join { room } => self.join(&room),
            Output::Log(text) => say(&self.options.token.hide_in(&text)),
            Output::Stop { why, is_final } => self.stop = Some(Ended { why, is_final }),
            call @ (Output::Send(_) | Output::Poll(_)) => self.due_calls.push(call),
        }
    }

    fn call(&mut self, call: Output) {
        let client = self.client.clone();
        match call {
            Output::Poll(poll) => {
                drop(self.calls.spawn(async move { Answer::Updates(client.updates(poll).await) }));
            }
            Output::Send(message) => drop(self.calls.spawn(async move {
                let result = client.send(&message).await;
                Answer::Sent(message.target, result)
            })),
            _ => {}
        }
    }

    fn note_answer(&mut self, answer: Answer) {
        let now = self.now();
        match answer {
            Answer::Updates(result) => {
                if let Ok(Given { unix_ms: Some(there), .. }) = &result {
                    self.bridge.handle_clock(*there, now);
                }
                self.bridge.handle_updates(result.map(|given| given.updates), now);
            }
            Answer::Sent(target, result) => self.bridge.handle_sent(target, result, now),
            Answer::Diagnosis(diagnosis) => self.note_diagnosis(&diagnosis),
        }
    }

    fn note_diagnosis(&mut self, diagnosis: &Diagnosis) {
        let language = self.options.settings.language;
        if diagnosis.is_token_unknown && self.bridge.counters().last_good_poll_unix_ms == 0 {
            // The poll says the same; whichever is first ends it.
            self.stop = Some(Ended::for_good(Phrase::Unauthorized.in_language(language)));
            return;
        }
        self.bridge.handle_identity(&diagnosis.username);
        diagnosis.findings.iter().for_each(|finding| say(&finding.shown(language)));
    }

    fn note_time(&mut self) {
        self.log_in_again();
        if self.name_again_at.is_some_and(|at| at <= Instant::now()) {
            self.name_again_at = None;
            let name = &self.options.settings.name;
            let wanted = match self.name_attempts.checked_sub(NAME_ATTEMPTS) {
                None => name.clone(),
                // Who logs in has the account's name and no other.
                Some(_) if self.options.login.is_some() => name.clone(),
                Some(further) => format!("{name}_{}", further + 2),
            };
            if let Err(error) = self.relay.session.rename(&wanted) {
                say(&format!("relay: {wanted}: {error}"));
            }
        }
        self.bridge.handle_time(self.now());
    }

    fn next_due(&self) -> Option<Instant> {
        let due = self.bridge.next_due().filter(|_| !self.needs_save);
        // What is too far away to be told comes never.
        let bridge = due.and_then(|due| self.started.checked_add(due));
        [bridge, self.save_at, self.name_again_at, self.login_again_at, self.status_due]
            .into_iter()
            .flatten()
            .min()
    }

    /// Nothing new is begun. What is being sent gets time to be answered, so that nothing is left in doubt.
    async fn end(&mut self) {
        let until = Instant::now() + FAREWELL;
        self.bridge.begin_end();
        self.settle();
        while self.bridge.is_sending() {
            match tokio::time::timeout_at(until, self.calls.join_next()).await {
                Ok(Some(Ok(answer @ Answer::Sent(..)))) => self.note_answer(answer),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        self.save();
        self.relay.finish(FAREWELL).await;
        while let Some(event) = self.relay.session.poll_event() {
            self.note_event(event);
        }
        self.save();
    }
}

async fn wait(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// A line on standard error.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}
