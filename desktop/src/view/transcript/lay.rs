//! A row on its way to the screen: where its time, its name, its words and its rules stand, for one width.

use crate::model::{Act, EntryId};
use crate::render::{Name, Row, RowKind, Separator, Span, Style};
use crate::view::layout::{Line, Run, wrap};
use crate::view::paint::Brush;

/// Names wider than the column for them stand above what they said, whole.
const NAME_SHARE: i32 = 6;

/// The longest lines, in sizes of the font: about ninety characters. Longer ones are hard to come back from.
const MEASURE_MAX: i32 = 48;

/// The columns of the transcript, in pixels from its left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) time_x: i32,
    /// The right end of names, which stand against what was said. None: names are above.
    pub(super) name_right: Option<i32>,
    pub(super) name_width: i32,
    pub(super) text_x: i32,
    pub(super) text_width: i32,
    pub(super) right: i32,
}

impl Columns {
    /// For a transcript of this width.
    pub(super) fn new(brush: &Brush, width: i32) -> Self {
        let margin = brush.margin();
        let time_width = brush.width("00:00", Style::Time).ceil() as i32;
        let right = width - margin - brush.scroll_width();
        let name_width = (width / NAME_SHARE).clamp(4 * brush.size, 9 * brush.size);
        let name_left = margin + time_width + brush.gap();
        // Where the words would become a narrow strip, names stand above them.
        let has_names = right - name_left - name_width > 16 * brush.size;
        let name_right = has_names.then_some(name_left + name_width);
        let text_x = name_right.map_or(name_left, |right| right + brush.size * 6 / 7);
        Self {
            time_x: margin,
            name_right,
            name_width,
            text_x,
            text_width: (right - text_x).clamp(brush.size, MEASURE_MAX * brush.size),
            right,
        }
    }
}

/// Words in lines, and what a click on each piece does.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// From the row's top.
    pub(super) y: i32,
    pub(super) text: String,
    pub(super) lines: Vec<Line<Style>>,
    /// By run.
    pub(super) acts: Vec<Option<Act>>,
    pub(super) line_height: i32,
}

impl Words {
    fn lay(brush: &Brush, spans: &[Span], y: i32, width: i32) -> Self {
        let runs: Vec<Run<'_, Style>> =
            spans.iter().map(|span| Run { text: &span.text, style: span.style }).collect();
        let mut measure = |text: &str, style| brush.width(text, style);
        let lines = wrap(&runs, f64::from(width), &mut measure);
        Self {
            y,
            text: spans.iter().map(|span| span.text.as_str()).collect(),
            lines,
            acts: spans.iter().map(|span| span.act.clone()).collect(),
            line_height: brush.line(),
        }
    }

    pub(super) fn height(&self) -> i32 {
        self.line_height * i32::try_from(self.lines.len()).unwrap_or(i32::MAX / self.line_height.max(1))
    }

    /// The line at this height, or the nearest.
    pub(super) fn line_at(&self, y: i32) -> Option<&Line<Style>> {
        let index = usize::try_from((y - self.y) / self.line_height.max(1)).unwrap_or_default();
        self.lines.get(index.min(self.lines.len().saturating_sub(1)))
    }
}

/// A row, laid out.
#[derive(Debug, Clone)]
pub(super) struct Laid {
    pub(super) entry: EntryId,
    pub(super) kind: RowKind,
    /// Rules above, with where they are and how high.
    pub(super) rules: Vec<(i32, i32, Separator)>,
    /// Where what was said begins, its background included.
    pub(super) top: i32,
    pub(super) time: String,
    pub(super) time_y: i32,
    /// The name, and whether it stands above.
    pub(super) name: Option<(Name, bool)>,
    pub(super) quote: Option<(i32, Span)>,
    pub(super) body: Words,
    pub(super) status: Option<Words>,
    pub(super) height: i32,
    pub(super) is_mention: bool,
    pub(super) is_current: bool,
}

impl Laid {
    /// Lays a row out.
    pub(super) fn new(brush: &Brush, columns: &Columns, row: Row) -> Self {
        let line = brush.line();
        let mut y = 0;
        let rules = row
            .above
            .into_iter()
            .map(|separator| {
                let height = line + brush.margin();
                y += height;
                (y - height, height, separator)
            })
            .collect();
        let is_hidden = row.kind == RowKind::Hidden;
        if !is_hidden && !row.continues {
            y += brush.size * 2 / 5;
        }
        let top = y;
        let name = row.name.filter(|_| !row.continues);
        let is_above = |name: &Name| {
            columns.name_right.is_none()
                || brush.width(&format!("{}:", name.text), name.style) > f64::from(columns.name_width)
        };
        let name = name.map(|name| {
            let is_above = is_above(&name);
            (name, is_above)
        });
        let time_y = y;
        if name.as_ref().is_some_and(|(_, is_above)| *is_above) {
            y += line;
        }
        let quote = row.quote.map(|quote| {
            y += line;
            (y - line, quote)
        });
        let body = Words::lay(brush, &row.body, y, columns.text_width);
        if !is_hidden {
            y += body.height();
        }
        let status = (!row.status.is_empty()).then(|| {
            let spaced: Vec<Span> = spaced(&row.status);
            Words::lay(brush, &spaced, y, columns.text_width)
        });
        y += status.as_ref().map_or(0, Words::height);
        Self {
            entry: row.entry,
            kind: row.kind,
            rules,
            top,
            time: if is_hidden { String::new() } else { row.time },
            time_y,
            name,
            quote,
            body,
            status,
            height: y,
            is_mention: row.is_mention,
            is_current: row.is_current,
        }
    }
}

/// Reasons and buttons with room between them.
fn spaced(spans: &[Span]) -> Vec<Span> {
    let mut spaced: Vec<Span> = Vec::new();
    for span in spans {
        if !spaced.is_empty() {
            spaced.push(Span { text: "   ".to_owned(), style: Style::Notice, act: None });
        }
        spaced.push(span.clone());
    }
    spaced
}
