//! What each step of a script means: one `match` a group, which is the whole grammar.
//!
//! Phones speak for themselves (`ann answers`, `c1 hangs up`), people order (`log out ann`), and
//! the cluster is told about nodes and time (`start n1`, `advance 15s`). Words in upper case below
//! stand for names.
//!
//! Not here: lengths, addresses and configuration ([`super::notation`]).

use std::sync::Arc;

use carillon::acd::command::Actor;
use carillon::acd::command::Arrival;
use carillon::acd::command::Caller;
use carillon::acd::command::Command;
use carillon::acd::command::DeviceState;
use carillon::acd::command::Dialog;
use carillon::acd::command::LegEnd;
use carillon::acd::command::LogIn;
use carillon::acd::command::LoginKind;
use carillon::acd::command::RingFailure;
use carillon::acd::command::Role;
use carillon::acd::config::Source;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::PromptId;
use carillon::base::id::QueueId;
use carillon::base::id::TrunkId;
use carillon::base::secret::Private;
use carillon::base::time::Millis;

use super::notation;
use super::notation::Options;
use super::notation::Read;
use super::wording;
use super::world::World;
use super::world::call_named;

impl World {
    /// Takes one step; what is wrong with the step is told in one sentence.
    pub(crate) fn take(&mut self, step: &str) -> Read<()> {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words.as_slice() {
            ["advance", length] => self.advance(notation::length(length)?),
            ["clock", "back", length] => {
                self.set_back(notation::length(length)?);
                Ok(())
            }
            ["clock", "ahead", length] => {
                self.set_ahead(notation::length(length)?);
                Ok(())
            }
            ["repeat"] => self.repeat(),
            ["reuse"] => self.reuse(),
            ["agent", name, options @ ..] => self.put_agent(name, options),
            ["show", what @ ..] => self.show(what),
            ["start", node] => {
                let owner = self.started(node)?;
                self.propose(Command::StartNode { owner })
            }
            words => {
                let command = match self.configuration(words)? {
                    Some(command) => Some(command),
                    None => self.phone(words)?.or(self.people(words)?),
                };
                self.propose(command.ok_or("there is no such step")?)
            }
        }
    }

    /// What is configured, and nodes.
    fn configuration(&self, words: &[&str]) -> Read<Option<Command>> {
        Ok(Some(match words {
            ["queue", name, options @ ..] => {
                let mut options = Options::of(options);
                let queue = Box::new(notation::queue(name, &mut options)?);
                let source = notation::source(&mut options)?;
                options.finish()?;
                Command::PutQueue { queue, source }
            }
            ["settings", options @ ..] => {
                let mut options = Options::of(options);
                let settings = Box::new(notation::settings(&mut options)?);
                let source = notation::source(&mut options)?;
                options.finish()?;
                Command::PutSettings { settings, source }
            }
            ["trunk", name, options @ ..] => Command::PutTrunk {
                trunk: Box::new(notation::trunk(name)),
                source: notation::source(&mut Options::of(options))?,
            },
            ["prompt", name, options @ ..] => Command::PutPrompt {
                prompt: Box::new(notation::prompt(name)),
                source: notation::source(&mut Options::of(options))?,
            },
            ["remove", kind, name, options @ ..] => {
                let source = notation::source(&mut Options::of(options))?;
                removal(kind, name, source)?
            }
            ["lose", node] if node.starts_with('n') => {
                Command::LoseNode { owner: self.owner_named(node)? }
            }
            _ => return Ok(None),
        }))
    }

    /// What phones do; a phone is named after its call or its agent.
    fn phone(&self, words: &[&str]) -> Read<Option<Command>> {
        let dialog = |name: &str| Dialog::from(format!("{name} {}", notation::SECRET).into_bytes());
        let failed = |name, why| Ok(Command::FailReservation { leg: self.leg(name), why });
        let command: Read<Command> = match words {
            ["call", name, "to", to, options @ ..] => self.arrival(name, to, options),
            [name, "answers"] => {
                Ok(Command::AnswerReservation { leg: self.leg(name), dialog: dialog(name) })
            }
            [name, "declines"] => failed(name, RingFailure::Declined),
            [name, "is", "busy"] => failed(name, RingFailure::Busy),
            [name, "is", "away"] => failed(name, RingFailure::NoAnswer),
            [name, "is", "unreachable"] => failed(name, RingFailure::Unreachable),
            [name, "is", "no-address"] => failed(name, RingFailure::WrongAddress),
            [name, "has", "no", "codec"] => failed(name, RingFailure::NoCodec),
            [name, "re-invites"] => {
                Ok(Command::UpdateLeg { leg: self.leg(name), dialog: dialog("its new target") })
            }
            [name, "holds"] => Ok(Command::HoldLeg { leg: self.leg(name), held: true }),
            [name, "resumes"] => Ok(Command::HoldLeg { leg: self.leg(name), held: false }),
            [name, "hangs", "up"] => {
                Ok(Command::EndLeg { leg: self.leg(name), why: LegEnd::HungUp })
            }
            [name, "is", "lost"] => Ok(Command::EndLeg { leg: self.leg(name), why: LegEnd::Lost }),
            [name, "is", "not-found"] => {
                Ok(Command::EndLeg { leg: self.leg(name), why: LegEnd::LostWithNode })
            }
            [name, "has", "heard", "it"] => Ok(Command::FinishPrompt { leg: self.leg(name) }),
            ["transfer", "of", name, "is", "taken"] => {
                Ok(Command::SettleTransfer { leg: self.transferred(call(name)?), refused: None })
            }
            ["transfer", "of", name, "is", "refused", status] => Ok(Command::SettleTransfer {
                leg: self.transferred(call(name)?),
                refused: Some(notation::number(status)?),
            }),
            ["device", name, state] => {
                Ok(Command::ReportDevice { agent: AgentId::new(name), state: device(state)? })
            }
            _ => return Ok(None),
        };
        command.map(Some)
    }

    /// What people order; who says nothing else (`by supervisor`) orders for themselves.
    fn people(&self, words: &[&str]) -> Read<Option<Command>> {
        let (words, by) = match words {
            [words @ .., "by", name] => (words, Some(actor(name))),
            words => (words, None),
        };
        let own = |name: &str| {
            by.clone().unwrap_or_else(|| Actor { role: Role::Agent, name: name.to_owned() })
        };
        let admin = || by.clone().unwrap_or_else(|| actor("admin"));
        Ok(Some(match words {
            ["log", "in", name, options @ ..] => {
                let mut options = Options::of(options);
                let login = LogIn {
                    agent: AgentId::new(name),
                    pin: options.take("pin").map(notation::secret),
                    device: options.take("device").map(str::to_owned),
                    kind: options.read("kind", LoginKind::Callback, |text| {
                        Ok(notation::logins(text)?.remove(0))
                    })?,
                    by: own(name),
                };
                options.finish()?;
                Command::LogIn(Box::new(login))
            }
            ["log", "out", name] => Command::LogOut { agent: AgentId::new(name), by: own(name) },
            ["force", "out", name] => {
                Command::ForceLogOut { agent: AgentId::new(name), by: own(name) }
            }
            ["ready", name] => Command::SetReady { agent: AgentId::new(name), by: own(name) },
            ["not-ready", name, reason] => Command::SetNotReady {
                agent: AgentId::new(name),
                reason: (*reason).to_owned(),
                by: own(name),
            },
            ["end", "wrap-up", name] => {
                Command::EndWrapUp { agent: AgentId::new(name), by: own(name) }
            }
            ["transfer", name, "to", to] => {
                Command::TransferCall { call: call(name)?, to: notation::address(to), by: admin() }
            }
            ["cut", name] => Command::HangUpCall { call: call(name)?, by: admin() },
            ["prioritize", name, priority] => Command::PrioritizeCall {
                call: call(name)?,
                priority: notation::number(priority)?,
                by: admin(),
            },
            _ => return Ok(None),
        }))
    }

    /// `call C to ADDRESS at=n2 priority=5`: the INVITE came in at that node.
    fn arrival(&self, name: &str, to: &str, options: &[&str]) -> Read<Command> {
        let mut options = Options::of(options);
        let owner = self.owner_named(options.take("at").unwrap_or("n1"))?;
        let priority = options.read("priority", None, |text| notation::number(text).map(Some))?;
        options.finish()?;
        let caller = Caller {
            sip_call_id: format!("{name}@pstn"),
            from: notation::secret(name),
            to: to.to_owned(),
            number: Private::new(Some(notation::SECRET.to_owned())),
            name: Private::new(Some(notation::SECRET.to_owned())),
        };
        Ok(Command::EnqueueCall(Box::new(Arrival {
            call: call(name)?,
            owner,
            to: notation::address(to),
            caller: Arc::new(caller),
            priority,
            dialog: Dialog::from(format!("{name} {}", notation::SECRET).into_bytes()),
        })))
    }

    /// `agent A ready since=-60s`: configured, and `logged-in`, `ready` or `not-ready` as said.
    fn put_agent(&mut self, name: &str, options: &[&str]) -> Read<()> {
        let all: Vec<QueueId> = self.view().queues().into_iter().map(|queue| queue.id).collect();
        let mut options = Options::of(options);
        let ago = options.read("since", Millis::ZERO, |ago| {
            notation::length(ago.strip_prefix('-').ok_or("since is in the past: since=-60s")?)
        })?;
        self.forward_to(ago);
        let (ready, not_ready) = (options.take("ready"), options.take("not-ready"));
        let logged_in = options.take("logged-in").or(ready).or(not_ready);
        let agent = Box::new(notation::agent(name, &mut options, &all)?);
        let source = notation::source(&mut options)?;
        options.finish()?;
        let by = Actor { role: Role::Agent, name: name.to_owned() };
        let (id, pin) = (agent.id.clone(), agent.pin.clone());
        self.propose(Command::PutAgent { agent, source })?;
        if logged_in.is_some() {
            let (agent, kind, by) = (id.clone(), LoginKind::Callback, by.clone());
            self.propose(Command::LogIn(Box::new(LogIn { agent, pin, device: None, kind, by })))?;
        }
        if ready.is_some() {
            self.propose(Command::SetReady { agent: id.clone(), by: by.clone() })?;
        }
        if let Some(reason) = not_ready {
            self.propose(Command::SetNotReady { agent: id, reason: reason.to_owned(), by })?;
        }
        Ok(())
    }

    /// `show Q`, `show C` (why and when), `show members Q`, `show deadline`.
    fn show(&mut self, what: &[&str]) -> Read<()> {
        let lines: Vec<String> = match what {
            ["deadline"] => match self.next_deadline() {
                Some(due) => vec![format!("due in {}", wording::length(due.since(self.now())))],
                None => vec!["nothing is due".to_owned()],
            },
            ["members", name] => {
                let members = self.view().members_of(&QueueId::new(name));
                members.iter().map(|member| wording::member(member, self.now())).collect()
            }
            [name] => match call_named(name).and_then(|call| self.view().call(call)) {
                Some(call) => wording::story(&call),
                None => {
                    let queue = self.view().queue(&QueueId::new(name));
                    vec![wording::queue(&queue.ok_or("there is no such queue or call")?)]
                }
            },
            _ => return Err("show what?".to_owned()),
        };
        lines.into_iter().for_each(|line| self.say(line));
        Ok(())
    }

    /// `n1` starts its next life; `n1.1` is that life, whether it is over or not.
    fn started(&mut self, name: &str) -> Read<Owner> {
        match name.contains('.') {
            true => self.owner_named(name),
            false => Ok(self.next_life(notation::number(name.trim_start_matches('n'))?)),
        }
    }

    /// `n1` is the node's present life, `n1.1` its first.
    fn owner_named(&self, name: &str) -> Read<Owner> {
        let bare = name.strip_prefix('n').ok_or_else(|| format!("`{name}` is no node"))?;
        match bare.split_once('.') {
            None => Ok(self.owner(notation::number(bare)?)),
            Some((node, life)) => Ok(Owner {
                node: NodeId(notation::number(node)?),
                incarnation: Incarnation(notation::number(life)?),
            }),
        }
    }
}

fn removal(kind: &str, name: &str, source: Source) -> Read<Command> {
    match kind {
        "queue" => Ok(Command::RemoveQueue { queue: QueueId::new(name), source }),
        "agent" => Ok(Command::RemoveAgent { agent: AgentId::new(name), source }),
        "trunk" => Ok(Command::RemoveTrunk { trunk: TrunkId::new(name), source }),
        "prompt" => Ok(Command::RemovePrompt { prompt: PromptId::new(name), source }),
        _ => Err(format!("`{kind}` is nothing configured")),
    }
}

fn call(name: &str) -> Read<CallId> {
    call_named(name).ok_or_else(|| format!("`{name}` is no call"))
}

/// `supervisor`, `admin`, `system` or `viewer` act as such; anybody else is an agent.
fn actor(name: &str) -> Actor {
    let role = match name {
        "supervisor" => Role::Supervisor,
        "admin" => Role::Administrator,
        "system" => Role::System,
        "viewer" => Role::Viewer,
        _ => Role::Agent,
    };
    Actor { role, name: name.to_owned() }
}

fn device(text: &str) -> Read<DeviceState> {
    match text {
        "idle" => Ok(DeviceState::Idle),
        "ringing" => Ok(DeviceState::Ringing),
        "busy" => Ok(DeviceState::Busy),
        "unreachable" => Ok(DeviceState::Unreachable),
        "unknown" => Ok(DeviceState::Unknown),
        _ => Err(format!("`{text}` is no state of a device")),
    }
}
