//! What ARCHITECTURE.md says about who knows whom, held against the sources.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn each_library_is_named_in_its_own_room_only() {
    for (library, rooms) in [
        ("rumqttd::", &["src/broker/log.rs"][..]),
        ("rumqttc::", &["src/client/"]),
        ("rumqttc5::", &["src/client/"]),
        (
            "indicatif::",
            &["src/commands/bench/", "src/commands/publish/"],
        ),
        ("regex::", &["src/condition/"]),
        ("anstyle::", &["src/output/"]),
        ("clap::", &["src/cli/", "src/settings/", "src/exit.rs"]),
        ("rustls::", &["src/client/transport/tls/"]),
        (
            "tokio_tungstenite::",
            &["src/client/transport/websocket.rs"],
        ),
        ("toml::", &["src/settings/", "src/bench/plan/file.rs"]),
        ("hickory_resolver::", &["src/client/transport/"]),
        ("tokio_socks::", &["src/client/transport/proxy.rs"]),
    ] {
        let mut named = false;
        for (path, text) in sources() {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let uses = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| line.contains(library));
            let at_home = rooms.iter().any(|room| path.starts_with(room));
            assert!(
                at_home || !uses,
                "{path} names {library}, which belongs in {rooms:?}"
            );
            named |= uses;
        }
        assert!(
            named,
            "nobody names {library} any more: correct this list and ARCHITECTURE.md"
        );
    }
}

#[test]
fn mqtt_itself_knows_no_other_room() {
    for (path, text) in sources() {
        let inside = path.starts_with("src/mqtt/");
        let outward = text
            .lines()
            .find(|line| line.contains("crate::") && !line.contains("crate::mqtt"));
        assert!(!inside || outward.is_none(), "{path}: {outward:?}");
    }
}

#[test]
fn every_room_is_on_the_map() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = if entry.path().is_dir() {
            format!("src/{name}/")
        } else {
            format!("src/{name}")
        };
        assert!(
            name == "src/lib.rs" || map.contains(&name),
            "{name} is not in ARCHITECTURE.md"
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file with its path from the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("a folder of sources").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                let name = path.strip_prefix(root()).expect("it lies below the root");
                found.push((name.to_string_lossy().into_owned(), text));
            }
        }
    }
    found
}
