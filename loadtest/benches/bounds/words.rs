//! How fast words are found among many that are as unlike in number as those of people.

use std::io::Write;
use std::process::Stdio;

use crate::Outcome;
use crate::history::{Asker, MILLION, SELDOM, Scratch};
use crate::table::{Bound, Row};

/// Different words of a million lines, words of each line, and where the numbers begin that choose them.
const WORDS: f64 = 60_000.0;
const LINE_WORDS: usize = 10;
const SEED: u64 = 7;
/// So many lines before the last one stands a word that is nowhere else: more than a search looks at one by one, so that it is
/// found once the index of words is that far.
const NEAR_END: u64 = 5_000;

/// Words as people use them: few are in very many lines, most in few (Zipf). The same in each run.
struct Words(u64);

impl Words {
    fn next(&mut self) -> String {
        // Knuth's multiplier (MMIX).
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (self.0 >> 33) as f64 / f64::from(1u32 << 31);
        format!("w{}z", WORDS.powf(share) as u32)
    }

    fn line(&mut self, number: u64) -> String {
        if number == MILLION - NEAR_END {
            return format!("@id={};room=general s0000: {SELDOM}\n", number << 16);
        }
        let words: Vec<String> = (0..LINE_WORDS).map(|_| self.next()).collect();
        format!("@id={};room=general s0000: {}\n", number << 16, words.join(" "))
    }
}

/// Searches of a million lines of many words, and how long the slowest of them takes.
pub(crate) fn many_words() -> Outcome<Vec<Row>> {
    let scratch = Scratch::new("words")?;
    let mut words = Words(SEED);
    let mut child = scratch.tool("import")?.stdin(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().ok_or("no input")?;
    for number in 1..=MILLION {
        input.write_all(words.line(number).as_bytes())?;
    }
    drop(input);
    if !child.wait()?.success() {
        return Err("the million was not taken in".into());
    }
    let ground = scratch.relay()?;
    let mut asker = Asker::connect(&ground)?;
    asker.seconds_until(&format!("/search {SELDOM}"), 1)?;
    let mut slowest = |searches: &[&str]| -> Outcome<f64> {
        let mut worst = 0.0f64;
        for words in searches {
            worst = worst.max(asker.median_answer_ms(&format!("/search limit=100 {words}"))?);
        }
        Ok(worst)
    };
    let one = slowest(&["w1z", "w100z", "w5000z", "w123"])?;
    let two = slowest(&["w1z w2z", "w100z w200z", "w1000z w2000z", "w5000z w300z", "w10z w20000z"])?;
    let row = |figure: &str, value| Row::plain("history", figure, None, value, Bound::AtMost(50.0));
    Ok(vec![
        row("ms for one of 60,000 words in a million lines, the slowest", one),
        row("ms for two of 60,000 words in a million lines, the slowest", two),
    ])
}
