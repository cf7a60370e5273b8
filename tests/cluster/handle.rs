//! What the handle promises.

use crate::world;
use crate::world::put;
use crate::world::request;

#[tokio::test]
async fn a_node_alone_takes_a_command_at_once() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let applied = node.handle.propose(request(), put("a")).await.unwrap();
    assert_eq!(node.handle.applied(), applied.index);
    node.cluster.stop().await;
}
