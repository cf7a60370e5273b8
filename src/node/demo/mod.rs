//! `carillon demo`: a whole call centre on the loopback interface, to be watched or called.
//!
//! A real node with a temporary configuration and data folder, softphones as agents, callers that
//! arrive at random, over real SIP and RTP.
//!
//! ```text
//! traffic ─► caller ─SIP, RTP─► node ─SIP, RTP─► agent
//!               └──────► book ◄─────────────────────┘        node ─► screen
//! ```
//!
//! Always holds: everything ends with the demo, the temporary folder as well; the exit status is 0
//! only if the phones' own books say that no call was lost.
//!
//! Not here: anything a node does; the demo is its customer.

mod agent;
mod book;
mod caller;
mod keyboard;
mod line;
pub mod page;
mod screen;
mod traffic;
mod voice;

use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use crate::node::args;
use crate::node::demo::book::Book;
use crate::node::demo::book::Sums;
use crate::node::demo::keyboard::Keyboard;
use crate::node::entropy;
use crate::node::running::Node;
use crate::node::running::NodeError;

/// How long callers may take to end once the demo is closing.
const LAST_CALLS_WITHIN: Duration = Duration::from_secs(40);

/// Why the demo could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A folder or a socket could not be made.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The node did not start.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// Runs the demo; whether no call was lost.
pub async fn run(demo: args::Demo) -> Result<bool, DemoError> {
    let folder = Scratch::make()?;
    let sip = free_address()?;
    let phones = traffic::open_phones(demo.agents, sip).await?;
    let token = format!("{:016x}", entropy::number());
    let agents: Vec<(String, u16)> =
        phones.iter().map(|(name, port, _)| (name.clone(), *port)).collect();
    write_configuration(&folder.0, sip.port(), &agents, &token)?;
    let node = Node::start(&folder.0.join("config"), &folder.0.join("data")).await?;

    let book = Book::default();
    let (closing, is_closing) = watch::channel(false);
    let mut tasks = Vec::new();
    for (_, _, phone) in phones {
        tasks.push(tokio::spawn(phone.run(book.clone())));
    }
    let names = agents.into_iter().map(|(name, _)| name).collect();
    tasks.push(tokio::spawn(traffic::keep_at_work(names, node.handle.clone())));
    let invited = invitation(sip, node.api, &token);
    tasks.push(tokio::spawn(screen::show(node.handle.clone(), invited, is_closing.clone())));
    let rate = demo.callers_per_minute;
    let callers = tokio::spawn(traffic::receive_callers(sip, rate, book.clone(), is_closing));

    let length = demo.seconds.map_or(Duration::MAX, Duration::from_secs);
    let keyboard = Keyboard::open();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = keyboard.ended() => {}
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    let _ = closing.send(true);
    let ended = tokio::time::timeout(LAST_CALLS_WITHIN, callers).await.is_ok();
    for task in tasks {
        task.abort();
    }
    node.stop().await;
    drop(keyboard);
    let sums = book.sums();
    print_summary(&sums);
    Ok(ended && sums.losses.is_empty() && sums.calls > 0)
}

/// What is printed below the picture: how to call in, and how to look.
fn invitation(sip: SocketAddr, api: SocketAddr, token: &str) -> Vec<String> {
    vec![
        "Call in with any SIP phone on this machine (UDP or TCP):".to_owned(),
        format!("    sip:sales@{sip}"),
        "Look with:".to_owned(),
        format!("    curl -H 'Authorization: Bearer {token}' \\"),
        format!("        http://{api}/queues"),
        "q or Ctrl-C ends the demo.".to_owned(),
    ]
}

fn print_summary(sums: &Sums) {
    println!("\ncalls {}", sums.calls);
    println!("answered {}", sums.answered);
    println!("abandoned {} (hung up while waiting)", sums.abandoned);
    println!("refused {}", sums.refused);
    println!("lost {}", sums.losses.iter().map(|(_, count)| count).sum::<u64>());
    for (loss, count) in &sums.losses {
        println!("    {count} {loss:?}");
    }
    match sums.assignment {
        Some((p50, p99)) => println!(
            "assignment latency p50 {:.1} ms, p99 {:.1} ms (caller's INVITE to the agent's, an \
             agent being free)",
            p50 as f64 / 1000.0,
            p99 as f64 / 1000.0
        ),
        None => println!("assignment latency: no caller found an agent free"),
    }
}

/// A port that is free for UDP and TCP on the loopback interface.
fn free_address() -> io::Result<SocketAddr> {
    first_free(20, || {
        let udp = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = udp.local_addr()?;
        std::net::TcpListener::bind(address).map(|_| address)
    })
}

/// The first of four free UDP ports in a row, below those the kernel gives out by itself.
fn free_rtp_ports() -> io::Result<u16> {
    first_free(50, || {
        let first = 20_000 + (entropy::number() % 2_500) as u16 * 4;
        let bind = |port| std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port));
        let bound: io::Result<Vec<_>> = (first..first + 4).map(bind).collect();
        bound.map(|_| first)
    })
}

/// Tries until something is free, or hands back the last reason why nothing was.
fn first_free<T>(tries: usize, attempt: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut tried = attempt();
    for _ in 1..tries {
        if tried.is_ok() {
            break;
        }
        tried = attempt();
    }
    tried
}

fn write_configuration(
    folder: &Path,
    sip: u16,
    agents: &[(String, u16)],
    token: &str,
) -> io::Result<()> {
    let config = folder.join("config");
    std::fs::create_dir_all(&config)?;
    let tokens = folder.join("tokens.yaml");
    let rtp = free_rtp_ports()?;
    std::fs::write(
        &tokens,
        format!("tokens:\n- {{name: demo, role: Administrator, token: \"{token}\"}}\n"),
    )?;
    let settings = SETTINGS
        .replace("SIP", &sip.to_string())
        .replace("RTP", &format!("{rtp}-{}", rtp + 3))
        .replace("API", &free_address()?.port().to_string())
        .replace("OBSERVE", &free_address()?.port().to_string())
        .replace("TOKENS", &tokens.to_string_lossy());
    std::fs::write(config.join("settings.yaml"), settings)?;
    std::fs::write(config.join("queues.yaml"), QUEUES)?;
    let agents: String = agents
        .iter()
        .enumerate()
        .map(|(nth, (name, port))| {
            let queues = ["sales, support", "sales, billing", "sales, support, billing"][nth % 3];
            format!(
                "---\nkind: Agent\nmetadata: {{name: \"{name}\"}}\nspec: {{queues: [{queues}], \
                 device: {{address: \"sip:{name}@127.0.0.1:{port}\"}}}}\n"
            )
        })
        .collect();
    std::fs::write(config.join("agents.yaml"), agents)
}

/// Everything on the loopback interface; the words in capitals become ports and a path.
const SETTINGS: &str = r#"
kind: Settings
metadata: {name: default}
spec:
  sip:
    advertise: 127.0.0.1
    listen:
    - {transport: Udp, address: 127.0.0.1, port: SIP}
    - {transport: Tcp, address: 127.0.0.1, port: SIP}
  rtp: {advertise: 127.0.0.1, ports: "RTP"}
  api: {listen: "127.0.0.1:API", tokensFile: "TOKENS"}
  observe: {listen: "127.0.0.1:OBSERVE"}
---
kind: Trunk
metadata: {name: loopback}
spec:
  peers: ["sip:127.0.0.1"]
  inbound: {allowedSources: [127.0.0.0/8]}
"#;

const QUEUES: &str = r#"
kind: Queue
metadata: {name: sales}
spec:
  displayName: Sales
  ringSeconds: 6
  wrapUpSeconds: 1
  caller: {welcome: welcome, announcements: {prompt: please-hold, everySeconds: 20}}
  overflow: {noAgents: {wait: {}}}
---
kind: Queue
metadata: {name: support}
spec: {displayName: Support, ringSeconds: 6, overflow: {noAgents: {wait: {}}}}
---
kind: Queue
metadata: {name: billing}
spec: {displayName: Billing, strategy: RingAll, ringSeconds: 6, overflow: {noAgents: {wait: {}}}}
"#;

/// A folder that is gone when the demo is.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn make() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("carillon-demo-{:016x}", entropy::number()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it; a folder that stays behind is in the temporary place anyway.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
