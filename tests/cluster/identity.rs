//! Who a data directory is.

use std::os::unix::fs::PermissionsExt;

use carillon::base::id::NodeId;
use carillon::cluster;
use carillon::cluster::ClusterConfig;
use carillon::cluster::StartError;
use carillon::cluster::identity;
use carillon::cluster::identity::ClusterId;
use carillon::cluster::identity::IdentityError;
use carillon::cluster::membership::Bootstrap;

use crate::world;

fn fresh() -> (ClusterId, NodeId) {
    (ClusterId(0xabc), NodeId(5))
}

#[test]
fn each_start_is_another_life_of_the_same_node() {
    let data = tempfile::tempdir().unwrap();
    for life in 1..=3 {
        let held = identity::take(data.path(), fresh, None).unwrap();
        assert_eq!(held.identity.cluster, ClusterId(0xabc));
        assert_eq!(held.identity.owner.to_string(), format!("n5.{life}"));
        assert_eq!(held.fresh, life == 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_can_look_into_what_a_node_keeps() {
    let scratch = tempfile::tempdir().unwrap();
    let data = scratch.path().join("data");
    let node = world::start(world::alone(&data)).await;
    for folder in ["", "log", "snapshots"] {
        let mode = std::fs::metadata(data.join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{folder}: {mode:o}");
    }
    node.cluster.stop().await;
}

#[test]
fn two_cannot_hold_the_same_directory() {
    let data = tempfile::tempdir().unwrap();
    let _held = identity::take(data.path(), fresh, None).unwrap();
    let second = identity::take(data.path(), fresh, None);
    assert!(matches!(second, Err(IdentityError::InUse)));
}

#[test]
fn a_directory_does_not_become_somebody_else() {
    let data = tempfile::tempdir().unwrap();
    drop(identity::take(data.path(), fresh, None).unwrap());
    let other = Some((ClusterId(0xabc), NodeId(6)));
    let refused = identity::take(data.path(), fresh, other).unwrap_err();
    assert!(refused.to_string().contains("node 5 of cluster"), "{refused}");
    let same = identity::take(data.path(), fresh, Some(fresh())).unwrap();
    assert_eq!(same.identity.owner.incarnation.0, 2, "a refused start is no life");
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("identity");
    let newer = "carillon identity 2\ncluster 0\n";
    std::fs::write(&path, newer).unwrap();
    let refused = identity::take(data.path(), fresh, None).unwrap_err();
    assert!(matches!(refused, IdentityError::NotUnderstood { line: 1 }));
    assert_eq!(std::fs::read_to_string(path).unwrap(), newer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_disk_does_not_start() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let Err(error) = cluster::start(world::alone(data.path())).await else { panic!("it started") };
    assert!(matches!(error, StartError::Identity(IdentityError::InUse)), "{error}");
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_cluster_is_sent_away() {
    let data = tempfile::tempdir().unwrap();
    let [first, second] = &world::together(data.path(), 2)[..] else { panic!("two were made") };
    let Bootstrap::Together { node, members, .. } = second.bootstrap.clone() else {
        panic!("they begin together")
    };
    let cluster = ClusterId(8);
    let stranger = ClusterConfig {
        bootstrap: Bootstrap::Together { cluster, node, members },
        ..second.clone()
    };
    let first = world::start(first.clone()).await;
    let stranger = world::start(stranger).await;
    // Two voters of two clusters that name each other: neither ever finds a second voice.
    let patience = std::time::Duration::from_secs(3);
    assert!(first.handle.wait_quorum(patience).await.is_err());
    assert!(!stranger.handle.has_quorum());
    first.cluster.stop().await;
    stranger.cluster.stop().await;
}
