//! The Raft group on real files and real sockets of this machine.
//!
//! | file | what it shows |
//! |---|---|
//! | `store` | openraft's own suite over the real log, snapshots and state |
//! | `handle` | events, barrier, deadlines, what is said without a majority |
//!
//! Nothing sleeps to let things happen: `world::until` waits for a condition with a deadline.

mod handle;
mod store;
mod world;
