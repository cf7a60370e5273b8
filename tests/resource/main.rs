//! The configuration people write: what is taken, and what is said about everything else.
//!
//! `good/` holds files that read without a mistake, `bad/` files with mistakes; beside each bad
//! file its `.expected` holds every message it gets, line by line. `UPDATE=1` rewrites those; the
//! diff is the review.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

mod bodies;
mod files;
mod good;
mod hostile;
mod outside;
mod reference;
mod tokens;
