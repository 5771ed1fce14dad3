//! What can go wrong around a history, done to real relays: writes that fail, connections cut at any byte, a disk that is full, a
//! file that is locked or damaged, a clock that goes back. What was acknowledged is there once, and the chat goes on.
//!
//! `RELAY_FAULTS=all` has every write fail in its turn, and takes minutes; without it some of them do.

#![cfg(feature = "history")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod again;
mod cut;
mod damaged;
mod disk;
mod durable;
#[path = "../support/extended.rs"]
mod extended;
mod injected;
#[path = "../support/strace.rs"]
mod strace;
#[path = "../support/mod.rs"]
mod support;

/// Whether everything is to be tried, however long it takes.
fn is_thorough() -> bool {
    std::env::var("RELAY_FAULTS").is_ok_and(|what| what == "all")
}
