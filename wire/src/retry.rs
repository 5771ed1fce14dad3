//! How long to wait before the next attempt: exponential, with full jitter, capped. Holds no clock and no
//! source of randomness; both are the caller's.
//!
//! Full jitter, because after a relay's restart everybody comes back at once: each waits a random part of the
//! whole delay, not the delay and a bit.

use std::time::Duration;

/// Upper end of the wait before the first attempt.
pub const FIRST_MAX: Duration = Duration::from_secs(3);

/// Upper end of any wait.
pub const CAP: Duration = Duration::from_secs(60);

/// Upper end of the waits for a relay that has just gone: most are back within a minute, and somebody sits there.
pub const EARLY_CAP: Duration = Duration::from_secs(4);

/// Attempts to which [`EARLY_CAP`] applies: at half of it each, half a minute, and never more than a minute.
pub const EARLY_ATTEMPTS: u32 = 15;

/// The wait before attempt number `attempt` (0 is the first), between zero and
/// min([`CAP`], [`FIRST_MAX`] × 2^attempt), spread evenly by `random`, any 64 random bits.
pub fn delay(attempt: u32, random: u64) -> Duration {
    scaled(longest(attempt), random)
}

fn longest(attempt: u32) -> Duration {
    FIRST_MAX.saturating_mul(1u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(CAP)
}

fn scaled(longest: Duration, random: u64) -> Duration {
    let longest_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    let scaled = u128::from(longest_ms) * u128::from(random) / u128::from(u64::MAX);
    Duration::from_millis(u64::try_from(scaled).unwrap_or(longest_ms))
}

/// The same for a relay that people wait for: at first no wait is longer than [`EARLY_CAP`], from attempt number
/// [`EARLY_ATTEMPTS`] on they double up to [`CAP`].
pub fn relay_delay(attempt: u32, random: u64) -> Duration {
    match attempt.checked_sub(EARLY_ATTEMPTS) {
        None => scaled(longest(attempt).min(EARLY_CAP), random),
        // As if the first two, of 3 s and 6 s, had been those up to here.
        Some(later) => delay(later.saturating_add(2), random),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_wait_doubles_up_to_the_cap() {
        let longest: Vec<u64> = (0..8).map(|attempt| delay(attempt, u64::MAX).as_secs()).collect();
        assert_eq!(longest, [3, 6, 12, 24, 48, 60, 60, 60]);
        assert_eq!(delay(40, u64::MAX), CAP);
        assert_eq!(delay(u32::MAX, u64::MAX), CAP);
        assert_eq!(delay(5, 0), Duration::ZERO);
    }

    #[test]
    fn a_relay_that_has_just_gone_is_tried_often_and_a_lost_one_seldom() {
        let longest = |attempt| relay_delay(attempt, u64::MAX).as_secs();
        assert_eq!([0, 1, 7, EARLY_ATTEMPTS - 1].map(longest), [3, 4, 4, 4]);
        assert_eq!([0, 1, 2, 3].map(|later| longest(EARLY_ATTEMPTS + later)), [12, 24, 48, 60]);
        assert_eq!(relay_delay(u32::MAX, u64::MAX), CAP);
        let early: Duration = (0..EARLY_ATTEMPTS).map(|attempt| relay_delay(attempt, u64::MAX)).sum();
        assert!(early <= Duration::from_secs(60), "{early:?}");
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_cap_and_more_randomness_never_waits_less(
            attempt in any::<u32>(), one in any::<u64>(), other in any::<u64>(),
        ) {
            prop_assert!(delay(attempt, one) <= CAP && relay_delay(attempt, one) <= CAP);
            prop_assert!(delay(attempt, one.min(other)) <= delay(attempt, one.max(other)));
        }
    }
}
