//! `make peers` installs other servers: they are not started, and not enabled, on the machine that compares them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A system without the servers, whose package manager only notes down what it is asked for.
struct System(PathBuf);

impl System {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tertulia-packages-{}-{test}", std::process::id()));
        fs::create_dir_all(path.join("bin")).unwrap();
        fs::create_dir_all(path.join("usr/sbin")).unwrap();
        let system = Self(path);
        for name in ["bash", "env", "sh", "sed", "id", "rm", "chmod", "cat"] {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
            let tool = found.iter().find(|tool| tool.exists()).expect(name);
            symlink(tool, system.0.join("bin").join(name)).unwrap();
        }
        for name in ["cargo", "cc", "python3"] {
            system.has(name, "");
        }
        system.has("sudo", "exec \"$@\"");
        system
            .has("apt-get", "echo \"apt-get $1\" >>\"$LOG\"; [ $1 = update ] || cat \"$POLICY\" >>\"$LOG\"");
        system.has(
            "dpkg-query",
            "echo /lib/systemd/system/$2.service; echo /usr/lib/systemd/system/$2@.service",
        );
        system.has("systemctl", "echo \"systemctl $*\" >>\"$LOG\"");
        system
    }

    fn has(&self, name: &str, script: &str) {
        let path = self.0.join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    fn installs(&self, what: &str) -> (Output, Vec<String>) {
        let log = self.0.join("log");
        let output = Command::new(self.0.join("bin/bash"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/deps"))
            .arg(what)
            .env_clear()
            .env("PATH", self.0.join("bin"))
            .env("DEPS_ROOT", &self.0)
            .env("POLICY", self.policy())
            .env("LOG", &log)
            .output()
            .unwrap();
        let log = fs::read_to_string(log).unwrap_or_default();
        (output, log.lines().map(str::to_owned).collect())
    }

    fn policy(&self) -> PathBuf {
        self.0.join("usr/sbin/policy-rc.d")
    }
}

impl Drop for System {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Units that were disabled.
fn disabled(log: &[String]) -> Vec<&str> {
    let calls = log.iter().filter(|line| line.starts_with("systemctl disable"));
    calls.filter_map(|line| line.split(' ').next_back()).collect()
}

#[test]
fn servers_to_compare_with_are_neither_started_nor_left_enabled() {
    let system = System::new("all");
    let (output, log) = system.installs("peers");
    assert!(output.status.success(), "{output:?}");
    let installed = log.iter().position(|line| line == "apt-get install").unwrap();
    assert_eq!(log[installed + 1..installed + 3], ["#!/bin/sh", "exit 101"], "nothing may start: {log:?}");
    for unit in ["ngircd.service", "mosquitto.service", "nats-server.service", "redis-server.service"] {
        assert!(disabled(&log[installed..]).contains(&unit), "{unit}: {log:?}");
    }
    assert!(!system.policy().exists(), "the policy is for this alone");
}

#[test]
fn a_server_that_was_there_before_and_a_policy_of_somebody_elses_stay_as_they_are() {
    let system = System::new("before");
    system.has("mosquitto", "");
    fs::write(system.policy(), "#!/bin/sh\nexit 0\n").unwrap();
    let (output, log) = system.installs("peers");
    assert!(output.status.success(), "{output:?}");
    assert!(
        !disabled(&log).contains(&"mosquitto.service") && disabled(&log).contains(&"ngircd.service"),
        "{log:?}"
    );
    assert_eq!(fs::read_to_string(system.policy()).unwrap(), "#!/bin/sh\nexit 0\n");
}

#[test]
fn what_cannot_be_installed_leaves_no_policy_behind() {
    let system = System::new("broken");
    system.has("apt-get", "[ $1 = update ]");
    assert!(!system.installs("peers").0.status.success());
    assert!(!system.policy().exists());
}
