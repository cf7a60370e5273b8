//! What the pure floors may not touch, and what no floor may.
//!
//! The core and the SIP, SDP, media and B2BUA machines are handed time, bytes and random numbers;
//! they never reach for them. Replicated state uses ordered maps and whole numbers only, so that
//! every replica comes to the same result.

use crate::tree::File;
use crate::tree::judge;
use crate::tree::rust_files;

const PURE: &[&str] = &["base", "acd", "sip", "sdp", "media", "resource", "b2bua"];

/// What a pure floor may not name, and why.
const BANNED_ON_PURE_FLOORS: &[(&str, &str)] = &[
    ("std::fs", "I/O belongs to `node`"),
    ("std::env", "configuration is handed in"),
    ("std::io", "I/O belongs to `node`"),
    ("std::thread", "threads are made by `node`"),
    ("std::time", "time is handed in (`base::time`)"),
    ("std::process", "processes belong to `main`"),
    ("std::sync::Mutex", "a pure machine has one owner"),
    ("std::sync::RwLock", "a pure machine has one owner"),
    ("std::sync::mpsc", "outputs are polled, not sent"),
    ("std::sync::atomic", "a pure machine has one owner"),
    ("UdpSocket", "sockets belong to `node`"),
    ("TcpStream", "sockets belong to `node`"),
    ("TcpListener", "sockets belong to `node`"),
    ("tokio", "a pure machine runs without a runtime"),
    ("tracing", "say it with a fact or an output"),
    ("getrandom", "entropy is handed in"),
    ("async fn", "a pure machine never waits"),
    ("println!", "say it with a fact or an output"),
];

/// What the replicated core may not name besides.
const BANNED_IN_THE_CORE: &[(&str, &str)] = &[
    ("HashMap", "its order differs between replicas; use BTreeMap"),
    ("HashSet", "its order differs between replicas; use BTreeSet"),
    ("f32", "rounding may differ; use per mille or sums and counts"),
    ("f64", "rounding may differ; use per mille or sums and counts"),
    ("crate::sip", "the core does not know that SIP exists"),
];

/// What only some files of `node` may name.
const ONLY_HERE: &[(&str, &[&str])] = &[
    ("SystemTime::now", &["src/node/clock.rs"]),
    ("Instant::now", &["src/node/clock.rs"]),
    ("getrandom::", &["src/node/entropy.rs"]),
];

#[test]
fn pure_floors_reach_for_nothing() {
    let mut complaints = Vec::new();
    for file in rust_files("src").iter().filter(|file| PURE.contains(&file.floor())) {
        complaints.extend(found(file, BANNED_ON_PURE_FLOORS));
        if file.floor() == "acd" {
            complaints.extend(found(file, BANNED_IN_THE_CORE));
        }
    }
    judge(&complaints, "hand it in as an argument, or order it with an effect or output");
}

#[test]
fn clocks_and_entropy_are_read_in_one_place() {
    let mut complaints = Vec::new();
    for file in rust_files("src") {
        for (word, homes) in ONLY_HERE {
            if !homes.contains(&file.path.as_str()) {
                complaints.extend(found(&file, &[(word, "only its home may read it")]));
            }
        }
    }
    judge(&complaints, "take the time or the random bytes as an argument");
}

#[test]
fn no_test_sleeps_or_is_switched_off() {
    let mut complaints = Vec::new();
    for file in rust_files("tests") {
        if file.path == "tests/tidy/bans.rs" {
            continue;
        }
        complaints.extend(found(&file, &[("#[ignore", "a test runs or does not exist")]));
    }
    judge(&complaints, "wait for a condition with a deadline (tests/support)");
}

fn found(file: &File, banned: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (word, why) in banned {
            if names(code, word) {
                complaints.push(format!("{}:{}: `{word}`: {why}", file.path, index + 1));
            }
        }
    }
    complaints
}

/// Whether `code` holds `word` as a word of its own.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(joins) && (word.ends_with(':') || !after.is_some_and(joins))
    })
}
