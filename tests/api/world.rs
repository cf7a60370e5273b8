//! A node with two queues, two agents and a token for every role, asked without a socket.
//!
//! Not here: any assertion about Carillon.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::Request;
use axum::http::StatusCode;
use carillon::acd::command::Arrival;
use carillon::acd::command::Caller;
use carillon::acd::command::Command;
use carillon::acd::command::Dialog;
use carillon::acd::command::Outcome;
use carillon::acd::command::Role;
use carillon::acd::config::Address;
use carillon::acd::config::Source;
use carillon::api;
use carillon::api::Drain;
use carillon::api::Setup;
use carillon::api::Tokens;
use carillon::base::id::CallId;
use carillon::base::id::NodeId;
use carillon::base::id::RequestId;
use carillon::base::rate::Rate;
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
use carillon::cluster::identity::ClusterId;
use carillon::cluster::membership::Bootstrap;
use carillon::resource;
use carillon::resource::File;
use carillon::resource::Outside;
use carillon::resource::TokenConfig;
use carillon::resource::TokenSecret;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

pub(crate) const VIEWER: &str = "viewer-token-0000";
pub(crate) const AGENT: &str = "agent-token-00000";
pub(crate) const OTHER: &str = "other-token-00000";
pub(crate) const SUPERVISOR: &str = "supervisor-token-0";
pub(crate) const STRANGER: &str = "stranger-token-000";
pub(crate) const ADMIN: &str = "admin-token-00000";

/// Longer than anything here may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const CONFIGURATION: &str = "
kind: Queue
metadata: {name: queue1}
spec: {overflow: {noAgents: {wait: {}}}}
---
kind: Queue
metadata: {name: queue2}
---
kind: Agent
metadata: {name: \"2771\"}
spec:
  queues: [queue1, queue2]
  pin: \"1234\"
  device: {address: \"sip:2771@192.0.2.7\"}
  team: north
---
kind: Agent
metadata: {name: \"2772\"}
spec: {queues: [queue2], team: south}
---
kind: Trunk
metadata: {name: pbx}
spec:
  peers: [\"sip:pbx.example\"]
  auth: {username: acd, password: not-on-paper}
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

fn draw() -> u128 {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    u128::from_be_bytes(bytes)
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
        &["music", "welcome"]
    }
}

/// A running node and its REST interface.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) handle: Handle,
    pub(crate) let_in: watch::Sender<Tokens>,
    _cluster: Cluster,
    _batches: Batches,
    _data: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The published name of the problem.
    pub(crate) fn problem(&self) -> String {
        let kind = &self.headers["content-type"];
        assert_eq!(kind, "application/problem+json", "{}", self.text);
        let name = self.json()["type"].as_str().unwrap().to_owned();
        name.strip_prefix("/problems/").unwrap().to_owned()
    }

    pub(crate) fn index(&self) -> u64 {
        self.headers["carillon-index"].to_str().unwrap().parse().unwrap()
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }

    /// Begun, and settled later.
    #[track_caller]
    pub(crate) fn accepted(self) -> Value {
        assert_eq!(self.status, StatusCode::ACCEPTED, "{}", self.text);
        self.json()
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, problem: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.problem(), problem);
        self.json()
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(wall, Rate { per_second: 1_000_000, burst: 1_000_000 }).await
    }

    pub(crate) async fn with(wall: fn() -> ClusterTime, rate: Rate) -> Self {
        let world = Self::begin(wall, rate, Bootstrap::Alone).await;
        world.configure().await;
        world
    }

    async fn begin(wall: fn() -> ClusterTime, rate: Rate, bootstrap: Bootstrap) -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = ClusterConfig {
            data: data.path().join("data"),
            listen: None,
            advertise: None,
            bootstrap,
            timing: Timing::default(),
            clock: Clock { wall, local },
            entropy: fill,
        };
        let (cluster, handle, batches) = cluster::start(config).await.unwrap();
        let let_in = watch::Sender::new(Tokens::new(&tokens()));
        let begun = Arc::new(AtomicBool::new(false));
        let beginning = Arc::clone(&begun);
        let set = Arc::new(move |draining| beginning.store(draining, Ordering::Relaxed));
        let drain = Drain { begun, set };
        let router = api::router(Setup {
            handle: handle.clone(),
            tokens: let_in.subscribe(),
            rate,
            built_in_prompts: vec!["music", "welcome"],
            clock: local,
            entropy: draw,
            drain,
        });
        Self { router, handle, let_in, _cluster: cluster, _batches: batches, _data: data }
    }

    /// One node of three whose peers are not there.
    pub(crate) async fn minority() -> Self {
        let member = |node: u64| (NodeId(node), format!("127.0.0.1:{node}"));
        let members = [member(1), member(2), member(3)].into_iter().collect();
        let bootstrap = Bootstrap::Together { cluster: ClusterId(7), node: NodeId(1), members };
        Self::begin(wall, api::USUAL_RATE, bootstrap).await
    }

    async fn configure(&self) {
        let file = File { name: "acd.yaml", text: CONFIGURATION };
        let read = resource::read(&[file], &NoFiles).unwrap();
        self.done(Command::StartNode { owner: self.handle.identity().owner }).await;
        for prompt in read.prompts {
            let prompt = Box::new(prompt);
            self.done(Command::PutPrompt { prompt, source: Source::Folder }).await;
        }
        for queue in read.queues {
            let queue = Box::new(queue);
            self.done(Command::PutQueue { queue, source: Source::Folder }).await;
        }
        for agent in read.agents {
            let agent = Box::new(agent);
            self.done(Command::PutAgent { agent, source: Source::Folder }).await;
        }
        for trunk in read.trunks {
            let trunk = Box::new(trunk);
            self.done(Command::PutTrunk { trunk, source: Source::Folder }).await;
        }
    }

    /// Has the core do something, as SIP would.
    pub(crate) async fn done(&self, command: Command) {
        let applied = self.handle.propose(RequestId(draw()), command).await.unwrap();
        assert_eq!(applied.outcome, Outcome::Done);
        self.handle.wait_applied(applied.index).await.unwrap();
    }

    /// A caller arrives.
    pub(crate) async fn call(&self, number: u64, queue: &str) -> String {
        let call = CallId(number);
        let caller = Caller {
            sip_call_id: format!("{number}@192.168.0.3"),
            from: Private::new("gateway@192.168.0.3".to_owned()),
            to: format!("{queue}@192.168.0.3:5071"),
            number: Private::new(Some("+49221555".to_owned())),
            name: Private::new(None),
        };
        let arrival = Arrival {
            call,
            owner: self.handle.identity().owner,
            to: Address { user: queue.to_owned(), host: None },
            caller: Arc::new(caller),
            priority: None,
            dialog: Dialog::from(Vec::new()),
        };
        self.done(Command::EnqueueCall(Box::new(arrival))).await;
        call.to_string()
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Reply {
        self.send(token, "GET", path, &[], None).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Reply {
        self.send(token, "POST", path, &[], Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, token: &str, path: &str, body: Value) -> Reply {
        self.send(token, "PUT", path, &[], Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Reply {
        self.send(token, "DELETE", path, &[], None).await
    }

    pub(crate) async fn send(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).unwrap();
        self.ask(request).await
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, text }
    }
}

pub(crate) fn tokens() -> Vec<TokenConfig> {
    let token = |name: &str, role: Role, teams: &[&str], token: &str| TokenConfig {
        name: name.to_owned(),
        role,
        teams: teams.iter().map(|team| (*team).to_owned()).collect(),
        secret: TokenSecret::Plain(Private::new(token.to_owned())),
    };
    vec![
        token("wallboard", Role::Viewer, &[], VIEWER),
        token("2771", Role::Agent, &[], AGENT),
        token("2772", Role::Agent, &[], OTHER),
        token("lead", Role::Supervisor, &["north"], SUPERVISOR),
        token("guest", Role::Supervisor, &["west"], STRANGER),
        token("ops", Role::Administrator, &[], ADMIN),
    ]
}
