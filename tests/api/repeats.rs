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
async fn a_key_belongs_to_who_uses_it() {
    let world = World::start().await;
    assert_eq!(login(&world, ADMIN, "one").await, 200);
    assert_eq!(login(&world, SUPERVISOR, "one").await, 409);
}

#[tokio::test]
async fn a_bad_key_is_refused() {
    let world = World::start().await;
    assert_eq!(login(&world, ADMIN, "").await, 400);
    assert_eq!(login(&world, ADMIN, &"k".repeat(256)).await, 400);
}

async fn ask(world: &World, method: &str, path: &str, body: &str) -> crate::world::Reply {
    let body = (!body.is_empty()).then(|| body.to_owned());
    world.send(ADMIN, method, path, &[("idempotency-key", "mine")], body).await
}

#[tokio::test]
async fn a_key_used_for_something_else_is_refused() {
    let world = World::start().await;
    let login = "/api/v1/agents/2771/login";
    ask(&world, "POST", login, r#"{"device": "sip:1@192.0.2.9"}"#).await.ok();
    let other = [
        ("POST", login, r#"{"device": "sip:2@192.0.2.9"}"#),
        ("POST", login, ""),
        ("POST", "/api/v1/agents/2771/ready", ""),
        ("PUT", "/api/v1/queues/new", "{}"),
    ];
    for (method, path, body) in other {
        let reply = ask(&world, method, path, body).await;
        assert_eq!(reply.index(), reply.json()["index"].as_u64().unwrap());
        let problem = reply.refused(422, "idempotency-key-reused");
        assert_eq!(problem["refusal"], "RequestReused");
    }
    let agent = world.get(ADMIN, "/api/v1/agents/2771").await.ok();
    assert_eq!(agent["device"], "sip:1@192.0.2.9");
    assert_eq!(agent["state"], "NotReady", "one of the others was done");
    // White space and the order of fields are no difference.
    ask(&world, "POST", login, r#"{ "device":"sip:1@192.0.2.9" }"#).await.ok();
}

#[tokio::test]
async fn a_repeated_removal_is_answered_like_the_first() {
    let world = World::start().await;
    for (path, kind) in [("queues/q", "queue"), ("agents/a", "agent"), ("trunks/t", "trunk")] {
        let path = format!("/api/v1/{path}");
        let spec = if kind == "trunk" { r#"{"peers": ["sip:pbx.example"]}"# } else { "{}" };
        world.send(ADMIN, "PUT", &path, &[], Some(spec.to_owned())).await.ok();
        let headers = [("idempotency-key", kind)];
        let first = world.send(ADMIN, "DELETE", &path, &headers, None).await.ok();
        let again = world.send(ADMIN, "DELETE", &path, &headers, None).await.ok();
        assert_eq!(first, again);
        let gone = world.delete(ADMIN, &path).await;
        gone.refused(404, &format!("unknown-{kind}"));
    }
}
