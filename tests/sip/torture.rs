//! Every message of RFC 4475 and RFC 5118: what the RFC asks, and what is read from it.
//!
//! The messages and what is asked are in `torture/required.md` and the folders beside it. What
//! Carillon reads from each is in `torture/verdicts.txt`: the fault and the status that answers
//! it, or what a transaction and a dialog need to know. `UPDATE=1` writes that file anew; the diff
//! is the review.
//!
//! Not here: the same messages sent to a running node (`tests/node/torture.rs`).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use bytes::Bytes;
use carillon::sip::Fault;
use carillon::sip::Message;
use carillon::sip::NameAddr;
use carillon::sip::Via;
use carillon::sip::check::refusal_of;
use carillon::sip::peek_call_id;
use carillon::sip::stream::Frame;
use carillon::sip::stream::Framer;
use sha2::Digest;
use sha2::Sha256;

use crate::corpus::corpus;
use crate::corpus::folder;

/// What Carillon makes of a message, as lines.
fn verdict(bytes: &Bytes) -> String {
    let message = match Message::parse(bytes.clone()) {
        Ok(message) => message,
        Err(error) => {
            return match error.answer() {
                Some((status, _)) => format!("  refused with {status}: {error}\n"),
                None => format!("  dropped: {error}\n"),
            };
        }
    };
    let mut lines = String::new();
    let mut line = |what: &str, value: String| {
        // Long values are told apart well enough by their beginning and length.
        let cut = value.char_indices().nth(80).map_or(value.len(), |(at, _)| at);
        let rest = value.len() - cut;
        let more = if rest > 0 { format!("… +{rest}") } else { String::new() };
        let _ = writeln!(lines, "  {what:<9}{}{more}", value[..cut].escape_debug());
    };
    match message.status() {
        Some(status) => line("status", format!("{status} {}", message.reason())),
        None => line("request", format!("{} {}", message.method(), message.request_uri_text())),
    }
    if let Some(status) = refusal_of(&message).filter(|_| message.is_request()) {
        line("unserved", status.to_string());
    }
    for via in message.vias().expect("checked").iter().take(3) {
        line("via", show_via(via));
    }
    line("from", show_address(&message.from().expect("checked")));
    line("to", show_address(&message.to().expect("checked")));
    line("call-id", message.call_id().expect("checked").into());
    line("cseq", message.cseq().expect("checked").to_string());
    for contact in message.contacts().expect("checked in requests") {
        line("contact", contact.to_string());
    }
    for route in message.routes().expect("well-formed in this corpus") {
        line("route", route.to_string());
    }
    line("body", message.body().len().to_string());
    lines
}

fn show_via(via: &Via) -> String {
    let kind = if via.has_cookie() { "" } else { " (RFC 2543)" };
    format!("{} {} {}{kind}", via.transport, via.sent_by, via.branch().unwrap_or("-"))
}

fn show_address(address: &NameAddr) -> String {
    let display = address.display.as_deref().unwrap_or("-");
    format!("{display} | {} | {}", address.uri, address.tag().unwrap_or("-"))
}

#[test]
fn every_message_is_judged_as_recorded() {
    let mut judged =
        String::from("# What Carillon makes of each message; written by `UPDATE=1`.\n");
    for sample in corpus() {
        let _ = writeln!(judged, "\n{} {}", sample.name, sample.section);
        judged.push_str(&verdict(&sample.bytes));
    }
    let path = folder().join("verdicts.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &judged).expect("the folder can be written to");
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    for (ours, theirs) in judged.lines().zip(recorded.lines()) {
        assert_eq!(ours, theirs, "UPDATE=1 records the change");
    }
    assert_eq!(judged.lines().count(), recorded.lines().count());
}

#[test]
fn the_bytes_are_those_of_the_archives() {
    let sums = fs::read_to_string(folder().join("SHA256SUMS")).expect("it is checked in");
    let mut known: BTreeMap<&str, &str> = sums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, file)| (file, sum))
        .collect();
    for sample in corpus() {
        let digest = Sha256::digest(&sample.archived);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(known.remove(sample.file.as_str()), Some(hex.as_str()), "{}", sample.name);
    }
    assert!(known.is_empty(), "not in the table: {known:?}");
}

#[test]
fn every_message_is_judged_as_its_rfc_asks() {
    let (mut old, mut new) = (0, 0);
    for sample in corpus() {
        let judged = match Message::parse(sample.bytes.clone()) {
            Ok(_) => "read".to_owned(),
            Err(error) => match error.answer() {
                Some((status, _)) => status.to_string(),
                None => "dropped".to_owned(),
            },
        };
        assert_eq!(judged, sample.codec, "{} ({})", sample.name, sample.section);
        let udp = if judged == "dropped" { "silence" } else { &judged };
        assert!(judged == "read" || udp == sample.udp, "{}: the table differs", sample.name);
        *(if sample.file.starts_with("rfc4475") { &mut old } else { &mut new }) += 1;
    }
    assert_eq!((old, new), (49, 12));
}

#[test]
fn line_feeds_alone_end_no_line() {
    for sample in corpus().iter().filter(|sample| sample.file.starts_with("rfc5118")) {
        let refused = Message::parse(sample.archived.clone()).expect_err(&sample.name);
        assert_eq!(refused.fault, Fault::LineEnd, "{}", sample.name);
    }
}

#[test]
fn what_is_accepted_goes_out_byte_for_byte() {
    for sample in corpus() {
        let Ok(message) = Message::parse(sample.bytes.clone()) else { continue };
        let end =
            if sample.name == "dblreq" { message.as_bytes().len() } else { sample.bytes.len() };
        assert_eq!(message.as_bytes()[..], sample.bytes[..end], "{}", sample.name);
        let call_id = message.call_id().expect("checked");
        assert_eq!(peek_call_id(&sample.bytes), Some(call_id.as_bytes()), "{}", sample.name);
    }
}

#[test]
fn a_stream_reads_what_a_datagram_holds() {
    for sample in corpus() {
        let mut framer = Framer::new();
        framer.feed(&sample.bytes);
        let framed = framer.poll_frame();
        match Message::parse(sample.bytes.clone()) {
            // RFC 2543 needed no Content-Length; on a stream nothing can be done without.
            Ok(_) if sample.name == "inv2543" => assert!(framed.is_err()),
            Ok(message) => match framed {
                Ok(Some(Frame::Message(framed))) => {
                    assert_eq!(framed.as_bytes(), message.as_bytes(), "{}", sample.name);
                }
                other => panic!("{}: {other:?}", sample.name),
            },
            Err(_) => {
                let taken = matches!(framed, Ok(Some(Frame::Message(_) | Frame::KeepAlive)));
                assert!(!taken, "{}", sample.name);
            }
        }
    }
}
