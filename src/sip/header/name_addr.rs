//! An address with a name: From, To, Contact, Route, Record-Route, P-Asserted-Identity and others.
//!
//! Two forms (RFC 3261 §20.10): `"Name" <uri>;params`, and the bare `uri;params`, where every
//! parameter belongs to the header and the URI can hold neither `;`, `?` nor `,` (§20).
//!
//! Reading accepts any unquoted name that nobody can take for an address, non-ASCII included,
//! because phones send them; writing always quotes. Spaces inside `<…>` are refused (RFC 4475
//! §3.1.2.14).
//!
//! Always holds: what [`NameAddr`] prints reads back as the same value.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::Deserialize;
use serde::Serialize;

use crate::sip::header::param;
use crate::sip::header::param::Params;
use crate::sip::header::scan;
use crate::sip::header::scan::Malformed;
use crate::sip::plain;
use crate::sip::uri;
use crate::sip::uri::Uri;

/// An address, perhaps with a name to show, and the header's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NameAddr {
    /// The name to show, without quotes.
    pub display: Option<CompactString>,
    /// The address.
    pub uri: Uri,
    /// The header's parameters, not the URI's.
    pub params: Params,
}

impl NameAddr {
    /// An address with neither name nor parameters.
    pub fn new(uri: Uri) -> Self {
        Self { display: None, uri, params: Params::EMPTY }
    }

    /// The same with a name to show.
    #[must_use]
    pub fn with_display(mut self, name: &str) -> Self {
        self.display = Some(CompactString::from(name));
        self
    }

    /// The same with header parameter `name`.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Self {
        self.params.set(name, value);
        self
    }

    /// The tag, which names one side of a dialog (RFC 3261 §19.3).
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag")
    }

    /// Tells whether a route is loose, as every route should be (RFC 3261 §19.1.1, `lr`).
    pub fn is_loose(&self) -> bool {
        self.uri.params.has("lr")
    }
}

/// The three parts as slices of the text.
struct Parts<'a> {
    display: &'a str,
    uri: &'a str,
    params: &'a str,
}

impl FromStr for NameAddr {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(plain::Address { display, uri, target, params }) =
            plain::address(text.as_bytes())
        {
            let display = (!display.is_empty()).then(|| CompactString::from(&text[display]));
            let uri = Uri::from_plain(&text[uri], target);
            return Ok(Self { display, uri, params: Params::from_plain(&text[params]) });
        }
        let parts = split(text)?;
        let name = scan::unquote(parts.display);
        Ok(Self {
            display: (!name.is_empty()).then(|| CompactString::from(name)),
            uri: parts.uri.parse()?,
            params: parts.params.parse()?,
        })
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.display {
            scan::quote(f, name)?;
            f.write_str(" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

/// Refuses text that is not an address, without keeping anything.
pub(in crate::sip) fn check(text: &str) -> Result<(), Malformed> {
    let parts = split(text)?;
    uri::check(parts.uri)?;
    param::check(parts.params)
}

fn split(text: &str) -> Result<Parts<'_>, Malformed> {
    let text = scan::trim(text);
    let Some(open) = find_bracket(text)? else {
        let (uri, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let uri = scan::trim(uri);
        // RFC 3261 §20: a URI with a comma, question mark or semicolon has to be in brackets.
        let bare = !uri.contains([',', '?']);
        return if bare { Ok(Parts { display: "", uri, params }) } else { Err(Malformed) };
    };
    let close = open + text[open..].find('>').ok_or(Malformed)?;
    let display = scan::trim(&text[..open]);
    if !is_display(display) {
        return Err(Malformed);
    }
    let (uri, params) = (&text[open + 1..close], scan::trim(&text[close + 1..]));
    Ok(Parts { display, uri, params })
}

/// Finds the `<` that opens the URI, behind a quoted name if there is one.
fn find_bracket(text: &str) -> Result<Option<usize>, Malformed> {
    let Some(inside) = text.strip_prefix('"') else {
        return Ok(text.find(['<', ';']).filter(|at| text.as_bytes()[*at] == b'<'));
    };
    let close = scan::quoted_len(inside.as_bytes()).ok_or(Malformed)?;
    let rest = inside[close + 1..].trim_start_matches([' ', '\t']);
    if rest.starts_with('<') { Ok(Some(text.len() - rest.len())) } else { Err(Malformed) }
}

/// A quoted string, or words without what begins, ends or parts an address; `<` has been found.
fn is_display(text: &str) -> bool {
    let odd = |byte: u8| scan::is_control(byte) || b"\",;>\\".contains(&byte);
    scan::is_quoted(text) || !text.bytes().any(odd)
}
