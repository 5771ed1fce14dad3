//! Lines with tags, as extended connections hear them. PROTOCOL.md, "Extended mode"; IRCv3 message tags.

use std::fmt::Write;

use tertulia_wire::message::{REPLY_CLOSE, REPLY_OPEN};
use tertulia_wire::tags::escape;
use tertulia_wire::time::rfc3339;

use super::rooms::Notice;
use crate::batch::{Kept, Key};
use crate::log::Log;
use crate::sabotage::{self, Bug};

/// What stands in the tags of a line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TagValues<'a> {
    /// Of the question that it answers.
    pub(super) label: Option<&'a str>,
    pub(super) id: u64,
    /// In milliseconds since 1970.
    pub(super) unix_ms: u64,
    /// None: it is private.
    pub(super) room: Option<&'a str>,
    pub(super) key: Option<Key<'a>>,
    pub(super) reply: Option<u64>,
    pub(super) quote: Option<&'a str>,
    /// Of a private line, for who has said it on another device: whom it was for.
    pub(super) to: Option<&'a str>,
    pub(super) notice: Option<Notice>,
}

impl<'a> TagValues<'a> {
    /// Those of a line out of the history.
    pub(super) fn of(line: &Kept<'a>, label: &'a str) -> Self {
        let Kept { id, unix_ms, room, reply, quote, key, .. } = *line;
        // A reply to a line that has an id needs no quote: whoever hears ids has the line, or can ask for it.
        let quote = quote.filter(|_| reply.is_none());
        let label = (!label.is_empty()).then_some(label);
        Self { label, id, unix_ms, room: Some(room), key, reply, quote, to: None, notice: None }
    }

    /// Writes `@tags ` behind what is in `text`.
    pub(super) fn write(&self, text: &mut String) {
        let start = if self.label.is_some() { "@label=" } else { "@id=" };
        text.push_str(start);
        if let Some(label) = self.label {
            text.push_str(label);
            text.push_str(";id=");
        }
        let mut put = |words: std::fmt::Arguments<'_>| {
            // Writing into memory does not fail.
            let _ = text.write_fmt(words);
        };
        put(format_args!("{};time={}", self.id, rfc3339(self.unix_ms)));
        self.room.iter().for_each(|room| put(format_args!(";room={}", escape(room))));
        if let Some(key) = self.key.filter(|_| !sabotage::has(Bug::KeyLost)) {
            put(format_args!(";key={}.{}", key.sid, key.label));
        }
        self.reply.iter().for_each(|reply| put(format_args!(";reply={reply}")));
        self.quote.iter().for_each(|quote| put(format_args!(";quote={}", escape(quote))));
        if self.room.is_none() {
            put(format_args!(";private=1"));
        }
        self.to.iter().for_each(|to| put(format_args!(";to={}", escape(to))));
        match self.notice {
            Some(Notice::Join) => put(format_args!(";notice=join")),
            Some(Notice::Leave) => put(format_args!(";notice=leave")),
            None => {}
        }
        text.push(' ');
    }
}

/// The line that a plain connection hears.
pub(super) fn plain(name: &str, quote: Option<&str>, text: &str) -> String {
    match quote {
        Some(quote) => format!("{REPLY_OPEN}{quote}{REPLY_CLOSE}{name}: {text}"),
        None => format!("{name}: {text}"),
    }
}

/// The rest of the line at this offset of a log, its ending included.
pub(super) fn line_at(log: &Log, offset: u64) -> &[u8] {
    // A line never spans two blocks, so that one piece holds it.
    let piece = log.read(offset, u64::MAX);
    let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |end| end + 1);
    piece.get(..end).unwrap_or_default()
}

/// The id of the tagged line that starts at this offset; of the next one that has an id, where this has none.
pub(super) fn id_at(log: &Log, mut offset: u64) -> Option<u64> {
    loop {
        let line = line_at(log, offset);
        if line.is_empty() {
            return None;
        }
        if let Some(id) = id_of(line) {
            return Some(id);
        }
        offset += line.len() as u64;
    }
}

fn id_of(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"@id=")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
}

/// The offset of the first line behind this id; the end of the log if there is none.
pub(super) fn offset_behind(log: &Log, id: u64) -> u64 {
    // The last block that starts with a line up to `id`, or the first.
    let starts = log.block_starts().rev();
    let mut offset = log.start();
    for start in starts {
        if id_at(log, start).is_some_and(|first| first <= id) {
            offset = start;
            break;
        }
    }
    loop {
        let line = line_at(log, offset);
        if line.is_empty() || id_of(line).is_some_and(|found| found > id) {
            return offset;
        }
        offset += line.len() as u64;
    }
}

/// The line with this id, without its tags, if the log still has it.
pub(super) fn find(log: &Log, id: u64) -> Option<&str> {
    let before = offset_behind(log, id.checked_sub(1)?);
    let line = line_at(log, before);
    if id_of(line) != Some(id) {
        return None;
    }
    std::str::from_utf8(line).ok()?.split_once(' ').map(|(_, said)| said.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(ids: impl Iterator<Item = u64>) -> Log {
        let mut log = Log::new(usize::MAX);
        for id in ids {
            let mut line = String::new();
            TagValues { id, room: Some("sala"), ..TagValues::default() }.write(&mut line);
            log.append(&[line.as_bytes(), b"Ana: ", id.to_string().as_bytes(), b"\n"]);
            log.append(&[b"* NOTE ROOM STORM joined=1 left=2\n"]);
        }
        log
    }

    #[test]
    fn every_line_of_a_log_is_found_by_its_id_and_others_are_not() {
        let log = log_of((1..4_000).map(|number| number * 10));
        for id in [10, 20, 12_340, 39_990] {
            assert_eq!(find(&log, id), Some(format!("Ana: {id}").as_str()));
            assert_eq!(id_at(&log, offset_behind(&log, id)), (id < 39_990).then_some(id + 10));
        }
        for id in [0, 5, 15, 39_991, 50_000, u64::MAX] {
            assert_eq!(find(&log, id), None);
        }
        assert_eq!(offset_behind(&log, 0), 0);
        assert_eq!(offset_behind(&log, 50_000), log.end());
    }

    #[test]
    fn tags_stand_in_the_order_of_the_specification() {
        let mut text = String::new();
        let key = Some(Key { sid: 3, label: "a.7", hash: 0 });
        let (id, unix_ms) = (42, 1_700_000_000_000);
        let all = TagValues {
            label: Some("q"),
            id,
            unix_ms,
            room: Some("sala"),
            key,
            reply: Some(9),
            quote: Some("a b;"),
            ..TagValues::default()
        };
        all.write(&mut text);
        assert_eq!(
            text,
            format!(
                "@label=q;id={id};time=2023-11-14T22:13:20.000Z;room=sala;key=3.a.7;reply=9;quote=a\\sb\\: "
            )
        );
        text.clear();
        TagValues { id, notice: Some(Notice::Join), ..TagValues::default() }.write(&mut text);
        assert!(text.ends_with(";private=1;notice=join "), "{text}");
        text.clear();
        TagValues { id, to: Some("Ana L"), ..TagValues::default() }.write(&mut text);
        assert!(text.ends_with(";private=1;to=Ana\\sL "), "{text}");
    }
}
