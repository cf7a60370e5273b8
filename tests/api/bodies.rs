//! Bodies that cannot be taken: each answer names the field, and nothing was done.

use serde_json::json;

use crate::world::ADMIN;
use crate::world::World;

#[tokio::test]
async fn a_wrong_field_is_named_by_its_pointer() {
    let world = World::start().await;
    let call = world.call(1, "queue1").await;
    let transfer = format!("/api/v1/calls/{call}/transfer");
    let priority = format!("/api/v1/calls/{call}/priority");
    let before = world.handle.applied();
    for (path, body, pointer) in [
        ("/api/v1/agents/2771/login", json!({"device": 5}), "/device"),
        ("/api/v1/agents/2771/login", json!({"device": "2771"}), "/device"),
        ("/api/v1/agents/2771/login", json!({"pin": 1234}), "/pin"),
        ("/api/v1/agents/2771/login", json!({"kind": "Callbak"}), "/kind"),
        ("/api/v1/agents/2771/login", json!({"kind": "NailedUp"}), "/kind"),
        ("/api/v1/agents/2771/login", json!({"phone": "x"}), "/phone"),
        ("/api/v1/agents/2771/logout", json!({"reason": "Lunch"}), "/reason"),
        ("/api/v1/agents/2771/not-ready", json!({}), "/reason"),
        ("/api/v1/agents/2771/not-ready", json!({"reason": ["Break"]}), "/reason"),
        ("/api/v1/agents/2771/ready", json!({"now": true}), "/now"),
        ("/api/v1/agents/2771/ready", json!([]), ""),
        (&transfer, json!({}), "/to"),
        (&transfer, json!({"to": "bob"}), "/to"),
        (&transfer, json!({"to": "sip:bob@pbx\r\nVia: x"}), "/to"),
        (&transfer, json!({"to": "tel:"}), "/to"),
        (&transfer, json!({"to": "tel:+49;ext=1"}), "/to"),
        (&transfer, json!({"to": "tel:0800-SALES"}), "/to"),
        (&priority, json!({"priority": "high"}), "/priority"),
        (&priority, json!({"priority": 1001}), "/priority"),
        (&priority, json!({"priority": 1.5}), "/priority"),
    ] {
        let reply = world.post(ADMIN, path, body.clone()).await;
        let problem = reply.refused(422, "invalid-field");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{path} {body}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(';'), "{problem}");
    }
    assert_eq!(world.handle.applied(), before, "something was done");
}

#[tokio::test]
async fn a_pin_is_never_repeated() {
    let world = World::start().await;
    let body = json!({"pin": {"secret": "987654"}});
    let reply = world.post(ADMIN, "/api/v1/agents/2771/login", body).await;
    assert!(!reply.text.contains("987654"), "{}", reply.text);
    let put = world.put(ADMIN, "/api/v1/agents/new", json!({"pin": "sesame987"})).await;
    assert!(!put.text.contains("sesame987"), "{}", put.text);
    put.refused(422, "invalid-field");
}

#[tokio::test]
async fn what_is_no_json_says_where_it_stops() {
    let world = World::start().await;
    for body in ["{", "{\"reason\": }", "\u{0}", "[1,", "{\"a\": 1} trailing"] {
        let path = "/api/v1/agents/2771/not-ready";
        let reply = world.send(ADMIN, "POST", path, &[], Some(body.to_owned())).await;
        let problem = reply.refused(400, "malformed-body");
        assert!(problem["detail"].as_str().unwrap().contains("column"), "{problem}");
    }
    let deep = "[".repeat(100_000);
    let reply = world.send(ADMIN, "PUT", "/api/v1/queues/deep", &[], Some(deep)).await;
    reply.refused(400, "malformed-body");
}

#[tokio::test]
async fn other_types_than_json_are_refused() {
    let world = World::start().await;
    let headers = [("content-type", "text/plain")];
    let path = "/api/v1/agents/2771/not-ready";
    let reply = world.send(ADMIN, "POST", path, &headers, Some("reason=Break".to_owned())).await;
    reply.refused(415, "unsupported-media-type");
    let headers = [("content-type", "application/json; charset=utf-8")];
    let reply = world.send(ADMIN, "POST", path, &headers, Some("{}".to_owned())).await;
    reply.refused(422, "invalid-field");
}

#[tokio::test]
async fn an_unknown_reason_tells_the_known_ones() {
    let world = World::start().await;
    let body = json!({"pin": "1234"});
    world.post(ADMIN, "/api/v1/agents/2771/login", body).await.ok();
    let body = json!({"reason": "Golf"});
    let reply = world.post(ADMIN, "/api/v1/agents/2771/not-ready", body).await;
    let problem = reply.refused(422, "unknown-reason");
    assert_eq!(problem["errors"][0]["pointer"], "/reason");
    assert_eq!(problem["known"], json!(["Break", "Lunch", "Training"]));
}
