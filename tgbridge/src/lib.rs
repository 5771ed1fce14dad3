//! The bridge between a Telegram group and a room. Not built yet: nothing here runs.
//!
//! What will live here, a core that decides and a shell that moves bytes:
//!
//! - `bridge`: offsets, loops, splitting and merging of messages, waiting. Knows no socket, no clock and no token.
//! - `telegram`: the Bot HTTP API through reqwest; the only module that knows the token.
//! - `relay`: the tokio socket to the relay.
//! - `run`: puts the three together.
//!
//! It depends on `tertulia-wire` and on nothing else of this project.
