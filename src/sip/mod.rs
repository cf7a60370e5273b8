//! SIP without sockets: messages, transactions, dialogs, authentication.
//!
//! ```text
//!  bytes ─► parse ─► Message ─► transaction ─► dialog ─► b2bua
//!  bytes ◄── write/edit ◄────── transaction ◄─ dialog ◄─ b2bua
//! ```
//!
//! The wire level: [`parse`] finds where things lie, [`message`] gives them out as text,
//! [`typed`] and [`header`] as values, [`check`] says what may not pass, [`glance`] and [`plain`]
//! what surely may, [`mod@write`] composes, [`edit`] changes a copy, [`stream`] cuts a TCP stream
//! into messages, [`digest`] authenticates.
//!
//! **Drain rule.** Every machine here is told what happened (`handle_…`) together with the time,
//! and asked what to do (`poll_output`) until it has nothing more; `next_deadline` says when to
//! call again if nothing happens. No machine reads a clock, holds a socket, or sleeps.
//!
//! **Invariants:** bytes of a peer reach the wire again unchanged or not at all; no value Carillon
//! writes can begin a header; nothing is allocated for a message over the limits of [`parse`].
//!
//! | RFC | what of it is here | where |
//! |---|---|---|
//! | 3261, 6026 | messages; transactions; dialogs | all of this; [`transaction`]; [`dialog`] |
//! | 4475, 5118 | every torture message is a test | `tests/sip/torture` |
//! | 3581 | `rport` | [`header::via`], [`edit`] |
//! | 5626 | keep-alives, but not outbound | [`parse`], [`stream`] |
//! | 2617, 7616, 8760 | digest, both sides | [`digest`] |
//! | 3262, 3311, 4028 | PRACK, UPDATE, session timers | [`dialog`], [`header::rack`] |
//! | 3264 | who owes whom an offer | [`dialog::offer_answer`] |
//! | 6665, 3515, 3891 | events, REFER, Replaces | [`subscription`], [`header`] |
//! | 3325, 3326 | identity, Reason | [`typed`], [`header::reason`] |
//! | 3966 | `tel:` addresses, read and kept | [`uri`] |
//!
//! Not here: sockets (`node`), what a call means (`b2bua`), SDP (`sdp`).

pub mod check;
pub mod dialog;
pub mod digest;
pub mod edit;
pub mod flow;
pub mod glance;
pub mod header;
pub mod message;
pub mod method;
pub mod parse;
pub mod plain;
pub mod status;
pub mod stream;
pub mod subscription;
pub mod transaction;
pub mod typed;
pub mod uri;
pub mod write;

pub use flow::Flow;
pub use flow::Transport;
pub use header::HeaderError;
pub use header::cseq::CSeq;
pub use header::name::Name;
pub use header::name_addr::NameAddr;
pub use header::via::Via;
pub use message::Message;
pub use message::peek_call_id;
pub use message::shard_of;
pub use method::Method;
pub use parse::Fault;
pub use parse::ParseError;
pub use uri::HostPort;
pub use uri::Uri;
pub use write::RequestBuilder;
pub use write::ResponseBuilder;
