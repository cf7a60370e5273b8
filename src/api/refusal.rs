//! What each refusal of the core becomes: one table, in words for people.
//!
//! A refusal names the rule, the state and the way out: "Agent 2771 is Talking; logging out is
//! allowed in NotReady or WrapUp. End the call, or ask a supervisor to force it."
//!
//! Always holds: every [`Refusal`] has its kind of problem; the compiler sees to it.
//!
//! Not here: the published list ([`super::catalogue`]).

use std::fmt::Display;

use serde_json::Value;
use serde_json::json;

use crate::acd::command::AgentStateName;
use crate::acd::command::CallStateName;
use crate::acd::command::LoginKind;
use crate::acd::command::Refusal;
use crate::acd::config::Address;
use crate::acd::config::Source;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::time::rfc3339;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::QueueId;
use crate::base::time::ClusterTime;
use crate::resource::write;

/// Turns a refusal into a problem. `asked` is what was asked for, as "logging out".
pub(super) fn problem(refusal: &Refusal, asked: &str) -> Problem {
    let told = match refusal {
        Refusal::UnknownCall(call) => unknown(Kind::UnknownCall, "call", call),
        Refusal::UnknownLeg(leg) => unknown(Kind::UnknownLeg, "leg", leg),
        Refusal::UnknownQueue(queue) => unknown(Kind::UnknownQueue, "queue", queue),
        Refusal::UnknownAgent(agent) => unknown(Kind::UnknownAgent, "agent", agent),
        Refusal::UnknownTrunk(trunk) => unknown(Kind::UnknownTrunk, "trunk", trunk),
        Refusal::UnknownPrompt(prompt) => unknown(Kind::UnknownPrompt, "prompt", prompt),
        Refusal::UnknownAddress(address) => unknown(Kind::UnknownAddress, "queue at", address),
        Refusal::DuplicateCall(call) => {
            Problem::new(Kind::DuplicateCall, &format!("Call {call} is there already"))
        }
        Refusal::StaleOwner(owner) => {
            Problem::new(Kind::StaleOwner, &format!("{owner} is a former life of its node"))
        }
        Refusal::TurnedAway { queue, status, rule } => {
            let detail = format!("Queue {queue} turned the call away with {status} ({rule:?})");
            Problem::new(Kind::TurnedAway, &detail)
        }
        Refusal::WrongCallState { call, state } => wrong_call_state(*call, *state, asked),
        Refusal::WrongAgentState { agent, state, allowed } => {
            wrong_agent_state(agent, *state, allowed, asked)
        }
        Refusal::WrongPin { agent } => {
            let detail = format!("The PIN is not the one of agent {agent}. Try again.");
            Problem::new(Kind::WrongPin, &detail)
        }
        Refusal::PinMissing { agent } => pin_missing(agent),
        Refusal::PinLocked { agent, until } => pin_locked(agent, *until),
        Refusal::LoginKindNotAllowed { agent, kind } => kind_not_allowed(agent, *kind),
        Refusal::NoDevice { agent } => {
            let detail = format!(
                "Neither the login nor the configuration says where to ring agent {agent}. Send \
                 device, as sip:{agent}@pbx.example."
            );
            Problem::new(Kind::NoDevice, &detail)
        }
        Refusal::AlreadyLoggedIn { agent, device } => {
            let detail = format!("Agent {agent} is logged in at {device}. Log out there first.");
            Problem::new(Kind::AlreadyLoggedIn, &detail)
        }
        Refusal::DeviceTaken { device, agent } => {
            let detail = format!(
                "Agent {agent} is logged in at {device}; a phone has one agent. Log that agent \
                 out first, or use another phone."
            );
            Problem::new(Kind::DeviceTaken, &detail)
        }
        Refusal::DeviceInCall { device, agent } => {
            let detail = format!(
                "Agent {agent} talks with a caller at {device}; a login does not cut a talk. Log \
                 in after the call, or ask a supervisor to force the agent out."
            );
            Problem::new(Kind::DeviceInCall, &detail)
        }
        Refusal::UnknownReason { reason, known } => unknown_reason(reason, known),
        Refusal::AddressTaken { address, queue } => address_taken(address, queue),
        Refusal::OtherSource { name, source } => other_source(name, *source),
        Refusal::RequestReused => {
            let detail = "This Idempotency-Key was sent a moment ago with another request: another \
                          path, method or body. Send the same again, or choose a new key.";
            Problem::new(Kind::KeyReused, detail)
        }
    };
    told.with("refusal", name(refusal).into())
}

fn unknown(kind: Kind, what: &str, name: impl Display) -> Problem {
    Problem::new(kind, &format!("There is no {what} {name}"))
}

fn wrong_call_state(call: CallId, state: CallStateName, asked: &str) -> Problem {
    let detail =
        format!("Call {call} is {state:?}; {asked} is not possible then. Look at the call again.");
    Problem::new(Kind::WrongCallState, &detail).with("state", format!("{state:?}").into())
}

fn pin_missing(agent: &AgentId) -> Problem {
    let detail = format!("Agent {agent} has a PIN, and the login names none. Send it as pin.");
    let errors = json!([{ "pointer": "/pin", "detail": detail }]);
    Problem::new(Kind::PinMissing, &detail).with("errors", errors)
}

fn pin_locked(agent: &AgentId, until: ClusterTime) -> Problem {
    let until = rfc3339(until);
    let detail = format!(
        "Agent {agent} is locked after too many wrong PINs until {until}. Wait, or ask a \
         supervisor to log the agent in."
    );
    Problem::new(Kind::PinLocked, &detail).with("until", until.into())
}

fn kind_not_allowed(agent: &AgentId, kind: LoginKind) -> Problem {
    let kind = write::login(kind);
    let detail = format!(
        "Agent {agent} may not log in as {kind}. Log in another way, or add {kind} to the \
         agent's allowedLogins."
    );
    Problem::new(Kind::LoginKindNotAllowed, &detail)
}

fn unknown_reason(reason: &str, known: &[String]) -> Problem {
    let detail = format!("{reason} is not a known reason. Write one of {}.", known.join(", "));
    let errors = json!([{ "pointer": "/reason", "detail": detail }]);
    Problem::new(Kind::UnknownReason, &detail).with("errors", errors).with("known", json!(known))
}

fn address_taken(address: &Address, queue: &QueueId) -> Problem {
    let detail = format!(
        "{address} reaches queue {queue}; an address reaches one queue. Take it from that queue \
         first, or choose another."
    );
    Problem::new(Kind::AddressTaken, &detail).with("queue", queue.as_str().into())
}

fn other_source(name: &str, source: Source) -> Problem {
    let (place, way_out) = match source {
        Source::Folder => ("the configuration folder", "Change its file."),
        Source::Kubernetes => ("Kubernetes", "Change it with kubectl."),
        Source::Rest => ("REST", "Change it with PUT or DELETE."),
    };
    let detail = format!("{name} lives in {place} and is changed only there. {way_out}");
    Problem::new(Kind::OtherSource, &detail).with("source", format!("{source:?}").into())
}

fn wrong_agent_state(
    agent: &AgentId,
    state: AgentStateName,
    allowed: &[AgentStateName],
    asked: &str,
) -> Problem {
    let names: Vec<String> = allowed.iter().map(|state| format!("{state:?}")).collect();
    let way_out = match state {
        AgentStateName::LoggedOut => "Log in first",
        AgentStateName::Ready => "Set the agent not ready first",
        AgentStateName::NotReady => "Set the agent ready first",
        AgentStateName::Reserved => "Wait until the phone has stopped ringing",
        AgentStateName::Talking => "End the call",
        AgentStateName::WrapUp => "End the wrap-up first",
    };
    let or_force = match asked {
        LOGGING_OUT if state != AgentStateName::LoggedOut => ", or ask a supervisor to force it",
        _ => "",
    };
    let detail = format!(
        "Agent {agent} is {state:?}; {asked} is allowed in {}. {way_out}{or_force}.",
        names.join(" or ")
    );
    Problem::new(Kind::WrongAgentState, &detail)
        .with("state", format!("{state:?}").into())
        .with("allowed", Value::from(names))
}

/// What is asked when an agent is logged out.
pub(super) const LOGGING_OUT: &str = "logging out";

/// The core's own word for a refusal.
pub(super) fn name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownCall(_) => "UnknownCall",
        Refusal::DuplicateCall(_) => "DuplicateCall",
        Refusal::UnknownLeg(_) => "UnknownLeg",
        Refusal::UnknownAddress(_) => "UnknownAddress",
        Refusal::UnknownQueue(_) => "UnknownQueue",
        Refusal::UnknownAgent(_) => "UnknownAgent",
        Refusal::UnknownTrunk(_) => "UnknownTrunk",
        Refusal::UnknownPrompt(_) => "UnknownPrompt",
        Refusal::TurnedAway { .. } => "TurnedAway",
        Refusal::WrongAgentState { .. } => "WrongAgentState",
        Refusal::WrongCallState { .. } => "WrongCallState",
        Refusal::WrongPin { .. } => "WrongPin",
        Refusal::PinLocked { .. } => "PinLocked",
        Refusal::PinMissing { .. } => "PinMissing",
        Refusal::LoginKindNotAllowed { .. } => "LoginKindNotAllowed",
        Refusal::NoDevice { .. } => "NoDevice",
        Refusal::AlreadyLoggedIn { .. } => "AlreadyLoggedIn",
        Refusal::DeviceTaken { .. } => "DeviceTaken",
        Refusal::DeviceInCall { .. } => "DeviceInCall",
        Refusal::UnknownReason { .. } => "UnknownReason",
        Refusal::AddressTaken { .. } => "AddressTaken",
        Refusal::OtherSource { .. } => "OtherSource",
        Refusal::StaleOwner(_) => "StaleOwner",
        Refusal::RequestReused => "RequestReused",
    }
}
