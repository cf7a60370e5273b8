//! The Raft group on real files and real sockets of this machine.
//!
//! | file | what it shows |
//! |---|---|
//! | `store` | openraft's own suite over the real log, snapshots and state |
//! | `codec` | the bytes of every command, kept in `stored/` |
//! | `identity` | who a data directory is, and that two cannot share one |
//! | `snapshot` | files, damage, growth, a follower that comes late |
//! | `handle` | events, barrier, deadlines, what is said without a majority |
//! | `restart` | what is acknowledged is there after a stop and after kill -9 |
//! | `peer` | strangers at the door of the peer protocol |
//! | `three_nodes` | propose anywhere, read anywhere, lose the leader |
//! | `speed` | how long commits and snapshots take |
//!
//! Nothing sleeps to let things happen: `wait_async` waits for a condition with a deadline.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod codec;
mod handle;
mod identity;
mod muffle;
mod peer;
mod restart;
mod sample;
mod snapshot;
mod speed;
mod store;
mod three_nodes;
#[path = "../support/wait_async.rs"]
mod wait_async;
mod world;
