//! `kind: Settings` as people write it: one object, for the deployment and for each node.
//!
//! What may change while Carillon runs goes into the log
//! ([`acd::config::Settings`](crate::acd::config::Settings)). Ports and addresses are a node's own
//! ([`NodeSettings`]): it reads them once, when it starts.
//!
//! | group | fields |
//! |---|---|
//! | `sip` | `listen [{transport, port, address}]`, `advertise`, |
//! | | `sessionExpiresSeconds`, `limits` |
//! | `rtp` | `ports`, `advertise`, `join`, `lostSeconds` |
//! | `menus` | `pinTries` |
//! | `agents` | `logOutAllowedIn`, `logoutNonActivitySeconds`, |
//! | | `notReadyReasons`, `duplicateLogin`, `unreachableRetrySeconds` |
//! | `api` | `listen`, `tokensFile` |
//! | `observe` | `listen` |
//!
//! Not here: the limits of SIP ([`super::limits`]), the tokens themselves ([`super::tokens`]).

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::AgentStateName;
use crate::acd::config::Settings;
use crate::base::time::Millis;
use crate::resource::address;
use crate::resource::agent::DUPLICATE_LOGINS;
use crate::resource::limits;
use crate::resource::limits::SipLimits;
use crate::resource::limits::Used;
use crate::resource::read::Field;
use crate::resource::read::Fields;

/// What one node needs to know before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSettings {
    /// Where SIP is heard, at least one.
    pub sip_listen: Vec<Listen>,
    /// The host, with a port or without, that others reach us by; `None`: the address heard on.
    pub sip_advertise: Option<String>,
    /// What others may take of SIP; those that are rates and calls are followed as they change.
    #[serde(default)]
    pub sip_limits: SipLimits,
    /// The local ports of all RTP streams.
    pub rtp_ports: Vec<u16>,
    /// The address phones send audio to; `None`: found from `sip_advertise` or the interface.
    pub rtp_advertise: Option<IpAddr>,
    /// After how long without a packet a talking party counts as gone; `None`: never.
    pub rtp_lost_after: Option<Millis>,
    /// Where REST is served.
    pub api_listen: SocketAddr,
    /// The file with the bearer tokens; `None`: nobody is let in.
    pub tokens_file: Option<String>,
    /// Where metrics and health are served.
    pub observe_listen: SocketAddr,
}

impl NodeSettings {
    /// The fields in which these settings are not as those, and which a node reads when it starts.
    pub fn changed_since(&self, other: &Self) -> Vec<&'static str> {
        let Self {
            sip_listen,
            sip_advertise,
            sip_limits,
            rtp_ports,
            rtp_advertise,
            rtp_lost_after,
            api_listen,
            tokens_file,
            observe_listen,
        } = self;
        let changed = [
            ("sip.listen", *sip_listen != other.sip_listen),
            ("sip.advertise", *sip_advertise != other.sip_advertise),
            ("rtp.ports", *rtp_ports != other.rtp_ports),
            ("rtp.advertise", *rtp_advertise != other.rtp_advertise),
            ("rtp.lostSeconds", *rtp_lost_after != other.rtp_lost_after),
            ("api.listen", *api_listen != other.api_listen),
            ("api.tokensFile", *tokens_file != other.tokens_file),
            ("observe.listen", *observe_listen != other.observe_listen),
        ];
        let changed = changed.into_iter().filter(|(_, is)| *is).map(|(field, _)| field);
        changed.chain(sip_limits.changed_since(&other.sip_limits, Used::AtStart)).collect()
    }

    /// The same of those that a node follows as they change.
    pub fn followed_since(&self, other: &Self) -> Vec<&'static str> {
        self.sip_limits.changed_since(&other.sip_limits, Used::AtOnce).collect()
    }
}

/// One place SIP is heard at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listen {
    /// How.
    pub transport: ListenTransport,
    /// At which address and port.
    pub address: SocketAddr,
}

/// The transports of SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ListenTransport {
    /// Datagrams.
    Udp,
    /// Streams.
    Tcp,
}

impl Default for NodeSettings {
    fn default() -> Self {
        let any = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        Self {
            sip_listen: vec![
                Listen { transport: ListenTransport::Udp, address: any(5060) },
                Listen { transport: ListenTransport::Tcp, address: any(5060) },
            ],
            sip_advertise: None,
            sip_limits: SipLimits::default(),
            rtp_ports: (20_000..=20_015).collect(),
            rtp_advertise: None,
            rtp_lost_after: None,
            api_listen: any(8080),
            tokens_file: None,
            observe_listen: any(9090),
        }
    }
}

const TRANSPORTS: [(&str, ListenTransport); 2] =
    [("Udp", ListenTransport::Udp), ("Tcp", ListenTransport::Tcp)];

/// The states an agent can be said to leave; `LoggedOut` is left already.
const STATES: [(&str, AgentStateName); 5] = [
    ("Ready", AgentStateName::Ready),
    ("NotReady", AgentStateName::NotReady),
    ("Reserved", AgentStateName::Reserved),
    ("Talking", AgentStateName::Talking),
    ("WrapUp", AgentStateName::WrapUp),
];

/// Carillon's own reasons for not being ready, which a deployment cannot take.
const OWN_REASONS: [&str; 7] =
    ["LoggedIn", "RingOut", "Declined", "Busy", "Unreachable", "Supervisor", "OtherCall"];

/// Each port is a socket that is looked at on its own; a machine has only so many.
const RTP_PORTS_MAX: u16 = 64;

/// Reads the `spec` of the settings.
pub(super) fn read(spec: &Fields<'_>) -> (Settings, NodeSettings) {
    let mut settings = Settings::default();
    let mut node = NodeSettings::default();
    sip(spec.group("sip"), &mut settings, &mut node);
    rtp(spec.group("rtp"), &mut node);
    menus(spec.group("menus"), &mut settings);
    agents(spec.group("agents"), &mut settings);

    let cluster = spec.group("cluster");
    cluster.later(&["nodeLostAfterMilliseconds", "presencePerSecond"]);
    cluster.finish();

    let api = spec.group("api");
    api.elsewhere("tokensSecretRef", "it is for Kubernetes; in a folder write tokensFile");
    node.api_listen = socket(&api, node.api_listen);
    node.tokens_file = api
        .field("tokensFile")
        .and_then(|field| field.text().map(|path| field.notes().beside(path)));
    api.finish();

    let observe = spec.group("observe");
    node.observe_listen = socket(&observe, node.observe_listen);
    observe.finish();
    (settings, node)
}

fn sip(group: Fields<'_>, settings: &mut Settings, node: &mut NodeSettings) {
    if let Some(field) = group.field("listen") {
        let items = field.items(16);
        if items.is_empty() {
            field.wrong("listens nowhere", "write [{transport: Udp, port: 5060}]");
        }
        node.sip_listen = items.into_iter().filter_map(Field::fields).filter_map(listen).collect();
    }
    node.sip_advertise = group.field("advertise").and_then(|field| {
        let written = field.text()?;
        match address::host_port(written) {
            Ok(_) => Some(written.to_owned()),
            Err(remedy) => {
                field.wrong(&format!("\"{written}\" is not where others can reach us"), remedy);
                None
            }
        }
    });
    // RFC 4028 allows nobody to ask for less than 90.
    let advice = "write 90 to 86400; 1800 is usual";
    if let Some(length) = group.optional_seconds("sessionExpiresSeconds", 90..=86_400, advice) {
        settings.session_expires = length;
    }
    node.sip_limits = limits::read(group.group("limits"));
    group.finish();
}

fn listen(fields: Fields<'_>) -> Option<Listen> {
    let transport = fields
        .required("transport", "write Udp or Tcp")
        .and_then(|field| field.word(&TRANSPORTS, &["Tls"]));
    let port = fields.integer("port", 1..=65_535, 5060, "write 1 to 65535; 5060 is SIP's own");
    let address = match fields.field("address") {
        None => Some(IpAddr::from(Ipv4Addr::UNSPECIFIED)),
        Some(field) => ip_address(&field),
    };
    fields.finish();
    let address = SocketAddr::from((address?, u16::try_from(port).ok()?));
    Some(Listen { transport: transport?, address })
}

fn ip_address(field: &Field<'_>) -> Option<IpAddr> {
    let written = field.text()?;
    let address = written.parse().ok();
    if address.is_none() {
        let remedy = "write an IP address of this machine, as 192.0.2.10";
        field.wrong(&format!("\"{written}\" is not an IP address"), remedy);
    }
    address
}

fn rtp(group: Fields<'_>, node: &mut NodeSettings) {
    if let Some(field) = group.field("ports")
        && let Some(written) = field.text()
    {
        match ports(written) {
            Ok(ports) => node.rtp_ports = ports,
            Err(remedy) => field.wrong(&format!("\"{written}\" is not a range of ports"), &remedy),
        }
    }
    node.rtp_advertise = group.field("advertise").and_then(|field| ip_address(&field));
    // Phones report every five seconds, and now and then a report is lost.
    let advice = "write 10 to 3600, or leave it out for never; 60 is usual";
    node.rtp_lost_after = group.optional_seconds("lostSeconds", 10..=3600, advice);
    if let Some(field) = group.field("join") {
        let _ = field.word(&[("Relay", ())], &["Direct"]);
    }
    group.finish();
}

fn ports(written: &str) -> Result<Vec<u16>, String> {
    let remedy = || "write two ports from 1024 to 65535, as \"20000-20015\"".to_owned();
    let (first, last) = written.split_once('-').unwrap_or((written, written));
    let (Ok(first), Ok(last)) = (first.trim().parse::<u16>(), last.trim().parse::<u16>()) else {
        return Err(remedy());
    };
    if first < 1024 || last < first {
        return Err(remedy());
    }
    if last - first >= RTP_PORTS_MAX {
        let most = format!("a port carries thousands of streams; write at most {RTP_PORTS_MAX}");
        return Err(most);
    }
    Ok((first..=last).collect())
}

fn menus(group: Fields<'_>, settings: &mut Settings) {
    group.later(&["login", "logout", "ready", "notReady", "supervisor"]);
    let tries = i64::from(settings.pin_tries);
    let tries = group.integer("pinTries", 1..=20, tries, "write 1 to 20; 3 is usual");
    settings.pin_tries = u8::try_from(tries).unwrap_or(settings.pin_tries);
    group.finish();
}

fn agents(group: Fields<'_>, settings: &mut Settings) {
    if let Some(field) = group.field("logOutAllowedIn") {
        let words = field.items(STATES.len());
        settings.log_out_allowed_in =
            words.iter().filter_map(|item| item.word(&STATES, &[])).collect();
    }
    let advice = "write 0 for never, up to 604800; 7200 is usual";
    if let Some(idle) = group.optional_seconds("logoutNonActivitySeconds", 0..=604_800, advice) {
        settings.log_out_when_inactive = (idle > Millis::ZERO).then_some(idle);
    }
    if let Some(field) = group.field("notReadyReasons") {
        settings.not_ready_reasons = reasons(&field);
    }
    settings.duplicate_login =
        group.word("duplicateLogin", &DUPLICATE_LOGINS, settings.duplicate_login);
    let usual = settings.unreachable_retry.as_secs();
    let advice = "write 1 to 3600; 10 is usual";
    settings.unreachable_retry = group.seconds("unreachableRetrySeconds", 1..=3600, usual, advice);
    group.finish();
}

fn reasons(field: &Field<'_>) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for item in field.items(64) {
        let Some(reason) = item.text() else { continue };
        let is_word = (1..=40).contains(&reason.len())
            && reason.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_word {
            let remedy = "write one word of letters and digits, as Lunch";
            item.wrong(&format!("\"{reason}\" cannot be a reason"), remedy);
        } else if OWN_REASONS.contains(&reason) {
            item.wrong(&format!("{reason} is one of Carillon's own reasons"), "choose another");
        } else if reasons.iter().any(|known| known == reason) {
            item.wrong(&format!("{reason} stands here twice"), "remove one of the two");
        } else {
            reasons.push(reason.to_owned());
        }
    }
    reasons
}

fn socket(group: &Fields<'_>, usual: SocketAddr) -> SocketAddr {
    let Some(field) = group.field("listen") else { return usual };
    if let Some(port) = field.number() {
        field.wrong(&format!("{port} is a number and not text"), &format!("write \":{port}\""));
        return usual;
    }
    let Some(written) = field.text() else { return usual };
    match address::socket(written) {
        Ok(address) => address,
        Err(remedy) => {
            field.wrong(&format!("\"{written}\" is not where one can listen"), remedy);
            usual
        }
    }
}
