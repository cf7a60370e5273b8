//! `kind: Trunk` as people write it: a PBX, carrier or SBC.
//!
//! | field | range | left out |
//! |---|---|---|
//! | `peers` | SIP URIs in order of preference, 1–16 | an error |
//! | `outboundProxy` | a SIP URI | none |
//! | `inbound.allowedSources` | networks, at most 64 | see below |
//! | `inbound.auth` | `{username, password or passwordFile}` | none is asked for |
//! | `auth` | the same, given when the trunk asks us | none to give |
//!
//! What stands in `inbound` is required, all of it: with `allowedSources` a call must come from
//! one of them, with `auth` it must bring the password, with both it must do both. A password
//! alone is taken from anywhere. With neither nothing is accepted from the trunk.
//!
//! Not here: who is behind an address (`b2bua`), digest itself (`sip::digest`).

use crate::acd::config::Credentials;
use crate::acd::config::Network;
use crate::acd::config::TrunkConfig;
use crate::base::id::TrunkId;
use crate::base::secret::Private;
use crate::resource::address;
use crate::resource::read::Field;
use crate::resource::read::Fields;

const PEERS_MAX: usize = 16;
const SOURCES_MAX: usize = 64;

/// Reads the `spec` of the trunk called `name`.
pub(super) fn read(spec: &Fields<'_>, name: &str) -> TrunkConfig {
    spec.later(&["register", "keepAliveSeconds", "presence", "agentHeaders"]);
    let inbound = spec.group("inbound");
    inbound.elsewhere("authSecretRef", "it is for Kubernetes; in a folder write auth");
    let sources = inbound.field("allowedSources").map(|field| sources(&field));
    let inbound_auth = inbound.field("auth").and_then(credentials);
    inbound.finish();
    TrunkConfig {
        id: TrunkId::new(name),
        peers: spec
            .required("peers", "write where the trunk is, as [\"sip:pbx.example\"]")
            .map(|field| peers(&field))
            .unwrap_or_default(),
        outbound_proxy: spec.field("outboundProxy").and_then(|field| uri(&field)),
        allowed_sources: sources.unwrap_or_default(),
        inbound_auth,
        outbound_auth: spec.field("auth").and_then(credentials),
    }
}

fn peers(field: &Field<'_>) -> Vec<String> {
    let items = field.items(PEERS_MAX);
    if items.is_empty() {
        field.wrong("has no peer", "write at least one SIP URI");
    }
    items.iter().filter_map(uri).collect()
}

fn uri(field: &Field<'_>) -> Option<String> {
    let written = field.text()?;
    match address::check_uri(written) {
        Ok(()) => Some(written.to_owned()),
        Err(remedy) => {
            field.wrong(&format!("\"{written}\" is not a SIP URI of a peer"), remedy);
            None
        }
    }
}

fn sources(field: &Field<'_>) -> Vec<Network> {
    let mut networks = Vec::new();
    for item in field.items(SOURCES_MAX) {
        let Some(written) = item.text() else { continue };
        match address::network(written) {
            Ok(network) => networks.push(network),
            Err(remedy) => item.wrong(&format!("\"{written}\" is not a network"), &remedy),
        }
    }
    networks
}

fn credentials(field: Field<'_>) -> Option<Credentials> {
    let fields = field.fields()?;
    let username = fields.required("username", "write the user name").and_then(|field| {
        let written = field.short_text()?;
        // RFC 7616 section 3.4: the user name goes between quotes.
        if written.contains(['"', '\\']) {
            field.wrong("has a quote or backslash", "write it without");
            return None;
        }
        Some(written)
    });
    let written = fields.field("password");
    let file = fields.field("passwordFile");
    let password = match (written, file) {
        (Some(field), None) => {
            field.text_unseen("a password is text; put it in quotes").map(str::to_owned)
        }
        (None, Some(field)) => field.secret_file(),
        (None, None) | (Some(_), Some(_)) => {
            fields.wrong_here("has not exactly one password", "write password or passwordFile");
            None
        }
    };
    fields.finish();
    Some(Credentials { username: username?, password: Private::new(password?) })
}
