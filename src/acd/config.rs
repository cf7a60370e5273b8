//! What was configured, already checked: queues, agents, trunks, prompts, settings.
//!
//! These are the custom resources after `resource` has read and checked them. Every length is in
//! milliseconds, every name is resolved where one object alone can tell, and a limit that was left
//! out is `None`.
//!
//! Always holds: a value of these types makes sense by itself. What needs a second object (an
//! address used twice, a queue nobody made) is checked by the core when the command is applied.
//!
//! Not here: the YAML and JSON shapes and their mistakes (`resource`).

use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::AgentStateName;
use crate::acd::command::LoginKind;
use crate::base::id::AgentId;
use crate::base::id::PromptId;
use crate::base::id::QueueId;
use crate::base::id::TrunkId;
use crate::base::secret::Private;
use crate::base::time::Millis;

/// Where an object of the configuration lives; only there it may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// A folder of YAML.
    Folder,
    /// Custom resources.
    Kubernetes,
    /// The REST interface.
    Rest,
}

/// An address callers dial or calls are sent to: a user part, or a whole AOR.
///
/// As a queue's address a user part alone matches any host. The user part is compared with case,
/// the host without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Before the `@`.
    pub user: String,
    /// Lower case; `None` matches any.
    pub host: Option<String>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "sip:{}@{host}", self.user),
            None => f.write_str(&self.user),
        }
    }
}

/// A queue as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueConfig {
    /// Its name.
    pub id: QueueId,
    /// Shown to agents.
    pub display_name: String,
    /// At least one.
    pub addresses: Vec<Address>,
    /// Who is rung.
    pub strategy: Strategy,
    /// How long an agent's phone rings.
    pub ring: Millis,
    /// What an agent has after a call, unless the agent says otherwise; zero is none.
    pub wrap_up: Millis,
    /// Of its callers; higher first.
    pub priority: i32,
    /// Between queues that share agents; higher first.
    pub weight: i32,
    /// What counts as answered in time.
    pub service_level: ServiceLevel,
    /// A caller who leaves sooner counts as a short abandon.
    pub short_abandon: Millis,
    /// What the caller hears.
    pub caller: CallerTreatment,
    /// For an agent who did not answer.
    pub on_ring_out: RingPolicy,
    /// For an agent whose phone declined.
    pub on_declined: RingPolicy,
    /// For an agent whose phone was busy.
    pub on_busy: RingPolicy,
    /// What it holds at most.
    pub limits: Limits,
    /// What happens beyond that.
    pub overflow: OverflowRules,
    /// `false` turns new callers away by the `closed` rule.
    pub open: bool,
}

/// Who is rung for a waiting call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Strategy {
    /// The agent idle longest, over all of the agent's queues.
    MostIdle,
    /// Every ready agent at once; the first to answer has the call.
    RingAll,
}

/// The share of calls to be answered within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLevel {
    /// Answered within this is in time.
    pub threshold: Millis,
    /// How many should be.
    pub target_percent: u8,
}

/// What a caller hears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerTreatment {
    /// When the INVITE is answered.
    pub answer: AnswerMode,
    /// Played once, when the caller enters; not to one who comes back from a talk or a transfer.
    pub welcome: Option<PromptId>,
    /// Played until an agent answers.
    pub music: Option<PromptId>,
    /// Played in between.
    pub announcement: Option<Announcement>,
}

/// When the caller's INVITE gets its final answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AnswerMode {
    /// 200 at once, then music.
    OnEntry,
    /// 183 with music; 200 when an agent answers.
    EarlyMedia,
    /// 180 without music; 200 when an agent answers.
    OnAgent,
}

/// A prompt repeated while a caller waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// What is said.
    pub prompt: PromptId,
    /// How often.
    pub every: Millis,
}

/// What becomes of an agent whose phone did not take a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingPolicy {
    /// What becomes of the agent.
    pub action: RingAction,
    /// With `StayReady`: how long the agent is passed over first.
    pub delay: Millis,
}

/// See [`RingPolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RingAction {
    /// Not rung until they say Ready.
    NotReady,
    /// Rung again after a while, at least a second.
    StayReady,
    /// Logged out.
    LogOut,
}

/// What a queue holds at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Callers without an answer.
    pub calls_max: Option<u32>,
    /// How long one may wait, counted from entering the queue.
    pub wait_max: Option<Millis>,
}

/// What happens to a caller the queue cannot keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverflowRules {
    /// `calls_max` callers are there.
    pub full: Overflow,
    /// A caller has waited `wait_max`.
    pub too_long: Overflow,
    /// At entry while nobody is logged in, and for those waiting when the last one leaves.
    pub no_agents: Overflow,
    /// The queue is closed or being removed.
    pub closed: Overflow,
}

/// Names a rule of [`OverflowRules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OverflowRule {
    /// See [`OverflowRules::full`].
    Full,
    /// See [`OverflowRules::too_long`].
    TooLong,
    /// See [`OverflowRules::no_agents`].
    NoAgents,
    /// See [`OverflowRules::closed`].
    Closed,
}

/// One rule: a prompt first, if any, then an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// Heard to its end first.
    pub play: Option<PromptId>,
    /// Then this.
    pub action: OverflowAction,
}

/// See [`Overflow`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverflowAction {
    /// A final SIP status, or BYE when already answered.
    Reject {
        /// 486, 480 and the like.
        status: u16,
    },
    /// To another queue, keeping age and priority.
    Queue {
        /// Unknown: rejected with 480.
        queue: QueueId,
    },
    /// To an address outside, by REFER or 302.
    Transfer {
        /// Which.
        to: Address,
    },
    /// 480 while unanswered, else BYE.
    HangUp,
    /// Stays and waits (for `no_agents` only).
    Wait,
}

/// An agent as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentConfig {
    /// What the agent keys in.
    pub id: AgentId,
    /// Shown to people.
    pub display_name: String,
    /// Membership; unknown queues wait until they are made.
    pub queues: Vec<QueueId>,
    /// `None`: no PIN is asked for.
    pub pin: Option<Private<String>>,
    /// Where to ring when the login names none.
    pub device: Option<DeviceConfig>,
    /// How they may be reached.
    pub allowed_logins: Vec<LoginKind>,
    /// Wins over the queue's.
    pub wrap_up: Option<Millis>,
    /// `None`: as the settings say.
    pub duplicate_login: Option<DuplicateLogin>,
    /// When the phone has gone.
    pub on_unreachable: UnreachablePolicy,
    /// Whose supervisors may act on this agent.
    pub team: Option<String>,
}

/// Where an agent is rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceConfig {
    /// A SIP URI.
    pub address: String,
    /// The trunk it is reached through; `None` rings the address directly.
    pub trunk: Option<TrunkId>,
}

/// What a second login does to an agent who is logged in: one of the same agent from another
/// device, or one of another agent at the same device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DuplicateLogin {
    /// Refused: AlreadyLoggedIn, or DeviceTaken.
    Reject,
    /// Said in a fact, and the first goes on: the same agent's is another client, another agent's
    /// is refused with DeviceTaken.
    Warn,
    /// The first is logged out with the reason TakenOver; while they talk it is refused with
    /// DeviceInCall.
    TakeOver,
}

/// What becomes of an agent whose device cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreachablePolicy {
    /// What becomes of the agent.
    pub action: UnreachableAction,
    /// Not before the device has been away for this long.
    pub after: Millis,
}

/// See [`UnreachablePolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UnreachableAction {
    /// Logged out: Unreachable.
    LogOut,
    /// NotReady(Unreachable).
    NotReady,
    /// Passed over until the device is back.
    Nothing,
}

/// A PBX, carrier or SBC as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkConfig {
    /// Its name.
    pub id: TrunkId,
    /// SIP URIs, in order of preference.
    pub peers: Vec<String>,
    /// Where its requests go first.
    pub outbound_proxy: Option<String>,
    /// Where calls may come from; none is anywhere if there is a password, else nowhere.
    pub allowed_sources: Vec<Network>,
    /// Asked of every call that comes in, also from an allowed source.
    pub inbound_auth: Option<Credentials>,
    /// Given when the trunk asks us.
    pub outbound_auth: Option<Credentials>,
}

/// A user name and password for digest authentication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Who.
    pub username: String,
    /// Never printed.
    pub password: Private<String>,
}

/// A range of addresses, `192.0.2.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Network {
    /// Any address in it.
    pub address: IpAddr,
    /// At most 32 or 128.
    pub prefix: u8,
}

impl Network {
    /// Tells whether `address` lies in the range; an IPv4-mapped IPv6 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let kept = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
                u32::from(ours) & kept == u32::from(theirs) & kept
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let kept =
                    u128::MAX.checked_shl(128 - u32::from(self.prefix.min(128))).unwrap_or(0);
                u128::from(ours) & kept == u128::from(theirs) & kept
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Something callers and agents hear, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptConfig {
    /// Its name.
    pub id: PromptId,
    /// Where the audio comes from.
    pub source: PromptSource,
}

/// Where a prompt's audio comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromptSource {
    /// One of those in the program, by its name.
    BuiltIn(String),
    /// A WAV file, by the path each node finds it at.
    File(String),
}

/// What holds for the whole deployment and may change while it runs.
///
/// Ports and addresses are not here: a node reads them once, when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The states an agent may log out in (requirement E1).
    pub log_out_allowed_in: Vec<AgentStateName>,
    /// Idle longer than this: logged out; `None` is never.
    pub log_out_when_inactive: Option<Millis>,
    /// The deployment's own reasons for not being ready.
    pub not_ready_reasons: Vec<String>,
    /// For agents that do not say.
    pub duplicate_login: DuplicateLogin,
    /// Wrong PINs before the agent's login is locked for five minutes.
    pub pin_tries: u8,
    /// After a failed ring of a phone nobody watches: not rung again before then.
    pub unreachable_retry: Millis,
    /// How long a call lasts unless one side says that it is still there (RFC 4028).
    pub session_expires: Millis,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log_out_allowed_in: vec![AgentStateName::NotReady, AgentStateName::WrapUp],
            log_out_when_inactive: Some(Millis::from_secs(7200)),
            not_ready_reasons: ["Break", "Lunch", "Training"].map(str::to_owned).to_vec(),
            duplicate_login: DuplicateLogin::Reject,
            pin_tries: 3,
            unreachable_retry: Millis::from_secs(10),
            session_expires: Millis::from_secs(1800),
        }
    }
}
