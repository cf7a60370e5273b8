//! `carillon serve`: what it says when it cannot start, what it says when it has, and what it takes
//! up while it runs.

use std::fs;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc;

use notify::EventKind;
use notify::RecursiveMode;
use notify::Watcher;
use notify::event::AccessKind;

use crate::place::NEW;
use crate::place::OLD;
use crate::place::PATIENCE;
use crate::place::Place;
use crate::program::carillon;

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
fn of_a_range_the_port_in_use_is_named() {
    let place = Place::new();
    let (first, taken) = (place.rtp, place.rtp + 1);
    let written = fs::read_to_string(place.path("config/settings.yaml")).expect("it is written");
    let range = format!("\"{first}-{taken}\"");
    place.write("settings.yaml", written.replace(&format!("\"{first}\""), &range));
    // If somebody has it already, it is in use as well.
    let _taken = UdpSocket::bind(("0.0.0.0", taken));
    let said = place.fail();
    assert!(said.contains(&format!("RTP on {first}-{taken}: port {taken}: ")), "{said}");
    assert!(said.contains("end the program that has it"), "{said}");
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

    let damaged = Place::new();
    let snapshots = damaged.path("data/snapshots");
    fs::create_dir_all(&snapshots).expect("it works on this machine");
    fs::write(snapshots.join("7.snapshot"), "half of one").expect("it works on this machine");
    let said = damaged.fail();
    assert!(said.contains("a snapshot cannot be opened"), "{said}");
    assert!(said.contains("put back a whole copy of it"), "{said}");

    // Nobody may make anything there, root included.
    let config = elsewhere.path("config").to_string_lossy().into_owned();
    let said = carillon(&["serve", "--config", &config, "--data", "/proc/carillon"]);
    assert_eq!(said.status, Some(1), "{}", said.err);
    assert!(said.err.contains("/proc/carillon: "), "{}", said.err);
    assert!(said.err.contains("a folder this user may write"), "{}", said.err);
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
    let told = node.says("sip.advertise is left out");
    assert!(told.contains(&format!("127.0.0.1:{}", place.sip)), "{told}");
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
    let (queue, looks) = (place.path("config/queue.yaml"), Looks::at(&place.path("config")));
    let write = |spec: &str| {
        let text = format!("kind: Queue\nmetadata: {{name: sales}}\nspec: {{{spec}}}\n");
        place.replace("config/queue.yaml", &text);
    };
    let look = || looks.wait(&queue, || place.replace("config/note.yaml", ""));
    write("ringSeconds: never");
    node.says("the configuration is not used");
    look();
    assert_eq!(place.rejected(), "1", "not at every look");
    write("ringSeconds: 20");
    look();
    write("ringSeconds: never");
    node.says("the configuration is not used");
    look(); // It is counted after it is said.
    assert_eq!(place.rejected(), "2");

    let tokens = place.path("tokens.yaml");
    place.replace("tokens.yaml", "tokens: nobody\n");
    node.says("the file of tokens is not used");
    Looks::at(&place.path("")).wait(&tokens, || place.replace("note", ""));
    assert_eq!(place.rejected(), "3");
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
