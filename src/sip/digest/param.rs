//! The `scheme name=value, name=value` form authentication headers share (RFC 3261 §25.1).
//!
//! Not here: what the names mean (`challenge`, `credentials`).

use std::fmt;

use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// One challenge or one set of credentials, as names and values.
#[derive(Debug, Default)]
pub(super) struct AuthParams<'a> {
    pub(super) scheme: &'a str,
    params: Vec<(&'a str, &'a str)>,
}

impl<'a> AuthParams<'a> {
    /// Reads a header line; a line may hold several challenges, each led by its scheme.
    pub(super) fn read(line: &'a str) -> Result<Vec<Self>, Malformed> {
        let mut found: Vec<Self> = Vec::new();
        for element in scan::list(line) {
            let element = element?;
            let (head, value) = scan::cut(element, b'=')?;
            let name = match head.split_once([' ', '\t']) {
                Some((scheme, name)) => {
                    found.push(Self { scheme, params: Vec::new() });
                    scan::trim(name)
                }
                None => head,
            };
            let value = value.ok_or(Malformed)?;
            let params = &mut found.last_mut().ok_or(Malformed)?.params;
            let repeated = params.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
            if repeated || !scan::is_token(name.as_bytes()) || !is_one_value(value) {
                return Err(Malformed);
            }
            params.push((name, value));
        }
        Ok(found)
    }

    /// The value of `name` without its quotes; backslashes stay, as they are hashed with it.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Some(inner.unwrap_or(value))
    }

    /// The value of `name` as text of our own.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }
}

/// Tells whether `value` is one quoted string to its end, or holds nothing that quotes.
fn is_one_value(value: &str) -> bool {
    match value.strip_prefix('"') {
        Some(inside) => {
            scan::quoted_len(inside.as_bytes()).is_some_and(|end| end + 1 == inside.len())
        }
        None => !value.contains(['"', '\\']),
    }
}

/// Writes `name="value"`; the value has its backslashes already.
pub(super) fn quoted(f: &mut fmt::Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    write!(f, "{name}=\"{value}\"")
}

/// Writes `, name="value"` where there is a value.
pub(super) fn also(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => {
            f.write_str(", ")?;
            quoted(f, name, value)
        }
        None => Ok(()),
    }
}

/// Puts backslashes before what needs them between quotes; line ends and NUL become spaces.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\r' | '\n' | '\0' => escaped.push(' '),
            '"' | '\\' => escaped.extend(['\\', character]),
            plain => escaped.push(plain),
        }
    }
    escaped
}
