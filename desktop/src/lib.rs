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

pub mod calendar;
pub mod colour;
pub mod emoji;
pub mod fold;
pub mod model;
pub mod phrases;
pub mod render;
pub mod settings;
