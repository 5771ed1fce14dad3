//! The line that says how it goes, on a terminal only.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::swarm::Swarm;
use crate::text::grouped;

const EVERY: Duration = Duration::from_millis(250);

/// A line on standard error that is written over; nothing where that is no terminal.
#[derive(Debug)]
pub struct Live {
    bar: ProgressBar,
    what: String,
    begun: Instant,
    looked: Instant,
    delivered: u64,
}

impl Live {
    /// A line that begins with `what`.
    pub fn new(what: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        let now = Instant::now();
        Self { bar, what: what.to_owned(), begun: now, looked: now, delivered: 0 }
    }

    /// Looks at a swarm.
    pub fn show(&mut self, swarm: &Swarm) {
        let length = self.looked.elapsed();
        if self.bar.is_hidden() || length < EVERY {
            return;
        }
        let tally = swarm.tally();
        let counts = tally.counts_so_far();
        let per_s = counts.delivered.saturating_sub(self.delivered) as f64 / length.as_secs_f64();
        (self.looked, self.delivered) = (Instant::now(), counts.delivered);
        self.bar.set_message(format!(
            "{} {:.0} s: {} deliveries a second, {} lines under way, doubled {}, out of order {}, corrupt {}",
            self.what,
            self.begun.elapsed().as_secs_f64(),
            grouped(per_s),
            tally.flights().under_way(),
            counts.doubled,
            counts.out_of_order,
            counts.corrupt
        ));
        self.bar.tick();
    }

    /// Says something where the swarm is not there yet.
    pub fn say(&self, what: &str) {
        self.bar.set_message(format!("{} {what}", self.what));
        self.bar.tick();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
