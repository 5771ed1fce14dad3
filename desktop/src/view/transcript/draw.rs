//! Paints what can be seen of the transcript.

use fltk::draw;
use fltk::enums::Align;

use super::State;
use super::lay::{Laid, Words};
use crate::colour::{Colour, Palette, Theme};
use crate::render::{RowKind, Separator, Style};
use crate::view::layout::{Line, x_at};
use crate::view::paint::{Brush, color, fill, fill_round, fitted, text_in};

pub(super) fn draw(state: &State) {
    let (x, y, w, h) = state.area;
    let palette = state.brush.palette();
    draw::push_clip(x, y, w, h);
    fill(x, y, w, h, palette.background);
    if let Some(empty) = state.empty.as_ref().filter(|_| state.seen.is_empty()) {
        let font = state.brush.font(Style::Text);
        let area = (x + state.brush.margin(), y, w - 2 * state.brush.margin(), h);
        text_in(empty, area, font, palette.muted, Align::Center);
    }
    for (index, (top, laid)) in state.seen.iter().enumerate() {
        draw_row(state, laid, y + top, selected(state, state.scroller.row + index));
    }
    draw_bar(state);
    draw::pop_clip();
}

/// Where the bar's thumb is, from the top, and how long; none: all is seen.
pub(super) fn thumb(state: &State) -> Option<(i32, i32)> {
    let height = state.area.3;
    if state.seen.len() >= state.rows || state.rows == 0 {
        return None;
    }
    let rows = state.rows as f64;
    let length = (f64::from(height) * state.seen.len() as f64 / rows) as i32;
    let length = length.max(2 * state.brush.size).min(height);
    let part = if state.scroller.is_at_end {
        1.0
    } else {
        state.scroller.row as f64 / (rows - state.seen.len() as f64).max(1.0)
    };
    Some(((f64::from(height - length) * part.min(1.0)) as i32, length))
}

fn draw_bar(state: &State) {
    let Some((top, length)) = thumb(state) else { return };
    let (x, y, w, _) = state.area;
    let width = state.brush.scroll_width();
    fill_round(x + w - width + 1, y + top, width - 3, length, state.brush.palette().border);
}

fn draw_row(state: &State, laid: &Laid, y: i32, selected: Option<(usize, usize)>) {
    let brush = &state.brush;
    let (x, _, w, _) = state.area;
    for (top, height, separator) in &laid.rules {
        draw_rule(brush, separator, (x, y + top, w, *height));
    }
    if laid.kind == RowKind::Hidden {
        return;
    }
    let ground = Ground::of(state, laid);
    if ground != Ground::Plain {
        let colour = ground.colour(brush.palette());
        fill(x, y + laid.top, w - brush.scroll_width(), laid.height - laid.top, colour);
    }
    let columns = &state.columns;
    let line = brush.line();
    let column = |text: &str, area, style: Style, align| {
        text_in(text, area, brush.font(style), ink(brush.theme, style, ground, false), align);
    };
    let time_width = columns.text_x - columns.time_x;
    column(&laid.time, (x + columns.time_x, y + laid.time_y, time_width, line), Style::Time, Align::Left);
    match (&laid.name, columns.name_right) {
        (Some((name, false)), Some(right)) => {
            let area = (x + right - columns.name_width, y + laid.time_y, columns.name_width, line);
            column(&format!("{}:", name.text), area, name.style, Align::Right);
        }
        (Some((name, _)), _) => {
            let area = (x + columns.text_x, y + laid.time_y, columns.text_width, line);
            column(&format!("{}:", name.text), area, name.style, Align::Left);
        }
        (None, _) => {}
    }
    if let Some((top, quote)) = &laid.quote {
        let left = x + columns.text_x;
        fill_round(left, y + top + 2, 3, line - 4, brush.palette().border);
        let area = (left + brush.gap() + 3, y + top, columns.text_width - brush.gap() - 3, line);
        column(&quote.text, area, Style::Quote, Align::Left);
    }
    draw_words(state, laid, &laid.body, y, selected);
    if let Some(status) = &laid.status {
        draw_words(state, laid, status, y, None);
    }
    if state.is_focused && state.cursor == Some(laid.entry) {
        draw::set_draw_color(color(brush.palette().accent));
        draw::draw_rect(x + 1, y + laid.top, w - brush.scroll_width() - 2, laid.height - laid.top);
    }
}

/// What a row stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// The transcript's own.
    Plain,
    /// That of a row that one was led to.
    Marked,
    /// That of a row that names the reader.
    Mention,
}

impl Ground {
    fn of(state: &State, laid: &Laid) -> Self {
        if laid.is_current || state.marked == Some(laid.entry) {
            Self::Marked
        } else if laid.is_mention {
            Self::Mention
        } else {
            Self::Plain
        }
    }

    fn colour(self, palette: &Palette) -> Colour {
        match self {
            Self::Plain => palette.background,
            Self::Marked => palette.panel,
            Self::Mention => palette.mention,
        }
    }
}

/// The colour of a text: what is selected, found or stands on the ground of a mention has the colour for that.
fn ink(theme: Theme, style: Style, ground: Ground, is_selected: bool) -> Colour {
    let palette = Palette::of(theme);
    match style {
        _ if is_selected => palette.selection_text,
        Style::Found => palette.found_text,
        _ if ground == Ground::Mention => palette.mention_text,
        _ => style.paint(theme).text,
    }
}

/// What a piece of text stands on by itself, where that is not what its row stands on.
fn own_ground(theme: Theme, style: Style, ground: Ground) -> Option<Colour> {
    style.paint(theme).background.filter(|_| style == Style::Found || ground != Ground::Mention)
}

fn draw_rule(brush: &Brush, separator: &Separator, area: (i32, i32, i32, i32)) {
    let (x, y, w, h) = area;
    let paint = separator.style.paint(brush.theme);
    let (font, size) = brush.font(separator.style);
    draw::set_font(font, size);
    let (margin, gap) = (brush.margin(), brush.gap());
    let inner = w - 2 * margin - brush.scroll_width();
    let text = fitted(&separator.text, f64::from(inner - 4 * gap));
    let width = draw::width(&text).ceil() as i32;
    let left = x + margin + (inner - width) / 2;
    if separator.style != Style::Notice {
        let rule = if separator.style == Style::Unread { paint.text } else { brush.palette().border };
        let middle = y + h / 2;
        fill(x + margin, middle, left - gap - x - margin, 1, rule);
        fill(left + width + gap, middle, x + margin + inner - left - width - gap, 1, rule);
    }
    draw::set_draw_color(color(paint.text));
    draw::draw_text_n(&text, left, y + (h + draw::height()) / 2 - draw::descent());
}

/// The bytes of a row that are selected.
fn selected(state: &State, row: usize) -> Option<(usize, usize)> {
    let (from, to) = state.selected_rows?;
    if row < from.0 || row > to.0 {
        return None;
    }
    let start = if row == from.0 { from.1 } else { 0 };
    let end = if row == to.0 { to.1 } else { usize::MAX };
    (start < end).then_some((start, end))
}

fn draw_words(state: &State, laid: &Laid, words: &Words, y: i32, selected: Option<(usize, usize)>) {
    let brush = &state.brush;
    let left = state.area.0 + state.columns.text_x;
    let mut top = y + words.y;
    for line in &words.lines {
        if top + words.line_height > state.area.1 && top < state.area.1 + state.area.3 {
            let ground = Ground::of(state, laid);
            for piece in &line.pieces {
                if let Some(ground) = own_ground(brush.theme, piece.style, ground) {
                    fill(left + piece.x as i32, top, piece.width.ceil() as i32, words.line_height, ground);
                }
            }
            draw_pieces(brush, words, line, (left, top), |style| ink(brush.theme, style, ground, false));
            if let Some((start, end)) = selected {
                draw_selection(brush, words, line, (left, top), (start, end));
            }
        }
        top += words.line_height;
    }
}

fn draw_selection(brush: &Brush, words: &Words, line: &Line<Style>, at: (i32, i32), bytes: (usize, usize)) {
    let (start, end) = (bytes.0.max(line.start), bytes.1.min(line.end));
    let is_break_selected = bytes.0 <= line.end && bytes.1 > line.end;
    if start > end || (start == end && !is_break_selected) {
        return;
    }
    let mut measure = |text: &str, style| brush.width(text, style);
    let from = x_at(line, start, &words.text, &mut measure);
    let to = x_at(line, end, &words.text, &mut measure);
    // A break that is selected is seen as a narrow strip.
    let to = if is_break_selected { to + f64::from(brush.gap()) } else { to };
    let (left, width) = (at.0 + from as i32, (to - from).ceil() as i32);
    draw::push_clip(left, at.1, width, words.line_height);
    fill(left, at.1, width, words.line_height, brush.palette().selection);
    draw_pieces(brush, words, line, at, |style| ink(brush.theme, style, Ground::Plain, true));
    draw::pop_clip();
}

fn draw_pieces(
    brush: &Brush,
    words: &Words,
    line: &Line<Style>,
    at: (i32, i32),
    ink: impl Fn(Style) -> Colour,
) {
    for piece in &line.pieces {
        let text = words.text.get(piece.start..piece.end).unwrap_or_default();
        let (font, size) = brush.font(piece.style);
        draw::set_font(font, size);
        draw::set_draw_color(color(ink(piece.style)));
        let baseline = at.1 + (words.line_height + draw::height()) / 2 - draw::descent();
        let x = at.0 + piece.x.round() as i32;
        draw::draw_text_n(text, x, baseline);
        if piece.style.paint(brush.theme).is_underlined && !text.trim().is_empty() {
            draw::draw_xyline(x, baseline + 2, x + piece.width as i32 - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{CONTRAST_MIN, NAME_COLOURS, contrast};

    #[test]
    fn whatever_is_drawn_can_be_read_on_what_it_is_drawn_on() {
        let styles = [
            Style::Time,
            Style::OwnName,
            Style::Text,
            Style::Pending,
            Style::Failed,
            Style::Action,
            Style::Link,
            Style::Mention,
            Style::Found,
            Style::Quote,
            Style::Notice,
            Style::Day,
            Style::Unread,
            Style::Gap,
        ];
        let names = (0..NAME_COLOURS as u8).map(Style::Name);
        for style in styles.into_iter().chain(names) {
            for theme in [Theme::Light, Theme::Dark] {
                let palette = Palette::of(theme);
                for ground in [Ground::Plain, Ground::Marked, Ground::Mention] {
                    let own = own_ground(theme, style, ground);
                    let below = own.unwrap_or_else(|| ground.colour(palette));
                    for (is_selected, below) in [(false, below), (true, palette.selection)] {
                        let contrast = contrast(ink(theme, style, ground, is_selected), below);
                        assert!(
                            contrast >= CONTRAST_MIN,
                            "{theme:?}: {style:?} on {ground:?}, selected {is_selected}: {contrast:.2}"
                        );
                    }
                }
            }
        }
    }
}
