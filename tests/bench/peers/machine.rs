//! The machine: where programs run and how, and what they cost.
//!
//! Always holds: every program of a run is pinned to the same cores and niced alike, so that a
//! ratio between two of them means something; it is ended by its own process id when dropped, and
//! by the kernel when the driver itself dies. CPU time comes from `/proc`, so the load of other
//! people is not in it.
//!
//! Not here: which programs (`sipp`, `carillon`, `asterisk`).

use std::fs;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// Linux counts the CPU time of a process in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

/// Where and how everything of a run is started.
pub(crate) struct Place {
    /// A list as `taskset` reads it, `0,1`.
    pub(crate) cores: String,
    /// For servers and load generators alike; negative needs root.
    pub(crate) nice: i32,
    /// On a disk: logs and data of the servers, so that an fsync is one.
    pub(crate) disk: PathBuf,
    /// In memory: what sipp writes, so that its disk is not measured.
    pub(crate) memory: PathBuf,
    /// The Debian folder with Asterisk in it.
    pub(crate) asterisk: PathBuf,
}

impl Place {
    /// Pins and nices this process; what it starts and its threads inherit both.
    pub(crate) fn settle(&self) {
        let own = std::process::id().to_string();
        let run = |program: &str, arguments: &[&str]| {
            let done = Command::new(program).args(arguments).stdout(Stdio::null()).status();
            assert!(done.is_ok_and(|status| status.success()), "{program} {arguments:?} failed");
        };
        run("taskset", &["-pc", &self.cores, &own]);
        run("renice", &["-n", &self.nice.to_string(), "-p", &own]);
    }

    /// Starts a program, with its output in a file of that name.
    pub(crate) fn start(&self, name: &str, program: &str, arguments: &[String]) -> Program {
        let path = self.disk.join(format!("{name}.out"));
        let output = fs::File::create(&path).expect("a file for the output");
        // `setpriv` becomes the program, so that the process id is the program's own.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", program])
            .args(arguments)
            .current_dir(&self.memory)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        Program { child, output: path }
    }
}

/// A running program.
pub(crate) struct Program {
    child: Child,
    output: PathBuf,
}

impl Program {
    /// Tells whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it has ended; `false` if it has not after so long.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> bool {
        until(limit, || (!self.is_alive()).then_some(())).is_some()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has cost so far.
    pub(crate) fn cost(&self) -> Cost {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
        // The name in parentheses may hold spaces; user and system time are fields 14 and 15.
        let fields: Vec<&str> =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |nth: usize| fields.get(nth).and_then(|field| field.parse().ok());
        let ticks: f64 = ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0);
        Cost {
            at: Instant::now(),
            cpu: ticks / TICKS_A_SECOND,
            memory_kib: status(&folder, "VmRSS:"),
            threads: status(&folder, "Threads:"),
            files: fs::read_dir(folder.join("fd")).map_or(0, Iterator::count),
        }
    }

    /// What it has written.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // sipp would answer SIGTERM by waiting for its calls.
        self.kill();
    }
}

/// What a program has used and holds at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    at: Instant,
    /// Seconds of CPU time since it started.
    pub(crate) cpu: f64,
    pub(crate) memory_kib: f64,
    pub(crate) threads: f64,
    /// Open files and sockets.
    pub(crate) files: usize,
}

impl Cost {
    /// Seconds of CPU time since `before`.
    pub(crate) fn cpu_since(&self, before: &Self) -> f64 {
        self.cpu - before.cpu
    }

    /// Seconds since `before` was taken.
    pub(crate) fn elapsed_since(&self, before: &Self) -> f64 {
        self.at.duration_since(before.at).as_secs_f64()
    }

    /// How many cores were busy on average since `before`.
    pub(crate) fn cores_since(&self, before: &Self) -> f64 {
        self.cpu_since(before) / self.elapsed_since(before)
    }
}

fn status(folder: &Path, field: &str) -> f64 {
    let text = fs::read_to_string(folder.join("status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

/// Looks again and again until `look` finds something; `None` after `limit`.
pub(crate) fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let found = look();
        if found.is_some() || begun.elapsed() > limit {
            return found;
        }
        pause(Duration::from_millis(20));
    }
}

/// Lets time pass while something is measured.
pub(crate) fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// Below those the kernel gives out by itself and those that Asterisk uses for RTP.
const FIRST_PORT: u16 = 12_000;

/// A port that is free for UDP and TCP now; another one each time.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(FIRST_PORT);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(port < 2 * FIRST_PORT, "all ports are taken");
        let address = ("127.0.0.1", port);
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return port;
        }
    }
}

/// How busy the machine has been for the last minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

/// The processor and its number of cores, for the record.
pub(crate) fn description() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} × {}", model.unwrap_or("unknown processor"))
}
