//! What the lines come to: those that were accepted, and the four counts.

use super::Tally;
use crate::stats::Counts;

impl Tally {
    /// Those that stay and hear a line of somebody else.
    pub(super) fn receivers(&self) -> u32 {
        let itself = usize::from(!self.plan.protocol.hears_itself());
        self.steady.saturating_sub(itself) as u32
    }

    /// So many lines of a sender were sent, and no socket has wholly taken them: nobody can hear them yet.
    pub fn note_waiting(&mut self, sender: usize, lines: u32) {
        if let Some(waiting) = self.waiting.get_mut(sender) {
            *waiting = lines;
        }
    }

    /// The four counts, if nothing more came.
    pub fn counts(&self) -> Counts {
        let counts = self.counts_under_way();
        Counts { lost: counts.lost + self.behind(|_| true), ..counts }
    }

    /// Lines accepted behind the last that was heard of their sender, of the receivers of which `stands` is true.
    pub fn behind(&self, stands: impl Fn(u32) -> bool) -> u64 {
        self.behind_of(&self.taken().collect::<Vec<_>>(), stands)
    }

    /// The same of so many lines of each sender.
    fn behind_of(&self, lines: &[u32], stands: impl Fn(u32) -> bool) -> u64 {
        let Self { arrivals, followers, .. } = self;
        let hears_itself = self.plan.protocol.hears_itself();
        let hears =
            |receiver: u32, sender: u16| stands(receiver) && (hears_itself || receiver != u32::from(sender));
        arrivals.behind(lines, |receiver, sender| !followers.follows(receiver) && hears(receiver, sender))
            + followers.behind(&self.transcript, lines, arrivals.unsaid(), hears)
    }

    /// The four counts where lines still come: lost is only what was jumped over.
    pub fn counts_under_way(&self) -> Counts {
        self.arrivals.jumped_over(|_, _| true)
    }

    /// The same, and lost is as well what was given up and has not come since, of those that stay.
    pub fn counts_given_up(&self) -> Counts {
        let counts = self.counts_under_way();
        let steady = |receiver: u32| (receiver as usize) < self.steady;
        Counts { lost: counts.lost + self.behind_of(&self.flights.forgotten(), steady), ..counts }
    }

    /// What was heard so far; nothing is lost yet.
    pub fn counts_so_far(&self) -> Counts {
        self.arrivals.counts()
    }

    /// By sender: lines that a socket has wholly taken.
    pub(super) fn taken(&self) -> impl Iterator<Item = u32> {
        let pairs = self.accepted.iter().zip(&self.waiting);
        pairs.map(|(accepted, waiting)| accepted.saturating_sub(*waiting))
    }

    /// Lines accepted, of all senders: sockets have taken them, and the server did not say otherwise.
    pub fn accepted(&self) -> u64 {
        self.taken().map(u64::from).sum::<u64>().saturating_sub(self.not_accepted())
    }

    /// Lines sent by one sender.
    pub fn accepted_of(&self, sender: u16) -> u32 {
        self.accepted.get(usize::from(sender)).copied().unwrap_or_default()
    }

    /// Deliveries that there were to be: to those that stay, and, to those that come and go, what came.
    pub fn expected(&self) -> u64 {
        let waiting: u64 = self.waiting.iter().map(|lines| u64::from(*lines)).sum();
        self.expected - waiting * u64::from(self.receivers()) + self.churned
    }
}
