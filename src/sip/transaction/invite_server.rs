//! The INVITE server transaction: RFC 3261 §17.2.1 with figure 7, corrected by RFC 6026 §7.1.
//!
//! ```text
//!                        │ INVITE: tell, send 100
//!                        ▼
//!      INVITE: resend ┌────────────┐ 1xx from the user: send
//!               └────►│ Proceeding │◄──┘
//!                     └────────────┘
//!   300–699 from the user: │      │ 2xx from the user:
//!   send, start G and H    │      │ send, start L
//!                          ▼      └──────────────┐
//!   INVITE: resend ┌───────────┐                 ▼
//!            └────►│ Completed │            ┌──────────┐ ACK: tell
//!   G: resend ────►└───────────┘            │ Accepted │◄──┘
//!             H: tell │   │ ACK: start I    └──────────┘◄──┐
//!             ┌───────┘   ▼                     │ L   2xx from the user: send
//!             │    ┌───────────┐                │
//!             │    │ Confirmed │                │
//!             │    └───────────┘                │
//!             │           │ I                   │
//!             └───────────┴►┌────────────┐◄─────┘
//!                           │ Terminated │
//!                           └────────────┘
//! ```
//!
//! A transport error is told wherever a response may have been lost, and changes no state
//! (RFC 6026 §8.8). Always holds: a repeated INVITE never reaches the user twice.
//!
//! Not here: repeating the 2xx until the ACK comes, which is the user's (`dialog::accepted`).

use crate::sip::transaction::machine::Action;
use crate::sip::transaction::machine::Step;
use crate::sip::transaction::timer::Timer;

/// Where an INVITE stands at its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Received; no final response yet.
    Proceeding,
    /// A failure was sent and waits for its ACK.
    Completed,
    /// The ACK has come; repeats of it are absorbed.
    Confirmed,
    /// A 2xx was sent; repeats of the INVITE are absorbed.
    Accepted,
    /// Gone.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The INVITE arrived again.
    Invite,
    /// An ACK arrived.
    Ack,
    /// The user sends a 1xx.
    Provisional,
    /// The user sends a 2xx.
    Success,
    /// The user sends a 300–699.
    Failure,
    /// The transport could not send, or lost the flow.
    TransportError,
    /// A timer fired.
    Fired(Timer),
}

/// How it begins: the INVITE is told, and answered 100 at once, for the decision is the log's and
/// may take longer than the 200 ms of §17.2.1.
pub const START: Step<State> = (State::Proceeding, &[Action::SendResponse, Action::Tell]);

/// Every input, for the matrix in `tests/sip/matrix/invite_server.txt`.
pub const INPUTS: &[Input] = &[
    Input::Invite,
    Input::Ack,
    Input::Provisional,
    Input::Success,
    Input::Failure,
    Input::TransportError,
    Input::Fired(Timer::G),
    Input::Fired(Timer::H),
    Input::Fired(Timer::I),
    Input::Fired(Timer::L),
];

/// Every state, for the same matrix.
pub const STATES: &[State] =
    &[State::Proceeding, State::Completed, State::Confirmed, State::Accepted, State::Terminated];

/// Takes one step.
pub fn step(state: State, input: Input) -> Step<State> {
    match state {
        State::Proceeding => match input {
            Input::Invite | Input::Provisional => (State::Proceeding, &[Action::SendResponse]),
            Input::Success => (State::Accepted, &[Action::SendResponse, Action::Start(Timer::L)]),
            Input::Failure => (
                State::Completed,
                &[Action::SendResponse, Action::Start(Timer::G), Action::Start(Timer::H)],
            ),
            Input::TransportError => (State::Proceeding, &[Action::TellUndelivered]),
            Input::Ack | Input::Fired(_) => (state, &[]),
        },
        State::Completed => match input {
            Input::Invite => (State::Completed, &[Action::SendResponse]),
            Input::Ack => (State::Confirmed, &[Action::Start(Timer::I)]),
            Input::TransportError => (State::Completed, &[Action::TellUndelivered]),
            Input::Fired(Timer::G) => {
                (State::Completed, &[Action::SendResponse, Action::StartDoubled(Timer::G)])
            }
            Input::Fired(Timer::H) => (State::Terminated, &[Action::TellUndelivered]),
            Input::Provisional | Input::Success | Input::Failure | Input::Fired(_) => (state, &[]),
        },
        State::Confirmed => match input {
            Input::Fired(Timer::I) => (State::Terminated, &[]),
            Input::Invite
            | Input::Ack
            | Input::Provisional
            | Input::Success
            | Input::Failure
            | Input::TransportError
            | Input::Fired(_) => (state, &[]),
        },
        State::Accepted => match input {
            // Only a peer of RFC 2543 acknowledges a 2xx with the branch of its INVITE.
            Input::Ack => (State::Accepted, &[Action::Tell]),
            Input::Success => (State::Accepted, &[Action::SendResponse]),
            Input::TransportError => (State::Accepted, &[Action::TellUndelivered]),
            Input::Fired(Timer::L) => (State::Terminated, &[]),
            Input::Invite | Input::Provisional | Input::Failure | Input::Fired(_) => (state, &[]),
        },
        State::Terminated => (state, &[]),
    }
}
