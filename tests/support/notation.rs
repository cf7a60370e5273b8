//! How scripts write lengths of time, addresses and configuration.
//!
//! A declaration is a kind, a name and options: `queue sales ring=15s strategy=ring-all`. What is
//! not said is as a plain call centre would have it, and stands in [`queue`] and [`agent`].
//!
//! Not here: steps that act ([`super::world`]).

use carillon::acd::command::AgentStateName;
use carillon::acd::command::LoginKind;
use carillon::acd::config::Address;
use carillon::acd::config::AgentConfig;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::CallerTreatment;
use carillon::acd::config::Credentials;
use carillon::acd::config::DeviceConfig;
use carillon::acd::config::DuplicateLogin;
use carillon::acd::config::Limits;
use carillon::acd::config::Overflow;
use carillon::acd::config::OverflowAction;
use carillon::acd::config::OverflowRules;
use carillon::acd::config::PromptConfig;
use carillon::acd::config::PromptSource;
use carillon::acd::config::QueueConfig;
use carillon::acd::config::RingAction;
use carillon::acd::config::RingPolicy;
use carillon::acd::config::ServiceLevel;
use carillon::acd::config::Settings;
use carillon::acd::config::Source;
use carillon::acd::config::Strategy;
use carillon::acd::config::TrunkConfig;
use carillon::acd::config::UnreachableAction;
use carillon::acd::config::UnreachablePolicy;
use carillon::base::id::AgentId;
use carillon::base::id::PromptId;
use carillon::base::id::QueueId;
use carillon::base::id::TrunkId;
use carillon::base::secret::Private;
use carillon::base::time::Millis;

/// What a reading comes to, or what is wrong in one sentence.
pub(crate) type Read<T> = Result<T, String>;

/// The `key=value` words of a line; each may be taken once and none may be left over.
pub(crate) struct Options<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Options<'a> {
    /// Reads words; one without `=` is a key whose value is empty.
    pub(crate) fn of(words: &[&'a str]) -> Self {
        Self(words.iter().map(|word| word.split_once('=').unwrap_or((word, ""))).collect())
    }

    /// Takes an option's value out.
    pub(crate) fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(name, _)| *name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Takes an option out and reads it; `default` if it is not there.
    pub(crate) fn read<T>(
        &mut self,
        key: &str,
        default: T,
        read: impl FnOnce(&str) -> Read<T>,
    ) -> Read<T> {
        self.take(key).map_or(Ok(default), read)
    }

    /// Checks that every option was known.
    pub(crate) fn finish(self) -> Read<()> {
        match self.0.first() {
            None => Ok(()),
            Some((key, _)) => Err(format!("no option is called `{key}`")),
        }
    }
}

/// Reads `15s`, `500ms`, `2h`.
pub(crate) fn length(text: &str) -> Read<Millis> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u64 = number(digits)?;
    match &text[digits.len()..] {
        "ms" => Ok(Millis(count)),
        "s" => Ok(Millis::from_secs(count)),
        "h" => Ok(Millis::from_secs(3600 * count)),
        unit => Err(format!("`{unit}` is no unit of time; write ms, s or h")),
    }
}

/// Reads a number.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Read<T> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}

/// Reads `sip:user@host` or a user part.
pub(crate) fn address(text: &str) -> Address {
    let bare = text.strip_prefix("sip:").unwrap_or(text);
    match bare.split_once('@') {
        Some((user, host)) => Address { user: user.to_owned(), host: Some(host.to_lowercase()) },
        None => Address { user: bare.to_owned(), host: None },
    }
}

/// What every private value of a script contains, so that a leak is found.
pub(crate) const SECRET: &str = "hush-hush";

/// Hides a value.
pub(crate) fn secret(text: &str) -> Private<String> {
    Private::new(format!("{text} {SECRET}"))
}

/// Reads where an object is kept; scripts keep theirs in the folder.
pub(crate) fn source(options: &mut Options<'_>) -> Read<Source> {
    options.read("source", Source::Folder, |text| match text {
        "folder" => Ok(Source::Folder),
        "kubernetes" => Ok(Source::Kubernetes),
        "rest" => Ok(Source::Rest),
        _ => Err(format!("`{text}` is no source")),
    })
}

/// Reads the rest of a `queue` line.
pub(crate) fn queue(name: &str, options: &mut Options<'_>) -> Read<QueueConfig> {
    let addresses = options.take("addresses").unwrap_or(name);
    let prompt = |text: &str| Ok(Some(PromptId::new(text)));
    Ok(QueueConfig {
        id: QueueId::new(name),
        display_name: options.take("display").unwrap_or(name).to_owned(),
        addresses: addresses.split(',').map(address).collect(),
        strategy: options.read("strategy", Strategy::MostIdle, strategy)?,
        ring: options.read("ring", Millis::from_secs(15), length)?,
        wrap_up: options.read("wrap-up", Millis::ZERO, length)?,
        priority: options.read("priority", 0, number)?,
        weight: options.read("weight", 0, number)?,
        service_level: ServiceLevel {
            threshold: options.read("threshold", Millis::from_secs(20), length)?,
            target_percent: 80,
        },
        short_abandon: options.read("short-abandon", Millis::from_secs(5), length)?,
        caller: CallerTreatment {
            answer: options.read("answer", AnswerMode::OnEntry, answer_mode)?,
            welcome: options.read("welcome", None, prompt)?,
            music: Some(PromptId::new("music")),
            announcement: None,
        },
        on_ring_out: options.read("on-ring-out", NOT_READY, ring_policy)?,
        on_declined: options.read("on-declined", NOT_READY, ring_policy)?,
        on_busy: options.read("on-busy", NOT_READY, ring_policy)?,
        limits: Limits {
            calls_max: options.read("calls-max", None, |text| number(text).map(Some))?,
            wait_max: options.read("wait-max", None, |text| length(text).map(Some))?,
        },
        overflow: OverflowRules {
            full: options.read("full", reject(486), overflow)?,
            too_long: options.read("too-long", reject(480), overflow)?,
            no_agents: options.read("no-agents", reject(480), overflow)?,
            closed: options.read("closed", reject(480), overflow)?,
        },
        open: options.read("open", true, |text| Ok(text != "no"))?,
    })
}

const NOT_READY: RingPolicy = RingPolicy { action: RingAction::NotReady, delay: Millis::ZERO };

fn reject(status: u16) -> Overflow {
    Overflow { play: None, action: OverflowAction::Reject { status } }
}

fn strategy(text: &str) -> Read<Strategy> {
    match text {
        "most-idle" => Ok(Strategy::MostIdle),
        "ring-all" => Ok(Strategy::RingAll),
        _ => Err(format!("`{text}` is no strategy")),
    }
}

fn answer_mode(text: &str) -> Read<AnswerMode> {
    match text {
        "on-entry" => Ok(AnswerMode::OnEntry),
        "early-media" => Ok(AnswerMode::EarlyMedia),
        "on-agent" => Ok(AnswerMode::OnAgent),
        _ => Err(format!("`{text}` is no way to answer")),
    }
}

/// Reads `not-ready`, `log-out`, `stay-ready:5s`.
fn ring_policy(text: &str) -> Read<RingPolicy> {
    let (action, delay) = text.split_once(':').unwrap_or((text, "0s"));
    let action = match action {
        "not-ready" => RingAction::NotReady,
        "stay-ready" => RingAction::StayReady,
        "log-out" => RingAction::LogOut,
        _ => return Err(format!("`{action}` is no policy")),
    };
    Ok(RingPolicy { action, delay: length(delay)? })
}

/// Reads `reject:486`, `queue:backup`, `transfer:sip:mail@pbx`, `hang-up`, `wait`; a prompt to be
/// played first stands before it: `play:sorry,hang-up`.
fn overflow(text: &str) -> Read<Overflow> {
    let (play, action) = match text.strip_prefix("play:").and_then(|text| text.split_once(',')) {
        Some((prompt, action)) => (Some(PromptId::new(prompt)), action),
        None => (None, text),
    };
    let action = match action.split_once(':').unwrap_or((action, "")) {
        ("reject", status) => OverflowAction::Reject { status: number(status)? },
        ("queue", name) => OverflowAction::Queue { queue: QueueId::new(name) },
        ("transfer", to) => OverflowAction::Transfer { to: address(to) },
        ("hang-up", _) => OverflowAction::HangUp,
        ("wait", _) => OverflowAction::Wait,
        (other, _) => return Err(format!("`{other}` is no overflow")),
    };
    Ok(Overflow { play, action })
}

/// Reads the rest of an `agent` line; an agent who is given no queues serves `all` of them.
pub(crate) fn agent(name: &str, options: &mut Options<'_>, all: &[QueueId]) -> Read<AgentConfig> {
    let queues = match options.take("queues") {
        Some("") => Vec::new(),
        Some(names) => names.split(',').map(QueueId::new).collect(),
        None => all.to_vec(),
    };
    let device = match options.take("device") {
        Some("none") => None,
        Some(address) => Some(address.to_owned()),
        None => Some(format!("sip:{name}@pbx")),
    };
    let trunk = options.take("trunk").map(TrunkId::new);
    Ok(AgentConfig {
        id: AgentId::new(name),
        display_name: name.to_owned(),
        queues,
        pin: options.take("pin").map(secret),
        device: device.map(|address| DeviceConfig { address, trunk }),
        allowed_logins: options.read("logins", BOTH.to_vec(), logins)?,
        wrap_up: options.read("wrap-up", None, |text| length(text).map(Some))?,
        duplicate_login: options.read("duplicate", None, |text| duplicate(text).map(Some))?,
        on_unreachable: options.read("on-unreachable", LOG_OUT_LATER, unreachable)?,
        team: options.take("team").map(str::to_owned),
    })
}

const BOTH: [LoginKind; 2] = [LoginKind::Callback, LoginKind::NailedUp];
const LOG_OUT_LATER: UnreachablePolicy =
    UnreachablePolicy { action: UnreachableAction::LogOut, after: Millis::from_secs(30) };

/// Reads `callback`, `nailed-up`, or both with a comma between.
pub(crate) fn logins(text: &str) -> Read<Vec<LoginKind>> {
    let one = |word| match word {
        "callback" => Ok(LoginKind::Callback),
        "nailed-up" => Ok(LoginKind::NailedUp),
        _ => Err(format!("`{word}` is no kind of login")),
    };
    text.split(',').map(one).collect()
}

fn duplicate(text: &str) -> Read<DuplicateLogin> {
    match text {
        "reject" => Ok(DuplicateLogin::Reject),
        "warn" => Ok(DuplicateLogin::Warn),
        "take-over" => Ok(DuplicateLogin::TakeOver),
        _ => Err(format!("`{text}` is no rule for a second login")),
    }
}

/// Reads `log-out:30s`, `not-ready:0s`, `nothing`.
fn unreachable(text: &str) -> Read<UnreachablePolicy> {
    let (action, after) = text.split_once(':').unwrap_or((text, "0s"));
    let action = match action {
        "log-out" => UnreachableAction::LogOut,
        "not-ready" => UnreachableAction::NotReady,
        "nothing" => UnreachableAction::Nothing,
        _ => return Err(format!("`{action}` is no policy")),
    };
    Ok(UnreachablePolicy { action, after: length(after)? })
}

/// Reads a `trunk` line.
pub(crate) fn trunk(name: &str) -> TrunkConfig {
    let password = secret("password");
    TrunkConfig {
        id: TrunkId::new(name),
        peers: vec![format!("sip:{name}.example")],
        outbound_proxy: None,
        allowed_sources: Vec::new(),
        inbound_auth: Some(Credentials { username: name.to_owned(), password: password.clone() }),
        outbound_auth: Some(Credentials { username: name.to_owned(), password }),
    }
}

/// Reads a `prompt` line.
pub(crate) fn prompt(name: &str) -> PromptConfig {
    PromptConfig { id: PromptId::new(name), source: PromptSource::BuiltIn(name.to_owned()) }
}

/// Reads a `settings` line.
pub(crate) fn settings(options: &mut Options<'_>) -> Read<Settings> {
    let usual = Settings::default();
    let states = |text: &str| text.split(',').map(state).collect();
    let some_length = |text: &str| if text == "never" { Ok(None) } else { length(text).map(Some) };
    Ok(Settings {
        log_out_allowed_in: options.read("log-out-in", usual.log_out_allowed_in, states)?,
        log_out_when_inactive: options.read(
            "inactive",
            usual.log_out_when_inactive,
            some_length,
        )?,
        not_ready_reasons: usual.not_ready_reasons,
        duplicate_login: options.read("duplicate", usual.duplicate_login, duplicate)?,
        pin_tries: options.read("pin-tries", usual.pin_tries, number)?,
        unreachable_retry: options.read("retry", usual.unreachable_retry, length)?,
        session_expires: usual.session_expires,
    })
}

fn state(text: &str) -> Read<AgentStateName> {
    match text {
        "LoggedOut" => Ok(AgentStateName::LoggedOut),
        "Ready" => Ok(AgentStateName::Ready),
        "NotReady" => Ok(AgentStateName::NotReady),
        "Reserved" => Ok(AgentStateName::Reserved),
        "Talking" => Ok(AgentStateName::Talking),
        "WrapUp" => Ok(AgentStateName::WrapUp),
        _ => Err(format!("`{text}` is no state of an agent")),
    }
}
