//! The torture messages of RFC 4475 and RFC 5118, byte for byte, with what the RFCs ask.
//!
//! Always holds: the bytes are those of the archives in the RFCs; `SHA256SUMS` says so and
//! `tests/sip/torture.rs` looks.
//!
//! Not here: what the notation and the columns mean (`tests/sip/torture/required.md`).

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;

/// One message of the corpus.
pub(crate) struct Sample {
    /// Its name in the RFC.
    pub(crate) name: String,
    /// The file it is in the RFC's archive, below a folder named after the RFC.
    pub(crate) file: String,
    /// The section that prints it.
    pub(crate) section: String,
    /// The message as the archive has it.
    pub(crate) archived: Bytes,
    /// The message as it goes over the wire.
    pub(crate) bytes: Bytes,
    /// What the codec must make of it: `read`, `dropped`, or the status that refuses it.
    pub(crate) codec: String,
    /// What a node answers over UDP: a status, or `silence`.
    pub(crate) udp: String,
}

/// Where the messages are.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sip/torture")
}

/// Reads the whole corpus, in the order of the RFCs.
pub(crate) fn corpus() -> Vec<Sample> {
    let table = fs::read_to_string(folder().join("required.md")).expect("the table is checked in");
    table.lines().filter_map(sample).collect()
}

/// Reads one row of the table and the message it names.
fn sample(row: &str) -> Option<Sample> {
    let cells: Vec<&str> = row.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    let [name, section, _, codec, udp] = cells[..] else { return None };
    if name == "message" {
        return None;
    }
    let old = section.starts_with("3.");
    let (rfc, ending) = if old { ("rfc4475", ".dat") } else { ("rfc5118", "") };
    let path = folder().join(rfc).join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let archived = expand(&text, if old { b"\r\n" } else { b"\n" });
    let bytes = if old { archived.clone() } else { on_the_wire(&archived) };
    Some(Sample {
        name: name.into(),
        file: format!("{rfc}/{name}{ending}"),
        section: section.into(),
        archived: archived.into(),
        bytes: bytes.into(),
        codec: codec.into(),
        udp: udp.into(),
    })
}

/// Carries out the notation.
fn expand(text: &str, line_end: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        let mut joined = false;
        while let Some((before, escape)) = rest.split_once('\\') {
            bytes.extend_from_slice(before.as_bytes());
            joined = escape.is_empty();
            rest = escape;
            if let Some(after) = escape.strip_prefix('\\') {
                bytes.push(b'\\');
                rest = after;
            } else if let Some(digits) = escape.strip_prefix('x') {
                bytes.push(u8::from_str_radix(&digits[..2], 16).expect("hexadecimal"));
                rest = &digits[2..];
            }
        }
        bytes.extend_from_slice(rest.as_bytes());
        if !joined {
            bytes.extend_from_slice(line_end);
        }
    }
    bytes
}

/// A message of RFC 5118 with CRLF, a closed head, and the length its body really has.
fn on_the_wire(archived: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(archived).expect("ASCII").replace('\n', "\r\n");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| (text.trim_end(), ""));
    let (before, length) = head.rsplit_once("Content-Length: ").expect("each has one");
    let rest = length.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}Content-Length: {}{rest}\r\n\r\n{body}", body.len()).into_bytes()
}
