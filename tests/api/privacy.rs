//! Callers' numbers are shown to those who need them, and to nobody else.

use serde_json::Value;
use serde_json::json;

use crate::world::ADMIN;
use crate::world::AGENT;
use crate::world::OTHER;
use crate::world::SUPERVISOR;
use crate::world::VIEWER;
use crate::world::World;

const NUMBER: &str = "+49221555";
const FROM: &str = "gateway@192.168.0.3";

#[tokio::test]
async fn numbers_are_for_supervisors_and_the_agent_of_the_call() {
    let world = World::start().await;
    world.post(AGENT, "/api/v1/agents/2771/login", json!({"pin": "1234"})).await.ok();
    world.post(AGENT, "/api/v1/agents/2771/ready", json!({})).await.ok();
    let call = world.call(1, "queue1").await;
    let one = format!("/api/v1/calls/{call}");
    let paths = [one.as_str(), "/api/v1/calls", "/api/v1/queues/queue1/calls", "/queues"];
    for path in paths {
        for token in [VIEWER, OTHER] {
            let reply = world.get(token, path).await;
            assert!(!reply.text.contains(NUMBER), "{token} {path}");
            assert!(!reply.text.contains(FROM), "{token} {path}");
        }
        for token in [AGENT, SUPERVISOR, ADMIN] {
            let reply = world.get(token, path).await;
            assert!(reply.text.contains(FROM), "{token} {path}");
        }
    }
    let call = world.get(ADMIN, &one).await.ok();
    assert_eq!(call["caller"], json!({"from": FROM, "number": NUMBER, "name": null}));
    assert_eq!(world.get(VIEWER, &one).await.ok()["caller"], Value::Null);
}
