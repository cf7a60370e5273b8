//! Tests of the SIP floor: codec, transactions, dialogs, authentication.

mod codec;
mod digest;
mod letters;
mod matrix;
mod stream;
mod transaction;
