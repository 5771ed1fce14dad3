//! What the emoji picker offers.

/// An emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emoji {
    /// The characters.
    pub text: &'static str,
    /// Words it is found by, in Spanish and English; the first is its name in Spanish, the second in English.
    pub words: &'static str,
}
