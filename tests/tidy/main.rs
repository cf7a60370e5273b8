//! Keeps the house in order: floors, sizes, headers, words and bans.
//!
//! Each rule is a file with one test. A test lists every place that breaks its rule and says what
//! to do about it, so that a newcomer need not know the rule beforehand.
//!
//! Always holds: the rules read the tree as it is checked in; nothing is exempt but what a rule
//! names in its own file with the reason.
//!
//! Not here: what the compiler, clippy and rustfmt check by themselves (`Cargo.toml`,
//! `.clippy.toml`, `.rustfmt.toml`).

mod bans;
mod conformance;
mod floors;
mod headers;
mod sizes;
mod tree;
mod words;
