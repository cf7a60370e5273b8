//! What is too much is refused: bodies, headers, requests in a second.

use carillon::api::Rate;
use carillon::base::time::ClusterTime;
use serde_json::json;

use crate::world::ADMIN;
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
