//! What is too much is refused: bodies, headers, requests in a second.

use carillon::base::rate::Rate;
use carillon::base::time::ClusterTime;
use serde_json::json;
use tower::ServiceExt;

use crate::world::ADMIN;
use crate::world::AGENT;
use crate::world::OTHER;
use crate::world::PATIENCE;
use crate::world::SUPERVISOR;
use crate::world::VIEWER;
use crate::world::World;

#[tokio::test]
async fn a_body_has_a_limit() {
    let world = World::start().await;
    let body = json!({"displayName": "x".repeat(300_000)});
    let reply = world.put(ADMIN, "/api/v1/queues/large", body).await;
    reply.refused(413, "body-too-large");
}

#[tokio::test]
async fn a_body_that_does_not_tell_its_length_has_the_same() {
    let world = World::start().await;
    let chunks = (0..40).map(|_| Ok::<_, std::io::Error>("x".repeat(10_000)));
    let body = axum::body::Body::from_stream(futures_util::stream::iter(chunks));
    let request = axum::http::Request::put("/api/v1/queues/large")
        .header("authorization", format!("Bearer {ADMIN}"))
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    world.ask(request).await.refused(413, "body-too-large");
}

#[tokio::test]
async fn headers_have_a_limit() {
    let world = World::start().await;
    let long = "x".repeat(17 * 1024);
    let reply = world.send(ADMIN, "GET", "/queues", &[("x-long", &long)], None).await;
    reply.refused(431, "headers-too-large");
}

#[tokio::test]
async fn one_token_too_often_does_not_stop_another() {
    let wall = || ClusterTime(1_769_860_800_000);
    let world = World::with(wall, Rate { per_second: 1, burst: 3 }).await;
    for _ in 0..3 {
        world.get(VIEWER, "/queues").await.ok();
    }
    let reply = world.get(VIEWER, "/queues").await;
    let seconds: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds));
    reply.refused(429, "rate-limited");
    world.get(ADMIN, "/queues").await.ok();
}

#[tokio::test]
async fn guessing_is_slow_and_costs_nobody_else() {
    let world = World::start().await;
    let mut limited = 0;
    for guess in 0..300 {
        let token = format!("guessed-token-{guess:04}");
        let status = world.get(&token, "/queues").await.status.as_u16();
        assert!(status == 401 || status == 429);
        limited += u32::from(status == 429);
    }
    assert!(limited > 100, "{limited}");
    world.get(VIEWER, "/queues").await.ok();
}

/// Begins to listen to events; the stream ends when what is returned is dropped.
async fn listen(world: &World, token: &str) -> Result<axum::body::Body, String> {
    let request = axum::http::Request::get("/api/v1/events")
        .header("authorization", format!("Bearer {token}"))
        .body(axum::body::Body::empty())
        .unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    if status == 200 {
        return Ok(response.into_body());
    }
    assert_eq!(status, 429);
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
    Err(String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn streams_of_events_are_limited_for_each_token_and_in_all() {
    let world = World::start().await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(listen(&world, VIEWER).await.unwrap());
    }
    let refused = listen(&world, VIEWER).await.unwrap_err();
    assert!(refused.contains("/problems/too-many-listeners"), "{refused}");
    for token in [ADMIN, AGENT, SUPERVISOR] {
        for _ in 0..64 {
            streams.push(listen(&world, token).await.unwrap());
        }
    }
    let refused = listen(&world, OTHER).await.unwrap_err();
    assert!(refused.contains("256 listeners"), "{refused}");
    streams.truncate(1);
    drop(listen(&world, OTHER).await.unwrap());
    drop(listen(&world, VIEWER).await.unwrap());
}

#[tokio::test]
async fn a_body_is_not_waited_for_without_end() {
    let world = World::start().await;
    let never = futures_util::stream::pending::<Result<String, std::io::Error>>();
    let request = axum::http::Request::put("/api/v1/queues/slow")
        .header("authorization", format!("Bearer {ADMIN}"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from_stream(never))
        .unwrap();
    let reply = tokio::time::timeout(PATIENCE, world.ask(request)).await.expect("an answer");
    reply.refused(400, "malformed-body");
}
