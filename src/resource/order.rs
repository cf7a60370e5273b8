//! The bodies of orders given by REST, read with the same care as resources.
//!
//! | order | body |
//! |---|---|
//! | login | `{device?, kind?, pin?}` |
//! | not-ready | `{reason}` |
//! | transfer | `{to}` |
//! | priority | `{priority}` |
//! | every other | none, or `{}` |
//!
//! Always holds: a mistake names its field by JSON pointer and never repeats a PIN.
//!
//! Not here: who may order what (`api::auth`), whether it can be done (the core).

use utoipa::ToSchema;

use crate::acd::command::LoginKind;
use crate::acd::config::Address;
use crate::base::secret::Private;
use crate::resource::Mistake;
use crate::resource::Outside;
use crate::resource::address;
use crate::resource::agent;
use crate::resource::document;
use crate::resource::read::Field;
use crate::resource::read::Fields;
use crate::resource::read::Notes;

/// Where and how an agent logs in.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct LogInOrder {
    /// The SIP URI to ring; left out, the agent's configured device.
    pub device: Option<String>,
    /// `Callback`, which is also what it is when left out.
    #[schema(value_type = Option<String>)]
    pub kind: LoginKind,
    /// Needed when the agent has one and asks for itself.
    #[schema(value_type = Option<String>)]
    pub pin: Option<Private<String>>,
}

/// Why an agent is not ready.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
pub struct NotReadyOrder {
    /// One of the reasons in the settings.
    pub reason: String,
}

/// Where a call is sent.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
pub struct TransferOrder {
    /// A whole address, `sip:voicemail@pbx.example`, or a number at the caller's trunk,
    /// `tel:+4922199`.
    #[schema(value_type = String)]
    pub to: Address,
}

/// How urgent a call is.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
pub struct PriorityOrder {
    /// -1000 to 1000, higher first.
    pub priority: i32,
}

/// Reads the body of a login.
pub fn read_login(body: &serde_json::Value) -> Result<LogInOrder, Vec<Mistake>> {
    read(body, |fields| {
        let device = fields.field("device").and_then(|field| device(&field));
        let kind = fields.field("kind").and_then(|field| agent::login_kind(&field));
        let pin = fields
            .field("pin")
            .and_then(|field| field.text_unseen("a PIN is text; put it in quotes"));
        let kind = kind.unwrap_or(LoginKind::Callback);
        Some(LogInOrder { device, kind, pin: pin.map(|pin| Private::new(pin.to_owned())) })
    })
}

/// Reads the body of an order to be not ready.
pub fn read_not_ready(body: &serde_json::Value) -> Result<NotReadyOrder, Vec<Mistake>> {
    read(body, |fields| {
        let reason = fields.required("reason", "name one of the reasons in the settings");
        Some(NotReadyOrder { reason: reason?.short_text()? })
    })
}

/// Reads the body of a transfer.
pub fn read_transfer(body: &serde_json::Value) -> Result<TransferOrder, Vec<Mistake>> {
    read(body, |fields| {
        let field = fields.required("to", "write a whole address, as sip:voicemail@pbx.example")?;
        let written = field.text()?;
        match address::target(written) {
            Ok(to) => Some(TransferOrder { to }),
            Err(remedy) => {
                field.wrong("is not an address to send calls to", remedy);
                None
            }
        }
    })
}

/// Reads the body of a change of priority.
pub fn read_priority(body: &serde_json::Value) -> Result<PriorityOrder, Vec<Mistake>> {
    read(body, |fields| {
        let advice = "write -1000 to 1000, higher goes first";
        let field = fields.required("priority", advice)?;
        let priority = field.integer(-1000..=1000, advice)?;
        Some(PriorityOrder { priority: i32::try_from(priority).ok()? })
    })
}

/// Reads the body of an order that needs none.
pub fn read_nothing(body: &serde_json::Value) -> Result<(), Vec<Mistake>> {
    read(body, |fields| {
        fields.later(&["reason"]);
        Some(())
    })
}

fn device(field: &Field<'_>) -> Option<String> {
    let written = field.text()?;
    match address::check_uri(written) {
        Ok(()) => Some(written.to_owned()),
        Err(remedy) => {
            field.wrong("is not where a phone can be rung", remedy);
            None
        }
    }
}

fn read<T>(
    body: &serde_json::Value,
    read: impl FnOnce(&Fields<'_>) -> Option<T>,
) -> Result<T, Vec<Mistake>> {
    let notes = Notes::new("", &Nowhere);
    let node = document::from_json(body);
    let value = Fields::top(&notes, &node).and_then(|fields| {
        let value = read(&fields);
        fields.finish();
        value
    });
    let mistakes = notes.into_findings().mistakes;
    match value {
        Some(value) if mistakes.is_empty() => Ok(value),
        _ => Err(mistakes),
    }
}

/// Orders need nothing of the world.
struct Nowhere;

impl Outside for Nowhere {
    fn read_secret(&self, _path: &str) -> Result<String, String> {
        Err("there are no files here".to_owned())
    }

    fn check_audio(&self, _path: &str) -> Result<(), String> {
        Err("there are no files here".to_owned())
    }

    fn built_in_prompts(&self) -> &[&str] {
        &[]
    }
}
