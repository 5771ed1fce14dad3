//! Lines on their way to the file and back, packed: a busy relay makes no allocation for each. With them goes what else
//! is to be kept.

/// Bits of an id behind its milliseconds.
pub const ID_COUNTER_BITS: u32 = 16;

/// A line as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Milliseconds since 1970, shifted left by 16, and a counter.
    pub id: u64,
    /// When it was said, in milliseconds since 1970. Not always the id's: ids grow also when the clock goes back.
    pub unix_ms: u64,
    /// Where it was said.
    pub room: &'a str,
    /// `NAME` or `NAME - WHO`.
    pub name: &'a str,
    /// The line it answers.
    pub reply: Option<u64>,
    /// What it answers, as it was quoted.
    pub quote: Option<&'a str>,
    /// Who said it, where that was a session.
    pub key: Option<Key<'a>>,
    /// What was said.
    pub text: &'a str,
}

/// Which line of which session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// The session's number.
    pub sid: u64,
    /// The session's own number for the line.
    pub label: &'a str,
    /// Tells another text under the same label from a repeat; 0 is unknown.
    pub hash: u32,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Of its token.
    pub token_hash: [u8; 16],
    /// Its number.
    pub sid: u64,
    /// Its name.
    pub name: String,
    /// The rooms it is in.
    pub rooms: Vec<String>,
    /// The number of the account that it logged in as.
    pub account: Option<u64>,
    /// The account's token epoch when it logged in.
    pub token_epoch: u64,
    /// Until when it may say nothing, whatever it logs in to, in milliseconds since 1970; 0: it may.
    pub muted_until_unix_ms: u64,
    /// A connection holds it.
    pub is_present: bool,
    /// When it was last used, in milliseconds since 1970.
    pub used_unix_ms: u64,
}

/// What is to be kept together.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Grows by one from work to work.
    pub number: u64,
    /// Lines that were said.
    pub lines: Batch,
    /// Sessions that are new or have changed.
    pub sessions: Vec<SessionRow>,
    /// Numbers of sessions that are to be kept no more.
    pub forgotten: Vec<u64>,
    /// No id above it may be used before this is kept.
    pub id_ceiling: Option<u64>,
    /// No number of a session above it may be used before this is kept, unless the session is kept with it.
    pub sid_ceiling: Option<u64>,
    /// What has changed of accounts.
    #[cfg(feature = "history")]
    pub changes: Vec<crate::account::Change>,
}

impl Work {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        #[cfg(feature = "history")]
        if !self.changes.is_empty() {
            return false;
        }
        let has_ceiling = self.id_ceiling.is_some() || self.sid_ceiling.is_some();
        self.lines.is_empty() && self.sessions.is_empty() && self.forgotten.is_empty() && !has_ceiling
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        let rooms =
            |row: &SessionRow| row.rooms.iter().map(|room| room.len() + size_of::<String>()).sum::<usize>();
        let sessions = self.sessions.iter().map(|row| size_of::<SessionRow>() + row.name.len() + rooms(row));
        size_of::<Self>() + self.lines.bytes() + sessions.sum::<usize>() + size_of_val(&*self.forgotten)
    }
}

/// When a line counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// At once: it is in memory.
    None,
    /// Once it was handed to the system: survives the relay's own death.
    #[default]
    Commit,
    /// Once it is on the disk: survives a power cut.
    Sync,
}

impl Durability {
    /// All of them, with the words of the command line.
    pub const ALL: [(&str, Self); 3] = [("none", Self::None), ("commit", Self::Commit), ("sync", Self::Sync)];

    /// As it is written.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, durability)| *durability == self).map_or("", |(word, _)| word)
    }
}

/// Lines, in the order in which they were said.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    places: Vec<Place>,
    words: String,
}

/// Where the words of a line end, and its id.
#[derive(Debug, Clone, Copy)]
struct Place {
    id: u64,
    unix_ms: u64,
    reply: Option<u64>,
    /// Number and hash of the key.
    key: Option<(u64, u32)>,
    room: u32,
    name: u32,
    quote: u32,
    label: u32,
    text: u32,
    has_quote: bool,
}

impl Batch {
    /// Appends a line. A batch holds less than 4 GiB of words; what does not fit is left out.
    pub fn push(&mut self, line: Kept<'_>) {
        let label = line.key.map_or("", |key| key.label);
        let words = [line.room, line.name, line.quote.unwrap_or_default(), label, line.text];
        let mut ends = [0; 5];
        let mut end = self.words.len();
        for (word, place) in words.iter().zip(&mut ends) {
            end += word.len();
            let Ok(behind) = u32::try_from(end) else { return };
            *place = behind;
        }
        words.iter().for_each(|word| self.words.push_str(word));
        let [room, name, quote, label, text] = ends;
        let key = line.key.map(|key| (key.sid, key.hash));
        let has_quote = line.quote.is_some();
        let Kept { id, unix_ms, reply, .. } = line;
        self.places.push(Place { id, unix_ms, reply, key, room, name, quote, label, text, has_quote });
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Memory that its lines take.
    pub fn bytes(&self) -> usize {
        self.words.len() + self.places.len() * size_of::<Place>()
    }

    /// The lines.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Kept<'_>> {
        (0..self.places.len()).filter_map(|index| self.get(index))
    }

    fn get(&self, index: usize) -> Option<Kept<'_>> {
        let place = self.places.get(index)?;
        let begin =
            index.checked_sub(1).and_then(|before| self.places.get(before)).map_or(0, |before| before.text);
        let word = |from: u32, to: u32| self.words.get(from as usize..to as usize).unwrap_or_default();
        let key = place.key.map(|(sid, hash)| Key { sid, label: word(place.quote, place.label), hash });
        Some(Kept {
            id: place.id,
            unix_ms: place.unix_ms,
            room: word(begin, place.room),
            name: word(place.room, place.name),
            reply: place.reply,
            quote: place.has_quote.then(|| word(place.name, place.quote)),
            key,
            text: word(place.label, place.text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_as_they_went_in() {
        let plain = Kept {
            id: 1,
            unix_ms: 5,
            room: "general",
            name: "Ana",
            reply: None,
            quote: None,
            key: None,
            text: "hola",
        };
        let key = Some(Key { sid: 7, label: "a.1", hash: 9 });
        let lines = [
            plain,
            Kept { id: 2, room: "cocina", name: "Luis - Eva", quote: Some("hola"), text: "ñ🙂", ..plain },
            Kept { id: 3, key, reply: Some(1), text: "", ..plain },
            Kept { id: 4, quote: Some(""), ..plain },
        ];
        let mut batch = Batch::default();
        lines.iter().for_each(|line| batch.push(*line));
        assert_eq!(batch.iter().collect::<Vec<_>>(), lines);
        assert_eq!(batch.iter().rev().count(), 4);
    }
}
