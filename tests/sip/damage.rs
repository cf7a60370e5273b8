//! Damages a message as a hand or a broken phone would: a byte, a word, or the rest of an element.
//!
//! Always holds: the same generator does the same damage.
//!
//! Not here: what is made of it (`oracle.rs`), and what attackers do (`tests/fuzz/damage.rs`).

use std::ops::Range;

use carillon::base::prng::Prng;

/// Bytes on which readers stumble, and a fold.
const ODD: [&[u8]; 26] = [
    b"\r", b"\n", b" ", b"\t", b";", b",", b":", b"<", b">", b"\"", b"\\", b"@", b"?", b"=", b"%",
    b"/", b"[", b"]", b"#", b"&", b"0", b"z", b"\0", b"\x7f", b"\xff", b"\r\n ",
];

/// Changes, removes, repeats or adds something.
pub(crate) fn damage(prng: &mut Prng, bytes: &mut Vec<u8>) {
    let at = below(prng, bytes.len());
    let odd = ODD[below(prng, ODD.len())];
    let word = around(bytes, at, b" \t\r\n,;:<>\"=@?/");
    match prng.below(9) {
        0 | 1 => drop(bytes.splice(at..=at, odd.iter().copied())),
        2 | 3 => drop(bytes.splice(at..at, odd.iter().copied())),
        4 => drop(bytes.remove(at)),
        5 => {
            let end = (at + below(prng, 40)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        6 => {
            let quoted = [b"\"", &bytes[word.clone()], b"\""].concat();
            bytes.splice(word, quoted);
        }
        7 => {
            let other = below(prng, bytes.len());
            let other = bytes[around(bytes, other, b" \r\n,;<>\"=@")].to_vec();
            bytes.splice(word, other);
        }
        _ => {
            let element = around(bytes, at, b" \r\n,;<>");
            bytes.drain(word.start..element.end);
        }
    }
}

fn below(prng: &mut Prng, bound: usize) -> usize {
    prng.below(bound as u64) as usize
}

/// Where the run of bytes around `at` lies that are none of `ends`.
fn around(bytes: &[u8], at: usize, ends: &[u8]) -> Range<usize> {
    let inside = |byte: &&u8| !ends.contains(byte);
    let before = bytes[..at].iter().rev().take_while(inside).count();
    let after = bytes[at..].iter().take_while(inside).count();
    at - before..at + after
}
