//! The server transaction of every method but INVITE and ACK: RFC 3261 §17.2.2 with figure 8.
//!
//! ```text
//!                     │ request: tell, start lapse
//!                     ▼
//!                  ┌─────────┐ lapse
//!                  │ Trying  │────────────────────────┐
//!                  └─────────┘                        │
//!        200–699 from    │ │ 1xx from the user: send  │
//!        the user: send, │ ▼                          │
//!        start J   ┌─────┘ ┌────────────┐ lapse       │
//!                  │◄──────│ Proceeding │────────────►│
//!                  │       └────────────┘             │
//!                  │        ▲ request: resend         │
//!                  ▼        ▲ 1xx from the user: send │
//!           ┌───────────┐                             │
//!           │ Completed │◄── request: resend          │
//!           └───────────┘                             │
//!                  │ J     ┌────────────┐             │
//!                  └──────►│ Terminated │◄────────────┘
//!                          └────────────┘
//! ```
//!
//! A transport error is told wherever a response may have been lost, and changes no state
//! (RFC 6026 §8.8). `Lapse` is not in the figure: after 64·T1 the client has given up, and RFC 4320
//! §4.1 forbids any answer, so a request its user forgot is forgotten too.
//!
//! Not here: INVITE (`invite_server`).

use crate::sip::transaction::machine::Action;
use crate::sip::transaction::machine::Step;
use crate::sip::transaction::timer::Timer;

/// Where a request stands at its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Received; nothing was sent back.
    Trying,
    /// A provisional response was sent.
    Proceeding,
    /// The final response was sent; it is sent again for each repeat of the request.
    Completed,
    /// Gone.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The request arrived again.
    Request,
    /// The user sends a 1xx.
    Provisional,
    /// The user sends a 200–699.
    Final,
    /// The transport could not send, or lost the flow.
    TransportError,
    /// A timer fired.
    Fired(Timer),
}

/// How it begins.
pub const START: Step<State> = (State::Trying, &[Action::Tell, Action::Start(Timer::Lapse)]);

/// Every input, for the matrix in `tests/sip/matrix/server.txt`.
pub const INPUTS: &[Input] = &[
    Input::Request,
    Input::Provisional,
    Input::Final,
    Input::TransportError,
    Input::Fired(Timer::J),
    Input::Fired(Timer::Lapse),
];

/// Every state, for the same matrix.
pub const STATES: &[State] =
    &[State::Trying, State::Proceeding, State::Completed, State::Terminated];

/// Takes one step.
pub fn step(state: State, input: Input) -> Step<State> {
    match state {
        State::Trying => match input {
            Input::Provisional => (State::Proceeding, &[Action::SendResponse]),
            Input::Final => complete(),
            Input::Fired(Timer::Lapse) => (State::Terminated, &[]),
            Input::Request | Input::TransportError | Input::Fired(_) => (state, &[]),
        },
        State::Proceeding => match input {
            Input::Request | Input::Provisional => (State::Proceeding, &[Action::SendResponse]),
            Input::Final => complete(),
            Input::TransportError => (State::Proceeding, &[Action::TellUndelivered]),
            Input::Fired(Timer::Lapse) => (State::Terminated, &[]),
            Input::Fired(_) => (state, &[]),
        },
        State::Completed => match input {
            Input::Request => (State::Completed, &[Action::SendResponse]),
            Input::TransportError => (State::Completed, &[Action::TellUndelivered]),
            Input::Fired(Timer::J) => (State::Terminated, &[]),
            Input::Provisional | Input::Final | Input::Fired(_) => (state, &[]),
        },
        State::Terminated => (state, &[]),
    }
}

fn complete() -> Step<State> {
    (State::Completed, &[Action::SendResponse, Action::Start(Timer::J)])
}
