//! The Bot HTTP API: [`types`] and [`reply`] decode, [`client`] calls, [`token`] keeps the secret.

pub mod client;
pub mod reply;
pub mod token;
pub mod types;
