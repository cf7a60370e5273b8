//! The file of bearer tokens that `api.tokensFile` names: who may do what over REST.
//!
//! ```yaml
//! tokens:
//! - {name: wallboard, role: Viewer, sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b…"}
//! - {name: "2771", role: Agent, token: "at-least-sixteen-characters"}   # the agent itself
//! - {name: lead, role: Supervisor, teams: [north], token: "…"}
//! - {name: ops, role: Administrator, token: "…"}
//! ```
//!
//! Always holds: a token is never repeated in a mistake; a role that needs teams has some; no
//! two names have the same token.
//!
//! Not here: comparing tokens (`api::auth`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use sha2::Digest;
use sha2::Sha256;

use crate::acd::command::Role;
use crate::base::secret::Private;
use crate::resource::File;
use crate::resource::Outside;
use crate::resource::document;
use crate::resource::mistake::Mistake;
use crate::resource::name;
use crate::resource::read::Field;
use crate::resource::read::Fields;
use crate::resource::read::Notes;

/// One bearer token and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenConfig {
    /// Who holds it; an agent's is the agent's own name.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// A supervisor's teams.
    pub teams: Vec<String>,
    /// How it is recognised.
    pub secret: TokenSecret,
}

/// How a token is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSecret {
    /// The token as it is sent.
    Plain(Private<String>),
    /// The SHA-256 of the token, so that the file gives nothing away.
    Sha256([u8; 32]),
}

impl TokenSecret {
    /// The SHA-256 of the token.
    pub fn hash(&self) -> [u8; 32] {
        match self {
            Self::Plain(token) => Sha256::digest(token.expose().as_bytes()).into(),
            Self::Sha256(hash) => *hash,
        }
    }
}

const ROLES: [(&str, Role); 4] = [
    ("Viewer", Role::Viewer),
    ("Agent", Role::Agent),
    ("Supervisor", Role::Supervisor),
    ("Administrator", Role::Administrator),
];

/// Shorter tokens can be guessed.
const LENGTH_MIN: usize = 16;
const TOKENS_MAX: usize = 100_000;

/// Reads a file of tokens, or says everything that is wrong with it.
pub fn read_tokens(
    file: File<'_>,
    outside: &dyn Outside,
) -> Result<Vec<TokenConfig>, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let notes = Notes::new(file.name, outside);
    let mut tokens: Vec<TokenConfig> = Vec::new();
    let (mut names, mut holders) = (BTreeSet::new(), BTreeMap::new());
    for node in document::from_yaml(file.name, file.text, &mut mistakes) {
        let Some(top) = Fields::top(&notes, &node) else { continue };
        let list = top.required("tokens", "write tokens: and a list of {name, role, token}");
        for item in list.map(|list| list.items(TOKENS_MAX)).unwrap_or_default() {
            let Some(token) = item.clone().fields().and_then(token) else { continue };
            if !names.insert(token.name.clone()) {
                item.wrong(&format!("{} stands here twice", token.name), "remove one");
            } else if let Some(other) = holders.get(&token.secret.hash()) {
                let wrong = format!("{} has the same token as {other}", token.name);
                item.wrong(&wrong, "draw another at random; a token tells who asks");
            } else {
                holders.insert(token.secret.hash(), token.name.clone());
                tokens.push(token);
            }
        }
        top.finish();
    }
    mistakes.extend(notes.into_findings().mistakes);
    if mistakes.is_empty() { Ok(tokens) } else { Err(mistakes) }
}

fn token(fields: Fields<'_>) -> Option<TokenConfig> {
    let name = fields.required("name", "say who holds the token").and_then(|field| {
        let name = field.text()?;
        if !name::is_good(name) {
            field.wrong(&format!("\"{name}\" cannot be a name"), name::REMEDY);
        }
        Some(name.to_owned())
    });
    let remedy = "write Viewer, Agent, Supervisor or Administrator";
    let role = fields.required("role", remedy).and_then(|field| field.word(&ROLES, &[]));
    let teams = fields.field("teams").map(|field| teams(&field));
    match (role, &teams) {
        (Some(Role::Supervisor), None) => {
            fields.wrong("teams", "is missing", "a supervisor acts for teams, as [north]");
        }
        (Some(Role::Viewer | Role::Agent | Role::Administrator), Some(_)) => {
            fields.wrong("teams", "only a supervisor has teams", "remove it");
        }
        _ => {}
    }
    let secret = match (fields.field("token"), fields.field("sha256")) {
        (Some(field), None) => plain(&field),
        (None, Some(field)) => hash(&field),
        (None, None) | (Some(_), Some(_)) => {
            fields.wrong_here("has not exactly one secret", "write token or sha256");
            None
        }
    };
    fields.finish();
    let teams = teams.unwrap_or_default();
    Some(TokenConfig { name: name?, role: role?, teams, secret: secret? })
}

fn teams(field: &Field<'_>) -> Vec<String> {
    let items = field.items(256);
    if items.is_empty() {
        field.wrong("names no team", "a supervisor acts for teams, as [north]");
    }
    items.iter().filter_map(|item| item.short_text()).collect()
}

fn plain(field: &Field<'_>) -> Option<TokenSecret> {
    let token = field.text_unseen("a token is text; put it in quotes")?;
    // RFC 6750 section 2.1: what a bearer token is made of.
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.len() < LENGTH_MIN {
        let remedy = format!("write at least {LENGTH_MIN} characters, best drawn at random");
        field.wrong("is too short to be safe", &remedy);
        return None;
    }
    if token.len() > 512 || !token.bytes().all(is_good) {
        field.wrong("cannot be sent", "write at most 512 letters, digits and -._~+/=");
        return None;
    }
    Some(TokenSecret::Plain(Private::new(token.to_owned())))
}

fn hash(field: &Field<'_>) -> Option<TokenSecret> {
    let digits = field.text_unseen("a hash is text; put it in quotes")?;
    let mut hash = [0; 32];
    let is_hex = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        field.wrong("is not a SHA-256", "write 64 hexadecimal digits, as sha256sum prints them");
        return None;
    }
    for (nth, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * nth..2 * nth + 2], 16).ok()?;
    }
    Some(TokenSecret::Sha256(hash))
}
