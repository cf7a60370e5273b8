//! The demo's traffic: agents who log in and go back to work, callers who arrive at random.
//!
//! Always holds: a caller's call is entered in the books when it ends, however it ends; nothing
//! new begins once the demo is closing.
//!
//! Not here: what one phone does ([`super::caller`], [`super::agent`]).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::acd::command::Actor;
use crate::acd::command::AgentStateName;
use crate::acd::command::Command;
use crate::acd::command::LogIn;
use crate::acd::command::LoginKind;
use crate::acd::command::Role;
use crate::base::id::AgentId;
use crate::base::prng::Prng;
use crate::base::time::Millis;
use crate::cluster::handle::Handle;
use crate::node::demo::agent::AgentPhone;
use crate::node::demo::book::Book;
use crate::node::demo::caller::Caller;
use crate::node::demo::line::Line;
use crate::node::entropy;

/// The queues of the demo, busier ones more than once.
pub(super) const DIALLED: [&str; 6] = ["sales", "sales", "sales", "support", "support", "billing"];

/// How long an agent whose phone rang out stays away.
const BREAK: Duration = Duration::from_secs(4);

/// Opens a phone for each agent; returns them with the ports they are rung at.
pub(super) async fn open_phones(
    agents: u16,
    node: SocketAddr,
) -> io::Result<Vec<(String, u16, AgentPhone)>> {
    let mut phones = Vec::new();
    for nth in 0..agents {
        let name = (2001 + u32::from(nth)).to_string();
        let line = Line::open(node).await?;
        let port = line.local.port();
        phones.push((name.clone(), port, AgentPhone::new(line, &name, entropy::number())));
    }
    Ok(phones)
}

/// Logs every agent in, and again and again brings back those who went on a break.
pub(super) async fn keep_at_work(agents: Vec<String>, handle: Handle) {
    let system = || Actor { role: Role::System, name: "demo".to_owned() };
    let mut look = tokio::time::interval(Duration::from_millis(500));
    loop {
        look.tick().await;
        for name in &agents {
            let agent = AgentId::new(name);
            let Some(now) = handle.view(|view| view.agent(&agent)) else { continue };
            let away = handle.view(|view| view.now()).since(now.since);
            let command = match now.state {
                AgentStateName::LoggedOut => Command::LogIn(Box::new(LogIn {
                    agent,
                    pin: None,
                    device: None,
                    kind: LoginKind::Callback,
                    by: system(),
                })),
                AgentStateName::NotReady
                    if now.reason.as_deref() == Some("LoggedIn")
                        || u128::from(away.0) > BREAK.as_millis() =>
                {
                    Command::SetReady { agent, by: system() }
                }
                AgentStateName::NotReady
                | AgentStateName::Ready
                | AgentStateName::Reserved
                | AgentStateName::Talking
                | AgentStateName::WrapUp => continue,
            };
            // A refusal means that something happened meanwhile; the next look sees it.
            let _ = handle.propose(entropy::request_id(), command).await;
        }
    }
}

/// Lets callers arrive until `closing`, then waits for the last of them.
pub(super) async fn receive_callers(
    node: SocketAddr,
    per_minute: u16,
    book: Book,
    mut closing: watch::Receiver<bool>,
) {
    let mut prng = Prng::from_seed(entropy::number());
    let mut callers = JoinSet::new();
    for number in 5_550_000_u32.. {
        let (caller, book, until) =
            (caller(node, number, &mut prng), book.clone(), closing.clone());
        callers.spawn(async move {
            let number = caller.number.clone();
            let end = caller.call(&book, until).await;
            book.ended(&number, end);
        });
        let pause = Duration::from_millis(pause_ms(&mut prng, u64::from(per_minute)));
        if tokio::time::timeout(pause, closing.wait_for(|closing| *closing)).await.is_ok() {
            break;
        }
        while callers.try_join_next().is_some() {}
    }
    while callers.join_next().await.is_some() {}
}

fn caller(node: SocketAddr, number: u32, prng: &mut Prng) -> Caller {
    let queue = DIALLED[prng.below(DIALLED.len() as u64) as usize];
    let patience = Millis(15_000 + prng.below(45_000));
    Caller { node, number: number.to_string(), queue: queue.to_owned(), patience }
}

/// Arrivals that know nothing of each other: the pauses between them are exponential.
fn pause_ms(prng: &mut Prng, per_minute: u64) -> u64 {
    let uniform = (prng.below(1 << 20) + 1) as f64 / (1 << 20) as f64;
    (-uniform.ln() * 60_000.0 / per_minute as f64) as u64
}
