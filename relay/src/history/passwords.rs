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

    /// What is compared where there is no account: nobody's password, at this cost.
    fn nobody(self) -> String {
        let Self { memory_kib, passes } = self;
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={LANES}${salt}${hash}")
    }

    /// Whether this is how passwords are hashed now.
    fn is_current(self, kept: &PasswordHash<'_>) -> bool {
        let cost = |params: Params| (params.m_cost(), params.t_cost(), params.p_cost());
        Params::try_from(kept).ok().map(cost) == self.params().map(cost)
    }

    /// What is compared after a wrong guess, so that it takes as long as for an account that is not there: nothing more,
    /// unless the password was hashed at another cost.
    fn compared_besides(self, kept: &str) -> Option<String> {
        let is_current = PasswordHash::new(kept).is_ok_and(|kept| self.is_current(&kept));
        (!is_current).then(|| self.nobody())
    }

    /// Whether this is the password, and what it is to be kept as from now on, if that was hashed at another cost.
    fn verify(self, password: &str, kept: &str) -> Verdict {
        let Ok(kept) = PasswordHash::new(kept) else { return Verdict::default() };
        let is_right = Argon2::default().verify_password(password.as_bytes(), &kept).is_ok();
        let hash = if is_right && !self.is_current(&kept) { self.hash(password) } else { None };
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
    let nobody = cost.nobody();
    while let Ok(PasswordTask { ticket, password, kept }) = tasks.recv() {
        let verdict = match kept {
            None => Verdict { is_right: true, hash: cost.hash(&password) },
            Some(Some(kept)) => {
                let verdict = cost.verify(&password, &kept);
                if let Some(nobody) = cost.compared_besides(&kept).filter(|_| !verdict.is_right) {
                    let _ = cost.verify(&password, &nobody);
                }
                verdict
            }
            Some(None) => {
                let _ = cost.verify(&password, &nobody);
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
    fn what_nobody_has_as_a_password_costs_what_any_other_does() {
        let nobody = CHEAP.nobody();
        let params = Params::try_from(&PasswordHash::new(&nobody).unwrap()).unwrap();
        let current = CHEAP.params().unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (current.m_cost(), 1, LANES));
        let kept = CHEAP.hash("correcta").unwrap();
        assert_eq!(nobody.len(), kept.len());
        assert_eq!(CHEAP.verify("correcta", &nobody), Verdict::default());
    }

    #[test]
    fn a_wrong_guess_at_what_was_hashed_at_another_cost_takes_as_long_as_where_nobody_is() {
        let kept = CHEAP.hash("correcta").unwrap();
        assert_eq!(CHEAP.compared_besides(&kept), None);
        let dearer = Cost { passes: 2, ..CHEAP };
        assert_eq!(dearer.compared_besides(&kept), Some(dearer.nobody()));
        assert_eq!(CHEAP.compared_besides("no es nada"), Some(CHEAP.nobody()));
    }

    #[test]
    fn what_is_no_hash_is_nobodys_password() {
        for kept in ["", "correcta", "$argon2id$", "$argon2id$v=19$m=32,t=1,p=4$!$!"] {
            assert_eq!(CHEAP.verify("correcta", kept), Verdict::default());
        }
    }
}
