//! How long commits and snapshots take; bounds are wide, figures are printed.
//!
//! `cargo test --release --test cluster speed -- --nocapture --test-threads 1` shows them.

use std::time::Duration;
use std::time::Instant;

use carillon::acd::command::Command;
use carillon::acd::config::Source;
use carillon::cluster::codec::Coverage;
use carillon::cluster::handle::Handle;
use carillon::cluster::snapshot;

use crate::sample;
use crate::wait_async::PATIENCE;
use crate::world;
use crate::world::put;
use crate::world::request;

/// Enough for a percentile in a release build, little enough for every test run.
const ROUNDS: usize = if cfg!(debug_assertions) { 200 } else { 4_000 };

async fn measure(handle: &Handle, writers: usize) -> Vec<Duration> {
    let each = (ROUNDS / writers).max(4);
    let tasks = (0..writers).map(|writer| {
        let handle = handle.clone();
        tokio::spawn(async move {
            let mut lengths = Vec::with_capacity(each);
            for _ in 0..each {
                let (since, id) = (Instant::now(), request());
                handle.propose(id, put(&format!("w{writer}"))).await.unwrap();
                lengths.push(since.elapsed());
            }
            lengths
        })
    });
    let mut lengths = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        lengths.extend(task.await.unwrap());
    }
    lengths.sort();
    lengths
}

async fn print(what: &str, handle: &Handle) {
    for writers in [1, 64] {
        let since = Instant::now();
        let lengths = measure(handle, writers).await;
        let rate = lengths.len() as f64 / since.elapsed().as_secs_f64();
        let at = |percent: usize| lengths[lengths.len() * percent / 100];
        println!(
            "{what}, {writers} writers: p50 {:?} p99 {:?} worst {:?}, {rate:.0}/s",
            at(50),
            at(99),
            lengths[lengths.len() - 1]
        );
        assert!(at(50) < Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_on_one_node() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    print("one node", &node.handle).await;
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_on_three_nodes() {
    let data = tempfile::tempdir().unwrap();
    let mut nodes = Vec::new();
    for config in world::together(data.path(), 3) {
        nodes.push(world::start(config).await);
    }
    for node in &nodes {
        node.handle.wait_quorum(PATIENCE).await.unwrap();
    }
    let leader = nodes.iter().find(|node| node.handle.is_leader()).unwrap();
    print("three nodes, at the leader", &leader.handle).await;
    let follower = nodes.iter().find(|node| !node.handle.is_leader()).unwrap();
    print("three nodes, at a follower", &follower.handle).await;
    for node in nodes {
        node.cluster.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_of_ten_thousand_agents_and_a_thousand_queues() {
    let (agents, queues) = if cfg!(debug_assertions) { (500, 50) } else { (10_000, 1_000) };
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let mut writers = Vec::new();
    for writer in 0..64 {
        let handle = node.handle.clone();
        writers.push(tokio::spawn(async move {
            for nth in (writer..agents).step_by(64) {
                let agent = Box::new(sample::agent_config(&format!("agent-{nth}")));
                let command = Command::PutAgent { agent, source: Source::Rest };
                handle.propose(request(), command).await.unwrap();
            }
            for nth in (writer..queues).step_by(64) {
                let queue = Box::new(sample::queue(&format!("queue-{nth}")));
                let command = Command::PutQueue { queue, source: Source::Rest };
                handle.propose(request(), command).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let since = Instant::now();
    let state = node.handle.copy_of_state();
    let held = since.elapsed();
    let bytes = snapshot::encode(&Coverage::default(), &state);
    let encoded = since.elapsed() - held;
    let since = Instant::now();
    assert!(snapshot::decode(&bytes).unwrap().1 == state);
    println!(
        "{agents} agents, {queues} queues: copied in {held:?} (the state held still), encoded in \
         {encoded:?} to {} bytes, decoded in {:?}",
        bytes.len(),
        since.elapsed()
    );
    node.cluster.stop().await;
}
