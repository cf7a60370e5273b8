//! A part of the node that ends is noticed, whether it panics or only returns.

use std::time::Duration;

use carillon::node::pulse::Pulse;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_task_that_panics_is_noticed() {
    let pulse = Pulse::default();
    pulse.keep("shard 3", async {
        tokio::task::yield_now().await;
        panic!("as a test");
    });
    let ended = timeout(DEADLINE, pulse.ended()).await.expect("noticed");
    assert_eq!(ended, "shard 3");
    assert_eq!(pulse.watched().borrow().as_deref(), Some("shard 3"));
}

#[tokio::test]
async fn a_task_that_returns_is_noticed_and_the_first_is_named() {
    let pulse = Pulse::default();
    let first = pulse.keep("the log", async {});
    first.await.expect("it returns");
    pulse.keep("the orders", async {}).await.expect("it returns");
    let ended = timeout(DEADLINE, pulse.ended()).await.expect("noticed");
    assert_eq!(ended, "the log");
}

#[tokio::test]
async fn a_task_that_is_aborted_was_stopped_on_purpose() {
    let pulse = Pulse::default();
    let task = pulse.keep("the watch", std::future::pending());
    tokio::task::yield_now().await;
    task.abort();
    assert!(task.await.expect_err("aborted").is_cancelled());
    assert_eq!(*pulse.watched().borrow(), None);
}

#[tokio::test]
async fn a_thread_that_panics_is_noticed_and_one_that_returns_is_not() {
    let pulse = Pulse::default();
    let alive = pulse.alive("a media thread");
    let held = alive.clone();
    std::thread::spawn(move || drop(held)).join().expect("it returns");
    assert_eq!(*pulse.watched().borrow(), None);
    let thread = std::thread::spawn(move || {
        let _held = alive;
        panic!("as a test");
    });
    assert!(thread.join().is_err());
    let ended = timeout(DEADLINE, pulse.ended()).await.expect("noticed");
    assert_eq!(ended, "a media thread");
}
