//! A part of the node that ends is noticed, whether it panics or only returns.

use std::fs;
use std::fs::File;
use std::process::Child;
use std::process::Command;
use std::time::Duration;

use carillon::node::pulse::Pulse;
use tokio::time::timeout;

use crate::carillon::Carillon;
use crate::wait::until;

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

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_cannot_be_written_ends_the_process() {
    let mut node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    node.kill();
    let said = node.scratch().join("said");
    // No file may grow beyond 64 KiB, and a write that would is an error like that of a full disk.
    let limited = "trap '' XFSZ; ulimit -f 128; exec \"$0\" serve --config \"$1\" --data \"$2\"";
    let process = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_carillon")])
        .args([node.config(), node.scratch().join("data")])
        .stderr(File::create(&said).expect("a file"))
        .spawn()
        .expect("the program starts");
    let mut process = Ended(process);
    let ready = format!("http://127.0.0.1:{}/readyz", node.metrics);
    until("the node is ready", DEADLINE, || ureq::get(&ready).call().ok());
    let queue = |nth: usize| {
        let name = "n".repeat(60);
        format!("---\nkind: Queue\nmetadata: {{name: q{nth}}}\nspec: {{displayName: {name}}}\n")
    };
    node.write("many.yaml", &(0..1000).map(queue).collect::<String>());
    let ended = until("the process ends", DEADLINE * 2, || process.0.try_wait().ok().flatten());
    let said = fs::read_to_string(&said).expect("written");
    assert_eq!(ended.code(), Some(1), "{said}");
    assert!(said.contains("a part of the node has ended"), "{said}");
}
