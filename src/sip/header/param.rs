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

/// Refuses text that is not a row of header parameters, each led by `;`.
pub fn check(text: &str) -> Result<(), Malformed> {
    if !text.is_empty() && !text.starts_with(';') {
        return Err(Malformed);
    }
    elements(text).try_for_each(|element| check_element(element?))
}

/// Refuses text that is not a row of URI parameters, each led by `;`; what may not stand in a URI
/// at all was looked for before.
///
/// Wider than RFC 3261 §25.1, `paramchar`, on purpose: the URI is only passed on.
pub(in crate::sip) fn check_in_uri(text: &str) -> Result<(), Malformed> {
    let mut elements = text.strip_prefix(';').into_iter().flat_map(|rest| rest.split(';'));
    let nameless = |element: &str| element.is_empty() || element.starts_with('=');
    let odd = elements.any(|element| nameless(element) || element.contains(','));
    if odd { Err(Malformed) } else { Ok(()) }
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

/// `generic-param = token [ EQUAL gen-value ]` (RFC 3261 §25.1)
fn check_element(element: &str) -> Result<(), Malformed> {
    let (name, value) = scan::cut(element, b'=')?;
    let valued = value.is_none_or(|value| is_word(value) || scan::is_quoted(value));
    if scan::is_token(name.as_bytes()) && valued { Ok(()) } else { Err(Malformed) }
}

/// A token or a host; also what else phones put into tags and branches, where nothing can be
/// mistaken for the end of the value.
fn is_word(text: &str) -> bool {
    let may_stand = |byte: u8| scan::is_token_byte(byte) || b"[]:/=@$&?{}|#".contains(&byte);
    !text.is_empty() && text.bytes().all(may_stand)
}
