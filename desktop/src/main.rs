//! `tertulia-desktop`: reads the command line, opens the window, turns until it is closed.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use tertulia_desktop::clock::Clock;
use tertulia_desktop::display;
use tertulia_desktop::files::{self, Profile};
use tertulia_desktop::model::{Event, Model};
use tertulia_desktop::options::{Asked, Options, help, parse};
use tertulia_desktop::outbox::Outbox;
use tertulia_desktop::phrases::{Language, Phrase, Sentence};
use tertulia_desktop::settings::Settings;
use tertulia_desktop::shell::Shell;
use tertulia_desktop::trouble;
use tertulia_desktop::view::View;

/// A wrong command line, or files that cannot be had.
const EXIT_USAGE: u8 = 2;

/// There is no display, or the window cannot begin.
const EXIT_FAILED: u8 = 1;

fn main() -> ExitCode {
    let text = match parse(std::env::args_os().skip(1)) {
        Ok(Asked::Run(options)) => return run(options),
        Ok(Asked::Help(language)) => help(language.unwrap_or_else(locale_language)).to_owned(),
        Ok(Asked::Version) => format!("tertulia-desktop {}\n", env!("CARGO_PKG_VERSION")),
        Err(error) => return fail(&error.sentence(locale_language()), locale_language()),
    };
    // A reader that has seen enough is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn run(options: Options) -> ExitCode {
    let language = options.flags.language.unwrap_or_else(locale_language);
    if let Err(why) = display::check(&std::env::var("DISPLAY").unwrap_or_default()) {
        let _ = writeln!(std::io::stderr(), "tertulia-desktop: {}", why.in_language(language));
        return ExitCode::from(EXIT_FAILED);
    }
    let profile = match Profile::open(options.profile.as_deref()) {
        Ok(profile) => profile,
        Err(error) => {
            let sentence = error.sentence(options.profile.as_deref(), language);
            return fail(&sentence.in_language(language), language);
        }
    };
    let clock = Clock::start();
    let (settings, trouble) = read_settings(&profile, language);
    let settings = settings.with_flags(options.flags).with_locale(&locale());
    // Any bits that no other run has.
    let seed = RandomState::new().build_hasher().finish();
    let mut model = Model::with_seed(settings, clock.now(), seed);
    model.offer_name(&Outbox::new(&profile.session()).last_name().unwrap_or_default());
    let troubles = [trouble, restore_drafts(&mut model, &profile)];
    troubles.into_iter().flatten().for_each(|sentence| model.handle(Event::Shell(sentence), clock.now()));
    match Shell::open(model, profile, clock) {
        Ok(shell) => turn(Rc::new(RefCell::new(shell))),
        Err(error) => {
            fail(&Sentence::new(Phrase::StartFailed, &[&error.to_string()]).in_language(language), language)
        }
    }
}

/// Turns until the window is closed. A widget that wants something has its turn at once, unless one is under way.
fn turn(shell: Rc<RefCell<Shell>>) -> ExitCode {
    let pumped = Rc::downgrade(&shell);
    shell.borrow().view().set_pump(move || {
        if let Some(shell) = pumped.upgrade() {
            if let Ok(mut shell) = shell.try_borrow_mut() {
                shell.turn();
            }
        }
    });
    shell.borrow_mut().turn();
    loop {
        let wait = shell.borrow().wait();
        if !View::wait(wait) || shell.borrow().is_closed() {
            break;
        }
        shell.borrow_mut().turn();
    }
    if let Some(shell) = Rc::into_inner(shell) {
        shell.into_inner().end();
    }
    ExitCode::SUCCESS
}

/// What a person chose, or what is usual and what is wrong with the file, which is kept aside.
fn read_settings(profile: &Profile, language: Language) -> (Settings, Option<Sentence>) {
    let why = match files::read(profile.settings()) {
        Ok(None) => return (profile.settings_model().map(read_model).unwrap_or_default(), None),
        Ok(Some(text)) => match Settings::from_toml(&text) {
            Ok(settings) => return (settings, None),
            Err(error) => error.why,
        },
        Err(error) => trouble::why(&error.error),
    };
    let why = why.in_language(language);
    (Settings::default(), Some(set_aside(profile.settings(), Phrase::SettingsDamaged, &why)))
}

/// What was chosen in another profile, but for the name: two people do not have one. What cannot be read there is that
/// profile's own trouble.
fn read_model(path: &Path) -> Settings {
    let text = files::read(path).ok().flatten().unwrap_or_default();
    let settings = Settings::from_toml(&text).unwrap_or_default();
    Settings { name: String::new(), ..settings }
}

fn restore_drafts(model: &mut Model, profile: &Profile) -> Option<Sentence> {
    let path = profile.drafts();
    let why = match files::read(&path) {
        Ok(None) => return None,
        Ok(Some(text)) => model.restore_drafts(&text).err()?.why,
        Err(error) => trouble::why(&error.error),
    };
    Some(set_aside(&path, Phrase::DraftsDamaged, &why.in_language(model.language())))
}

/// Moves a damaged file out of the way. The sentence that says where to, and why.
fn set_aside(path: &Path, phrase: Phrase, why: &str) -> Sentence {
    let place = files::set_aside(path).unwrap_or_else(|_| path.to_owned());
    Sentence::new(phrase, &[&place.display().to_string(), why])
}

/// As programs find it out.
fn locale() -> String {
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let mut set = variables.iter().filter_map(|name| std::env::var(name).ok());
    set.find(|value| !value.is_empty()).unwrap_or_default()
}

fn locale_language() -> Language {
    Language::of_locale(&locale())
}

/// Says it where it is seen: who started the window from an icon has no terminal.
fn fail(sentence: &str, language: Language) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "tertulia-desktop: {sentence}");
    let has_display = std::env::var_os("DISPLAY").is_some_and(|display| !display.is_empty());
    if has_display && !std::io::stderr().is_terminal() {
        View::tell(sentence, Phrase::Close.in_language(language));
    }
    ExitCode::from(EXIT_USAGE)
}
