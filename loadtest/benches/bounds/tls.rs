//! What TLS costs: its fan-out beside the plain one, handshakes beside what a signature alone takes, and memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use tertulia_loadtest::ground::Ground;
use tertulia_loadtest::plan::{Joins, Plan};

use crate::masses::held;
use crate::table::{Bound, Row};
use crate::works::{SPINNING, Start, TALK, crowd_plan, figures, lone_plan, pairs, plan};
use crate::{Options, Outcome};

const USUAL_PAIRS: u32 = 4;

/// Clients that connect as fast as the relay takes them, and then say nothing.
const CLIENTS: usize = 2000;

/// How long signatures are made.
const SIGNING: Duration = Duration::from_secs(1);

pub(crate) fn tls(options: &Options) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, plan) in [("tls lone", lone_plan()), ("tls crowd", crowd_plan())] {
        let length = if options.is_quick { TALK / 4 } else { TALK };
        let sides: [(&Plan, Start); 2] = [(&plan, Ground::relay_tls), (&plan, Ground::relay)];
        let pairs = pairs(options, options.pairs(USUAL_PAIRS), length, SPINNING, sides)?;
        let costs = figures(&pairs, |figures| figures.server_cpu_us_per_delivery);
        let rates = figures(&pairs, |figures| Some(figures.rate_per_s));
        rows.push(Row::paired(name, "server µs/delivery (beside it: plain)", &costs, Bound::AtMost(2.5)));
        rows.push(Row::paired(name, "deliveries/s (beside it: plain)", &rates, Bound::None));
    }
    let idle = Plan { joins: Joins::None, ..plan(CLIENTS, 1) };
    let (plain, tls) = (held(Ground::relay, &idle)?, held(Ground::relay_tls, &idle)?);
    let (plain, tls) = (plain.server.ok_or("no process")?, tls.server.ok_or("no process")?);
    let spent_s = tls.joining_cpu_ns.saturating_sub(plain.joining_cpu_ns) as f64 / 1e9;
    rows.push(Row::plain(
        "tls",
        "handshakes/s of processor (beside it: signatures/s)",
        Some(signatures_per_s()?),
        CLIENTS as f64 / spent_s,
        Bound::AtLeast(1000.0),
    ));
    rows.push(Row::plain(
        "tls",
        "KiB resident for each idle client (beside it: plain)",
        Some(plain.resident_kib_per_client),
        tls.resident_kib_per_client,
        Bound::AtMost(24.0),
    ));
    Ok(rows)
}

/// Signatures of ECDSA with P-256 that one processor makes in a second: each full handshake needs one.
fn signatures_per_s() -> Outcome<f64> {
    let random = SystemRandom::new();
    let failed = |_| "ring makes no key";
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(failed)?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random)
        .map_err(|error| error.to_string())?;
    let message = [0; 130];
    let (begin, mut count) = (Instant::now(), 0_u32);
    while begin.elapsed() < SIGNING {
        black_box(key.sign(&random, &message).map_err(failed)?);
        count += 1;
    }
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}
