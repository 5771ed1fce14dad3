//! What was said, kept in a file: `keeper` runs the threads `writer` and `reader`, `store` is the file, [`tools`] and
//! [`accounts`] are the operator's, [`passwords`] compares them on a thread of its own. The chat gives [`crate::batch::Work`], and asks; it never waits.

pub mod accounts;
mod desk;
mod duty;
mod filling;
mod hold;
mod keeper;
mod parcel;
pub mod passwords;
mod reader;
mod store;
pub mod tools;
mod writer;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::options::{HistoryOptions, HistoryPlace};
pub use desk::Bell;
#[cfg(feature = "sabotage")]
pub use duty::DEADLY_WORDS;
pub use hold::Hold;
pub use keeper::{Keeper, Manner, News, QUESTIONS_MAX, State, WAITING_BYTES_MAX};
pub use parcel::{Parcel, SESSIONS_WAITING_MAX};
pub use store::{
    BUSY_WAIT, CLOCK_SET_MS, INDEX_LEAP_LINES, Journal, Opening, Pruned, Retention, Store, StoreError, Sweep,
    TakenIn,
};

/// What the file is called in a folder of ours.
const FILE_NAME: &str = "history.db";

/// Where the history is if nobody says: in the folder that the service manager gives, else in the user's own for what
/// programs remember (XDG Base Directory Specification). None: there is no such folder.
fn default_path() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = || {
        let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
        state.map(|state| state.join("tertulia"))
    };
    folder("STATE_DIRECTORY").or_else(own).map(|folder| folder.join(FILE_NAME))
}

/// The file that the options mean; the folder of the usual one is made. None: there is to be none.
pub fn path(options: &HistoryOptions) -> Result<Option<PathBuf>, String> {
    match &options.place {
        HistoryPlace::None => Ok(None),
        HistoryPlace::File(path) => Ok(Some(path.clone())),
        HistoryPlace::Default => {
            let path =
                default_path().ok_or("no folder for the history; pass --history FILE, or --history none")?;
            let folder = path.parent().unwrap_or(Path::new("/"));
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| {
                format!("{}: {error}; pass --history FILE, or --history none", folder.display())
            })?;
            Ok(Some(path))
        }
    }
}
