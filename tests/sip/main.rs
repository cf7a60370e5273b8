//! Tests of the SIP floor: codec, transactions, dialogs, authentication.

mod codec;
mod digest;
mod stream;
