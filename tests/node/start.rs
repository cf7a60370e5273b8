//! `carillon serve`: what it says when it cannot start, what it says when it has, and what it takes
//! up while it runs.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use notify::EventKind;
use notify::RecursiveMode;
use notify::Watcher;
use notify::event::AccessKind;

use crate::program::carillon;

/// Longer than anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const OLD: &str = "the-old-token-0000";
const NEW: &str = "the-new-token-0000";

/// A folder of its own and free ports.
struct Place {
    folder: tempfile::TempDir,
    sip: u16,
    rtp: u16,
    api: u16,
    observe: u16,
}

fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("it works on this machine");
        let port = tcp.local_addr().expect("it works on this machine").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("it works on this machine");
        let [sip, rtp, api, observe] = [(); 4].map(|()| free_port());
        let place = Self { folder, sip, rtp, api, observe };
        fs::create_dir(place.path("config")).expect("it works on this machine");
        place.write_settings("tokens.yaml");
        place.write_tokens(OLD);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_settings(&self, tokens: &str) {
        let Self { sip, rtp, api, observe, .. } = self;
        let settings = format!(
            "kind: Settings\nmetadata: {{name: default}}\nspec:\n  sip: {{listen: [{{transport: \
             Udp, address: 127.0.0.1, port: {sip}}}, {{transport: Tcp, address: 127.0.0.1, port: \
             {sip}}}]}}\n  rtp: {{ports: \"{rtp}\"}}\n  api: {{listen: \"127.0.0.1:{api}\", \
             tokensFile: ../{tokens}}}\n  observe: {{listen: \"127.0.0.1:{observe}\"}}\n"
        );
        fs::write(self.path("config/settings.yaml"), settings).expect("it works on this machine");
    }

    fn write_tokens(&self, token: &str) {
        let text = format!("tokens:\n- {{name: ops, role: Administrator, token: {token}}}\n");
        self.replace("tokens.yaml", &text);
    }

    /// Writes as an editor does it: another file takes the place of the one that was there.
    fn replace(&self, name: &str, text: &str) {
        fs::write(self.path("written"), text).expect("it works on this machine");
        fs::rename(self.path("written"), self.path(name)).expect("it works on this machine");
    }

    fn arguments(&self, data: &Path) -> Vec<String> {
        let words = |path: &Path| path.to_string_lossy().into_owned();
        let config = words(&self.path("config"));
        ["serve", "--config", &config, "--data", &words(data)].map(str::to_owned).to_vec()
    }

    /// What is said by a node that does not start.
    fn fail(&self) -> String {
        let arguments = self.arguments(&self.path("data"));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = carillon(&arguments);
        assert_eq!(said.status, Some(1), "{}", said.err);
        said.err
    }

    fn start(&self) -> Running {
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

    /// The status and text of a question to REST or to the port of metrics.
    fn ask(&self, port: u16, token: &str, method: &str, path: &str) -> (u16, String) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{port}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(())
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
struct Running {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// Waits for a log line with these words.
    fn says(&self, words: &str) -> String {
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

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_port_in_use_is_named_with_its_field() {
    let place = Place::new();
    let cases = [
        (place.sip, "SIP over UDP", "sip.listen", true),
        (place.sip, "SIP over TCP", "sip.listen", false),
        (place.rtp, "RTP", "rtp.ports", true),
        (place.api, "REST", "api.listen", false),
        (place.observe, "metrics and health", "observe.listen", false),
    ];
    for (port, what, field, is_udp) in cases {
        let _taken: Box<dyn std::any::Any> = if is_udp {
            Box::new(UdpSocket::bind(("127.0.0.1", port)).expect("it works on this machine"))
        } else {
            Box::new(TcpListener::bind(("127.0.0.1", port)).expect("it works on this machine"))
        };
        let said = place.fail();
        assert!(said.contains(&format!("cannot listen for {what} on ")), "{said}");
        assert!(said.contains(&port.to_string()), "{said}");
        assert!(said.contains(&format!("write another in Settings.spec.{field}")), "{said}");
    }
}

#[test]
fn what_is_wrong_with_a_folder_or_file_names_it() {
    let place = Place::new();
    fs::remove_file(place.path("tokens.yaml")).expect("it works on this machine");
    let said = place.fail();
    assert!(said.contains("tokens.yaml: ") && said.contains("api.tokensFile"), "{said}");

    let elsewhere = Place::new();
    fs::write(elsewhere.path("data"), "a file in the folder's place")
        .expect("it works on this machine");
    let said = elsewhere.fail();
    let data = elsewhere.path("data").to_string_lossy().into_owned();
    assert!(said.contains(&data) && said.contains("--data"), "{said}");
}

#[test]
fn a_folder_of_another_process_is_named() {
    let place = Place::new();
    let first = place.start();
    first.says("carillon is ready for calls");
    let said = place.fail();
    assert!(said.contains("in use by another process") && said.contains("--data"), "{said}");
    assert!(said.contains(&*place.path("data").to_string_lossy()), "{said}");
}

#[test]
fn a_running_node_tells_its_ports_and_takes_up_what_it_can() {
    let place = Place::new();
    let node = place.start();
    let ready = node.says("carillon is ready for calls");
    for port in [place.sip, place.rtp, place.api, place.observe] {
        assert!(ready.contains(&port.to_string()), "{port}: {ready}");
    }
    assert_eq!(place.ask(place.api, OLD, "GET", "/api/v1/queues").0, 200);

    fs::write(place.path("tokens.yaml"), "tokens: nobody\n").expect("it works on this machine");
    node.says("the file of tokens is not used");
    assert_eq!(place.ask(place.api, OLD, "GET", "/api/v1/queues").0, 200);
    place.write_tokens(NEW);
    node.says("the file of tokens has changed");
    assert_eq!(place.ask(place.api, OLD, "GET", "/api/v1/queues").0, 401);
    assert_eq!(place.ask(place.api, NEW, "GET", "/api/v1/queues").0, 200);

    place.write_settings("others.yaml");
    let said = node.says("only after a restart");
    assert!(said.contains("api.tokensFile") && !said.contains("sip.listen"), "{said}");
    let metrics = place.ask(place.observe, NEW, "GET", "/metrics").1;
    assert!(metrics.contains("carillon_config_restart_needed 1"), "{metrics}");
    assert!(metrics.contains("carillon_config_rejected_total 1"), "{metrics}");
    place.write_settings("tokens.yaml");
    node.says("again as this node was started with");

    assert_eq!(place.ask(place.observe, "", "GET", "/readyz").0, 200);
    let drained = place.ask(place.api, NEW, "POST", "/api/v1/cluster/drain");
    assert!(drained.0 == 200 && drained.1.contains("\"draining\":true"), "{drained:?}");
    let (status, text) = place.ask(place.observe, "", "GET", "/readyz");
    assert!(status == 503 && text.contains("leaving"), "{status} {text}");
    assert_eq!(options(place.sip), "SIP/2.0 503");
}

/// Which files of a folder are opened: proof that the node looks.
struct Looks {
    _watcher: notify::RecommendedWatcher,
    opened: mpsc::Receiver<PathBuf>,
}

impl Looks {
    fn at(folder: &Path) -> Self {
        let (tell, opened) = mpsc::channel();
        let told = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Access(AccessKind::Open(_))) {
                event.paths.into_iter().for_each(|path| _ = tell.send(path));
            }
        };
        let mut watcher = notify::recommended_watcher(told).expect("it works on this machine");
        watcher.watch(folder, RecursiveMode::NonRecursive).expect("it works on this machine");
        Self { _watcher: watcher, opened }
    }

    /// Waits until a look at `file` has ended that began after this was called.
    fn wait(&self, file: &Path, ring: impl Fn()) {
        // The first may have begun before; when the third begins, the second has ended.
        for _ in 0..3 {
            while self.opened.try_recv().is_ok() {}
            ring();
            loop {
                let opened = self.opened.recv_timeout(PATIENCE).expect("the node looks");
                if opened == file {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_mistake_that_stays_is_said_once_and_again_when_it_comes_back() {
    let place = Place::new();
    let node = place.start();
    node.says("carillon is ready for calls");
    let rejected = || {
        let metrics = place.ask(place.observe, "", "GET", "/metrics").1;
        let name = "carillon_config_rejected_total ";
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.expect("it is always shown").to_owned()
    };
    let (queue, looks) = (place.path("config/queue.yaml"), Looks::at(&place.path("config")));
    let write = |spec: &str| {
        let text = format!("kind: Queue\nmetadata: {{name: sales}}\nspec: {{{spec}}}\n");
        place.replace("config/queue.yaml", &text);
    };
    let look = || looks.wait(&queue, || place.replace("config/note.yaml", ""));
    write("ringSeconds: never");
    node.says("the configuration is not used");
    look();
    assert_eq!(rejected(), "1", "not at every look");
    write("ringSeconds: 20");
    look();
    write("ringSeconds: never");
    node.says("the configuration is not used");
    assert_eq!(rejected(), "2");

    let tokens = place.path("tokens.yaml");
    place.replace("tokens.yaml", "tokens: nobody\n");
    node.says("the file of tokens is not used");
    Looks::at(place.folder.path()).wait(&tokens, || place.replace("note", ""));
    assert_eq!(rejected(), "3");
}

/// The status line of an answer to OPTIONS.
fn options(sip: u16) -> String {
    let phone = UdpSocket::bind("127.0.0.1:0").expect("it works on this machine");
    phone.set_read_timeout(Some(PATIENCE)).expect("it works on this machine");
    let port = phone.local_addr().expect("it works on this machine").port();
    let request = format!(
        "OPTIONS sip:127.0.0.1:{sip} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\
         \r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:b@127.0.0.1>\r\nCall-ID: 1@127.0.0.1\r\n\
         CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    phone.send_to(request.as_bytes(), ("127.0.0.1", sip)).expect("it works on this machine");
    let mut buffer = [0; 2048];
    let length = phone.recv(&mut buffer).expect("it works on this machine");
    String::from_utf8_lossy(&buffer[..length.min(11)]).into_owned()
}
