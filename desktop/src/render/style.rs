//! What a piece of text means, and how that is painted in each theme.

use crate::colour::{Colour, Palette, Theme, name_colour};

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// When something was said.
    Time,
    /// Somebody's name, in one of [`crate::colour::name_colours`].
    Name(u8),
    /// The reader's own name.
    OwnName,
    /// What was said.
    Text,
    /// What has no answer yet.
    Pending,
    /// What was refused, and why.
    Failed,
    /// A button in the text.
    Action,
    /// A link that can be opened.
    Link,
    /// A word that names the reader.
    Mention,
    /// What a search looks for.
    Found,
    /// The words that are answered.
    Quote,
    /// Who came and went; what the program says; remarks.
    Notice,
    /// A day.
    Day,
    /// The rule above what was not read.
    Unread,
    /// Lines that are missing.
    Gap,
}

/// How a piece of text is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// The text.
    pub text: Colour,
    /// Behind it, where it differs from what the row stands on.
    pub background: Option<Colour>,
    /// Bold.
    pub is_bold: bool,
    /// Underlined.
    pub is_underlined: bool,
}

impl Style {
    /// How it is painted on the background of the transcript.
    pub fn paint(self, theme: Theme) -> Paint {
        let palette = Palette::of(theme);
        let plain = |text| Paint { text, background: None, is_bold: false, is_underlined: false };
        match self {
            Self::Time | Self::Quote | Self::Notice | Self::Day => plain(palette.muted),
            Self::Name(index) => Paint { is_bold: true, ..plain(name_colour(theme, index)) },
            Self::OwnName => Paint { is_bold: true, ..plain(palette.own) },
            Self::Text => plain(palette.text),
            Self::Pending => plain(palette.pending),
            Self::Failed | Self::Gap => plain(palette.failed),
            Self::Action | Self::Link => Paint { is_underlined: true, ..plain(palette.link) },
            Self::Mention => {
                let background = Some(palette.mention);
                Paint { background, is_bold: true, ..plain(palette.mention_text) }
            }
            Self::Found => Paint { background: Some(palette.found), ..plain(palette.found_text) },
            Self::Unread => Paint { is_bold: true, ..plain(palette.unread) },
        }
    }
}
