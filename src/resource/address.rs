//! Addresses as people write them: user parts, AORs, SIP URIs, networks, sockets.
//!
//! | form | read by | example |
//! |---|---|---|
//! | address of a queue | [`of_queue`] | `sales`, `+4922199`, `sip:sales@acd.example` |
//! | where a call is sent | [`target`] | `sip:voicemail@pbx.example:5070`, `tel:+4922199` |
//! | a peer or phone | [`check_uri`] | `sip:pbx.example;transport=udp` |
//! | a range of sources | [`network`] | `192.0.2.0/24` |
//! | where to listen | [`socket`] | `:8080`, `127.0.0.1:8080` |
//!
//! This is the part of RFC 3261 that configuration needs, strict on purpose: what people write by
//! hand is better refused than guessed at.
//!
//! Not here: reading what the network sends (`sip::uri`).

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;

use crate::acd::config::Address;
use crate::acd::config::Network;

/// Reads an address that reaches a queue.
pub(super) fn of_queue(written: &str) -> Result<Address, &'static str> {
    let bare = without_scheme(written)?;
    let Some((user, host)) = bare.split_once('@') else {
        if bare.len() != written.len() {
            return Err("an address with sip: needs a user and a host, as sip:sales@acd.example");
        }
        return checked_user(bare).map(|user| Address { user, host: None });
    };
    if host_port(host)?.1.is_some() {
        return Err("a queue is reached at any port; leave the port out");
    }
    Ok(Address { user: checked_user(user)?, host: Some(host.to_lowercase()) })
}

/// Reads an address calls can be sent to; its host may carry a port. A `tel:` number has no host:
/// it is called at the trunk the caller came by.
pub(super) fn target(written: &str) -> Result<Address, &'static str> {
    if let Some(number) = written.strip_prefix("tel:") {
        return checked_number(number).map(|user| Address { user, host: None });
    }
    let Some((user, host)) = without_scheme(written)?.split_once('@') else {
        return Err("a whole address is needed, as sip:voicemail@pbx.example");
    };
    host_port(host)?;
    Ok(Address { user: checked_user(user)?, host: Some(host.to_lowercase()) })
}

/// Checks a SIP URI of a peer or a phone.
pub(super) fn check_uri(written: &str) -> Result<(), &'static str> {
    if written.starts_with("sips:") {
        return Err(SIPS);
    }
    let Some(rest) = written.strip_prefix("sip:") else {
        return Err("a SIP URI begins with sip:, as sip:pbx.example;transport=udp");
    };
    if rest.contains('?') {
        return Err("headers (?…) have no use here; leave them out");
    }
    let (address, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let host = match address.split_once('@') {
        Some((user, host)) => {
            checked_user(user)?;
            host
        }
        None => address,
    };
    host_port(host)?;
    parameters.split(';').filter(|parameter| !parameter.is_empty()).try_for_each(check_parameter)
}

/// Reads `192.0.2.0/24`, or one address alone.
pub(super) fn network(written: &str) -> Result<Network, String> {
    let (address, prefix) = match written.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (written, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err("write a range of IP addresses, as 192.0.2.0/24".to_owned());
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix.map(str::parse::<u8>) {
        None => most,
        Some(Ok(prefix)) if prefix <= most => prefix,
        Some(_) => return Err(format!("the number after the / is 0 to {most}")),
    };
    let network = Network { address: masked(address, prefix), prefix };
    if network.address != address {
        return Err(format!("bits are set beyond the prefix; write {}/{prefix}", network.address));
    }
    Ok(network)
}

/// Reads where to listen; without an address, on all of IPv4.
pub(super) fn socket(written: &str) -> Result<SocketAddr, &'static str> {
    const REMEDY: &str = "write an IP address and a port, as 127.0.0.1:8080, or a port as :8080";
    if let Some(port) = written.strip_prefix(':') {
        let port = port.parse().map_err(|_| REMEDY)?;
        return Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    }
    written.parse().map_err(|_| REMEDY)
}

/// Splits a host from its port and checks both.
pub(super) fn host_port(written: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match written.rfind(':') {
        Some(colon) if !written.ends_with(']') => (&written[..colon], Some(&written[colon + 1..])),
        _ => (written, None),
    };
    let port = match port.map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => return Err("the port after the : is 1 to 65535"),
    };
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_good = match inside {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => is_host_name(host),
    };
    if is_good { Ok((host, port)) } else { Err("write a host name, an IPv4 address or [IPv6]") }
}

const SIPS: &str = "sips: needs TLS, which this release does not have; write sip:";

fn without_scheme(written: &str) -> Result<&str, &'static str> {
    if written.starts_with("sips:") {
        return Err(SIPS);
    }
    if written.contains([';', '?']) {
        return Err("an address has no parameters and no headers; leave out what follows ; or ?");
    }
    Ok(written.strip_prefix("sip:").unwrap_or(written))
}

/// RFC 3261 section 25.1, `user`: unreserved, escaped and user-unreserved.
fn checked_user(user: &str) -> Result<String, &'static str> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,/%".contains(&byte);
    if user.is_empty() {
        return Err("the user part before the @ is missing");
    }
    if user.len() > 128 {
        return Err("the user part has at most 128 characters");
    }
    if user.bytes().all(is_good) {
        Ok(user.to_owned())
    } else {
        Err("a user part has letters, digits and -_.!~*'()&=+$,/ only, no blanks")
    }
}

/// RFC 3966 section 3: digits, `*` and a leading `+`; what only helps the eye is let go.
fn checked_number(written: &str) -> Result<String, &'static str> {
    let number: String = written.chars().filter(|c| !"-.()".contains(*c)).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_good = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*');
    if is_good && (1..=32).contains(&digits.len()) {
        Ok(number)
    } else {
        Err("a number is up to 32 digits, as tel:+4922199, without parameters")
    }
}

fn check_parameter(parameter: &str) -> Result<(), &'static str> {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'%+[]/:&$".contains(&byte);
    if name.is_empty() || !name.bytes().chain(value.bytes()).all(is_good) {
        return Err("a parameter is ;name or ;name=value, without blanks");
    }
    if name.eq_ignore_ascii_case("transport") {
        let known = ["udp", "tcp"].iter().any(|known| value.eq_ignore_ascii_case(known));
        return if known { Ok(()) } else { Err("transport is udp or tcp in this release") };
    }
    Ok(())
}

/// RFC 1123 section 2.1, and `_` because service names have it.
fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
            && bytes.first() != Some(&b'-')
            && bytes.last() != Some(&b'-')
    };
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    host.len() <= 253 && host.split('.').all(is_label)
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let kept = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::from(Ipv4Addr::from_bits(address.to_bits() & kept))
        }
        IpAddr::V6(address) => {
            let kept = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::from(Ipv6Addr::from_bits(address.to_bits() & kept))
        }
    }
}
