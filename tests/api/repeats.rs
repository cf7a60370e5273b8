//! A request sent twice under one `Idempotency-Key` is done once.

use serde_json::json;

use crate::world::ADMIN;
use crate::world::SUPERVISOR;
use crate::world::World;

async fn login(world: &World, token: &str, key: &str) -> u16 {
    // A device of its own each time, so that a second login is refused unless it is a repeat.
    let device = format!("sip:{}@192.0.2.9", &token[..5]);
    let headers = [("idempotency-key", key)];
    let path = "/api/v1/agents/2771/login";
    let body = Some(json!({ "device": device }).to_string());
    world.send(token, "POST", path, &headers, body).await.status.as_u16()
}

#[tokio::test]
async fn a_repeat_is_given_the_first_outcome() {
    let world = World::start().await;
    assert_eq!(login(&world, ADMIN, "one").await, 200);
    assert_eq!(login(&world, ADMIN, "one").await, 200);
    let out = "/api/v1/agents/2771/force-logout";
    world.post(ADMIN, out, json!({})).await.ok();
    assert_eq!(login(&world, ADMIN, "one").await, 200);
    let agent = world.get(ADMIN, "/api/v1/agents/2771").await.ok();
    assert_eq!(agent["state"], "LoggedOut", "the repeat was done again");
}

#[tokio::test]
async fn a_key_belongs_to_who_uses_it_and_to_what_for() {
    let world = World::start().await;
    assert_eq!(login(&world, ADMIN, "one").await, 200);
    assert_eq!(login(&world, SUPERVISOR, "one").await, 409);
    let headers = [("idempotency-key", "one")];
    let path = "/api/v1/agents/2771/ready";
    let ready = world.send(ADMIN, "POST", path, &headers, None).await.ok();
    assert_eq!(ready["state"], "Ready");
}

#[tokio::test]
async fn a_bad_key_is_refused() {
    let world = World::start().await;
    assert_eq!(login(&world, ADMIN, "").await, 400);
    assert_eq!(login(&world, ADMIN, &"k".repeat(256)).await, 400);
}
