//! What a transaction and a dialog read from a message, once by Carillon and once by `sipx-sip`.
//!
//! Both sides are brought to one form: hosts by their value, names of parameters in lower case,
//! quoted values without their quotes. Tags, branches and what else names something stay as each
//! side hands them out.
//!
//! Not here: what becomes of a difference (`oracle.rs`).

use bytes::Bytes;
use carillon::sip::Message;
use carillon::sip::NameAddr;
use carillon::sip::Uri;
use carillon::sip::Via;
use carillon::sip::header::param::Params;
use carillon::sip::header::scan;
use sipx_sip::Finding;
use sipx_sip::Limits;
use sipx_sip::headers;
use sipx_sip::headers::ContactValue;

/// One message as one side has read it.
#[derive(Debug, PartialEq)]
pub(crate) struct Reading {
    first: First,
    hops: Vec<Hop>,
    from: Party,
    to: Party,
    /// Of a request; whoever reads those of a response does so later.
    contacts: Vec<Party>,
    call_id: String,
    cseq: u32,
    /// How many header lines there are.
    lines: usize,
    body: Vec<u8>,
}

#[derive(Debug, PartialEq)]
enum First {
    Request(String, Target),
    Response(u16, String),
}

#[derive(Debug, PartialEq)]
struct Hop {
    transport: String,
    host: String,
    port: Option<u16>,
    branch: Option<String>,
    received: Option<String>,
    params: Vec<Param>,
}

#[derive(Debug, PartialEq)]
struct Party {
    display: String,
    target: Target,
    tag: Option<String>,
    params: Vec<Param>,
}

#[derive(Debug, PartialEq)]
struct Target {
    scheme: String,
    /// All that follows the scheme where it is not SIP's.
    user: Option<String>,
    password: Option<String>,
    host: String,
    port: Option<u16>,
    params: String,
    headers: String,
}

type Param = (String, Option<String>);

/// A host to compare: any case, and an address by its value, however it is written.
fn host(text: &str) -> String {
    let text = text.to_lowercase();
    carillon::sip::uri::ip_of(&text).map_or(text, |ip| ip.to_string())
}

/// What Carillon reads; nothing where it refuses the message.
pub(crate) fn ours(bytes: &Bytes) -> Option<Reading> {
    let message = Message::parse(bytes.clone()).ok()?;
    let first = match message.status() {
        None => First::Request(message.method().to_string(), target(&message.request_uri().ok()?)),
        Some(status) => First::Response(status, message.reason().to_owned()),
    };
    let contacts = if message.is_request() { message.contacts().ok()? } else { Vec::new() };
    Some(Reading {
        first,
        hops: message.vias().ok()?.iter().map(hop).collect(),
        from: party(&message.from().ok()?),
        to: party(&message.to().ok()?),
        contacts: contacts.iter().map(party).collect(),
        call_id: message.call_id().ok()?.to_owned(),
        cseq: message.cseq().ok()?.number,
        lines: message.all_headers().count(),
        body: message.body().to_vec(),
    })
}

fn hop(via: &Via) -> Hop {
    Hop {
        transport: via.transport.to_string(),
        host: host(&via.sent_by.host),
        port: via.sent_by.port,
        branch: via.branch().map(str::to_owned),
        received: via.params.value("received").map(str::to_owned),
        params: params(&via.params),
    }
}

fn party(address: &NameAddr) -> Party {
    Party {
        display: address.display.as_deref().unwrap_or_default().to_owned(),
        target: target(&address.uri),
        tag: address.tag().map(str::to_owned),
        params: params(&address.params),
    }
}

fn params(params: &Params) -> Vec<Param> {
    let unquoted = |text| scan::unquote(text).into_owned();
    params.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.map(unquoted))).collect()
}

fn target(uri: &Uri) -> Target {
    let (user, params) = (uri.user.as_deref().map(str::to_owned), uri.params.to_string());
    let apart = matches!(uri.scheme.as_str(), "sip" | "sips");
    let whole = || user.clone().map(|user| user + &params);
    Target {
        scheme: uri.scheme.as_str().to_ascii_lowercase(),
        user: if apart { user.clone() } else { whole() },
        password: uri.password.as_deref().map(str::to_owned),
        host: host(&uri.host),
        port: uri.port,
        params: if apart { params.clone() } else { String::new() },
        headers: uri.headers.as_deref().map_or_else(String::new, |headers| format!("?{headers}")),
    }
}

/// What the other reads; nothing where it refuses the message.
pub(crate) fn theirs(bytes: &Bytes) -> Option<Reading> {
    let message = sipx_sip::parse_datagram(bytes.clone(), &Limits::datagram()).ok()?;
    // A missing Max-Forwards is repairable (RFC 3261 §16.6) and no fault to us.
    if sipx_sip::validate(&message).iter().any(|finding| !Finding::is_repairable(finding)) {
        return None;
    }
    let found = message.headers();
    let (first, contacts) = if let Some(request) = message.as_request() {
        // Carillon looks at the Contacts of a request at once, the other when it is asked.
        let contacts = found.typed_all::<ContactValue>().collect::<Result<Vec<_>, _>>().ok()?;
        (First::Request(text(request.method.as_bytes()), their_target(&request.uri)), contacts)
    } else {
        let response = message.as_response()?;
        (First::Response(response.status.code(), utf8(&response.reason)), Vec::new())
    };
    let contacts = contacts.iter().filter_map(|contact| match contact {
        ContactValue::Address(address) => Some(their_party(address)),
        ContactValue::Wildcard => None,
    });
    let hops: Vec<headers::Via> = found.typed_all().collect::<Result<_, _>>().ok()?;
    Some(Reading {
        first,
        hops: hops.iter().map(their_hop).collect(),
        from: their_party(&found.typed::<headers::From>()?.ok()?.0),
        to: their_party(&found.typed::<headers::To>()?.ok()?.0),
        contacts: contacts.collect(),
        call_id: text(&found.typed::<headers::CallId>()?.ok()?.0),
        cseq: found.typed::<headers::CSeq>()?.ok()?.sequence,
        lines: found.len(),
        body: message.body().to_vec(),
    })
}

/// Bytes as text; what is no UTF-8 is marked as Carillon marks it.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Bytes as text, if they are.
fn utf8(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).unwrap_or_default().to_owned()
}

fn their_hop(via: &headers::Via) -> Hop {
    Hop {
        transport: text(&via.transport),
        host: host(&text(&via.host.to_bytes())),
        port: via.port,
        branch: via.branch().map(text),
        received: via.received().map(text),
        params: their_params(&via.params),
    }
}

fn their_party(address: &headers::Address) -> Party {
    Party {
        display: text(address.display_name.as_deref().unwrap_or_default()),
        target: their_target(&address.uri),
        tag: address.tag().map(text),
        params: their_params(&address.params),
    }
}

fn their_params(params: &[headers::HeaderParam]) -> Vec<Param> {
    params.iter().map(|param| (text(&param.name), param.value.as_deref().map(text))).collect()
}

fn their_target(uri: &sipx_sip::Uri) -> Target {
    let row = |params: Option<&sipx_sip::Params>, separator| {
        let mut written = Vec::new();
        params.into_iter().for_each(|params| params.write_to(&mut written, separator));
        text(&written)
    };
    Target {
        scheme: text(uri.scheme().as_bytes()).to_ascii_lowercase(),
        user: uri.user().or_else(|| uri.opaque()).map(text),
        password: uri.password().map(text),
        host: uri.host().map_or_else(String::new, |name| host(&text(&name.to_bytes()))),
        port: uri.port(),
        params: row(uri.params(), b';'),
        headers: row(uri.headers(), b'?'),
    }
}
