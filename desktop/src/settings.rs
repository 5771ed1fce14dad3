//! What a person has chosen: the values, what they are by default, and how they are written as TOML. Knows no file; the
//! caller reads and writes the text. What the command line says holds for this run and is not written down.

mod address;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tertulia_wire::limits::{PORT, ROOM_DEFAULT, ROOMS_PER_CLIENT_MAX};
use tertulia_wire::name::{Name, NameError, check_room};
use tertulia_wire::tls::Fingerprint;

pub use address::check_relay;
use address::mended_relay;

use crate::colour::Theme;
use crate::fold::name_key;
use crate::phrases::{AccountPhrase, Language, Phrase, Sentence};

/// Sizes of the font that can be chosen, in points.
pub const FONT_SIZES: std::ops::RangeInclusive<u16> = 8..=40;

/// Size of the font by default, in points.
pub const FONT_SIZE: u16 = 14;

/// People that may be ignored, rooms that may be muted, words that may be waited for; further ones are left out. Longer
/// lists than anybody keeps by hand.
pub const LIST_MAX: usize = 500;

/// Bytes of a text in a settings file beyond which it is refused: nobody's settings are a megabyte.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Which notices of people coming and going are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notices {
    /// Of everybody.
    #[default]
    All,
    /// Of those who have said something lately.
    Smart,
    /// Of nobody.
    None,
}

/// What a person has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The relay's address, `HOST:PORT`.
    pub relay: String,
    /// Whether TLS is spoken with it.
    pub tls: bool,
    /// The name is an account's: the person is told where the relay knows none.
    pub login: bool,
    /// The name to be known by. Empty: it is asked for.
    pub name: String,
    /// The rooms to be in.
    pub rooms: Vec<String>,
    /// None: as the desktop says.
    pub language: Option<Language>,
    /// Light or dark.
    pub theme: Theme,
    /// The font's name; empty: the desktop's.
    pub font: String,
    /// In points, within [`FONT_SIZES`].
    pub font_size: u16,
    /// Which comings and goings are shown.
    pub notices: Notices,
    /// Whether the desktop is told of mentions and private lines.
    pub notify: bool,
    /// Whether there is a sound then.
    pub sound: bool,
    /// Whether a paste of many lines is asked about.
    pub ask_before_paste: bool,
    /// Whether the list of people is shown.
    pub show_people: bool,
    /// Words that count as a mention.
    pub keywords: Vec<String>,
    /// People whose lines are not shown.
    pub ignored: Vec<String>,
    /// Rooms that are quiet.
    pub muted: Vec<String>,
    /// Fingerprints of certificates that the person has confirmed, by the relays' addresses.
    pub certificates: BTreeMap<String, String>,
    /// The language of the desktop. Not written down.
    #[serde(skip)]
    pub locale_language: Language,
    /// What the command line said; see [`Settings::with_flags`].
    #[serde(skip)]
    pub shadowed: Shadowed,
}

/// What the command line said, and what it stands in front of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shadowed {
    flags: Flags,
    file: Flags,
}

/// What the command line says. None: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags {
    /// `--relay`
    pub relay: Option<String>,
    /// `--tls`
    pub tls: Option<bool>,
    /// `--login`, whose name is also that of `--name`.
    pub login: Option<bool>,
    /// `--name`
    pub name: Option<String>,
    /// `--room`, each time it is given.
    pub rooms: Option<Vec<String>>,
    /// `--lang`
    pub language: Option<Language>,
    /// `--theme`
    pub theme: Option<Theme>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            relay: format!("127.0.0.1:{PORT}"),
            tls: false,
            login: false,
            name: String::new(),
            rooms: vec![ROOM_DEFAULT.to_owned()],
            language: None,
            theme: Theme::default(),
            font: String::new(),
            font_size: FONT_SIZE,
            notices: Notices::default(),
            notify: true,
            sound: false,
            ask_before_paste: true,
            show_people: true,
            keywords: Vec::new(),
            ignored: Vec::new(),
            muted: Vec::new(),
            certificates: BTreeMap::new(),
            locale_language: Language::default(),
            shadowed: Shadowed::default(),
        }
    }
}

/// Why a text is no settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// What is wrong and where, for people.
    pub why: Sentence,
    /// The same in English, as the parser says it.
    pub reason: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads settings. What is missing is as by default, what is unknown is ignored, what cannot be is mended.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        if text.len() > TEXT_BYTES_MAX {
            let reason = format!("more than {TEXT_BYTES_MAX} bytes");
            return Err(SettingsError { why: Phrase::TooLarge.into(), reason });
        }
        let settings: Self = toml::from_str(text)
            .map_err(|error| SettingsError { why: toml_why(text, &error), reason: error.to_string() })?;
        Ok(settings.mended())
    }

    /// The settings as they are written down: without what only the command line says.
    pub fn to_toml(&self) -> String {
        let mut written = self.clone();
        let Shadowed { flags, file } = &self.shadowed;
        restore(&mut written.relay, &flags.relay, &file.relay);
        restore(&mut written.name, &flags.name, &file.name);
        restore(&mut written.tls, &flags.tls, &file.tls);
        restore(&mut written.login, &flags.login, &file.login);
        written.rooms = self.rooms_written();
        restore(&mut written.theme, &flags.theme, &file.theme);
        if flags.language.is_some() && written.language == flags.language {
            written.language = file.language;
        }
        // Nothing in it is of a kind that TOML cannot write.
        toml::to_string(&written).unwrap_or_default()
    }

    /// The rooms of the file; where the command line named others, only those are new that were entered since.
    fn rooms_written(&self) -> Vec<String> {
        let (Some(flags), Some(file)) = (&self.shadowed.flags.rooms, &self.shadowed.file.rooms) else {
            return self.rooms.clone();
        };
        let entered = self.rooms.iter().filter(|room| !flags.contains(room));
        mended_rooms(file.iter().chain(entered).cloned().collect())
    }

    /// The settings with what the command line says in front.
    pub fn with_flags(mut self, flags: Flags) -> Self {
        let file = Flags {
            relay: Some(self.relay.clone()),
            tls: Some(self.tls),
            login: Some(self.login),
            name: Some(self.name.clone()),
            rooms: Some(self.rooms.clone()),
            language: self.language,
            theme: Some(self.theme),
        };
        let flags = Flags { rooms: flags.rooms.map(mended_rooms), ..flags };
        self.tls = flags.tls.unwrap_or(self.tls);
        self.login = flags.login.unwrap_or(self.login);
        let relay = flags.relay.clone().map(|relay| mended_relay(&relay, self.tls));
        let is_usual = flags.tls == Some(true) && self.relay == Self::default().relay;
        let relay = relay.or_else(|| is_usual.then(|| mended_relay("", true)));
        let flags = Flags { relay: relay.clone(), ..flags };
        self.relay = relay.unwrap_or(self.relay);
        self.name = flags.name.clone().unwrap_or(self.name);
        self.rooms = flags.rooms.clone().unwrap_or(self.rooms);
        self.language = flags.language.or(self.language);
        self.theme = flags.theme.unwrap_or(self.theme);
        self.shadowed = Shadowed { flags, file };
        self.mended()
    }

    /// The settings on a desktop of this locale, as `LC_ALL`, `LC_MESSAGES` or `LANG` have it: `es_ES.UTF-8`.
    pub fn with_locale(mut self, locale: &str) -> Self {
        self.locale_language = Language::of_locale(locale);
        self
    }

    /// The language of sentences.
    pub fn language(&self) -> Language {
        self.language.unwrap_or(self.locale_language)
    }

    /// The certificate that the person has confirmed for the relay there is.
    pub fn certificate(&self) -> Option<Fingerprint> {
        self.certificates.get(&self.relay).and_then(|fingerprint| fingerprint.parse().ok())
    }

    /// The same, as it is written; empty where there is none.
    pub fn certificate_text(&self) -> &str {
        self.certificates.get(&self.relay).map_or("", String::as_str)
    }

    /// This is the certificate of the relay with this address: no other is taken from now on.
    pub fn confirm_certificate(&mut self, relay: String, fingerprint: Fingerprint) {
        self.certificates.insert(relay, fingerprint.to_string());
    }

    /// The fingerprint of the relay's certificate as a person has it filled in, in place of those settings; empty: none is
    /// confirmed. An error: why it cannot be.
    pub fn fill_in_certificate(&mut self, text: &str, before: &Self) -> Result<(), Sentence> {
        let relay = mended_relay(&self.relay, self.tls);
        // What stood there was another relay's.
        if relay != before.relay && text.trim() == before.certificate_text() {
            return Ok(());
        }
        if text.trim().is_empty() {
            self.certificates.remove(&relay);
            return Ok(());
        }
        let fingerprint = text.parse().map_err(|_| Sentence::from(AccountPhrase::FingerprintInvalid))?;
        self.confirm_certificate(relay, fingerprint);
        Ok(())
    }

    /// Whether a person's lines are not shown.
    pub fn is_ignored(&self, name: &str) -> bool {
        if self.ignored.is_empty() {
            return false;
        }
        let key = name_key(name);
        self.ignored.iter().any(|ignored| name_key(ignored) == key)
    }

    /// Whether a room is quiet.
    pub fn is_muted(&self, room: &str) -> bool {
        self.muted.iter().any(|muted| muted.to_lowercase() == room)
    }

    /// What cannot be, as it can.
    pub(crate) fn mended(mut self) -> Self {
        self.relay = mended_relay(&self.relay, self.tls);
        self.certificates.retain(|_, fingerprint| fingerprint.parse::<Fingerprint>().is_ok());
        while self.certificates.len() > LIST_MAX {
            self.certificates.pop_first();
        }
        self.name = self.name.trim().to_owned();
        if Name::parse(&self.name).is_err() {
            self.name.clear();
        }
        self.rooms = mended_rooms(self.rooms);
        self.font_size = self.font_size.clamp(*FONT_SIZES.start(), *FONT_SIZES.end());
        for list in [&mut self.keywords, &mut self.ignored, &mut self.muted] {
            list.iter_mut().for_each(|word| *word = word.trim().to_owned());
            list.retain(|word| !word.is_empty());
            list.truncate(LIST_MAX);
        }
        self
    }
}

/// Where a text is no TOML, or has not what is wanted.
pub(crate) fn toml_why(text: &str, error: &toml::de::Error) -> Sentence {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    Sentence::new(Phrase::LineWrong, &[&number.to_string()])
}

fn mended_rooms(rooms: Vec<String>) -> Vec<String> {
    let mut mended: Vec<String> = Vec::new();
    for room in rooms.iter().map(|room| room_key(room)).filter_map(Result::ok) {
        if !mended.contains(&room) && mended.len() < ROOMS_PER_CLIENT_MAX {
            mended.push(room);
        }
    }
    if mended.is_empty() {
        mended.push(ROOM_DEFAULT.to_owned());
    }
    mended
}

/// A name as a person writes it for themselves. An error: why it cannot be.
pub fn check_name(name: &str) -> Result<(), Sentence> {
    let is_good = Name::parse(name).is_ok_and(|parsed| parsed.tail().is_empty());
    if is_good { Ok(()) } else { Err(Phrase::NameInvalid.into()) }
}

/// Rooms as a person writes them, between commas or spaces; at least one. An error: what of it cannot be.
pub fn read_rooms(text: &str) -> Result<Vec<String>, Sentence> {
    let rooms = read_muted(text)?;
    if rooms.is_empty() {
        return Err(Phrase::SettingRoomsNone.into());
    }
    if rooms.len() > ROOMS_PER_CLIENT_MAX {
        return Err(Sentence::new(Phrase::TooManyRooms, &[&ROOMS_PER_CLIENT_MAX.to_string()]));
    }
    Ok(rooms)
}

/// The same of rooms that are quiet, of which there may be none.
pub fn read_muted(text: &str) -> Result<Vec<String>, Sentence> {
    let mut rooms: Vec<String> = Vec::new();
    for word in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()) {
        let room = room_key(word).map_err(|_| Sentence::new(Phrase::SettingRoomInvalid, &[word]))?;
        if !rooms.contains(&room) {
            rooms.push(room);
        }
    }
    Ok(rooms)
}

/// The size of the font as a person writes it. An error: why it cannot be.
pub fn read_font_size(text: &str) -> Result<u16, Sentence> {
    let text = text.trim();
    text.parse().ok().filter(|size| FONT_SIZES.contains(size)).ok_or_else(|| {
        let (least, most) = (FONT_SIZES.start().to_string(), FONT_SIZES.end().to_string());
        Sentence::new(Phrase::SettingSizeInvalid, &[text, &least, &most])
    })
}

/// A room's name as the relay has it: without its case, and without a `#` before it.
pub fn room_key(room: &str) -> Result<String, NameError> {
    let room = room.trim();
    let room = room.strip_prefix('#').unwrap_or(room).to_lowercase();
    check_room(&room).map(|()| room)
}

fn restore<T: Clone + PartialEq>(value: &mut T, flag: &Option<T>, file: &Option<T>) {
    if let (Some(flag), Some(file)) = (flag, file) {
        if value == flag {
            *value = file.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(Settings::from_toml("").unwrap(), Settings::default());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let settings = Settings {
            relay: "[::1]:2001".to_owned(),
            tls: true,
            certificates: BTreeMap::from([("[::1]:2001".to_owned(), "AB".repeat(32))]),
            name: "Ana \"la\" Ñ".to_owned(),
            rooms: vec!["general".to_owned(), "cocina".to_owned()],
            language: Some(Language::En),
            theme: Theme::Dark,
            notices: Notices::Smart,
            ignored: vec!["Luis".to_owned()],
            ..Settings::default()
        };
        assert_eq!(Settings::from_toml(&settings.to_toml()).unwrap(), settings);
    }

    #[test]
    fn what_cannot_be_is_mended_and_what_is_no_toml_is_refused() {
        let text = "relay = 'casa'\nname = 'a:b'\nrooms = ['#Cocina', 'dos palabras', 'cocina']\nfont_size = 900\nfuture = 1\n";
        let settings = Settings::from_toml(text).unwrap();
        assert_eq!(settings.relay, "casa:2000");
        assert_eq!(settings.name, "");
        assert_eq!(settings.rooms, ["cocina"]);
        assert_eq!(settings.font_size, 40);
        for wrong in ["relay = ", "font_size = 'big'", "theme = 'pink'"] {
            assert!(!Settings::from_toml(wrong).unwrap_err().reason.is_empty(), "{wrong}");
        }
        assert!(Settings::from_toml(&"#".repeat(TEXT_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn what_is_filled_in_is_taken_or_refused_with_a_reason() {
        assert_eq!(
            read_rooms("General, cocina música,#cine").unwrap(),
            ["general", "cocina", "música", "cine"]
        );
        assert_eq!(read_rooms(" , ").unwrap_err().phrase(), Phrase::SettingRoomsNone);
        let why = read_rooms("general, a:b").unwrap_err().in_language(Language::Es);
        assert!(why.starts_with("«a:b» no vale"), "{why}");
        assert_eq!(read_muted("").unwrap(), Vec::<String>::new());
        assert_eq!(read_font_size(" 16 "), Ok(16));
        for wrong in ["", "grande", "7", "41", "-3"] {
            assert_eq!(read_font_size(wrong).unwrap_err().phrase(), Phrase::SettingSizeInvalid, "{wrong}");
        }
        assert_eq!(check_name("María José"), Ok(()));
        assert_eq!(check_name("a:b").unwrap_err().phrase(), Phrase::NameInvalid);
    }

    #[test]
    fn an_address_without_a_port_gets_the_port_of_old() {
        for (written, expected) in [
            ("", "127.0.0.1:2000"),
            ("casa", "casa:2000"),
            ("casa:", "casa:2000"),
            ("casa:2005", "casa:2005"),
            ("::1", "[::1]:2000"),
            ("[::1]", "[::1]:2000"),
            ("[::1]:7", "[::1]:7"),
        ] {
            assert_eq!(mended_relay(written, false), expected, "{written}");
        }
        assert_eq!(mended_relay("casa", true), "casa:2001");
    }

    #[test]
    fn what_the_command_line_says_holds_and_is_not_written_down() {
        let file = Settings { name: "Ana".to_owned(), ..Settings::default() };
        let flags = Flags {
            name: Some("Luis".to_owned()),
            theme: Some(Theme::Dark),
            rooms: Some(vec!["Cocina".to_owned()]),
            language: Some(Language::En),
            ..Flags::default()
        };
        let mut settings = file.clone().with_flags(flags);
        assert_eq!((settings.name.as_str(), settings.theme), ("Luis", Theme::Dark));
        assert_eq!(settings.rooms, ["cocina"]);
        settings.font_size = 20;
        let written = Settings::from_toml(&settings.to_toml()).unwrap();
        assert_eq!(written, Settings { font_size: 20, ..file });
        settings.name = "Eva".to_owned();
        assert_eq!(Settings::from_toml(&settings.to_toml()).unwrap().name, "Eva", "chosen since");
    }

    #[test]
    fn the_language_is_the_chosen_one_or_the_desktop_s() {
        let english = Settings::default().with_locale("en_GB.UTF-8");
        assert_eq!(english.language(), Language::En);
        assert_eq!(Settings { language: Some(Language::Es), ..english }.language(), Language::Es);
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_fail_otherwise_than_by_an_error(text in any::<String>()) {
            let _ = Settings::from_toml(&text);
        }

        #[test]
        fn whatever_is_chosen_can_be_written_and_read(
            name in any::<String>(), relay in any::<String>(), words in proptest::collection::vec(any::<String>(), 0..4),
        ) {
            let settings = Settings { name, relay, keywords: words.clone(), rooms: words, ..Settings::default() }.mended();
            prop_assert_eq!(Settings::from_toml(&settings.to_toml()).unwrap(), settings);
        }
    }
}
