//! The INVITE client transaction: RFC 3261 §17.1.1 with figure 5, corrected by RFC 6026 §7.2.
//!
//! ```text
//!                     │ INVITE from the user: send, start A and B
//!                     ▼
//!        A: resend ┌─────────┐ B, transport error: tell
//!            └────►│ Calling │──────────────────────────────┐
//!        300–699:  └─────────┘ 2xx: tell, start M           │
//!        ACK, tell,  │   │ 1xx: tell └──────────────┐       │
//!        start D     │   ▼                          │       │
//!          ┌─────────┘ ┌────────────┐ 2xx: tell,    │       │
//!          │◄──────────│ Proceeding │ start M ─────►│       │
//!          │ 300–699   └────────────┘ cancelled ─ ─ ┼ ─ ─ ─►│
//!          ▼                                        ▼       │
//!     ┌───────────┐ 300–699: ACK           ┌──────────┐     │
//!     │ Completed │◄──┘                    │ Accepted │◄──┐ │
//!     └───────────┘                        └──────────┘ 2xx: tell
//!          │ D, transport error: tell           │ M        │
//!          └─────────────────────►┌────────────┐◄──────────┘
//!                                 │ Terminated │
//!                                 └────────────┘
//! ```
//!
//! Always holds: after a final response the user hears of no other class of response, and an INVITE
//! ends by B, `Cancelled`, D or M at the latest, if its user cancels one that rings for ever.
//!
//! Not here: the ACK of a 2xx, which the user sends (`Layer::send_ack`).

use crate::sip::transaction::machine::Action;
use crate::sip::transaction::machine::Step;
use crate::sip::transaction::timer::Timer;

/// Where an INVITE stands at its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, and nothing has come back.
    Calling,
    /// A provisional response has come.
    Proceeding,
    /// A failure has come and was acknowledged; repeats of it are absorbed.
    Completed,
    /// A 2xx has come; further ones (repeated, or of other forks) are handed on.
    Accepted,
    /// Gone.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A 1xx arrived.
    Provisional,
    /// A 2xx arrived.
    Success,
    /// A 300–699 arrived.
    Failure,
    /// The transport could not send, or lost the flow.
    TransportError,
    /// A timer fired.
    Fired(Timer),
}

/// How it begins.
pub const START: Step<State> =
    (State::Calling, &[Action::SendRequest, Action::Start(Timer::A), Action::Start(Timer::B)]);

/// Every input, for the matrix in `tests/sip/matrix/invite_client.txt`.
pub const INPUTS: &[Input] = &[
    Input::Provisional,
    Input::Success,
    Input::Failure,
    Input::TransportError,
    Input::Fired(Timer::A),
    Input::Fired(Timer::B),
    Input::Fired(Timer::D),
    Input::Fired(Timer::M),
    Input::Fired(Timer::Cancelled),
];

/// Every state, for the same matrix.
pub const STATES: &[State] =
    &[State::Calling, State::Proceeding, State::Completed, State::Accepted, State::Terminated];

/// Takes one step.
pub fn step(state: State, input: Input) -> Step<State> {
    match state {
        State::Calling => match input {
            Input::Provisional => (State::Proceeding, &[Action::Tell]),
            Input::Success => accept(),
            Input::Failure => complete(),
            Input::TransportError => (State::Terminated, &[Action::TellTransportFailed]),
            Input::Fired(Timer::A) => {
                (State::Calling, &[Action::SendRequest, Action::StartDoubled(Timer::A)])
            }
            Input::Fired(Timer::B) => (State::Terminated, &[Action::TellTimedOut]),
            Input::Fired(_) => (state, &[]),
        },
        State::Proceeding => match input {
            Input::Provisional => (State::Proceeding, &[Action::Tell]),
            Input::Success => accept(),
            Input::Failure => complete(),
            Input::Fired(Timer::Cancelled) => (State::Terminated, &[Action::TellTimedOut]),
            // Nothing is being sent, so nothing can fail; A and B are stopped (§17.1.1.2).
            Input::TransportError | Input::Fired(_) => (state, &[]),
        },
        State::Completed => match input {
            Input::Failure => (State::Completed, &[Action::SendAck]),
            Input::TransportError => (State::Terminated, &[Action::TellTransportFailed]),
            Input::Fired(Timer::D) => (State::Terminated, &[]),
            Input::Provisional | Input::Success | Input::Fired(_) => (state, &[]),
        },
        State::Accepted => match input {
            Input::Success => (State::Accepted, &[Action::Tell]),
            Input::Fired(Timer::M) => (State::Terminated, &[]),
            Input::Provisional | Input::Failure | Input::TransportError | Input::Fired(_) => {
                (state, &[])
            }
        },
        State::Terminated => (state, &[]),
    }
}

fn accept() -> Step<State> {
    (State::Accepted, &[Action::Tell, Action::Start(Timer::M)])
}

fn complete() -> Step<State> {
    (State::Completed, &[Action::SendAck, Action::Tell, Action::Start(Timer::D)])
}
