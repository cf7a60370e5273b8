//! What is acknowledged is there after a stop, and after kill -9 in the middle of writing.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command as Process;
use std::process::Stdio;

use carillon::base::id::LogIndex;
use carillon::cluster::ClusterConfig;
use carillon::cluster::Timing;

use crate::world;
use crate::world::has;
use crate::world::put;
use crate::world::request;

/// Names the data directory to a child process of these tests.
const CHILD: &str = "CARILLON_TEST_CHILD_DATA";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_is_equal_after_a_stop_and_a_start() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    for nth in 0..100 {
        node.handle.propose(request(), put(&format!("p{nth}"))).await.unwrap();
    }
    let before = node.handle.fingerprint();
    assert_eq!(node.handle.identity().owner.incarnation.0, 1);
    node.cluster.stop().await;

    let node = world::start_again(world::alone(data.path())).await;
    // A new term begins with an entry of Raft's own, which changes nothing.
    assert!(node.handle.applied() >= before.0);
    assert_eq!(node.handle.fingerprint().1, before.1);
    assert_eq!(node.handle.identity().owner.incarnation.0, 2);
    node.handle.propose(request(), put("more")).await.unwrap();
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_is_equal_when_it_comes_from_a_snapshot_and_the_log_behind_it() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(often_snapped(data.path())).await;
    for nth in 0..95 {
        node.handle.propose(request(), put(&format!("p{nth}"))).await.unwrap();
    }
    world::until("a snapshot is made", || node.handle.members().snapshot > LogIndex(20)).await;
    let before = node.handle.fingerprint();
    node.cluster.stop().await;
    let node = world::start_again(often_snapped(data.path())).await;
    assert_eq!(node.handle.fingerprint().1, before.1);
    node.cluster.stop().await;
}

fn often_snapped(data: &Path) -> ClusterConfig {
    let timing = Timing { snapshot_every: 20, keep_behind: 5, ..Timing::default() };
    ClusterConfig { timing, ..world::alone(data) }
}

/// Not a test of its own: what the child process below does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_writes_until_it_is_killed() {
    let Some(data) = std::env::var_os(CHILD) else { return };
    let node = world::start(often_snapped(Path::new(&data))).await;
    let writers = (0..8).map(|writer| {
        let handle = node.handle.clone();
        tokio::spawn(async move {
            for nth in 0.. {
                let name = format!("w{writer}-{nth}");
                let applied = handle.propose(request(), put(&name)).await.unwrap();
                println!("acknowledged {} {name}", applied.index);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_in_the_middle_of_writing() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 1..=3 {
        acknowledged.extend(write_and_kill(data.path(), 60));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let node = world::start_again(often_snapped(data.path())).await;
            assert_eq!(node.handle.identity().owner.incarnation.0, round * 2);
            for (index, name) in &acknowledged {
                assert!(node.handle.applied() >= *index);
                assert!(has(&node.handle, name), "{name} at {index} is lost (round {round})");
            }
            node.cluster.stop().await;
        });
    }
}

fn write_and_kill(data: &Path, after: usize) -> Vec<(LogIndex, String)> {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["restart::child_that_writes_until_it_is_killed", "--exact", "--nocapture"])
        .env(CHILD, data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let mut words = line.split(' ').skip_while(|word| !word.ends_with("acknowledged")).skip(1);
        if let (Some(index), Some(name)) = (words.next(), words.next()) {
            acknowledged.push((LogIndex(index.parse().unwrap()), name.to_owned()));
        }
        if acknowledged.len() == after {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= after, "the child ended by itself");
    acknowledged
}
