//! A node of a test as a program of its own: its folders, its ports, what it says, what it answers.
//!
//! Always holds: it listens on 127.0.0.1 only and is ended by its own process id when dropped.
//!
//! Not here: what a test asks of it.

use std::fs;
use std::hash::BuildHasher;
use std::io::BufRead;
use std::io::BufReader;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use crate::program::carillon;
use crate::wait::until;

/// Longer than anything here may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const OLD: &str = "the-old-token-0000";
pub(crate) const NEW: &str = "the-new-token-0000";

/// A folder of its own and free ports.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) sip: u16,
    pub(crate) rtp: u16,
    pub(crate) api: u16,
    pub(crate) observe: u16,
}

/// A port below those the kernel gives out by itself, so that it stays free between two starts.
fn free_port() -> u16 {
    until("a free port", PATIENCE, || {
        let drawn = std::collections::hash_map::RandomState::new().hash_one(0) % 10_000;
        let port = 10_000 + drawn as u16;
        TcpListener::bind(("127.0.0.1", port)).ok()?;
        UdpSocket::bind(("127.0.0.1", port)).ok()?;
        Some(port)
    })
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("it works on this machine");
        let [sip, rtp, api, observe] = [(); 4].map(|()| free_port());
        let place = Self { folder, sip, rtp, api, observe };
        fs::create_dir(place.path("config")).expect("it works on this machine");
        place.write_settings("tokens.yaml");
        place.write_tokens(OLD);
        place
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write_settings(&self, tokens: &str) {
        let Self { sip, rtp, api, observe, .. } = self;
        let settings = format!(
            "kind: Settings\nmetadata: {{name: default}}\nspec:\n  sip: {{listen: [{{transport: \
             Udp, address: 127.0.0.1, port: {sip}}}, {{transport: Tcp, address: 127.0.0.1, port: \
             {sip}}}]}}\n  rtp: {{ports: \"{rtp}\"}}\n  api: {{listen: \"127.0.0.1:{api}\", \
             tokensFile: ../{tokens}}}\n  observe: {{listen: \"127.0.0.1:{observe}\"}}\n"
        );
        fs::write(self.path("config/settings.yaml"), settings).expect("it works on this machine");
    }

    pub(crate) fn write_tokens(&self, token: &str) {
        let text = format!("tokens:\n- {{name: ops, role: Administrator, token: {token}}}\n");
        self.replace("tokens.yaml", text);
    }

    /// Writes as an editor does it: another file takes the place of the one that was there.
    pub(crate) fn replace(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path("written"), text).expect("it works on this machine");
        fs::rename(self.path("written"), self.path(name)).expect("it works on this machine");
    }

    /// The same in the folder of the configuration.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        self.replace(&format!("config/{name}"), text);
    }

    fn arguments(&self, data: &Path) -> Vec<String> {
        let words = |path: &Path| path.to_string_lossy().into_owned();
        let config = words(&self.path("config"));
        ["serve", "--config", &config, "--data", &words(data)].map(str::to_owned).to_vec()
    }

    /// What is said by a node that does not start.
    pub(crate) fn fail(&self) -> String {
        let arguments = self.arguments(&self.path("data"));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = carillon(&arguments);
        assert_eq!(said.status, Some(1), "{}", said.err);
        said.err
    }

    pub(crate) fn start(&self) -> Running {
        let mut process = Command::new(env!("CARGO_BIN_EXE_carillon"))
            .args(self.arguments(&self.path("data")))
            .stderr(Stdio::piped())
            .spawn()
            .expect("it works on this machine");
        let (said, lines) = mpsc::channel();
        let stderr = BufReader::new(process.stderr.take().expect("it works on this machine"));
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).all(|line| said.send(line).is_ok())
        });
        Running { process, lines }
    }

    /// How often the configuration was rejected.
    pub(crate) fn rejected(&self) -> String {
        let metrics = self.ask(self.observe, "", "GET", "/metrics").1;
        let counted = metrics.lines().find_map(|line| {
            line.strip_prefix("carillon_config_rejected_total ").map(str::to_owned)
        });
        counted.expect("it is counted from the start")
    }

    /// The status and text of a question to REST or to the port of metrics.
    pub(crate) fn ask(&self, port: u16, token: &str, method: &str, path: &str) -> (u16, String) {
        self.send(port, token, method, path, "")
    }

    /// The same with a body of JSON.
    pub(crate) fn send(
        &self,
        port: u16,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> (u16, String) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{port}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body.to_owned())
            .expect("it works on this machine");
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.run(request).expect("it works on this machine");
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().expect("it works on this machine"),
        )
    }
}

/// A node, ended by its process id.
pub(crate) struct Running {
    pub(crate) process: Child,
    pub(crate) lines: mpsc::Receiver<String>,
}

impl Running {
    /// Waits for a log line with these words.
    pub(crate) fn says(&self, words: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => before.push(line),
                Err(_) => panic!("it does not say {words}, but {before:#?}"),
            }
        }
    }
}

impl Running {
    /// Nothing is said for a while.
    pub(crate) fn is_silent(&self, span: Duration) {
        if let Ok(line) = self.lines.recv_timeout(span) {
            panic!("it says {line}");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
