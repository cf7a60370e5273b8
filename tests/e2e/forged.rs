//! Somebody who has overheard everything speaks for others from elsewhere, while they wait, ring
//! and talk: no call ends, no audio goes elsewhere, nothing is kept of it.
//!
//! Not here: the same on virtual time, message by message (`tests/b2bua/outsider.rs`).

use std::time::Duration;

use crate::audio::hears;
use crate::beside::Beside;
use crate::carillon::Carillon;
use crate::phone::Phone;
use crate::phone::Text;
use crate::stranger::Overheard;
use crate::stranger::Stranger;
use crate::stranger::status;
use crate::wait::until;

const CALLER_HUMS: f64 = 700.0;
const AGENT_HUMS: f64 = 1100.0;
/// What the process may grow by, in KiB: a log, some calls that are remembered.
const KIB_MAX: u64 = 8_000;
const ELSEWHERE: &str = "127.0.0.2";
const QUEUE: &str = "kind: Queue\nmetadata: {name: sales}\nspec: {ringSeconds: 60}\n";

/// Everything that could end or change a call.
const WISHES: [&str; 8] =
    ["INVITE", "UPDATE", "INFO", "REFER", "NOTIFY", "PRACK", "MESSAGE", "BYE"];

/// Speaks for a party of a dialog in every way there is, with right and with guessed tags.
fn speak_for(stranger: &Stranger, known: &Overheard) {
    let guess = |side: &str| format!("{}guessed", side);
    let wrong_from = Overheard { from: guess(&known.from), ..known.clone() };
    let wrong_to = Overheard { to: guess(&known.to), ..known.clone() };
    for method in WISHES {
        let body = match method {
            "INVITE" | "UPDATE" => stranger.description(),
            "INFO" => "Signal=5\r\nDuration=160\r\n".to_owned(),
            _ => String::new(),
        };
        let more = match method {
            "REFER" => "Refer-To: <sip:thief@127.0.0.2>\r\n",
            "NOTIFY" => "Event: refer\r\nSubscription-State: terminated\r\n",
            "PRACK" => "RAck: 1 1 INVITE\r\n",
            _ => "",
        };
        for (known, expected) in [(known, 403), (&wrong_from, 481), (&wrong_to, 481)] {
            let answer = stranger.ask(&stranger.compose(method, known, more, &body));
            let given = status(answer.as_ref());
            // Outside any dialog MESSAGE is not served at all.
            let fits = given == expected || (method == "MESSAGE" && given == 405);
            assert!(fits, "{method}: {given}, not {expected}");
        }
        stranger.say(&stranger.compose("ACK", known, "", &stranger.description()));
    }
}

/// The CANCEL of somebody's INVITE.
fn cancel(known: &Overheard, via: &str, cseq: &str) -> String {
    let Overheard { from, to, call_id, target } = known;
    let to = to.split(";tag=").next().unwrap_or_default();
    let number = cseq.split(' ').next().unwrap_or_default();
    format!(
        "CANCEL {target} SIP/2.0\r\nVia: {via};rport\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: \
         {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} CANCEL\r\nContent-Length: 0\r\n\r\n"
    )
}

/// An answer to an INVITE of ours, as if the phone had given it.
fn response(invite: &Text, line: &str, via: &str, stranger: &Stranger) -> String {
    let body = stranger.description();
    format!(
        "SIP/2.0 {line}\r\nVia: {via}\r\n{}To: {};tag=thief\r\n{}{}Contact: \
         <sip:thief@{}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        invite.all("from"),
        invite.header("to"),
        invite.all("call-id"),
        invite.all("cseq"),
        stranger.here(),
        body.len()
    )
}

fn answer_for(stranger: &Stranger, invite: &Text) {
    let right = invite.header("via").to_owned();
    let wrong = right.replace("branch=z9hG4bK", "branch=z9hG4bKx");
    assert_ne!(right, wrong);
    for via in [&right, &wrong] {
        for line in ["180 Ringing", "486 Busy Here", "603 Decline", "302 Moved", "200 OK"] {
            stranger.say(&response(invite, line, via, stranger));
        }
    }
}

fn listens_on(phone: &Phone, what: &str) {
    let before = phone.heard().len();
    until(what, Duration::from_secs(10), || (phone.heard().len() > before + 25).then_some(()));
}

#[test]
fn a_call_goes_on_whatever_is_said_from_elsewhere() {
    let node = Carillon::start_behind("{allowedSources: [127.0.0.1/32, 127.0.0.5/32]}", QUEUE);
    let beside = Beside::start(&node);
    let before = node.memory_kib();
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    node.hire("101", agent.port());
    let stranger = Stranger::at(ELSEWHERE, node.sip);

    let answer = caller.call("sales", node.sip);
    caller.hum(CALLER_HUMS);
    let of_caller = Overheard::of_caller(&answer);
    listens_on(&caller, "the caller hears music");
    speak_for(&stranger, &of_caller);
    let forged = cancel(&of_caller, answer.header("via"), answer.header("cseq"));
    assert_eq!(status(stranger.ask(&forged).as_ref()), 481);
    node.wait_for_queue("sales", "/waiting", 1);
    listens_on(&caller, "the caller hears music still");

    node.wish("101", "ready");
    let (invite, from) = agent.rung();
    let of_agent = Overheard::of_agent(&invite);
    answer_for(&stranger, &invite);
    assert_eq!(
        status(stranger.ask(&stranger.compose("BYE", &of_agent, "", "")).as_ref()),
        403,
        "the phone still rings"
    );
    node.wait_for_agent("101", "Reserved");
    agent.pick_up(&invite, from);
    agent.hum(AGENT_HUMS);
    both_hear(&caller, &agent);

    answer_for(&stranger, &invite);
    speak_for(&stranger, &of_caller);
    speak_for(&stranger, &of_agent);
    flood(&node, &stranger, [&of_caller, &of_agent]);
    node.wait_for_queue("sales", "/talking", 1);
    both_hear(&caller, &agent);
    let refused = node.metric("carillon_sip_rejected_total", "why=\"outsider\"");
    assert!(refused >= 24.0, "{refused}");
    node.hang_up("sales");
    caller.released();
    agent.released();
    beside.finish(&node);
    let grown = node.memory_kib().saturating_sub(before);
    println!("forged: {grown} KiB more than {before}");
    assert!(grown < KIB_MAX, "{grown} KiB more than {before}");
    let log = node.log();
    let lines: Vec<&str> =
        log.lines().filter(|line| line.contains("no address of the call")).collect();
    assert_eq!(lines.len(), 1, "one line a minute: {log}");
    assert!(lines[0].contains(&of_caller.call_id), "it names the call: {}", lines[0]);
}

/// Both hear each other now, and for a second more.
fn both_hear(caller: &Phone, agent: &Phone) {
    listens_on(caller, "the caller hears something");
    until("they hear each other", Duration::from_secs(10), || {
        (hears(caller, AGENT_HUMS) && hears(agent, CALLER_HUMS)).then_some(())
    });
}

/// Ten thousand forged requests: nothing is kept of them.
fn flood(node: &Carillon, stranger: &Stranger, known: [&Overheard; 2]) {
    for _ in 0..100 {
        for nth in 0..100 {
            let method = WISHES[nth % WISHES.len()];
            stranger.say(&stranger.compose(method, known[nth % 2], "", ""));
        }
        // What comes back is read, so that the node is not outrun altogether.
        while stranger.hear().is_some() {}
    }
    let transactions = node.metric("carillon_sip_transactions", "");
    assert!(transactions < 200.0, "{transactions} transactions");
}
