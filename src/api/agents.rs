//! Agents over REST: how they are, what they are told to do, and changing them.
//!
//! Orders for an agent that does not exist are 404 with the names that are near; orders its state
//! does not allow are 409 with the states that do.
//!
//! Not here: the shape of `spec` (`resource::agent`), the compatible list ([`super::compatible`]).

use axum::extract::Path;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::acd::command::Actor;
use crate::acd::command::AgentStateName;
use crate::acd::command::Command;
use crate::acd::command::LogIn;
use crate::acd::config::Source;
use crate::acd::view::AgentPicture;
use crate::acd::view::View;
use crate::api::Api;
use crate::api::auth::Asker;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::refusal::LOGGING_OUT;
use crate::api::request::Answer;
use crate::api::request::List;
use crate::api::request::Look;
use crate::api::request::Order;
use crate::api::request::found;
use crate::api::request::look;
use crate::api::resources;
use crate::api::resources::Removed;
use crate::api::time::rfc3339;
use crate::base::id::AgentId;
use crate::resource;
use crate::resource::order;
use crate::resource::order::LogInOrder;
use crate::resource::order::NotReadyOrder;

/// An agent as it is now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Agent {
    name: String,
    display_name: String,
    /// LoggedOut, Ready, NotReady, Reserved, Talking or WrapUp.
    state: String,
    /// Why NotReady or LoggedOut; of one who is Ready and cannot be rung now: DeviceBusy,
    /// DeviceUnreachable, DeviceUnknown or JustRangOut.
    reason: Option<String>,
    /// Since when in this state.
    since: String,
    /// When a wrap-up ends by itself.
    until: Option<String>,
    /// How long the agent has been Ready without a call.
    idle_seconds: Option<u64>,
    /// Where the agent is rung while logged in.
    device: Option<String>,
    /// The trunk that is reached through; absent, the address is rung directly.
    trunk: Option<String>,
    /// Idle, Ringing, Busy, Unreachable or Unknown.
    device_state: String,
    /// Known, Stale or Never.
    device_freshness: String,
    queues: Vec<String>,
    call: Option<String>,
    team: Option<String>,
}

/// An agent with its configuration.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgentDetail {
    #[serde(flatten)]
    agent: Agent,
    /// Whether a PIN is asked for; the PIN itself is never shown.
    has_pin: bool,
    /// Folder, Kubernetes or Rest; only there it may be changed.
    source: String,
    /// The configuration, as `kind: Agent` has it, without the PIN.
    #[schema(value_type = Object)]
    spec: Value,
}

impl Agent {
    fn of(picture: AgentPicture, look: &Look) -> Self {
        let idle = picture.idle_since.filter(|_| picture.state == AgentStateName::Ready);
        Self {
            name: picture.id.to_string(),
            display_name: picture.display_name,
            state: format!("{:?}", picture.state),
            reason: picture.reason,
            since: rfc3339(picture.since),
            until: picture.until.map(rfc3339),
            idle_seconds: idle.map(|since| look.now.since(since).as_secs()),
            device: picture.device,
            trunk: picture.trunk.map(|trunk| trunk.to_string()),
            device_state: format!("{:?}", picture.device_state),
            device_freshness: format!("{:?}", picture.device_freshness),
            queues: picture.queues.iter().map(ToString::to_string).collect(),
            call: picture.call.map(|call| call.to_string()),
            team: picture.team,
        }
    }
}

/// Lists the agents.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents",
    params(super::openapi::Consistency), responses((status = 200, body = List<Agent>)))]
pub(super) async fn list(State(api): State<Api>, look: Look) -> Answer<List<Agent>> {
    let agents = api
        .handle
        .view(|view| view.agents().into_iter().map(|agent| Agent::of(agent, &look)).collect());
    look.list(agents)
}

/// Shows one agent and its configuration.
#[utoipa::path(get, path = "/api/v1/agents/{agent}", tag = "agents",
    params(("agent" = String, Path), super::openapi::Consistency),
    responses((status = 200, body = AgentDetail)))]
pub(super) async fn show(
    State(api): State<Api>,
    Path(agent): Path<String>,
    look: Look,
) -> Result<Answer<AgentDetail>, Problem> {
    detail(&api, &agent, &look)
}

/// Logs an agent in.
#[utoipa::path(post, path = "/api/v1/agents/{agent}/login", tag = "agents",
    params(("agent" = String, Path), super::openapi::Idempotency), request_body = LogInOrder,
    responses((status = 200, body = AgentDetail)))]
pub(super) async fn login(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<AgentDetail>, Problem> {
    let agent = act_for(&api, &order, &name, Asker::may_act_for)?;
    let asked = order::read_login(&order.body).map_err(|mistakes| Problem::invalid(&mistakes))?;
    let LogInOrder { device, kind, pin } = asked;
    let by = order.asker.actor();
    let command = Command::LogIn(Box::new(LogIn { agent, pin, device, kind, by }));
    let look = order.carry_out(&api, command, "logging in").await?;
    detail(&api, &name, &look)
}

/// Logs an agent out, if its state allows.
#[utoipa::path(post, path = "/api/v1/agents/{agent}/logout", tag = "agents",
    params(("agent" = String, Path), super::openapi::Idempotency),
    responses((status = 200, body = AgentDetail)))]
pub(super) async fn logout(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<AgentDetail>, Problem> {
    let command = |agent, by| Command::LogOut { agent, by };
    order_agent(&api, &order, &name, (Asker::may_act_for, LOGGING_OUT), command).await
}

/// Logs an agent out whatever it is doing; for supervisors and administrators.
#[utoipa::path(post, path = "/api/v1/agents/{agent}/force-logout", tag = "agents",
    params(("agent" = String, Path), super::openapi::Idempotency),
    responses((status = 200, body = AgentDetail)))]
pub(super) async fn force_logout(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<AgentDetail>, Problem> {
    let command = |agent, by| Command::ForceLogOut { agent, by };
    order_agent(&api, &order, &name, (Asker::may_supervise, "forcing a logout"), command).await
}

/// Sets an agent ready.
#[utoipa::path(post, path = "/api/v1/agents/{agent}/ready", tag = "agents",
    params(("agent" = String, Path), super::openapi::Idempotency),
    responses((status = 200, body = AgentDetail)))]
pub(super) async fn ready(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<AgentDetail>, Problem> {
    let command = |agent, by| Command::SetReady { agent, by };
    order_agent(&api, &order, &name, (Asker::may_act_for, "setting ready"), command).await
}

/// Sets an agent not ready, with a reason of the settings.
#[utoipa::path(post, path = "/api/v1/agents/{agent}/not-ready", tag = "agents",
    params(("agent" = String, Path), super::openapi::Idempotency), request_body = NotReadyOrder,
    responses((status = 200, body = AgentDetail)))]
pub(super) async fn not_ready(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<AgentDetail>, Problem> {
    let agent = act_for(&api, &order, &name, Asker::may_act_for)?;
    let asked = order::read_not_ready(&order.body);
    let NotReadyOrder { reason } = asked.map_err(|mistakes| Problem::invalid(&mistakes))?;
    let command = Command::SetNotReady { agent, reason, by: order.asker.actor() };
    let look = order.carry_out(&api, command, "setting not ready").await?;
    detail(&api, &name, &look)
}

/// Ends an agent's wrap-up before its time.
#[utoipa::path(post, path = "/api/v1/agents/{agent}/end-wrap-up", tag = "agents",
    params(("agent" = String, Path), super::openapi::Idempotency),
    responses((status = 200, body = AgentDetail)))]
pub(super) async fn end_wrap_up(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<AgentDetail>, Problem> {
    let command = |agent, by| Command::EndWrapUp { agent, by };
    order_agent(&api, &order, &name, (Asker::may_act_for, "ending the wrap-up"), command).await
}

/// Makes or changes an agent; the body is its whole `spec`.
///
/// A PIN is never shown, so one that is left out stays as it is; `"pin": null` removes it.
#[utoipa::path(put, path = "/api/v1/agents/{agent}", tag = "agents",
    params(("agent" = String, Path), super::openapi::Idempotency), request_body = Object,
    responses((status = 200, body = AgentDetail)))]
pub(super) async fn put(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<AgentDetail>, Problem> {
    let read = || {
        let mut agent = resource::read_agent(&name, &order.body, &*api.outside)?;
        if order.body.get("pin").is_none() {
            let kept = |view: View<'_>| view.agent_config(&agent.id)?.0.pin.clone();
            agent.pin = api.handle.view(kept);
        }
        Ok(Command::PutAgent { agent: Box::new(agent), source: Source::Rest })
    };
    let look = order.configure(&api, read, "changing the agent").await?;
    detail(&api, &name, &look)
}

/// Removes an agent made by REST.
#[utoipa::path(delete, path = "/api/v1/agents/{agent}", tag = "agents",
    params(("agent" = String, Path), super::openapi::Idempotency),
    responses((status = 200, body = Removed)))]
pub(super) async fn remove(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<Removed>, Problem> {
    let agent = AgentId::new(&name);
    let command = Command::RemoveAgent { agent, source: Source::Rest };
    let object = ("Agent", Kind::UnknownAgent);
    resources::remove(&api, &order, object, name, command, names).await
}

/// Who may give an order to an agent.
type May = fn(&Asker, &AgentPicture) -> Result<(), Problem>;

/// Orders something of an agent that needs no words: the body is empty.
async fn order_agent(
    api: &Api,
    order: &Order,
    name: &str,
    (may, asked): (May, &str),
    command: fn(AgentId, Actor) -> Command,
) -> Result<Answer<AgentDetail>, Problem> {
    let agent = act_for(api, order, name, may)?;
    order::read_nothing(&order.body).map_err(|mistakes| Problem::invalid(&mistakes))?;
    let look = order.carry_out(api, command(agent, order.asker.actor()), asked).await?;
    detail(api, name, &look)
}

/// The agent of an order, if it exists and the asker may.
fn act_for(api: &Api, order: &Order, name: &str, may: May) -> Result<AgentId, Problem> {
    look(api, |view| {
        let id = AgentId::new(name);
        let agent = found(view.agent(&id), Kind::UnknownAgent, name, || names(view))?;
        may(&order.asker, &agent)?;
        Ok(id)
    })
}

fn detail(api: &Api, name: &str, at: &Look) -> Result<Answer<AgentDetail>, Problem> {
    let detail = look(api, |view| {
        let id = AgentId::new(name);
        let both = view.agent(&id).zip(view.agent_config(&id));
        let (agent, (config, source)) = found(both, Kind::UnknownAgent, name, || names(view))?;
        Ok(AgentDetail {
            agent: Agent::of(agent, at),
            has_pin: config.pin.is_some(),
            source: format!("{source:?}"),
            spec: resource::write::agent(config),
        })
    })?;
    Ok(at.answer(detail))
}

fn names(view: View<'_>) -> Vec<String> {
    view.agent_configs().into_iter().map(|(agent, _)| agent.id.to_string()).collect()
}
