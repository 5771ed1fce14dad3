//! A queue with a bound that takes memory only for what waits in it. The library's own with a bound has a place for each
//! from the beginning: megabytes, where much may wait and nearly never does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError, TrySendError};
use std::time::Duration;

/// A queue in which at most so many wait.
pub(super) fn queue<T>(most: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    (Sender { sender, waiting: Arc::clone(&waiting), most }, Receiver { receiver, waiting })
}

/// Where it is put in.
#[derive(Debug)]
pub(super) struct Sender<T> {
    sender: mpsc::Sender<T>,
    waiting: Arc<AtomicUsize>,
    most: usize,
}

/// Where it is taken out.
#[derive(Debug)]
pub(super) struct Receiver<T> {
    receiver: mpsc::Receiver<T>,
    waiting: Arc<AtomicUsize>,
}

impl<T> Sender<T> {
    /// Puts it in, and never waits. Given back: there is no place, or nobody takes anything out any more.
    pub(super) fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        // Counted before it can be taken out.
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.most {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(TrySendError::Full(value));
        }
        self.sender.send(value).map_err(|error| TrySendError::Disconnected(error.0))
    }
}

impl<T> Receiver<T> {
    /// What has waited longest, if there is anything.
    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        self.receiver.try_recv().inspect(|_| self.note_taken())
    }

    /// The same; waits for it, but not longer than that.
    pub(super) fn recv_timeout(&self, at_most: Duration) -> Result<T, RecvTimeoutError> {
        self.receiver.recv_timeout(at_most).inspect(|_| self.note_taken())
    }

    fn note_taken(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<T> Drop for Receiver<T> {
    /// A full queue that nobody empties any more is one without an end, not one that has to be waited for.
    fn drop(&mut self) {
        self.waiting.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_wait_than_may_and_what_is_taken_makes_place() {
        let (sender, receiver) = queue(2);
        assert_eq!([1, 2, 3].map(|number| sender.try_send(number).is_ok()), [true, true, false]);
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(sender.try_send(4), Ok(()));
        assert_eq!(sender.try_send(5), Err(TrySendError::Full(5)));
        assert_eq!(receiver.try_recv(), Ok(2));
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Ok(4));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }

    #[test]
    fn where_nobody_takes_anything_out_it_is_not_full_but_over() {
        let (sender, receiver) = queue(1);
        assert_eq!(sender.try_send(1), Ok(()));
        drop(receiver);
        assert_eq!(sender.try_send(2), Err(TrySendError::Disconnected(2)));
        let (sender, receiver) = queue::<u8>(1);
        drop(sender);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    }
}
