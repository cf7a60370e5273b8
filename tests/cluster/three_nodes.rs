//! Three nodes on loopback: propose anywhere, read anywhere, lose the leader.

use std::time::Duration;

use carillon::acd::command::Outcome;
use carillon::base::id::NodeId;
use carillon::cluster::ClusterConfig;
use carillon::cluster::handle::Handle;
use carillon::cluster::handle::Unavailable;
use carillon::cluster::identity::ClusterId;
use carillon::cluster::membership::Bootstrap;
use tempfile::TempDir;

use crate::muffle::Door;
use crate::wait_async::PATIENCE;
use crate::wait_async::until_some;
use crate::world;
use crate::world::Node;
use crate::world::has;
use crate::world::put;
use crate::world::request;
use crate::world::until;
use crate::world::within;

struct Three {
    data: TempDir,
    configs: Vec<ClusterConfig>,
    nodes: Vec<Node>,
}

async fn three() -> Three {
    let data = tempfile::tempdir().unwrap();
    let configs = world::together(data.path(), 3);
    let mut nodes = Vec::new();
    for config in &configs {
        nodes.push(world::start(config.clone()).await);
    }
    for node in &nodes {
        within("a leader is known", node.handle.wait_quorum(PATIENCE)).await.unwrap();
    }
    Three { data, configs, nodes }
}

impl Three {
    fn leader(&self) -> usize {
        self.nodes.iter().position(|node| node.handle.is_leader()).unwrap()
    }

    fn follower(&self) -> &Handle {
        &self.nodes.iter().find(|node| !node.handle.is_leader()).unwrap().handle
    }

    async fn stop(self) {
        for node in self.nodes {
            node.cluster.stop().await;
        }
        drop(self.data);
    }
}

/// Proposes until it is taken, as a node does while the leader changes.
async fn propose(handle: &Handle, name: &str) {
    let request = request();
    let outcome = until_some("a proposal is taken", async || {
        match handle.propose(request, put(name)).await {
            Ok(applied) => Some(applied.outcome),
            Err(Unavailable::NoQuorum | Unavailable::TimedOut) => None,
            Err(Unavailable::Stopped) => panic!("the node has stopped"),
        }
    });
    assert_eq!(outcome.await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_follower_proposes_is_read_everywhere() {
    let three = three().await;
    let applied = three.follower().propose(request(), put("a")).await.unwrap();
    assert_eq!(applied.outcome, Outcome::Done);
    for node in &three.nodes {
        let point = node.handle.barrier().await.unwrap();
        assert!(point >= applied.index);
        assert!(has(&node.handle, "a"));
    }
    let first = three.nodes[0].handle.fingerprint();
    for node in &three.nodes {
        until("the replicas are equal", || node.handle.fingerprint() == first).await;
    }
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_at_another_node_is_answered_once() {
    let three = three().await;
    let request = request();
    let first = three.nodes[0].handle.propose(request, put("a")).await.unwrap();
    let again = three.nodes[1].handle.propose(request, put("a")).await.unwrap();
    assert_eq!(first.outcome, again.outcome);
    assert!(again.index > first.index);
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_leader_stops_another_takes_over_with_everything() {
    let mut three = three().await;
    for nth in 0..50 {
        propose(three.follower(), &format!("before-{nth}")).await;
    }
    let leader = three.nodes.remove(three.leader());
    leader.cluster.stop().await;
    propose(&three.nodes[0].handle, "after").await;
    for node in &three.nodes {
        within("a read point", node.handle.barrier()).await.unwrap();
        assert!(has(&node.handle, "after"));
        assert!((0..50).all(|nth| has(&node.handle, &format!("before-{nth}"))));
    }
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_back_catches_up() {
    let mut three = three().await;
    let gone = three.nodes.iter().position(|node| !node.handle.is_leader()).unwrap();
    three.nodes.remove(gone).cluster.stop().await;
    propose(&three.nodes[0].handle, "meanwhile").await;
    let back = world::start_again(three.configs[gone].clone()).await;
    until("the node has caught up", || has(&back.handle, "meanwhile")).await;
    assert_eq!(back.handle.identity().owner.incarnation.0, 2);
    three.nodes.push(back);
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_nothing_is_taken_and_that_is_said_at_once() {
    let mut three = three().await;
    propose(&three.nodes[0].handle, "before").await;
    let last = three.nodes.remove(three.leader());
    for node in three.nodes.drain(..) {
        node.cluster.stop().await;
    }
    until("the loss is noticed", || !last.handle.has_quorum()).await;
    let asked = std::time::Instant::now();
    let answer = last.handle.propose(request(), put("after")).await;
    assert_eq!(answer, Err(Unavailable::NoQuorum));
    assert!(asked.elapsed() < Duration::from_secs(1), "said after {:?}", asked.elapsed());
    assert!(last.handle.barrier().await.is_err());
    assert!(has(&last.handle, "before"), "it can still be looked at");
    last.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_perhaps_taken_is_not_called_untaken() {
    let data = tempfile::tempdir().unwrap();
    let mut configs = world::together(data.path(), 3);
    // Everybody is dialled at the address all know, and listens behind a door.
    let inside = world::free_addresses(3);
    let mut doors = Vec::new();
    for (config, inside) in configs.iter_mut().zip(inside.into_values()) {
        let known = config.listen.replace(inside).unwrap();
        doors.push(Door::open(known, inside).await);
    }
    let mut nodes = Vec::new();
    for config in configs {
        nodes.push(Some(world::start(config).await));
    }
    for node in nodes.iter().flatten() {
        within("a leader is known", node.handle.wait_quorum(PATIENCE)).await.unwrap();
    }
    for node in nodes.iter().flatten() {
        propose(&node.handle, "warm").await;
    }
    let leads = |node: &Option<Node>| node.as_ref().is_some_and(|node| node.handle.is_leader());
    let leader = nodes.iter().position(leads).unwrap();
    let asks = nodes[(leader + 1) % 3].take().unwrap();
    doors[leader].muffle();
    let handle = asks.handle.clone();
    let asked = tokio::spawn(async move { handle.propose(request(), put("a")).await });
    until("it is taken, though nobody says so", || has(&asks.handle, "a")).await;
    assert!(!asked.is_finished());
    drop(doors);
    for node in nodes.into_iter().flatten() {
        node.cluster.stop().await;
    }
    until("the majority is lost", || !asks.handle.has_quorum()).await;
    let answer = within("an answer", asked).await.unwrap();
    assert_eq!(answer, Err(Unavailable::TimedOut));
    assert_eq!(
        asks.handle.propose(request(), put("b")).await,
        Err(Unavailable::NoQuorum),
        "what was never taken is called so"
    );
    asks.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_is_handed_over_on_request() {
    let three = three().await;
    propose(&three.nodes[0].handle, "before").await;
    let leader = three.leader();
    let next = &three.nodes[(leader + 1) % 3].handle;
    let term = next.members().term;
    three.nodes[leader].handle.hand_over(next.node()).await.unwrap();
    until("the next one leads", || next.is_leader()).await;
    assert!(next.members().term > term);
    propose(&three.nodes[leader].handle, "after").await;
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_node_learns_and_is_given_a_vote() {
    let mut three = three().await;
    propose(&three.nodes[0].handle, "before").await;
    let id = NodeId(4);
    let address = world::free_addresses(1)[&NodeId(1)];
    let config = ClusterConfig {
        data: three.data.path().join("4"),
        listen: Some(address),
        bootstrap: Bootstrap::Join { cluster: ClusterId(7), node: id },
        ..world::alone(three.data.path())
    };
    let joining = world::start(config).await;
    assert!(!joining.handle.has_quorum());
    let leader = three.nodes[three.leader()].handle.clone();
    within("it has caught up", leader.add_learner(id, address.to_string())).await.unwrap();
    within("it votes", leader.promote(id)).await.unwrap();
    until("it has everything", || has(&joining.handle, "before")).await;
    propose(&joining.handle, "from the new one").await;
    let members = leader.members();
    assert_eq!(members.members.iter().filter(|member| member.voter).count(), 4);
    within("it is out", leader.remove(id)).await.unwrap();
    assert_eq!(leader.members().members.len(), 3);
    joining.cluster.stop().await;
    three.nodes.truncate(3);
    three.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_knows_how_everybody_stands() {
    let three = three().await;
    propose(&three.nodes[0].handle, "a").await;
    let leader = &three.nodes[three.leader()].handle;
    until("all are reachable and have it", || {
        let members = leader.members();
        let applied = leader.applied();
        members.members.iter().all(|member| {
            member.reachable == Some(true) && member.matched.is_some_and(|at| at >= applied)
        })
    })
    .await;
    assert_eq!(leader.members().leader, Some(leader.node()));
    assert_eq!(three.follower().members().members[0].matched, None);
    three.stop().await;
}
