//! The load generator: how far does a relay carry, honestly.
//!
//! A core that decides, without sockets or clock:
//!
//! - [`plan`]: what is to be done, checked before anything starts.
//! - [`schedule`]: when each line is due.
//! - [`stamp`]: what every line carries.
//! - [`stats`]: what arrived, and how late.
//! - [`report`]: what that comes to; [`bounds`]: what it must not come to.
//!
//! The shell: [`swarm`] owns the sockets and the clock, [`relay`] starts a relay to load, [`process`] reads what the
//! kernel tells of it, [`limits`] makes place for descriptors, [`options`] is the command line.

pub mod bounds;
pub mod limits;
pub mod options;
pub mod plan;
pub mod process;
pub mod relay;
pub mod report;
pub mod schedule;
pub mod stamp;
pub mod stats;
pub mod swarm;
