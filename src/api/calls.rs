//! Calls over REST: where each is and why, what happened to it, and what can be done with it.
//!
//! Always holds: the caller's number and name are shown to supervisors, administrators and the
//! agent of the call only.
//!
//! Not here: how an agent was chosen (`acd::routing`; its explanation is only shown here).

use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

use crate::acd::command::CallStateName;
use crate::acd::command::Command;
use crate::acd::fact::Explanation;
use crate::acd::fact::PassedOver;
use crate::acd::view::CallPicture;
use crate::acd::view::Moment;
use crate::api::Api;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::request::Answer;
use crate::api::request::List;
use crate::api::request::Look;
use crate::api::request::Order;
use crate::api::request::look;
use crate::api::story;
use crate::api::time::rfc3339;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::time::Millis;
use crate::resource::order;
use crate::resource::order::PriorityOrder;
use crate::resource::order::TransferOrder;

/// A call, live or recently ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call {
    id: String,
    /// Arriving, Waiting, Reserved, Talking, Held, Transferring or Ended.
    state: String,
    /// The queue it is in, or left last.
    queue: String,
    /// Who calls; null for those who may not see it.
    caller: Option<CallerPicture>,
    /// `user@host` that was called.
    to: String,
    /// The SIP Call-ID of the caller's leg, to find it in a trace.
    sip_call_id: String,
    priority: i32,
    arrived: String,
    /// Since it arrived, until it ended.
    age_seconds: u64,
    /// Where in its queue, 1 first; null unless waiting.
    place: Option<u32>,
    /// NoAgentReady, BehindOthers, QueueClosed, or DeviceUnreachable when the phone of somebody
    /// Ready cannot be reached; null unless waiting.
    waits_because: Option<String>,
    /// Whose phones ring, or who talks.
    agents: Vec<String>,
    answered: Option<String>,
    ended: Option<Ended>,
    /// Why the newest assignment went where it went.
    why: Option<Why>,
    timeline: Vec<Line>,
}

/// Who calls.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CallerPicture {
    /// `user@host`; `anonymous@anonymous.invalid` when withheld.
    from: String,
    /// Null when withheld.
    number: Option<String>,
    name: Option<String>,
}

/// How a call ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Ended {
    at: String,
    /// One of the published reasons.
    reason: &'static str,
    /// What belongs to the reason: `by`, `rule` or `status`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    more: Map<String, Value>,
}

/// Why an agent was chosen.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Why {
    /// How long the chosen agent had been idle.
    idle_seconds: u64,
    /// The next most idle ready agents.
    less_idle: Vec<LessIdle>,
    /// How many other members were passed over, by reason.
    passed_over: Vec<PassedOverCount>,
}

/// A ready agent who was not chosen.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LessIdle {
    agent: String,
    idle_seconds: u64,
}

/// How many members were passed over for one reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PassedOverCount {
    reason: String,
    count: u32,
}

/// One line of a call's story.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Line {
    at: String,
    /// Entered, Reserved, ReservationEnded, Answered, Returned, Held, Resumed, Prioritized,
    /// Transferring, TransferFailed or Ended.
    what: &'static str,
    /// What belongs to it: `queue`, `agent`, `agents`, `why`, `priority`, `to`, `status`,
    /// `reason`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    more: Map<String, Value>,
}

impl Call {
    pub(super) fn of(picture: &CallPicture, look: &Look) -> Self {
        let sees_caller = look.asker.sees_caller_of(&involved(picture));
        let caller = sees_caller.then(|| CallerPicture {
            from: picture.caller.from.expose().clone(),
            number: picture.caller.number.expose().clone(),
            name: picture.caller.name.expose().clone(),
        });
        let until = picture.ended.as_ref().map_or(look.now, |(at, _)| *at);
        let ended = picture.ended.as_ref().map(|(at, end)| {
            let (reason, more) = story::end(end);
            Ended { at: rfc3339(*at), reason, more }
        });
        let line = |moment: &Moment| {
            let (what, more) = story::milestone(&moment.what, sees_caller);
            Line { at: rfc3339(moment.at), what, more }
        };
        Self {
            id: picture.id.to_string(),
            state: format!("{:?}", picture.state),
            queue: picture.queue.to_string(),
            caller,
            to: picture.caller.to.clone(),
            sip_call_id: picture.caller.sip_call_id.clone(),
            priority: picture.priority,
            arrived: rfc3339(picture.arrived),
            age_seconds: until.since(picture.arrived).as_secs(),
            place: picture.place,
            waits_because: picture.waits_because.map(story::wait_reason),
            agents: picture.agents.iter().map(ToString::to_string).collect(),
            answered: picture.answered.map(rfc3339),
            ended,
            why: picture.why.as_deref().map(Why::of),
            timeline: picture.timeline.iter().map(line).collect(),
        }
    }
}

impl Why {
    pub(super) fn of(why: &Explanation) -> Self {
        let less_idle = |(agent, idle): &(AgentId, Millis)| LessIdle {
            agent: agent.to_string(),
            idle_seconds: idle.as_secs(),
        };
        let passed_over = |(reason, count): &(PassedOver, u32)| PassedOverCount {
            reason: format!("{reason:?}"),
            count: *count,
        };
        Self {
            idle_seconds: why.idle.as_secs(),
            less_idle: why.less_idle.iter().map(less_idle).collect(),
            passed_over: why.passed_over.iter().map(passed_over).collect(),
        }
    }
}

/// Whose call it is, or was when it ended.
pub(super) fn involved(call: &CallPicture) -> Vec<AgentId> {
    let mut agents = call.agents.clone();
    agents.extend(call.timeline.iter().filter_map(|moment| story::answered_by(&moment.what)));
    agents
}

/// Lists the live calls, then those that ended recently, newest first.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls",
    params(super::openapi::Consistency), responses((status = 200, body = List<Call>)))]
pub(super) async fn list(State(api): State<Api>, look: Look) -> Answer<List<Call>> {
    let (live, recent) = api.handle.view(|view| (view.calls(), view.recent_calls()));
    let calls = live.iter().chain(&recent).map(|call| Call::of(call, &look)).collect();
    look.list(calls)
}

/// Shows one call: its story, and why it went where it went.
#[utoipa::path(get, path = "/api/v1/calls/{call}", tag = "calls",
    params(("call" = String, Path), super::openapi::Consistency),
    responses((status = 200, body = Call)))]
pub(super) async fn show(
    State(api): State<Api>,
    Path(call): Path<String>,
    look: Look,
) -> Result<Answer<Call>, Problem> {
    let (_, picture) = picture(&api, &call)?;
    Ok(look.answer(Call::of(&picture, &look)))
}

/// Sends a waiting or talking caller to another address: by REFER, which the caller's side must
/// honour, or by 302 while the caller is not answered.
///
/// Accepted is not arrived: whether the other side took the caller is in the call's timeline and
/// in the events, `CallEnded` (Transferred) or `CallTransferFailed`.
#[utoipa::path(post, path = "/api/v1/calls/{call}/transfer", tag = "calls",
    params(("call" = String, Path), super::openapi::Idempotency), request_body = TransferOrder,
    responses((status = 202, body = Call)))]
pub(super) async fn transfer(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<(StatusCode, Answer<Call>), Problem> {
    let call = act_on(&api, &order, &name)?;
    let asked = order::read_transfer(&order.body);
    let TransferOrder { to } = asked.map_err(|mistakes| Problem::invalid(&mistakes))?;
    let command = Command::TransferCall { call, to, by: order.asker.actor() };
    let look = order.carry_out(&api, command, "transferring").await?;
    let (_, picture) = picture(&api, &name)?;
    Ok((StatusCode::ACCEPTED, look.answer(Call::of(&picture, &look))))
}

/// Ends a call.
#[utoipa::path(post, path = "/api/v1/calls/{call}/hang-up", tag = "calls",
    params(("call" = String, Path), super::openapi::Idempotency),
    responses((status = 200, body = Call)))]
pub(super) async fn hang_up(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<Call>, Problem> {
    let call = act_on(&api, &order, &name)?;
    order::read_nothing(&order.body).map_err(|mistakes| Problem::invalid(&mistakes))?;
    let command = Command::HangUpCall { call, by: order.asker.actor() };
    let look = order.carry_out(&api, command, "hanging up").await?;
    let (_, picture) = picture(&api, &name)?;
    Ok(look.answer(Call::of(&picture, &look)))
}

/// Changes how urgent a call is.
#[utoipa::path(post, path = "/api/v1/calls/{call}/priority", tag = "calls",
    params(("call" = String, Path), super::openapi::Idempotency), request_body = PriorityOrder,
    responses((status = 200, body = Call)))]
pub(super) async fn prioritize(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<Call>, Problem> {
    let call = act_on(&api, &order, &name)?;
    let asked = order::read_priority(&order.body);
    let PriorityOrder { priority } = asked.map_err(|mistakes| Problem::invalid(&mistakes))?;
    let command = Command::PrioritizeCall { call, priority, by: order.asker.actor() };
    let look = order.carry_out(&api, command, "changing the priority").await?;
    let (_, picture) = picture(&api, &name)?;
    Ok(look.answer(Call::of(&picture, &look)))
}

fn picture(api: &Api, name: &str) -> Result<(CallId, CallPicture), Problem> {
    let unknown = || {
        let detail = format!("There is no call {name}, or it ended too long ago");
        Problem::new(Kind::UnknownCall, &detail)
    };
    look(api, |view| {
        let call = name.parse().map_err(|_| unknown())?;
        Ok((call, view.call(call).ok_or_else(unknown)?))
    })
}

/// The call of an order, if it exists and the asker may.
fn act_on(api: &Api, order: &Order, name: &str) -> Result<CallId, Problem> {
    let (call, mut picture) = picture(api, name)?;
    if picture.state == CallStateName::Ended {
        // A repeat of what ended it is its agent's to ask.
        picture.agents = involved(&picture);
    }
    look(api, |view| order.asker.may_act_on(&picture, view))?;
    Ok(call)
}
