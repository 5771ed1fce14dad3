//! The bot's token, in a type that cannot be printed. Whoever has it is the bot, so nothing but the address of a call may
//! hold it.

use std::fmt;

/// What stands where a token would.
const HIDDEN: &str = "<token>";

/// A token. It has no `Display`, and its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: String,
    bot_id: i64,
}

impl Token {
    /// Reads a token: the bot's number, a colon, letters and digits. Why it is none is said without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (number, secret) = text.split_once(':').ok_or("it has no colon")?;
        let bot_id = number.parse().map_err(|_| "what stands before its colon is no number")?;
        let is_right = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if secret.is_empty() || !secret.chars().all(is_right) {
            return Err("what stands behind its colon is no secret of BotFather's");
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
    fn what_is_no_token_is_not_repeated() {
        for text in ["", "secreto", "x:secreto", "1:", "1:sec reto"] {
            let why = Token::parse(text).unwrap_err();
            assert!(text.is_empty() || !why.contains("secreto"), "{why}");
        }
    }
}
