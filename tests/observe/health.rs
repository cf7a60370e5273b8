//! Health and readiness say the truth, and why.

use std::sync::atomic::Ordering;

use crate::world::World;

#[tokio::test]
async fn a_node_with_a_majority_is_ready_until_it_leaves() {
    let world = World::start().await;
    assert_eq!(world.get("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(world.get("/readyz").await, (200, "ready\n".to_owned()));
    world.draining.store(true, Ordering::Relaxed);
    assert_eq!(world.get("/readyz").await, (503, "the node is leaving\n".to_owned()));
    assert_eq!(world.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn a_node_that_has_lost_a_part_is_not_well() {
    let world = World::start().await;
    world.ended.send_replace(Some("shard 2".to_owned()));
    assert_eq!(world.get("/healthz").await, (503, "shard 2 has ended\n".to_owned()));
}

#[tokio::test]
async fn nothing_else_is_served_there() {
    let world = World::start().await;
    for path in ["/", "/queues", "/api/v1/agents", "/metrics/x"] {
        assert_eq!(world.get(path).await.0, 404, "{path}");
    }
}
