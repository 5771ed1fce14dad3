//! How a ramp goes up and where it ends: which step is good, which one is tried again, what the end says of the server.
//! It is given a way to measure a step, and knows neither servers nor files.

use serde::Serialize;

use crate::bounds::Bound;
use crate::plan::Plan;
use crate::report::Report;

/// So often a step is tried that says nothing of the server.
const TRIES_MAX: u32 = 2;

/// One step that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// How much of what the ramp makes more of.
    pub(super) value: f64,
    /// 1, or 2 where the one before was INVALID.
    pub(super) tries: u32,
    /// What came of it.
    #[serde(flatten)]
    pub(super) report: Report,
}

/// Why a ramp ended.
#[derive(Debug, PartialEq)]
pub(super) enum End {
    /// Every step was good.
    LastStep,
    /// Somebody ended it.
    Stopped,
    /// A step could not be measured.
    Failed { at: f64, error: String },
    /// The server is gone.
    Deserted { at: f64 },
    /// A step broke this bound.
    Broken { at: f64, what: String },
    /// A step said nothing of the server each time that it was tried.
    Invalid { at: f64, why: String },
}

/// A ramp that has ended.
#[derive(Debug)]
pub(super) struct Climb {
    /// What became more.
    pub(super) axis: &'static str,
    pub(super) steps: Vec<Step>,
    pub(super) last_good: Option<f64>,
    pub(super) end: End,
}

/// Measures a step; whether somebody ended it before its time.
pub(super) type Measure<'a> = &'a mut dyn FnMut(&Plan) -> Result<(Report, bool), String>;

impl Climb {
    /// Goes up until something ends it. An error where not even the first step could be measured.
    pub(super) fn new(
        axis: &'static str,
        plans: &[(f64, Plan)],
        bounds: &[Bound],
        measure: Measure<'_>,
        tell: &mut dyn FnMut(&Step),
    ) -> Result<Self, String> {
        let mut climb = Self { axis, steps: Vec::new(), last_good: None, end: End::LastStep };
        for (value, plan) in plans {
            if let Some(end) = climb.step(*value, plan, bounds, measure, tell)? {
                climb.end = end;
                break;
            }
            climb.last_good = Some(*value);
        }
        Ok(climb)
    }

    /// One step, tried again where it is INVALID; why it ended the ramp, or none: it is good.
    fn step(
        &mut self,
        at: f64,
        plan: &Plan,
        bounds: &[Bound],
        measure: Measure<'_>,
        tell: &mut dyn FnMut(&Step),
    ) -> Result<Option<End>, String> {
        let mut end = None;
        for tries in 1..=TRIES_MAX {
            let (report, is_stopped) = match measure(plan) {
                Ok(measured) => measured,
                Err(error) if self.steps.is_empty() => return Err(error),
                Err(error) => return Ok(Some(End::Failed { at, error })),
            };
            end = end_of(at, &report, is_stopped, bounds);
            let step = Step { value: at, tries, report };
            tell(&step);
            self.steps.push(step);
            if !matches!(end, Some(End::Invalid { .. })) {
                break;
            }
        }
        Ok(end)
    }

    /// The last good step, in words.
    pub(super) fn headline(&self) -> String {
        self.last_good.map_or("no good step".into(), |value| format!("last good step: {} {value}", self.axis))
    }

    /// What ended the ramp, and what follows for the server, in sentences.
    pub(super) fn told(&self) -> Vec<String> {
        let axis = self.axis;
        let above = |last_good: Option<f64>| {
            last_good.map_or(String::new(), |value| format!("; it is above {axis} {value}, which it carried"))
        };
        match &self.end {
            End::LastStep => vec![
                "no bound broke up to the last step".into(),
                format!("the server's limit is not known{}", above(self.last_good)),
            ],
            End::Stopped => vec!["stopped before its time: PARTIAL".into()],
            End::Failed { at, error } => vec![format!("at {axis} {at}: {error}")],
            End::Deserted { at } => vec![format!("at {axis} {at}: the server closed every connection")],
            End::Broken { at, what } => vec![
                format!("at {axis} {at}: {what}"),
                match self.last_good {
                    Some(value) => format!("the server's limit is between {axis} {value} and {axis} {at}"),
                    None => format!("the server's limit is below {axis} {at}"),
                },
            ],
            End::Invalid { at, why } => vec![
                format!("at {axis} {at}: INVALID: {why}"),
                format!(
                    "the generator, not the server, gave up at {axis} {at}, in {TRIES_MAX} tries; the server's limit is not known{}",
                    above(self.last_good)
                ),
            ],
        }
    }
}

impl End {
    /// For programs.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::LastStep => "last_step",
            Self::Stopped => "stopped",
            Self::Failed { .. } => "failed",
            Self::Deserted { .. } => "deserted",
            Self::Broken { .. } => "broken",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// Whether it is the server's end, and not that of the generator or of whoever started it.
    pub(super) fn says_of_server(&self) -> bool {
        matches!(self, Self::LastStep | Self::Deserted { .. } | Self::Broken { .. })
    }
}

/// Why a step ends the ramp. What was cut short has broken nothing, and what is INVALID says nothing of the server.
fn end_of(at: f64, report: &Report, is_stopped: bool, bounds: &[Bound]) -> Option<End> {
    if is_stopped {
        return Some(End::Stopped);
    }
    if report.is_deserted {
        return Some(End::Deserted { at });
    }
    if let Some(why) = report.invalid.first() {
        return Some(End::Invalid { at, why: why.clone() });
    }
    let (bound, value) = bounds.iter().find_map(|bound| Some((bound, bound.broken_by(report)?)))?;
    Some(End::Broken { at, what: format!("{bound} broke: {}", bound.told(value)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;
    use crate::report::example;

    const STEPS: [f64; 3] = [100.0, 200.0, 300.0];

    fn valid() -> Report {
        let mut report = example();
        report.counts.lost = 0;
        report
    }

    fn invalid() -> Report {
        Report { invalid: vec!["late".into()], ..valid() }
    }

    /// A ramp whose steps come to these reports, one after the other.
    fn climb(reports: Vec<Report>) -> Climb {
        let plans = STEPS.map(|value| (value, plan::example()));
        let bounds = [Bound::parse("lost>0").unwrap()];
        let mut reports = reports.into_iter();
        let mut measure = |_: &Plan| reports.next().map(|report| (report, false)).ok_or("no more".to_owned());
        Climb::new("rate", &plans, &bounds, &mut measure, &mut |_| ()).unwrap()
    }

    #[test]
    fn a_step_that_is_invalid_is_tried_once_more_before_it_ends_the_ramp() {
        let good_at_last = climb(vec![invalid(), valid(), valid(), invalid(), valid()]);
        assert_eq!((good_at_last.last_good, &good_at_last.end), (Some(300.0), &End::LastStep));
        let tries: Vec<_> = good_at_last.steps.iter().map(|step| (step.value, step.tries)).collect();
        assert_eq!(tries, [(100.0, 1), (100.0, 2), (200.0, 1), (300.0, 1), (300.0, 2)]);
        let twice = climb(vec![valid(), invalid(), invalid(), valid()]);
        assert_eq!(twice.end, End::Invalid { at: 200.0, why: "late".into() });
        assert_eq!(twice.steps.len(), 3);
    }

    #[test]
    fn a_generator_that_gave_up_says_so_and_takes_its_limit_for_nobody_elses() {
        let climb = climb(vec![valid(), invalid(), invalid()]);
        assert_eq!(climb.headline(), "last good step: rate 100");
        assert_eq!(
            climb.told(),
            [
                "at rate 200: INVALID: late",
                "the generator, not the server, gave up at rate 200, in 2 tries; the server's limit is not known; it is above rate 100, which \
                 it carried"
            ]
        );
        assert!(!climb.end.says_of_server());
    }

    #[test]
    fn a_broken_bound_tells_between_which_steps_the_limit_is() {
        let broken = climb(vec![valid(), example()]);
        assert_eq!(
            broken.told(),
            ["at rate 200: lost>0 broke: it is 7", "the server's limit is between rate 100 and rate 200"]
        );
        assert_eq!(climb(vec![example()]).told()[1], "the server's limit is below rate 100");
    }

    #[test]
    fn a_step_that_cannot_be_measured_keeps_those_before() {
        let failed = climb(vec![valid()]);
        assert_eq!(failed.end, End::Failed { at: 200.0, error: "no more".into() });
        assert_eq!((failed.steps.len(), failed.last_good), (1, Some(100.0)));
    }
}
