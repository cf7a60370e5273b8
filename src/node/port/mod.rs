//! The ports of a node, and what others may take of it there.
//!
//! | file | is about |
//! |---|---|
//! | [`web`] | REST, metrics and health: where they are listened for |
//! | [`crowd`] | connections, in all and of one address |
//! | [`places`] | connections of SIP, of strangers and of those who are known |
//! | [`rates`] | how often each address may ask |
//! | [`turns`] | SIP: datagrams that wait, address by address |
//! | [`sources`] | SIP: messages, INVITEs and half-open calls of one address |
//! | [`http`] | connections of REST and of metrics, and how long they may do nothing |
//! | [`files`] | open files, and who may have how many of them |
//! | [`seldom`] | log lines that strangers cause |
//!
//! Always holds: what one port's callers take is taken from that port alone.
//!
//! Not here: what a token may ask for (`api::limit`), how much is kept of a SIP message
//! (`sip::transaction`), SIP over TCP ([`crate::node::tcp`]).

pub mod crowd;
pub mod files;
pub mod http;
pub mod places;
pub mod rates;
pub mod seldom;
pub mod sources;
pub mod turns;
pub mod web;
