//! The question for a name, and what is offered there.

use super::Model;
use crate::phrases::{Phrase, Sentence};

/// The question for a name.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    /// What the person gets who leaves it empty.
    pub(crate) guest: String,
    /// What stands there to be accepted: the name of the last session.
    pub(crate) offered: String,
    /// The name that was refused, and why.
    pub(crate) refused: Option<(String, Sentence)>,
}

impl Model {
    /// The name of the last session is offered where one is asked for.
    pub fn offer_name(&mut self, name: &str) {
        if let Some(naming) = &mut self.naming {
            naming.offered = name.to_owned();
        }
    }

    pub(super) fn ask_name(&mut self, refused: Option<(String, Phrase)>) {
        let (guest, offered) = (self.guest.clone(), String::new());
        let refused = refused.map(|(name, phrase)| {
            let sentence = Sentence::new(phrase, &[&name]);
            (name, sentence)
        });
        self.naming = Some(Naming { guest, offered, refused });
    }
}

/// `Usuario_` and up to three digits, as the chat of old gave.
pub(super) fn guest_name(bits: u64) -> String {
    let mixed = (bits ^ (bits >> 21)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("Usuario_{}", (mixed >> 32) % 1000)
}
