//! REST as clients meet it: through the real router, over a real cluster of one node.
//!
//! `golden/` holds whole answers, byte for byte. `UPDATE=1` rewrites them; the diff is the review.

#![expect(clippy::unwrap_used, reason = "a test whose world cannot be built has failed")]

mod bodies;
mod contract;
mod description;
mod events;
mod golden;
mod limits;
mod minority;
mod privacy;
mod refusals;
mod repeats;
mod resources;
mod roles;
mod world;
