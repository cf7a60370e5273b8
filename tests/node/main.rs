//! The program as it is typed: `check`, `demo`, what it says when it cannot do what was asked,
//! what a running node answers to torture messages, and what a flood of connections gets.
//!
//! Not here: the program among phones of others (`tests/e2e`), the sentences about each mistake
//! (`tests/resource`).

#[path = "../e2e/carillon.rs"]
#[expect(dead_code, reason = "the tests among phones of others ask more of it")]
mod carillon;
mod check;
#[path = "../support/corpus.rs"]
#[expect(dead_code, reason = "what the codec makes of them is looked at in tests/sip")]
mod corpus;
mod crowd;
mod demo;
mod door;
mod draining;
mod flood;
mod folder;
mod keep_alive;
mod nap;
mod order;
mod ownership;
mod page;
mod place;
mod program;
mod pulse;
mod readme;
mod settings;
mod sources;
mod start;
mod streams;
mod torture;
#[path = "../support/wait.rs"]
mod wait;
mod waiting;
