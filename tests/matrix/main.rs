//! Tables of the core's machines: every state against every input, generated and committed.
//!
//! `UPDATE=1 cargo test --test matrix` writes the tables anew; the difference is the review. The
//! random driver beside them asks for anything in any order and looks for broken invariants.
//!
//! Not here: stories of several steps (`tests/acd`), random worlds (`tests/sim`).

#![expect(clippy::unwrap_used, reason = "a table that cannot be made has failed")]

mod agent;
mod call;
#[path = "../support/center.rs"]
mod center;
mod driver;
mod login;
mod reservation;
mod table;
#[path = "../support/usual.rs"]
mod usual;
