//! The B2BUA against the real core, with telephones on virtual time.
//!
//! Each file tells of one part of a call; those in `flows` are told message by message ([`flow`]).
//! The world is in `world.rs`, the telephones in `phone.rs`; `TRACE=1` prints every message.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test picks the one variant it asks about")]

mod admission;
mod cancelling;
mod centre;
mod early;
mod edited;
mod excess;
mod flow;
mod identity;
mod jump;
mod loss;
mod outsider;
mod phone;
mod reasons;
mod refusal;
mod ringing;
mod session;
mod strangers;
mod takeover;
mod talking;
mod tcp;
#[path = "../support/told.rs"]
mod told;
mod transfer;
#[path = "../support/usual.rs"]
mod usual;
mod whole_call;
mod world;
