//! The window without its shell: events in, commands and a drawn screen out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod accounts;
mod attention;
mod bounds;
mod connection;
mod keeping;
mod people;
mod reading;
mod relay;
mod removal;
mod rooms;
mod saying;
mod searching;
mod simulation;
mod texts;
mod whole;
mod window;
mod writing;
