//! sipp as all callers and as all agents' phones, and what its logs say about each call.
//!
//! ```text
//! caller  I ─────────────► A ───────────────────────────────► B
//!         INVITE sent      200 received                       BYE received
//! agent              R ──────────────► K ─────────► H ► D
//!                    INVITE received   ACK          BYE sent, answered
//! ```
//!
//! Both write a line with microseconds for each letter; the caller's number, which every server
//! shows to the agent in From, joins the two.
//!
//! Always holds: a run has a number of calls and a time after which sipp ends by itself.
//!
//! Not here: the scenarios (`tests/bench/sipp/*.xml`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::machine::Place;
use crate::machine::Program;
use crate::machine::free_port;
use crate::machine::until;

/// An uncontrolled kernel default drops bursts; Carillon and Asterisk ask for as much.
const SOCKET_BUFFER: &str = "4194304";

/// More open calls than any workload has.
const OPEN_CALLS_MAX: &str = "15000";

/// All agents' phones.
pub(crate) struct Phones {
    pub(crate) program: Program,
    /// Where they are reached.
    pub(crate) port: u16,
}

impl Phones {
    /// Starts phones that ring up to 200 ms, answer, talk for so long, and hang up.
    pub(crate) fn start(place: &Place, rtp: u16, talk: Duration, limit: Duration) -> Self {
        let port = free_port();
        let text = include_str!("../sipp/agent.xml");
        let text = text.replace("HOLDMS", &talk.as_millis().to_string());
        fs::write(place.memory.join("phones.xml"), text).expect("the scenario is written");
        let mut arguments = arguments("phones", port, rtp);
        arguments.extend(["-timeout".to_owned(), limit.as_secs().to_string()]);
        let mut program = place.start("phones", "sipp", &arguments);
        let bound = || std::net::UdpSocket::bind(("127.0.0.1", port)).err();
        until(Duration::from_secs(10), bound).expect("sipp listens");
        assert!(program.is_alive(), "sipp ended: {}", program.output());
        Self { program, port }
    }
}

/// So many callers, so many a second.
pub(crate) struct Load {
    pub(crate) calls: u32,
    pub(crate) rate: f64,
    /// How long after the last INVITE the last call may end.
    pub(crate) patience: Duration,
    /// Whether each step of each call is written down.
    pub(crate) logged: bool,
}

impl Load {
    /// When sipp ends by itself.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.calls) / self.rate) + self.patience
    }

    /// Starts callers who dial `queue` at `target`.
    pub(crate) fn start(&self, place: &Place, rtp: u16, target: &str) -> Program {
        let text = include_str!("../sipp/caller.xml");
        fs::write(place.memory.join("callers.xml"), text).expect("the scenario is written");
        let mut arguments = arguments("callers", free_port(), rtp);
        if !self.logged {
            arguments.retain(|argument| argument != "-trace_logs");
        }
        // sipp takes whole calls a period; ten seconds let a rate have a tenth.
        let per_ten_seconds = (self.rate * 10.0).round().to_string();
        let calls = self.calls.to_string();
        let limit = self.limit().as_secs().to_string();
        let load = ["-s", "queue", "-r", &per_ten_seconds, "-rp", "10000", "-m", &calls];
        arguments.extend(load.map(str::to_owned));
        arguments.extend(["-timeout", &limit, target].map(str::to_owned));
        place.start("callers", "sipp", &arguments)
    }
}

fn arguments(who: &str, port: u16, rtp: u16) -> Vec<String> {
    let (port, rtp) = (port.to_string(), rtp.to_string());
    let (scenario, log) = (format!("{who}.xml"), format!("{who}.log"));
    let errors = format!("{who}.err");
    let plain = ["-sf", &scenario, "-i", "127.0.0.1", "-p", &port, "-nostdin", "-f", "5"];
    let keys = ["-key", "rtpip", "127.0.0.1", "-key", "rtpport", &rtp];
    let logs = ["-trace_logs", "-log_file", &log, "-trace_err", "-error_file", &errors];
    let sizes = ["-buff_size", SOCKET_BUFFER, "-timer_resol", "1", "-l", OPEN_CALLS_MAX];
    let whole = ["-max_log_size", "100000000000"];
    let all = plain.iter().chain(&keys).chain(&logs).chain(&sizes).chain(&whole);
    all.map(|argument| (*argument).to_owned()).collect()
}

/// What became of one caller; times in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call {
    pub(crate) invited: Option<i64>,
    pub(crate) answered: Option<i64>,
    /// First INVITE at an agent's phone.
    pub(crate) rung: Option<i64>,
    pub(crate) joined: Option<i64>,
    pub(crate) ended: Option<i64>,
}

impl Call {
    /// From the caller's INVITE to the agent's.
    pub(crate) fn assignment_ms(&self) -> Option<f64> {
        Some((self.rung? - self.invited?) as f64 / 1000.0)
    }

    /// Tells whether the caller talked to an agent and was told the end.
    pub(crate) fn is_complete(&self) -> bool {
        self.joined.is_some() && self.ended.is_some()
    }
}

/// What the logs of a run say.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// By the caller's number, which is the order of arrival.
    pub(crate) calls: BTreeMap<u32, Call>,
    /// Of each agent: when it was rung (`true`) or hung up (`false`), in order.
    pub(crate) agents: BTreeMap<u32, Vec<(i64, bool)>>,
}

impl Story {
    /// Reads the logs as they are now.
    pub(crate) fn read(place: &Place) -> Self {
        let mut story = Self::default();
        lines(&place.memory, "callers.log", |words| story.caller(words));
        lines(&place.memory, "phones.log", |words| story.phone(words));
        story.agents.values_mut().for_each(|events| events.sort_unstable());
        story
    }

    /// Removes the logs of a former run.
    pub(crate) fn forget(place: &Place) {
        for name in ["callers.log", "phones.log", "callers.err", "phones.err"] {
            let _ = fs::remove_file(place.memory.join(name));
        }
    }

    /// `C 17 I 1763850000.000000 123456.000000`
    fn caller(&mut self, words: &[&str]) -> Option<()> {
        let ["C", number, what, seconds, micros] = words else { return None };
        let call = self.calls.entry(number.parse().ok()?).or_default();
        let at = Some(moment(seconds, micros)?);
        match *what {
            "I" => call.invited = at,
            "A" => call.answered = at,
            "B" => call.ended = at,
            _ => {}
        }
        Some(())
    }

    /// `A 3 R 17 1763850000.000000 123456.000000`
    fn phone(&mut self, words: &[&str]) -> Option<()> {
        let ["A", agent, what, caller, seconds, micros] = words else { return None };
        let at = moment(seconds, micros)?;
        let call = self.calls.entry(caller.parse().ok()?).or_default();
        match *what {
            "R" => call.rung = Some(call.rung.map_or(at, |first| first.min(at))),
            "K" => call.joined = Some(at),
            _ => {}
        }
        if matches!(*what, "R" | "H" | "X") {
            self.agents.entry(agent.parse().ok()?).or_default().push((at, *what == "R"));
        }
        Some(())
    }

    /// From hanging up to the same agent's next INVITE.
    pub(crate) fn idle_gaps_ms(&self) -> Vec<f64> {
        let next_ring = |pair: &[(i64, bool)]| match pair {
            [(freed, false), (rung, true)] => Some((rung - freed) as f64 / 1000.0),
            _ => None,
        };
        self.agents.values().flat_map(|events| events.windows(2).filter_map(next_ring)).collect()
    }

    /// For each caller who reached an agent later than one who came after: how much later.
    pub(crate) fn overtaken_ms(&self) -> Vec<f64> {
        let mut soonest_later = i64::MAX;
        let mut overtaken = Vec::new();
        for rung in self.calls.values().rev().filter_map(|call| call.rung) {
            if rung > soonest_later {
                overtaken.push((rung - soonest_later) as f64 / 1000.0);
            }
            soonest_later = soonest_later.min(rung);
        }
        overtaken
    }
}

fn lines(folder: &Path, name: &str, mut read: impl FnMut(&[&str]) -> Option<()>) {
    let bytes = fs::read(folder.join(name)).unwrap_or_default();
    for line in String::from_utf8_lossy(&bytes).lines() {
        // The last line may be half written, and a stray message says nothing about a call.
        let _ = read(&line.split_whitespace().collect::<Vec<_>>());
    }
}

/// Seconds and microseconds, both written with six zeros behind the point.
fn moment(seconds: &str, micros: &str) -> Option<i64> {
    let whole = |text: &str| text.split('.').next()?.parse::<i64>().ok();
    Some(whole(seconds)? * 1_000_000 + whole(micros)?)
}
