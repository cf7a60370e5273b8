//! Media: RTP in and out of every leg, without a socket, a clock or a thread.
//!
//! ```text
//! b2bua ── Order ──►┐                         ┌── Report ──► b2bua
//! socket ─ packet ─►│ engine: streams, wheel  │
//! clock ── tick ───►│ program · relay · latch ├── packets ─► socket
//!                   └─────────────────────────┘
//! ```
//!
//! One engine is one media thread's whole work. A stream is one leg's audio; it plays a program,
//! or is joined with another stream, or is silent. Prompts are decoded once, into the bytes that
//! go on the wire, and shared by all who hear them.
//!
//! Always holds: a stream sends only where its session description or its latched address says,
//! and hears nobody else; nothing is allocated for a packet.
//!
//! Not here: sockets and threads (`node::rtp`), offer and answer (`sdp`), who hears what (`b2bua`).

pub mod built_in;
pub mod counters;
pub mod dtmf;
pub mod engine;
pub mod g711;
pub mod heard;
pub mod latch;
pub mod order;
pub mod outgoing;
pub mod program;
pub mod prompt;
pub mod relay;
pub mod rtcp;
pub mod rtp;
mod stream;
pub mod wheel;
