//! The call centre the tests run: a queue, a trunk that lets everybody in, and where SIP is heard.
//!
//! Not here: how it is brought to life (`world.rs`).

use carillon::acd::config::AnswerMode;
use carillon::acd::config::CallerTreatment;
use carillon::acd::config::Network;
use carillon::acd::config::QueueConfig;
use carillon::acd::config::TrunkConfig;
use carillon::b2bua::Listener;
use carillon::base::id::PromptId;
use carillon::base::id::TrunkId;
use carillon::sip::flow::Transport;
use carillon::sip::uri::HostPort;

use crate::usual;
use crate::world::UA;
use crate::world::address;

pub(crate) fn listener() -> Listener {
    let local = address(UA);
    Listener { transport: Transport::Udp, local, advertised: HostPort::from(local) }
}

pub(crate) fn trunk() -> TrunkConfig {
    TrunkConfig {
        id: TrunkId::new("pbx"),
        peers: vec!["sip:127.0.0.1:5070".to_owned()],
        outbound_proxy: None,
        allowed_sources: vec![Network { address: address(UA).ip(), prefix: 8 }],
        inbound_auth: None,
        outbound_auth: None,
    }
}

/// A queue with a welcome and music, which agents see as Sales.
pub(crate) fn queue(name: &str, answer: AnswerMode) -> QueueConfig {
    let caller = CallerTreatment {
        answer,
        welcome: Some(PromptId::new("welcome")),
        music: Some(PromptId::new("music")),
        announcement: None,
    };
    QueueConfig { display_name: "Sales".to_owned(), caller, ..usual::queue(name) }
}
