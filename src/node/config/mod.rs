//! What people configured, from the disk into the log and out of it to those who work with it.
//!
//! ```text
//! folder ─► watch ─► log ─► follow ─► shards (trunks)
//!             │                  └──► prompts ─► media
//!             ├► known: what the log has already
//!             └► accepted: this node's own settings, for its next start
//! file of tokens ─► tokens ─► REST
//! command line ─► membership ─► cluster
//! ```
//!
//! Always holds: a file with a mistake changes nothing, is said once, and counted.
//!
//! Not here: shapes and sentences (`resource`), what a configuration means (`acd`).

pub mod accepted;
pub mod folder;
pub mod follow;
pub mod known;
pub mod membership;
pub mod prompts;
pub mod tokens;
pub mod watch;
