//! Facts and milestones as JSON: a published type, and fields in camelCase.
//!
//! The types are the names of the facts and are never renamed. Clients pass over types and fields
//! they do not know.
//!
//! Always holds: a caller's number appears only when the one who listens may see it.
//!
//! Not here: the stream they go out in ([`super::events`]).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::acd::command::Actor;
use crate::acd::command::Caller;
use crate::acd::fact::CallEnd;
use crate::acd::fact::Explanation;
use crate::acd::fact::Fact;
use crate::acd::view::Milestone;
use crate::acd::view::WaitReason;
use crate::api::calls::Why;
use crate::base::id::AgentId;

type Fields = Map<String, Value>;

/// A fact as its type and its fields.
pub(super) fn fact(fact: &Fact, sees_caller: bool) -> (&'static str, Fields) {
    (name(fact), object(about_call(fact, sees_caller).or_else(|| about_else(fact))))
}

fn name(fact: &Fact) -> &'static str {
    match fact {
        Fact::CallEnqueued { .. } => "CallEnqueued",
        Fact::CallOverflowed { .. } => "CallOverflowed",
        Fact::CallReserved { .. } => "CallReserved",
        Fact::ReservationJoined { .. } => "ReservationJoined",
        Fact::ReservationEnded { .. } => "ReservationEnded",
        Fact::CallAnswered { .. } => "CallAnswered",
        Fact::CallReturned { .. } => "CallReturned",
        Fact::CallHeld { .. } => "CallHeld",
        Fact::CallResumed { .. } => "CallResumed",
        Fact::CallPrioritized { .. } => "CallPrioritized",
        Fact::CallTransferring { .. } => "CallTransferring",
        Fact::CallTransferFailed { .. } => "CallTransferFailed",
        Fact::CallEnded { .. } => "CallEnded",
        Fact::CallTurnedAway { .. } => "CallTurnedAway",
        Fact::AgentLoggedIn { .. } => "AgentLoggedIn",
        Fact::AgentLoginDuplicated { .. } => "AgentLoginDuplicated",
        Fact::AgentLoggedOut { .. } => "AgentLoggedOut",
        Fact::AgentReady { .. } => "AgentReady",
        Fact::AgentNotReady { .. } => "AgentNotReady",
        Fact::AgentReserved { .. } => "AgentReserved",
        Fact::AgentTalking { .. } => "AgentTalking",
        Fact::AgentWrappingUp { .. } => "AgentWrappingUp",
        Fact::AgentPinRefused { .. } => "AgentPinRefused",
        Fact::DeviceChanged { .. } => "DeviceChanged",
        Fact::AgentMoved { .. } => "AgentMoved",
        Fact::QueueDraining { .. } => "QueueDraining",
        Fact::QueueDrained { .. } => "QueueDrained",
        Fact::ConfigPut { .. } => "ConfigPut",
        Fact::ConfigRemoved { .. } => "ConfigRemoved",
        Fact::NodeStarted { .. } => "NodeStarted",
        Fact::NodeLost { .. } => "NodeLost",
        Fact::CallTakenOver { .. } => "CallTakenOver",
        Fact::CallHungUp { .. } => "CallHungUp",
        Fact::CallQuarantined { .. } => "CallQuarantined",
        Fact::AgentQuarantined { .. } => "AgentQuarantined",
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not about a call is in about_else")]
fn about_call(fact: &Fact, sees_caller: bool) -> Option<Value> {
    Some(match fact {
        Fact::CallEnqueued { call, queue, caller, priority } => json!({
            "call": call.to_string(), "queue": queue, "priority": priority, "to": caller.to,
            "caller": who(caller, sees_caller),
        }),
        Fact::CallOverflowed { call, from, to, rule } => json!({
            "call": call.to_string(), "from": from, "to": to, "rule": format!("{rule:?}"),
        }),
        Fact::CallReserved { call, queue, agents, why }
        | Fact::ReservationJoined { call, queue, agents, why } => json!({
            "call": call.to_string(), "queue": queue, "agents": agents, "why": explanation(why),
        }),
        Fact::ReservationEnded { call, queue, agent, why } => json!({
            "call": call.to_string(), "queue": queue, "agent": agent, "why": why.word(),
        }),
        Fact::CallAnswered { call, queue, agent, waited, rang } => json!({
            "call": call.to_string(), "queue": queue, "agent": agent,
            "waitedSeconds": waited.as_secs(), "rangSeconds": rang.as_secs(),
        }),
        Fact::CallReturned { call, queue, agent } => {
            json!({ "call": call.to_string(), "queue": queue, "agent": agent })
        }
        Fact::CallTakenOver { call, queue, by } => {
            json!({ "call": call.to_string(), "queue": queue, "node": by.to_string() })
        }
        Fact::CallHeld { call, by } | Fact::CallResumed { call, by } => json!({
            "call": call.to_string(), "by": if by.is_caller() { "Caller" } else { "Agent" },
        }),
        Fact::CallPrioritized { call, priority, by } => {
            done_by(by, json!({ "call": call.to_string(), "priority": priority }))
        }
        // Where to may be somebody's number.
        Fact::CallTransferring { call, to, by } => {
            done_by(by, json!({ "call": call.to_string(), "to": sees_caller.then_some(to) }))
        }
        Fact::CallHungUp { call, by } => done_by(by, json!({ "call": call.to_string() })),
        Fact::CallTransferFailed { call, status } => {
            json!({ "call": call.to_string(), "status": status })
        }
        Fact::CallEnded { call, queue, why, waited, talked } => {
            let (reason, mut fields) = end(why);
            fields.insert("call".to_owned(), call.to_string().into());
            fields.insert("queue".to_owned(), queue.as_str().into());
            fields.insert("reason".to_owned(), reason.into());
            fields.insert("waitedSeconds".to_owned(), waited.as_secs().into());
            fields.insert("talkedSeconds".to_owned(), talked.as_secs().into());
            Value::Object(fields)
        }
        Fact::CallTurnedAway { queue, rule, status } => {
            json!({ "queue": queue, "rule": format!("{rule:?}"), "status": status })
        }
        Fact::CallQuarantined { call, broken } => {
            json!({ "call": call.to_string(), "broken": broken })
        }
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is about a call is in about_call")]
fn about_else(fact: &Fact) -> Option<Value> {
    Some(match fact {
        Fact::AgentLoggedIn { agent, device, by } => {
            done_by(by, json!({ "agent": agent, "device": device }))
        }
        Fact::AgentLoginDuplicated { agent, device, by, holder } => {
            done_by(by, json!({ "agent": agent, "device": device, "holder": holder }))
        }
        Fact::AgentLoggedOut { agent, reason, by } => {
            done_by(by, json!({ "agent": agent, "reason": format!("{reason:?}") }))
        }
        Fact::AgentReady { agent, by } => done_by(by, json!({ "agent": agent })),
        Fact::AgentNotReady { agent, reason, by } => {
            done_by(by, json!({ "agent": agent, "reason": reason }))
        }
        Fact::AgentReserved { agent, call } | Fact::AgentTalking { agent, call } => {
            json!({ "agent": agent, "call": call.to_string() })
        }
        Fact::AgentWrappingUp { agent, call, length } => {
            json!({ "agent": agent, "call": call.to_string(), "lengthSeconds": length.as_secs() })
        }
        Fact::AgentPinRefused { agent, locked, by } => {
            done_by(by, json!({ "agent": agent, "locked": locked }))
        }
        Fact::AgentQuarantined { agent, broken } => json!({ "agent": agent, "broken": broken }),
        Fact::DeviceChanged { agent, state } => {
            json!({ "agent": agent, "deviceState": format!("{state:?}") })
        }
        Fact::AgentMoved { agent, device, trunk } => {
            json!({ "agent": agent, "device": device, "trunk": trunk })
        }
        Fact::QueueDraining { queue, calls } => json!({ "queue": queue, "calls": calls }),
        Fact::QueueDrained { queue } => json!({ "queue": queue }),
        Fact::ConfigPut { kind, name, source } | Fact::ConfigRemoved { kind, name, source } => {
            json!({ "kind": format!("{kind:?}"), "name": name, "source": format!("{source:?}") })
        }
        Fact::NodeStarted { owner } => json!({ "node": owner.to_string() }),
        Fact::NodeLost { owner, legs } => json!({ "node": owner.to_string(), "legs": legs }),
        _ => return None,
    })
}

/// Adds who did it, and in which capacity; `System` is Carillon itself, by a policy.
fn done_by(by: &Actor, mut fields: Value) -> Value {
    fields["by"] = by.name.as_str().into();
    fields["byRole"] = format!("{:?}", by.role).into();
    fields
}

/// A line of a call's story as what happened and its fields.
pub(super) fn milestone(milestone: &Milestone, sees_caller: bool) -> (&'static str, Fields) {
    let (what, fields) = match milestone {
        Milestone::Entered(queue) => ("Entered", json!({ "queue": queue })),
        Milestone::Reserved(agents) => ("Reserved", json!({ "agents": agents })),
        Milestone::ReservationEnded(agent, why) => {
            ("ReservationEnded", json!({ "agent": agent, "why": why.word() }))
        }
        Milestone::Answered(agent) => ("Answered", json!({ "agent": agent })),
        Milestone::Returned(agent) => ("Returned", json!({ "agent": agent })),
        Milestone::Held => ("Held", json!({})),
        Milestone::Resumed => ("Resumed", json!({})),
        Milestone::Prioritized(priority) => ("Prioritized", json!({ "priority": priority })),
        Milestone::Transferring(to) if sees_caller => ("Transferring", json!({ "to": to })),
        Milestone::Transferring(_) => ("Transferring", json!({})),
        Milestone::TransferFailed(status) => ("TransferFailed", json!({ "status": status })),
        Milestone::TakenOver(node) => ("TakenOver", json!({ "node": node.to_string() })),
        Milestone::Ended(why) => {
            let (reason, mut fields) = end(why);
            fields.insert("reason".to_owned(), reason.into());
            ("Ended", Value::Object(fields))
        }
    };
    (what, object(Some(fields)))
}

/// Who answered, if the line says so.
#[expect(clippy::wildcard_enum_match_arm, reason = "only one line says who answered")]
pub(super) fn answered_by(milestone: &Milestone) -> Option<AgentId> {
    match milestone {
        Milestone::Answered(agent) => Some(agent.clone()),
        _ => None,
    }
}

/// Why a call ended: the published reason, and what belongs to it.
pub(super) fn end(end: &CallEnd) -> (&'static str, Fields) {
    let fields = match end {
        CallEnd::AnsweredAndHungUp { by } => json!({ "by": format!("{by:?}") }),
        CallEnd::Overflowed(rule) => json!({ "rule": format!("{rule:?}") }),
        CallEnd::Rejected(status) => json!({ "status": status }),
        CallEnd::HungUp { by } => json!({ "by": format!("{by:?}") }),
        CallEnd::Abandoned
        | CallEnd::ShortAbandoned
        | CallEnd::Transferred
        | CallEnd::CallerLost
        | CallEnd::AgentLost
        | CallEnd::NodeLost => json!({}),
    };
    (end.word(), object(Some(fields)))
}

/// Why a call waits, in the published word.
pub(super) fn wait_reason(reason: WaitReason) -> String {
    match reason {
        WaitReason::NoAgentReady => "NoAgentReady",
        WaitReason::BehindOthers { .. } => "BehindOthers",
        WaitReason::QueueClosed => "QueueClosed",
        WaitReason::DeviceUnreachable => "DeviceUnreachable",
    }
    .to_owned()
}

fn explanation(why: &Explanation) -> Value {
    serde_json::to_value(Why::of(why)).unwrap_or_default()
}

fn who(caller: &Caller, sees_caller: bool) -> Value {
    if !sees_caller {
        return Value::Null;
    }
    json!({
        "from": caller.from.expose(),
        "number": caller.number.expose(),
        "name": caller.name.expose(),
    })
}

fn object(value: Option<Value>) -> Fields {
    match value {
        Some(Value::Object(fields)) => fields,
        None
        | Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        ) => Fields::new(),
    }
}
