//! The bytes of everything stored, compared with those kept in `stored/` (`UPDATE=1` writes them).
//!
//! A difference means that this program cannot read what an earlier one wrote: then the codec needs
//! a new version, not the file.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use carillon::acd::command::Entry;
use carillon::base::id::RequestId;
use carillon::base::time::ClusterTime;
use carillon::cluster::codec;
use carillon::cluster::codec::Ballot;
use carillon::cluster::codec::CodecError;
use carillon::cluster::codec::Point;
use carillon::cluster::codec::decode_payload;
use carillon::cluster::codec::encode_payload;
use carillon::cluster::types::Payload;
use carillon::cluster::types::Proposal;
use openraft::EntryPayload;
use raft_log::codeq::Decode;
use raft_log::codeq::Encode;

use crate::sample;

fn compare(name: &str, bytes: &[u8]) {
    let path = PathBuf::from("tests/cluster/stored").join(format!("{name}.hex"));
    let mut hex = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            write!(hex, "{byte:02x}").unwrap();
        }
        hex.push('\n');
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &hex).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, hex, "the bytes of {name} have changed, or are new (UPDATE=1 writes them)");
}

fn payload_of(command: carillon::acd::command::Command) -> Payload {
    let entry =
        Entry { proposed_at: ClusterTime(1_700_000_000_000), request: RequestId(42), command };
    EntryPayload::Normal(Proposal(entry))
}

#[test]
fn every_command_has_the_bytes_it_always_had() {
    for (name, command) in sample::commands() {
        let payload = payload_of(command);
        let bytes = encode_payload(&payload);
        assert!(decode_payload(&bytes).unwrap() == payload, "{name}");
        compare(&format!("command_{name}"), &bytes);
    }
}

#[test]
fn every_command_is_sampled() {
    let source = fs::read_to_string("src/acd/command.rs").unwrap();
    let body = source.split("pub enum Command {").nth(1).unwrap().split("\n}").next().unwrap();
    let named = body
        .lines()
        .filter(|line| line.starts_with("    ") && line[4..].starts_with(char::is_uppercase))
        .map(|line| line.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned())
        .collect::<std::collections::BTreeSet<_>>();
    let sampled = sample::commands()
        .iter()
        .map(|(_, command)| {
            let text = format!("{command:?}");
            text.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
        })
        .collect::<std::collections::BTreeSet<_>>();
    assert_eq!(sampled, named);
}

#[test]
fn rafts_own_pieces_have_the_bytes_they_always_had() {
    let blank = encode_payload(&EntryPayload::Blank);
    assert!(decode_payload(&blank).unwrap() == EntryPayload::Blank);
    compare("blank", &blank);

    let members = EntryPayload::Membership(sample::members());
    let bytes = encode_payload(&members);
    assert!(decode_payload(&bytes).unwrap() == members);
    compare("members", &bytes);

    let mut bytes = Vec::new();
    let point = Point { term: 3, node: 2, index: 0x0102_0304 };
    assert_eq!(point.encode(&mut bytes).unwrap(), bytes.len());
    assert_eq!(Point::decode(&bytes[..]).unwrap(), point);
    compare("point", &bytes);

    let mut bytes = Vec::new();
    let ballot = Ballot { term: 3, node: 2, committed: true };
    assert_eq!(ballot.encode(&mut bytes).unwrap(), bytes.len());
    assert_eq!(Ballot::decode(&bytes[..]).unwrap(), ballot);
    compare("ballot", &bytes);
}

#[test]
fn an_unknown_version_is_named_and_nothing_is_guessed() {
    let (_, command) = sample::commands().remove(0);
    let mut bytes = encode_payload(&payload_of(command));
    bytes[0] = 9;
    let unknown = CodecError::UnknownVersion {
        what: "an entry of the log",
        found: 9,
        known: codec::VERSION.into(),
    };
    assert_eq!(decode_payload(&bytes).unwrap_err(), unknown);
    assert_eq!(
        unknown.to_string(),
        "an entry of the log has format version 9; this program reads version 1"
    );
    let error = Point::decode(&[9; 25][..]).unwrap_err();
    assert!(error.to_string().contains("a log position has format version 9"), "{error}");
}

#[test]
fn what_is_cut_short_or_too_long_is_refused() {
    for (name, command) in sample::commands() {
        let bytes = encode_payload(&payload_of(command));
        for length in 0..bytes.len() {
            assert!(decode_payload(&bytes[..length]).is_err(), "{name} cut at {length}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(decode_payload(&longer).is_err(), "{name} with a byte more");
    }
    assert!(decode_payload(&[codec::VERSION, 77]).is_err());
}
