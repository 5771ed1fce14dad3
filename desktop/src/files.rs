//! The files of a profile: where they are, and how one is written so that it is there whole, the old one or the new one,
//! whatever kills the program. Knows nothing of what stands in them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use etcetera::{AppStrategy, AppStrategyArgs};
use rustix::fs::{FlockOperation, flock};

use crate::phrases::{Language, Phrase, Sentence};
use crate::trouble;

/// The profile that is used where none is named.
pub const PROFILE_DEFAULT: &str = "default";

/// Profiles that are looked at for one that nobody has open, where none is named: more windows than anybody has.
pub const PROFILES_TRIED_MAX: u32 = 32;

/// Longest name of a profile, in bytes: it is the name of a folder.
pub const PROFILE_BYTES_MAX: usize = 64;

/// Longest file that is read: far more than a session with all the lines that may wait in it.
pub const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Damaged files that are kept beside the good one; then the last of them is written over.
const ASIDE_MAX: u32 = 10;

/// For whom alone files are: there are secrets in them.
const FILE_MODE: u32 = 0o600;
/// See [`FILE_MODE`].
const FOLDER_MODE: u32 = 0o700;

/// What cannot be had of a file, and which.
#[derive(Debug)]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why, as the system says it.
    pub error: io::Error,
}

impl FileError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self { path, error }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for FileError {}

/// Why a profile cannot be used.
#[derive(Debug)]
pub enum ProfileError {
    /// Its name cannot be a folder's.
    Name(String),
    /// The system names no folder for this user's files.
    NoHome,
    /// Another window has it open.
    InUse,
    /// A folder or the lock cannot be made.
    File(FileError),
}

impl ProfileError {
    /// What is wrong, and what to do, for the person.
    pub fn sentence(&self, profile: Option<&str>, language: Language) -> Sentence {
        match self {
            Self::Name(name) => Sentence::new(Phrase::ProfileInvalid, &[name]),
            Self::NoHome => Sentence::from(Phrase::NoHome),
            Self::InUse => Sentence::new(Phrase::ProfileInUse, &[profile.unwrap_or(PROFILE_DEFAULT)]),
            Self::File(FileError { path, error }) => Sentence::new(
                Phrase::FolderFailed,
                &[&path.display().to_string(), &trouble::why(error).in_language(language)],
            ),
        }
    }
}

/// A profile that nobody else has open as long as the value lives.
#[derive(Debug)]
pub struct Profile {
    name: String,
    /// What a person chose.
    settings: PathBuf,
    /// What a person chose in the usual profile, in whose place this one is.
    model: Option<PathBuf>,
    /// What the program remembers.
    state: PathBuf,
    /// Held, not read: the lock goes with it, also where the program is killed.
    _lock: File,
}

impl Profile {
    /// Opens a profile under the folders that the system names for this user, and makes what is missing. None named: the
    /// usual one, or if that is open already the next that is free: `default-2`, `default-3`, up to [`PROFILES_TRIED_MAX`].
    pub fn open(name: Option<&str>) -> Result<Self, ProfileError> {
        let (config, state) = folders()?;
        match name {
            Some(name) => Self::open_under(&config, &state, name),
            None => Self::open_free_under(&config, &state),
        }
    }

    /// The usual profile under these folders, or the next that nobody has open.
    pub fn open_free_under(config: &Path, state: &Path) -> Result<Self, ProfileError> {
        let others = (2..=PROFILES_TRIED_MAX).map(|number| format!("{PROFILE_DEFAULT}-{number}"));
        for name in std::iter::once(PROFILE_DEFAULT.to_owned()).chain(others) {
            match Self::open_under(config, state, &name) {
                Err(ProfileError::InUse) => {}
                Ok(profile) if name != PROFILE_DEFAULT => {
                    let model = Some(settings_file(config, PROFILE_DEFAULT));
                    return Ok(Self { model, ..profile });
                }
                other => return other,
            }
        }
        Err(ProfileError::InUse)
    }

    /// A profile under these folders.
    pub fn open_under(config: &Path, state: &Path, name: &str) -> Result<Self, ProfileError> {
        if !is_profile(name) {
            return Err(ProfileError::Name(name.to_owned()));
        }
        let state = state.join(name);
        for folder in [config, &state] {
            make_folder(folder).map_err(FileError::at(folder)).map_err(ProfileError::File)?;
        }
        let path = state.join("lock");
        let lock = open_private(&path).map_err(FileError::at(&path)).map_err(ProfileError::File)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(ProfileError::InUse),
            Err(error) => {
                return Err(ProfileError::File(FileError { path, error: error.into() }));
            }
        }
        let settings = settings_file(config, name);
        Ok(Self { name: name.to_owned(), settings, model: None, state, _lock: lock })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of what a person chose.
    pub fn settings(&self) -> &Path {
        &self.settings
    }

    /// The file whose choices hold, but for the name, until this profile has its own: that of the usual profile, in whose
    /// place this one was opened. None: it was asked for.
    pub fn settings_model(&self) -> Option<&Path> {
        self.model.as_deref()
    }

    /// The file of what was begun and not sent.
    pub fn drafts(&self) -> PathBuf {
        self.state.join("drafts.toml")
    }

    /// The file of the session: what was said and not answered, and the token, which is a secret.
    pub fn session(&self) -> PathBuf {
        self.state.join("session")
    }
}

/// Where the system wants what this user chose, and what a program remembers.
fn folders() -> Result<(PathBuf, PathBuf), ProfileError> {
    let app = AppStrategyArgs {
        top_level_domain: String::new(),
        author: String::new(),
        app_name: "tertulia".to_owned(),
    };
    let strategy = etcetera::app_strategy::choose_app_strategy(app).map_err(|_| ProfileError::NoHome)?;
    let state = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok((strategy.config_dir(), state))
}

fn settings_file(config: &Path, name: &str) -> PathBuf {
    config.join(format!("{name}.toml"))
}

/// Whether a profile may be called so.
fn is_profile(name: &str) -> bool {
    let is_right = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty()
        && name.len() <= PROFILE_BYTES_MAX
        && !name.starts_with('.')
        && name.chars().all(is_right)
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)
}

/// What stands in a text file. `None`: there is none yet.
pub fn read(path: &Path) -> Result<Option<String>, FileError> {
    let read = || {
        let bytes = fs::metadata(path)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{bytes} bytes")));
        }
        fs::read_to_string(path)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::at(path)(error)),
    }
}

/// Whether a file outlives a power cut as well as the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// It outlives the program however that ends.
    Program,
    /// It outlives a power cut; the disk is waited for.
    Power,
}

/// Writes a file so that either the old one or the whole new one is there, whenever the program ends.
pub fn write(path: &Path, text: &str, lasting: Lasting) -> Result<(), FileError> {
    let beside = path.with_extension("new");
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(&beside)?;
        file.write_all(text.as_bytes())?;
        if lasting == Lasting::Power {
            file.sync_data()?;
        }
        fs::rename(&beside, path)?;
        // The name is the folder's to keep.
        match path.parent().filter(|_| lasting == Lasting::Power) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(FileError::at(path))
}

/// Moves a file that cannot be read out of the way, and says where it is now: nothing that is in it is lost.
pub fn set_aside(path: &Path) -> Result<PathBuf, FileError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = |number: u32| path.with_file_name(format!("{name}.damaged-{number}"));
    let free = (1..ASIDE_MAX).map(place).find(|place| !place.exists()).unwrap_or_else(|| place(ASIDE_MAX));
    fs::rename(path, &free).map_err(FileError::at(path))?;
    Ok(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that goes with the value.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tertulia-files-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn where_no_profile_is_named_each_window_gets_the_next_that_is_free() {
        let folder = Folder::new("free");
        let open = || Profile::open_free_under(&folder.0.join("config"), &folder.0.join("state")).unwrap();
        let (first, second, third) = (open(), open(), open());
        assert_eq!([first.name(), second.name(), third.name()], ["default", "default-2", "default-3"]);
        assert_eq!((first.settings_model(), second.settings_model()), (None, Some(first.settings())));
        assert_ne!(first.session(), second.session());
        drop(second);
        assert_eq!(open().name(), "default-2");
        drop(first);
        assert_eq!(open().name(), "default");
    }

    #[test]
    fn a_profile_that_is_named_is_that_one_or_none() {
        let folder = Folder::new("named");
        let open = |name| Profile::open_under(&folder.0, &folder.0.join("state"), name);
        let held = open("ana").unwrap();
        let error = open("ana").unwrap_err();
        let es = crate::phrases::Language::Es;
        let sentence = error.sentence(Some("ana"), es).in_language(es);
        assert!(sentence.contains("«ana»") && sentence.contains("--profile"), "{sentence}");
        assert_eq!(held.settings_model(), None);
        assert!(matches!(open("../ana"), Err(ProfileError::Name(_))));
    }
}
