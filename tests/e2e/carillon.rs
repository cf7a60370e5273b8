//! A Carillon process of a test: its folder, its ports, its REST interface and its metrics.
//!
//! Always holds: it listens on 127.0.0.1 only and is ended by its own process id when dropped.
//!
//! Not here: what a test asks of it.

use std::fs;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::LazyLock;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use crate::wait::until;

/// The token of the tests' supervisor-of-everything.
pub(crate) const TOKEN: &str = "an-administrator-of-the-tests";

/// Everything on the loopback interface; the words in capitals become ports.
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
  api: {listen: "127.0.0.1:API", tokensFile: ../tokens.yaml}
  observe: {listen: "127.0.0.1:OBSERVE"}
---
kind: Trunk
metadata: {name: loopback}
spec:
  peers: ["sip:127.0.0.1"]
  inbound: INBOUND
"#;

/// Whom the trunk lets in unless a test says otherwise.
const EVERYBODY: &str = "{allowedSources: [127.0.0.0/8]}";

/// A running node and where to reach it.
pub(crate) struct Carillon {
    pub(crate) sip: u16,
    pub(crate) api: u16,
    pub(crate) metrics: u16,
    folder: tempfile::TempDir,
    /// What it is told of other nodes.
    group: Vec<String>,
    process: Option<Child>,
}

impl Carillon {
    /// Starts a node with these queues and agents, and waits until it is ready.
    pub(crate) fn start(resources: &str) -> Self {
        Self::start_behind(EVERYBODY, resources)
    }

    /// Starts the nodes of a group, each on the same resources, and waits until all are ready.
    pub(crate) fn start_group(nodes: u16, resources: &str) -> Vec<Self> {
        let members: Vec<u16> = (0..nodes).map(|_| free_port()).collect();
        let names: Vec<String> =
            (1..).zip(&members).map(|(nth, port)| format!("{nth}=127.0.0.1:{port}")).collect();
        let mut group: Vec<Self> =
            members.iter().map(|_| Self::prepare(EVERYBODY, resources)).collect();
        for (nth, (node, port)) in (1..).zip(group.iter_mut().zip(&members)) {
            let key = node.folder.path().join("cluster.key");
            fs::write(&key, "a secret of the tests, of enough characters").expect("written");
            let key = key.to_string_lossy().into_owned();
            node.group = vec!["--node".to_owned(), format!("{nth}")];
            node.group.extend(["--members".to_owned(), names.join(",")]);
            node.group.extend(["--cluster-key".to_owned(), key]);
            node.group.extend(["--cluster-listen".to_owned(), format!("127.0.0.1:{port}")]);
            node.spawn();
        }
        group.iter_mut().for_each(Self::wait_until_ready);
        group
    }

    /// The same with a trunk that lets in whom `inbound` says.
    pub(crate) fn start_behind(inbound: &str, resources: &str) -> Self {
        let mut node = Self::prepare(inbound, resources);
        node.launch();
        node
    }

    /// The folders of a node that does not run yet.
    fn prepare(inbound: &str, resources: &str) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let node = Self {
            sip: free_port(),
            api: free_port(),
            metrics: free_port(),
            folder,
            group: Vec::new(),
            process: None,
        };
        let rtp = free_rtp_ports();
        let settings = SETTINGS
            .replace("SIP", &node.sip.to_string())
            .replace("RTP", &format!("{rtp}-{}", rtp + 3))
            .replace("API", &node.api.to_string())
            .replace("OBSERVE", &node.metrics.to_string())
            .replace("INBOUND", inbound);
        fs::create_dir(node.config()).expect("a folder");
        node.write("settings.yaml", &settings);
        node.write("centre.yaml", resources);
        let tokens = format!("tokens:\n- {{name: tests, role: Administrator, token: {TOKEN}}}\n");
        fs::write(node.folder.path().join("tokens.yaml"), tokens).expect("written");
        node
    }

    /// Where the process keeps its configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// Writes a file of the configuration in one step, as editors do.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let hidden = self.folder.path().join("being-written");
        fs::write(&hidden, text).expect("written");
        fs::rename(hidden, self.config().join(name)).expect("renamed");
    }

    /// Starts the process on the folder as it is, and waits until it says that it is ready.
    pub(crate) fn launch(&mut self) {
        self.spawn();
        self.wait_until_ready();
    }

    fn spawn(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .expect("a log file");
        let process = Command::new(env!("CARGO_BIN_EXE_carillon"))
            .arg("serve")
            .arg("--config")
            .arg(self.config())
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .args(&self.group)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.process = Some(process);
    }

    fn wait_until_ready(&mut self) {
        let ready = format!("http://127.0.0.1:{}/readyz", self.metrics);
        until("the node is ready", Duration::from_secs(30), || {
            let ended = self.process.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "the node ended: {}", self.log());
            ureq::get(&ready).call().ok()
        });
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Tells the process to stop, as Kubernetes and systemd do.
    pub(crate) fn tell_to_stop(&self) {
        self.signal("-TERM");
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let Some(process) = &self.process else { return };
        let told = Command::new("kill").args([signal, &process.id().to_string()]).status();
        assert!(told.is_ok_and(|told| told.success()), "the signal is sent");
    }

    /// Waits until the process has ended; whether it says that all was well.
    pub(crate) fn ended(&mut self) -> bool {
        let mut process = self.process.take().expect("it runs");
        let ended = until("the node ends", Duration::from_secs(20), || {
            process.try_wait().expect("a child of ours")
        });
        ended.success()
    }

    /// The same, and waits until it has stopped.
    pub(crate) fn terminate(&mut self) {
        self.tell_to_stop();
        assert!(self.ended(), "{}", self.log());
    }

    /// What the process has written.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// How much memory the process has, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let process = self.process.as_ref().expect("it runs").id();
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).expect("a number of KiB")
    }

    /// A folder for the files of a test.
    pub(crate) fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// Reads a resource of the REST interface that is there.
    pub(crate) fn read(&self, path: &str) -> Value {
        self.look(path).unwrap_or_else(|| panic!("GET {path} finds nothing"))
    }

    /// Reads a resource that may not be there yet.
    fn look(&self, path: &str) -> Option<Value> {
        let url = format!("http://127.0.0.1:{}{path}", self.api);
        until("REST has time for the tests' token", Duration::from_secs(20), || {
            let answer = ureq::get(&url).header("Authorization", &format!("Bearer {TOKEN}")).call();
            match answer {
                Ok(mut answer) => Some(Some(answer.body_mut().read_json().expect("JSON"))),
                Err(ureq::Error::StatusCode(404)) => Some(None),
                Err(ureq::Error::StatusCode(429)) => None,
                Err(error) => panic!("GET {path}: {error}"),
            }
        })
    }

    /// Asks for something; the status and the answer.
    pub(crate) fn ask(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, body)
    }

    /// The same with another method.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder().http_status_as_error(false).build(),
        );
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}{path}", self.api))
            .header("Authorization", format!("Bearer {TOKEN}"))
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .expect("a request");
        let mut answer = agent
            .run(request)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}\n{}", self.log()));
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json().unwrap_or(Value::Null))
    }

    /// Makes an agent of `sales` whose phone listens on this port.
    pub(crate) fn write_agent(&self, agent: &str, phone: u16) {
        self.write(
            "agents.yaml",
            &format!(
                "kind: Agent\nmetadata: {{name: \"{agent}\"}}\nspec: {{queues: [sales], device: \
                 {{address: \"sip:{agent}@127.0.0.1:{phone}\"}}}}\n"
            ),
        );
    }

    /// The same, and logs it in.
    pub(crate) fn hire(&self, agent: &str, phone: u16) {
        self.write_agent(agent, phone);
        self.wait_for_agent(agent, "LoggedOut");
        self.wish(agent, "login");
    }

    /// Logs an agent in and makes it ready.
    pub(crate) fn put_to_work(&self, agent: &str) {
        self.wish(agent, "login");
        self.wish(agent, "ready");
    }

    /// Asks something of an agent that must be done.
    pub(crate) fn wish(&self, agent: &str, wish: &str) {
        let path = format!("/api/v1/agents/{agent}/{wish}");
        let (status, answer) = self.ask(&path, &serde_json::json!({}));
        assert_eq!(status, 200, "{wish}: {answer}");
    }

    /// Has the first call of a queue ended.
    pub(crate) fn hang_up(&self, queue: &str) {
        let calls = self.read(&format!("/api/v1/queues/{queue}/calls"));
        let call = calls["items"][0]["id"].as_str().expect("a call");
        let path = format!("/api/v1/calls/{call}/hang-up");
        let (status, answer) = self.ask(&path, &serde_json::json!({}));
        assert_eq!(status, 200, "{answer}");
    }

    /// The page of metrics.
    pub(crate) fn metrics_page(&self) -> String {
        let url = format!("http://127.0.0.1:{}/metrics", self.metrics);
        ureq::get(&url)
            .call()
            .and_then(|mut answer| answer.body_mut().read_to_string())
            .unwrap_or_else(|error| panic!("metrics: {error}"))
    }

    /// The value of a metric with these labels in it; the sum where there are several.
    pub(crate) fn metric(&self, name: &str, labels: &str) -> f64 {
        self.metrics_page()
            .lines()
            .filter(|line| {
                let family = line.split(['{', ' ']).next().unwrap_or_default();
                family == name && line.contains(labels)
            })
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Waits until a figure of a queue has this value.
    pub(crate) fn wait_for_queue(&self, queue: &str, figure: &str, value: u64) {
        let path = format!("/api/v1/queues/{queue}");
        until(&format!("{queue}: {figure} is {value}"), Duration::from_secs(40), || {
            let now = self.look(&path)?;
            (now.pointer(figure).and_then(Value::as_u64) == Some(value)).then_some(())
        });
    }

    /// Waits until an agent is in this state.
    pub(crate) fn wait_for_agent(&self, agent: &str, state: &str) -> Value {
        let path = format!("/api/v1/agents/{agent}");
        until(&format!("{agent} is {state}"), Duration::from_secs(40), || {
            let now = self.look(&path)?;
            (now["state"] == state).then_some(now)
        })
    }
}

impl Drop for Carillon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the node's log\n{}", self.log());
        }
    }
}

/// A port that is free for UDP and TCP now: no other test of this process is given it, nor does the
/// kernel give it out by itself.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    static FIRST: LazyLock<u16> = LazyLock::new(|| (RandomState::new().hash_one(0) % 9_000) as u16);
    until("a free port", Duration::from_secs(5), || {
        let nth = FIRST.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % 9_000;
        let port = 10_000 + nth;
        UdpSocket::bind(("127.0.0.1", port)).ok()?;
        TcpListener::bind(("127.0.0.1", port)).ok()?;
        Some(port)
    })
}

/// The first of four free ports in a row, below those the kernel gives out by itself.
pub(crate) fn free_rtp_ports() -> u16 {
    until("four free ports", Duration::from_secs(5), || {
        let drawn = RandomState::new().hash_one(0) % 2_500;
        let first = 20_000 + drawn as u16 * 4;
        let sockets: Result<Vec<_>, _> =
            (first..first + 4).map(|port| UdpSocket::bind(("0.0.0.0", port))).collect();
        sockets.ok().map(|_| first)
    })
}
