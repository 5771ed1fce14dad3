//! Extended mode as a whole: the relay's core and the session that all clients use, with a disk that is slow, fails and
//! loses, wires that break, ghosts, slow readers, a clock that is set back, and a relay that is killed and starts again
//! from what was kept. The checker of traces judges what passed over the wires; the clients are asked what they were given.
//!
//! `RELAY_SEEDS=n` plays n seeds; `RELAY_SEED=s` plays that one again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod disk;
mod player;
#[path = "../simulation/rng.rs"]
mod rng;
#[path = "../support/tap.rs"]
mod tap;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use player::Counts;
use world::World;

const SEEDS: u64 = 40;
const STEPS: u32 = 3000;

/// What happened in some seeds.
#[derive(Debug, Default)]
struct Seen {
    acknowledged: u64,
    not_kept: u64,
    resumed: u64,
    gaps_closed: u64,
    fetched_lines: u64,
    found: u64,
    deaths: u64,
    forgotten: u64,
}

impl Seen {
    fn add(&mut self, world: &World) {
        for Counts { acknowledged, not_kept, resumed, gaps_closed, fetched_lines, found } in
            world.players.iter().map(|player| player.counts)
        {
            self.acknowledged += acknowledged;
            self.not_kept += not_kept;
            self.resumed += resumed;
            self.gaps_closed += gaps_closed;
            self.fetched_lines += fetched_lines;
            self.found += found;
        }
        self.deaths += world.deaths;
        self.forgotten += world.counts().1;
    }

    /// What must have been met, for the whole to prove something.
    fn what_never_happened(&self) -> Vec<&'static str> {
        let all = [
            ("acknowledged", self.acknowledged),
            ("not kept", self.not_kept),
            ("resumed", self.resumed),
            ("gaps closed", self.gaps_closed),
            ("lines fetched", self.fetched_lines),
            ("lines found", self.found),
            ("deaths", self.deaths),
        ];
        all.iter().filter(|(_, count)| *count == 0).map(|(what, _)| *what).collect()
    }
}

fn play(seed: u64, seen: &mut Seen) -> Result<(), String> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed);
        (0..STEPS).for_each(|_| world.step());
        world.settle();
        let report = world.judge();
        let wrong = report.violations.iter().map(ToString::to_string).collect::<Vec<_>>();
        if !wrong.is_empty() {
            return Err(wrong.join("\n"));
        }
        world.check_given();
        world.check_found();
        seen.add(&world);
        Ok(())
    }));
    let wrong = match played {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(wrong)) => wrong,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            format!("panic: {}", text.or_else(|| panic.downcast_ref().copied()).unwrap_or("without words"))
        }
    };
    Err(format!("seed {seed}: {wrong}\n"))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

#[test]
fn whatever_happens_nothing_acknowledged_is_lost_and_nobody_hears_anything_twice() {
    let seeds = match number("RELAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RELAY_SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        if let Err(wrong) = play(seed, &mut seen) {
            panic!("{wrong}Again: RELAY_SEED={seed} cargo test -p tertulia-relay --test sessions");
        }
    }
    println!("{seen:#?}");
    if seeds.end - seeds.start >= SEEDS {
        assert_eq!(seen.what_never_happened(), [""; 0], "a simulation that never meets these proves little");
    }
}

#[cfg(feature = "sabotage")]
#[test]
fn each_deliberate_bug_of_extended_mode_is_caught() {
    use tertulia_relay::sabotage::{self, Bug};
    const SEEDS_MAX: u64 = 24;
    for bug in Bug::EXTENDED {
        sabotage::set(Some(bug));
        let caught = (0..SEEDS_MAX).find_map(|seed| play(seed, &mut Seen::default()).err());
        sabotage::set(None);
        let caught = caught.unwrap_or_else(|| panic!("{bug:?} was not caught in {SEEDS_MAX} seeds"));
        println!("{bug:?}: {}", caught.lines().next().unwrap_or_default());
    }
}
