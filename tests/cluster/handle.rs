//! What the handle promises: events, read points, deadlines, an answer in any case.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use carillon::acd::command::Actor;
use carillon::acd::command::AgentStateName;
use carillon::acd::command::Command;
use carillon::acd::command::LogIn;
use carillon::acd::command::LoginKind;
use carillon::acd::command::Outcome;
use carillon::acd::command::Role;
use carillon::acd::config::AgentConfig;
use carillon::acd::config::DeviceConfig;
use carillon::acd::config::Settings;
use carillon::acd::config::Source;
use carillon::acd::config::UnreachableAction;
use carillon::acd::config::UnreachablePolicy;
use carillon::acd::fact::Fact;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::LegId;
use carillon::base::id::LogIndex;
use carillon::base::time::ClusterTime;
use carillon::base::time::Millis;
use carillon::cluster::Clock;
use carillon::cluster::ClusterConfig;
use carillon::cluster::handle::Unavailable;
use carillon::cluster::happenings::Happening;
use carillon::cluster::happenings::HappeningStream;
use tokio_stream::StreamExt;

use crate::sample;
use crate::world;
use crate::world::put;
use crate::world::request;
use crate::world::until;
use crate::world::within;

async fn next(stream: &mut HappeningStream) -> Arc<Happening> {
    within("something happens", stream.next()).await.unwrap()
}

fn prompt_of(happening: &Happening) -> String {
    match happening.facts.first() {
        Some(Fact::ConfigPut { name, .. }) => name.clone(),
        other => panic!("expected a prompt, got {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_alone_takes_a_command_at_once() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let applied = node.handle.propose(request(), put("a")).await.unwrap();
    assert_eq!(applied.outcome, Outcome::Done);
    assert_eq!(node.handle.applied(), applied.index);
    assert_eq!(node.handle.barrier().await.unwrap(), applied.index);
    assert!(node.handle.has_quorum());
    assert_eq!(node.handle.figures().commit.picture().count(), 1);
    assert!(node.handle.figures().flush.picture().count() >= 1);
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_looked_at_while_there_is_news_of_them() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let over = Arc::new(AtomicBool::new(false));
    let look = |_| {
        let (handle, over) = (node.handle.clone(), Arc::clone(&over));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                assert!(handle.members().leader.is_some());
            }
        })
    };
    let looking: Vec<_> = (0..2).map(look).collect();
    for nth in 0..300 {
        let proposed = node.handle.propose(request(), put(&nth.to_string()));
        within("a command is taken", proposed).await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    looking.into_iter().for_each(|thread| thread.join().unwrap());
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_answered_as_the_first_and_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let request = request();
    let first = node.handle.propose(request, put("a")).await.unwrap();
    let mut later = node.handle.happenings_after(first.index).unwrap();
    let again = node.handle.propose(request, put("a")).await.unwrap();
    assert_eq!(first.outcome, again.outcome);
    node.handle.propose(world::request(), put("b")).await.unwrap();
    assert_eq!(prompt_of(&*next(&mut later).await), "b");
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_on_where_a_listener_left() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let mut all = node.handle.happenings_after(node.handle.applied()).unwrap();
    for name in ["a", "b", "c"] {
        node.handle.propose(request(), put(name)).await.unwrap();
    }
    let first = next(&mut all).await;
    assert_eq!(prompt_of(&first), "a");
    let mut again = node.handle.happenings_after(first.index).unwrap();
    for stream in [&mut all, &mut again] {
        assert_eq!(prompt_of(&*next(stream).await), "b");
        assert_eq!(prompt_of(&*next(stream).await), "c");
    }
    // After a restart those that were applied again from the log can still be had.
    node.cluster.stop().await;
    let node = world::start_again(world::alone(data.path())).await;
    let mut later = node.handle.happenings_after(first.index).unwrap();
    assert_eq!(prompt_of(&*next(&mut later).await), "b");
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_no_longer_kept_is_said_to_be_gone() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let start = node.handle.applied();
    let mut slow = node.handle.happenings_after(start).unwrap();
    let writers = (0..64).map(|writer| {
        let handle = node.handle.clone();
        tokio::spawn(async move {
            for nth in 0..160 {
                handle.propose(request(), put(&format!("w{writer}-{nth}"))).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let gone = node.handle.happenings_after(start).err().unwrap();
    assert_eq!(gone.newest, node.handle.applied());
    assert!(gone.oldest > start);
    let mut rest = node.handle.happenings_after(LogIndex(gone.oldest.0 - 1)).unwrap();
    for at in gone.oldest.0..=gone.newest.0 {
        assert_eq!(next(&mut rest).await.index, LogIndex(at), "none twice, none left out");
    }
    assert_eq!(within("the slow one ends", slow.next()).await, None);
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_come_in_log_order_and_reach_nobody_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut node = world::start(world::alone(data.path())).await;
    let owner = node.handle.identity().owner;
    let queue = Box::new(sample::queue("sales"));
    let mut setup =
        vec![Command::StartNode { owner }, Command::PutQueue { queue, source: Source::Rest }];
    setup.extend((0..20).map(|nth| sample::arrival_at("sales", CallId(nth), owner)));
    for command in setup {
        let applied = node.handle.propose(request(), command).await.unwrap();
        assert_eq!(applied.outcome, Outcome::Done);
    }
    for nth in 0..20 {
        let batch = within("a caller is held", node.batches.recv()).await.unwrap();
        assert_eq!(batch.orders[0].owner, owner);
        assert_eq!(batch.orders[0].effect.leg(), LegId::of_caller(CallId(nth)));
        assert!(batch.jumped.is_none());
    }
    node.cluster.stop().await;

    let mut node = world::start_again(world::alone(data.path())).await;
    let mut again = Vec::new();
    while let Ok(batch) = node.batches.try_recv() {
        again.extend(batch.orders);
    }
    // At most what was committed after the commit point last written down.
    assert!(again.len() < 20, "{} orders were delivered again", again.len());
    assert!(again.iter().all(|order| order.owner != node.handle.identity().owner));
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_passes_without_anybody_asking() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let settings = Settings { log_out_when_inactive: Some(Millis(300)), ..Settings::default() };
    let ann = AgentId::new("ann");
    let by = Actor { role: Role::Agent, name: "ann".to_owned() };
    let log_in =
        LogIn { agent: ann.clone(), pin: None, device: None, kind: LoginKind::Callback, by };
    for command in [
        Command::PutSettings { settings: Box::new(settings), source: Source::Rest },
        Command::PutAgent { agent: Box::new(agent(&ann)), source: Source::Rest },
        Command::LogIn(Box::new(log_in)),
    ] {
        let applied = node.handle.propose(request(), command).await.unwrap();
        assert_eq!(applied.outcome, Outcome::Done);
    }
    let state = || node.handle.view(|view| view.agent(&ann).unwrap().state);
    assert_ne!(state(), AgentStateName::LoggedOut);
    until("the idle agent is logged out", || state() == AgentStateName::LoggedOut).await;
    let applied = node.handle.applied();
    // Nothing is due any more, so nothing is proposed: the next entry is the next proposal's.
    let next = node.handle.propose(request(), put("a")).await.unwrap();
    assert_eq!(next.index.0, applied.0 + 1);
    node.cluster.stop().await;
}

fn agent(id: &AgentId) -> AgentConfig {
    AgentConfig {
        id: id.clone(),
        display_name: "Ann".to_owned(),
        queues: Vec::new(),
        pin: None,
        device: Some(DeviceConfig { address: "sip:ann@192.0.2.1".to_owned(), trunk: None }),
        allowed_logins: vec![LoginKind::Callback],
        wrap_up: None,
        duplicate_login: None,
        on_unreachable: UnreachablePolicy {
            action: UnreachableAction::Nothing,
            after: Millis::from_secs(10),
        },
        team: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_stamped_never_goes_back() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    let mut last = node.handle.stamp();
    for nth in 0..20 {
        node.handle.propose(request(), put(&format!("p{nth}"))).await.unwrap();
        let now = node.handle.view(|view| view.now());
        assert!(now >= last && node.handle.stamp() >= now);
        last = now;
    }
    node.cluster.stop().await;
}

/// A wall clock that somebody sets.
static WALL: AtomicU64 = AtomicU64::new(2_000_000_000_000);

fn set_wall() -> ClusterTime {
    ClusterTime(WALL.load(Ordering::SeqCst))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_set_back_is_not_followed_before_the_next_commit_either() {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock { wall: set_wall, ..world::CLOCK };
    let node = world::start(ClusterConfig { clock, ..world::alone(data.path()) }).await;
    node.handle.propose(request(), put("a")).await.unwrap();
    let committed = node.handle.view(|view| view.now());
    WALL.fetch_add(10_000, Ordering::SeqCst);
    let ahead = node.handle.stamp();
    assert_eq!(ahead.0, committed.0 + 10_000);
    // Nothing was proposed since, so that only the leader itself knows what it has stamped.
    WALL.fetch_sub(8_000, Ordering::SeqCst);
    assert_eq!(node.handle.stamp(), ahead);
    node.handle.propose(request(), put("b")).await.unwrap();
    assert_eq!(node.handle.view(|view| view.now()), ahead);
    WALL.fetch_add(9_000, Ordering::SeqCst);
    assert_eq!(node.handle.stamp().0, ahead.0 + 1_000, "time goes on");
    node.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_node_says_so() {
    let data = tempfile::tempdir().unwrap();
    let node = world::start(world::alone(data.path())).await;
    node.cluster.stop().await;
    let answer = node.handle.propose(request(), put("a")).await;
    assert_eq!(answer, Err(Unavailable::Stopped));
    assert_eq!(node.handle.barrier().await, Err(Unavailable::Stopped));
}
