//! Tests of the SIP floor: codec, transactions, dialogs, authentication.

mod accepted;
mod chaos;
mod codec;
#[path = "../support/corpus.rs"]
mod corpus;
mod damage;
mod dialog;
mod digest;
mod elsewhere;
mod excuse;
mod generated;
mod header;
mod injection;
mod letters;
mod loss;
mod matching;
mod matrix;
mod offer_answer;
mod oracle;
mod pieces;
mod property;
#[path = "../support/readers.rs"]
mod readers;
mod reading;
mod reliable;
mod session_timer;
mod stream;
mod subscription;
mod swar;
mod thrift;
mod torture;
mod transaction;
#[path = "../support/transaction_user.rs"]
mod transaction_user;
mod uri;
