//! `kind: Agent` as people write it.
//!
//! | field | range | left out |
//! |---|---|---|
//! | `displayName` | text | the name |
//! | `queues` | names of queues | none |
//! | `pin`, `pinFile` | 3–16 digits, or a file that holds them | no PIN is asked for |
//! | `device` | `{address, trunk}` | the login names one |
//! | `allowedLogins` | Callback | Callback |
//! | `wrapUpSeconds` | 0–7200 | the queue's |
//! | `duplicateLogin` | Reject, Warn, TakeOver ([`DuplicateLogin`]) | as `Settings` says |
//! | `onUnreachable` | `{action, afterSeconds}` | LogOut after 30 s |
//! | `team` | a name | nobody's supervisors |
//!
//! Not here: whether the queues exist ([`super::cross`]).

use crate::acd::command::LoginKind;
use crate::acd::config::AgentConfig;
use crate::acd::config::DeviceConfig;
use crate::acd::config::DuplicateLogin;
use crate::acd::config::UnreachableAction;
use crate::acd::config::UnreachablePolicy;
use crate::base::id::AgentId;
use crate::base::id::QueueId;
use crate::base::id::TrunkId;
use crate::base::secret::Private;
use crate::base::time::Millis;
use crate::resource::Kind;
use crate::resource::address;
use crate::resource::name;
use crate::resource::read::Field;
use crate::resource::read::Fields;

/// An agent is a member of this many queues at most.
const QUEUES_MAX: usize = 256;

/// The words of `duplicateLogin`, here and in `Settings`.
pub(super) const DUPLICATE_LOGINS: [(&str, DuplicateLogin); 3] = [
    ("Reject", DuplicateLogin::Reject),
    ("Warn", DuplicateLogin::Warn),
    ("TakeOver", DuplicateLogin::TakeOver),
];

const UNREACHABLE_ACTIONS: [(&str, UnreachableAction); 3] = [
    ("LogOut", UnreachableAction::LogOut),
    ("NotReady", UnreachableAction::NotReady),
    ("Nothing", UnreachableAction::Nothing),
];

/// Reads the `spec` of the agent called `name`.
pub(super) fn read(spec: &Fields<'_>, name: &str) -> AgentConfig {
    AgentConfig {
        id: AgentId::new(name),
        display_name: spec.text("displayName").unwrap_or_else(|| name.to_owned()),
        queues: spec.field("queues").map(|field| queues(&field)).unwrap_or_default(),
        pin: pin(spec),
        device: spec.field("device").and_then(Field::fields).and_then(device),
        allowed_logins: spec
            .field("allowedLogins")
            .map_or_else(|| vec![LoginKind::Callback], |field| logins(&field)),
        wrap_up: spec.optional_seconds(
            "wrapUpSeconds",
            0..=7200,
            "write 0 for none, up to 7200, or leave it out to go by the queue",
        ),
        duplicate_login: spec
            .field("duplicateLogin")
            .and_then(|field| field.word(&DUPLICATE_LOGINS, &[])),
        on_unreachable: on_unreachable(spec.group("onUnreachable")),
        team: spec.field("team").and_then(|field| team(&field)),
    }
}

fn queues(field: &Field<'_>) -> Vec<QueueId> {
    let mut queues: Vec<QueueId> = Vec::new();
    for item in field.items(QUEUES_MAX) {
        let Some(name) = name::reference(Kind::Queue, &item) else { continue };
        let queue = QueueId::new(&name);
        if queues.contains(&queue) {
            item.wrong(&format!("{name} stands here twice"), "remove one of the two");
        } else {
            queues.push(queue);
        }
    }
    queues
}

fn pin(spec: &Fields<'_>) -> Option<Private<String>> {
    spec.elsewhere("pinSecretRef", "it is for Kubernetes; in a folder write pin or pinFile");
    let written = spec.field("pin");
    let file = spec.field("pinFile");
    if written.is_some() && file.is_some() {
        spec.wrong("pinFile", "stands beside pin", "write one of the two");
    }
    let (field, pin) = match (written, file) {
        (Some(field), _) => {
            let pin = field.text_unseen("a PIN is text; put it in quotes")?.to_owned();
            (field, pin)
        }
        (None, Some(field)) => {
            let pin = field.secret_file()?;
            (field, pin)
        }
        (None, None) => return None,
    };
    if (3..=16).contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Private::new(pin));
    }
    field.wrong("is not a PIN", "a PIN is keyed in at a phone: 3 to 16 digits in quotes");
    None
}

fn device(fields: Fields<'_>) -> Option<DeviceConfig> {
    let address = fields.required("address", "write where to ring, as sip:2771@pbx.example");
    let address = address.and_then(|field| {
        let written = field.text()?;
        match address::check_uri(written) {
            Ok(()) => Some(written.to_owned()),
            Err(remedy) => {
                field.wrong(&format!("\"{written}\" is not where a phone can be rung"), remedy);
                None
            }
        }
    });
    let trunk = fields.field("trunk").and_then(|field| name::reference(Kind::Trunk, &field));
    fields.finish();
    Some(DeviceConfig { address: address?, trunk: trunk.map(|trunk| TrunkId::new(&trunk)) })
}

fn logins(field: &Field<'_>) -> Vec<LoginKind> {
    let items = field.items(2);
    if items.is_empty() {
        field.wrong("allows no login", "write [Callback], or leave the field out");
    }
    items.iter().filter_map(login_kind).collect()
}

/// How an agent logs in, for orders as for what is allowed.
pub(super) fn login_kind(field: &Field<'_>) -> Option<LoginKind> {
    field.word(&[("Callback", LoginKind::Callback)], &["NailedUp"])
}

fn on_unreachable(group: Fields<'_>) -> UnreachablePolicy {
    let action = group.word("action", &UNREACHABLE_ACTIONS, UnreachableAction::LogOut);
    let advice = "write 0 to 86400; 30 is usual";
    let after: Millis = group.seconds("afterSeconds", 0..=86_400, 30, advice);
    group.finish();
    UnreachablePolicy { action, after }
}

fn team(field: &Field<'_>) -> Option<String> {
    let written = field.text()?;
    if name::is_good(written) {
        return Some(written.to_owned());
    }
    field.wrong(&format!("\"{written}\" cannot be a team"), name::REMEDY);
    None
}
