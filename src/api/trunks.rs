//! Trunks over REST: what is configured, and changing it.
//!
//! Always holds: passwords are taken and never shown.
//!
//! Not here: the shape of `spec` (`resource::trunk`).

use axum::extract::Path;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::acd::command::Command;
use crate::acd::config::Source;
use crate::acd::config::TrunkConfig;
use crate::acd::view::View;
use crate::api::Api;
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
use crate::base::id::TrunkId;
use crate::resource;

/// A trunk as configured.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Trunk {
    name: String,
    /// Folder, Kubernetes or Rest; only there it may be changed.
    source: String,
    /// The configuration, as `kind: Trunk` has it, without passwords.
    #[schema(value_type = Object)]
    spec: Value,
}

impl Trunk {
    fn of(config: &TrunkConfig, source: Source) -> Self {
        let spec = resource::write::trunk(config);
        Self { name: config.id.to_string(), source: format!("{source:?}"), spec }
    }
}

/// Lists the trunks.
#[utoipa::path(get, path = "/api/v1/trunks", tag = "trunks",
    params(super::openapi::Consistency), responses((status = 200, body = List<Trunk>)))]
pub(super) async fn list(State(api): State<Api>, look: Look) -> Answer<List<Trunk>> {
    let trunks = api.handle.view(|view| {
        let trunks = view.trunk_configs().into_iter();
        trunks.map(|(trunk, source)| Trunk::of(trunk, source)).collect()
    });
    look.list(trunks)
}

/// Shows one trunk.
#[utoipa::path(get, path = "/api/v1/trunks/{trunk}", tag = "trunks",
    params(("trunk" = String, Path), super::openapi::Consistency),
    responses((status = 200, body = Trunk)))]
pub(super) async fn show(
    State(api): State<Api>,
    Path(trunk): Path<String>,
    look: Look,
) -> Result<Answer<Trunk>, Problem> {
    detail(&api, &trunk, &look)
}

/// Makes or changes a trunk; the body is its whole `spec`, passwords too.
#[utoipa::path(put, path = "/api/v1/trunks/{trunk}", tag = "trunks",
    params(("trunk" = String, Path), super::openapi::Idempotency), request_body = Object,
    responses((status = 200, body = Trunk)))]
pub(super) async fn put(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<Trunk>, Problem> {
    let read = || {
        let trunk = resource::read_trunk(&name, &order.body, &*api.outside)?;
        Ok(Command::PutTrunk { trunk: Box::new(trunk), source: Source::Rest })
    };
    let look = order.configure(&api, read, "changing the trunk").await?;
    detail(&api, &name, &look)
}

/// Removes a trunk made by REST.
#[utoipa::path(delete, path = "/api/v1/trunks/{trunk}", tag = "trunks",
    params(("trunk" = String, Path), super::openapi::Idempotency),
    responses((status = 200, body = Removed)))]
pub(super) async fn remove(
    State(api): State<Api>,
    Path(name): Path<String>,
    order: Order,
) -> Result<Answer<Removed>, Problem> {
    let trunk = TrunkId::new(&name);
    let command = Command::RemoveTrunk { trunk, source: Source::Rest };
    let object = ("Trunk", Kind::UnknownTrunk);
    resources::remove(&api, &order, object, name, command, names).await
}

fn detail(api: &Api, name: &str, at: &Look) -> Result<Answer<Trunk>, Problem> {
    let trunk = look(api, |view| {
        let all = view.trunk_configs();
        let trunk = all.iter().find(|(trunk, _)| trunk.id.as_str() == name);
        let (trunk, source) = found(trunk, Kind::UnknownTrunk, name, || names(view))?;
        Ok(Trunk::of(trunk, *source))
    })?;
    Ok(at.answer(trunk))
}

fn names(view: View<'_>) -> Vec<String> {
    view.trunk_configs().into_iter().map(|(trunk, _)| trunk.id.to_string()).collect()
}
