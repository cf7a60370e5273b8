//! Where a dialog stands, and what moves it: RFC 3261 §12 and §15 as one table.
//!
//! Always holds: an ended dialog stays ended; a confirmed one never becomes early again; only the
//! INVITE that made a dialog can confirm it, or end it by failing.
//!
//! Not here: the rest of the record ([`crate::sip::dialog::Dialog`]).

use serde::Deserialize;
use serde::Serialize;

use crate::sip::status;

/// Where a dialog stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// The INVITE that makes it has no final response.
    Early,
    /// It was answered 2xx.
    Confirmed,
    /// It is over; requests within it get 481.
    Ended,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A 1xx to its first INVITE, sent or received.
    Provisional,
    /// A 2xx to its first INVITE, sent or received.
    Success,
    /// A 300–699 to its first INVITE, sent or received.
    Failure,
    /// They hung up.
    ByeReceived,
    /// We hung up.
    ByeSent,
    /// A request of ours was answered 481, 408 or not at all (RFC 3261 §12.2.1.2).
    Gone,
}

/// Every state, for the matrix in `tests/sip/matrix/dialog.txt`.
pub const STATES: &[State] = &[State::Early, State::Confirmed, State::Ended];

/// Every input, for the same matrix.
pub const INPUTS: &[Input] = &[
    Input::Provisional,
    Input::Success,
    Input::Failure,
    Input::ByeReceived,
    Input::ByeSent,
    Input::Gone,
];

impl Input {
    /// What a response to the first INVITE is.
    pub fn of_status(code: u16) -> Self {
        if status::is_provisional(code) {
            Self::Provisional
        } else if status::is_success(code) {
            Self::Success
        } else {
            Self::Failure
        }
    }
}

/// Takes one step.
pub fn step(state: State, input: Input) -> State {
    match state {
        State::Early => match input {
            Input::Provisional => State::Early,
            Input::Success => State::Confirmed,
            Input::Failure | Input::ByeReceived | Input::ByeSent | Input::Gone => State::Ended,
        },
        State::Confirmed => match input {
            // The first INVITE has had its answer: what still comes of it is late or of a fork.
            Input::Provisional | Input::Success | Input::Failure => State::Confirmed,
            Input::ByeReceived | Input::ByeSent | Input::Gone => State::Ended,
        },
        State::Ended => State::Ended,
    }
}
