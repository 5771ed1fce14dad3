//! What the system says when it refuses something, as sentences for people. The shell's parts call it; knows nothing of
//! what was wanted.

use std::io::{Error, ErrorKind};

use crate::phrases::{Phrase, Sentence};

/// Why something cannot be had, for people; what is not known by name has the system's number.
pub fn why(error: &Error) -> Sentence {
    let phrase = match error.kind() {
        ErrorKind::NotFound => Phrase::SystemNotFound,
        ErrorKind::PermissionDenied => Phrase::SystemDenied,
        ErrorKind::StorageFull => Phrase::SystemFull,
        ErrorKind::ReadOnlyFilesystem => Phrase::SystemReadOnly,
        ErrorKind::FileTooLarge => Phrase::TooLarge,
        ErrorKind::InvalidData => Phrase::SystemNoText,
        ErrorKind::NotADirectory => Phrase::SystemNoFolder,
        ErrorKind::InvalidInput => Phrase::SystemAddress,
        _ => {
            let number = error.raw_os_error().map_or_else(|| "?".to_owned(), |number| number.to_string());
            return Sentence::new(Phrase::SystemOther, &[&number]);
        }
    };
    Sentence::from(phrase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrases::Language;

    #[test]
    fn what_the_system_says_is_told_in_the_language_of_the_reader() {
        let full = Error::from(ErrorKind::StorageFull);
        assert_eq!(why(&full).in_language(Language::Es), "el disco está lleno");
        assert_eq!(why(&full).in_language(Language::En), "the disk is full");
        let other = Error::from_raw_os_error(121);
        assert_eq!(why(&other).in_language(Language::Es), "error 121 del sistema");
    }
}
