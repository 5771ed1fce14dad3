//! The clocks, as the model is told of them. The only place that looks at one for the model.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tz::TimeZone;

use crate::model::Now;

/// The clocks of this machine.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    /// Of the person. None: the system names none, and times are those of Greenwich.
    zone: Option<TimeZone>,
}

impl Clock {
    /// Begins to count.
    pub fn start() -> Self {
        Self { began: Instant::now(), zone: TimeZone::local().ok() }
    }

    /// The time.
    pub fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
        let offset = self.zone.as_ref().and_then(|zone| zone.find_local_time_type(seconds).ok());
        Now {
            monotonic: self.began.elapsed(),
            unix_ms: u64::try_from(since.as_millis()).unwrap_or_default(),
            utc_offset_seconds: offset.map_or(0, |offset| offset.ut_offset()),
        }
    }
}
