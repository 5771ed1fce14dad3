//! What stands in each sheet, and what comes of it.

use super::form::{Builder, Form};
use crate::colour::Theme;
use crate::model::{Act, Model};
use crate::phrases::{Language, Phrase, fill};
use crate::render;
use crate::settings::{Notices, Settings};
use crate::view::paint::Brush;
use crate::view::post::{Post, Sheet};

/// Characters that a question is wide, and the settings.
const QUESTION_COLUMNS: i32 = 52;
/// See [`QUESTION_COLUMNS`].
const SETTINGS_COLUMNS: i32 = 70;

/// What the keys do, a sentence each.
const KEYS: [Phrase; 9] = [
    Phrase::KeySend,
    Phrase::KeyComplete,
    Phrase::KeyConversations,
    Phrase::KeyJump,
    Phrase::KeySearch,
    Phrase::KeyEmoji,
    Phrase::KeyJoin,
    Phrase::KeySettings,
    Phrase::KeyPanes,
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
        Sheet::Settings => settings(begin(say(Phrase::Settings), SETTINGS_COLUMNS), model),
    }
}

fn settings(mut sheet: Builder<'_>, model: &Model) -> Form {
    let now = model.settings();
    let say = |phrase: Phrase| phrase.in_language(model.language());
    sheet.field(say(Phrase::SettingRelay), &now.relay);
    sheet.field(say(Phrase::SettingName), &render::screen(model).own_name);
    sheet.field(say(Phrase::SettingRooms), &now.rooms.join(" "));
    let language = match now.language {
        None => 0,
        Some(Language::Es) => 1,
        Some(Language::En) => 2,
    };
    let languages = [say(Phrase::LanguageAuto), "Español", "English"];
    sheet.choice(say(Phrase::SettingLanguage), &languages, language);
    let themes = [say(Phrase::ThemeLight), say(Phrase::ThemeDark)];
    sheet.choice(say(Phrase::SettingTheme), &themes, i32::from(now.theme == Theme::Dark));
    sheet.field(say(Phrase::SettingFont), &now.font);
    sheet.field(say(Phrase::SettingFontSize), &now.font_size.to_string());
    let notices = [say(Phrase::NoticesAll), say(Phrase::NoticesSmart), say(Phrase::NoticesNone)];
    sheet.choice(say(Phrase::SettingNotices), &notices, now.notices as i32);
    sheet.field(say(Phrase::SettingKeywords), &now.keywords.join(", "));
    sheet.field(say(Phrase::SettingIgnored), &now.ignored.join(", "));
    sheet.field(say(Phrase::SettingMuted), &now.muted.join(" "));
    sheet.check(say(Phrase::SettingNotify), now.notify);
    sheet.check(say(Phrase::SettingSound), now.sound);
    sheet.check(say(Phrase::SettingPaste), now.ask_before_paste);
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
            Sheet::Settings if is_accepted => Some(Act::ChangeSettings(Box::new(self.settings(model)))),
            Sheet::Emoji if is_accepted => self.grid.as_ref()?.first().map(Act::PickEmoji),
            _ => None,
        }
    }

    fn settings(&self, model: &Model) -> Settings {
        let now = model.settings();
        let words = |row: usize| self.text(row).split_whitespace().map(str::to_owned).collect();
        let list = |row: usize| self.text(row).split(',').map(|word| word.trim().to_owned()).collect();
        Settings {
            relay: self.text(0),
            name: self.text(1),
            rooms: words(2),
            language: [None, Some(Language::Es), Some(Language::En)]
                .get(usize::try_from(self.chosen(3)).unwrap_or_default())
                .copied()
                .flatten(),
            theme: if self.chosen(4) == 1 { Theme::Dark } else { Theme::Light },
            font: self.text(5).trim().to_owned(),
            font_size: self.text(6).trim().parse().unwrap_or(now.font_size),
            notices: match self.chosen(7) {
                0 => Notices::All,
                1 => Notices::Smart,
                _ => Notices::None,
            },
            keywords: list(8),
            ignored: list(9),
            muted: words(10),
            notify: self.is_checked(11),
            sound: self.is_checked(12),
            ask_before_paste: self.is_checked(13),
            ..now.clone()
        }
    }
}
