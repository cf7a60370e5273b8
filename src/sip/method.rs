//! Methods: the fourteen Carillon knows by name, and every other as it was written.
//!
//! Names are case-sensitive (RFC 3261 §7.1): `invite` is not INVITE but an unknown method.
//!
//! Not here: which methods are answered and which get 405 or 501 (`b2bua`, [`check`]).
//!
//! [`check`]: crate::sip::check

use std::fmt;

use compact_str::CompactString;
use serde::Deserialize;
use serde::Serialize;

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What a request asks for.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Method {
            $($(#[$doc])* $variant,)*
            /// Any other token.
            Other(CompactString),
        }

        impl Method {
            /// Every method with a name of its own.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)*];

            /// The method as it stands in a message.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for Method {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(CompactString::from(other)),
                }
            }
        }
    };
}

methods! {
    /// Starts a call or changes it (RFC 3261 §13).
    Invite = "INVITE",
    /// Confirms the final response to an INVITE (RFC 3261 §13).
    Ack = "ACK",
    /// Ends a call (RFC 3261 §15).
    Bye = "BYE",
    /// Takes a pending INVITE back (RFC 3261 §9).
    Cancel = "CANCEL",
    /// Asks what the other side can do (RFC 3261 §11).
    Options = "OPTIONS",
    /// Binds a contact to an address of record (RFC 3261 §10).
    Register = "REGISTER",
    /// Confirms a reliable provisional response (RFC 3262).
    Prack = "PRACK",
    /// Changes a call without a new INVITE (RFC 3311).
    Update = "UPDATE",
    /// Asks for notifications (RFC 6665).
    Subscribe = "SUBSCRIBE",
    /// Brings a notification (RFC 6665).
    Notify = "NOTIFY",
    /// Publishes event state (RFC 3903).
    Publish = "PUBLISH",
    /// Asks the other side to call someone (RFC 3515).
    Refer = "REFER",
    /// Carries application data within a call (RFC 6086).
    Info = "INFO",
    /// Carries an instant message (RFC 3428).
    Message = "MESSAGE",
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
