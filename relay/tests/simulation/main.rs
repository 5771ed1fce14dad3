//! The relay's core, without sockets and clock, against a shadow model that does the same in the most naive way:
//! thousands of steps of chance, every byte of every connection foretold.
//!
//! `RELAY_SEEDS=n` plays n seeds; `RELAY_SEED=s` plays that one again and tells what happens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod ears;
mod grammar;
mod model;
mod reading;
mod rng;
mod script;
mod seen;
mod speech;
mod world;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use seen::Seen;
use world::World;

const SEEDS: u64 = 64;
const STEPS: u32 = 2000;

/// Plays a seed; where it fails: at which step, and why.
fn play(seed: u64, is_told: bool) -> Result<Seen, String> {
    let step = Cell::new(0);
    let mut world = World::new(seed, is_told);
    let played = catch_unwind(AssertUnwindSafe(|| {
        for number in 1..=STEPS {
            step.set(number);
            world.step()?;
        }
        world.finish()
    }));
    let wrong = match played {
        Ok(Ok(())) => return Ok(world.model.seen),
        Ok(Err(wrong)) => wrong,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            format!("panic: {}", text.or_else(|| panic.downcast_ref().copied()).unwrap_or("without words"))
        }
    };
    Err(format!("seed {seed}, step {}: {wrong}\nThe last that happened:\n{}", step.get(), world.last()))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

#[test]
fn every_connection_hears_exactly_what_the_shadow_says() {
    let seeds = match number("RELAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RELAY_SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        match play(seed, number("RELAY_SEED").is_some()) {
            Ok(more) => seen.add(&more),
            Err(wrong) => {
                panic!("{wrong}Again: RELAY_SEED={seed} cargo test -p tertulia-relay --test simulation")
            }
        }
    }
    println!("{seen:#?}");
    if seeds.end - seeds.start >= SEEDS {
        assert_eq!(seen.what_never_happened(), [""; 0], "a simulation that never meets these proves little");
    }
}

#[cfg(feature = "sabotage")]
#[test]
fn each_deliberate_bug_is_caught() {
    use tertulia_relay::sabotage::{self, Bug};
    const SEEDS_MAX: u64 = 32;
    for bug in Bug::ALL {
        sabotage::set(Some(bug));
        let caught = (0..SEEDS_MAX).find_map(|seed| play(seed, false).err());
        sabotage::set(None);
        let caught = caught.unwrap_or_else(|| panic!("{bug:?} was not caught in {SEEDS_MAX} seeds"));
        println!("{bug:?}: {}", caught.lines().next().unwrap_or_default());
    }
}
