//! The published list of problems: name, status, title, and the page with cause and remedy.
//!
//! Always holds: a name once published is never given another meaning.
//!
//! Not here: what is said about one occurrence (`detail` of [`super::problem`]).

use axum::http::StatusCode;

use crate::api::problem::Kind;

/// One line of the list.
struct Entry {
    kind: Kind,
    name: &'static str,
    status: u16,
    title: &'static str,
    cause: &'static str,
    remedy: &'static str,
}

const fn entry(kind: Kind, name: &'static str, status: u16, text: [&'static str; 3]) -> Entry {
    let [title, cause, remedy] = text;
    Entry { kind, name, status, title, cause, remedy }
}

/// The whole list.
static LIST: [Entry; 41] = [
    entry(
        Kind::Unauthenticated,
        "unauthenticated",
        401,
        [
            "No valid token",
            "The request has no Authorization header, or its bearer token is not in the \
             tokens file.",
            "Send Authorization: Bearer with a token of the file that Settings names in \
             api.tokensFile.",
        ],
    ),
    entry(
        Kind::Forbidden,
        "forbidden",
        403,
        [
            "The role does not allow this",
            "The token is valid, but its role or its teams do not allow what was asked; \
             requiredRole names the one that does.",
            "Ask with a token of that role.",
        ],
    ),
    entry(
        Kind::UnknownRoute,
        "unknown-route",
        404,
        [
            "No such page",
            "Nothing is served at this path.",
            "See /api/v1/openapi.json for every path there is.",
        ],
    ),
    entry(
        Kind::MethodNotAllowed,
        "method-not-allowed",
        405,
        [
            "Not in this way",
            "The path is served, but not with this method.",
            "See /api/v1/openapi.json for the methods of each path.",
        ],
    ),
    entry(
        Kind::UnknownQueue,
        "unknown-queue",
        404,
        [
            "No such queue",
            "No queue of this name is configured.",
            "Look at the names in near, or list them with GET /api/v1/queues.",
        ],
    ),
    entry(
        Kind::UnknownAgent,
        "unknown-agent",
        404,
        [
            "No such agent",
            "No agent of this name is configured.",
            "Look at the names in near, or list them with GET /api/v1/agents.",
        ],
    ),
    entry(
        Kind::UnknownCall,
        "unknown-call",
        404,
        [
            "No such call",
            "The call never was, or ended so long ago that it is no longer kept.",
            "List the live and recent calls with GET /api/v1/calls.",
        ],
    ),
    entry(
        Kind::UnknownLeg,
        "unknown-leg",
        404,
        ["No such leg", "The leg has ended meanwhile.", "Look at the call again."],
    ),
    entry(
        Kind::UnknownTrunk,
        "unknown-trunk",
        404,
        [
            "No such trunk",
            "No trunk of this name is configured.",
            "Configure it first, or name another.",
        ],
    ),
    entry(
        Kind::UnknownPrompt,
        "unknown-prompt",
        404,
        [
            "No such prompt",
            "No prompt of this name is configured or built in.",
            "Configure it first, or name another.",
        ],
    ),
    entry(
        Kind::UnknownAddress,
        "unknown-address",
        404,
        [
            "Nothing is reached there",
            "No queue has this address.",
            "Give the address to a queue, or use another.",
        ],
    ),
    entry(
        Kind::MalformedBody,
        "malformed-body",
        400,
        [
            "The body is no JSON",
            "The body cannot be read as JSON.",
            "Send a JSON object; detail says where reading stopped.",
        ],
    ),
    entry(
        Kind::MalformedRequest,
        "malformed-request",
        400,
        [
            "The request cannot be read",
            "A parameter or header has a value it cannot have.",
            "Correct what detail names.",
        ],
    ),
    entry(
        Kind::InvalidField,
        "invalid-field",
        422,
        [
            "A field is wrong",
            "The body is JSON, but one or more fields cannot be taken; errors names each by \
             its JSON pointer.",
            "Write what each error says.",
        ],
    ),
    entry(
        Kind::BodyTooLarge,
        "body-too-large",
        413,
        ["The body is too large", "Bodies are limited to 256 KiB.", "Send less."],
    ),
    entry(
        Kind::HeadersTooLarge,
        "headers-too-large",
        431,
        [
            "The headers are too large",
            "Headers are limited to 16 KiB in all.",
            "Send fewer or shorter headers.",
        ],
    ),
    entry(
        Kind::UnsupportedMediaType,
        "unsupported-media-type",
        415,
        [
            "The body is not JSON",
            "The Content-Type is not application/json.",
            "Send Content-Type: application/json.",
        ],
    ),
    entry(
        Kind::RateLimited,
        "rate-limited",
        429,
        [
            "Too many requests",
            "This token asks more often than it may.",
            "Wait as long as Retry-After says; use GET /api/v1/events instead of asking \
             again and again.",
        ],
    ),
    entry(
        Kind::TooManyListeners,
        "too-many-listeners",
        429,
        [
            "Too many listeners",
            "This node serves as many event streams as it can.",
            "Listen at another node, or later.",
        ],
    ),
    entry(
        Kind::EventsGone,
        "events-gone",
        410,
        [
            "Events are no longer kept",
            "The events after the given index are no longer kept in memory.",
            "Read the state anew, then listen after the index given here.",
        ],
    ),
    entry(
        Kind::NoQuorum,
        "no-quorum",
        503,
        [
            "No majority",
            "This node reaches no majority of the cluster, so nothing can be changed. \
             Nothing was done.",
            "Ask again after Retry-After, or ask another node.",
        ],
    ),
    entry(
        Kind::TimedOut,
        "timed-out",
        503,
        [
            "No answer in time",
            "The cluster did not answer in time. It is not known whether it was done.",
            "Send it again with the same Idempotency-Key: it is not done twice.",
        ],
    ),
    entry(
        Kind::Stopping,
        "stopping",
        503,
        ["The node is stopping", "This node is being stopped.", "Ask another node."],
    ),
    entry(
        Kind::WrongAgentState,
        "wrong-agent-state",
        409,
        [
            "The agent's state does not allow this",
            "What was asked is allowed in other states of the agent only; state and allowed \
             name them.",
            "Bring the agent into one of those states first.",
        ],
    ),
    entry(
        Kind::WrongCallState,
        "wrong-call-state",
        409,
        [
            "The call's state does not allow this",
            "What was asked cannot be done with a call in this state.",
            "Look at the call; it may have gone on meanwhile.",
        ],
    ),
    entry(
        Kind::WrongPin,
        "wrong-pin",
        403,
        [
            "The PIN is wrong",
            "The PIN is not the agent's.",
            "Try again; after a few wrong PINs the login is locked for a while.",
        ],
    ),
    entry(
        Kind::PinMissing,
        "pin-missing",
        422,
        [
            "The PIN is missing",
            "The agent has a PIN, and the login names none. It does not count as a wrong one.",
            "Send the PIN as pin.",
        ],
    ),
    entry(
        Kind::PinLocked,
        "pin-locked",
        409,
        [
            "Too many wrong PINs",
            "Logging in is locked after too many wrong PINs.",
            "Wait until the time given, or ask a supervisor to log the agent in.",
        ],
    ),
    entry(
        Kind::LoginKindNotAllowed,
        "login-kind-not-allowed",
        409,
        [
            "Not this kind of login",
            "The agent's allowedLogins do not name this kind.",
            "Log in another way, or change the agent.",
        ],
    ),
    entry(
        Kind::NoDevice,
        "no-device",
        409,
        [
            "No device to ring",
            "Neither the login nor the agent's configuration says where to ring.",
            "Name a device in the login, or configure one.",
        ],
    ),
    entry(
        Kind::AlreadyLoggedIn,
        "already-logged-in",
        409,
        [
            "Logged in already",
            "The agent is logged in at another device, and their duplicateLogin is Reject.",
            "Log out first, or change duplicateLogin.",
        ],
    ),
    entry(
        Kind::DeviceTaken,
        "device-taken",
        409,
        [
            "The device has another agent",
            "One phone has one agent, and another is logged in there, whose duplicateLogin is \
             not TakeOver.",
            "Log the other agent out first, or use another phone.",
        ],
    ),
    entry(
        Kind::DeviceInCall,
        "device-in-call",
        409,
        [
            "The one to be taken over talks",
            "duplicateLogin is TakeOver, and the agent who is logged in already talks with a \
             caller. A login does not cut a talk.",
            "Log in after the call, or ask a supervisor to force the agent out.",
        ],
    ),
    entry(
        Kind::UnknownReason,
        "unknown-reason",
        422,
        [
            "No such reason",
            "The reason is not one of those in the settings.",
            "Use one of the known reasons.",
        ],
    ),
    entry(
        Kind::AddressTaken,
        "address-taken",
        409,
        [
            "The address is taken",
            "An address reaches one queue, and another has it.",
            "Take it from that queue first, or choose another.",
        ],
    ),
    entry(
        Kind::OtherSource,
        "other-source",
        409,
        [
            "It lives elsewhere",
            "The object is kept in a folder or in Kubernetes and would be put back.",
            "Change it where it lives.",
        ],
    ),
    entry(
        Kind::DuplicateCall,
        "duplicate-call",
        409,
        ["The call is there already", "A call of this name exists.", "Nothing needs to be done."],
    ),
    entry(
        Kind::TurnedAway,
        "turned-away",
        409,
        [
            "The queue turned the call away",
            "A rule of the queue turns callers away at the door.",
            "See the queue's overflow rules.",
        ],
    ),
    entry(
        Kind::StaleOwner,
        "stale-owner",
        409,
        [
            "A former life of a node",
            "The node that asked has restarted since.",
            "Nothing needs to be done.",
        ],
    ),
    entry(
        Kind::KeyReused,
        "idempotency-key-reused",
        422,
        [
            "The key belongs to another request",
            "This Idempotency-Key came with this token less than two minutes ago, for another \
             path, method or body. A key names one request.",
            "Send a repeat exactly as it was first sent; choose a new key for anything else.",
        ],
    ),
    entry(
        Kind::Internal,
        "internal",
        500,
        [
            "Something went wrong inside",
            "An error that should not be.",
            "Report it with the log of this node.",
        ],
    ),
];

impl Kind {
    /// Every kind there is.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        LIST.iter().map(|entry| entry.kind)
    }

    /// The kind of a published name.
    pub(super) fn named(name: &str) -> Option<Self> {
        LIST.iter().find(|entry| entry.name == name).map(|entry| entry.kind)
    }

    /// Its published name.
    pub(super) fn name(self) -> &'static str {
        self.entry().name
    }

    /// What it is in a few words.
    pub(super) fn title(self) -> &'static str {
        self.entry().title
    }

    /// Its HTTP status.
    pub(super) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its page: what causes it, what to do.
    pub(super) fn page(self) -> String {
        let Entry { name, status, title, cause, remedy, .. } = self.entry();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <title>{title}</title>\n<h1>{title}</h1>\n<p><code>/problems/{name}</code>, HTTP \
             {status}</p>\n<h2>Cause</h2>\n<p>{cause}</p>\n<h2>Remedy</h2>\n\
             <p>{remedy}</p>\n</html>\n"
        )
    }

    fn entry(self) -> &'static Entry {
        // The last one stands for a kind that was forgotten, which `tests/api` would find.
        LIST.iter().find(|entry| entry.kind == self).unwrap_or(&LIST[LIST.len() - 1])
    }
}
