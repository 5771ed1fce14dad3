//! The line that says how it goes, on a terminal only.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::stats::Counts;
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
        let counts = tally.counts_under_way();
        let per_s = counts.delivered.saturating_sub(self.delivered) as f64 / length.as_secs_f64();
        (self.looked, self.delivered) = (Instant::now(), counts.delivered);
        let seconds = self.begun.elapsed().as_secs_f64();
        let words = words(&self.what, seconds, per_s, tally.flights().under_way(), counts);
        self.bar.set_message(words);
        self.bar.tick();
    }

    /// Lets something else be written, with the line out of its way.
    pub fn aside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Says something where the swarm is not there yet.
    pub fn say(&self, what: &str) {
        self.bar.set_message(format!("{} {what}", self.what));
        self.bar.tick();
    }
}

/// Lost is what was jumped over so far: of what is under way, nobody knows yet.
fn words(what: &str, seconds: f64, per_s: f64, under_way: usize, counts: Counts) -> String {
    format!(
        "{what} {seconds:.0} s: {} deliveries a second, {under_way} lines under way, lost {}, doubled {}, \
         out of order {}, corrupt {}",
        grouped(per_s),
        counts.lost,
        counts.doubled,
        counts.out_of_order,
        counts.corrupt
    )
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_all_four_counts() {
        let counts = Counts { delivered: 9, lost: 1, doubled: 2, out_of_order: 3, corrupt: 4 };
        let words = words("run 1", 12.3, 4_567.0, 5, counts);
        assert_eq!(
            words,
            "run 1 12 s: 4,567 deliveries a second, 5 lines under way, lost 1, doubled 2, out of order 3, corrupt 4"
        );
    }
}
