//! Carillon as a user would run it: YAML in a folder, data on a disk with fsync, REST for agents.
//!
//! Always holds: agent `n` is called `a<n>`; all are logged in before the server counts as started.
//!
//! Not here: what the figures in `/metrics` mean (`observe`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::machine::Place;
use crate::machine::Program;
use crate::machine::free_port;
use crate::machine::until;
use crate::server::Server;
use crate::server::Staff;

/// A token may ask so often; so many of them bring ten thousand agents in within seconds.
const SUPERVISORS: u32 = 32;

/// Ten thousand agents are ten thousand entries of the log.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A running Carillon.
pub(crate) struct Carillon {
    program: Program,
    sip: u16,
    api: u16,
    metrics: u16,
}

impl Carillon {
    /// Starts it on an empty data folder and logs everybody in.
    pub(crate) fn start(place: &Place, staff: &Staff) -> Self {
        let (sip, api, metrics) = (free_port(), free_port(), free_port());
        let folder = place.disk.join("carillon");
        let _ = fs::remove_dir_all(&folder);
        let config = folder.join("config");
        fs::create_dir_all(&config).expect("a folder");
        let write = |name: PathBuf, text: String| fs::write(name, text).expect("written");
        write(folder.join("tokens.yaml"), tokens());
        write(config.join("settings.yaml"), settings(sip, api, metrics));
        write(config.join("agents.yaml"), agents(staff));

        let path = |end: &str| folder.join(end).to_string_lossy().into_owned();
        let arguments = ["serve", "--config", &path("config"), "--data", &path("data")];
        let carillon = env!("CARGO_BIN_EXE_carillon");
        let program = place.start("carillon", carillon, &arguments.map(str::to_owned));
        let mut server = Self { program, sip, api, metrics };
        server.wait_until_ready();
        server.each(staff.agents, "login");
        server
    }

    fn wait_until_ready(&mut self) {
        let url = format!("http://127.0.0.1:{}/readyz", self.metrics);
        let ready = until(START_LIMIT, || {
            assert!(self.program.is_alive(), "Carillon ended: {}", self.program.output());
            ureq::get(&url).call().ok()
        });
        assert!(ready.is_some(), "Carillon is not ready: {}", self.program.output());
    }

    /// Asks the same of every agent.
    fn each(&self, agents: u32, wish: &'static str) {
        let api = self.api;
        let supervisors = (0..SUPERVISORS.min(agents)).map(|number| {
            thread::spawn(move || {
                let client = client();
                for agent in (number..agents).step_by(SUPERVISORS as usize) {
                    let path = format!("/api/v1/agents/a{agent}/{wish}");
                    let url = format!("http://127.0.0.1:{api}{path}");
                    post(&client, &url, number);
                }
            })
        });
        for supervisor in supervisors.collect::<Vec<_>>() {
            supervisor.join().expect("every agent could be asked");
        }
    }

    /// Every figure of `/metrics`, by name and labels as they are written there.
    pub(crate) fn metrics(&self) -> BTreeMap<String, f64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.metrics);
        let answer = ureq::get(&url).call().and_then(|mut text| text.body_mut().read_to_string());
        let text = answer.unwrap_or_else(|error| panic!("/metrics: {error}"));
        let figures = text.lines().filter(|line| !line.starts_with('#'));
        let read = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        figures.filter_map(read).collect()
    }
}

impl Server for Carillon {
    fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    fn target(&self) -> String {
        format!("127.0.0.1:{}", self.sip)
    }

    fn waiting(&mut self) -> u32 {
        let url = format!("http://127.0.0.1:{}/api/v1/queues/queue", self.api);
        let answer = client().get(&url).header("Authorization", &bearer(0)).call();
        let read = answer.and_then(|mut answer| answer.body_mut().read_json::<Value>());
        let queue = read.unwrap_or_else(|error| panic!("{url}: {error}"));
        queue["waiting"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
    }

    fn free(&mut self, agents: u32) {
        self.each(agents, "ready");
    }
}

fn client() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    ureq::Agent::new_with_config(config)
}

/// Asks until it is done; whoever asks too often is told to wait.
fn post(client: &ureq::Agent, url: &str, supervisor: u32) {
    let done = until(Duration::from_secs(30), || {
        let order = client.post(url).header("Authorization", &bearer(supervisor));
        let answer = order.send_json(json!({})).expect("the REST interface answers");
        let status = answer.status().as_u16();
        assert!(matches!(status, 200 | 429 | 503), "{url}: {status}");
        (status == 200).then_some(())
    });
    assert!(done.is_some(), "{url}: not done");
}

fn bearer(supervisor: u32) -> String {
    format!("Bearer a-long-token-of-supervisor-{supervisor}")
}

fn tokens() -> String {
    let token = |n| {
        let secret = bearer(n).replace("Bearer ", "");
        format!("- {{name: supervisor-{n}, role: Administrator, token: {secret}}}\n")
    };
    let lines: String = (0..SUPERVISORS).map(token).collect();
    format!("tokens:\n{lines}")
}

fn settings(sip: u16, api: u16, metrics: u16) -> String {
    format!(
        r#"
kind: Settings
metadata: {{name: default}}
spec:
  sip: {{advertise: 127.0.0.1, listen: [{{transport: Udp, address: 127.0.0.1, port: {sip}}}]}}
  rtp: {{advertise: 127.0.0.1, ports: "32100-32103"}}
  api: {{listen: "127.0.0.1:{api}", tokensFile: ../tokens.yaml}}
  observe: {{listen: "127.0.0.1:{metrics}"}}
---
kind: Trunk
metadata: {{name: loopback}}
spec:
  peers: ["sip:127.0.0.1"]
  inbound: {{allowedSources: [127.0.0.0/8]}}
---
kind: Queue
metadata: {{name: queue}}
spec: {{ringSeconds: 15, wrapUpSeconds: 0, caller: {{music: music}}}}
"#
    )
}

fn agents(staff: &Staff) -> String {
    let mut text = String::new();
    for agent in 0..staff.agents {
        let _ = writeln!(
            text,
            "---\nkind: Agent\nmetadata: {{name: a{agent}}}\n\
             spec: {{queues: [queue], device: {{address: \"sip:a{agent}@127.0.0.1:{}\"}}}}",
            staff.phones
        );
    }
    text
}
