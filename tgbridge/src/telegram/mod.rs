//! The Bot HTTP API: [`types`], [`reply`] and [`date`] decode, [`client`] calls, [`token`] keeps the secret.

pub mod client;
pub mod date;
pub mod reply;
pub mod token;
pub mod types;
