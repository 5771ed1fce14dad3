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

/// The wait before attempt number `attempt` (0 is the first), between zero and
/// min([`CAP`], [`FIRST_MAX`] × 2^attempt), spread evenly by `random`, any 64 random bits.
pub fn delay(attempt: u32, random: u64) -> Duration {
    let doubled = FIRST_MAX.saturating_mul(1u32.checked_shl(attempt).unwrap_or(u32::MAX));
    let longest_ms = u64::try_from(doubled.min(CAP).as_millis()).unwrap_or(u64::MAX);
    let scaled = u128::from(longest_ms) * u128::from(random) / u128::from(u64::MAX);
    Duration::from_millis(u64::try_from(scaled).unwrap_or(longest_ms))
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

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_cap_and_more_randomness_never_waits_less(
            attempt in any::<u32>(), one in any::<u64>(), other in any::<u64>(),
        ) {
            prop_assert!(delay(attempt, one) <= CAP);
            prop_assert!(delay(attempt, one.min(other)) <= delay(attempt, one.max(other)));
        }
    }
}
