//! The window as text, for tests: what a person would see, in so many columns and rows of the transcript.

use super::question::{Field, question};
use super::row::{Row, RowKind, row_count, rows};
use super::screen::{Screen, people, screen};
use super::style::Style;
use crate::model::Model;

/// Width of the lists at both sides.
const LIST_COLUMNS: usize = 14;

/// Draws the window: the title, the banner, three panes with the newest rows, the hint, the input. What is pending is in
/// `~`, what is refused in `!`, links in `<>`, mentions in `*`, what is found in `{}`, buttons in `[]`.
pub fn draw(model: &Model, columns: usize, lines: usize) -> String {
    let screen = screen(model);
    let mut text = vec![screen.title.clone()];
    if let Some(question) = &screen.name_question {
        text.push(format!("? {} ({})", question.question, question.hint));
        text.extend(question.error.iter().map(|error| format!("! {error}")));
    }
    text.extend(asked(model));
    if let Some(banner) = &screen.banner {
        let button = banner.button.as_ref().map(|button| format!(" [{}]", button.label)).unwrap_or_default();
        text.push(format!("# {}{button}", banner.text));
    }
    text.extend(panes(model, &screen, columns, lines));
    text.extend(screen.jump.iter().map(|button| format!("[{}]", button.label)));
    text.extend(search(&screen));
    if let Some(hint) = &screen.hint {
        text.push(format!("{} {}", if hint.is_error { '!' } else { '-' }, hint.text));
    }
    text.extend(screen.compose.reply.iter().map(|reply| format!("^ {reply}")));
    text.push(format!("> {}", input(&screen)));
    let trimmed: Vec<&str> = text.iter().map(|line| line.trim_end()).collect();
    trimmed.join("\n")
}

/// What lies over the window: `?` the question, `!` what was wrong, a field in `()`, a choice in `<>`, a check in `{}`.
fn asked(model: &Model) -> Vec<String> {
    let Some(question) = question(model) else { return Vec::new() };
    let fields = question.fields.iter().map(|field| match field {
        Field::Secret { label } => format!("  ({label} ***)"),
        Field::Text { label } => format!("  ({label})"),
        Field::Choice { label, options } => format!("  <{label}: {}>", options.join(" | ")),
        Field::Check { label } => format!("  {{{label}}}"),
    });
    let mut lines = vec![format!("? {}", question.title)];
    lines.extend(question.error.iter().map(|error| format!("! {error}")));
    lines.extend(
        question
            .words
            .iter()
            .chain(&question.exact)
            .flat_map(|words| words.split('\n'))
            .map(|words| format!("  {words}")),
    );
    lines.extend(fields);
    let accept = question.accept.map(|accept| format!("[{accept}] ")).unwrap_or_default();
    lines.push(format!("  {accept}[{}]", question.cancel));
    lines
}

fn input(screen: &Screen) -> String {
    let compose = &screen.compose;
    if compose.text.is_empty() {
        return format!("({})", compose.label);
    }
    let (before, after) = compose.text.split_at_checked(compose.cursor).unwrap_or((&compose.text, ""));
    format!("{before}|{after}")
}

fn search(screen: &Screen) -> Vec<String> {
    let Some(search) = &screen.search else { return Vec::new() };
    let button = search.history.as_ref().map(|button| format!(" [{}]", button.label)).unwrap_or_default();
    let status = search.history_status.as_ref().map(|status| format!(" {status}")).unwrap_or_default();
    let mut lines = vec![format!("? {} {}{button}{status}", search.words, search.status)];
    lines.extend(
        search.results.iter().map(|found| format!("  {} {}: {}", found.when, found.name, found.text)),
    );
    lines
}

fn panes(model: &Model, screen: &Screen, columns: usize, lines: usize) -> Vec<String> {
    let width = columns.saturating_sub(2 * (LIST_COLUMNS + 2)).max(20);
    let left = conversation_lines(screen);
    let right = if screen.shows_people { people_lines(model, lines) } else { Vec::new() };
    let middle = transcript(model, screen, width, lines);
    let cell = |lines: &[String], index: usize| lines.get(index).cloned().unwrap_or_default();
    (0..lines)
        .map(|index| {
            let (left, middle) = (pad(&cell(&left, index), LIST_COLUMNS), pad(&cell(&middle, index), width));
            format!("{left}| {middle}| {}", pad(&cell(&right, index), LIST_COLUMNS).trim_end())
        })
        .collect()
}

fn conversation_lines(screen: &Screen) -> Vec<String> {
    let line = |row: &super::ConversationRow| {
        let mark = if row.is_shown { '>' } else { ' ' };
        let sigil = if row.kind == crate::model::Kind::Room { "#" } else { "@" };
        let unread = if row.unread > 0 { format!(" {}", row.unread) } else { String::new() };
        let mentions = if row.mentions > 0 { format!("*{}", row.mentions) } else { String::new() };
        let rest = [
            (row.is_muted, " -"),
            (!row.is_in, " ?"),
            (row.has_draft && !row.is_shown, " …"),
            (row.has_unsent, " !"),
        ];
        let marks: String = rest.iter().filter(|(holds, _)| *holds).map(|(_, mark)| *mark).collect();
        format!("{mark}{sigil}{}{unread}{mentions}{marks}", row.name)
    };
    screen.conversations.iter().map(line).collect()
}

fn people_lines(model: &Model, lines: usize) -> Vec<String> {
    let line = |row: super::PersonRow| match (row.is_self, row.is_ignored) {
        (true, _) => format!("{} *", row.name),
        (_, true) => format!("({})", row.name),
        _ => row.name,
    };
    people(model, 0..lines).into_iter().map(line).collect()
}

/// The newest lines that fit; or, where the reader is further up, those from the first that is seen.
fn transcript(model: &Model, screen: &Screen, width: usize, lines: usize) -> Vec<String> {
    if let Some(empty) = &screen.empty {
        return wrapped(&format!("({empty})"), width);
    }
    let shown = model.conversations.shown();
    let first = shown.scroll.first.filter(|_| !shown.scroll.is_at_end);
    if let Some(first) = first.and_then(|id| shown.transcript.position(id)) {
        let rows = rows(model, first..first + lines);
        return rows.iter().flat_map(|row| row_lines(row, width)).take(lines).collect();
    }
    let count = row_count(model);
    let rows = rows(model, count.saturating_sub(lines)..count);
    let drawn: Vec<String> = rows.iter().flat_map(|row| row_lines(row, width)).collect();
    let from = drawn.len().saturating_sub(lines);
    drawn.into_iter().skip(from).collect()
}

fn row_lines(row: &Row, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = row
        .above
        .iter()
        .map(|above| match above.style {
            Style::Unread => format!("=== {} ===", above.text),
            Style::Day => format!("--- {} ---", above.text),
            _ => format!("({})", above.text),
        })
        .collect();
    if row.kind == RowKind::Hidden {
        return lines;
    }
    if let Some(quote) = &row.quote {
        lines.push(format!("      | {}", quote.text));
    }
    let body: String = row.body.iter().map(marked).collect();
    let status: String = row.status.iter().map(|span| format!(" {}", marked(span))).collect();
    let name = row.name.as_ref().map(|name| format!("{}: ", name.text)).unwrap_or_default();
    let current = if row.is_current { "» " } else { "" };
    lines.extend(wrapped(&format!("{} {current}{name}{body}{status}", row.time), width));
    lines
}

fn marked(span: &super::Span) -> String {
    let text = &span.text;
    match span.style {
        Style::Pending => format!("~{text}~"),
        Style::Failed => format!("!{text}!"),
        Style::Link => format!("<{text}>"),
        Style::Mention => format!("*{text}*"),
        Style::Found => format!("{{{text}}}"),
        Style::Action => format!("[{text}]"),
        _ => text.clone(),
    }
}

/// Cut at the width and at line feeds; what follows is indented.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for part in text.split('\n') {
        let indent = if lines.is_empty() { "" } else { "      " };
        let mut line = indent.to_owned();
        for c in part.chars() {
            if line.chars().count() >= width {
                lines.push(std::mem::replace(&mut line, "      ".to_owned()));
            }
            line.push(c);
        }
        lines.push(line);
    }
    lines
}

fn pad(text: &str, columns: usize) -> String {
    let cut: String = text.chars().take(columns).collect();
    let missing = columns.saturating_sub(cut.chars().count());
    format!("{cut}{}", " ".repeat(missing))
}
