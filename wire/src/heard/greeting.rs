//! What the relay greets with.

use std::borrow::Cow;

use super::{number, value};
use crate::secret::Secret;

/// What stands behind `* HELLO`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting<'a> {
    /// The name the connection has now.
    pub name: Cow<'a, str>,
    /// Comes back as the same session; a secret.
    pub token: Secret<Cow<'a, str>>,
    /// The session's number, as others see it in keys.
    pub sid: u64,
    /// Longest line that the relay takes, its ending not counted.
    pub line_bytes_max: usize,
    /// Lines that may be sent at once; 0: any number.
    pub burst: u32,
    /// Lines that may then be sent each second; 0: any number.
    pub rate: u32,
    /// What an acknowledgement promises: `none`, `commit`, `sync`.
    pub durability: Cow<'a, str>,
    /// Of who has logged in: what the account may do besides speaking.
    pub role: Option<Cow<'a, str>>,
}

impl<'a> Greeting<'a> {
    /// Reads what follows `HELLO`. Without a name, a token and a session's number it is none.
    pub(super) fn parse(rest: &'a str) -> Option<Self> {
        let count = |key| number(rest, key).and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
        let line = number(rest, "line").and_then(|line| usize::try_from(line).ok());
        Some(Self {
            name: value(rest, "name")?,
            token: value(rest, "token").filter(|token| !token.is_empty()).map(Secret)?,
            sid: number(rest, "sid")?,
            line_bytes_max: line.unwrap_or(crate::limits::LINE_BYTES_MAX),
            burst: count("burst"),
            rate: count("rate"),
            durability: value(rest, "durability").unwrap_or_default(),
            role: value(rest, "role").filter(|role| !role.is_empty()),
        })
    }
}
