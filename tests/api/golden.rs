//! The compatible lists, byte for byte.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use carillon::api::USUAL_RATE;
use carillon::base::time::ClusterTime;
use serde_json::json;

use crate::world::ADMIN;
use crate::world::AGENT;
use crate::world::VIEWER;
use crate::world::World;

/// 2026-01-31T12:00:00Z, moved on by hand.
static WALL: AtomicU64 = AtomicU64::new(1_769_860_800_000);

fn wall() -> ClusterTime {
    ClusterTime(WALL.load(Ordering::SeqCst))
}

#[track_caller]
fn compare(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, said).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(said, expected, "{name}");
}

#[tokio::test]
async fn the_compatible_lists_are_as_they_always_were() {
    let world = World::with(wall, USUAL_RATE).await;
    compare("queues_empty.json", &world.get(ADMIN, "/queues").await.text);
    compare("agents_logged_out.json", &world.get(ADMIN, "/agents").await.text);

    world.call(1, "queue1").await;
    world.call(2, "queue1").await;
    compare("queues_waiting.json", &world.get(ADMIN, "/queues").await.text);
    compare("queues_viewer.json", &world.get(VIEWER, "/queues").await.text);
    for call in ["0000000000000001", "0000000000000002"] {
        world.post(ADMIN, &format!("/api/v1/calls/{call}/hang-up"), json!({})).await.ok();
    }

    world.post(AGENT, "/api/v1/agents/2771/login", json!({"pin": "1234"})).await.ok();
    compare("agents_not_ready.json", &world.get(ADMIN, "/agents").await.text);
    world.post(AGENT, "/api/v1/agents/2771/ready", json!({})).await.ok();
    WALL.fetch_add(14_000, Ordering::SeqCst);
    compare("agents_idle.json", &world.get(ADMIN, "/agents").await.text);
    compare("agent.json", &world.get(ADMIN, "/api/v1/agents/2771").await.text);
    compare("queue.json", &world.get(ADMIN, "/api/v1/queues/queue1").await.text);

    world.call(3, "queue1").await;
    compare("queues_assigned.json", &world.get(ADMIN, "/queues").await.text);
    compare("agents_busy.json", &world.get(ADMIN, "/agents").await.text);
    compare("call.json", &world.get(ADMIN, "/api/v1/calls/0000000000000003").await.text);
}
