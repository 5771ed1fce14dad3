//! The notices of the desktop, by the program that desktops have for it. A library for their bus costs more memory and more
//! of the binary than the rest of this window's core; a process that lives for a moment costs neither.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::model::Notification;

/// Notices that wait for their turn; a further one is dropped: who is told of eight does not need the ninth.
pub const NOTICES_WAITING_MAX: usize = 8;

/// What tells the desktop.
const PROGRAM: &str = "notify-send";

/// Tells the desktop, if there is one that can be told. Never waits.
#[derive(Debug)]
pub struct Notifier {
    /// None: there is no bus, or no thread could be had.
    queue: Option<SyncSender<Notification>>,
}

impl Notifier {
    /// Looks whether there is a bus. Nothing is started before the first notice.
    pub fn new() -> Self {
        if !has_bus() {
            return Self { queue: None };
        }
        let (queue, notices) = sync_channel(NOTICES_WAITING_MAX);
        let thread = thread::Builder::new().name("notify".to_owned()).stack_size(128 * 1024);
        let is_running = thread.spawn(move || tell_all(&notices)).is_ok();
        Self { queue: is_running.then_some(queue) }
    }

    /// Tells the desktop.
    pub fn notify(&self, notification: Notification) {
        if let Some(queue) = &self.queue {
            // Full: dropped.
            let _ = queue.try_send(notification);
        }
    }
}

impl Default for Notifier {
    fn default() -> Self {
        Self::new()
    }
}

/// A session's bus is named, or stands where the system puts it.
pub(crate) fn has_bus() -> bool {
    let is_set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    is_set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || is_set("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists())
}

fn tell_all(notices: &Receiver<Notification>) {
    for notice in notices {
        let sound = if notice.has_sound {
            "string:sound-name:message-new-instant"
        } else {
            "boolean:suppress-sound:true"
        };
        // Where the program is missing nobody is told; the count in the title is there all the same.
        let _ = Command::new(PROGRAM)
            .args(["--app-name", "Tertulia", "--hint", sound, "--", &notice.title, &escaped(&notice.body)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// The body is read as markup by those who show it; what somebody said is none.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
