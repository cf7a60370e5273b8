//! The targets under libFuzzer: `FUZZ_TARGET` names the one to run.
//!
//! Not here: the targets themselves (`main.rs`) and how to start this (`run`).

#![no_main]

use std::sync::LazyLock;

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
mod target;
#[path = "../support/transaction_user.rs"]
mod transaction_user;
mod transactions;

static TARGET: LazyLock<target::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    target::find(&name).expect("FUZZ_TARGET is one of those in target.rs")
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| TARGET(input));
