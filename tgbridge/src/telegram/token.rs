//! The bot's token, in a type that cannot be printed. Whoever has it is the bot, so nothing but the address of a call may
//! hold it.

use std::fmt;

use crate::phrases::Told;

/// What stands where a token would.
const HIDDEN: &str = "<token>";

/// A word of so many bytes may be the secret half of a token. BotFather's have 35.
const LOOKALIKE_BYTES: usize = 20;

/// A token. It has no `Display`, and its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: String,
    bot_id: i64,
}

impl Token {
    /// Reads a token: the bot's number, a colon, letters and digits. Why it is none is said without repeating it.
    pub fn parse(text: &str) -> Result<Self, Told> {
        let text = text.trim();
        let (number, secret) =
            text.split_once(':').ok_or_else(|| Told::new("no tiene dos puntos", "it has no colon"))?;
        let bot_id = number.parse().map_err(|_| {
            Told::new(
                "lo que va antes de los dos puntos no es un número",
                "what stands before its colon is no number",
            )
        })?;
        let is_right = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if secret.is_empty() || !secret.chars().all(is_right) {
            return Err(Told::new(
                "lo que va después de los dos puntos no es un secreto de BotFather",
                "what stands behind its colon is no secret of BotFather's",
            ));
        }
        Ok(Self { secret: text.to_owned(), bot_id })
    }

    /// The bot's number, which is no secret.
    pub fn bot_id(&self) -> i64 {
        self.bot_id
    }

    /// The address of a method.
    pub(super) fn address(&self, base: &str, method: &str) -> String {
        format!("{}/bot{}/{method}", base.trim_end_matches('/'), self.secret)
    }

    /// A text without the token, and without the secret half of it.
    pub fn hide_in(&self, text: &str) -> String {
        let half = self.secret.split_once(':').map_or(self.secret.as_str(), |(_, half)| half);
        text.replace(&self.secret, HIDDEN).replace(half, HIDDEN)
    }
}

/// A text without anything that looks like a token or the secret half of one, whoever's it is: for what people have typed, which
/// may be in the wrong place.
pub fn hide_lookalikes(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':');
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(is_part) {
        let (before, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(|c| !is_part(c)).unwrap_or(word.len()));
        shown.push_str(before);
        shown.push_str(if word.split(':').any(looks_secret) { HIDDEN } else { word });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// Long, and of large and small letters: no flag, no variable and no number is.
fn looks_secret(word: &str) -> bool {
    let has = |is_it: fn(&u8) -> bool| word.as_bytes().iter().any(is_it);
    word.len() >= LOOKALIKE_BYTES && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        let token = Token::parse(" 123:AbC_d-9\n").unwrap();
        assert_eq!(token.bot_id(), 123);
        assert_eq!(format!("{token:?} {:?}", Some(&token)), "<token> Some(<token>)");
        assert_eq!(token.hide_in("GET /bot123:AbC_d-9/getMe AbC_d-9"), "GET /bot<token>/getMe <token>");
    }

    #[test]
    fn what_looks_like_a_token_is_hidden_and_flags_addresses_and_numbers_are_not() {
        let secret = "AAHqwertyuiopASDFGHJKLzxcvbnm123456";
        for text in [format!("'{secret}'"), format!("'987654:{secret}'"), format!("'x:{secret}:y'")] {
            assert_eq!(hide_lookalikes(&text), "'<token>'");
        }
        let plain = "--delete-webhook 127.0.0.1:2000 -1001234567890/7 TERTULIA_TELEGRAM_TOKEN ñandú";
        assert_eq!(hide_lookalikes(plain), plain);
    }

    #[test]
    fn what_is_no_token_is_not_repeated() {
        for text in ["", "secreto", "x:secreto", "1:", "1:sec reto"] {
            let why = format!("{:?}", Token::parse(text).unwrap_err()).replace("no es un secreto de", "");
            assert!(text.is_empty() || !why.contains("secreto"), "{why}");
        }
    }
}
