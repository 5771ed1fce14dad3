//! A session over its public door: each sentence of the relay by itself, and against a relay that fails in every way it
//! can.
//!
//! `SESSION_SEEDS=n` plays n seeds of the simulation; `SESSION_SEED=s` plays that one again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bench;
mod cuts;
mod login;
mod relay;
mod removal;
mod search;
mod sentences;
mod simulation;
mod starts;
