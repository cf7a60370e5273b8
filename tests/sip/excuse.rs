//! The closed list of what Carillon and `sipx-sip` may differ in, each with its line in
//! `conformance.md` that says who is right.
//!
//! An excuse is a cure: it rewrites the one element on which the two differ as both understand it,
//! and excuses a message only if both accept it and read the same after that. So it excuses
//! nothing that lies elsewhere in the message.
//!
//! Always holds: a cure leaves a message alone in which its form does not stand.
//!
//! Not here: taking messages apart (`pieces.rs`), and which messages are judged (`oracle.rs`).

use carillon::sip::header::scan;

use crate::pieces::BLANKS;
use crate::pieces::Pieces;

/// One difference.
pub(crate) struct Excuse {
    /// Its name in `conformance.md`.
    pub(crate) name: &'static str,
    /// Rewrites the element that is judged differently.
    pub(crate) cure: fn(&mut Pieces),
}

/// All of them: first what Carillon alone takes, then what the other alone takes.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse { name: "line ends before the message", cure: |message| message.before.clear() },
    Excuse { name: "blanks around the colon of a port", cure: tighten_ports },
    Excuse { name: "a name of more than tokens", cure: quote_names },
    Excuse { name: "`#` in a user part", cure: escape_hashes },
    Excuse { name: "a URI parameter twice", cure: drop_repeated_parameters },
    Excuse { name: "more than a token in the value of a parameter", cure: replace_signs },
    Excuse { name: "a port of more than five digits", cure: shorten_ports },
    Excuse { name: "quotes around what names something", cure: unquote_tokens },
    Excuse { name: "a header that stands once", cure: drop_repeated_headers },
    Excuse { name: "a folded status line", cure: unfold_start },
    Excuse {
        name: "a control character in a phrase",
        cure: |message| blank_out(&mut message.start),
    },
    Excuse { name: "a control character between quotes", cure: blank_out_quoted },
    Excuse { name: "a bare URI with a comma", cure: bracket_commas },
    Excuse { name: "a scheme that begins with no letter", cure: mend_schemes },
    Excuse { name: "nothing behind a scheme", cure: fill_schemes },
    Excuse { name: "the parameters of a telephone number", cure: drop_number_parameters },
    Excuse { name: "a comma in a URI parameter", cure: replace_commas },
    Excuse { name: "another protocol in a Via", cure: mend_protocols },
    Excuse { name: "a transport that is no token", cure: mend_transports },
    Excuse { name: "a Call-ID that is no word", cure: mend_call_ids },
];

fn tighten_ports(message: &mut Pieces) {
    message.hops(|[_, sent_by, _]| {
        let parts: Vec<_> = sent_by.split(':').map(|part| part.trim_matches(BLANKS)).collect();
        *sent_by = parts.join(":");
    });
}

fn quote_names(message: &mut Pieces) {
    message.addresses(|[before, _, _]| {
        let name = before.trim_end_matches('<').trim_matches(BLANKS);
        let words = name.split(BLANKS).filter(|word| !word.is_empty());
        if !name.starts_with('"') && !words.map(str::as_bytes).all(scan::is_token) {
            *before = format!("\"{name}\" <");
        }
    });
}

fn escape_hashes(message: &mut Pieces) {
    message.sip_uris(|[user, _, _]| *user = user.replace('#', "%23"));
}

fn drop_repeated_parameters(message: &mut Pieces) {
    message.sip_uris(|[_, _, params]| {
        let (row, headers) = params.split_at(params.find('?').unwrap_or(params.len()));
        let mut kept: Vec<&str> = Vec::new();
        for param in row.split(';') {
            let name = |param: &str| unescaped(param.split('=').next()?);
            if !kept.iter().any(|other| name(other) == name(param)) {
                kept.push(param);
            }
        }
        *params = kept.join(";") + headers;
    });
}

/// A name as it is compared (RFC 3261 §19.1.4), where each `%` begins an escape.
fn unescaped(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut plain = pieces.next()?.to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        plain.push(char::from(u8::from_str_radix(code, 16).ok()?));
        plain.push_str(rest);
    }
    Some(plain.to_lowercase())
}

fn replace_signs(message: &mut Pieces) {
    message.values(|_, value| {
        if !value.starts_with('"') {
            *value = value.replace(['=', '@', '$', '&', '?', '{', '}', '|', '#'], ".");
        }
    });
}

fn shorten_ports(message: &mut Pieces) {
    let shorten = |text: &mut String| {
        let is_long = |port: &str| port.len() > 5 && port.bytes().all(|it| it.is_ascii_digit());
        if let Some((host, port)) = text.rsplit_once(':').filter(|(_, port)| is_long(port)) {
            *text = format!("{host}:{}", &port[port.len() - 5..]);
        }
    };
    message.hops(|[_, sent_by, _]| shorten(sent_by));
    message.sip_uris(|[_, host, _]| shorten(host));
}

fn unquote_tokens(message: &mut Pieces) {
    message.values(|name, value| {
        let names = ["tag", "branch", "received"].contains(&name.to_lowercase().as_str());
        if names && value.starts_with('"') {
            *value = value.chars().map(|it| if is_token_letter(it) { it } else { '.' }).collect();
        }
    });
}

fn is_token_letter(letter: char) -> bool {
    u8::try_from(letter).is_ok_and(scan::is_token_byte)
}

fn drop_repeated_headers(message: &mut Pieces) {
    for names in [["content-type", "c"], ["expires", "expires"], ["event", "o"]] {
        let mut seen = false;
        message.lines.retain(|(name, _)| {
            let named = names.contains(&name.to_lowercase().as_str());
            let kept = !named || !seen;
            seen |= named;
            kept
        });
    }
}

fn unfold_start(message: &mut Pieces) {
    if message.is_response() {
        message.start = message.start.replace("\r\n", "");
    }
}

/// Puts a blank in the place of each control character that stands behind no backslash.
fn blank_out(text: &mut String) {
    let mut escaped = false;
    let mended = text.chars().map(|letter| {
        let stray = letter < ' ' && letter != '\t' || letter == '\x7f';
        let kept = if stray && !escaped { ' ' } else { letter };
        escaped = letter == '\\' && !escaped;
        kept
    });
    *text = mended.collect();
}

fn blank_out_quoted(message: &mut Pieces) {
    message.addresses(|[name, _, _]| {
        if name.starts_with('"') {
            blank_out(name);
        }
    });
    message.values(|_, value| {
        if value.starts_with('"') {
            blank_out(value);
        }
    });
}

fn bracket_commas(message: &mut Pieces) {
    message.single_addresses(|[before, uri, after]| {
        if before.is_empty() && uri.contains(',') {
            (*before, *after) = ("<".to_owned(), format!(">{after}"));
        }
    });
}

fn mend_schemes(message: &mut Pieces) {
    message.uris(|uri| {
        if !uri.starts_with(|first: char| first.is_ascii_alphabetic()) {
            uri.insert(0, 'x');
        }
    });
}

fn fill_schemes(message: &mut Pieces) {
    message.uris(|uri| {
        if uri.find(':') == Some(uri.len().wrapping_sub(1)) {
            uri.push('x');
        }
    });
}

fn drop_number_parameters(message: &mut Pieces) {
    message.uris(|uri| {
        let is_number = uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"));
        if let Some(at) = uri.find(';').filter(|_| is_number) {
            uri.truncate(at);
        }
    });
}

fn replace_commas(message: &mut Pieces) {
    message.sip_uris(|[_, _, params]| {
        let (row, headers) = params.split_at(params.find('?').unwrap_or(params.len()));
        *params = row.replace(',', ".") + headers;
    });
}

fn mend_protocols(message: &mut Pieces) {
    message.hops(|[protocol, _, _]| {
        let parts: Vec<&str> = protocol.splitn(3, '/').collect();
        let [name, version, transport] = parts[..] else { return };
        let (name, version) = (name.trim_matches(BLANKS), version.trim_matches(BLANKS));
        if !name.eq_ignore_ascii_case("SIP") || version != "2.0" {
            *protocol = format!("SIP/2.0/{transport}");
        }
    });
}

fn mend_transports(message: &mut Pieces) {
    message.hops(|[protocol, _, _]| {
        let parts: Vec<&str> = protocol.splitn(3, '/').collect();
        let [name, version, transport] = parts[..] else { return };
        if !scan::is_token(transport.trim_matches(BLANKS).as_bytes()) {
            *protocol = format!("{name}/{version}/UDP ");
        }
    });
}

fn mend_call_ids(message: &mut Pieces) {
    message.values_of(["call-id", "i"], |value| {
        *value = value.chars().map(|it| if it.is_ascii_graphic() { it } else { '.' }).collect();
    });
}
