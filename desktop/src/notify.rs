//! The notices of the desktop, by the program that desktops have for it. A library for their bus costs more memory and more
//! of the binary than the rest of this window's core; a process for as long as a notice stands costs neither.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::model::{ConversationId, Notification};

/// Notices that may be clicked, at most; of the oldest it is then not heard any more.
pub const NOTICES_OPEN_MAX: usize = 8;

/// What tells the desktop.
const PROGRAM: &str = "notify-send";

/// What it says when a notice was clicked.
const CLICKED: &str = "default";

/// Tells the desktop, if there is one that can be told, and hears what is clicked. Never waits.
pub struct Notifier {
    has_bus: bool,
    open: VecDeque<Open>,
    next: u64,
    ended: Sender<Ended>,
    ends: Receiver<Ended>,
    bell: Arc<dyn Fn() + Send + Sync>,
}

/// A notice that stands there.
struct Open {
    number: u64,
    child: Child,
    notice: Notification,
}

/// A notice is gone, and with these words.
struct Ended {
    number: u64,
    said: String,
}

impl Notifier {
    /// Looks whether there is a bus. The bell is rung from another thread when there may be something to take.
    pub fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        let (ended, ends) = channel();
        let bell = Arc::new(bell);
        Self { has_bus: has_bus(), open: VecDeque::new(), next: 0, ended, ends, bell }
    }

    /// Tells the desktop. Where the program is missing nobody is told; the count in the title is there all the same.
    pub fn notify(&mut self, notice: Notification) {
        if !self.has_bus {
            return;
        }
        if self.open.len() >= NOTICES_OPEN_MAX {
            if let Some(mut oldest) = self.open.pop_front() {
                // It stands there still; only nobody listens.
                let _ = oldest.child.kill();
                let _ = oldest.child.wait();
            }
        }
        let _ = self.listen(notice);
    }

    fn listen(&mut self, notice: Notification) -> io::Result<()> {
        let mut child = command(&notice, true).stdout(Stdio::piped()).spawn()?;
        let (number, ended, bell) = (self.next, self.ended.clone(), Arc::clone(&self.bell));
        let said = child.stdout.take();
        let listener = thread::Builder::new().name("notify".to_owned()).stack_size(128 * 1024);
        self.next = self.next.wrapping_add(1);
        self.open.push_back(Open { number, child, notice });
        listener.spawn(move || {
            let mut text = String::new();
            // What cannot be read says nothing.
            let _ = said.map(|mut said| said.read_to_string(&mut text));
            let _ = ended.send(Ended { number, said: text });
            bell();
        })?;
        Ok(())
    }

    /// The next conversation of which a notice was clicked.
    pub fn take_clicked(&mut self) -> Option<ConversationId> {
        while let Ok(Ended { number, said }) = self.ends.try_recv() {
            let position = self.open.iter().position(|open| open.number == number);
            let Some(mut open) = position.and_then(|position| self.open.remove(position)) else { continue };
            let is_refused = open.child.wait().is_ok_and(|status| status.code().is_some_and(|code| code > 0));
            if said.trim() == CLICKED {
                return Some(open.notice.conversation);
            }
            if is_refused {
                tell_plainly(open.notice);
            }
        }
        None
    }
}

/// For a program that knows nothing of clicks: it only tells.
fn tell_plainly(notice: Notification) {
    let thread = thread::Builder::new().name("notify".to_owned()).stack_size(128 * 1024);
    // Without a thread nobody is told.
    let _ = thread.spawn(move || command(&notice, false).stdout(Stdio::null()).status());
}

/// A session's bus is named, or stands where the system puts it.
pub(crate) fn has_bus() -> bool {
    let is_set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    is_set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || is_set("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists())
}

/// What tells a notice, and with a click on it ends with [`CLICKED`] where it can be clicked.
fn command(notice: &Notification, can_be_clicked: bool) -> Command {
    let sound = if notice.has_sound {
        "string:sound-name:message-new-instant"
    } else {
        "boolean:suppress-sound:true"
    };
    let mut command = Command::new(PROGRAM);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command.args(["--app-name", "Tertulia", "--hint", sound]);
    if can_be_clicked {
        command.args(["--action", "default=Tertulia"]);
    }
    // What somebody said is no flag.
    command.args(["--", &notice.title, &escaped(&notice.body)]);
    command
}

/// The body is read as markup by those who show it; what somebody said is none.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
