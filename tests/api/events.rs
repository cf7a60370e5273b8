//! The stream of events: everything, in order, and again from where a listener was cut off.

use axum::body::Body;
use axum::http::Request;
use axum::http::StatusCode;
use futures_util::StreamExt;
use serde_json::Value;
use serde_json::json;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::world::ADMIN;
use crate::world::PATIENCE;
use crate::world::VIEWER;
use crate::world::World;

/// One event as it came.
#[derive(Clone, Debug, PartialEq)]
struct Heard {
    id: Option<u64>,
    event: String,
    data: Value,
}

/// Listens until `enough` events were heard, then hangs up.
async fn listen(
    world: &World,
    token: &str,
    headers: &[(&str, String)],
    path: &str,
    enough: usize,
) -> Vec<Heard> {
    let mut request = Request::get(path).header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response =
        world.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let mut text = String::new();
    let mut heard = Vec::new();
    while heard.len() < enough {
        let chunk = timeout(PATIENCE, body.next()).await.expect("nothing more came");
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            heard.extend(parse(event));
            text = rest.to_owned();
        }
    }
    heard
}

fn parse(event: &str) -> Option<Heard> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    Some(Heard {
        id: field("id: ").map(|id| id.parse().unwrap()),
        event: field("event: ")?.to_owned(),
        data: serde_json::from_str(field("data: ")?).unwrap(),
    })
}

#[tokio::test]
async fn what_happens_is_heard_in_order() {
    let world = World::start().await;
    let after = world.handle.applied().0;
    world.call(1, "queue1").await;
    world.post(ADMIN, "/api/v1/agents/2771/login", json!({})).await.ok();
    world.post(ADMIN, "/api/v1/agents/2771/ready", json!({})).await.ok();
    let path = format!("/api/v1/events?after={after}");
    let heard = listen(&world, ADMIN, &[], &path, 5).await;
    let kinds: Vec<&str> = heard.iter().map(|heard| heard.event.as_str()).collect();
    for kind in ["CallEnqueued", "AgentLoggedIn", "AgentReady", "CallReserved"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let who = |kind: &str| {
        let one = heard.iter().find(|heard| heard.event == kind).unwrap();
        (one.data["by"].clone(), one.data["byRole"].clone())
    };
    for kind in ["AgentLoggedIn", "AgentNotReady", "AgentReady"] {
        assert_eq!(who(kind), (json!("ops"), json!("Administrator")), "{kind}");
    }
    let indexes: Vec<u64> = heard.iter().map(|one| one.data["index"].as_u64().unwrap()).collect();
    assert!(indexes.is_sorted());
    assert!(indexes[0] > after);
    for one in &heard {
        assert_eq!(one.data["type"], one.event.as_str());
        assert!(one.data["at"].as_str().unwrap().ends_with('Z'));
        assert!(one.id.is_none_or(|id| one.data["index"] == id));
    }
}

#[tokio::test]
async fn a_listener_cut_off_anywhere_misses_nothing() {
    let world = World::start().await;
    let after = world.handle.applied().0;
    world.post(ADMIN, "/api/v1/agents/2771/login", json!({})).await.ok();
    world.post(ADMIN, "/api/v1/agents/2771/ready", json!({})).await.ok();
    world.call(1, "queue1").await;
    let path = format!("/api/v1/events?after={after}");
    let all = listen(&world, ADMIN, &[], &path, 6).await;
    for cut in 0..all.len() {
        let seen = all[..=cut].iter().rev().find_map(|heard| heard.id).unwrap_or(after);
        let left = all.iter().filter(|heard| heard.data["index"].as_u64().unwrap() > seen);
        let expected: Vec<Heard> = left.cloned().collect();
        // What was heard before the cut and what is heard after it is everything.
        assert!(cut + 1 + expected.len() >= all.len());
        if expected.is_empty() {
            continue;
        }
        let headers = [("last-event-id", seen.to_string())];
        let again = listen(&world, ADMIN, &headers, "/api/v1/events", expected.len()).await;
        assert_eq!(again[..expected.len()], expected[..]);
    }
}

#[tokio::test]
async fn a_viewer_hears_no_numbers() {
    let world = World::start().await;
    let after = world.handle.applied().0;
    world.call(1, "queue1").await;
    let path = format!("/api/v1/events?after={after}");
    let heard = listen(&world, VIEWER, &[], &path, 1).await;
    assert_eq!(heard[0].data["caller"], Value::Null);
    let heard = listen(&world, ADMIN, &[], &path, 1).await;
    assert_eq!(heard[0].data["caller"]["number"], "+49221555");
}

#[tokio::test]
async fn a_viewer_hears_not_where_a_call_was_sent() {
    let world = World::start().await;
    let call = world.call(1, "queue1").await;
    let after = world.handle.applied().0;
    let path = format!("/api/v1/calls/{call}/transfer");
    world.post(ADMIN, &path, json!({"to": "sip:+49301234@pbx.example"})).await.accepted();
    let path = format!("/api/v1/events?after={after}");
    let heard = listen(&world, VIEWER, &[], &path, 1).await;
    assert_eq!(heard[0].event, "CallTransferring");
    assert_eq!(heard[0].data["to"], Value::Null);
    let heard = listen(&world, ADMIN, &[], &path, 1).await;
    assert_eq!(heard[0].data["to"], "sip:+49301234@pbx.example");
    assert_eq!(heard[0].data["by"], "ops");
    assert_eq!(heard[0].data["byRole"], "Administrator");
}

#[tokio::test]
async fn who_ended_a_call_is_told() {
    let world = World::start().await;
    let call = world.call(1, "queue1").await;
    let after = world.handle.applied().0;
    let path = format!("/api/v1/calls/{call}/hang-up");
    world.post(ADMIN, &path, json!({})).await.ok();
    let heard = listen(&world, VIEWER, &[], &format!("/api/v1/events?after={after}"), 2).await;
    assert_eq!((&*heard[0].event, &*heard[1].event), ("CallHungUp", "CallEnded"));
    assert_eq!(heard[0].data["call"], call.to_string());
    assert_eq!(heard[0].data["by"], "ops");
    assert_eq!(heard[1].data["reason"], "HungUp");
    assert_eq!(heard[1].data["by"], "Administrator");
}

#[tokio::test]
async fn without_an_index_one_hears_from_now_on() {
    let world = World::start().await;
    let path = "/api/v1/events";
    let listening = listen(&world, VIEWER, &[], path, 1);
    let acting = async {
        // The listener is polled first, and its stream begins where it was then.
        tokio::task::yield_now().await;
        loop {
            world.post(ADMIN, "/api/v1/agents/2771/login", json!({})).await;
            world.post(ADMIN, "/api/v1/agents/2771/force-logout", json!({})).await;
        }
    };
    tokio::select! {
        heard = listening => assert!(heard[0].event.starts_with("Agent"), "{heard:?}"),
        () = acting => unreachable!("the loop has no end"),
    }
}

#[tokio::test]
async fn what_cannot_be_heard_any_more_is_gone() {
    let world = World::start().await;
    let future = world.handle.applied().0 + 1000;
    let path = format!("/api/v1/events?after={future}");
    let problem = world.get(VIEWER, &path).await.refused(410, "events-gone");
    assert_eq!(problem["index"], world.handle.applied().0);
    let wrong = world.get(VIEWER, "/api/v1/events?after=yesterday").await;
    wrong.refused(400, "malformed-request");
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_taken_away() {
    let world = World::start().await;
    let open = |token: &str| {
        let bearer = format!("Bearer {token}");
        let request = Request::get("/api/v1/events?after=0").header("authorization", bearer);
        world.router.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let viewer = open(VIEWER).await.unwrap().into_body();
    let mut admin = open(ADMIN).await.unwrap().into_body().into_data_stream();
    let others = |token: &carillon::resource::TokenConfig| token.name != "wallboard";
    let left: Vec<_> = crate::world::tokens().into_iter().filter(others).collect();
    world.let_in.send_replace(carillon::api::Tokens::new(&left));
    let ended = timeout(PATIENCE, axum::body::to_bytes(viewer, 16 << 20)).await;
    assert!(ended.expect("the stream goes on").is_ok());
    assert!(timeout(PATIENCE, admin.next()).await.unwrap().is_some(), "another's stream ended");
}
