//! The palettes, light and dark, and the colour of each name. Every text keeps a contrast of at least
//! [`CONTRAST_MIN`] with what it stands on.

use crate::fold::name_key;

/// Least contrast of a text with its background: WCAG 2.2, 1.4.3, for text of any size.
pub const CONTRAST_MIN: f64 = 4.5;

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark text on light.
    #[default]
    Light,
    /// Light text on dark.
    Dark,
}

impl Theme {
    /// The theme of this name: `light`, `dark`, `claro`, `oscuro`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "light" | "claro" => Some(Self::Light),
            "dark" | "oscuro" => Some(Self::Dark),
            _ => None,
        }
    }
}

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

const fn hex(rgb: u32) -> Colour {
    let [_, red, green, blue] = rgb.to_be_bytes();
    Colour(red, green, blue)
}

/// The colours of a theme. What is named `..._text` is text on the surface before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind the transcript and the input.
    pub background: Colour,
    /// Behind the lists and the bars.
    pub panel: Colour,
    /// Lines between panes; no text.
    pub border: Colour,
    /// Text, on the background and on panels.
    pub text: Colour,
    /// What matters less: times, notices, hints; on the background and on panels.
    pub muted: Colour,
    /// A line without an answer yet; on the background and on panels.
    pub pending: Colour,
    /// What went wrong; on the background and on panels.
    pub failed: Colour,
    /// Links, and what can be clicked; on the background and on panels.
    pub link: Colour,
    /// One's own name; on the background and on panels.
    pub own: Colour,
    /// Behind the row or word that names the reader.
    pub mention: Colour,
    /// Text on `mention`.
    pub mention_text: Colour,
    /// Behind what a search found.
    pub found: Colour,
    /// Text on `found`.
    pub found_text: Colour,
    /// Behind what is selected.
    pub selection: Colour,
    /// Text on `selection`.
    pub selection_text: Colour,
    /// Behind the chosen conversation, counts and buttons that matter.
    pub accent: Colour,
    /// Text on `accent`.
    pub accent_text: Colour,
    /// The rule above what was not read, and its words; on the background.
    pub unread: Colour,
    /// Behind a warning.
    pub warning: Colour,
    /// Text on `warning`.
    pub warning_text: Colour,
}

/// How many colours names have.
pub const NAME_COLOURS: usize = 12;

const LIGHT: Palette = Palette {
    background: hex(0x00FF_FFFF),
    panel: hex(0x00F3_F4F6),
    border: hex(0x00D5_D8DD),
    text: hex(0x001B_1F24),
    muted: hex(0x005C_6470),
    pending: hex(0x0067_6E79),
    failed: hex(0x00B4_1C1C),
    link: hex(0x000B_57B8),
    own: hex(0x000F_5C4A),
    mention: hex(0x00FF_F1C9),
    mention_text: hex(0x004A_3600),
    found: hex(0x00FF_E066),
    found_text: hex(0x001B_1F24),
    selection: hex(0x00BF_DBFE),
    selection_text: hex(0x0010_2038),
    accent: hex(0x000F_6E59),
    accent_text: hex(0x00FF_FFFF),
    unread: hex(0x00B4_1C1C),
    warning: hex(0x00FD_EBC8),
    warning_text: hex(0x005A_3A00),
};

const DARK: Palette = Palette {
    background: hex(0x0017_1A1F),
    panel: hex(0x001F_232A),
    border: hex(0x0034_3A44),
    text: hex(0x00E6_E8EB),
    muted: hex(0x009B_A3AF),
    pending: hex(0x008D_95A1),
    failed: hex(0x00FF_8A80),
    link: hex(0x007A_B7FF),
    own: hex(0x006F_D6B8),
    mention: hex(0x0043_3816),
    mention_text: hex(0x00FF_E29A),
    found: hex(0x008A_6D00),
    found_text: hex(0x00FF_FFFF),
    selection: hex(0x0028_4B7A),
    selection_text: hex(0x00FF_FFFF),
    accent: hex(0x0012_7A63),
    accent_text: hex(0x00FF_FFFF),
    unread: hex(0x00FF_8A80),
    warning: hex(0x004A_3812),
    warning_text: hex(0x00FF_E2B0),
};

/// Far enough apart in hue to be told from each other, and dark enough for white.
const NAMES_LIGHT: [Colour; NAME_COLOURS] = [
    hex(0x00B0_1E5A),
    hex(0x001D_5FA8),
    hex(0x008A_4B00),
    hex(0x006A_2FA0),
    hex(0x001B_6E2D),
    hex(0x00A8_3212),
    hex(0x0000_6977),
    hex(0x008E_248A),
    hex(0x005B_6200),
    hex(0x003D_48B5),
    hex(0x007A_3A3A),
    hex(0x002E_5E5A),
];

const NAMES_DARK: [Colour; NAME_COLOURS] = [
    hex(0x00FF_8FB8),
    hex(0x007F_BEFF),
    hex(0x00F2_B163),
    hex(0x00C7_A3FF),
    hex(0x0083_D68E),
    hex(0x00FF_A085),
    hex(0x0062_D2DF),
    hex(0x00F0_9BEC),
    hex(0x00CB_CF5E),
    hex(0x009A_A0E8),
    hex(0x00E0_ACA6),
    hex(0x008F_D0C6),
];

impl Palette {
    /// The colours of a theme.
    pub fn of(theme: Theme) -> &'static Self {
        match theme {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }
}

/// The colours that names have, on the background and on panels.
pub fn name_colours(theme: Theme) -> &'static [Colour; NAME_COLOURS] {
    match theme {
        Theme::Light => &NAMES_LIGHT,
        Theme::Dark => &NAMES_DARK,
    }
}

/// Which of [`name_colours`] a name has: the same everywhere, and however it is written.
pub fn name_colour_index(name: &str) -> u8 {
    // FNV-1a: the same in each version of the program and of the compiler.
    let hash = name_key(name).bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let index = (hash ^ (hash >> 32)) % NAME_COLOURS as u64;
    u8::try_from(index).unwrap_or_default()
}

/// The colour of a name; an index past the end counts as the first.
pub fn name_colour(theme: Theme, index: u8) -> Colour {
    let [first, ..] = name_colours(theme);
    name_colours(theme).get(usize::from(index)).copied().unwrap_or(*first)
}

/// The contrast of two colours, 1 to 21. Source: WCAG 2.2, «contrast ratio».
pub fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: Colour) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let Colour(red, green, blue) = colour;
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

    #[test]
    fn every_text_can_be_read_on_what_it_stands_on() {
        for theme in THEMES {
            let p = Palette::of(theme);
            let mut pairs = vec![
                (p.unread, p.background),
                (p.mention_text, p.mention),
                (p.muted, p.mention),
                (p.link, p.mention),
                (p.failed, p.mention),
                (p.found_text, p.found),
                (p.selection_text, p.selection),
                (p.accent_text, p.accent),
                (p.warning_text, p.warning),
                // Counts and buttons.
                (p.text, p.border),
                (p.accent, p.accent_text),
            ];
            for surface in [p.background, p.panel] {
                pairs.extend(
                    [p.text, p.muted, p.failed, p.link, p.pending, p.own].map(|text| (text, surface)),
                );
                pairs.extend(name_colours(theme).map(|name| (name, surface)));
            }
            pairs.extend(name_colours(theme).map(|name| (name, p.mention)));
            for (text, surface) in pairs {
                let contrast = contrast(text, surface);
                assert!(contrast >= CONTRAST_MIN, "{theme:?}: {text:?} on {surface:?} has {contrast:.2}");
            }
        }
    }

    #[test]
    fn contrast_is_what_the_standard_says() {
        let (black, white) = (hex(0), hex(0x00FF_FFFF));
        assert!((contrast(black, white) - 21.0).abs() < 0.001);
        assert!((contrast(white, white) - 1.0).abs() < 0.001);
        assert!((contrast(hex(0x0077_7777), white) - 4.48).abs() < 0.01);
    }

    #[test]
    fn a_name_keeps_its_colour_however_it_is_written() {
        for (one, other) in [("Ana", "ANA"), ("Ñandú", "n\u{303}andu\u{301}")] {
            assert_eq!(name_colour_index(one), name_colour_index(other));
        }
    }

    #[test]
    fn names_spread_over_all_colours() {
        let mut counts = [0; NAME_COLOURS];
        for number in 0..1200 {
            counts[usize::from(name_colour_index(&format!("Usuario_{number}")))] += 1;
        }
        assert!(counts.iter().all(|count| (50..200).contains(count)), "{counts:?}");
    }

    #[test]
    fn no_two_names_look_alike() {
        for theme in THEMES {
            let colours = name_colours(theme);
            for (index, one) in colours.iter().enumerate() {
                for other in &colours[index + 1..] {
                    let apart = |a: u8, b: u8| u32::from(a.abs_diff(b));
                    let distance = apart(one.0, other.0) + apart(one.1, other.1) + apart(one.2, other.2);
                    assert!(distance >= 60, "{theme:?}: {one:?} and {other:?}");
                }
            }
        }
    }
}
