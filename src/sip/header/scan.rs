//! Reading header text: tokens, quoted strings, lists and parameters, without copying.
//!
//! Everything here works on unfolded text and knows the two places where a separator is not
//! one: inside `"…"` (with `\` before any character) and inside `<…>` (RFC 3261 §25.1).
//!
//! Always holds: a slice handed out is trimmed of spaces and tabs and lies inside the text given.

use std::borrow::Cow;

use crate::sip::header::swar;

/// The text is not what its header's grammar asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Which bytes may stand in a token, worked out by the compiler.
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut others = b"-.!%*_+`'~".as_slice();
    while let [first, rest @ ..] = others {
        table[*first as usize] = true;
        others = rest;
    }
    table
};

/// Tells whether `byte` may stand in a token (RFC 3261 §25.1).
pub fn is_token_byte(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// Tells whether `text` is a token: not empty and made of token bytes.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// Tells whether `byte` is a control character and not the tab, which counts as a blank.
pub fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// Removes spaces and tabs at both ends.
#[inline]
pub fn trim(text: &str) -> &str {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let bytes = text.as_bytes();
    if !blank(bytes.first()) && !blank(bytes.last()) {
        return text;
    }
    text.trim_matches([' ', '\t'])
}

/// Finds the first `wanted` outside quotes and angle brackets.
///
/// Refuses a quote or bracket that is opened and not closed before it.
pub fn find_outside(text: &str, wanted: u8) -> Result<Option<usize>, Malformed> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let Some(found) = swar::find_any(&bytes[at..], [wanted, b'"', b'<']) else {
            return Ok(None);
        };
        at += found;
        let inside = &bytes[at + 1..];
        at += match bytes[at] {
            byte if byte == wanted => return Ok(Some(at)),
            b'"' => quoted_len(inside).ok_or(Malformed)? + 2,
            _ => swar::find(inside, b'>').ok_or(Malformed)? + 2,
        };
    }
}

/// How far it is to the quote that ends a quoted string, given what follows its first.
pub fn quoted_len(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += swar::find_any(inside.get(at..)?, *b"\"\\")?;
        if inside[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Tells whether the whole of `text` is one quoted string, in which a control character stands
/// behind a backslash or not at all (RFC 3261 §25.1, `qdtext` and `quoted-pair`).
pub fn is_quoted(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('"') else {
        return false;
    };
    let mut bytes = inside.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return bytes.next().is_none(),
            b'\\' => drop(bytes.next()),
            stray if is_control(stray) => return false,
            _ => {}
        }
    }
    false
}

/// Cuts `text` at the first `separator` outside quotes and brackets, and trims both parts.
#[inline]
pub fn cut(text: &str, separator: u8) -> Result<(&str, Option<&str>), Malformed> {
    Ok(match find_outside(text, separator)? {
        Some(at) => (trim(&text[..at]), Some(trim(&text[at + 1..]))),
        None => (trim(text), None),
    })
}

/// Walks the elements of a comma list; each is trimmed and none is empty.
pub fn list(text: &str) -> impl Iterator<Item = Result<&str, Malformed>> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (element, after) = match cut(rest?, b',') {
            Ok(parts) => parts,
            Err(malformed) => {
                rest = None;
                return Some(Err(malformed));
            }
        };
        rest = after;
        Some(if element.is_empty() { Err(Malformed) } else { Ok(element) })
    })
}

/// Reads an unsigned number: digits and nothing else (RFC 3261 §25.1, `1*DIGIT`).
pub fn number<N: TryFrom<u64>>(text: &str) -> Result<N, Malformed> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed);
    }
    let wide: u64 = text.parse().map_err(|_| Malformed)?;
    N::try_from(wide).map_err(|_| Malformed)
}

/// Takes the quotes off a quoted string, and the backslashes out of it; other text is as it was.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        let kept = if character == '\\' { characters.next() } else { Some(character) };
        plain.extend(kept);
    }
    Cow::Owned(plain)
}

/// Writes `text` as a quoted string that reads back as `text`.
///
/// Line ends, which cannot be quoted (RFC 3261 §25.1), and NUL become spaces, so that no value can
/// begin a header of its own; other control characters stand behind a backslash.
pub fn quote(out: &mut impl std::fmt::Write, text: &str) -> std::fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '\r' | '\n' | '\0' => out.write_char(' ')?,
            '"' | '\\' | '\u{1}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}' => {
                out.write_char('\\')?;
                out.write_char(character)?;
            }
            plain => out.write_char(plain)?,
        }
    }
    out.write_char('"')
}
