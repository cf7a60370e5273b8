//! Parameters: the `;name=value` tail of a URI or a header value.
//!
//! Kept as the text they came in, behind one short string, and read on demand: most are never
//! looked at, and all go out again exactly as they came, in their order.
//!
//! Always holds: the text is empty or starts with `;`, and every element has a name.
//!
//! Not here: `name=value` lists separated by commas, as in authentication ([`crate::sip::digest`]).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use compact_str::format_compact;
use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;

/// The parameters of a URI or a header value, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params {
    text: CompactString,
}

impl Params {
    /// No parameters.
    pub const EMPTY: Self = Self { text: CompactString::const_new("") };

    /// Takes a row of parameters that was looked at already.
    pub(in crate::sip) fn from_plain(text: &str) -> Self {
        Self { text: CompactString::from(text) }
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Walks name and value as written; a quoted value keeps its quotes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        elements(&self.text).filter_map(|element| scan::cut(element.ok()?, b'=').ok())
    }

    /// Tells whether `name` is among them, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.iter().any(|(found, _)| found.eq_ignore_ascii_case(name))
    }

    /// The value of `name` as written; `None` where the name or the value is missing.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).and_then(|found| found.1)
    }

    /// The value of `name` without quotes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(scan::unquote)
    }

    /// Adds `name`, or gives it another value in its place. `value` is written as it is.
    ///
    /// What would not read back as one parameter is left out.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let element = match value {
            Some(value) => format_compact!("{name}={value}"),
            None => CompactString::from(name),
        };
        if check_element(&element).is_err() {
            return;
        }
        let mut text = CompactString::default();
        let mut replaced = false;
        for kept in elements(&self.text).flatten() {
            text.push(';');
            if !replaced && is_named(kept, name) {
                replaced = true;
                text.push_str(&element);
            } else {
                text.push_str(kept);
            }
        }
        if !replaced {
            text.push(';');
            text.push_str(&element);
        }
        self.text = text;
    }

    /// The same with `name` set; see [`Params::set`].
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.set(name, value);
        self
    }

    /// Takes every `name` out.
    pub fn remove(&mut self, name: &str) {
        let mut text = CompactString::default();
        for kept in elements(&self.text).flatten().filter(|element| !is_named(element, name)) {
            text.push(';');
            text.push_str(kept);
        }
        self.text = text;
    }
}

impl FromStr for Params {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        check(text)?;
        Ok(Self { text: CompactString::from(text) })
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Refuses text that is not a row of parameters, each led by `;`.
pub fn check(text: &str) -> Result<(), Malformed> {
    if !text.is_empty() && !text.starts_with(';') {
        return Err(Malformed);
    }
    elements(text).try_for_each(|element| check_element(element?))
}

/// Walks the elements after each `;`.
#[inline]
fn elements(text: &str) -> impl Iterator<Item = Result<&str, Malformed>> {
    let mut rest = text.strip_prefix(';');
    std::iter::from_fn(move || match scan::cut(rest?, b';') {
        Ok((element, after)) => {
            rest = after;
            Some(Ok(element))
        }
        Err(malformed) => {
            rest = None;
            Some(Err(malformed))
        }
    })
}

fn is_named(element: &str, name: &str) -> bool {
    scan::cut(element, b'=').is_ok_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

fn check_element(element: &str) -> Result<(), Malformed> {
    let (name, value) = scan::cut(element, b'=')?;
    let plain = |text: &str| text.bytes().all(is_param_byte);
    let named = !name.is_empty() && plain(name);
    let valued = value.is_none_or(|value| plain(value) || is_quoted(value));
    if named && valued { Ok(()) } else { Err(Malformed) }
}

/// Wider than the grammar on purpose: what cannot be mistaken for a separator is let through.
fn is_param_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && !matches!(byte, b'"' | b'<' | b'>' | b',' | b';')
}

/// Tells whether the whole of `text` is one quoted string.
fn is_quoted(text: &str) -> bool {
    let inside = text.strip_prefix('"').map(str::as_bytes);
    let closed = |inside: &[u8]| scan::quoted_len(inside).is_some_and(|at| at + 1 == inside.len());
    inside.is_some_and(closed)
}
