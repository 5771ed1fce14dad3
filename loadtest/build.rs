//! Asks git which commit this is, for the reports. Where there is no git, or no repository of this project, it is
//! unknown. What is changed and not committed is not told.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let crate_folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let workspace = crate_folder.parent().unwrap_or(&crate_folder);
    let commit = git(workspace, &["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=TERTULIA_COMMIT={commit}");
    println!("cargo::rerun-if-changed=build.rs");
    // The log grows with every commit, where HEAD may stay the name of a branch.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(workspace, &["rev-parse", "--git-path", name]).map(|path| workspace.join(path));
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

/// What git says in the workspace; it must not look for a repository above, which would be another's.
fn git(workspace: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(workspace);
    if let Some(above) = workspace.parent() {
        command.env("GIT_CEILING_DIRECTORIES", above);
    }
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
