//! What operators see: the names of all metrics, health, and log lines without callers.

#![expect(clippy::unwrap_used, reason = "a test whose world cannot be built has failed")]

mod health;
mod lines;
mod names;
mod world;
