//! Digest authentication, both ways: callers nobody vouches for, and trunks that ask who we are.
//!
//! | side | asks | answers |
//! |---|---|---|
//! | in | [`Board::check_caller`]: 401 with our challenges | the caller, with a trunk's password |
//! | out | the trunk: 401 or 407 | [`Board::authorize`], once a request |
//!
//! A shard takes the nonces it made itself in this process, each with each count once, so what
//! somebody overheard is worth nothing, whichever shard or node it is sent to. A phone that uses a
//! nonce for its next call, which another shard may get, is told `stale` and asked again.
//!
//! Always holds: a request of ours carries credentials at most once; a second 401 is final.
//!
//! Not here: the hashes (`sip::digest`), which passwords there are
//! ([`crate::b2bua::admission::trunks`]).

use std::net::IpAddr;

use crate::acd::config::TrunkConfig;
use crate::b2bua::admission::trunks;
use crate::b2bua::admission::trunks::Entry;
use crate::b2bua::board::Board;
use crate::b2bua::board::Sent;
use crate::b2bua::board::token::Tokens;
use crate::base::id::TrunkId;
use crate::base::time::Millis;
use crate::sip::dialog::Dialog;
use crate::sip::digest::Subject;
use crate::sip::digest::challenge;
use crate::sip::digest::client;
use crate::sip::digest::credentials;
use crate::sip::digest::server::Realm;
use crate::sip::digest::server::Verdict;
use crate::sip::flow::Flow;
use crate::sip::header::cseq::CSeq;
use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::write::ResponseBuilder;

/// What callers are shown of whose password is meant.
const REALM: &str = "carillon";
/// How long a challenge may be answered.
const NONCE_LIFETIME: Millis = Millis::from_secs(300);

/// Credentials for a request of ours.
pub(in crate::b2bua) struct Proof {
    /// Authorization or Proxy-Authorization.
    pub(in crate::b2bua) name: Name,
    /// Its value.
    pub(in crate::b2bua) value: String,
}

/// The realm callers are asked for.
pub(in crate::b2bua) fn realm(tokens: &mut Tokens) -> Realm {
    Realm::new(REALM, tokens.nonce_key(), NONCE_LIFETIME)
}

impl Board {
    /// Checks the credentials in a request from `source`, which none of the trunks that count here
    /// allows without; tells whose they are. `Err` is the answer to give.
    pub(in crate::b2bua) fn check_caller(
        &mut self,
        request: &Message,
        (source, trunks): (IpAddr, &[TrunkConfig]),
        tag: &str,
    ) -> Result<Entry, Message> {
        let method = request.method();
        let subject = Subject { method: method.as_str(), body: request.body() };
        let asked = request.request_uri_text();
        let (mut stale, mut elsewhere) = (false, false);
        for given in credentials::credentials(request, Name::Authorization) {
            let (password, entry) = trunks::inbound(trunks, source, &given.username).unzip();
            let verdict = self.realm.verify(self.now, &given, subject, asked, password);
            match (verdict, entry) {
                (Verdict::Accepted, Some(entry)) => return Ok(entry),
                (Verdict::Stale, _) => stale = true,
                (Verdict::Elsewhere, _) => elsewhere = true,
                (Verdict::Accepted, None) | (Verdict::Refused, _) => {}
            }
        }
        if elsewhere {
            return Err(ResponseBuilder::to(request, 400).to_tag(tag).build());
        }
        let mut response = ResponseBuilder::to(request, 401).to_tag(tag);
        for challenge in self.realm.challenges(self.now, stale) {
            response = response.header(Name::WwwAuthenticate, challenge);
        }
        Err(response.build())
    }

    /// Answers the challenge in a 401 or 407 to `request`; `None` if we have nothing to say.
    pub(in crate::b2bua) fn prove(
        &mut self,
        request: &Message,
        response: &Message,
        (trunk, flow): (Option<&TrunkId>, Flow),
    ) -> Option<Proof> {
        let (asks, name) = match response.status()? {
            401 => (Name::WwwAuthenticate, Name::Authorization),
            407 => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
            _ => return None,
        };
        let challenges = challenge::challenges(response, asks);
        let challenge = client::choose(&challenges)?;
        let cnonce = self.tokens.client_nonce();
        let found = trunks::outbound(&self.trunks, trunk, flow.peer.ip())?;
        let login =
            client::Login { username: &found.username, password: found.password.expose().as_str() };
        let method = request.method();
        let subject = Subject { method: method.as_str(), body: request.body() };
        let uri = request.request_uri_text();
        let answer = client::answer(challenge, login, subject, uri, &cnonce, 1);
        Some(Proof { name, value: answer.to_string() })
    }

    /// Sends a request within a dialog again with credentials; tells whether it could.
    pub(in crate::b2bua) fn authorize(
        &mut self,
        dialog: &mut Dialog,
        sent: Sent,
        response: &Message,
    ) -> bool {
        if sent.authorized {
            return false;
        }
        let way = (sent.trunk.as_ref(), sent.flow);
        let Some(proof) = self.prove(&sent.request, response, way) else { return false };
        dialog.local_cseq += 1;
        let cseq = CSeq { number: dialog.local_cseq, method: sent.request.method() };
        let request = sent.request.with_header(Name::CSeq, cseq);
        let request = request.with_header(proof.name, proof.value);
        dialog.on_sent(&request);
        self.send(Sent { request, authorized: true, ..sent });
        true
    }
}
