//! A node with a queue, an agent and its three pages, asked without a socket.
//!
//! Not here: any assertion about Carillon.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use carillon::acd::command::Actor;
use carillon::acd::command::Arrival;
use carillon::acd::command::Caller;
use carillon::acd::command::Command;
use carillon::acd::command::Dialog;
use carillon::acd::command::LogIn;
use carillon::acd::command::LoginKind;
use carillon::acd::command::Outcome;
use carillon::acd::command::Role;
use carillon::acd::config::Address;
use carillon::acd::config::Source;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::LegId;
use carillon::base::id::LogIndex;
use carillon::base::id::RequestId;
use carillon::base::secret::Private;
use carillon::base::time::ClusterTime;
use carillon::base::time::LocalTime;
use carillon::cluster;
use carillon::cluster::Batches;
use carillon::cluster::Clock;
use carillon::cluster::Cluster;
use carillon::cluster::ClusterConfig;
use carillon::cluster::Timing;
use carillon::cluster::handle::Handle;
use carillon::cluster::membership::Bootstrap;
use carillon::observe::health;
use carillon::observe::health::Observed;
use carillon::observe::metrics::Metrics;
use carillon::resource;
use carillon::resource::File;
use carillon::resource::Outside;
use tower::ServiceExt;

/// The caller's number, which must not be seen anywhere.
pub(crate) const NUMBER: &str = "+49221555";

const CONFIGURATION: &str = "
kind: Queue
metadata: {name: sales}
---
kind: Agent
metadata: {name: \"2771\"}
spec: {queues: [sales], device: {address: \"sip:2771@192.0.2.7\"}}
";

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn wall() -> ClusterTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    ClusterTime(u64::try_from(since.as_millis()).unwrap())
}

fn local() -> LocalTime {
    LocalTime(u64::try_from(START.elapsed().as_micros()).unwrap() + 1)
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).unwrap();
}

struct NoFiles;

impl Outside for NoFiles {
    fn read_secret(&self, _path: &str) -> Result<String, String> {
        Err("no files here".to_owned())
    }

    fn check_audio(&self, _path: &str) -> Result<(), String> {
        Err("no files here".to_owned())
    }

    fn built_in_prompts(&self) -> &[&str] {
        &["music"]
    }
}

/// A running node.
pub(crate) struct World {
    pub(crate) handle: Handle,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) draining: Arc<AtomicBool>,
    pub(crate) ended: tokio::sync::watch::Sender<Option<String>>,
    router: Router,
    _cluster: Cluster,
    _batches: Batches,
    _data: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = ClusterConfig {
            data: data.path().join("data"),
            listen: None,
            advertise: None,
            bootstrap: Bootstrap::Alone,
            timing: Timing::default(),
            clock: Clock { wall, local },
            entropy: fill,
        };
        let (cluster, handle, batches) = cluster::start(config).await.unwrap();
        let metrics = Arc::new(Metrics::new().unwrap());
        let draining = Arc::new(AtomicBool::new(false));
        let ended = tokio::sync::watch::Sender::new(None);
        let router = health::router(Observed {
            ended: ended.subscribe(),
            handle: handle.clone(),
            metrics: Arc::clone(&metrics),
            draining: Arc::clone(&draining),
        });
        let (_cluster, _batches, _data) = (cluster, batches, data);
        let world = Self { handle, metrics, draining, ended, router, _cluster, _batches, _data };
        world.configure().await;
        world
    }

    async fn configure(&self) {
        let file = File { name: "acd.yaml", text: CONFIGURATION };
        let mut read = resource::read(&[file], &NoFiles).unwrap();
        let owner = self.handle.identity().owner;
        self.done(Command::StartNode { owner }).await;
        let queue = Box::new(read.queues.remove(0));
        self.done(Command::PutQueue { queue, source: Source::Folder }).await;
        let agent = Box::new(read.agents.remove(0));
        self.done(Command::PutAgent { agent, source: Source::Folder }).await;
        let agent = AgentId::new("2771");
        let by = Actor { role: Role::Administrator, name: "ops".to_owned() };
        let kind = LoginKind::Callback;
        let login = LogIn { agent: agent.clone(), pin: None, device: None, kind, by: by.clone() };
        self.done(Command::LogIn(Box::new(login))).await;
        self.done(Command::SetReady { agent, by }).await;
    }

    /// A caller arrives and an agent's phone rings.
    pub(crate) async fn call(&self) {
        let arrival = Arrival {
            call: CallId(1),
            owner: self.handle.identity().owner,
            to: Address { user: "sales".to_owned(), host: None },
            caller: Arc::new(Caller {
                sip_call_id: "1@192.0.2.9".to_owned(),
                from: Private::new(format!("{NUMBER}@192.0.2.9")),
                to: "sales@192.0.2.1".to_owned(),
                number: Private::new(Some(NUMBER.to_owned())),
                name: Private::new(Some("Secret Caller".to_owned())),
            }),
            priority: None,
            dialog: Dialog::from(Vec::new()),
        };
        self.done(Command::EnqueueCall(Box::new(arrival))).await;
    }

    /// The agent's phone answers the call.
    pub(crate) async fn answer(&self) {
        let leg = LegId { call: CallId(1), nth: 1 };
        self.done(Command::AnswerReservation { leg, dialog: Dialog::from(Vec::new()) }).await;
    }

    pub(crate) async fn done(&self, command: Command) {
        let mut id = [0; 16];
        fill(&mut id);
        let request = RequestId(u128::from_be_bytes(id));
        let applied = self.handle.propose(request, command).await.unwrap();
        assert_eq!(applied.outcome, Outcome::Done);
        self.handle.wait_applied(applied.index).await.unwrap();
    }

    /// Everything that happened so far.
    pub(crate) async fn facts(&self) -> Vec<(LogIndex, carillon::acd::fact::Fact)> {
        use futures_util::StreamExt;
        let last = self.handle.applied();
        let mut happenings = self.handle.happenings_after(LogIndex(0)).unwrap();
        let mut facts = Vec::new();
        while let Some(happening) = happenings.next().await {
            let index = happening.index;
            facts.extend(happening.facts.iter().cloned().map(|fact| (index, fact)));
            if index == last {
                break;
            }
        }
        facts
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 16 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }
}
