//! Who calls: the number and the name to show, out of the caller's INVITE.
//!
//! | read, first that is there | only from |
//! |---|---|
//! | P-Asserted-Identity (RFC 3325) | a trusted source |
//! | Remote-Party-ID of the calling party | a trusted source |
//! | From | anybody |
//!
//! Withheld is a caller who asks for it with `Privacy` (RFC 3323 §4.2) or `privacy=` of
//! Remote-Party-ID, or who calls from `anonymous`.
//!
//! Always holds: a withheld number is `None`, so is the name, and the address is [`NOBODY`]: what
//! a caller withholds is in no entry of the log and therefore shown to nobody, by no interface.
//!
//! Not here: who is trusted ([`super::trunks`]), showing it to the agent (`placing`).

use crate::acd::command::Caller;
use crate::acd::config::Address;
use crate::base::secret::Private;
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::message::Message;
use crate::sip::uri::Uri;

/// Longest number or name that is passed on; more is nobody's number.
const SHOWN_CHARS: usize = 80;

/// What `Privacy` may ask that means the caller's identity.
const PRIVACY: [&str; 3] = ["id", "user", "header"];

/// The address of a caller who withholds theirs (RFC 3323 §4.1).
const NOBODY: &str = "anonymous@anonymous.invalid";

/// Reads who sent this INVITE.
pub(in crate::b2bua) fn caller(invite: &Message, trusted: bool) -> Caller {
    let from = invite.from().ok();
    let to = invite.to().ok();
    let shown = shown_address(invite, trusted).or_else(|| from.clone());
    let withheld = shown.as_ref().is_some_and(|address| is_withheld(invite, trusted, address));
    let shown = shown.filter(|_| !withheld);
    let from = from.map(|from| plain(&from.uri)).unwrap_or_default();
    let number = shown.as_ref().and_then(|address| address.uri.subscriber());
    let name = shown.as_ref().and_then(|address| address.display.as_deref());
    Caller {
        sip_call_id: invite.call_id().unwrap_or_default().to_owned(),
        from: Private::new(if withheld { NOBODY.to_owned() } else { from }),
        to: to.map(|to| plain(&to.uri)).unwrap_or_default(),
        number: Private::new(number.and_then(|number| presentable(&number))),
        name: Private::new(name.and_then(presentable)),
    }
}

fn shown_address(invite: &Message, trusted: bool) -> Option<NameAddr> {
    if !trusted {
        return None;
    }
    let asserted = invite.asserted_identities().unwrap_or_default();
    let party = || {
        let parties: Vec<NameAddr> = invite.list(Name::RemotePartyId).unwrap_or_default();
        parties.into_iter().find(|p| p.params.value("party").is_none_or(|of| of == "calling"))
    };
    asserted.into_iter().find(|address| address.uri.user.is_some()).or_else(party)
}

fn is_withheld(invite: &Message, trusted: bool, shown: &NameAddr) -> bool {
    let asks = |value: &str| PRIVACY.iter().any(|kind| kind.eq_ignore_ascii_case(value.trim()));
    let privacy = invite.headers(Name::Privacy).any(|line| line.split([';', ',']).any(asks));
    let party = trusted && shown.params.value("privacy").is_some_and(|p| p != "off");
    let user = shown.uri.user.as_deref().unwrap_or_default();
    let nobody = user.eq_ignore_ascii_case("anonymous")
        || shown.uri.host.eq_ignore_ascii_case("anonymous.invalid");
    privacy || party || nobody
}

/// Takes out what could break a header or a screen; `None` if nothing is left.
fn presentable(text: &str) -> Option<String> {
    let kept = text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS);
    Some(kept.collect::<String>().trim().to_owned()).filter(|text| !text.is_empty())
}

/// `user@host` without parameters.
fn plain(uri: &Uri) -> String {
    match (&uri.user, uri.host.is_empty()) {
        (Some(user), false) => format!("{user}@{}", uri.host),
        (Some(user), true) => user.to_string(),
        (None, _) => uri.host.to_string(),
    }
}

/// The address called: the Request-URI's user and host.
pub(in crate::b2bua) fn called(message: &Message) -> Address {
    let uri = message.request_uri().ok();
    let user = uri.as_ref().and_then(|uri| uri.subscriber().map(String::from));
    let host = uri.map(|uri| uri.host.to_ascii_lowercase().to_string());
    Address { user: user.unwrap_or_default(), host: host.filter(|host| !host.is_empty()) }
}
