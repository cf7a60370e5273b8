//! Hostile input: every reader of what strangers send, tried with damaged copies of good input.
//!
//! | target | is given |
//! |---|---|
//! | `codec` | one datagram; also its URIs, addresses and Vias by themselves |
//! | `stream` | a TCP stream, cut in two ways |
//! | `sdp` | a session description, as offer and as answer |
//! | `media` | RTP and RTCP packets, alone and as sequences to a running engine |
//! | `transactions` | sequences of requests, responses, answers, cancels and timers |
//! | `bodies` | REST bodies and resource files |
//! | `digest` | `Authorization` and `WWW-Authenticate` |
//!
//! Each target says in its file what always holds. Here each is run with the same inputs every
//! time: those worth keeping ([`corpus`]), the seeds, then damaged ones. Ten million of these for
//! each target were run on 29 November 2026, and nothing is left of what they found; nor of what
//! was found that day by some minutes for each, guided by what code an input reaches. Those by one
//! command (it installs `cargo-fuzz`, and wants a C++ compiler):
//!
//! ```text
//! tests/fuzz/run                       # each for a minute; only looks
//! tests/fuzz/run --keep 300 codec sdp  # these for five minutes; keeps what is new
//! ```
//!
//! | variable | means |
//! |---|---|
//! | `FUZZ_INPUTS` | how many damaged inputs (2,000; `tests/run` takes 200,000) |
//! | `FUZZ_SEED` | draws others |
//! | `FUZZ_INPUT` | only the input in this file |
//! | `FUZZ_LAY_OUT` | writes all good inputs into this folder, for libFuzzer |
//! | `FUZZ_KEEP` | keeps what is in this folder as the target's corpus |
//!
//! Not here: attacks on a running node (`tests/node/torture.rs`, `tests/e2e`).

mod corpus;
mod damage;
#[path = "../bench/sample.rs"]
mod sample;
mod target;
#[path = "../support/corpus.rs"]
#[expect(dead_code, reason = "what is asked of the torture messages is looked at in tests/sip")]
mod torture;

mod bodies;
mod codec;
mod digest;
#[path = "../sip/letters.rs"]
#[expect(dead_code, reason = "the tests of transactions need more of them")]
mod letters;
mod media;
#[path = "../support/readers.rs"]
mod readers;
mod sdp;
mod stream;
#[path = "../support/transaction_user.rs"]
mod transaction_user;
mod transactions;

use std::path::Path;
use std::path::PathBuf;

use carillon::base::prng::Prng;

/// Shows the input that made a target fail.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} fails with: b\"{}\"", self.0, self.1.escape_ascii());
        }
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The good inputs a target begins with.
fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds");
    let mut seeds = corpus::files(&top.join(folder));
    if folder == "messages" {
        seeds.extend(torture::corpus().into_iter().map(|sample| sample.bytes.to_vec()));
        seeds.extend(sample::all().map(|(_, text)| text.into_bytes()));
    }
    assert!(!seeds.is_empty(), "{folder}: no seeds");
    seeds
}

/// Runs one target; the input is shown if it fails.
fn fuzz(name: &str, folder: &str) {
    let path = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    if let Some(found) = path("FUZZ_KEEP") {
        return corpus::keep(name, &found);
    }
    let target = target::find(name).expect("a target");
    let run = |input: &[u8]| {
        let _shown = Shown(name, input);
        target(input);
    };
    if let Some(file) = path("FUZZ_INPUT") {
        return run(&std::fs::read(file).expect("an input"));
    }
    let (mut good, seeds) = (corpus::kept(name), seeds(folder));
    good.extend(seeds.iter().cloned());
    if let Some(empty) = path("FUZZ_LAY_OUT") {
        return corpus::lay_out(&empty, &good);
    }
    good.iter().for_each(|input| run(input));
    let mut prng = Prng::from_seed(number("FUZZ_SEED", 4475));
    for _ in 0..number("FUZZ_INPUTS", 2_000) {
        run(&damage::damaged(&mut prng, &seeds));
    }
}

#[test]
fn codec() {
    fuzz("codec", "messages");
}

#[test]
fn stream() {
    fuzz("stream", "messages");
}

#[test]
fn sdp() {
    fuzz("sdp", "sdp");
}

#[test]
fn media() {
    fuzz("media", "media");
}

#[test]
fn transactions() {
    fuzz("transactions", "transactions");
}

#[test]
fn bodies() {
    fuzz("bodies", "bodies");
}

#[test]
fn digest() {
    fuzz("digest", "digest");
}
