//! Whether a file has each line of a load, and has it once. Knows no file: it is given the lines that a relay's own tool
//! wrote out.

use std::collections::{HashMap, HashSet};

use crate::stamp::Stamp;

/// What stands before a stamp: the end of a name, and the mark.
const BEFORE_STAMP: &[u8] = b": ~";

/// The lines of a load that are in a file.
#[derive(Debug, Default)]
pub struct Filed {
    /// By sender: its lines.
    sequences: HashMap<u16, HashSet<u32>>,
    /// Lines that were there before.
    doubled: u64,
    /// Lines whose stamp is not whole.
    corrupt: u64,
}

impl Filed {
    /// Takes a line in. One without a stamp is not of the load.
    pub fn note(&mut self, line: &[u8]) {
        let mark = memchr::memmem::find(line, BEFORE_STAMP).map(|at| at + BEFORE_STAMP.len() - 1);
        let Some(text) = mark.and_then(|at| line.get(at..)) else { return };
        match Stamp::read_head(text) {
            Ok(Stamp { sender, sequence, .. }) => {
                let is_new = self.sequences.entry(sender).or_default().insert(sequence);
                self.doubled += u64::from(!is_new);
            }
            Err(_) => self.corrupt += 1,
        }
    }

    /// How many different lines there are.
    pub fn distinct(&self) -> u64 {
        self.sequences.values().map(|lines| lines.len() as u64).sum()
    }

    /// How many lines are missing, there again, there though nobody said them, or not whole. A sender's lines are numbered
    /// without gaps, and `accepted` is how many all of them said: one that is missing and one that is doubled are two.
    pub fn wrong(&self, accepted: u64) -> u64 {
        let ends = self.sequences.values().filter_map(|lines| lines.iter().max());
        let numbered: u64 = ends.map(|last| u64::from(*last) + 1).sum();
        let holes = numbered - self.distinct();
        holes + numbered.abs_diff(accepted) + self.doubled + self.corrupt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::Sizes;

    fn line(sender: u16, sequence: u32) -> Vec<u8> {
        let mut line = format!("@id=1;room=general s{sender:04}: ").into_bytes();
        Stamp { sender, sequence, due_us: 7 }.write(Sizes::of(64), &mut line);
        line
    }

    fn filed(lines: &[(u16, u32)]) -> Filed {
        let mut filed = Filed::default();
        lines.iter().for_each(|(sender, sequence)| filed.note(&line(*sender, *sequence)));
        filed
    }

    #[test]
    fn lines_that_are_lost_and_doubled_do_not_make_up_for_each_other() {
        for (lines, wrong) in [
            (&[(0, 0), (0, 1), (1, 0), (1, 1)][..], 0),
            (&[(1, 1), (0, 1), (1, 0), (0, 0)], 0),
            (&[(0, 0), (0, 1), (1, 1)], 1),
            (&[(0, 0), (0, 1), (1, 0)], 1),
            (&[(0, 0), (0, 1)], 2),
            // As many as there are to be, by the count.
            (&[(0, 0), (0, 0), (0, 1), (1, 1)], 2),
            (&[(0, 0), (0, 1), (0, 1), (1, 0)], 2),
            (&[(0, 0), (0, 1), (1, 0), (1, 1), (1, 1)], 1),
            (&[(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)], 1),
        ] {
            assert_eq!(filed(lines).wrong(4), wrong, "{lines:?}");
        }
        assert_eq!(filed(&[(0, 0), (0, 0), (0, 1)]).distinct(), 2);
    }

    #[test]
    fn what_is_not_of_the_load_does_not_count_and_what_is_not_whole_does() {
        let mut filed = filed(&[(0, 0)]);
        filed.note(b"@id=1;room=general s0000 se ha unido al chat.");
        filed.note(b"@id=1;room=general s0000: hola");
        assert_eq!(filed.wrong(1), 0);
        let mut changed = line(0, 1);
        let at = changed.iter().position(|byte| *byte == b'~').unwrap() + 2;
        changed[at] = b'x';
        filed.note(&changed);
        assert_eq!(filed.wrong(1), 1);
    }
}
