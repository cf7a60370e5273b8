//! Carillon: a clustered automatic call distributor (ACD) for SIP.
//!
//! Callers reach a queue over SIP. Carillon holds them with music and announcements, finds the
//! agent who has been idle longest, rings that agent's phone and joins the two. Every decision is
//! an entry of a replicated log, taken by one pure state machine.
//!
//! # The floor plan
//!
//! A module imports only from floors below it; `tests/tidy/floors.rs` has the exact list.
//!
//! | floor | module | what it is | pure |
//! |---|---|---|---|
//! | 6 | `main` | reads the arguments | |
//! | 5 | [`node`] | clocks, entropy, sockets, files, tasks: puts everything together | |
//! | 4 | [`api`], [`observe`] | REST and live events; metrics, health, log lines | |
//! | 3 | [`cluster`] | the Raft log, and nothing else | |
//! | 2 | [`b2bua`] | phones: commands out of SIP, SIP out of effects | yes |
//! | 2 | [`resource`] | what people write to configure Carillon, read and checked | yes |
//! | 1 | [`acd`] | queues, agents, calls, and who gets whom | yes |
//! | 1 | [`sip`], [`sdp`], [`media`] | the wire: messages and dialogs, offers, RTP | yes |
//! | 0 | [`base`] | words everybody shares | yes |
//!
//! A pure floor has no clock, no I/O, no randomness and no `async`: it is handed the time and the
//! bytes, and asked what to do.
//!
//! # The life of a call
//!
//! 1. A datagram with an INVITE arrives. [`node::udp`] peeks at its Call-ID
//!    ([`sip::message::peek_call_id`]) and hands it to a shard ([`node::shard::Shards::datagram`]);
//!    over TCP, [`sip::stream::Framer`] cuts it out of the stream first.
//! 2. The shard gives it to its [`b2bua::Ua`]. [`sip::message::Message::parse`] finds where things
//!    lie; [`sip::transaction::Layer`] recognises a repeat, answers 100 Trying and hands the new
//!    request up.
//! 3. The `Ua` asks who may call from where, and proposes
//!    [`EnqueueCall`](acd::command::Command::EnqueueCall) with the caller's whole dialog. Nothing
//!    else is answered before that is in the log.
//! 4. [`cluster::handle::Handle::propose`] brings the command to the leader, which stamps the time
//!    and commits it. Every node applies it with [`acd::apply::apply`].
//! 5. The core finds the queue by the address, puts the call in its place, and looks whether an
//!    agent is free (`acd::queue::meet`). It says what is to be done
//!    ([`HoldCaller`](acd::effect::Effect::HoldCaller),
//!    [`RingAgent`](acd::effect::Effect::RingAgent)) and what happened
//!    ([`CallEnqueued`](acd::fact::Fact::CallEnqueued)).
//! 6. [`node::running`] hands each effect of this node to the shard of its call. The `Ua` answers
//!    the caller as the queue says and orders the welcome and the music
//!    ([`media::order::Order::Play`]); [`node::rtp`] moves the packets that
//!    [`media::engine::Engine`] makes.
//! 7. The `Ua` rings the agent: an INVITE that shows queue and caller. The phone answers; the ACK
//!    goes out at once, and [`AnswerReservation`](acd::command::Command::AnswerReservation) into
//!    the log. A phone that refuses becomes
//!    [`FailReservation`](acd::command::Command::FailReservation); one that is silent runs into the
//!    reservation's deadline, which is data in the state ([`acd::State::next_deadline`]). Either
//!    way the call keeps its place and age.
//! 8. The core marks both as talking and orders
//!    [`JoinLegs`](acd::effect::Effect::JoinLegs); the media relays between them.
//! 9. One of them hangs up: [`EndLeg`](acd::command::Command::EndLeg). The core releases the other
//!    ([`ReleaseLeg`](acd::effect::Effect::ReleaseLeg)), the call has ended, the agent wraps up;
//!    when that deadline has passed the agent is ready, and the next caller is found.
//!
//! All along, facts become metrics and log lines ([`observe`]) and live events ([`api`]), and
//! pictures of the state ([`acd::view::View`]) answer whoever asks.
//!
//! # Invariants
//!
//! - **`acd` does not know that SIP exists**, and `b2bua` does not know what a queue is.
//! - **Nothing shortcuts the log** but what the protocol must answer at once.
//! - **An effect belongs to one owner**, a node in one life of it; replayed effects reach nobody.
//! - **A pure floor never waits and never reads a clock.**
//! - **An INVITE is answered only after its entry is committed.**
//! - **Nothing a stranger sends can grow without a limit.**

pub mod acd;
pub mod api;
pub mod b2bua;
pub mod base;
pub mod cluster;
pub mod media;
pub mod node;
pub mod observe;
pub mod resource;
pub mod sdp;
pub mod sip;
