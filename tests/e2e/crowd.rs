//! Thousands of queues, agents and paths that do not exist are asked for: what strangers name makes
//! no series, no table and no page of log.
//!
//! Not here: names from the configuration, which are series (`tests/observe`).

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use crate::siege::Siege;
use crate::siege::WRONG;
use crate::siege::request;
use crate::siege::socket;
use crate::siege::stranger;
use crate::sipp::Over;
use crate::wait::until;

const NAMES: u32 = 3000;

/// Of each of four kinds; a token may ask 200 times a second.
const PATHS: u32 = 400;

/// What may come and go whatever happens; the log of the cluster has a window of its own.
const KIB_MAX: usize = 48 * 1024;

/// The names and labels of all series there are.
fn series(siege: &Siege) -> BTreeSet<String> {
    let url = format!("http://127.0.0.1:{}/metrics", siege.node.metrics);
    let text = ureq::get(&url).call().expect("metrics").body_mut().read_to_string();
    let text = text.expect("text");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}

/// Asks for that many names, each until it is answered finally with this status.
fn ask(siege: &Siege, from: &UdpSocket, (method, status): (&str, &str), turn: u32) {
    let mut waiting = BTreeSet::new();
    let mut next = turn * NAMES..(turn + 1) * NAMES;
    until(&format!("every {method} is answered {status}"), Duration::from_secs(60), || {
        waiting.extend(next.by_ref().take(100_usize.saturating_sub(waiting.len())));
        for nth in &waiting {
            let asked = request(method, &format!("nobody{nth}-{}", "x".repeat(50)), from, *nth);
            let _ = from.send_to(asked.as_bytes(), ("127.0.0.1", siege.node.sip));
        }
        for _ in 0..50 {
            hear(from, status, &mut waiting);
            if waiting.is_empty() {
                break;
            }
            std::thread::yield_now();
        }
        (waiting.is_empty() && next.is_empty()).then_some(())
    });
}

/// Takes away who was answered with this status.
fn hear(at: &UdpSocket, status: &str, waiting: &mut BTreeSet<u32>) {
    let mut buffer = [0; 4096];
    while let Ok(read) = at.recv(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..read]);
        let call = text.lines().find_map(|line| line.strip_prefix("Call-ID: ")?.split('@').next());
        if let Some(nth) = call.and_then(|call| call.parse().ok())
            && text.split(' ').nth(1) == Some(status)
        {
            waiting.remove(&nth);
        }
    }
}

/// Asks REST for that many paths, half of them as somebody it knows.
fn ask_rest(siege: &Siege, turn: u32) {
    for nth in 0..PATHS {
        for path in ["queues", "agents", "calls", "nonsense"] {
            let path = format!("/api/v1/{path}/nobody{turn}-{nth}");
            // Who asks too often is told to wait, and asks again.
            until("there is no such thing", Duration::from_secs(20), || {
                let (status, answer) = siege.node.send("GET", &path, &json!(null));
                assert!(matches!(status, 404 | 429), "{status} {answer}");
                (status == 404).then_some(())
            });
            let url = format!("http://127.0.0.1:{}{path}", siege.node.api);
            let stranger = ureq::get(&url).call().expect_err("nobody may ask");
            assert!(matches!(stranger, ureq::Error::StatusCode(401 | 429)), "{stranger}");
        }
    }
}

/// Everybody asks for what there is not.
fn everybody(siege: &Siege, turn: u32) {
    let (wrong, strange) = (socket(WRONG), socket(stranger(9)));
    ask(siege, &wrong, ("INVITE", "404"), turn);
    let strangers = [("INVITE", "403"), ("OPTIONS", "200"), ("REGISTER", "405"), ("JUGGLE", "501")];
    for asked in strangers {
        ask(siege, &strange, asked, turn);
    }
    ask_rest(siege, turn);
}

#[test]
fn what_strangers_name_grows_nothing() {
    let siege = Siege::begin(
        "{trunks: {invitesPerSecond: 100000, messagesPerSecond: 100000}, \
         strangers: {invitesPerSecond: 100000, messagesPerSecond: 100000, \
         messagesPerSecondInAll: 100000}}",
    );
    // Whatever can be counted of these is counted once.
    let callers = siege.callers(Over::Udp);
    everybody(&siege, 0);
    callers.finish_at_once();
    let (before, lines, kib) = (series(&siege), siege.node.log().lines().count(), siege.memory());
    let begun = Instant::now();
    everybody(&siege, 1);
    let made: Vec<String> = series(&siege).difference(&before).cloned().collect();
    let closed = ["carillon_sip_rejected_total{", "carillon_sip_responses_total{"];
    let stray = |name: &&String| !closed.iter().any(|list| name.starts_with(list));
    assert_eq!(made.iter().find(stray), None, "a series was made");
    assert!(!series(&siege).iter().any(|name| name.contains("nobody") || name.contains("JUGGLE")));
    // Twenty lines a second tell of callers from trunks, and each stranger has one a minute.
    let more = siege.node.log().lines().count() - lines;
    let most = 20 * (begun.elapsed().as_secs() as usize + 1) + 20;
    assert!(more <= most, "{more} lines of log, {most} at most");
    let grown = siege.memory().saturating_sub(kib);
    println!("names: {grown} KiB more than {kib}, {more} lines, {} series", before.len());
    assert!(grown <= KIB_MAX, "{grown} KiB more than {kib}");
    assert_eq!(siege.node.read("/api/v1/calls")["items"].as_array().map(Vec::len), Some(21));
    siege.end();
}
