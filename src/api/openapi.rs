//! The description of the whole interface, `GET /api/v1/openapi.json`, made from the code.
//!
//! Always holds: it lists every route and no other (`tests/api` compares it with the router).
//!
//! Not here: the routes themselves ([`super`]).

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::ToSchema;
use utoipa::openapi::ContentBuilder;
use utoipa::openapi::Ref;
use utoipa::openapi::RefOr;
use utoipa::openapi::Required;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::security::HttpAuthScheme;
use utoipa::openapi::security::HttpBuilder;
use utoipa::openapi::security::SecurityScheme;

use crate::api::Api;
use crate::api::agents;
use crate::api::calls;
use crate::api::compatible;
use crate::api::events;
use crate::api::members;
use crate::api::problem::Kind;
use crate::api::problem::PROBLEM_JSON;
use crate::api::problem::Problem;
use crate::api::queues;
use crate::api::trunks;

/// How fresh an answer has to be.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes a parameter that is read elsewhere")]
pub(super) struct Consistency {
    /// `strong` reads through the leader; left out, this node's own state answers.
    consistency: Option<String>,
}

/// How a repeat is recognised.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only describes a parameter that is read elsewhere")]
pub(super) struct Idempotency {
    /// Chosen by the client for one request, best a random UUID. A repeat within two minutes is
    /// not done again: it is given the first outcome, and the resource as it is now. The same
    /// key with another path, method or body is refused with 422. Any node may be asked.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Carillon", description = "Queues, agents and calls of a cluster."),
    paths(
        compatible::queues, compatible::agents,
        queues::list, queues::show, queues::calls, queues::put, queues::remove,
        agents::list, agents::show, agents::put, agents::remove,
        agents::login, agents::logout, agents::force_logout,
        agents::ready, agents::not_ready, agents::end_wrap_up,
        calls::list, calls::show, calls::transfer, calls::hang_up, calls::prioritize,
        trunks::list, trunks::show, trunks::put, trunks::remove,
        events::listen, members::show, members::drain, members::undrain,
        description, problem_page,
    ),
    components(schemas(ProblemDocument, FieldError)),
    modifiers(&Bearer, &Problems, &Optional),
    security(("bearer" = [])),
)]
struct Description;

/// What every error looks like (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemDocument {
    /// `/problems/<name>`, a page with cause and remedy.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// What happened this time, and the way out.
    detail: String,
    /// The log index up to which the node has seen everything.
    index: Option<u64>,
    /// The core's own word, when it refused.
    refusal: Option<String>,
    /// The state that does not allow it.
    state: Option<String>,
    /// Names that are near the one nobody has.
    near: Option<Vec<String>>,
    /// What is wrong with a body, field by field.
    errors: Option<Vec<FieldError>>,
}

/// One wrong field of a body.
#[derive(Serialize, ToSchema)]
struct FieldError {
    /// RFC 6901.
    pointer: String,
    detail: String,
}

/// Every route answers errors alike.
struct Problems;

impl Modify for Problems {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let schema = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description("Any error, as a problem document of RFC 9457")
            .content(PROBLEM_JSON, content)
            .build();
        for item in description.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                responses.insert("default".to_owned(), RefOr::T(response.clone()));
            }
        }
    }
}

/// A login at the configured device, without a PIN, needs no body.
struct Optional;

impl Modify for Optional {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let login = description.paths.paths.get_mut("/api/v1/agents/{agent}/login");
        let body = login.and_then(|item| item.post.as_mut()?.request_body.as_mut());
        if let Some(RefOr::T(body)) = body {
            body.required = Some(Required::False);
        }
    }
}

/// Every route but the two about the interface itself needs a bearer token.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = description.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The description as it is served.
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Describes this interface; open without a token.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "about", security(()),
    responses((status = 200, body = Object)))]
pub(super) async fn description(State(_api): State<Api>) -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        // Nothing in it can fail to be written; an empty description would fail every test.
        serde_json::to_string(&document()).unwrap_or_default()
    });
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// Explains a problem: its cause, and what to do; open without a token.
#[utoipa::path(get, path = "/problems/{name}", tag = "about", security(()),
    params(("name" = String, Path)), responses((status = 200, content_type = "text/html",
    body = String)))]
pub(super) async fn problem_page(
    State(_api): State<Api>,
    Path(name): Path<String>,
) -> Result<Html<String>, Problem> {
    let unknown = || {
        let names: Vec<&str> = Kind::all().map(Kind::name).collect();
        let detail = format!("There is no problem {name}. There are {}.", names.join(", "));
        Problem::new(Kind::UnknownRoute, &detail)
    };
    Kind::named(&name).map(|kind| Html(kind.page())).ok_or_else(unknown)
}
