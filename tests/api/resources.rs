//! Queues, agents and trunks made, changed and removed by REST.

use serde_json::json;

use crate::world::ADMIN;
use crate::world::AGENT;
use crate::world::VIEWER;
use crate::world::World;

#[tokio::test]
async fn a_queue_comes_and_goes() {
    let world = World::start().await;
    let spec = json!({"ringSeconds": 20, "addresses": ["fresh", "100"]});
    let made = world.put(ADMIN, "/api/v1/queues/fresh", spec).await.ok();
    assert_eq!(made["source"], "Rest");
    assert_eq!(made["spec"]["ringSeconds"], 20);
    let mut spec = made["spec"].clone();
    spec["strategy"] = json!("RingAll");
    let changed = world.put(ADMIN, "/api/v1/queues/fresh", spec.clone()).await.ok();
    assert_eq!(changed["spec"], spec);
    let removed = world.delete(ADMIN, "/api/v1/queues/fresh").await.ok();
    assert_eq!(removed, json!({"kind": "Queue", "name": "fresh", "removed": true}));
    world.get(VIEWER, "/api/v1/queues/fresh").await.refused(404, "unknown-queue");
    world.delete(ADMIN, "/api/v1/queues/fresh").await.refused(404, "unknown-queue");
}

#[tokio::test]
async fn every_mistake_of_a_spec_is_told() {
    let world = World::start().await;
    let spec = json!({
        "ringSeconds": 0,
        "ringSecond": 1,
        "overflow": { "full": { "queue": "quene1" } },
        "caller": { "music": "musik" },
    });
    let reply = world.put(ADMIN, "/api/v1/queues/fresh", spec).await;
    let problem = reply.refused(422, "invalid-field");
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/caller/music", "/overflow/full/queue", "/ringSecond", "/ringSeconds"]);
}

#[tokio::test]
async fn what_lives_elsewhere_is_changed_there() {
    let world = World::start().await;
    for (path, body) in [
        ("/api/v1/queues/queue1", json!({})),
        ("/api/v1/agents/2771", json!({})),
        ("/api/v1/trunks/pbx", json!({"peers": ["sip:pbx.example"]})),
    ] {
        let problem = world.put(ADMIN, path, body).await.refused(409, "other-source");
        assert_eq!(problem["source"], "Folder");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("the configuration folder"), "{detail}");
        world.delete(ADMIN, path).await.refused(409, "other-source");
    }
}

#[tokio::test]
async fn an_address_reaches_one_queue() {
    let world = World::start().await;
    let reply = world.put(ADMIN, "/api/v1/queues/fresh", json!({"addresses": ["queue1"]})).await;
    let problem = reply.refused(409, "address-taken");
    assert_eq!(problem["queue"], "queue1");
}

#[tokio::test]
async fn a_pin_that_is_left_out_stays() {
    let world = World::start().await;
    let path = "/api/v1/agents/3000";
    let made = world.put(ADMIN, path, json!({"pin": "4711", "queues": ["queue1"]})).await.ok();
    assert_eq!(made["hasPin"], true);
    assert!(made["spec"].get("pin").is_none());
    let kept = world.put(ADMIN, path, made["spec"].clone()).await.ok();
    assert_eq!(kept["hasPin"], true);
    let gone = world.put(ADMIN, path, json!({"pin": null})).await.ok();
    assert_eq!(gone["hasPin"], false);
}

#[tokio::test]
async fn files_of_the_server_are_out_of_reach() {
    let world = World::start().await;
    let body = json!({"pinFile": "/etc/hostname"});
    let reply = world.put(ADMIN, "/api/v1/agents/3000", body).await;
    let problem = reply.refused(422, "invalid-field");
    assert_eq!(problem["errors"][0]["pointer"], "/pinFile");
}

#[tokio::test]
async fn passwords_are_taken_and_never_shown() {
    let world = World::start().await;
    let shown = world.get(VIEWER, "/api/v1/trunks/pbx").await;
    assert!(!shown.text.contains("not-on-paper"), "{}", shown.text);
    let spec = json!({
        "peers": ["sip:carrier.example"],
        "auth": {"username": "acd", "password": "open sesame"},
    });
    let made = world.put(ADMIN, "/api/v1/trunks/carrier", spec).await;
    assert!(!made.text.contains("sesame"));
    assert_eq!(made.ok()["spec"]["auth"], json!({"username": "acd"}));
    let list = world.get(VIEWER, "/api/v1/trunks").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    world.delete(ADMIN, "/api/v1/trunks/carrier").await.ok();
    world.get(VIEWER, "/api/v1/trunks/carrier").await.refused(404, "unknown-trunk");
}

#[tokio::test]
async fn a_bad_name_is_refused() {
    let world = World::start().await;
    for name in ["Sales", "a%20b", "-a", "a%2Fb", "%00"] {
        let reply = world.put(ADMIN, &format!("/api/v1/queues/{name}"), json!({})).await;
        reply.refused(422, "invalid-field");
    }
    world.put(AGENT, "/api/v1/queues/fresh", json!({})).await.refused(403, "forbidden");
}
