//! sipp as callers and as agents' phones: scenario files, and processes that end by themselves.
//!
//! Always holds: a run has a number of calls and a time limit, and is ended by its process id when
//! dropped. sipp's exit status 0 means that every call went as its scenario says.
//!
//! Not here: the scenarios (`tests/e2e/sipp/*.xml`).

use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crate::carillon::Carillon;
use crate::carillon::free_port;
use crate::wait::until;

/// How SIP travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Udp,
    Tcp,
}

impl Over {
    fn flag(self) -> &'static str {
        match self {
            Self::Udp => "u1",
            Self::Tcp => "t1",
        }
    }
}

/// A running sipp.
pub(crate) struct Sipp {
    process: Child,
    name: String,
    errors: PathBuf,
    figures: PathBuf,
    /// Where it listens.
    pub(crate) port: u16,
}

/// What a run of sipp is to do.
pub(crate) struct Plan<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) over: Over,
    /// How many calls, after which it ends by itself.
    pub(crate) calls: u32,
    /// Calls a second, for callers.
    pub(crate) rate: u32,
    /// Replaces `HOLDMS` in the scenario.
    pub(crate) hold_ms: u32,
}

impl Plan<'_> {
    /// Starts callers who dial `queue`.
    pub(crate) fn call(&self, node: &Carillon, queue: &str) -> Sipp {
        let target = format!("127.0.0.1:{}", node.sip);
        self.start(node, &["-s", queue, "-r", &self.rate.to_string(), &target])
    }

    /// Starts phones that wait to be rung.
    pub(crate) fn answer(&self, node: &Carillon) -> Sipp {
        self.start(node, &[])
    }

    fn start(&self, node: &Carillon, more: &[&str]) -> Sipp {
        let port = free_port();
        let folder = node.scratch();
        let text = fs::read_to_string(
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/e2e/sipp/{}.xml", self.scenario)),
        )
        .expect("the scenario is there");
        let scenario = folder.join(format!("{}-{port}.xml", self.scenario));
        fs::write(&scenario, text.replace("HOLDMS", &self.hold_ms.to_string())).expect("written");
        let errors = folder.join(format!("{}-{port}.errors", self.scenario));
        let figures = folder.join(format!("{}-{port}.figures", self.scenario));
        let process = Command::new("sipp")
            .args(["-sf", &scenario.to_string_lossy(), "-t", self.over.flag()])
            .args(["-i", "127.0.0.1", "-p", &port.to_string()])
            .args(["-m", &self.calls.to_string(), "-l", "2000", "-nostdin"])
            .args(["-timeout", "120", "-timeout_error", "-recv_timeout", "100000"])
            .args(["-trace_err", "-error_file", &errors.to_string_lossy()])
            .args(["-trace_stat", "-stf", &figures.to_string_lossy()])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp is installed (tests/run installs it)");
        let name = self.scenario.to_owned();
        let running = Sipp { process, name, errors, figures, port };
        if more.is_empty() {
            running.wait_until_it_listens(self.over);
        }
        running
    }
}

impl Sipp {
    fn wait_until_it_listens(&self, over: Over) {
        until("sipp listens", Duration::from_secs(10), || match over {
            Over::Udp => std::net::UdpSocket::bind(("127.0.0.1", self.port)).err().map(drop),
            Over::Tcp => std::net::TcpListener::bind(("127.0.0.1", self.port)).err().map(drop),
        });
    }

    /// The same as [`Self::finish`]; nothing had to be said twice, because no answer came in time.
    pub(crate) fn finish_at_once(self) {
        let (name, path) = (self.name.clone(), self.figures.clone());
        self.finish();
        let figures = fs::read_to_string(path).expect("it has written them");
        let rows: Vec<Vec<&str>> = figures.lines().map(|line| line.split(';').collect()).collect();
        let column = rows[0].iter().position(|title| *title == "Retransmissions(C)");
        let last = rows.last().expect("a row at the end");
        assert_eq!(last[column.expect("it counts them")], "0", "{name} had to say it again");
    }

    /// Waits until it has ended; every call must have gone as the scenario says.
    pub(crate) fn finish(mut self) {
        let status = until(&format!("{} ends", self.name), Duration::from_secs(150), || {
            self.process.try_wait().expect("a child of ours")
        });
        let errors = fs::read_to_string(&self.errors).unwrap_or_default();
        assert_eq!(status.code(), Some(0), "{}: {errors}", self.name);
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // SIGTERM would leave it waiting for its calls.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
