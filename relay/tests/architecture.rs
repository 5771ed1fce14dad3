//! The invariants of ARCHITECTURE.md, checked on the sources themselves.

#![allow(clippy::expect_used, reason = "a source that cannot be read fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINES_OF_A_FILE_MAX: usize = 400;
const LINES_OF_A_FUNCTION_MAX: usize = 70;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            found.push((path, text));
        }
    }
    assert!(!found.is_empty(), "no sources in {}", folder.display());
    found
}

/// The code of a file: without its tests and without comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn assert_names_none_of(files: &[(PathBuf, String)], words: &[&str]) {
    for (path, text) in files {
        let code = code(text);
        for word in words {
            assert!(!code.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn wire_names_no_socket_thread_file_or_clock() {
    let files = sources(&workspace().join("wire/src"));
    assert_names_none_of(
        &files,
        &["std::net", "std::io", "std::fs", "std::thread", "Instant", "SystemTime", "mio"],
    );
}

#[test]
fn the_core_of_the_relay_names_no_socket_thread_file_or_clock() {
    let folder = workspace().join("relay/src");
    let mut core = sources(&folder.join("chat"));
    for name in [
        "account.rs",
        "batch.rs",
        "cidr.rs",
        "log.rs",
        "flood.rs",
        "moment.rs",
        "phrases.rs",
        "proxy.rs",
        "sabotage.rs",
    ] {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).expect("a source of the core");
        core.push((path, text));
    }
    for (_, text) in &mut core {
        *text = text.replace("use std::io::IoSlice;", "");
    }
    let words =
        ["mio", "std::net", "std::io", "std::fs", "std::thread", "Instant", "SystemTime", "crate::server"];
    assert_names_none_of(&core, &words);
}

#[test]
fn the_core_of_the_load_generator_names_no_socket_thread_file_or_clock() {
    let folder = workspace().join("loadtest/src");
    let mut core = sources(&folder.join("protocol"));
    core.extend(sources(&folder.join("html")));
    let names = "answers bounds filed flights followers judged latency measured names plan report returns schedule stamp stats tally text timeline traced transcript verdict";
    for name in names.split(' ') {
        let path = folder.join(name).with_extension("rs");
        let text = fs::read_to_string(&path).expect("a source of the core");
        core.push((path, text));
    }
    for (_, text) in &mut core {
        // Addresses, which are numbers.
        *text = text.replace("use std::net::{IpAddr, Ipv4Addr};", "");
    }
    assert_names_none_of(
        &core,
        &["mio", "std::net", "std::io", "std::fs", "std::thread", "Instant", "SystemTime", "crate::swarm"],
    );
}

#[test]
fn the_core_of_the_bridge_names_no_socket_thread_file_or_clock_and_only_its_client_calls() {
    let folder = workspace().join("tgbridge/src");
    let mut core = sources(&folder.join("bridge"));
    for name in ["phrases.rs", "telegram/types.rs", "telegram/reply.rs", "telegram/date.rs"] {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).expect("a source of the core");
        core.push((path, text));
    }
    let words = [
        "tokio",
        "reqwest",
        "std::net",
        "std::io",
        "std::fs",
        "std::thread",
        "Instant",
        "SystemTime",
        "Token",
    ];
    assert_names_none_of(&core, &words);
    let mut others = sources(&folder);
    others.retain(|(path, _)| !path.ends_with("telegram/client.rs"));
    assert_names_none_of(&others, &["reqwest"]);
}

#[test]
fn only_the_swarm_of_the_load_generator_and_its_floor_own_a_poll() {
    let folder = workspace().join("loadtest/src");
    let mut others = sources(&folder);
    others.retain(|(path, _)| !path.ends_with("swarm.rs") && !path.ends_with("floor.rs"));
    assert_names_none_of(&others, &["Poll::", "mio::Poll", "Events::"]);
}

#[test]
fn only_the_server_owns_the_poll_and_the_slab() {
    let folder = workspace().join("relay/src");
    let outside: Vec<_> =
        sources(&folder).into_iter().filter(|(path, _)| !path.starts_with(folder.join("server"))).collect();
    assert_names_none_of(&outside, &["Poll", "Slab", "slab::"]);
}

#[test]
fn only_the_store_of_the_history_names_its_database() {
    let mut files = sources(&workspace().join("relay/src"));
    let store = workspace().join("relay/src/history/store");
    files.retain(|(path, _)| !path.starts_with(&store));
    assert_names_none_of(&files, &["rusqlite"]);
}

#[test]
fn only_the_connections_and_the_certificate_name_tls() {
    let folder = workspace().join("relay/src");
    let mut others = sources(&folder);
    others.retain(|(path, _)| {
        !path.ends_with("server/tls.rs") && !path.starts_with(folder.join("certificate"))
    });
    assert_names_none_of(&others, &["rustls::", "use ring", "rcgen::"]);
}

#[test]
fn only_the_connections_write_to_the_sockets_of_clients() {
    let folder = workspace().join("relay/src/server");
    let mut others = sources(&folder);
    // TLS writes for the connections, and the door to those whom it turns away.
    others.retain(|(path, _)| !["conn.rs", "tls.rs", "accept.rs"].iter().any(|name| path.ends_with(name)));
    assert_names_none_of(&others, &[".write(", ".write_all(", ".write_vectored(", ".send("]);
}

#[test]
fn programs_depend_on_wire_and_on_no_other_crate_of_the_project() {
    for (program, allowed) in [("wire", 0), ("relay", 1), ("desktop", 1), ("tgbridge", 1), ("loadtest", 1)] {
        let manifest = workspace().join(program).join("Cargo.toml");
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--manifest-path"])
            .arg(&manifest)
            .output()
            .expect("cargo tree");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8(output.stdout).expect("text");
        let own: Vec<&str> = tree.lines().skip(1).filter(|line| line.starts_with("tertulia-")).collect();
        assert!(own.iter().all(|line| line.starts_with("tertulia-wire ")), "{program}: {own:?}");
        assert!(own.len() <= allowed, "{program}: {own:?}");
    }
}

#[test]
fn wire_depends_on_memchr_alone_unless_a_program_asks_for_tls() {
    let manifest = fs::read_to_string(workspace().join("wire/Cargo.toml")).expect("a manifest");
    let dependencies = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next());
    let all = dependencies.unwrap_or_default().lines().filter(|line| !line.is_empty());
    let (optional, always): (Vec<&str>, Vec<&str>) =
        all.partition(|line| line.ends_with("optional = true }"));
    assert_eq!(always, ["memchr.workspace = true"]);
    assert!(optional.iter().all(|line| line.starts_with("ring ") || line.starts_with("rustls ")));
    let relay = fs::read_to_string(workspace().join("relay/Cargo.toml")).expect("a manifest");
    assert!(relay.contains("\ntertulia-wire.workspace = true\n"), "the relay takes none of its features");
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace_which_forbid_unsafe_code() {
    let root = fs::read_to_string(workspace().join("Cargo.toml")).expect("a manifest");
    assert!(root.contains("unsafe_code = \"forbid\""));
    for lint in ["unwrap_used", "expect_used", "panic", "indexing_slicing"] {
        assert!(root.contains(&format!("\n{lint} = ")), "{lint}");
    }
    for member in ["wire", "relay", "desktop", "tgbridge", "loadtest"] {
        let manifest = fs::read_to_string(workspace().join(member).join("Cargo.toml")).expect("a manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member}");
    }
}

#[test]
fn only_the_view_of_the_window_names_its_toolkit_and_only_its_link_sockets() {
    let folder = workspace().join("desktop/src");
    let outside = |name: &str| {
        let mut files = sources(&folder);
        files.retain(|(path, _)| !path.starts_with(folder.join(name)));
        files
    };
    assert_names_none_of(&outside("view"), &["fltk::"]);
    assert_names_none_of(&outside("link"), &["mio::", "std::net"]);
}

#[test]
fn the_core_of_the_window_names_no_widget_socket_thread_file_or_clock() {
    let folder = workspace().join("desktop/src");
    let mut core: Vec<_> =
        ["model", "render", "phrases", "emoji"].iter().flat_map(|name| sources(&folder.join(name))).collect();
    for name in ["settings.rs", "colour.rs", "calendar.rs", "fold.rs"] {
        let path = folder.join(name);
        core.push((path.clone(), fs::read_to_string(&path).expect("a source")));
    }
    let words = [
        "fltk",
        "std::net",
        "std::io",
        "std::fs",
        "std::thread",
        "std::sync",
        "Instant",
        "SystemTime",
        "mio",
    ];
    assert_names_none_of(&core, &words);
}

#[test]
fn no_file_and_no_function_is_longer_than_the_house_allows() {
    for member in ["wire/src", "relay/src", "desktop/src", "loadtest/src", "loadtest/benches", "tgbridge/src"]
    {
        for (path, text) in sources(&workspace().join(member)) {
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let lines = code.lines().count();
            assert!(lines <= LINES_OF_A_FILE_MAX, "{}: {lines} lines", path.display());
            if let Some((name, lines)) = longest_function(code) {
                assert!(lines <= LINES_OF_A_FUNCTION_MAX, "{}: {name} has {lines} lines", path.display());
            }
        }
    }
}

/// Name and length of the longest function, by the indentation that rustfmt gives its closing brace.
fn longest_function(code: &str) -> Option<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let functions = lines.iter().enumerate().filter_map(|(first, line)| {
        let name = line.split_once("fn ")?.1.split(['(', '<']).next()?;
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let is_head = line.trim_start().starts_with("fn ") || line.trim_start().starts_with("pub");
        let length = lines.iter().skip(first).position(|line| *line == format!("{indent}}}"))?;
        is_head.then(|| (name.to_owned(), length + 1))
    });
    functions.max_by_key(|(_, length)| *length)
}

#[test]
fn each_test_that_the_page_on_security_names_is_there() {
    let page = fs::read_to_string(workspace().join("SECURITY.md")).expect("the page");
    let code = page.split('`').skip(1).step_by(2);
    let named: Vec<(&str, &str)> = code.filter_map(|code| code.split_once("::")).collect();
    assert!(named.len() > 40, "{} tests are named", named.len());
    for (place, name) in named {
        let (member, file) = place.split_once('/').unwrap_or(("relay", place));
        let tests = workspace().join(member).join("tests");
        let whole = fs::read_to_string(tests.join(format!("{file}.rs"))).unwrap_or_default();
        let folder = tests.join(file);
        let parts = if folder.is_dir() { sources(&folder) } else { vec![(folder, whole)] };
        let head = format!("\nfn {name}() {{");
        assert!(parts.iter().any(|(_, text)| text.contains(&head)), "no test {place}::{name}");
    }
}
