//! What stands in each sheet, and what comes of it.

use super::form::{Builder, Form};
use crate::colour::Theme;
use crate::model::{Act, Answer, Model};
use crate::phrases::{AccountPhrase, Language, Phrase, Sentence, fill};
use crate::render::{self, Field, Style};
use crate::settings::{Notices, Settings, check_name, check_relay, read_font_size, read_muted, read_rooms};
use crate::view::list::{ListRow, Wishes};
use crate::view::menus::Item;
use crate::view::paint::Brush;
use crate::view::post::{Post, Sheet, Wish};
use crate::view::update;

/// Characters that a question is wide, and the settings.
const QUESTION_COLUMNS: i32 = 52;
/// See [`QUESTION_COLUMNS`].
const SETTINGS_COLUMNS: i32 = 76;
/// See [`QUESTION_COLUMNS`].
const PEOPLE_COLUMNS: i32 = 36;

/// What the keys do, a sentence each.
const KEYS: [Phrase; 11] = [
    Phrase::KeySend,
    Phrase::KeyComplete,
    Phrase::KeyConversations,
    Phrase::KeyJump,
    Phrase::KeySearch,
    Phrase::KeyEmoji,
    Phrase::KeyJoin,
    Phrase::KeyPeople,
    Phrase::KeySettings,
    Phrase::KeyPanes,
    Phrase::KeyRows,
];

/// Builds a sheet, inside the group that is open.
pub(super) fn build(kind: Sheet, brush: &Brush, post: &Post, model: &Model) -> Form {
    let say = |phrase: Phrase| phrase.in_language(model.language());
    let begin = |title: &str, columns| Builder::new(brush, post, title, columns);
    match kind {
        Sheet::Name => {
            let mut sheet = begin(say(Phrase::AskName), QUESTION_COLUMNS);
            let question = render::screen(model).name_question;
            if let Some(error) = question.as_ref().and_then(|question| question.error.as_ref()) {
                sheet.words(error, true);
            }
            if let Some(question) = &question {
                sheet.words(&question.hint, false);
            }
            sheet.field(say(Phrase::SettingName), question.as_ref().map_or("", |question| &question.text));
            sheet.select();
            sheet.button(say(Phrase::Accept), true);
            sheet.build()
        }
        Sheet::Room => {
            let mut sheet = begin(say(Phrase::AskRoom), QUESTION_COLUMNS);
            sheet.field(say(Phrase::AskRoom), "");
            sheet.button(say(Phrase::Accept), true);
            sheet.button(say(Phrase::Cancel), false);
            sheet.build()
        }
        Sheet::Paste(lines) => {
            let mut sheet = begin(say(Phrase::Paste), QUESTION_COLUMNS);
            sheet.words(&fill(say(Phrase::AskPaste), &[lines.to_string()]), false);
            sheet.button(say(Phrase::Paste), true);
            sheet.button(say(Phrase::Cancel), false);
            sheet.build()
        }
        Sheet::Emoji => {
            let mut sheet = begin(say(Phrase::Emoji), QUESTION_COLUMNS);
            sheet.field(say(Phrase::SearchLabel), "");
            sheet.grid();
            sheet.build()
        }
        Sheet::Help => {
            let mut sheet = begin(say(Phrase::KeysTitle), SETTINGS_COLUMNS);
            KEYS.iter().for_each(|phrase| sheet.words(say(*phrase), false));
            sheet.button(say(Phrase::Close), true);
            sheet.build()
        }
        Sheet::People => {
            let mut sheet = begin(say(Phrase::PeopleLabel), PEOPLE_COLUMNS);
            let wishes = Wishes { pick: Wish::PickPerson, menu: Wish::PersonMenu };
            sheet.list(say(Phrase::PeopleLabel), update::all_people(brush, model), wishes);
            sheet.button(say(Phrase::Close), false);
            sheet.build()
        }
        // It has more to choose from than its kind says.
        Sheet::Menu => menu(brush, post, &[]),
        Sheet::Question(_) => question(brush, post, model),
        Sheet::Settings => settings(begin(say(Phrase::Settings), SETTINGS_COLUMNS), model),
    }
}

/// What the model asks.
fn question(brush: &Brush, post: &Post, model: &Model) -> Form {
    let Some(question) = render::question(model) else { return Builder::new(brush, post, "", 1).build() };
    let mut sheet = Builder::new(brush, post, &question.title, SETTINGS_COLUMNS);
    question.error.iter().for_each(|error| sheet.words(error, true));
    question.words.iter().for_each(|words| sheet.words(words, false));
    question.exact.iter().for_each(|exact| sheet.exact(exact));
    for field in &question.fields {
        match field {
            Field::Secret { label } => sheet.secret(label),
            Field::Text { label } => sheet.field(label, ""),
            Field::Choice { label, options } => {
                let options: Vec<&str> = options.iter().map(String::as_str).collect();
                sheet.choice(label, &options, 0);
            }
            Field::Check { label } => sheet.check(label, false),
        }
    }
    question.accept.iter().for_each(|accept| sheet.button(accept, true));
    sheet.button(&question.cancel, false);
    sheet.build()
}

/// A choice of several.
pub(super) fn menu(brush: &Brush, post: &Post, items: &[Item]) -> Form {
    let width = items.iter().map(|(label, _)| brush.width(label, Style::Text).ceil() as i32).max();
    let columns = (width.unwrap_or_default() + 4 * brush.margin()) * 7 / (4 * brush.size).max(1);
    let mut sheet = Builder::new(brush, post, "", columns.min(SETTINGS_COLUMNS));
    let row = |label: &str| ListRow {
        text: label.to_owned(),
        colour: brush.palette().text,
        is_bold: false,
        badge: None,
        is_chosen: false,
        is_heading: false,
    };
    let rows = items.iter().map(|(label, _)| row(label)).collect();
    let wishes = Wishes { pick: Wish::PickItem, menu: |index, _| Wish::PickItem(index) };
    sheet.list("Menu", rows, wishes).follow_mouse();
    sheet.build()
}

fn settings(mut sheet: Builder<'_>, model: &Model) -> Form {
    let now = model.settings();
    let say = |phrase: Phrase| phrase.in_language(model.language());
    sheet.field(say(Phrase::SettingRelay), &now.relay);
    sheet.field(say(Phrase::SettingName), &render::screen(model).own_name);
    sheet.field(say(Phrase::SettingRooms), &now.rooms.join(", "));
    let language = match now.language {
        None => 0,
        Some(Language::Es) => 1,
        Some(Language::En) => 2,
    };
    let languages = [say(Phrase::LanguageAuto), "Español", "English"];
    sheet.choice(say(Phrase::SettingLanguage), &languages, language);
    let themes = [say(Phrase::ThemeLight), say(Phrase::ThemeDark)];
    sheet.choice(say(Phrase::SettingTheme), &themes, usize::from(now.theme == Theme::Dark));
    sheet.field(say(Phrase::SettingFont), &now.font);
    sheet.field(say(Phrase::SettingFontSize), &now.font_size.to_string());
    let notices = [say(Phrase::NoticesAll), say(Phrase::NoticesSmart), say(Phrase::NoticesNone)];
    sheet.choice(say(Phrase::SettingNotices), &notices, now.notices as usize);
    sheet.field(say(Phrase::SettingKeywords), &now.keywords.join(", "));
    sheet.field(say(Phrase::SettingIgnored), &now.ignored.join(", "));
    sheet.field(say(Phrase::SettingMuted), &now.muted.join(", "));
    sheet.check(say(Phrase::SettingNotify), now.notify);
    sheet.check(say(Phrase::SettingSound), now.sound);
    sheet.check(say(Phrase::SettingPaste), now.ask_before_paste);
    sheet.check(AccountPhrase::SettingTls.in_language(model.language()), now.tls);
    let fingerprint = AccountPhrase::SettingFingerprint.in_language(model.language());
    sheet.field(fingerprint, now.certificate_text());
    sheet.button(say(Phrase::Accept), true);
    sheet.button(say(Phrase::Cancel), false);
    sheet.build()
}

impl Form {
    /// What the model is to hear once the sheet is gone.
    pub(super) fn act(&self, kind: Sheet, is_accepted: bool, model: &Model) -> Option<Act> {
        match kind {
            Sheet::Name if is_accepted => Some(Act::ChooseName(self.text(0))),
            Sheet::Room if is_accepted && !self.text(0).trim().is_empty() => Some(Act::Join(self.text(0))),
            Sheet::Paste(_) => Some(Act::ConfirmPaste(is_accepted)),
            Sheet::Question(number) => {
                Some(Act::Answer(Answer { number, is_accepted, values: self.values() }))
            }
            Sheet::Settings if is_accepted => {
                self.settings(model).ok().map(|settings| Act::ChangeSettings(Box::new(settings)))
            }
            Sheet::Emoji if is_accepted => self.grid.as_ref()?.first().map(Act::PickEmoji),
            _ => None,
        }
    }

    /// The settings as they were filled in. An error: what of them cannot be.
    pub(super) fn settings(&self, model: &Model) -> Result<Settings, Sentence> {
        let now = model.settings();
        let list = |row: usize| self.text(row).split(',').map(|word| word.trim().to_owned()).collect();
        check_relay(&self.text(0))?;
        let name = self.text(1).trim().to_owned();
        // Before there is one it is asked for.
        if !name.is_empty() || !render::screen(model).own_name.is_empty() {
            check_name(&name)?;
        }
        let mut settings = Settings {
            relay: self.text(0),
            name,
            rooms: read_rooms(&self.text(2))?,
            language: [None, Some(Language::Es), Some(Language::En)].get(self.chosen(3)).copied().flatten(),
            theme: if self.chosen(4) == 1 { Theme::Dark } else { Theme::Light },
            font: self.text(5).trim().to_owned(),
            font_size: read_font_size(&self.text(6))?,
            notices: match self.chosen(7) {
                0 => Notices::All,
                1 => Notices::Smart,
                _ => Notices::None,
            },
            keywords: list(8),
            ignored: list(9),
            muted: read_muted(&self.text(10))?,
            notify: self.is_checked(11),
            sound: self.is_checked(12),
            ask_before_paste: self.is_checked(13),
            tls: self.is_checked(14),
            ..now.clone()
        };
        settings.fill_in_certificate(&self.text(15), now)?;
        Ok(settings)
    }
}
