//! The service manager's watchdog: it waits to hear that the loop still turns.

use std::time::Duration;

use crate::moment::Moment;
use crate::systemd;

/// The service manager waits to hear that the loop still turns.
#[derive(Debug)]
pub(super) struct Watchdog {
    interval: Duration,
    due: Moment,
}

impl Watchdog {
    pub(super) fn wanted() -> Option<Self> {
        Some(Self { interval: systemd::watchdog_interval()?, due: Moment::START })
    }

    pub(super) fn due(&self) -> Moment {
        self.due
    }

    pub(super) fn tell(&mut self, now: Moment) {
        if self.due <= now {
            self.due = now.after(self.interval);
            // It asks again.
            let _ = systemd::notify("WATCHDOG=1");
        }
    }
}
