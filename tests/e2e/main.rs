//! A real Carillon process among programs of others: sipp callers and phones, over UDP and TCP.
//!
//! | file | tells |
//! |---|---|
//! | `calls.rs` | 200 calls through a queue, counted on both sides, in REST and in metrics |
//! | `agents.rs` | an agent's phone rings out, declines, is busy, is unreachable; ring-all |
//! | `leaving.rs` | a caller cancels or hangs up in every state; transfer and hang-up by REST |
//! | `audio.rs` | what caller and agent hear, from the welcome to each other's tone; DTMF |
//! | `lossy.rs` | 120 calls over links that lose, double and reorder |
//! | `lost.rs` | a phone that falls silent while talking |
//! | `restart.rs` | kill -9 under load and start again |
//! | `death.rs` | one of three nodes dies, or stops, with people on the line |
//! | `bad_input.rs` | unknown queues, no codec, garbage, oversize, malformed REST |
//! | `forged.rs` | requests and responses of somebody who has overheard everything |
//! | `replayed.rs` | an overheard password, sent again in every way |
//! | `rtp_strangers.rs` | audio and reports from elsewhere, before and while two talk |
//! | `injected.rs` | whatever Carillon copies from one side to another |
//! | `live_config.rs` | configuration changed while callers wait |
//! | `crowd.rs` | thousands of queues, agents and paths that do not exist |
//! | `flood.rs` | more messages than anybody could mean, from everywhere and from one PBX |
//! | `half_open.rs` | ten thousand INVITEs nobody acknowledges |
//! | `slow.rs` | hundreds of senders who are slow, endless or untrue about lengths |
//! | `streams.rs` | TCP connections that dawdle, lie about lengths, or send nonsense |
//!
//! Needs the program `sipp` and the feature `strangers`; `tests/run` brings both.
//!
//! Not here: what needs no outside program (`tests/b2bua`, `tests/acd`, `tests/api`).

mod agents;
mod audio;
mod bad_input;
mod beside;
mod calls;
mod carillon;
mod crowd;
mod death;
mod flood;
mod forged;
mod half_open;
mod injected;
mod leaving;
mod link;
mod live_config;
mod lossy;
mod lost;
mod people;
mod phone;
mod replayed;
mod restart;
mod rtp_strangers;
mod siege;
mod sipp;
mod slow;
mod stranger;
mod streams;
mod stubborn;
mod talk;
#[path = "../support/wait.rs"]
mod wait;
