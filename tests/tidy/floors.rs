//! The floor plan: which module may import which.
//!
//! | floor | module | may import |
//! |---|---|---|
//! | 0 | `base` | nothing |
//! | 1 | `acd`, `sip`, `sdp`, `media` | `base` (and `media` the agreed `sdp`) |
//! | 2 | `resource` | `base`, the core's configuration |
//! | 2 | `b2bua` | `base`, `sip`, `sdp`, `media`, the core's orders and configuration |
//! | 3 | `cluster` | `base`, `acd` |
//! | 4 | `api`, `observe` | `base`, doors of the core, `cluster::handle` |
//! | 5 | `node` | everything |
//!
//! `resource` stands between the core and everybody who brings configuration: a folder, REST and
//! Kubernetes read the same shapes and make the same complaints, so none of them may own it.
//! `b2bua` sees `acd::config` because orders carry pieces of it (addresses, treatments, trunks).

use crate::tree::File;
use crate::tree::judge;
use crate::tree::rust_files;

const FLOORS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("acd", &["base"]),
    ("sip", &["base"]),
    ("sdp", &["base"]),
    ("media", &["base", "sdp"]),
    ("resource", &["base", "acd::config", "acd::command"]),
    ("b2bua", &["base", "sip", "sdp", "media", "acd::command", "acd::effect", "acd::config"]),
    ("cluster", &["base", "acd"]),
    (
        "api",
        &[
            "base",
            "acd::view",
            "acd::command",
            "acd::config",
            "acd::fact",
            "resource",
            "cluster::handle",
        ],
    ),
    (
        "observe",
        &["base", "acd::command", "acd::config", "acd::fact", "acd::view", "cluster::handle"],
    ),
    (
        "node",
        &["base", "acd", "sip", "sdp", "media", "resource", "b2bua", "cluster", "api", "observe"],
    ),
    ("main", &["node"]),
    ("lib", &[]),
];

#[test]
fn no_floor_imports_upwards_or_sideways() {
    let mut complaints = Vec::new();
    for file in rust_files("src") {
        let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == file.floor()) else {
            complaints.push(format!("{}: `{}` is on no floor", file.path, file.floor()));
            continue;
        };
        for (number, line) in code_lines(&file) {
            complaints.extend(
                crate_paths(line)
                    .filter(|path| !is_allowed(path, file.floor(), allowed))
                    .map(|path| format!("{}:{number}: may not see crate::{path}", file.path)),
            );
        }
    }
    judge(
        &complaints,
        "move the code to the floor that may see it, or pass a type of `base`, a command or an \
         effect instead; the plan itself is in tests/tidy/floors.rs",
    );
}

#[test]
fn imports_are_plain_lines() {
    let mut complaints = Vec::new();
    for file in rust_files("src") {
        for (number, line) in code_lines(&file) {
            if line.contains("crate::{") || line.contains("super::super") {
                complaints.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    judge(&complaints, "write one `use crate::…;` a line, so that the floor plan can be read");
}

fn code_lines(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines = file.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The module paths a line names after `crate::`, two parts at most.
fn crate_paths(line: &str) -> impl Iterator<Item = String> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        let path = &rest[..end.unwrap_or(rest.len())];
        path.split("::").take(2).collect::<Vec<_>>().join("::")
    })
}

fn is_allowed(path: &str, own: &str, allowed: &[&str]) -> bool {
    let first = path.split("::").next().unwrap_or(path);
    first == own || allowed.contains(&first) || allowed.contains(&path)
}
