//! Every message of RFC 4475 and the single ones of RFC 5118, each with what is read from it.
//!
//! The messages are in `torture/*.txt`, in the notation of RFC 4475 §2. What Carillon makes of
//! each is in `torture/verdicts.txt`: the fault and the status that answers it, or what a
//! transaction and a dialog need to know. `UPDATE=1` writes that file anew; the diff is the review.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use carillon::sip::Message;
use carillon::sip::NameAddr;
use carillon::sip::Via;
use carillon::sip::check::refusal_of;
use carillon::sip::peek_call_id;
use carillon::sip::stream::Frame;
use carillon::sip::stream::Framer;

/// One message of the corpus.
pub(crate) struct Sample {
    /// Its name in the RFC.
    pub(crate) name: String,
    /// The section and title.
    pub(crate) title: String,
    /// The message, byte for byte.
    pub(crate) bytes: Bytes,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sip/torture")
}

/// Reads the whole corpus, in the order of the RFCs.
pub(crate) fn corpus() -> Vec<Sample> {
    let files = ["valid.txt", "invalid.txt", "layers.txt", "ipv6.txt"];
    let mut samples = Vec::new();
    for file in files {
        let text = fs::read_to_string(folder().join(file)).expect("the corpus is checked in");
        // The line end before a name closes the message before it.
        let text = text.strip_suffix('\n').unwrap_or(&text);
        for sample in text.split("\n=== ").skip(1) {
            let (head, body) = sample.split_once('\n').expect("a message after its name");
            let (name, title) = head.split_once(' ').expect("a title after the name");
            let bytes = Bytes::from(expand(&format!("{body}\n")));
            samples.push(Sample { name: name.into(), title: title.into(), bytes });
        }
    }
    samples
}

/// Carries out the notation: joined lines, repeated text, bytes in hexadecimal, CRLF.
fn expand(text: &str) -> Vec<u8> {
    let mut lines = String::new();
    let mut joining = false;
    for line in text.lines() {
        match line {
            "<allOneLine>" => joining = true,
            "</allOneLine>" => {
                joining = false;
                lines.push_str("\r\n");
            }
            line if joining => lines.push_str(line),
            line => {
                lines.push_str(line);
                lines.push_str("\r\n");
            }
        }
    }
    let mut bytes = Vec::new();
    let mut rest = lines.as_str();
    while let Some((before, tagged)) = rest.split_once('<') {
        bytes.extend_from_slice(before.as_bytes());
        rest = tagged;
        if let Some((digits, after)) =
            tagged.strip_prefix("hex>").and_then(|it| it.split_once("</hex>"))
        {
            bytes.extend(unhex(digits));
            rest = after;
        } else if let Some(counted) = tagged.strip_prefix("repeat count=") {
            let (count, after) = counted.split_once('>').expect("a count");
            let (repeated, after) = after.split_once("</repeat>").expect("an end");
            bytes.extend(repeated.repeat(count.parse().expect("a number")).bytes());
            rest = after;
        } else {
            bytes.push(b'<');
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

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
        let _ = writeln!(judged, "\n{} {}", sample.name, sample.title);
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
fn every_bad_message_is_refused_but_one() {
    let bad = |sample: &Sample| {
        sample.title.starts_with("3.1.2.") || ["insuf", "multi01", "mcl01"].contains(&&*sample.name)
    };
    let accepted: Vec<_> = corpus()
        .into_iter()
        .filter(|sample| bad(sample) && Message::parse(sample.bytes.clone()).is_ok())
        .map(|sample| sample.name)
        .collect();
    // RFC 4475 §3.1.2.12 lets an element ignore the Date; a call is worth more than its date.
    assert_eq!(accepted, ["baddate"]);
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
