//! A node without a majority: it answers what it knows, and changes nothing.

use serde_json::json;

use crate::world::ADMIN;
use crate::world::VIEWER;
use crate::world::World;

#[tokio::test]
async fn a_minority_reads_and_does_not_write() {
    let world = World::minority().await;
    assert_eq!(world.get(VIEWER, "/queues").await.ok(), json!({"queues": []}));
    assert_eq!(world.get(VIEWER, "/api/v1/cluster").await.ok()["quorum"], false);
    for reply in [
        world.put(ADMIN, "/api/v1/queues/fresh", json!({})).await,
        world.get(VIEWER, "/api/v1/queues?consistency=strong").await,
    ] {
        assert_eq!(reply.headers["retry-after"], "1");
        reply.refused(503, "no-quorum");
    }
    assert_eq!(world.get(VIEWER, "/queues").await.ok(), json!({"queues": []}));
}
