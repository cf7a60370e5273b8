//! How long reading and writing a SIP message takes, beside two other crates.
//!
//! | figure | what is timed |
//! |---|---|
//! | parse | bytes to a message that can be asked; Carillon also checks it (RFC 3261 §8.2) |
//! | parse and read | the same, and the values every message is asked for: top Via's branch, |
//! | | tags of From and To, Call-ID, CSeq |
//! | write | a 200 with SDP, made from the request it answers |
//!
//! Each crate does it the way its own documentation shows. Target: parse at least ten times as
//! fast as `rsip`. Times of a shared machine are noisy: the crates take turns, batch by batch,
//! and the middle of their batches is told. Instructions are exact; valgrind counts them.
//!
//!     cargo bench --bench codec
//!     cargo bench --bench codec -- --count
//!
//! Not here: whether they read the same (`tests/sip/oracle.rs`).

#[path = "jsonl.rs"]
mod jsonl;
mod sample;
#[path = "timing.rs"]
mod timing;
#[path = "valgrind.rs"]
mod valgrind;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::ResponseBuilder;
use rsip::prelude::HeadersExt;
use rsip::prelude::ToTypedHeader;
use rsip::prelude::UntypedHeader;
use sipx_sip::Limits;
use sipx_sip::headers;

use crate::jsonl::Jsonl;
use crate::sample::SDP;
use crate::timing::Piece;
use crate::timing::Times;
use crate::timing::piece;

/// How long each row is timed.
const EACH: Duration = Duration::from_millis(2_100);
/// Whose pieces a row has, in this order.
const SYSTEMS: [&str; 3] = ["carillon", "sipx-sip", "rsip"];
/// How many runs more the longer count has.
const COUNTED: u32 = 500;

/// One line of the table; not everybody has a piece in it.
struct Row {
    name: String,
    pieces: [Option<Piece<'static>>; 3],
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--run", row, system, runs] => run(row, system, runs.parse().expect("a number")),
        ["--count", ..] => tell_all("instructions", count),
        _ => tell_all("ns", time),
    }
}

/// Prints the table and writes it down, each row as `measure` finds it.
fn tell_all(unit: &str, measure: impl Fn(&mut Row) -> [Option<f64>; 3]) {
    let mut figures = Jsonl::create(if unit == "ns" { "codec" } else { "codec_count" });
    println!(
        "                        │ Carillon │ sipx-sip │     rsip │ ({unit})  rsip / Carillon"
    );
    for mut row in rows() {
        let values = measure(&mut row);
        let shown =
            values.map(|value| value.map_or_else(|| "–".into(), |value| format!("{value:.0}")));
        let [ours, theirs, strict] = &shown;
        let ratio = values[2].unwrap_or(f64::NAN) / values[0].unwrap_or(f64::NAN);
        println!("{:<23} │ {ours:>8} │ {theirs:>8} │ {strict:>8} │ {ratio:>17.1}", row.name);
        for (system, value) in SYSTEMS.iter().zip(values) {
            if let Some(value) = value {
                figures.add_of(system, &row.name, value, unit);
            }
        }
    }
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, text) in sample::all() {
        let bytes = Bytes::from(text);
        rows.push(Row { name: format!("{name}: parse"), pieces: parse(&bytes) });
        rows.push(Row { name: format!("{name}: parse and read"), pieces: read(&bytes) });
        if name == "INVITE" {
            rows.push(Row { name: "200: write".into(), pieces: write(&bytes) });
        }
    }
    rows
}

/// The middle of each system's batches.
fn time(row: &mut Row) -> [Option<f64>; 3] {
    let mut pieces: Vec<Piece<'_>> = row.pieces.iter_mut().filter_map(Option::take).collect();
    let medians: Vec<f64> =
        Times::in_turn(EACH, &mut pieces).iter().map(|times| times.quantile(0.5)).collect();
    match medians[..] {
        [ours, strict] => [Some(ours), None, Some(strict)],
        [ours, theirs, strict] => [Some(ours), Some(theirs), Some(strict)],
        _ => [None; 3],
    }
}

/// The instructions of one run of each system: those that more runs add, by valgrind.
fn count(row: &mut Row) -> [Option<f64>; 3] {
    let mut counts = [None; 3];
    for ((count, system), piece) in counts.iter_mut().zip(SYSTEMS).zip(&row.pieces) {
        if piece.is_some() {
            let few = executed(&row.name, system, COUNTED);
            let many = executed(&row.name, system, 2 * COUNTED);
            *count = Some((many - few) / f64::from(COUNTED));
        }
    }
    counts
}

/// All instructions of a process that runs one piece so many times.
fn executed(row: &str, system: &str, runs: u32) -> f64 {
    let tool = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"];
    valgrind::run(&tool, &["--run", row, system, &runs.to_string()]).number("I refs")
}

fn run(row: &str, system: &str, runs: u32) {
    let row = rows().into_iter().find(|known| known.name == row).expect("a row");
    let nth = SYSTEMS.iter().position(|known| *known == system).expect("a system");
    let mut pieces = row.pieces;
    pieces[nth].as_mut().expect("it takes part")(runs);
}

fn parse(bytes: &Bytes) -> [Option<Piece<'static>>; 3] {
    let limits = Limits::datagram();
    let [ours, theirs, strict] = [bytes.clone(), bytes.clone(), bytes.clone()];
    [
        Some(piece(move || Message::parse(ours.clone()).is_ok())),
        Some(piece(move || sipx_sip::parse_datagram(theirs.clone(), &limits).is_ok())),
        Some(piece(move || rsip::SipMessage::try_from(&strict[..]).is_ok())),
    ]
}

fn read(bytes: &Bytes) -> [Option<Piece<'static>>; 3] {
    let [its, theirs_of, strict_of] = [bytes.clone(), bytes.clone(), bytes.clone()];
    [
        Some(piece(move || ours(&its).expect("it can be read"))),
        Some(piece(move || theirs(&theirs_of).expect("it can be read"))),
        Some(piece(move || strict(&strict_of).expect("it can be read"))),
    ]
}

fn ours(bytes: &Bytes) -> Option<u32> {
    let message = Message::parse(bytes.clone()).ok()?;
    black_box(message.top_via().ok()?.branch());
    black_box(message.from().ok()?.tag());
    black_box(message.to().ok()?.tag());
    black_box(message.call_id().ok()?);
    Some(message.cseq().ok()?.number)
}

fn theirs(bytes: &Bytes) -> Option<u32> {
    let message = sipx_sip::parse_datagram(bytes.clone(), &Limits::datagram()).ok()?;
    let found = message.headers();
    black_box(found.typed::<headers::Via>()?.ok()?.branch());
    black_box(found.typed::<headers::From>()?.ok()?.tag());
    black_box(found.typed::<headers::To>()?.ok()?.tag());
    black_box(found.typed::<headers::CallId>()?.ok()?);
    Some(found.typed::<headers::CSeq>()?.ok()?.sequence)
}

fn strict(bytes: &Bytes) -> Option<u32> {
    let message = rsip::SipMessage::try_from(&bytes[..]).ok()?;
    black_box(message.via_header().ok()?.typed().ok()?.branch());
    black_box(message.from_header().ok()?.typed().ok()?.tag());
    black_box(message.to_header().ok()?.typed().ok()?.tag());
    black_box(message.call_id_header().ok()?.value());
    Some(message.cseq_header().ok()?.typed().ok()?.seq)
}

/// A 200 with SDP, from a request that is there already to the bytes to send.
fn write(invite: &Bytes) -> [Option<Piece<'static>>; 3] {
    let request = Message::parse(invite.clone()).expect("it can be read");
    let read = rsip::Request::try_from(&invite[..]).expect("it can be read");
    let ours = move || {
        ResponseBuilder::to(&request, 200)
            .to_tag("c81e728d9d4c")
            .header(Name::Contact, "<sip:acd@192.0.2.10:5060>")
            .body("application/sdp", SDP.as_bytes().to_vec())
            .build()
    };
    [Some(piece(ours)), None, Some(piece(move || Bytes::from(ok(&read))))]
}

/// The same response by `rsip`.
fn ok(request: &rsip::Request) -> Vec<u8> {
    use rsip::Header;
    let mut headers = rsip::Headers::default();
    for header in request.headers.iter() {
        if matches!(
            header,
            Header::Via(_)
                | Header::RecordRoute(_)
                | Header::From(_)
                | Header::CallId(_)
                | Header::CSeq(_)
        ) {
            headers.push(header.clone());
        }
    }
    let to = request.to_header().ok().and_then(|to| to.typed().ok());
    let to = to.map(|to| to.with_tag("c81e728d9d4c".into()));
    headers.push(to.expect("a To that can be read").into());
    headers.push(Header::Contact("<sip:acd@192.0.2.10:5060>".into()));
    headers.push(Header::ContentType("application/sdp".into()));
    headers.push(Header::ContentLength(SDP.len().to_string().into()));
    rsip::Response {
        status_code: rsip::StatusCode::OK,
        version: rsip::Version::V2,
        headers,
        body: SDP.as_bytes().to_vec(),
    }
    .into()
}
