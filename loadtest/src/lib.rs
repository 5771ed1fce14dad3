//! The load generator: how far does a relay carry, honestly.
//!
//! A core that decides, without sockets or clock:
//!
//! - [`plan`]: what is to be done, checked before anything starts.
//! - [`schedule`]: when each line is due.
//! - [`stamp`]: what every line carries; [`names`]: under whose name; [`protocol`]: how it goes to a server of each
//!   kind and comes back.
//! - [`tally`]: what the clients hear; [`transcript`]: in which order, [`followers`]: who hears it in that; [`stats`]:
//!   the four checks; [`answers`]: what the senders were answered; [`filed`]: whether a file has each line once; [`flights`]: who has which line; [`latency`], [`timeline`]: how late.
//! - [`pulse`]: whether the generator itself ran when it was to; [`returns`]: whether those that left came back.
//! - [`measured`]: samples and sums of a run; [`verdict`]: whether they are to be trusted.
//! - [`judged`]: what the checker of traces says, where all that passed over the wires was written down.
//! - [`report`]: what it comes to; [`text`], [`html`], [`log`]: how it is shown; [`bounds`]: what it must not come to.
//!
//! The shell: [`swarm`] owns the sockets and the clock, `opening` brings the clients in, [`mod@slice`] carries a plan
//! out, [`login`] has them log in, [`stage`] puts them in front of a server and measures. `traced` hands all that passes over their wires to the checker of
//! traces, and reads the history back. [`server`] and [`peers`] start servers, [`floor`] is
//! one, [`process`] reads what the kernel tells of them, [`connect`] and [`limits`] know what a machine has of ports
//! and descriptors.
//!
//! The commands: [`options`] is the command line; [`run`], [`ramp`], [`hold`], [`soak`], [`compare`], [`merge`] and
//! [`peers`] do what it says, on the [`ground`] that they stand on, with a [`live`] line and an [`output`].

pub mod answers;
pub mod bounds;
mod client;
pub mod compare;
pub mod connect;
pub mod filed;
pub mod flights;
pub mod floor;
pub mod followers;
pub mod ground;
pub mod hold;
pub mod html;
pub mod judged;
pub mod latency;
pub mod limits;
pub mod live;
pub mod log;
pub mod login;
pub mod measured;
pub mod merge;
pub mod names;
mod opening;
pub mod options;
pub mod output;
pub mod peers;
pub mod plan;
pub mod process;
pub mod protocol;
pub mod pulse;
pub mod ramp;
pub mod report;
pub mod returns;
pub mod run;
pub mod schedule;
pub mod server;
pub mod slice;
pub mod soak;
pub mod stage;
pub mod stamp;
pub mod stats;
pub mod swarm;
pub mod tally;
pub mod text;
pub mod timeline;
mod traced;
pub mod transcript;
pub mod trust;
pub mod verdict;
mod wire;
