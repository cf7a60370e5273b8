//! Who asks, and what they may do: bearer tokens and roles.
//!
//! | role | may |
//! |---|---|
//! | viewer | look, without callers' numbers |
//! | agent | the same, and act for itself and for the call it has |
//! | supervisor | see numbers, act for the agents of its teams, for calls they have or that wait |
//! | administrator | everything, configuration too |
//!
//! Always holds: nothing is open without a token but what describes the interface; a token that is
//! taken out of the file is refused from then on, and its event streams end. Tokens are kept and
//! compared as SHA-256 only, so neither memory nor time tells anything about them.
//!
//! Not here: the file the tokens come from (`resource::tokens`), rates ([`super::limit`]).

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::Digest;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::acd::command::Actor;
use crate::acd::command::Role;
use crate::acd::view::AgentPicture;
use crate::acd::view::CallPicture;
use crate::acd::view::View;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::base::id::AgentId;
use crate::resource::TokenConfig;

/// All tokens that are let in, by their hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    by_hash: BTreeMap<[u8; 32], Asker>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    /// The name behind the token.
    pub(super) name: String,
    /// What it may do.
    pub(super) role: Role,
    /// A supervisor's teams.
    pub(super) teams: Vec<String>,
    /// The hash of the token it was let in with.
    token: [u8; 32],
}

impl Tokens {
    /// Takes the tokens of a file that was read.
    pub fn new(tokens: &[TokenConfig]) -> Self {
        let entry = |token: &TokenConfig| {
            let hash = token.secret.hash();
            let TokenConfig { name, role, teams, .. } = token;
            let (name, teams) = (name.clone(), teams.clone());
            (hash, Asker { name, role: *role, teams, token: hash })
        };
        Self { by_hash: tokens.iter().map(entry).collect() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_hash.len()
    }

    /// Tells whether this token is still let in, and as the same.
    pub(super) fn knows(&self, asker: &Asker) -> bool {
        self.by_hash.get(&asker.token) == Some(asker)
    }

    /// Finds who sent these headers.
    pub(super) fn asker(&self, headers: &HeaderMap) -> Result<&Asker, Problem> {
        let refused = |detail: &str| Problem::new(Kind::Unauthenticated, detail);
        let Some(value) = headers.get(AUTHORIZATION) else {
            return Err(refused("Send a token: Authorization: Bearer …"));
        };
        // RFC 9110 section 11.1: the scheme is compared without case.
        let token = value.to_str().ok().and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
        });
        let Some(token) = token else {
            return Err(refused("The Authorization header holds no bearer token"));
        };
        let hash = hash(token);
        match self.by_hash.get_key_value(&hash) {
            Some((known, asker)) if bool::from(known.ct_eq(&hash)) => Ok(asker),
            _ => Err(refused("This token is not known here")),
        }
    }
}

impl Asker {
    /// How the core is told who asks.
    pub(super) fn actor(&self) -> Actor {
        Actor { role: self.role, name: self.name.clone() }
    }

    /// Only administrators change the configuration.
    pub(super) fn may_configure(&self) -> Result<(), Problem> {
        self.may_administer("Changing the configuration")
    }

    /// Only administrators do what concerns everybody.
    pub(super) fn may_administer(&self, what: &str) -> Result<(), Problem> {
        match self.role {
            Role::Administrator | Role::System => Ok(()),
            Role::Viewer | Role::Agent | Role::Supervisor => {
                Err(self.forbidden(what, "administrator"))
            }
        }
    }

    /// Who may act for an agent: itself, its team's supervisors, administrators.
    pub(super) fn may_act_for(&self, agent: &AgentPicture) -> Result<(), Problem> {
        if self.role == Role::Agent && self.is(&agent.id) {
            return Ok(());
        }
        self.may_supervise(agent)
    }

    /// Who may act for an agent against its will.
    pub(super) fn may_supervise(&self, agent: &AgentPicture) -> Result<(), Problem> {
        let is_own_team = agent.team.as_ref().is_some_and(|team| self.teams.contains(team));
        match self.role {
            Role::Administrator | Role::System => Ok(()),
            Role::Supervisor if is_own_team => Ok(()),
            Role::Supervisor | Role::Viewer | Role::Agent => {
                let what = format!("Acting for agent {}", agent.id);
                Err(self.forbidden(&what, "supervisor of the agent's team or administrator"))
            }
        }
    }

    /// Who may act on a call: its agent, a supervisor of its agent or of nobody's, administrators.
    pub(super) fn may_act_on(&self, call: &CallPicture, view: View<'_>) -> Result<(), Problem> {
        let is_of_team = |agent: &AgentId| {
            view.agent(agent).is_some_and(|agent| self.may_supervise(&agent).is_ok())
        };
        let may = match self.role {
            Role::Administrator | Role::System => true,
            Role::Supervisor => call.agents.is_empty() || call.agents.iter().any(is_of_team),
            Role::Agent => call.agents.iter().any(|agent| self.is(agent)),
            Role::Viewer => false,
        };
        if may {
            return Ok(());
        }
        let needed = "agent of this call, supervisor of the agent's team or administrator";
        Err(self.forbidden("Acting on this call", needed))
    }

    /// Who is shown the caller's number: supervisors, administrators and the call's own agent.
    pub(super) fn sees_caller_of(&self, agents: &[AgentId]) -> bool {
        match self.role {
            Role::Administrator | Role::System | Role::Supervisor => true,
            Role::Agent => agents.iter().any(|agent| self.is(agent)),
            Role::Viewer => false,
        }
    }

    fn is(&self, agent: &AgentId) -> bool {
        self.name == agent.as_str()
    }

    fn forbidden(&self, what: &str, needed: &str) -> Problem {
        let role = match self.role {
            Role::Viewer => "viewer",
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
            Role::Administrator | Role::System => "administrator",
        };
        let detail = format!("{what} needs the role {needed}; this token is {role} {}", self.name);
        Problem::new(Kind::Forbidden, &detail).with("requiredRole", needed.into())
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
