//! The brush: the palette, the fonts and the measures that everything is drawn with.

use fltk::app;
use fltk::draw;
use fltk::enums::{Align, Color, Font, FrameType};

use crate::colour::{Colour, Palette, Theme};
use crate::render::Style;
use crate::settings::Settings;

/// The font of text, and its bold sister.
pub(super) const REGULAR: Font = Font::Helvetica;
/// See [`REGULAR`].
pub(super) const BOLD: Font = Font::HelveticaBold;
/// Of what is compared letter by letter: all letters are as wide.
pub(super) const EXACT: Font = Font::Courier;

/// What the desktop calls its own font.
const FONT_DEFAULT: &str = "Sans";

/// And the one in which all letters are as wide.
const FONT_EXACT: &str = "Monospace";

/// How round corners are, in pixels of 100 %.
const CORNER: i32 = 6;

/// A colour as the toolkit has it.
pub(super) fn color(colour: Colour) -> Color {
    let Colour(red, green, blue) = colour;
    Color::from_rgb(red, green, blue)
}

/// Colours, fonts and measures of now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Brush {
    pub(super) theme: Theme,
    /// Of text, in pixels of 100 %.
    pub(super) size: i32,
}

impl Brush {
    /// What the settings ask for. Names the font to the toolkit, and gives its own widgets the palette.
    pub(super) fn take_up(settings: &Settings) -> Self {
        let family = if settings.font.is_empty() { FONT_DEFAULT } else { &settings.font };
        Font::set_font(REGULAR, family);
        Font::set_font(BOLD, &format!("{family} Bold"));
        Font::set_font(EXACT, FONT_EXACT);
        let brush = Self { theme: settings.theme, size: i32::from(settings.font_size) };
        let palette = brush.palette();
        let set = |to: fn(u8, u8, u8), Colour(red, green, blue): Colour| to(red, green, blue);
        set(app::set_background_color, palette.panel);
        set(app::set_background2_color, palette.background);
        set(app::set_foreground_color, palette.text);
        set(app::set_selection_color, palette.selection);
        app::set_inactive_color(palette.muted.0, palette.muted.1, palette.muted.2);
        let Colour(red, green, blue) = palette.border;
        app::set_color(border(), red, green, blue);
        app::set_frame_type_cb(FIELD, draw_field, FIELD_PADDING, 2, 2 * FIELD_PADDING, 4);
        // What the toolkit frames by itself: lists to choose from, their menus, check boxes, the buttons of bars.
        for frame in [FrameType::DownBox, FrameType::ThinDownBox] {
            app::set_frame_type_cb(frame, draw_field, 2, 2, 4, 4);
        }
        for frame in [FrameType::UpBox, FrameType::ThinUpBox] {
            app::set_frame_type_cb(frame, draw_flat, 1, 1, 2, 2);
        }
        app::set_frame_border_radius_max(CORNER);
        app::set_font_size(brush.size);
        app::set_scrollbar_size(brush.scroll_width());
        brush
    }

    pub(super) fn palette(&self) -> &'static Palette {
        Palette::of(self.theme)
    }

    /// Of times, counts and remarks.
    pub(super) fn small(&self) -> i32 {
        (self.size * 6 / 7).max(8)
    }

    /// Between things that belong together.
    pub(super) fn gap(&self) -> i32 {
        self.size / 2
    }

    /// Around a pane's content.
    pub(super) fn margin(&self) -> i32 {
        self.size * 6 / 7
    }

    /// Between the frame of the input and what stands in it.
    pub(super) fn padding(&self) -> i32 {
        self.size * 5 / 14
    }

    /// The height of a line of text.
    pub(super) fn line(&self) -> i32 {
        draw::set_font(REGULAR, self.size);
        draw::height() + self.size / 6
    }

    /// The height of a button, of a field of one line, of a row of a list.
    pub(super) fn control(&self) -> i32 {
        self.line() + self.size * 5 / 7
    }

    pub(super) fn scroll_width(&self) -> i32 {
        (self.size * 5 / 7).max(8)
    }

    /// The font and size of a style.
    pub(super) fn font(&self, style: Style) -> (Font, i32) {
        let font = if style.paint(self.theme).is_bold { BOLD } else { REGULAR };
        let size = match style {
            Style::Time | Style::Quote | Style::Notice | Style::Day | Style::Unread | Style::Gap => {
                self.small()
            }
            _ => self.size,
        };
        (font, size)
    }

    /// The width of a text in a style.
    pub(super) fn width(&self, text: &str, style: Style) -> f64 {
        let (font, size) = self.font(style);
        draw::set_font(font, size);
        draw::width(text)
    }
}

/// The text, or as much of its beginning as fits, with `…`. In the font that is set.
pub(super) fn fitted(text: &str, width: f64) -> String {
    if draw::width(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if draw::width(&format!("{cut}…")) > width {
            cut.pop();
            break;
        }
    }
    format!("{}…", cut.trim_end())
}

/// Fills a rectangle, sharp corners or round ones.
pub(super) fn fill(x: i32, y: i32, w: i32, h: i32, colour: Colour) {
    draw::draw_rect_fill(x, y, w, h, color(colour));
}

/// See [`fill`].
pub(super) fn fill_round(x: i32, y: i32, w: i32, h: i32, colour: Colour) {
    draw::draw_rbox(x, y, w, h, CORNER.min(h / 2), true, color(colour));
}

/// The line around what is round.
pub(super) fn outline_round(x: i32, y: i32, w: i32, h: i32, colour: Colour) {
    draw::draw_rbox(x, y, w, h, CORNER.min(h / 2), false, color(colour));
}

/// Text in one line, between left and right and in the middle of top and bottom. `&` and `@` are letters.
pub(super) fn text_in(
    text: &str,
    area: (i32, i32, i32, i32),
    font: (Font, i32),
    colour: Colour,
    align: Align,
) {
    let (x, y, w, h) = area;
    draw::set_font(font.0, font.1);
    draw::set_draw_color(color(colour));
    let text = fitted(text, f64::from(w));
    let width = draw::width(&text).ceil() as i32;
    let left = match align {
        Align::Right => x + w - width,
        Align::Center => x + (w - width) / 2,
        _ => x,
    };
    let baseline = y + (h + draw::height()) / 2 - draw::descent();
    draw::draw_text_n(&text, left, baseline);
}

/// The frame of fields: round, with a line around it, and room beside the text.
pub(super) const FIELD: FrameType = FrameType::PlasticDownBox;

/// The room beside the text of a field.
const FIELD_PADDING: i32 = 6;

/// The place in the toolkit's table where the colour of lines stands, for what draws without a brush.
fn border() -> Color {
    Color::by_index(16)
}

fn draw_field(x: i32, y: i32, w: i32, h: i32, ground: Color) {
    draw::draw_rbox(x, y, w, h, CORNER.min(h / 2), true, ground);
    draw::draw_rbox(x, y, w, h, CORNER.min(h / 2), false, border());
}

fn draw_flat(x: i32, y: i32, w: i32, h: i32, ground: Color) {
    draw::draw_rect_fill(x, y, w, h, ground);
    draw::set_draw_color(border());
    draw::draw_rect(x, y, w, h);
}
