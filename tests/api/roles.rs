//! Who may do what: every role against every order, and no route without a token.

use axum::http::StatusCode;
use serde_json::Value;
use serde_json::json;

use crate::world::ADMIN;
use crate::world::AGENT;
use crate::world::OTHER;
use crate::world::STRANGER;
use crate::world::SUPERVISOR;
use crate::world::VIEWER;
use crate::world::World;

/// The tokens in the order of the columns below.
const TOKENS: [&str; 6] = [VIEWER, AGENT, OTHER, STRANGER, SUPERVISOR, ADMIN];

/// Who may: viewer, the agent itself, another agent, another team's supervisor, its supervisor,
/// administrator.
const MATRIX: [(&str, &str, &str); 20] = [
    ("GET", "/queues", "yyyyyy"),
    ("GET", "/agents", "yyyyyy"),
    ("GET", "/api/v1/queues/queue1", "yyyyyy"),
    ("GET", "/api/v1/agents/2771", "yyyyyy"),
    ("GET", "/api/v1/calls", "yyyyyy"),
    ("GET", "/api/v1/cluster", "yyyyyy"),
    ("GET", "/api/v1/openapi.json", "yyyyyy"),
    ("POST", "/api/v1/cluster/drain", "-----y"),
    ("POST", "/api/v1/agents/2771/login", "-y--yy"),
    ("POST", "/api/v1/agents/2771/logout", "-y--yy"),
    ("POST", "/api/v1/agents/2771/ready", "-y--yy"),
    ("POST", "/api/v1/agents/2771/not-ready", "-y--yy"),
    ("POST", "/api/v1/agents/2771/end-wrap-up", "-y--yy"),
    ("POST", "/api/v1/agents/2771/force-logout", "----yy"),
    ("PUT", "/api/v1/queues/fresh", "-----y"),
    ("DELETE", "/api/v1/queues/fresh", "-----y"),
    ("PUT", "/api/v1/agents/fresh", "-----y"),
    ("DELETE", "/api/v1/agents/fresh", "-----y"),
    ("PUT", "/api/v1/trunks/fresh", "-----y"),
    ("DELETE", "/api/v1/trunks/fresh", "-----y"),
];

#[tokio::test]
async fn each_role_may_do_what_it_may() {
    let world = World::start().await;
    for (method, path, row) in MATRIX {
        for (token, may) in TOKENS.into_iter().zip(row.chars()) {
            let body = (method != "GET").then(|| json!({"reason": "Break"}).to_string());
            let reply = world.send(token, method, path, &[], body).await;
            let forbidden = reply.status == StatusCode::FORBIDDEN;
            assert_eq!(forbidden, may == '-', "{token} {method} {path}: {}", reply.text);
            if forbidden {
                assert_eq!(reply.problem(), "forbidden");
                assert!(reply.json()["requiredRole"].is_string());
            }
        }
    }
}

#[tokio::test]
async fn a_waiting_call_is_a_supervisors_and_a_ringing_one_its_teams() {
    let world = World::start().await;
    let call = world.call(1, "queue1").await;
    let path = format!("/api/v1/calls/{call}/priority");
    let may = async |expected: &str| {
        for (token, may) in TOKENS.into_iter().zip(expected.chars()) {
            let reply = world.post(token, &path, json!({"priority": 1})).await;
            let forbidden = reply.status == StatusCode::FORBIDDEN;
            assert_eq!(forbidden, may == '-', "{token}: {}", reply.text);
        }
    };
    may("---yyy").await;
    world.post(AGENT, "/api/v1/agents/2771/login", json!({"pin": "1234"})).await.ok();
    world.post(AGENT, "/api/v1/agents/2771/ready", json!({})).await.ok();
    may("-y--yy").await;
}

#[tokio::test]
async fn no_route_is_open_but_the_description_and_the_problems() {
    let world = World::start().await;
    for (method, path) in carillon::api::route_list() {
        if ["/api/v1/openapi.json", "/problems/{name}"].contains(&path) {
            continue;
        }
        let path = path.replace(['{', '}'], "");
        for token in ["", "wrong-token-00000", "x"] {
            let reply = world.send(token, method, &path, &[], None).await;
            assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"carillon\"");
            reply.refused(401, "unauthenticated");
        }
    }
}

#[tokio::test]
async fn only_bearer_tokens_are_read() {
    let world = World::start().await;
    let ask = async |value: &str| {
        world.send("", "GET", "/queues", &[("authorization", value)], None).await.status
    };
    assert_eq!(ask(&format!("bearer {VIEWER}")).await, StatusCode::OK);
    for value in ["Bearer", "Bearer ", "Basic dXNlcjpwYXNz", VIEWER, "Bearer \u{7f}"] {
        if value.bytes().all(|byte| byte != 0x7f) {
            assert_eq!(ask(value).await, StatusCode::UNAUTHORIZED, "{value}");
        }
    }
}

#[tokio::test]
async fn an_agent_needs_its_pin_and_a_supervisor_does_not() {
    let world = World::start().await;
    let path = "/api/v1/agents/2771/login";
    world.post(AGENT, path, json!({"pin": "0000"})).await.refused(403, "wrong-pin");
    world.post(AGENT, path, json!({})).await.refused(422, "pin-missing");
    let agent: Value = world.post(SUPERVISOR, path, json!({})).await.ok();
    assert_eq!(agent["state"], "NotReady");
}

#[tokio::test]
async fn whoever_meets_a_problem_can_read_what_it_means() {
    let world = World::start().await;
    let problem = world.get("", "/api/v1/queues").await.refused(401, "unauthenticated");
    for token in ["", "wrong-token-00000", VIEWER] {
        let page = world.get(token, problem["type"].as_str().unwrap()).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("No valid token"), "{}", page.text);
        world.get(token, "/problems/none").await.refused(404, "unknown-route");
        let description = world.get(token, "/api/v1/openapi.json").await.ok();
        let open = &description["paths"]["/api/v1/openapi.json"]["get"]["security"];
        assert_eq!(*open, json!([{}]));
    }
    world.get("", "/api/v1/openapi.jsonx").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_taken_out_of_the_file_is_refused_at_once() {
    let world = World::start().await;
    world.get(VIEWER, "/api/v1/queues").await.ok();
    let others = |token: &carillon::resource::TokenConfig| token.name != "wallboard";
    let left: Vec<_> = crate::world::tokens().into_iter().filter(others).collect();
    world.let_in.send_replace(carillon::api::Tokens::new(&left));
    world.get(VIEWER, "/api/v1/queues").await.refused(401, "unauthenticated");
    world.get(ADMIN, "/api/v1/queues").await.ok();
}

#[tokio::test]
async fn a_drained_node_says_so() {
    let world = World::start().await;
    assert_eq!(world.get(ADMIN, "/api/v1/cluster").await.ok()["draining"], false);
    let drained = world.send(ADMIN, "POST", "/api/v1/cluster/drain", &[], None).await.ok();
    assert_eq!(drained["draining"], true);
    assert_eq!(world.get(VIEWER, "/api/v1/cluster").await.ok()["draining"], true);
    world.delete(VIEWER, "/api/v1/cluster/drain").await.refused(403, "forbidden");
    assert_eq!(world.delete(ADMIN, "/api/v1/cluster/drain").await.ok()["draining"], false);
    assert_eq!(world.get(VIEWER, "/api/v1/cluster").await.ok()["draining"], false);
}
