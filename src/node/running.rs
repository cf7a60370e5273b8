//! A running node: started in order, stopped in order.
//!
//! | started | because |
//! |---|---|
//! | cluster | everything else looks at the state; a folder may name what others configured |
//! | `StartNode` | this life goes on with what its former ones owned, before anything falls due |
//! | the folder is read | a mistake must be said before anything listens |
//! | configuration | so that the first call finds its queue |
//! | media, shards, sockets | from here on calls come in |
//! | REST, metrics, the watch of the folder | |
//!
//! Always holds: orders reach the shards in log order; only orders for this life of this node are
//! carried out.
//!
//! Not here: what any of these parts does.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::acd::command::Actor;
use crate::acd::command::Command;
use crate::acd::command::Role;
use crate::api::Drain;
use crate::api::Tokens;
use crate::b2bua::Identity;
use crate::b2bua::RtpPort;
use crate::b2bua::Ua;
use crate::base::id::CallId;
use crate::base::id::LogIndex;
use crate::base::id::Owner;
use crate::cluster;
use crate::cluster::Batches;
use crate::cluster::Cluster;
use crate::cluster::ClusterConfig;
use crate::cluster::Timing;
use crate::cluster::handle::Handle;
use crate::cluster::membership::Bootstrap;
use crate::media::prompt::PromptSet;
use crate::node::args::Membership;
use crate::node::clock;
use crate::node::config::folder::FolderError;
use crate::node::config::follow;
use crate::node::config::membership;
use crate::node::config::membership::MembershipError;
use crate::node::config::prompts::Loaded;
use crate::node::config::tokens;
use crate::node::config::tokens::TokensError;
use crate::node::config::watch::Watch;
use crate::node::count;
use crate::node::count::Counts;
use crate::node::door;
use crate::node::entropy;
use crate::node::identity::identity;
use crate::node::orders;
use crate::node::port::files::Shares;
use crate::node::port::places::Limits;
use crate::node::port::web;
use crate::node::pulse::Pulse;
use crate::node::rtp;
use crate::node::rtp::MediaThreads;
use crate::node::shard::SHARDS;
use crate::node::shard::Shard;
use crate::node::shard::Shards;
use crate::node::tcp::TcpConnections;
use crate::node::udp::UdpSockets;
use crate::observe::metrics::Metrics;
use crate::resource::ListenTransport;
use crate::resource::NodeSettings;
use crate::resource::SipLimits;
use crate::sip::transaction::timer::Timers;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration has mistakes.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The data folder, by its path.
    #[error("{}: {source}; {}", path.display(), remedy_for_data(source))]
    Data {
        /// Which.
        path: PathBuf,
        /// Why.
        source: cluster::StartError,
    },
    /// A socket cannot be opened.
    #[error("cannot listen for {what} on {address}: {source}; {}", remedy_for_port(field, source))]
    Listen {
        /// For what.
        what: &'static str,
        /// Where.
        address: String,
        /// The field of `Settings` that says so.
        field: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file of bearer tokens.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The cryptographic or counting machinery did not start.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// What was typed about the other nodes does not fit.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// The configuration could not be put into the log.
    #[error("the cluster takes no commands")]
    NoQuorum,
}

impl NodeError {
    /// A socket of this purpose, at the address that a field of `Settings` names.
    pub fn listen(
        what: &'static str,
        address: &dyn Display,
        field: &'static str,
        source: io::Error,
    ) -> Self {
        Self::Listen { what, address: address.to_string(), field, source }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "for other errors only the field is known")]
fn remedy_for_port(field: &str, error: &io::Error) -> String {
    let mended = format!("write another in Settings.spec.{field}");
    match error.kind() {
        io::ErrorKind::AddrInUse => format!("end the program that has it, or {mended}"),
        io::ErrorKind::AddrNotAvailable => format!("this machine has no such address: {mended}"),
        io::ErrorKind::PermissionDenied => {
            format!(
                "ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE), or {mended}"
            )
        }
        _ => mended,
    }
}

/// What is to be done where something of the data is missing or damaged.
const WHOLE: &str = "put back a whole copy of it, or name another with --data";

fn remedy_for_data(error: &cluster::StartError) -> &'static str {
    use crate::cluster::identity::IdentityError;
    match error {
        cluster::StartError::Identity(IdentityError::InUse) => {
            "end that process, or give this one a folder of its own with --data"
        }
        cluster::StartError::Store(damage) if damage.kind() == io::ErrorKind::InvalidData => WHOLE,
        cluster::StartError::Identity(IdentityError::Disk(_)) | cluster::StartError::Store(_) => {
            "it must be a folder this user may write, with room left; --data names another"
        }
        cluster::StartError::Identity(IdentityError::SomebodyElse(_)) => {
            "check --node and --cluster-key, or name another folder with --data"
        }
        cluster::StartError::Listen(_) => {
            "write a free address of this machine in --cluster-listen"
        }
        cluster::StartError::Identity(_)
        | cluster::StartError::Hole { .. }
        | cluster::StartError::Members(_)
        | cluster::StartError::Raft(_) => WHOLE,
    }
}

/// How long phones may take to answer their BYE when the node stops.
const GOODBYE_WITHIN: Duration = Duration::from_secs(4);

/// How often a node says that it waits for others.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// How often a node looks whether the others go on without it.
const LOOK: Duration = Duration::from_millis(100);

/// A node at work.
pub struct Node {
    /// The state and the log.
    pub handle: Handle,
    /// Where SIP is heard, by UDP and by TCP.
    pub sip: [Vec<SocketAddr>; 2],
    /// The ports of all RTP streams.
    pub rtp: Vec<u16>,
    /// Where REST is served.
    pub api: SocketAddr,
    /// Where metrics and health are served.
    pub observe: SocketAddr,
    cluster: Cluster,
    shards: Shards,
    media: MediaThreads,
    drain: Drain,
    counts: Counts,
    pulse: Pulse,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// Starts a node on a configuration folder and a data folder, which is a cluster by itself.
    pub async fn start(config: &Path, data: &Path) -> Result<Self, NodeError> {
        Self::start_among(config, data, &Membership::default()).await
    }

    /// The same as one of several nodes.
    pub async fn start_among(
        config: &Path,
        data: &Path,
        wanted: &Membership,
    ) -> Result<Self, NodeError> {
        let (cluster, handle, batches) = start_cluster(data, wanted).await?;
        await_majority(&handle).await;
        let (owner, begun) = (handle.identity().owner, handle.applied());
        propose(&handle, Command::StartNode { owner }).await?;
        let metrics = Arc::new(Metrics::new()?);
        let counts = Counts::new(&metrics);
        let mut watch = Watch::begin(config, data, &handle, &counts).await?;
        let (settings, is_first) = (watch.settings().clone(), watch.is_first_start());
        let tokens = tokens::begin(settings.tokens_file.as_deref(), is_first, &counts)?;
        watch.apply().await;
        door::tell_if_shut(&handle);

        let (shards, inboxes) = Shards::new(counts.clone());
        let loaded_at = handle.applied();
        let loaded = follow::load_prompts(&handle, Loaded::default()).await;
        let pulse = Pulse::default();
        let media = start_media(&settings, &loaded.set, &shards, &pulse)?;
        let udp = bind_udp(&settings)?;
        let limits = Limits::written(Shares::here().sip, settings.sip_limits.connections);
        let tcp = TcpConnections::new(&shards, limits);
        shards.limit(settings.sip_limits);
        let identity = identity(&settings, owner, &handle);
        for (number, inbox) in inboxes.into_iter().enumerate() {
            let rtp = media.ports(number).into_iter().map(|port| RtpPort { port }).collect();
            let identity = Identity { shard: number as u16, rtp, ..identity.clone() };
            let mut ua = Ua::with_timers(identity, entropy::bytes(), timers(settings.sip_limits));
            ua.set_lost_after(settings.rtp_lost_after);
            let shard = Shard {
                ua,
                number,
                shards: shards.clone(),
                handle: handle.clone(),
                udp: udp.clone(),
                tcp: tcp.clone(),
                media: media.clone(),
                counts: counts.clone(),
                half_open: BTreeMap::new(),
                lapse: None,
                done: None,
            };
            pulse.keep(format!("shard {number}"), shard.run(inbox));
        }
        follow::tell(&handle, &shards);
        let mut node = Self {
            sip: [udp.locals().collect(), tcp_listens(&settings).collect()],
            rtp: settings.rtp_ports.clone(),
            api: settings.api_listen,
            observe: settings.observe_listen,
            tasks: vec![
                pulse.keep("the log", handle.clone().wait_end()),
                pulse.keep("the orders", orders::carry_out(batches, owner, shards.clone())),
            ],
            pulse,
            drain: drain(&shards),
            handle,
            cluster,
            shards,
            media,
            counts,
        };
        let tokens = node.follow_tokens(&settings, tokens);
        node.open(&settings, (&udp, &tcp), &metrics, tokens).await?;
        node.follow_log(&metrics, begun, (loaded_at, loaded));
        let shards = node.shards.clone();
        let followed = watch.follow(move |settings| shards.limit(settings.sip_limits));
        node.keep("the watch of the configuration", followed);
        Ok(node)
    }

    /// Begins to listen: from here on calls and questions come in.
    async fn open(
        &mut self,
        settings: &NodeSettings,
        (udp, tcp): (&UdpSockets, &TcpConnections),
        metrics: &Arc<Metrics>,
        tokens: tokio::sync::watch::Receiver<Tokens>,
    ) -> Result<(), NodeError> {
        udp.listen(&self.shards, &self.pulse);
        for listen in tcp_listens(settings) {
            let failed = |source| NodeError::listen("SIP over TCP", &listen, "sip.listen", source);
            let listener = TcpListener::bind(listen).await.map_err(failed)?;
            tcp.listen(listener, listen, &self.pulse);
        }
        let drain = self.drain.clone();
        let door = (tokens, drain);
        let web = web::serve(settings, &self.handle, metrics, door, &self.pulse).await?;
        (self.api, self.observe) = (web.api, web.observe);
        self.tasks.extend(web.tasks);
        Ok(())
    }

    /// Begins to follow the file of tokens, if there is one.
    fn follow_tokens(
        &mut self,
        settings: &NodeSettings,
        (tokens, complained): (Tokens, Option<TokensError>),
    ) -> tokio::sync::watch::Receiver<Tokens> {
        let (known, now_known) = tokio::sync::watch::channel(tokens);
        match &settings.tokens_file {
            Some(path) => {
                let followed = tokens::follow(path.clone(), known, self.counts.clone(), complained);
                self.keep("the file of tokens", followed);
            }
            None => tracing::warn!("api.tokensFile is not set: nobody is let in to REST"),
        }
        now_known
    }

    /// Begins to follow what the log says; of the prompts, from where they were loaded.
    fn follow_log(&mut self, metrics: &Arc<Metrics>, begun: LogIndex, loaded: (LogIndex, Loaded)) {
        let (handle, shards, media) =
            (self.handle.clone(), self.shards.clone(), self.media.clone());
        self.keep("what follows the log", follow::follow(handle, shards, media, loaded));
        let facts = web::follow_facts(self.handle.clone(), Arc::clone(metrics), begun);
        self.keep("what counts facts", facts);
        if self.handle.members().members.len() > 1 {
            self.keep("this life of the node", until_lost(self.handle.clone()));
        }
        let figures = count::follow(self.media.clone(), self.counts.clone());
        self.keep("what counts figures", figures);
    }

    /// Runs a part that is stopped with the node, and not before.
    fn keep(&mut self, what: &str, part: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(self.pulse.keep(what, part));
    }

    /// Waits until a part of the node has ended by itself, which none may; its name.
    pub async fn ended(&self) -> String {
        self.pulse.ended().await
    }

    /// Refuses new calls, ends what is left, and stops.
    pub async fn stop(self) {
        (self.drain.set)(true);
        self.end_calls().await;
        for task in &self.tasks {
            task.abort();
        }
        self.media.stop();
        self.cluster.stop().await;
    }

    /// Gives every call this node has to the others, or hangs it up if there are none, and waits a
    /// while until nobody is left on a phone.
    async fn end_calls(&self) {
        let owner = self.handle.identity().owner;
        if self.handle.view(|view| view.nodes()).iter().any(|(of, live)| *of != owner && *live) {
            // What cannot be proposed is found out by the others when this node is gone.
            let _ = propose(&self.handle, Command::LoseNode { owner }).await;
        } else {
            self.hang_up(owner).await;
        }
        let gone = async {
            while self.counts.legs() > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // A phone that does not answer its BYE is not waited for any longer.
        let _ = tokio::time::timeout(GOODBYE_WITHIN, gone).await;
    }

    async fn hang_up(&self, owner: Owner) {
        let by = Actor { role: Role::System, name: "shutdown".to_owned() };
        let legs = self.handle.view(|view| view.legs_of(owner));
        let calls: BTreeSet<CallId> = legs.iter().map(|leg| leg.leg.call).collect();
        for call in &calls {
            let command = Command::HangUpCall { call: *call, by: by.clone() };
            // What cannot be proposed is hung up by the next life of this node.
            let _ = self.handle.propose(entropy::request_id(), command).await;
        }
    }
}

async fn start_cluster(
    data: &Path,
    wanted: &Membership,
) -> Result<(Cluster, Handle, Batches), NodeError> {
    let alone = ClusterConfig {
        data: data.to_owned(),
        listen: None,
        advertise: None,
        bootstrap: Bootstrap::Alone,
        timing: Timing::default(),
        clock: cluster::Clock { wall: clock::wall, local: clock::local },
        entropy: entropy::fill,
    };
    let started = cluster::start(membership::take_part(alone, wanted)?);
    started.await.map_err(|source| NodeError::Data { path: data.to_owned(), source })
}

/// Waits until the others have gone on without this life of the node.
async fn until_lost(handle: Handle) {
    let own = handle.identity().owner;
    while handle.view(|view| view.nodes()).contains(&(own, true)) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until enough of the others are there, for as long as it takes.
async fn await_majority(handle: &Handle) {
    while handle.wait_quorum(TELL_EVERY).await.is_err() {
        tracing::warn!("waits for a majority of the nodes: start the others, or mend the network");
    }
}

async fn propose(handle: &Handle, command: Command) -> Result<(), NodeError> {
    for _ in 0..10 {
        if let Ok(applied) = handle.propose(entropy::request_id(), command.clone()).await {
            // Where another leads, this node's own copy comes to it a moment later.
            let seen = handle.wait_applied(applied.index).await;
            return seen.map(drop).map_err(|_| NodeError::NoQuorum);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(NodeError::NoQuorum)
}

/// What makes the node take no more calls, and take them again.
fn drain(shards: &Shards) -> Drain {
    let begun = Arc::new(AtomicBool::new(false));
    let (shards, known, turn) = (shards.clone(), Arc::clone(&begun), Mutex::new(()));
    let set = move |draining| {
        // One after another, so that the shards are told last what is shown.
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if known.swap(draining, Ordering::Relaxed) != draining {
            let takes = if draining { "no more calls" } else { "calls again" };
            tracing::info!("the node takes {takes}");
            shards.drain(draining);
        }
    };
    Drain { begun, set: Arc::new(set) }
}

fn start_media(
    settings: &NodeSettings,
    set: &Arc<PromptSet>,
    shards: &Shards,
    pulse: &Pulse,
) -> Result<MediaThreads, NodeError> {
    let ports = &settings.rtp_ports;
    let (shards, alive) = (shards.clone(), pulse.alive("a media thread"));
    let started = MediaThreads::start(ports, Arc::clone(set), move |report| {
        // Each thread has one of its own, and drops it when it panics.
        let _held = &alive;
        shards.report(report);
    });
    started.map_err(|source| NodeError::listen("RTP", &rtp::range(ports), "rtp.ports", source))
}

fn bind_udp(settings: &NodeSettings) -> Result<UdpSockets, NodeError> {
    let addresses: Vec<SocketAddr> = settings
        .sip_listen
        .iter()
        .filter(|listen| listen.transport == ListenTransport::Udp)
        .map(|listen| listen.address)
        .collect();
    UdpSockets::bind(&addresses).map_err(|(address, source)| {
        NodeError::listen("SIP over UDP", &address, "sip.listen", source)
    })
}

fn tcp_listens(settings: &NodeSettings) -> impl Iterator<Item = SocketAddr> {
    let tcp = |listen: &&crate::resource::Listen| listen.transport == ListenTransport::Tcp;
    settings.sip_listen.iter().filter(tcp).map(|listen| listen.address)
}

/// SIP's timers, with what is configured of the limits beside them.
fn timers(limits: SipLimits) -> Timers {
    let bytes = (limits.transaction_megabytes as usize) << 20;
    Timers {
        bytes_max: bytes / usize::from(SHARDS),
        retry_after_seconds: limits.retry_after_seconds,
        ..Timers::default()
    }
}
