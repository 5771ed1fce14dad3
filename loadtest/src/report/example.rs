//! A report with figures of all kinds, for tests.

use super::*;

/// Everything has a value, but that there is no trace.
pub(crate) fn example() -> Report {
    let percentiles = |us| Percentiles {
        count: 1,
        min: us,
        p50: us,
        p90: us,
        p95: us,
        p99: us,
        p99_9: us,
        p99_99: us,
        max: us,
    };
    Report {
        schema_version: SCHEMA_VERSION,
        version: "0.0.0".into(),
        commit: "0123456789abcdef".into(),
        begun_unix_s: 1_800_000_000,
        machine: Machine { kernel: "6".into(), processor: "one".into(), processors: 2, ..Machine::default() },
        plan: crate::plan::example().planned(),
        target: "127.0.0.1:2000".into(),
        server_name: "a relay".into(),
        server_file_fnv1a: Some("cbf29ce484222325".into()),
        due: 1,
        accepted: 1,
        accepted_per_s: 5.0,
        expected: 107,
        under_way: 0,
        counts: Counts { delivered: 100, lost: 7, ..Counts::default() },
        rate_per_s: 500.0,
        warmup_delivered: 1,
        latency_us: Latencies {
            first: percentiles(10_000),
            each: percentiles(60_000),
            last: percentiles(90_000),
            ack: percentiles(30_000),
        },
        service_us: percentiles(50_000),
        connect_us: percentiles(100),
        login_us: None,
        negative: 0,
        beyond_horizon: 0,
        timeline: vec![interval(1.0, 500), interval(2.0, 510)],
        histogram: vec![Bucket { up_to_us: 50, count: 90 }, Bucket { up_to_us: 70, count: 10 }],
        generator: Generator { cpu_share: 0.1, cpu_us_per_delivery: 0.1, ..Generator::default() },
        server: Some(Server { cpu_us_per_delivery: 0.2, resident_kib: 4_000, ..Server::default() }),
        tcp_memory_peak_kib: 0,
        others_max: 0,
        closed: 0,
        to_closed: 0,
        not_back: 0,
        is_deserted: false,
        answered: Some(Answered { acked: 1, durability: "commit".into(), ..Answered::default() }),
        trace: None,
        complaints: Vec::new(),
        cautions: Vec::new(),
        hints: Vec::new(),
        invalid: Vec::new(),
        is_partial: false,
        repeats: vec![Figures { rate_per_s: 500.0, p99_us: 60_000.0, ..Figures::default() }],
        floor: None,
    }
}

fn interval(end_s: f64, delivered: u64) -> Interval {
    Interval { end_s, length_s: 1.0, accepted: 5, delivered, p50_us: 50, p99_us: 60, max_us: delivered / 5 }
}

/// What may stand there: a promise is broken.
pub(crate) fn judged() -> Judged {
    Judged { violations: 1, first: vec!["A line was lost.".into()], said: 3, ..Judged::default() }
}
