//! The native window of Tertulia: a core that decides and a shell that moves bytes.
//!
//! The core, in reading order:
//!
//! - [`settings`]: what a person has chosen, and how it is written down.
//! - [`phrases`]: every sentence, in Spanish and English.
//! - [`model`]: all state of the window; an event goes in, commands come out.
//! - [`render`]: what is to be drawn, as data; and as text, so that tests compare what a person would see.
//! - [`colour`]: the palettes, and the colour of each name.
//! - [`emoji`]: what the picker offers.
//! - [`fold`], [`calendar`]: text made equal for comparing; moments as people read them.
//!
//! It names no widget, no socket, no clock, no thread and no file. It depends on `tertulia-wire` and on nothing else of
//! this project.
//!
//! The shell:
//!
//! - [`options`]: the command line.
//! - [`files`]: the files of a profile, written so that they are whole whatever happens.
//! - [`link`], [`outbox`]: the thread that owns the socket and the session, and keeps what was typed in a file.
//! - [`clock`], [`display`], [`notify`], [`opener`], [`keyring`], [`trouble`]: what time it is; whether there is a display; the
//!   notices of the desktop; what opens links; what keeps passwords; what the system refuses, in words.
//! - [`view`]: the window. Only it names the toolkit.
//! - [`shell`]: the turn that brings all of them together.

pub mod calendar;
pub mod clock;
pub mod colour;
pub mod display;
pub mod emoji;
pub mod files;
pub mod fold;
pub mod keyring;
pub mod link;
pub mod model;
pub mod notify;
pub mod opener;
pub mod options;
pub mod outbox;
pub mod phrases;
pub mod render;
pub mod settings;
pub mod shell;
pub mod trouble;
pub mod view;
