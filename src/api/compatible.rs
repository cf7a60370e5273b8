//! `GET /queues` and `GET /agents` at the root, for clients of the small ACD Carillon replaces.
//!
//! The shapes are fixed for good: every value is text, `idletime` is in seconds, a call is
//! `waiting` or `assigned`, an agent `loggedout`, `idle`, `busy`, `notready` or `wrapup`. `idle` is
//! who could be rung now; one who is Ready and whose phone cannot be is `notready`.
//!
//! Always holds: no field is added, renamed or moved (`tests/api/golden`). Who may not see a
//! caller's number gets an empty `from`.
//!
//! Not here: everything that was added since ([`super::queues`], [`super::agents`]).

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::acd::command::AgentStateName;
use crate::acd::command::CallStateName;
use crate::acd::view::AgentPicture;
use crate::acd::view::CallPicture;
use crate::api::Api;
use crate::api::calls::involved;
use crate::api::request::Answer;
use crate::api::request::Look;

/// The answer of `GET /queues`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CompatibleQueues {
    queues: Vec<CompatibleQueue>,
}

/// A queue and its calls.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CompatibleQueue {
    name: String,
    calls: Vec<CompatibleCall>,
}

/// A live call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CompatibleCall {
    /// The SIP Call-ID.
    id: String,
    /// `waiting` or `assigned`.
    state: &'static str,
    /// `user@host`.
    from: String,
    /// `user@host`.
    to: String,
}

/// The answer of `GET /agents`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CompatibleAgents {
    agents: Vec<CompatibleAgent>,
}

/// An agent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CompatibleAgent {
    id: String,
    /// `loggedout`, `idle`, `busy`, `notready` or `wrapup`.
    state: &'static str,
    /// Seconds, as text.
    idletime: String,
    device: String,
    memberof: Vec<String>,
}

/// Lists queues and their calls in the old shape.
#[utoipa::path(get, path = "/queues", tag = "compatible",
    params(super::openapi::Consistency), responses((status = 200, body = CompatibleQueues)))]
pub(super) async fn queues(State(api): State<Api>, look: Look) -> Answer<CompatibleQueues> {
    let call = |call: CallPicture| {
        let sees_caller = look.asker.sees_caller_of(&involved(&call));
        let from = if sees_caller { call.caller.from.expose().clone() } else { String::new() };
        CompatibleCall {
            id: call.caller.sip_call_id.clone(),
            state: call_state(call.state),
            from,
            to: call.caller.to.clone(),
        }
    };
    let queues = api.handle.view(|view| {
        let queues = view.queues().into_iter().map(|queue| CompatibleQueue {
            name: queue.id.to_string(),
            calls: view.calls_in(&queue.id).into_iter().map(call).collect(),
        });
        queues.collect()
    });
    look.answer(CompatibleQueues { queues })
}

/// Lists agents in the old shape.
#[utoipa::path(get, path = "/agents", tag = "compatible",
    params(super::openapi::Consistency), responses((status = 200, body = CompatibleAgents)))]
pub(super) async fn agents(State(api): State<Api>, look: Look) -> Answer<CompatibleAgents> {
    let agent = |agent: AgentPicture| {
        let idle = agent.idle_since.filter(|_| agent.state == AgentStateName::Ready);
        let idle = idle.map_or(0, |since| look.now.since(since).as_secs());
        CompatibleAgent {
            id: agent.id.to_string(),
            state: if agent.unable.is_some() { "notready" } else { agent_state(agent.state) },
            idletime: idle.to_string(),
            device: agent.device.unwrap_or_default(),
            memberof: agent.queues.iter().map(ToString::to_string).collect(),
        }
    };
    let agents = api.handle.view(|view| view.agents().into_iter().map(agent).collect());
    look.answer(CompatibleAgents { agents })
}

fn call_state(state: CallStateName) -> &'static str {
    match state {
        CallStateName::Arriving | CallStateName::Waiting => "waiting",
        CallStateName::Reserved
        | CallStateName::Talking
        | CallStateName::Held
        | CallStateName::Transferring
        | CallStateName::Ended => "assigned",
    }
}

fn agent_state(state: AgentStateName) -> &'static str {
    match state {
        AgentStateName::LoggedOut => "loggedout",
        AgentStateName::Ready => "idle",
        AgentStateName::Reserved | AgentStateName::Talking => "busy",
        AgentStateName::NotReady => "notready",
        AgentStateName::WrapUp => "wrapup",
    }
}
