//! The client transaction of every method but INVITE and ACK: RFC 3261 §17.1.2 with figure 6.
//!
//! ```text
//!                     │ request from the user: send, start E and F
//!                     ▼
//!        E: resend ┌─────────┐ F, transport error: tell
//!            └────►│ Trying  │───────────────────────┐
//!                  └─────────┘                       │
//!         200–699: tell │ │ 1xx: tell                │
//!         start K       │ ▼                          │
//!          ┌────────────┘ ┌────────────┐ F, transport error: tell
//!          │  200–699     │ Proceeding │─────────────►│
//!          │◄─────────────└────────────┘              │
//!          ▼               ▲ E: resend, E at T2       │
//!     ┌───────────┐        ▲ 1xx: tell                │
//!     │ Completed │                                   │
//!     └───────────┘                                   │
//!          │ K             ┌────────────┐             │
//!          └──────────────►│ Terminated │◄────────────┘
//!                          └────────────┘
//! ```
//!
//! Always holds: exactly one of a final response, a time-out and a transport failure is told.
//!
//! Not here: INVITE (`invite_client`).

use crate::sip::transaction::machine::Action;
use crate::sip::transaction::machine::Step;
use crate::sip::transaction::timer::Timer;

/// Where a request stands at its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, and nothing has come back.
    Trying,
    /// A provisional response has come.
    Proceeding,
    /// A final response has come; repeats of it are absorbed.
    Completed,
    /// Gone.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A 1xx arrived.
    Provisional,
    /// A 200–699 arrived.
    Final,
    /// The transport could not send, or lost the flow.
    TransportError,
    /// A timer fired.
    Fired(Timer),
}

/// How it begins.
pub const START: Step<State> =
    (State::Trying, &[Action::SendRequest, Action::Start(Timer::E), Action::Start(Timer::F)]);

/// Every input, for the matrix in `tests/sip/matrix/client.txt`.
pub const INPUTS: &[Input] = &[
    Input::Provisional,
    Input::Final,
    Input::TransportError,
    Input::Fired(Timer::E),
    Input::Fired(Timer::F),
    Input::Fired(Timer::K),
];

/// Every state, for the same matrix.
pub const STATES: &[State] =
    &[State::Trying, State::Proceeding, State::Completed, State::Terminated];

/// Takes one step.
pub fn step(state: State, input: Input) -> Step<State> {
    match state {
        State::Trying => match input {
            Input::Provisional => (State::Proceeding, &[Action::Tell]),
            Input::Final => complete(),
            Input::TransportError => (State::Terminated, &[Action::TellTransportFailed]),
            Input::Fired(Timer::E) => {
                (State::Trying, &[Action::SendRequest, Action::StartDoubled(Timer::E)])
            }
            Input::Fired(Timer::F) => (State::Terminated, &[Action::TellTimedOut]),
            Input::Fired(_) => (state, &[]),
        },
        State::Proceeding => match input {
            Input::Provisional => (State::Proceeding, &[Action::Tell]),
            Input::Final => complete(),
            Input::TransportError => (State::Terminated, &[Action::TellTransportFailed]),
            Input::Fired(Timer::E) => {
                (State::Proceeding, &[Action::SendRequest, Action::StartSlow(Timer::E)])
            }
            Input::Fired(Timer::F) => (State::Terminated, &[Action::TellTimedOut]),
            Input::Fired(_) => (state, &[]),
        },
        State::Completed => match input {
            Input::Fired(Timer::K) => (State::Terminated, &[]),
            Input::Provisional | Input::Final | Input::TransportError | Input::Fired(_) => {
                (state, &[])
            }
        },
        State::Terminated => (state, &[]),
    }
}

fn complete() -> Step<State> {
    (State::Completed, &[Action::Tell, Action::Start(Timer::K)])
}
