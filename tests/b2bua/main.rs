//! The B2BUA against the real core, with telephones on virtual time.
//!
//! Each file tells of one part of a call. The world is in `world.rs`, the telephones in
//! `phone.rs`; `TRACE=1` prints every message.

mod cancelling;
mod phone;
mod refusal;
mod ringing;
mod whole_call;
mod world;
