//! Every refusal of the core has its problem, with a page, a status and words for people.

use std::fs;
use std::path::Path;

use carillon::acd::command::AgentStateName;
use carillon::acd::command::CallStateName;
use carillon::acd::command::LoginKind;
use carillon::acd::command::Refusal;
use carillon::acd::config::Address;
use carillon::acd::config::OverflowRule;
use carillon::acd::config::Source;
use carillon::api::refusal_document;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::LegId;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::PromptId;
use carillon::base::id::QueueId;
use carillon::base::id::TrunkId;
use carillon::base::time::ClusterTime;

fn every_refusal() -> Vec<Refusal> {
    let call = CallId(1);
    let agent = AgentId::new("2771");
    let queue = QueueId::new("sales");
    let address = Address { user: "sales".to_owned(), host: None };
    let device = "sip:2771@pbx.example".to_owned();
    vec![
        Refusal::UnknownCall(call),
        Refusal::DuplicateCall(call),
        Refusal::UnknownLeg(LegId { call, nth: 1 }),
        Refusal::UnknownAddress(address.clone()),
        Refusal::UnknownQueue(queue.clone()),
        Refusal::UnknownAgent(agent.clone()),
        Refusal::UnknownTrunk(TrunkId::new("pbx")),
        Refusal::UnknownPrompt(PromptId::new("welcome")),
        Refusal::TurnedAway { queue: queue.clone(), status: 486, rule: OverflowRule::Full },
        Refusal::WrongAgentState {
            agent: agent.clone(),
            state: AgentStateName::Talking,
            allowed: vec![AgentStateName::NotReady, AgentStateName::WrapUp],
        },
        Refusal::WrongCallState { call, state: CallStateName::Ended },
        Refusal::WrongPin { agent: agent.clone() },
        Refusal::PinMissing { agent: agent.clone() },
        Refusal::PinLocked { agent: agent.clone(), until: ClusterTime(1_769_860_800_000) },
        Refusal::LoginKindNotAllowed { agent: agent.clone(), kind: LoginKind::NailedUp },
        Refusal::NoDevice { agent: agent.clone() },
        Refusal::AlreadyLoggedIn { agent: agent.clone(), device: device.clone() },
        Refusal::DeviceTaken { device: device.clone(), agent: agent.clone() },
        Refusal::DeviceInCall { device, agent },
        Refusal::UnknownReason { reason: "Golf".to_owned(), known: vec!["Lunch".to_owned()] },
        Refusal::AddressTaken { address, queue },
        Refusal::OtherSource { name: "sales".to_owned(), source: Source::Folder },
        Refusal::RequestReused,
        Refusal::StaleOwner(Owner { node: NodeId(1), incarnation: Incarnation(2) }),
    ]
}

#[test]
fn every_refusal_is_told_in_these_words() {
    let mut said = String::new();
    for refusal in every_refusal() {
        let document = refusal_document(&refusal, "logging out");
        let status = document["status"].as_u64().unwrap();
        assert!((400..500).contains(&status), "{document}");
        assert!(document["type"].as_str().unwrap().starts_with("/problems/"));
        let name = document["refusal"].as_str().unwrap();
        let detail = document["detail"].as_str().unwrap();
        said.push_str(&format!("{name} {status}\n  {detail}\n"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/golden/refusals.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &said).unwrap();
    }
    assert_eq!(said, fs::read_to_string(&path).unwrap_or_default());
}

#[test]
fn the_example_of_the_design_is_word_for_word() {
    let refusal = Refusal::WrongAgentState {
        agent: AgentId::new("2771"),
        state: AgentStateName::Talking,
        allowed: vec![AgentStateName::NotReady, AgentStateName::WrapUp],
    };
    assert_eq!(
        refusal_document(&refusal, "logging out")["detail"],
        "Agent 2771 is Talking; logging out is allowed in NotReady or WrapUp. End the call, or \
         ask a supervisor to force it."
    );
}
