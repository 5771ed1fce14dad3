//! The turn of the window: what came from the link and from the person goes to the model, what the model commands is done,
//! and what changed is shown.

use std::io;
use std::time::{Duration, Instant};

use tertulia_wire::session;

use crate::clock::Clock;
use crate::files::{self, Lasting, Profile};
use crate::link::{Link, Report};
use crate::model::{Act, Command, Event, FileCommand, LinkCommand, LinkEvent, Model, ViewCommand};
use crate::notify::Notifier;
use crate::opener::Opener;
use crate::phrases::{Phrase, Sentence};
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
    shown: Option<u64>,
    /// Reports were left lying, so that the keyboard has its turn.
    has_more: bool,
    is_ended: bool,
}

impl Shell {
    /// Opens the window and begins.
    pub fn open(model: Model, profile: Profile, clock: Clock) -> io::Result<Self> {
        let view = View::open(&model);
        let link = Link::begin(&profile.session(), View::bell())?;
        let (notifier, opener) = (Notifier::new(), Opener::new(View::bell()));
        let (shown, has_more, is_ended) = (None, true, false);
        Ok(Self { model, view, link, profile, clock, notifier, opener, shown, has_more, is_ended })
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
                return;
            }
        }
    }

    fn take_failures(&mut self) {
        while let Some(url) = self.opener.take_failure() {
            self.tell(Sentence::new(Phrase::LinkFailed, &[&url]));
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
                let path = path.display().to_string();
                self.tell(Sentence::new(Phrase::SessionDamaged, &[&path, &why]));
            }
        }
        self.do_commands();
    }

    /// Something that the person is to be told.
    fn tell(&mut self, sentence: Sentence) {
        self.model.handle(Event::Shell(sentence), self.clock.now());
    }

    fn do_commands(&mut self) {
        while let Some(command) = self.model.poll_command() {
            match command {
                Command::Link(command) => drop(self.link.give(command)),
                Command::View(ViewCommand::OpenLink(url)) => {
                    if !self.opener.open(&url) {
                        self.tell(Sentence::new(Phrase::LinkFailed, &[&url]));
                    }
                }
                Command::View(command) => self.view.obey(command, &mut self.model),
                Command::File(command) => self.write(command),
                Command::Notify(notification) => self.notifier.notify(notification),
            }
        }
    }

    fn write(&mut self, command: FileCommand) {
        let written = match &command {
            FileCommand::SaveSettings(text) => files::write(self.profile.settings(), text, Lasting::Program),
            FileCommand::SaveDrafts(text) => files::write(&self.profile.drafts(), text, Lasting::Program),
        };
        if let Err(error) = written {
            self.tell(Sentence::new(
                Phrase::FileFailed,
                &[&error.path.display().to_string(), &error.error.to_string()],
            ));
        }
    }

    /// The end: what was said is in its file, and the relay has heard the goodbye if it can be heard.
    pub fn end(self) {
        if !self.is_ended {
            self.link.give(LinkCommand::Quit);
        }
        self.link.end();
    }
}
