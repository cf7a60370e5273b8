//! Queues over REST: their live figures, their callers, and changing them.
//!
//! Figures are of one moment: ages are told by the clock a change made now would be stamped with,
//! because on a quiet system the state's own clock stands still between two entries.
//!
//! Always holds: only what was made by REST is changed by REST.
//!
//! Not here: the shape of `spec` (`resource::queue`), the compatible list ([`super::compatible`]).

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::acd::command::AgentStateName;
use crate::acd::command::Command;
use crate::acd::config::Source;
use crate::acd::view::MemberCount;
use crate::acd::view::QueuePicture;
use crate::acd::view::View;
use crate::api::Api;
use crate::api::calls::Call;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::request::Answer;
use crate::api::request::List;
use crate::api::request::Look;
use crate::api::request::Order;
use crate::api::request::found;
use crate::api::request::look;
use crate::api::resources;
use crate::api::resources::Removed;
use crate::base::id::QueueId;
use crate::resource;

/// A queue as it is now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Queue {
    name: String,
    display_name: String,
    /// `false`: closed by hand, or draining.
    open: bool,
    /// Removed from the configuration: nobody enters any more, the agents it had serve those
    /// inside, and it is gone when the last caller has left.
    draining: bool,
    /// Callers without an agent.
    waiting: u32,
    /// Callers whose agent's phone rings.
    reserved: u32,
    talking: u32,
    /// How long the first caller has waited; `null` when nobody waits.
    longest_wait_seconds: Option<u64>,
    agents_logged_in: u32,
    /// Those who could be rung now.
    agents_ready: u32,
    /// Members by state: LoggedOut, Ready, NotReady, Reserved, Talking, WrapUp; those Ready who
    /// cannot be rung by why: DeviceBusy, DeviceUnreachable, DeviceUnknown, JustRangOut.
    agents: BTreeMap<String, u32>,
    /// Answered within the threshold, of all answered and abandoned (short abandons left out);
    /// `null` before the first call.
    service_level_percent: Option<u64>,
    /// What it should be.
    service_level_target_percent: u8,
    totals: Totals,
}

/// Counts since the queue was made.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Totals {
    entered: u64,
    answered: u64,
    /// Of those answered, within the service level's threshold.
    answered_in_time: u64,
    abandoned: u64,
    short_abandoned: u64,
    /// Left by a rule after entering.
    overflowed: u64,
    /// Turned away at the door.
    turned_away: u64,
    /// Sent elsewhere by somebody while waiting.
    withdrawn: u64,
    /// Hung up by somebody's order while waiting.
    hung_up: u64,
    /// Lost while waiting: the caller or the node was not there any more.
    lost: u64,
}

/// A queue with its configuration.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueueDetail {
    #[serde(flatten)]
    queue: Queue,
    /// Folder, Kubernetes or Rest; only there it may be changed.
    source: String,
    /// The configuration, as `kind: Queue` has it.
    #[schema(value_type = Object)]
    spec: Value,
}

impl Queue {
    fn of(picture: QueuePicture, view: View<'_>, look: &Look) -> Self {
        // On a quiet system the state's clock stands still between two entries.
        let behind = look.now.since(view.now());
        let longest = picture.longest_wait.map(|wait| (wait + behind).as_secs());
        let count = |wanted: fn(&MemberCount) -> bool| -> u32 {
            let those = picture.agents.iter().filter(|members| wanted(members));
            those.map(|members| members.count).sum()
        };
        let totals = picture.totals;
        let settled = totals.answered + totals.abandoned;
        Self {
            agents_logged_in: count(|members| members.state != AgentStateName::LoggedOut),
            agents_ready: count(MemberCount::may_be_rung),
            agents: picture.agents.iter().map(|members| (members.word(), members.count)).collect(),
            name: picture.id.to_string(),
            display_name: picture.display_name,
            open: picture.open,
            draining: picture.draining,
            waiting: picture.waiting,
            reserved: picture.reserved,
            talking: picture.talking,
            longest_wait_seconds: longest,
            service_level_percent: (settled > 0).then(|| totals.answered_in_time * 100 / settled),
            service_level_target_percent: picture.target_percent,
            totals: Totals {
                entered: totals.entered,
                answered: totals.answered,
                answered_in_time: totals.answered_in_time,
                abandoned: totals.abandoned,
                short_abandoned: totals.short_abandoned,
                overflowed: totals.overflowed,
                turned_away: totals.turned_away,
                withdrawn: totals.withdrawn,
                hung_up: totals.hung_up,
                lost: totals.lost,
            },
        }
    }
}

/// Lists the queues with their live figures.
#[utoipa::path(get, path = "/api/v1/queues", tag = "queues",
    params(super::openapi::Consistency), responses((status = 200, body = List<Queue>)))]
pub(super) async fn list(State(api): State<Api>, look: Look) -> Answer<List<Queue>> {
    let queues = api.handle.view(|view| {
        view.queues().into_iter().map(|queue| Queue::of(queue, view, &look)).collect()
    });
    look.list(queues)
}

/// Shows one queue and its configuration.
#[utoipa::path(get, path = "/api/v1/queues/{queue}", tag = "queues",
    params(("queue" = String, Path), super::openapi::Consistency),
    responses((status = 200, body = QueueDetail)))]
pub(super) async fn show(
    State(api): State<Api>,
    Path(queue): Path<String>,
    look: Look,
) -> Result<Answer<QueueDetail>, Problem> {
    detail(&api, &queue, &look)
}

/// Lists the callers of a queue: those waiting in their order, then the others.
#[utoipa::path(get, path = "/api/v1/queues/{queue}/calls", tag = "queues",
    params(("queue" = String, Path), super::openapi::Consistency),
    responses((status = 200, body = List<Call>)))]
pub(super) async fn calls(
    State(api): State<Api>,
    Path(queue): Path<String>,
    at: Look,
) -> Result<Answer<List<Call>>, Problem> {
    let calls = look(&api, |view| {
        let id = QueueId::new(&queue);
        found(view.queue_config(&id), Kind::UnknownQueue, &queue, || names(view))?;
        Ok(view.calls_in(&id).iter().map(|call| Call::of(call, &at)).collect())
    })?;
    Ok(at.list(calls))
}

/// Makes or changes a queue; the body is its whole `spec`.
#[utoipa::path(put, path = "/api/v1/queues/{queue}", tag = "queues",
    params(("queue" = String, Path), super::openapi::Idempotency), request_body = Object,
    responses((status = 200, body = QueueDetail)))]
pub(super) async fn put(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<QueueDetail>, Problem> {
    let read = || {
        let queue = resource::read_queue(&name, &order.body, &*api.outside)?;
        Ok(Command::PutQueue { queue: Box::new(queue), source: Source::Rest })
    };
    let look = order.configure(&api, read, "changing the queue").await?;
    detail(&api, &name, &look)
}

/// Removes a queue made by REST.
#[utoipa::path(delete, path = "/api/v1/queues/{queue}", tag = "queues",
    params(("queue" = String, Path), super::openapi::Idempotency),
    responses((status = 200, body = Removed)))]
pub(super) async fn remove(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<Removed>, Problem> {
    let queue = QueueId::new(&name);
    let command = Command::RemoveQueue { queue, source: Source::Rest };
    let object = ("Queue", Kind::UnknownQueue);
    resources::remove(&api, &order, object, name, command, names).await
}

fn detail(api: &Api, name: &str, at: &Look) -> Result<Answer<QueueDetail>, Problem> {
    let detail = look(api, |view| {
        let id = QueueId::new(name);
        let both = view.queue(&id).zip(view.queue_config(&id));
        let (queue, (config, source)) = found(both, Kind::UnknownQueue, name, || names(view))?;
        let queue = Queue::of(queue, view, at);
        let source = format!("{source:?}");
        Ok(QueueDetail { queue, source, spec: resource::write::queue(config) })
    })?;
    Ok(at.answer(detail))
}

fn names(view: View<'_>) -> Vec<String> {
    view.queue_configs().into_iter().map(|(queue, _)| queue.id.to_string()).collect()
}
