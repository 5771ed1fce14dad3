//! The turn of the window: what came from the link and from the person goes to the model, what the model commands is done,
//! and what changed is shown.

use std::io;
use std::time::{Duration, Instant};

use tertulia_wire::session::{self, SayError};

use crate::clock::Clock;
use crate::files::{self, FileError, Lasting, Profile};
use crate::keyring::{self, Keyring};
use crate::link::{Link, Report};
use crate::model::{
    Act, Command, Event, FileCommand, Keyring as Found, LinkCommand, LinkEvent, Model, ViewCommand,
};
use crate::notify::Notifier;
use crate::opener::Opener;
use crate::phrases::{AccountPhrase, Phrase, Sentence};
use crate::trouble;
use crate::view::View;

/// How long reports are taken in one go; then what changed is shown, and the keyboard has its turn.
const TAKE_FOR: Duration = Duration::from_millis(8);

/// Everything, put together.
pub struct Shell {
    model: Model,
    view: View,
    link: Link,
    profile: Profile,
    clock: Clock,
    notifier: Notifier,
    opener: Opener,
    keyring: Keyring,
    shown: Option<u64>,
    /// Reports were left lying, so that the keyboard has its turn.
    has_more: bool,
    is_ended: bool,
}

impl Shell {
    /// Opens the window and begins.
    pub fn open(mut model: Model, profile: Profile, clock: Clock) -> io::Result<Self> {
        let view = View::open(&model);
        let link = Link::begin(&profile.session(), View::bell())?;
        let (notifier, opener) = (Notifier::new(View::bell()), Opener::new(View::bell()));
        let keyring = Keyring::new(View::bell());
        if Keyring::is_there() {
            model.handle(Event::Keyring(Found::IsThere), clock.now());
        }
        let (shown, has_more, is_ended) = (None, true, false);
        Ok(Self { model, view, link, profile, clock, notifier, opener, keyring, shown, has_more, is_ended })
    }

    /// What the window's parts call when they want something.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// How long may be waited for something to happen.
    pub fn wait(&self) -> Option<Duration> {
        if self.has_more {
            return Some(Duration::ZERO);
        }
        let now = self.clock.now().monotonic;
        self.model.next_due().map(|due| due.saturating_sub(now))
    }

    /// Whether the window was closed.
    pub fn is_closed(&self) -> bool {
        self.view.is_closed()
    }

    /// One turn.
    pub fn turn(&mut self) {
        self.take_acts();
        self.take_reports();
        self.take_failures();
        self.take_clicks();
        let now = self.clock.now();
        if self.model.next_due().is_some_and(|due| due <= now.monotonic) {
            self.model.handle(Event::Tick, now);
        }
        self.do_commands();
        if self.shown != Some(self.model.revision()) {
            self.view.update(&mut self.model);
            self.shown = Some(self.model.revision());
            // What is laid out tells the model where it stands.
            self.take_acts();
            self.do_commands();
        }
    }

    fn take_acts(&mut self) {
        while let Some(act) = self.view.next_act(&self.model) {
            self.model.handle(Event::Act(act), self.clock.now());
            self.do_commands();
        }
    }

    fn take_reports(&mut self) {
        self.link.answer_bell();
        let begin = Instant::now();
        self.has_more = false;
        while let Some(report) = self.link.take() {
            self.take_report(report);
            if begin.elapsed() > TAKE_FOR {
                self.has_more = true;
                break;
            }
        }
        // All of them together: what is to be written down is written once.
        self.do_commands();
    }

    /// Who clicks a notice wants to read what it told of.
    fn take_clicks(&mut self) {
        while let Some(conversation) = self.notifier.take_clicked() {
            self.view.raise();
            self.model.handle(Event::Act(Act::Select(conversation)), self.clock.now());
        }
    }

    fn take_failures(&mut self) {
        while let Some(url) = self.opener.take_failure() {
            self.tell(Sentence::new(Phrase::LinkFailed, &[&url]));
        }
        while let Some(outcome) = self.keyring.take() {
            match outcome {
                keyring::Outcome::Found { name, password } => {
                    let found = Event::Keyring(Found::Found { name, password });
                    self.model.handle(found, self.clock.now());
                }
                keyring::Outcome::Kept(true) => {}
                keyring::Outcome::Kept(false) => self.tell(AccountPhrase::KeyringFailed.into()),
            }
        }
    }

    fn take_report(&mut self, report: Report) {
        match report {
            Report::Event(event) => {
                self.is_ended |= matches!(event, LinkEvent::Session(session::Event::Ended));
                self.model.handle(Event::Link(event), self.clock.now());
            }
            Report::Signal => self.model.handle(Event::Act(Act::Close), self.clock.now()),
            Report::SetAside { path, why } => {
                let (path, why) = (path.display().to_string(), why.in_language(self.model.language()));
                self.tell(Sentence::new(Phrase::SessionDamaged, &[&path, &why]));
            }
        }
    }

    /// Something that the person is to be told.
    fn tell(&mut self, sentence: Sentence) {
        self.model.handle(Event::Shell(sentence), self.clock.now());
    }

    fn do_commands(&mut self) {
        while let Some(command) = self.model.poll_command() {
            match command {
                Command::Link(command) => self.give(command),
                Command::View(ViewCommand::OpenLink(url)) => {
                    if !self.opener.open(&url) {
                        self.tell(Sentence::new(Phrase::LinkFailed, &[&url]));
                    }
                }
                Command::View(command) => self.view.obey(command, &mut self.model),
                Command::File(command) => self.write(command),
                Command::Notify(notification) => self.notifier.notify(notification),
                Command::Keyring(command) => self.keyring.ask(command),
            }
        }
    }

    /// A line that the link does not take is the person's again. What else it does not take is without meaning by then: that
    /// the link is gone is told.
    fn give(&mut self, order: LinkCommand) {
        if let Err(LinkCommand::Say(line)) = self.link.give(order) {
            let event = LinkEvent::SayFailed { label: line.label, error: SayError::Full };
            self.model.handle(Event::Link(event), self.clock.now());
        }
    }

    fn write(&mut self, command: FileCommand) {
        let (path, drafts) = (self.profile.settings(), self.profile.drafts());
        let (written, are_drafts) = match &command {
            FileCommand::SaveSettings(text) => (files::write(path, text, Lasting::Program), false),
            FileCommand::SaveDrafts(text) => (files::write(&drafts, text, Lasting::Program), true),
            FileCommand::SaveDraftsSafely(text) => (files::write(&drafts, text, Lasting::Power), true),
        };
        if are_drafts {
            let are_written = written.is_ok();
            self.model.handle(Event::Drafts { are_written }, self.clock.now());
        }
        if let Err(FileError { path, error }) = written {
            let why = trouble::why(&error).in_language(self.model.language());
            self.tell(Sentence::new(Phrase::FileFailed, &[&path.display().to_string(), &why]));
        }
    }

    /// The end: what was said is in its file, what was refused in another, and the relay has heard the goodbye if it can be
    /// heard.
    pub fn end(self) {
        let Self { mut model, link, profile, clock, is_ended, .. } = self;
        if !is_ended {
            // Not taken: it has ended.
            let _ = link.give(LinkCommand::Quit);
        }
        link.end(|link, report| {
            if let Report::Event(event) = report {
                model.handle(Event::Link(event), clock.now());
                keep_drafts(&mut model, link, &profile, &clock);
            }
        });
    }
}

/// Without a window: what the model has to keep is kept, and what the link need not keep any more it is told.
fn keep_drafts(model: &mut Model, link: &Link, profile: &Profile, clock: &Clock) {
    while let Some(command) = model.poll_command() {
        match command {
            Command::File(FileCommand::SaveDrafts(text) | FileCommand::SaveDraftsSafely(text)) => {
                let are_written = files::write(&profile.drafts(), &text, Lasting::Power).is_ok();
                model.handle(Event::Drafts { are_written }, clock.now());
            }
            Command::Link(order @ LinkCommand::ForgetRefused { .. }) => drop(link.give(order)),
            _ => {}
        }
    }
}
