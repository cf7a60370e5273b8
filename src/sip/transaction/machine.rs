//! The words the four transaction machines share.
//!
//! A machine is one pure function, *state × input → next state and actions*; it is the figure of
//! the RFC written as a `match`. It knows no message, clock, flow or transport: what a reliable
//! transport changes is only how long timers run ([`Timers::length`]).
//!
//! Always holds: a step that keeps the state and orders nothing means the input is ignored there;
//! the layer uses this to tell a stale timer from a live one.
//!
//! Not here: carrying the actions out (`clients.rs`, `servers.rs`).
//!
//! [`Timers::length`]: crate::sip::transaction::timer::Timers::length

use crate::sip::transaction::timer::Timer;

/// What a machine orders the layer to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Transmit the request, for the first time or again.
    SendRequest,
    /// Transmit the latest response, for the first time or again.
    SendResponse,
    /// Transmit the ACK of a failure.
    SendAck,
    /// Hand the message that has just arrived to the user of the layer.
    Tell,
    /// Tell the user of the layer that no final response came in time.
    TellTimedOut,
    /// Tell the user of the layer that the request could not be sent.
    TellTransportFailed,
    /// Tell the user of the layer that the response did not arrive.
    TellUndelivered,
    /// Start this timer at its first length.
    Start(Timer),
    /// Start this timer again, twice as long as before (E and G: up to T2).
    StartDoubled(Timer),
    /// Start this timer at T2.
    StartSlow(Timer),
}

/// The next state, and what to do on the way.
pub type Step<State> = (State, &'static [Action]);
