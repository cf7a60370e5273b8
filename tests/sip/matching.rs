//! Which server transaction a request belongs to (RFC 3261 §17.2.3): branch, sent-by and method.
//!
//! Not here: what a transaction does with its own (`transaction`).

use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::Transport;

use crate::letters::Bench;
use crate::letters::Letter;
use crate::letters::lines;

fn sent_by(letter: &Letter<'_>, host: &str) -> Message {
    let via = format!("SIP/2.0/UDP {host};branch={}", letter.branch);
    letter.build().with_header(Name::Via, via)
}

/// What is told of a request that comes from `host`, without what is sent.
fn told(bench: &mut Bench, letter: &Letter<'_>, host: &str) -> Vec<String> {
    let outputs = bench.receive(&sent_by(letter, host), Transport::Udp);
    lines(&outputs).into_iter().filter(|line| !line.starts_with("send 100")).collect()
}

#[test]
fn the_same_branch_of_another_sender_is_another_transaction() {
    for branch in ["z9hG4bK-1", "as-in-rfc-2543"] {
        let invite = Letter { branch, ..Letter::INVITE };
        let mut bench = Bench::new();
        let hosts = ["192.0.2.9:5070", "192.0.2.9:5071", "192.0.2.9", "pc9.example:5070"];
        for host in hosts {
            assert_eq!(told(&mut bench, &invite, host), ["request INVITE"], "{host} {branch}");
        }
        for host in hosts.into_iter().chain(["PC9.Example:5070"]) {
            assert_eq!(told(&mut bench, &invite, host), [""; 0], "{host} {branch}");
        }
        assert_eq!(bench.layer.len(), hosts.len());
    }
}

#[test]
fn a_cancel_means_the_invite_of_its_own_sender() {
    let mut bench = Bench::new();
    told(&mut bench, &Letter::INVITE, "192.0.2.9:5070");
    let cancel = Letter { method: "CANCEL", extra: "", ..Letter::INVITE };
    let strange = told(&mut bench, &cancel, "192.0.2.9:5071");
    assert_eq!(strange, ["send 481 CANCEL to 192.0.2.9:5071"]);
    let own = told(&mut bench, &cancel, "192.0.2.9:5070");
    assert_eq!(own, ["send 200 CANCEL to 192.0.2.9:5070", "cancelled"]);
}
