//! Who may say something here, and who it is.
//!
//! | question | file |
//! |---|---|
//! | from where may calls come, and by which ways are phones reached | [`trunks`] |
//! | does a message count within a call | [`outsider`] |
//! | who is the caller, as others are shown | [`identity`] |
//!
//! Not here: passwords (`board::auth`), what an INVITE must be like ([`super::ingress`]).

pub(in crate::b2bua) mod identity;
mod outsider;
pub(in crate::b2bua) mod trunks;
