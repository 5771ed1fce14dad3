//! The thread that compares and hashes passwords, which takes long on purpose. The chat gives it
//! [`PasswordTask`]s, and is told what came of them; nobody waits for it.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tertulia_wire::secret::Secret;

use super::Bell;
use crate::account::{PasswordTask, Verdict};

/// Tasks that the thread has; the others wait in the chat, which has a bound of its own and drops those of whoever leaves.
const TASKS_AHEAD: usize = 2;

/// Stack of the thread; what the hash needs of memory is not on it.
const STACK_BYTES: usize = 256 * 1024;

/// Lanes of RFC 9106's second recommended setting.
const LANES: u32 = 4;

/// Fewest KiB that so many lanes take.
pub const MEMORY_KIB_MIN: u32 = 8 * LANES;

/// Most KiB: those of RFC 9106's first recommended setting.
pub const MEMORY_KIB_MAX: u32 = 2 * 1024 * 1024;

/// Most passes: a log-in must not take minutes.
pub const PASSES_MAX: u32 = 64;

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

    /// The password as it is kept: a PHC string, with a salt of its own. None: the system gives no random bytes or not so
    /// much memory, or the cost cannot be.
    pub fn hash(self, password: &str) -> Option<Secret<String>> {
        let mut salt = [0; 16];
        rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty()).ok()?;
        let salt = SaltString::encode_b64(&salt).ok()?;
        let params = self.params()?;
        let kept = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(salt.as_salt()),
            hash: Some(output(password, salt.as_salt(), params, Params::DEFAULT_OUTPUT_LEN)?),
        };
        Some(Secret(kept.to_string()))
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
        let parts = (kept.algorithm == Algorithm::Argon2id.ident(), kept.salt, kept.hash);
        let (true, Some(salt), Some(hash)) = parts else { return Verdict::default() };
        let Ok(params) = Params::try_from(&kept) else { return Verdict::default() };
        let Some(output) = output(password, salt, params, hash.len()) else {
            return Verdict { is_undecided: true, ..Verdict::default() };
        };
        // Takes as long wherever the two differ.
        let is_right = output == hash;
        let hash = if is_right && !self.is_current(&kept) { self.hash(password) } else { None };
        Verdict { is_right, hash, is_undecided: false }
    }
}

/// What argon2id makes of a password. None: the system does not give so much memory, which must end nothing but the try.
fn output(password: &str, salt: Salt<'_>, params: Params, bytes: usize) -> Option<Output> {
    let mut decoded = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut decoded).ok()?;
    let mut memory = Vec::new();
    memory.try_reserve_exact(params.block_count()).ok()?;
    memory.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let fill = |out: &mut [u8]| {
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory)?)
    };
    Output::init_with(bytes, fill).ok()
}

/// The thread, as the loop sees it. It ends with this value, or a task later.
pub struct Passwords {
    tasks: SyncSender<PasswordTask>,
    /// Tasks that it has and that nothing came of yet.
    under_way: usize,
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
        Ok(Self { tasks, under_way: 0, verdicts })
    }

    /// Whether it takes one more task.
    pub fn takes_tasks(&self) -> bool {
        self.under_way < TASKS_AHEAD
    }

    /// Has a task done.
    pub fn put(&mut self, task: PasswordTask) {
        self.under_way += 1;
        let ticket = task.ticket;
        if self.tasks.try_send(task).is_err() {
            // The thread has ended: nothing is anybody's password.
            lock(&self.verdicts).push((ticket, Verdict { is_undecided: true, ..Verdict::default() }));
        }
    }

    /// What came of tasks since the last call, with their tickets.
    pub fn take_verdicts(&mut self) -> Vec<(u64, Verdict)> {
        let verdicts = std::mem::take(&mut *lock(&self.verdicts));
        self.under_way = self.under_way.saturating_sub(verdicts.len());
        verdicts
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

fn lock(verdicts: &Mutex<Vec<(u64, Verdict)>>) -> std::sync::MutexGuard<'_, Vec<(u64, Verdict)>> {
    verdicts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(cost: Cost, tasks: &Receiver<PasswordTask>, verdicts: &Mutex<Vec<(u64, Verdict)>>, bell: &Bell) {
    let nobody = cost.nobody();
    while let Ok(PasswordTask { ticket, password, kept }) = tasks.recv() {
        let verdict = match kept {
            None => {
                let hash = cost.hash(&password);
                Verdict { is_right: hash.is_some(), is_undecided: hash.is_none(), hash }
            }
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
        assert_eq!(CHEAP.verify("correcta", &kept), Verdict { is_right: true, ..Verdict::default() });
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
        assert_eq!(dearer.verify("correcta", &hash), Verdict { is_right: true, ..Verdict::default() });
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
    #[test]
    fn what_there_is_no_memory_for_is_neither_right_nor_wrong_and_ends_nothing() {
        let greedy = Cost { memory_kib: u32::MAX, passes: 1 };
        assert_eq!(greedy.hash("correcta"), None);
        let undecided = Verdict { is_undecided: true, ..Verdict::default() };
        assert_eq!(CHEAP.verify("correcta", &greedy.nobody()), undecided);
    }

    /// Made by the reference implementation.
    const KNOWN: [(&str, &str); 2] = [
        (
            "correcta",
            "$argon2id$v=19$m=64,t=1,p=4$MDEyMzQ1Njc4OWFiY2RlZg$hILaxc5mWCcsSIJv6bqm7jH/7C5SpU8Dd6wPD43s4+8",
        ),
        (
            "contraseña larga, con eñes",
            "$argon2id$v=19$m=128,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$0kpaAoMKP+rd8ugkrOQ7oH8Vq5hTTbKz",
        ),
    ];

    #[test]
    fn a_hash_that_another_program_made_is_known_whatever_its_cost_and_length() {
        for (password, kept) in KNOWN {
            assert!(CHEAP.verify(password, kept).is_right, "{kept}");
            assert!(!CHEAP.verify("otra", kept).is_right, "{kept}");
        }
    }
}
