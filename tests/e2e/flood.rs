//! More messages than anybody could mean: from thousands of addresses, from one PBX gone wrong, and
//! of every kind. Others call, are answered, talk and hang up as always.
//!
//! Not here: calls that are left half open (`half_open.rs`).

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crate::beside::Beside;
use crate::carillon::Carillon;
use crate::siege::Siege;
use crate::siege::WRONG;
use crate::siege::request;
use crate::siege::socket;
use crate::siege::stranger;
use crate::sipp::Over;
use crate::wait::until;

/// What a flood may leave behind: full tables of addresses, queues and transactions.
const KIB_MAX: usize = 24 * 1024;

/// Messages a second; what the rest of the machine does has to fit beside it.
const RATE: u32 = 5000;

/// The same of a PBX that keeps to nothing: four times the INVITEs one may send where no limits are
/// written.
const HASTE: u32 = 8000;

/// What a half-open call may cost (`half_open.rs`).
const KIB_EACH: usize = 16;

/// Sends until it is told to stop, so many messages a second at most.
struct Attack {
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<u32>>,
}

impl Attack {
    /// `send` sends the nth message.
    fn begin(rate: u32, mut send: impl FnMut(u32) + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let begun = Instant::now();
            for nth in 0.. {
                let due = begun + Duration::from_secs(1) * nth / rate;
                while nth % 100 == 0 && Instant::now() < due {
                    thread::park_timeout(due.saturating_duration_since(Instant::now()));
                }
                if told.load(Ordering::Relaxed) {
                    return nth;
                }
                send(nth);
            }
            0
        });
        Self { over, thread: Some(thread) }
    }

    /// How many were sent.
    fn end(mut self) -> u32 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().expect("ended once").join().expect("no panic")
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Lets people call while this goes on, and holds what it costs against the bound.
fn withstand(siege: Siege, refused: &[&str], send: impl FnMut(u32) + Send + 'static) {
    let before = siege.memory();
    let attack = Attack::begin(RATE, send);
    for why in refused {
        until(&format!("{why} is counted"), Duration::from_secs(30), || {
            (siege.rejected(why) > 0.0).then_some(())
        });
    }
    siege.calls_go_through(Over::Udp);
    let grown = siege.memory().saturating_sub(before);
    let sent = attack.end();
    println!("{refused:?}: {sent} sent, {grown} KiB more than {before}");
    assert!(sent > 10_000, "{sent} is no flood");
    assert!(grown <= KIB_MAX, "{grown} KiB more than {before}");
    let dropped = siege.node.log().matches("a SIP message was dropped").count();
    assert!(dropped <= 12, "{dropped} lines, one in ten seconds at most");
    assert_eq!(siege.rejected("overload"), 0.0, "nobody else's message was dropped");
    siege.falls("carillon_sip_half_open_calls", 0.0);
    siege.end();
}

#[test]
fn strangers_from_everywhere_are_not_noticed() {
    let siege = Siege::begin("{strangers: {messagesPerSecondInAll: 200}}");
    let port = siege.node.sip;
    let invited = siege.node.metric("carillon_sip_requests_total", "method=\"INVITE\"");
    assert!(invited > 0.0, "those who talk");
    withstand(siege, &["strangers_flood", "source"], move |nth| {
        let from = socket(stranger(nth));
        let _ =
            from.send_to(request("INVITE", "sales", &from, nth).as_bytes(), ("127.0.0.1", port));
    });
}

#[test]
fn a_stranger_who_sends_everything_is_not_noticed() {
    let siege = Siege::begin("{strangers: {messagesPerSecond: 100, invitesPerSecond: 5}}");
    let port = siege.node.sip;
    let from = socket(stranger(7));
    let forms = ["INVITE", "OPTIONS", "REGISTER", "BYE", "CANCEL", "ACK", "JUGGLE"];
    withstand(siege, &["source_flood", "too_often", "source"], move |nth| {
        let text = match nth % 10 {
            0..=6 => request(forms[nth as usize % 7], "sales", &from, nth),
            7 => "\r\n\r\n".to_owned(),
            8 => request("INVITE", "sales", &from, nth).replace("INVITE", "SIP/2.0 200 OK"),
            _ => "x".repeat(1400),
        };
        let _ = from.send_to(text.as_bytes(), ("127.0.0.1", port));
    });
}

#[test]
fn a_pbx_gone_wrong_takes_its_own_share_only() {
    let siege = Siege::begin(
        "{trunks: {invitesPerSecond: 40, messagesPerSecond: 1000, halfOpenCalls: 60}, \
         retryAfterSeconds: 9}",
    );
    let port = siege.node.sip;
    let from = socket(WRONG);
    let heard = from.try_clone().expect("a second handle");
    withstand(siege, &["source_flood", "too_often", "half_open"], move |nth| {
        let _ = from.send_to(request("INVITE", "pit", &from, nth).as_bytes(), ("127.0.0.1", port));
    });
    assert!(is_asked_to_wait(&heard, 9), "503 with Retry-After, as Settings say");
}

#[test]
fn where_no_limits_are_written_a_pbx_takes_its_own_share_only() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: pit}\nspec: {caller: {music: none}, overflow: {noAgents: \
         {wait: {}}}}\n",
    );
    let beside = Beside::start(&node);
    let (port, before) = (node.sip, node.memory_kib() as usize);
    let from = socket(WRONG);
    let is_told = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_told);
    let attack = Attack::begin(HASTE, move |nth| {
        let _ = from.send_to(request("INVITE", "pit", &from, nth).as_bytes(), ("127.0.0.1", port));
        if nth % 16 == 0 && is_asked_to_wait(&from, 5) {
            told.store(true, Ordering::Relaxed);
        }
    });
    let rejected =
        |why: &str| node.metric("carillon_sip_rejected_total", &format!("why=\"{why}\""));
    // Refused where the node is quick, dropped where it is not.
    until("it is too much", Duration::from_secs(30), || {
        (rejected("too_often") + rejected("source_backlog") > 0.0).then_some(())
    });
    // The node has as much to do as it can: others may have to ask twice.
    let again = beside.finish_late(&node).map(|story| story.said_again.len());
    let open = node.metric("carillon_sip_half_open_calls", "") as usize;
    let grown = (node.memory_kib() as usize).saturating_sub(before);
    let sent = attack.end();
    let why = ["too_often", "half_open", "source_backlog", "source_flood", "overload"];
    let counted = why.map(rejected);
    println!("{sent} sent, {open} open, {why:?} {counted:?}, {grown} KiB more, {again:?} again");
    assert!(grown <= open * KIB_EACH + KIB_MAX, "{grown} KiB more than {before}");
    assert_eq!(rejected("overload"), 0.0, "nobody else's message was dropped");
    let is_refused = rejected("too_often") > 0.0;
    assert!(is_told.load(Ordering::Relaxed) || !is_refused, "503 with Retry-After, as usual");
    let dropped = node.log().matches("a SIP message was dropped").count();
    assert!(dropped <= 12, "{dropped} lines, one in ten seconds at most");
}

/// Whether a 503 among what was heard says to come again after so long.
fn is_asked_to_wait(heard: &UdpSocket, seconds: u32) -> bool {
    let wanted = format!("\r\nRetry-After: {seconds}\r\n");
    let mut buffer = [0; 4096];
    while let Ok(read) = heard.recv(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..read]);
        if text.starts_with("SIP/2.0 503") {
            return text.contains(&wanted);
        }
    }
    false
}
