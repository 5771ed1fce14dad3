//! A report for people, in a terminal.

use std::fmt::Write;

use crate::answers::Answered;
use crate::plan::Planned;
use crate::report::{BesideFloor, Percentiles, Ratio, Report};

const HEAD: &str = "                    min      p50      p90      p95      p99    p99.9   p99.99      max";

impl Report {
    /// One text that needs nothing beside it.
    pub fn to_text(&self) -> String {
        let mut text = plan_line(&self.plan);
        let mut line = |name: &str, args: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{name:<11} {args}");
        };
        line("target", format_args!("{}", format!("{} {}", self.target, self.server_name).trim_end()));
        let Self { counts, due, accepted, expected, .. } = self;
        let per_s = grouped(self.accepted_per_s);
        line("accepted", format_args!("{accepted} of {due} lines due, warm-up included; {per_s} a second"));
        let rate = grouped(self.rate_per_s);
        line("delivered", format_args!("{} of {expected} deliveries; {rate} a second", counts.delivered));
        if self.plan.warmup_s > 0.0 {
            let warmup = grouped(self.warmup_delivered as f64);
            line("warm-up", format_args!("{warmup} of the deliveries, checked and not timed"));
        }
        line(
            "checks",
            format_args!(
                "lost {}, doubled {}, out of order {}, corrupt {}",
                counts.lost, counts.doubled, counts.out_of_order, counts.corrupt
            ),
        );
        if let Some(answered) = &self.answered {
            let Answered { acked, refused, not_kept, unanswered, durability, .. } = answered;
            line(
                "answers",
                format_args!(
                    "{acked} acknowledged (durability {durability}), refused {refused}, not kept {not_kept}, \
                     unanswered {unanswered}"
                ),
            );
        }
        if let Some(judged) = &self.trace {
            line("trace", format_args!("{judged}"));
        }
        if self.under_way > 0 {
            line("", format_args!("{} deliveries still under way", self.under_way));
        }
        text.push_str(&self.latencies());
        text.push_str(&self.processes());
        if let Some(floor) = &self.floor {
            text.push_str(&beside_floor(floor, self.plan.window.is_some()));
        }
        text.push_str(&self.remarks());
        text
    }

    fn latencies(&self) -> String {
        let mut text = format!("latency in microseconds\n{HEAD}\n");
        let latency = &self.latency_us;
        let ack = self.answered.as_ref().map(|_| ("ack", &latency.ack));
        let rows = [
            ("first heard", &latency.first),
            ("each", &latency.each),
            ("last heard", &latency.last),
            ("service", &self.service_us),
            ("connect", &self.connect_us),
        ];
        let login = self.login_us.as_ref().map(|login_us| ("log-in", login_us));
        for (name, percentiles) in rows.into_iter().chain(login).chain(ack) {
            let _ = writeln!(text, "  {name:<11}{}", columns(percentiles));
        }
        text.push_str(
            "  first, each, last: from when a line was due until the first, each, the last receiver had it, so that a\n  \
             line that had to wait counts its wait. service: from when it was really sent until each had it.\n",
        );
        if login.is_some() {
            text.push_str(
                "  log-in: from sending a password until the server let the client in; at most eight at once.\n",
            );
        }
        if ack.is_some() {
            text.push_str("  ack: from when a line was due until its sender was told that it is kept.\n");
        }
        text
    }

    fn processes(&self) -> String {
        let mut text = String::new();
        if let Some(server) = &self.server {
            let _ = writeln!(
                text,
                "server      {:.1} % of a processor, {:.3} µs a delivery, {} KiB resident ({} at most), woken {:.0} \
                 times a second",
                server.cpu_share * 100.0,
                server.cpu_us_per_delivery,
                server.resident_kib,
                server.resident_peak_kib,
                server.wakeups_per_s
            );
        }
        let own = &self.generator;
        let _ = writeln!(
            text,
            "generator   {:.1} % of a processor, {:.3} µs a delivery ({:.3} of it its own code), {} KiB ({:.2} a \
             client)",
            own.cpu_share * 100.0,
            own.cpu_us_per_delivery,
            own.user_us_per_delivery,
            own.resident_kib,
            own.resident_kib_per_client
        );
        let _ = writeln!(
            text,
            "            {} lines late, p99 {} µs; loop lag p99 {} µs, at most {} µs; without a processor {:.1} % of the \
             time",
            own.late,
            own.lateness_p99_us,
            own.loop_lag_p99_us,
            own.loop_lag_max_us,
            own.waited_share * 100.0
        );
        let _ = writeln!(text, "kernel      {} KiB for TCP at most, whole machine", self.tcp_memory_peak_kib);
        text
    }

    fn remarks(&self) -> String {
        let mut text = String::new();
        if self.is_partial {
            text.push_str("PARTIAL: the run was ended before its time\n");
        }
        for complaint in &self.complaints {
            let _ = writeln!(text, "the server said: {complaint}");
        }
        for violation in self.trace.iter().flat_map(|judged| &judged.first) {
            let _ = writeln!(text, "VIOLATION: {violation}");
        }
        for hint in self.cautions.iter().chain(&self.hints) {
            let _ = writeln!(text, "note: {hint}");
        }
        for reason in &self.invalid {
            let _ = writeln!(text, "INVALID: {reason}");
        }
        text
    }
}

/// What is to be done, as the first line of a report.
pub fn plan_line(plan: &Planned) -> String {
    format!("{:<11} {plan}\n", "plan")
}

fn columns(p: &Percentiles) -> String {
    [p.min, p.p50, p.p90, p.p95, p.p99, p.p99_9, p.p99_99, p.max].map(|value| format!("{value:>9}")).concat()
}

/// What was measured beside the reference server.
fn beside_floor(floor: &BesideFloor, is_closed: bool) -> String {
    let mut text = String::new();
    let mut row = |name: &str, ratio: &Ratio| {
        let Ratio { median, least, greatest, pairs } = ratio;
        let _ = writeln!(text, "  {name:<22}{median:.3} ({least:.3} to {greatest:.3}, {pairs} pairs)");
    };
    row("deliveries a second", &floor.rate);
    row("p50", &floor.p50);
    row("p99", &floor.p99);
    if let Some(ratio) = &floor.server_cpu {
        row("CPU a delivery", ratio);
    }
    let headline = floor.headline(is_closed);
    format!("floor       {headline} (server divided by floor, in turns)\n{text}")
}

/// A number with its thousands apart.
pub fn grouped(number: f64) -> String {
    let whole = format!("{:.0}", number.abs());
    let mut text = String::from(if number <= -0.5 { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judged::Judged;
    use crate::report::{example, judged};

    #[test]
    fn the_four_checks_are_always_printed_zero_included() {
        let text = example().to_text();
        assert!(text.contains("lost 7, doubled 0, out of order 0, corrupt 0"), "{text}");
        assert!(text.contains("100 of 107 deliveries; 500 a second"), "{text}");
    }

    #[test]
    fn a_server_without_a_name_leaves_no_blank_behind_its_address() {
        let text = Report { server_name: String::new(), ..example() }.to_text();
        assert!(text.contains("\ntarget      127.0.0.1:2000\n"), "{text}");
    }

    #[test]
    fn what_the_warm_up_delivered_is_told_where_there_was_one() {
        let mut report = Report { warmup_delivered: 1_234, ..example() };
        assert!(!report.to_text().contains("warm-up  "));
        report.plan.warmup_s = 1.0;
        assert!(report.to_text().contains("\nwarm-up     1,234 of the deliveries"), "{}", report.to_text());
    }

    #[test]
    fn what_the_senders_were_answered_is_told_where_the_server_answers() {
        let mut report = example();
        let text = report.to_text();
        assert!(
            text.contains("1 acknowledged (durability commit), refused 0, not kept 0, unanswered 0"),
            "{text}"
        );
        assert!(text.contains("\n  ack            30000"), "{text}");
        report.answered = None;
        assert!(!report.to_text().contains("ack"));
    }

    #[test]
    fn what_the_trace_shows_to_be_broken_is_told_in_words_where_there_is_one() {
        let mut report = Report { trace: Some(judged()), ..example() };
        let text = report.to_text();
        assert!(text.contains("\ntrace       1 promise BROKEN: 3 lines said"), "{text}");
        assert!(text.contains("\nVIOLATION: A line was lost.\n"), "{text}");
        report.trace = Some(Judged::unread("refused".into()));
        assert!(report.to_text().contains("\ntrace       NOT JUDGED"), "{}", report.to_text());
        report.trace = None;
        assert!(!report.to_text().contains("trace"), "{}", report.to_text());
    }

    #[test]
    fn what_makes_a_run_worthless_stands_at_the_end() {
        let report = Report { invalid: vec!["no time".into()], is_partial: true, ..example() };
        let text = report.to_text();
        assert!(text.contains("\nPARTIAL: ") && text.ends_with("INVALID: no time\n"), "{text}");
    }

    #[test]
    fn a_floor_is_told_as_a_share_of_what_the_machine_can_do() {
        let ratio = Ratio { median: 0.912, least: 0.8, greatest: 1.0, pairs: 3 };
        let floor =
            BesideFloor { figures: Vec::new(), rate: ratio, p50: ratio, p99: ratio, server_cpu: None };
        let text = Report { floor: Some(floor.clone()), ..example() }.to_text();
        assert!(text.contains("lines 0.91 times as late as sockets of this machine alone"), "{text}");
        assert!(text.contains("0.912 (0.800 to 1.000, 3 pairs)"), "{text}");
        assert_eq!(floor.headline(true), "0.91 of what this machine can do");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!(grouped(-999.6), "-1,000");
        assert_eq!(grouped(12.0), "12");
    }
}
