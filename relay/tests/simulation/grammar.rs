//! What a line says, read off PROTOCOL.md as plainly as it can be, without the parsers of the relay.

pub(crate) const JOIN: &str = " se ha unido al chat.";
pub(crate) const LEAVE: &str = " ha abandonado el chat.";
const OPEN: &str = "[RESPUESTA a '";
const CLOSE: &str = "'] ";
const BREAK: char = '\u{2028}';

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) base: String,
    /// ` - WHO`, or nothing.
    pub(crate) tail: String,
}

/// The rows of the first table.
#[derive(Debug, Clone)]
pub(crate) enum Row {
    Join(Name),
    Leave(Name),
    Say { quote: Option<String>, name: Name, text: String },
    Command(String),
    Text(String),
}

pub(crate) fn row(line: &str) -> Row {
    if let Some(rest) = line.strip_prefix('/') {
        return if rest.starts_with('/') { Row::Text(rest.into()) } else { Row::Command(rest.into()) };
    }
    if line.starts_with('[') {
        return reply(line).unwrap_or_else(|| Row::Text(line.into()));
    }
    let joins = line.strip_suffix(JOIN).and_then(name).map(Row::Join);
    let leaves = line.strip_suffix(LEAVE).and_then(name).map(Row::Leave);
    let says = say(line).map(|(name, text)| Row::Say { quote: None, name, text });
    joins.or(leaves).or(says).unwrap_or_else(|| Row::Text(line.into()))
}

/// Whether the line is one of the first four rows.
pub(crate) fn names_somebody(line: &str) -> bool {
    !matches!(row(line), Row::Command(_) | Row::Text(_))
}

fn say(line: &str) -> Option<(Name, String)> {
    let (before, behind) = line.split_once(':')?;
    Some((name(before)?, behind.strip_prefix(' ')?.into()))
}

fn reply(line: &str) -> Option<Row> {
    let rest = line.strip_prefix(OPEN)?;
    let mut depth = 1;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(OPEN) {
            depth += 1;
            at += OPEN.len();
        } else if rest[at..].starts_with(CLOSE) {
            depth -= 1;
            if depth == 0 {
                let (name, text) = say(&rest[at + CLOSE.len()..])?;
                return Some(Row::Say { quote: Some(rest[..at].into()), name, text });
            }
            at += CLOSE.len();
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

pub(crate) fn name(text: &str) -> Option<Name> {
    let (base, who) = match text.split_once(" - ") {
        Some((base, who)) => (base, Some(who)),
        None => (text, None),
    };
    if base.starts_with(['*', '/', '@', '[', '#']) || base.len() > 64 || !is_part(base) {
        return None;
    }
    let Some(who) = who else { return Some(Name { base: base.into(), tail: String::new() }) };
    let who = if who.len() > 64 { cut(who, 64).trim_end() } else { who };
    is_part(who).then(|| Name { base: base.into(), tail: format!(" - {who}") })
}

fn is_part(part: &str) -> bool {
    let is_wrong = |c: char| {
        is_dirty(c)
            || matches!(c, ':' | '\t' | BREAK | '\u{2029}' | '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{FE0F}')
    };
    !part.is_empty()
        && part.trim() == part
        && !part.contains(is_wrong)
        && !part.contains(JOIN.trim_end_matches('.'))
        && !part.contains(LEAVE.trim_end_matches('.'))
}

pub(crate) fn is_room(text: &str) -> bool {
    text.len() <= 32
        && !text.starts_with(['*', '/', '@', '[', '#'])
        && !text.contains(char::is_whitespace)
        && is_part(text)
}

/// Names whose keys are equal are the same name; of those that this simulation uses.
pub(crate) fn key(base: &str) -> String {
    let key = base.to_uppercase().to_lowercase();
    if cfg!(feature = "confusables") { key.replace('а', "a").replace("e\u{301}", "é") } else { key }
}

pub(crate) fn is_reserved(base: &str) -> bool {
    ["Tú", "You", "Tertulia"].iter().any(|reserved| key(reserved) == key(base))
}

fn is_dirty(c: char) -> bool {
    (c.is_control() && c != '\t')
        || ('\u{202A}'..='\u{202E}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|&c| !is_dirty(c)).map(|c| if c == '\u{2029}' { BREAK } else { c }).collect()
}

/// A message of an unframed client as a line.
pub(crate) fn join_lines(message: &str) -> String {
    message.trim_matches(['\n', '\r']).replace("\r\n", "\n").replace('\n', "\u{2028}")
}

/// A line as an unframed client hears it.
pub(crate) fn to_message(line: &str) -> String {
    let mut parts = line.trim_end_matches('\n').split(BREAK);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |message, part| format!("{message}\n{}{part}", if forges(part) { "  " } else { "" }))
}

/// Whether a reader would take this for somebody else's line or the relay's.
pub(crate) fn forges(line: &str) -> bool {
    line.starts_with("* ") || names_somebody(line)
}

pub(crate) fn quoted(quote: &str) -> String {
    let quote = quote.replace("']", "’]");
    if quote.len() <= 200 { quote } else { format!("{}…", cut(&quote, 200 - "…".len())) }
}

pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

pub(crate) fn escape(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace(';', "\\:").replace(' ', "\\s");
    escaped.replace('\r', "\\r").replace('\n', "\\n")
}

pub(crate) fn unescape(word: &str) -> String {
    let mut plain = String::new();
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        let c = if c != '\\' {
            Some(c)
        } else {
            chars.next().map(|c| match c {
                ':' => ';',
                's' => ' ',
                'r' => '\r',
                'n' => '\n',
                other => other,
            })
        };
        plain.extend(c);
    }
    plain
}
