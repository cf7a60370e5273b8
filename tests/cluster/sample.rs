//! One of every command, with every field filled.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::IpAddr;
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
use carillon::acd::config::Address;
use carillon::acd::config::AgentConfig;
use carillon::acd::config::Announcement;
use carillon::acd::config::AnswerMode;
use carillon::acd::config::CallerTreatment;
use carillon::acd::config::Credentials;
use carillon::acd::config::DeviceConfig;
use carillon::acd::config::DuplicateLogin;
use carillon::acd::config::Limits;
use carillon::acd::config::Network;
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
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::LegId;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::PromptId;
use carillon::base::id::QueueId;
use carillon::base::id::TrunkId;
use carillon::base::secret::Private;
use carillon::base::time::Millis;
use carillon::cluster::types::Member;
use openraft::Membership;

pub(crate) fn members() -> Membership<u64, Member> {
    let voters = BTreeSet::from([1, 2, 3]);
    let nodes = (1..=4).map(|id| (id, Member { address: format!("carillon-{id}.example:7000") }));
    Membership::new(vec![voters], nodes.collect::<BTreeMap<_, _>>()).unwrap()
}

fn by() -> Actor {
    Actor { role: Role::Supervisor, name: "sue".to_owned() }
}

fn call() -> CallId {
    CallId(0x00c0_ffee_00c0_ffee)
}

fn leg() -> LegId {
    LegId { call: call(), nth: 1 }
}

fn dialog() -> Dialog {
    Dialog::from(vec![1, 2, 3, 255])
}

fn owner() -> Owner {
    Owner { node: NodeId(1), incarnation: Incarnation(3) }
}

fn address() -> Address {
    Address { user: "sales".to_owned(), host: Some("acd.example".to_owned()) }
}

fn agent() -> AgentId {
    AgentId::new("ann")
}

pub(crate) fn queue(id: &str) -> QueueConfig {
    let policy = RingPolicy { action: RingAction::NotReady, delay: Millis::from_secs(5) };
    let reject = |status| Overflow {
        play: Some(PromptId::new("closed")),
        action: OverflowAction::Reject { status },
    };
    QueueConfig {
        id: QueueId::new(id),
        display_name: "Sales".to_owned(),
        addresses: vec![Address { user: id.to_owned(), host: None }],
        strategy: Strategy::MostIdle,
        ring: Millis::from_secs(15),
        wrap_up: Millis::from_secs(10),
        priority: 1,
        weight: 2,
        service_level: ServiceLevel { threshold: Millis::from_secs(20), target_percent: 80 },
        short_abandon: Millis::from_secs(5),
        caller: CallerTreatment {
            answer: AnswerMode::OnEntry,
            welcome: Some(PromptId::new("welcome")),
            music: Some(PromptId::new("music")),
            announcement: Some(Announcement {
                prompt: PromptId::new("wait"),
                every: Millis::from_secs(30),
            }),
        },
        on_ring_out: policy,
        on_declined: policy,
        on_busy: policy,
        limits: Limits { calls_max: Some(50), wait_max: Some(Millis::from_secs(600)) },
        overflow: OverflowRules {
            full: reject(486),
            too_long: Overflow { play: None, action: OverflowAction::Transfer { to: address() } },
            no_agents: Overflow { play: None, action: OverflowAction::Wait },
            closed: reject(480),
        },
        open: true,
    }
}

pub(crate) fn agent_config(id: &str) -> AgentConfig {
    AgentConfig {
        id: AgentId::new(id),
        display_name: "Ann".to_owned(),
        queues: vec![QueueId::new("sales"), QueueId::new("support")],
        pin: Some(Private::new("1234".to_owned())),
        device: Some(DeviceConfig {
            address: format!("sip:{id}@192.0.2.7"),
            trunk: Some(TrunkId::new("pbx")),
        }),
        allowed_logins: vec![LoginKind::Callback, LoginKind::NailedUp],
        wrap_up: Some(Millis::from_secs(7)),
        duplicate_login: Some(DuplicateLogin::TakeOver),
        on_unreachable: UnreachablePolicy {
            action: UnreachableAction::LogOut,
            after: Millis::from_secs(60),
        },
        team: Some("north".to_owned()),
    }
}

fn trunk() -> TrunkConfig {
    let credentials = |name: &str| Credentials {
        username: name.to_owned(),
        password: Private::new("secret".to_owned()),
    };
    TrunkConfig {
        id: TrunkId::new("pbx"),
        peers: vec!["sip:192.0.2.9:5060;transport=tcp".to_owned()],
        outbound_proxy: Some("sip:192.0.2.10".to_owned()),
        allowed_sources: vec![
            Network { address: IpAddr::from([192, 0, 2, 0]), prefix: 24 },
            Network { address: IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0]), prefix: 32 },
        ],
        inbound_auth: Some(credentials("in")),
        outbound_auth: Some(credentials("out")),
    }
}

fn arrival() -> Arrival {
    let caller = Caller {
        sip_call_id: "335099e9@192.0.2.3".to_owned(),
        from: Private::new("100@192.0.2.3".to_owned()),
        to: "sales@acd.example".to_owned(),
        number: Private::new(Some("+441632960000".to_owned())),
        name: Private::new(Some("Carol".to_owned())),
    };
    Arrival {
        call: call(),
        owner: owner(),
        to: address(),
        caller: Arc::new(caller),
        priority: Some(-3),
        dialog: dialog(),
    }
}

/// A caller who dials `user` and whose leg `owner` has.
pub(crate) fn arrival_at(user: &str, call: CallId, owner: Owner) -> Command {
    let to = Address { user: user.to_owned(), host: None };
    Command::EnqueueCall(Box::new(Arrival { call, owner, to, ..arrival() }))
}

fn log_in() -> LogIn {
    LogIn {
        agent: agent(),
        pin: Some(Private::new("1234".to_owned())),
        device: Some("sip:ann@192.0.2.8".to_owned()),
        kind: LoginKind::NailedUp,
        by: by(),
    }
}

/// One of every command, named.
pub(crate) fn commands() -> Vec<(&'static str, Command)> {
    [of_nodes_and_configuration(), of_calls(), of_agents()].concat()
}

fn of_nodes_and_configuration() -> Vec<(&'static str, Command)> {
    let (folder, rest) = (Source::Folder, Source::Rest);
    let prompt = |source| {
        let id = PromptId::new("welcome");
        Command::PutPrompt { prompt: Box::new(PromptConfig { id, source }), source: folder }
    };
    let agent_config = Box::new(agent_config("ann"));
    let settings = Box::new(Settings::default());
    vec![
        ("advance", Command::Advance),
        ("start_node", Command::StartNode { owner: owner() }),
        ("lose_node", Command::LoseNode { owner: owner() }),
        ("put_queue", Command::PutQueue { queue: Box::new(queue("sales")), source: folder }),
        ("remove_queue", Command::RemoveQueue { queue: QueueId::new("sales"), source: rest }),
        ("put_agent", Command::PutAgent { agent: agent_config, source: Source::Kubernetes }),
        ("remove_agent", Command::RemoveAgent { agent: agent(), source: rest }),
        ("put_trunk", Command::PutTrunk { trunk: Box::new(trunk()), source: folder }),
        ("remove_trunk", Command::RemoveTrunk { trunk: TrunkId::new("pbx"), source: rest }),
        ("put_prompt_built_in", prompt(PromptSource::BuiltIn("welcome".to_owned()))),
        ("put_prompt_file", prompt(PromptSource::File("/prompts/welcome.wav".to_owned()))),
        ("remove_prompt", Command::RemovePrompt { prompt: PromptId::new("x"), source: rest }),
        ("put_settings", Command::PutSettings { settings, source: rest }),
    ]
}

fn of_calls() -> Vec<(&'static str, Command)> {
    let why = RingFailure::Busy;
    vec![
        ("enqueue_call", Command::EnqueueCall(Box::new(arrival()))),
        ("answer_reservation", Command::AnswerReservation { leg: leg(), dialog: dialog() }),
        ("fail_reservation", Command::FailReservation { leg: leg(), why }),
        ("update_leg", Command::UpdateLeg { leg: leg(), dialog: dialog() }),
        ("hold_leg", Command::HoldLeg { leg: leg(), held: true }),
        ("end_leg", Command::EndLeg { leg: leg(), why: LegEnd::Lost }),
        ("finish_prompt", Command::FinishPrompt { leg: leg() }),
        ("settle_transfer", Command::SettleTransfer { leg: leg(), refused: Some(603) }),
        ("transfer_call", Command::TransferCall { call: call(), to: address(), by: by() }),
        ("hang_up_call", Command::HangUpCall { call: call(), by: by() }),
        ("prioritize_call", Command::PrioritizeCall { call: call(), priority: -7, by: by() }),
    ]
}

fn of_agents() -> Vec<(&'static str, Command)> {
    let reason = "Lunch".to_owned();
    let state = DeviceState::Unreachable;
    vec![
        ("log_in", Command::LogIn(Box::new(log_in()))),
        ("log_out", Command::LogOut { agent: agent(), by: by() }),
        ("force_log_out", Command::ForceLogOut { agent: agent(), by: by() }),
        ("set_ready", Command::SetReady { agent: agent(), by: by() }),
        ("set_not_ready", Command::SetNotReady { agent: agent(), reason, by: by() }),
        ("end_wrap_up", Command::EndWrapUp { agent: agent(), by: by() }),
        ("report_device", Command::ReportDevice { agent: agent(), state }),
    ]
}
