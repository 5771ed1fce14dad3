//! The load generator: how far does a relay carry, honestly. Not built yet: nothing here runs.
//!
//! What will live here, a core that decides and a shell that moves bytes:
//!
//! - `plan`, `schedule`, `stamp`, `stats`, `report`: who says what when, what arrived, how late. No socket, no clock.
//! - `swarm`: one mio loop with tens of thousands of sockets.
//! - `peers`: starts other servers to compare with.
//!
//! Until it exists, `make bench` runs `relay/benches/fanout.rs`.
