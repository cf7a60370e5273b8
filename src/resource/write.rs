//! Configuration back into the shape people write: the `spec` that REST answers with.
//!
//! Every field is written, defaults too, in the words of the readers; what is written here reads
//! back as the same configuration, less its secrets.
//!
//! Always holds: no PIN and no password is written.
//!
//! Not here: live figures (`api`).

use serde_json::Value;
use serde_json::json;

use crate::acd::command::LoginKind;
use crate::acd::config::Address;
use crate::acd::config::AgentConfig;
use crate::acd::config::AnswerMode;
use crate::acd::config::CallerTreatment;
use crate::acd::config::DuplicateLogin;
use crate::acd::config::Network;
use crate::acd::config::Overflow;
use crate::acd::config::OverflowAction;
use crate::acd::config::QueueConfig;
use crate::acd::config::RingAction;
use crate::acd::config::RingPolicy;
use crate::acd::config::Strategy;
use crate::acd::config::TrunkConfig;
use crate::acd::config::UnreachableAction;
use crate::base::id::PromptId;
use crate::base::time::Millis;
use crate::resource::prompt::NONE;

/// Writes the `spec` of a queue.
pub fn queue(queue: &QueueConfig) -> Value {
    let addresses: Vec<String> = queue.addresses.iter().map(ToString::to_string).collect();
    let mut spec = json!({
        "displayName": queue.display_name,
        "addresses": addresses,
        "strategy": match queue.strategy {
            Strategy::MostIdle => "MostIdle",
            Strategy::RingAll => "RingAll",
        },
        "ringSeconds": queue.ring.as_secs(),
        "wrapUpSeconds": queue.wrap_up.as_secs(),
        "priority": queue.priority,
        "weight": queue.weight,
        "serviceLevel": {
            "thresholdSeconds": queue.service_level.threshold.as_secs(),
            "targetPercent": queue.service_level.target_percent,
        },
        "shortAbandonSeconds": queue.short_abandon.as_secs(),
        "caller": treatment(&queue.caller),
        "onRingOut": policy(queue.on_ring_out),
        "onDeclined": policy(queue.on_declined),
        "onBusy": policy(queue.on_busy),
        "limits": {},
        "overflow": {
            "full": rule(&queue.overflow.full),
            "tooLong": rule(&queue.overflow.too_long),
            "noAgents": rule(&queue.overflow.no_agents),
            "closed": rule(&queue.overflow.closed),
        },
        "open": queue.open,
    });
    // An omitted limit means none.
    if let Some(calls) = queue.limits.calls_max {
        spec["limits"]["callsMax"] = calls.into();
    }
    if let Some(wait) = queue.limits.wait_max {
        spec["limits"]["waitSecondsMax"] = wait.as_secs().into();
    }
    spec
}

/// Writes the `spec` of an agent, without the PIN.
pub fn agent(agent: &AgentConfig) -> Value {
    let queues: Vec<&str> = agent.queues.iter().map(|queue| queue.as_str()).collect();
    let logins: Vec<&str> = agent.allowed_logins.iter().map(|kind| login(*kind)).collect();
    let mut spec = json!({
        "displayName": agent.display_name,
        "queues": queues,
        "allowedLogins": logins,
        "onUnreachable": {
            "action": match agent.on_unreachable.action {
                UnreachableAction::LogOut => "LogOut",
                UnreachableAction::NotReady => "NotReady",
                UnreachableAction::Nothing => "Nothing",
            },
            "afterSeconds": agent.on_unreachable.after.as_secs(),
        },
    });
    if let Some(device) = &agent.device {
        spec["device"] = json!({ "address": device.address });
        if let Some(trunk) = &device.trunk {
            spec["device"]["trunk"] = trunk.as_str().into();
        }
    }
    if let Some(wrap_up) = agent.wrap_up {
        spec["wrapUpSeconds"] = wrap_up.as_secs().into();
    }
    if let Some(policy) = agent.duplicate_login {
        spec["duplicateLogin"] = match policy {
            DuplicateLogin::Reject => "Reject",
            DuplicateLogin::Warn => "Warn",
            DuplicateLogin::TakeOver => "TakeOver",
        }
        .into();
    }
    if let Some(team) = &agent.team {
        spec["team"] = team.as_str().into();
    }
    spec
}

/// Writes the `spec` of a trunk, without passwords; of an `auth` only the user name.
pub fn trunk(trunk: &TrunkConfig) -> Value {
    let sources: Vec<String> = trunk.allowed_sources.iter().map(network).collect();
    let mut spec = json!({ "peers": trunk.peers, "inbound": { "allowedSources": sources } });
    if let Some(proxy) = &trunk.outbound_proxy {
        spec["outboundProxy"] = proxy.as_str().into();
    }
    if let Some(auth) = &trunk.inbound_auth {
        spec["inbound"]["auth"] = json!({ "username": auth.username });
    }
    if let Some(auth) = &trunk.outbound_auth {
        spec["auth"] = json!({ "username": auth.username });
    }
    spec
}

/// The word for a kind of login.
pub fn login(kind: LoginKind) -> &'static str {
    match kind {
        LoginKind::Callback => "Callback",
        LoginKind::NailedUp => "NailedUp",
    }
}

fn treatment(caller: &CallerTreatment) -> Value {
    let mut written = json!({
        "answer": match caller.answer {
            AnswerMode::OnEntry => "OnEntry",
            AnswerMode::EarlyMedia => "EarlyMedia",
            AnswerMode::OnAgent => "OnAgent",
        },
        "welcome": prompt(caller.welcome.as_ref()),
        "music": prompt(caller.music.as_ref()),
    });
    if let Some(announcement) = &caller.announcement {
        written["announcements"] = json!({
            "prompt": announcement.prompt.as_str(),
            "everySeconds": announcement.every.as_secs(),
        });
    }
    written
}

fn prompt(prompt: Option<&PromptId>) -> &str {
    prompt.map_or(NONE, PromptId::as_str)
}

fn policy(policy: RingPolicy) -> Value {
    let action = match policy.action {
        RingAction::NotReady => "NotReady",
        RingAction::StayReady => "StayReady",
        RingAction::LogOut => "LogOut",
    };
    if policy.action == RingAction::StayReady || policy.delay > Millis::ZERO {
        return json!({ "action": action, "delaySeconds": policy.delay.as_secs() });
    }
    action.into()
}

fn rule(rule: &Overflow) -> Value {
    let mut written = match &rule.action {
        OverflowAction::Reject { status } => json!({ "reject": { "status": status } }),
        OverflowAction::Queue { queue } => json!({ "queue": queue.as_str() }),
        OverflowAction::Transfer { to } => json!({ "transfer": target(to) }),
        OverflowAction::HangUp => json!({ "hangUp": {} }),
        OverflowAction::Wait => json!({ "wait": {} }),
    };
    if let Some(prompt) = &rule.play {
        written["play"] = prompt.as_str().into();
    }
    written
}

fn target(to: &Address) -> String {
    if to.host.is_some() { to.to_string() } else { format!("tel:{}", to.user) }
}

fn network(network: &Network) -> String {
    format!("{}/{}", network.address, network.prefix)
}
