//! Opens links with the desktop's program, and hears whether that could. Nobody waits for it.

use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What opens a link.
const PROGRAM: &str = "xdg-open";

/// Links that are being opened, at most: the program may stay as long as what it has opened.
pub const OPENING_MAX: usize = 16;

/// Opens links.
pub struct Opener {
    failures: Receiver<Option<String>>,
    ended: Sender<Option<String>>,
    opening: usize,
    bell: std::sync::Arc<dyn Fn() + Send + Sync>,
}

impl Opener {
    /// The bell is rung from another thread when there may be something to take.
    pub fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        let (ended, failures) = channel();
        Self { failures, ended, opening: 0, bell: std::sync::Arc::new(bell) }
    }

    /// Opens a link. False: it cannot be tried.
    pub fn open(&mut self, url: &str) -> bool {
        if self.opening >= OPENING_MAX {
            return false;
        }
        let mut command = Command::new(PROGRAM);
        command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else { return false };
        let (ended, bell, url) = (self.ended.clone(), self.bell.clone(), url.to_owned());
        let thread = thread::Builder::new().name("opener".to_owned()).stack_size(128 * 1024);
        let waits = thread.spawn(move || {
            let is_opened = child.wait().is_ok_and(|status| status.success());
            let _ = ended.send((!is_opened).then_some(url));
            bell();
        });
        self.opening += usize::from(waits.is_ok());
        true
    }

    /// The next link that could not be opened.
    pub fn take_failure(&mut self) -> Option<String> {
        while let Ok(failure) = self.failures.try_recv() {
            self.opening = self.opening.saturating_sub(1);
            if failure.is_some() {
                return failure;
            }
        }
        None
    }
}
