//! What the pure floors may not touch, and what no floor may.
//!
//! The core and the SIP, SDP, media and B2BUA machines are handed time, bytes and random numbers;
//! they never reach for them. Replicated state uses ordered maps and whole numbers only, so that
//! every replica comes to the same result.
//!
//! Nothing sleeps and hopes: tests wait for a condition with a deadline, and the few places of the
//! program that let time pass stand here with their reason.

use crate::tree::File;
use crate::tree::judge;
use crate::tree::rust_files;
use crate::tree::top;

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

/// The words that let time pass.
const SLEEPS: &[&str] = &["sleep(", "sleep_until(", "sleep_ms(", "park_timeout("];

/// Who may let time pass, how often in its file, and for what.
const SLEEPERS: &[(&str, usize, &str)] = &[
    ("src/cluster/absence.rs", 1, "silence wakes nobody: it is looked for"),
    ("src/cluster/deadline.rs", 1, "a leader that lost its majority tries again a little later"),
    (
        "src/cluster/handle.rs",
        3,
        "no signal says that a leader is known; that Raft has ended is told among every entry",
    ),
    ("src/cluster/mod.rs", 2, "openraft tells nobody that it has closed; bounded by a deadline"),
    ("src/cluster/peer/server.rs", 1, "out of descriptors: no connection can be taken just now"),
    ("src/node/demo/agent.rs", 1, "the next deadline of a phone, beside what wakes it before"),
    ("src/node/demo/caller.rs", 1, "how often a demo caller looks whether it is fed up"),
    ("src/node/demo/line.rs", 1, "the next deadline of a transaction, beside the socket"),
    ("src/node/demo/mod.rs", 1, "how long the demo was asked to run"),
    ("src/node/port/http.rs", 2, "out of descriptors; and how long a write may get nowhere"),
    (
        "src/node/running.rs",
        3,
        "the last BYEs and the first proposal are tried for a while; that others go on without \
         this node is told among every entry",
    ),
    ("src/node/shard.rs", 2, "the next deadline of a shard; and when a stream may be read again"),
    ("src/node/tcp.rs", 1, "out of descriptors: no connection can be taken just now"),
    ("src/node/config/watch.rs", 1, "editors write a file in several steps"),
    ("tests/bench/media.rs", 1, "every millisecond some phones speak"),
    ("tests/bench/peers/machine.rs", 1, "what is measured takes its time"),
    ("tests/e2e/flood.rs", 1, "an attack sends so many messages a second"),
    ("tests/e2e/phone.rs", 1, "a packet of sound is due every 20 ms"),
    ("tests/e2e/slow.rs", 1, "an attack sends one byte a second"),
    ("tests/support/wait.rs", 1, "between two looks at a condition with a deadline"),
    ("tests/support/wait_async.rs", 1, "between two looks at a condition with a deadline"),
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
fn no_test_is_switched_off() {
    let mut complaints = Vec::new();
    for file in rust_files("tests").iter().filter(|file| file.path != "tests/tidy/bans.rs") {
        complaints.extend(found(file, &[("#[ignore", "a test runs or does not exist")]));
    }
    judge(&complaints, "make it run, or take it out");
}

#[test]
fn nothing_sleeps_and_hopes() {
    let mut complaints = Vec::new();
    let files = rust_files("src").into_iter().chain(rust_files("tests"));
    for file in files.filter(|file| file.path != "tests/tidy/bans.rs") {
        let code = || file.text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let sleeps =
            |code: &str| SLEEPS.iter().map(|word| code.matches(word).count()).sum::<usize>();
        let found: usize = code().map(sleeps).sum();
        let allowed = SLEEPERS.iter().find(|(path, ..)| *path == file.path);
        let allowed = allowed.map_or(0, |(_, count, _)| *count);
        if found != allowed {
            complaints.push(format!("{}: lets time pass {found} times, not {allowed}", file.path));
        }
    }
    for (path, ..) in SLEEPERS {
        if !top().join(path).is_file() {
            complaints.push(format!("{path}: is named here and is not there"));
        }
    }
    judge(
        &complaints,
        "tests wait for a condition (tests/support/wait.rs, wait_async.rs); the program waits for \
         what wakes it, or is named in SLEEPERS with the reason",
    );
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
