//! Tests of the SIP floor: codec, transactions, dialogs, authentication.

mod codec;
mod digest;
mod injection;
mod letters;
mod matrix;
mod oracle;
mod stream;
mod torture;
mod transaction;
