//! Damages good input: the ways in which real damage and real attacks differ from it.
//!
//! Always holds: the same generator makes the same inputs, and none is longer than [`LONGEST`].
//!
//! Not here: what is done with them (`main.rs`).

use carillon::base::prng::Prng;

/// The longest input.
const LONGEST: usize = 8_000;

/// Bytes and words on which readers stumble.
const ODD: [&[u8]; 40] = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\r\n\r\n",
    b"\r\n ",
    b"\t",
    b" ",
    b";",
    b",",
    b":",
    b"<",
    b">",
    b"\"",
    b"\\",
    b"@",
    b"?",
    b"=",
    b"%",
    b"%00",
    b"/",
    b"[",
    b"]",
    b"::",
    b"{",
    b"}",
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"-1",
    b"0",
    b"255",
    b"65536",
    b"4294967295",
    b"4294967296",
    b"18446744073709551616",
    b"1e999",
    b"null",
    b"a=",
    b"m=audio",
    b"c=IN IP6 ::",
];

/// One of `seeds`, damaged in one to eight places.
pub(crate) fn damaged(prng: &mut Prng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[below(prng, seeds.len())].clone();
    for _ in 0..=prng.below(8) {
        damage(prng, seeds, &mut bytes);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn below(prng: &mut Prng, bound: usize) -> usize {
    prng.below(bound as u64) as usize
}

fn damage(prng: &mut Prng, seeds: &[Vec<u8>], bytes: &mut Vec<u8>) {
    let at = below(prng, bytes.len() + 1);
    let end = (at + below(prng, 40)).min(bytes.len());
    match prng.below(9) {
        0 if at < bytes.len() => bytes[at] = prng.next_u64() as u8,
        1 if at < bytes.len() => bytes[at] ^= 1 << prng.below(8),
        2 => drop(bytes.splice(at..at, ODD[below(prng, ODD.len())].iter().copied())),
        3 => drop(bytes.splice(at..end, ODD[below(prng, ODD.len())].iter().copied())),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let piece = bytes[at..end].to_vec();
            let times = 1 + below(prng, 4);
            bytes.splice(at..at, piece.repeat(times));
        }
        6 => bytes.truncate(at),
        7 => {
            let other = &seeds[below(prng, seeds.len())];
            let from = below(prng, other.len() + 1);
            let to = (from + below(prng, 200)).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => bytes.insert(at, prng.next_u64() as u8),
    }
}
