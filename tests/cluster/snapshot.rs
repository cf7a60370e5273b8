//! Snapshot files, damage to them, and a follower that comes after the log was cut.

use std::fs;

use carillon::acd::State;
use carillon::acd::apply::Output;
use carillon::acd::apply::apply;
use carillon::acd::command::Command;
use carillon::acd::command::Entry;
use carillon::base::id::Incarnation;
use carillon::base::id::LogIndex;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::RequestId;
use carillon::base::time::ClusterTime;
use carillon::cluster;
use carillon::cluster::ClusterConfig;
use carillon::cluster::StartError;
use carillon::cluster::Timing;
use carillon::cluster::codec::Coverage;
use carillon::cluster::codec::Point;
use carillon::cluster::snapshot;
use carillon::cluster::snapshot::SnapshotFolder;

use crate::wait_async::PATIENCE;
use crate::wait_async::until_some;
use crate::world;
use crate::world::has;
use crate::world::put;
use crate::world::request;
use crate::world::until;

fn coverage(index: u64) -> Coverage {
    Coverage { last: Some(Point { term: 1, node: 1, index }), ..Coverage::default() }
}

/// A state with something in it.
fn some_state() -> State {
    let owner = Owner { node: NodeId(1), incarnation: Incarnation(1) };
    let (request, command) = (RequestId(7), Command::StartNode { owner });
    let entry = Entry { proposed_at: ClusterTime(1_700_000_000_000), request, command };
    let mut state = State::new();
    apply(&mut state, LogIndex(3), &entry, &mut Output::default());
    state
}

fn written(folder: &SnapshotFolder, index: u64) {
    let bytes = snapshot::encode(&coverage(index), &State::new());
    folder.write(&coverage(index), &bytes).unwrap();
}

#[test]
fn what_is_written_is_read() {
    let bytes = snapshot::encode(&coverage(3), &some_state());
    let (read, state) = snapshot::decode(&bytes).unwrap();
    assert_eq!(read, coverage(3));
    assert_eq!(state, some_state());
}

#[test]
fn every_damaged_byte_is_noticed() {
    let bytes = snapshot::encode(&coverage(3), &some_state()).to_vec();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        assert!(snapshot::decode(&damaged).is_err(), "byte {at}");
        assert!(snapshot::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn a_newer_version_is_named() {
    let mut bytes = snapshot::encode(&coverage(3), &some_state()).to_vec();
    bytes[9] = 77;
    let error = snapshot::decode(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "a snapshot has format version 77; this program reads version 3");
}

#[test]
fn the_newest_two_are_kept_and_half_written_ones_removed() {
    let data = tempfile::tempdir().unwrap();
    let folder = SnapshotFolder::open(data.path().to_path_buf()).unwrap();
    for index in [5, 20, 100] {
        written(&folder, index);
    }
    fs::write(data.path().join("x.half"), "half").unwrap();
    let folder = SnapshotFolder::open(data.path().to_path_buf()).unwrap();
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 2);
    assert_eq!(folder.newest().unwrap().unwrap().coverage, coverage(100));
}

#[test]
fn a_damaged_one_gives_way_to_the_one_before() {
    let data = tempfile::tempdir().unwrap();
    let folder = SnapshotFolder::open(data.path().to_path_buf()).unwrap();
    written(&folder, 5);
    written(&folder, 20);
    let newest = fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().path()).max();
    fs::write(newest.unwrap(), "damaged").unwrap();
    assert_eq!(folder.newest().unwrap().unwrap().coverage, coverage(5));
}

fn often(config: ClusterConfig) -> ClusterConfig {
    let timing = Timing { snapshot_every: 50, keep_behind: 0, ..Timing::default() };
    ClusterConfig { timing, ..config }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_without_its_snapshot_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(often(world::alone(data.path()))).await;
    for nth in 0..300 {
        node.handle.propose(request(), put(&format!("p{nth}"))).await.unwrap();
    }
    until("a snapshot is made", || node.handle.members().snapshot > LogIndex(100)).await;
    node.cluster.stop().await;
    until("the directory is let go", || fs::remove_dir_all(data.path().join("snapshots")).is_ok())
        .await;
    let refused = until_some("the hole is found", async || {
        match cluster::start(often(world::alone(data.path()))).await {
            Err(StartError::Identity(_) | StartError::Store(_)) => None,
            Err(other) => Some(other),
            Ok(_) => panic!("it started with a hole in its log"),
        }
    })
    .await;
    assert!(matches!(refused, StartError::Hole { from: 0, .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_comes_late_is_given_the_snapshot() {
    let data = tempfile::tempdir().unwrap();
    let configs = world::together(data.path(), 3);
    let mut nodes = Vec::new();
    for config in &configs {
        nodes.push(world::start(often(config.clone())).await);
    }
    for node in &nodes {
        node.handle.wait_quorum(PATIENCE).await.unwrap();
    }
    let late = nodes.iter().position(|node| !node.handle.is_leader()).unwrap();
    nodes.remove(late).cluster.stop().await;
    let leader = nodes.iter().find(|node| node.handle.is_leader()).unwrap().handle.clone();
    for nth in 0..300 {
        leader.propose(request(), put(&format!("p{nth}"))).await.unwrap();
    }
    until("a snapshot is made", || leader.members().snapshot > LogIndex(200)).await;
    let mut back = world::start_again(often(configs[late].clone())).await;
    until("it has caught up", || back.handle.applied() == leader.applied()).await;
    assert_eq!(back.handle.fingerprint(), leader.fingerprint());
    assert!(has(&back.handle, "p0") && has(&back.handle, "p299"));
    let jumped = world::within("the jump is told", back.batches.recv()).await.unwrap();
    let legs = jumped.jumped.expect("the legs there are");
    assert!(legs.is_empty() && jumped.orders.is_empty());
    back.cluster.stop().await;
    for node in nodes {
        node.cluster.stop().await;
    }
}
