//! The thread that compares and hashes passwords, which takes long on purpose. The chat gives it
//! [`PasswordTask`]s, and is told what came of them; nobody waits for it.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tertulia_wire::secret::Secret;

use super::Bell;
use crate::account::{PasswordTask, Verdict};

/// Tasks that lie before the thread; the others wait in the chat, which has a bound of its own.
const TASKS_AHEAD: usize = 4;

/// Stack of the thread; what the hash needs of memory is not on it.
const STACK_BYTES: usize = 256 * 1024;

/// Lanes of RFC 9106's second recommended setting.
const LANES: u32 = 4;

/// Fewest KiB that so many lanes take.
pub const MEMORY_KIB_MIN: u32 = 8 * LANES;

/// What a guess costs: RFC 9106, section 4, second recommended setting, unless it is too much for the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3 }
    }
}

impl Cost {
    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, LANES, None).ok()
    }

    /// The password as it is kept: a PHC string, with a salt of its own. None: the system gives no random bytes, or the
    /// cost cannot be.
    pub fn hash(self, password: &str) -> Option<Secret<String>> {
        let mut salt = [0; 16];
        rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty()).ok()?;
        let salt = SaltString::encode_b64(&salt).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params()?);
        Some(Secret(argon2.hash_password(password.as_bytes(), &salt).ok()?.to_string()))
    }

    /// Whether this is the password, and what it is to be kept as from now on, if that was hashed at another cost.
    fn verify(self, password: &str, kept: &str) -> Verdict {
        let Ok(kept) = PasswordHash::new(kept) else { return Verdict::default() };
        let is_right = Argon2::default().verify_password(password.as_bytes(), &kept).is_ok();
        let cost = |params: Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let is_current = Params::try_from(&kept).ok().map(cost) == self.params().map(cost);
        let hash = if is_right && !is_current { self.hash(password) } else { None };
        Verdict { is_right, hash }
    }
}

/// The thread, as the loop sees it. It ends with this value, or a task later.
pub struct Passwords {
    tasks: SyncSender<PasswordTask>,
    /// Had no place before the thread.
    waiting: VecDeque<PasswordTask>,
    verdicts: Arc<Mutex<Vec<(u64, Verdict)>>>,
}

impl Passwords {
    /// Starts the thread. `bell` rings when there is a verdict.
    pub fn start(cost: Cost, bell: Bell) -> io::Result<Self> {
        let (tasks, ahead) = sync_channel(TASKS_AHEAD);
        let verdicts = Arc::new(Mutex::new(Vec::new()));
        let given = Arc::clone(&verdicts);
        let thread = thread::Builder::new().name("passwords".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(move || run(cost, &ahead, &given, &bell))?;
        Ok(Self { tasks, waiting: VecDeque::new(), verdicts })
    }

    /// Has a task done.
    pub fn put(&mut self, task: PasswordTask) {
        self.waiting.push_back(task);
        self.hand_over();
    }

    fn hand_over(&mut self) {
        while let Some(task) = self.waiting.pop_front() {
            match self.tasks.try_send(task) {
                Ok(()) => {}
                Err(TrySendError::Full(task)) => return self.waiting.push_front(task),
                // The thread has ended: nothing is anybody's password.
                Err(TrySendError::Disconnected(task)) => {
                    lock(&self.verdicts).push((task.ticket, Verdict::default()));
                }
            }
        }
    }

    /// What came of tasks since the last call, with their tickets.
    pub fn take_verdicts(&mut self) -> Vec<(u64, Verdict)> {
        self.hand_over();
        std::mem::take(&mut *lock(&self.verdicts))
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

fn lock(verdicts: &Mutex<Vec<(u64, Verdict)>>) -> std::sync::MutexGuard<'_, Vec<(u64, Verdict)>> {
    verdicts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(cost: Cost, tasks: &Receiver<PasswordTask>, verdicts: &Mutex<Vec<(u64, Verdict)>>, bell: &Bell) {
    // What is compared where there is no account: that takes as long.
    let nobody = cost.hash("");
    while let Ok(PasswordTask { ticket, password, kept }) = tasks.recv() {
        let verdict = match kept {
            None => Verdict { is_right: true, hash: cost.hash(&password) },
            Some(Some(kept)) => cost.verify(&password, &kept),
            Some(None) => {
                let nobody = nobody.as_deref().map_or("", String::as_str);
                let _ = cost.verify(&password, nobody);
                Verdict::default()
            }
        };
        lock(verdicts).push((ticket, verdict));
        bell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: MEMORY_KIB_MIN, passes: 1 };

    #[test]
    fn a_password_is_known_again_and_another_is_not() {
        let kept = CHEAP.hash("correcta").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=32,t=1,p=4$"), "{}", *kept);
        assert_eq!(CHEAP.verify("correcta", &kept), Verdict { is_right: true, hash: None });
        for wrong in ["Correcta", "", "correcta "] {
            assert_eq!(CHEAP.verify(wrong, &kept), Verdict::default());
        }
        assert_ne!(CHEAP.hash("correcta"), CHEAP.hash("correcta"));
    }

    #[test]
    fn a_password_that_was_hashed_at_another_cost_is_hashed_anew_when_it_is_right() {
        let kept = CHEAP.hash("correcta").unwrap();
        let dearer = Cost { passes: 2, ..CHEAP };
        let hash = dearer.verify("correcta", &kept).hash.unwrap();
        assert!(hash.contains(",t=2,"));
        assert_eq!(dearer.verify("otra", &kept), Verdict::default());
        assert_eq!(dearer.verify("correcta", &hash), Verdict { is_right: true, hash: None });
    }

    #[test]
    fn what_is_no_hash_is_nobodys_password() {
        for kept in ["", "correcta", "$argon2id$", "$argon2id$v=19$m=32,t=1,p=4$!$!"] {
            assert_eq!(CHEAP.verify("correcta", kept), Verdict::default());
        }
    }
}
