//! The real window on a display of its own, worked by keyboard and mouse, with a real relay: what a person sees, and what
//! the others hear.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod accounts;
mod choices;
mod flow;
mod keyboard;
mod looks;
mod mouse;
mod pictures;
#[path = "../support/mod.rs"]
mod support;
mod talking;

use support::desk::{Desk, Window};
use support::{Folder, Relay};

/// The ground of the transcript, light and dark.
const LIGHT: [u8; 3] = [0xff, 0xff, 0xff];
/// See [`LIGHT`].
const DARK: [u8; 3] = [0x17, 0x1a, 0x1f];

/// What goes wrong with a connection is said on this.
const WARNING: [u8; 3] = [0xfd, 0xeb, 0xc8];

/// What matters: the chosen conversation, buttons.
const ACCENT: [u8; 3] = [0x0f, 0x6e, 0x59];

/// What went wrong, and the rule above what was not read.
const RED: [u8; 3] = [0xb4, 0x1c, 0x1c];

/// What is kept of a home, as text.
fn session(home: &Folder) -> String {
    std::fs::read_to_string(home.file(".local/state/tertulia/default/session")).unwrap_or_default()
}

/// What was chosen in a home, as text.
fn settings(home: &Folder) -> String {
    std::fs::read_to_string(home.file(".config/tertulia/default.toml")).unwrap_or_default()
}

/// Opens Ana's window.
fn open<'a>(desk: &'a Desk, home: &Folder, relay: &Relay, more: &[&str]) -> Window<'a> {
    desk.window(
        &home.0,
        &[&["--relay", &relay.address().to_string(), "--name", "Ana", "--lang", "es"], more].concat(),
    )
}
