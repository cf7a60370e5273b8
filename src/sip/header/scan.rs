//! Reading header text: tokens, quoted strings, lists and parameters, without copying.
//!
//! Everything here works on unfolded text and knows the two places where a separator is not
//! one: inside `"…"` (with `\` before any character) and inside `<…>` (RFC 3261 §25.1).
//!
//! Always holds: a slice handed out is trimmed of spaces and tabs and lies inside the text given.

use std::borrow::Cow;

/// The text is not what its header's grammar asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Tells whether `byte` may stand in a token (RFC 3261 §25.1).
pub const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Tells whether `text` is a token: not empty and made of token bytes.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// Removes spaces and tabs at both ends.
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Finds the first of `wanted` outside quotes and angle brackets.
///
/// Refuses a quote or bracket that is opened and not closed before it.
pub fn find_outside(text: &str, wanted: &[u8]) -> Result<Option<usize>, Malformed> {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if bracketed {
            bracketed = byte != b'>';
        } else if wanted.contains(&byte) {
            return Ok(Some(at));
        } else {
            quoted = byte == b'"';
            bracketed = byte == b'<';
        }
    }
    if quoted || bracketed { Err(Malformed) } else { Ok(None) }
}

/// Cuts `text` at the first `separator` outside quotes and brackets, and trims both parts.
pub fn cut(text: &str, separator: u8) -> Result<(&str, Option<&str>), Malformed> {
    Ok(match find_outside(text, &[separator])? {
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
/// Line ends and NUL cannot be quoted (RFC 3261 §25.1) and become spaces, so that no value can
/// begin a header of its own.
pub fn quote(out: &mut impl std::fmt::Write, text: &str) -> std::fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '\r' | '\n' | '\0' => out.write_char(' ')?,
            '"' | '\\' => {
                out.write_char('\\')?;
                out.write_char(character)?;
            }
            plain => out.write_char(plain)?,
        }
    }
    out.write_char('"')
}
