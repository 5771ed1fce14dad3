//! Lines on their way to the file and back, packed: a busy relay makes no allocation for each.

/// Bits of an id behind its milliseconds.
pub const ID_COUNTER_BITS: u32 = 16;

/// A line as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Milliseconds since 1970, shifted left by 16, and a counter.
    pub id: u64,
    /// Where it was said.
    pub room: &'a str,
    /// `NAME` or `NAME - WHO`.
    pub name: &'a str,
    /// What it answers, as it was quoted.
    pub quote: Option<&'a str>,
    /// What was said.
    pub text: &'a str,
}

impl Kept<'_> {
    /// When it was said, in milliseconds since 1970.
    pub fn unix_ms(&self) -> u64 {
        self.id >> ID_COUNTER_BITS
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
    room: usize,
    name: usize,
    quote: usize,
    text: usize,
    has_quote: bool,
}

impl Batch {
    /// Appends a line.
    pub fn push(&mut self, line: Kept<'_>) {
        let mut put = |word: &str| {
            self.words.push_str(word);
            self.words.len()
        };
        let (room, name) = (put(line.room), put(line.name));
        let (quote, text) = (put(line.quote.unwrap_or_default()), put(line.text));
        self.places.push(Place { id: line.id, room, name, quote, text, has_quote: line.quote.is_some() });
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
    pub fn iter(&self) -> impl Iterator<Item = Kept<'_>> {
        let mut begin = 0;
        self.places.iter().map(move |place| {
            let word = |from: usize, to: usize| self.words.get(from..to).unwrap_or_default();
            let from = std::mem::replace(&mut begin, place.text);
            Kept {
                id: place.id,
                room: word(from, place.room),
                name: word(place.room, place.name),
                quote: place.has_quote.then(|| word(place.name, place.quote)),
                text: word(place.quote, place.text),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_as_they_went_in() {
        let lines = [
            Kept { id: 1, room: "general", name: "Ana", quote: None, text: "hola" },
            Kept { id: 2, room: "cocina", name: "Luis - Eva", quote: Some("hola"), text: "ñ🙂" },
            Kept { id: 3, room: "general", name: "Ana", quote: Some(""), text: "" },
        ];
        let mut batch = Batch::default();
        lines.iter().for_each(|line| batch.push(*line));
        assert_eq!(batch.iter().collect::<Vec<_>>(), lines);
        assert_eq!(batch.len(), 3);
    }
}
