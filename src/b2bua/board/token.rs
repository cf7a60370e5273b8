//! The random and the derived names this shard writes into SIP: tags, branches, Call-IDs.
//!
//! Two kinds. *Drawn* names come from a generator seeded by the node's entropy, because a guessed
//! tag lets a stranger end a call (RFC 3261 §19.3). *Derived* names are a keyed hash of what the
//! caller sent, so every node of the cluster gives the same To-tag, call and request to the same
//! INVITE, whichever of them a retransmission reaches.
//!
//! Always holds: equal seeds and equal inputs give equal names (the simulation depends on it), and
//! no name shows the key.
//!
//! Not here: what a tag or branch means (`sip`), and who is asked for a name (`board`).

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;

use crate::base::id::CallId;
use crate::base::id::RequestId;

/// Makes the names of one shard.
pub(in crate::b2bua) struct Tokens {
    cluster_key: [u8; 32],
    seed: [u8; 32],
    drawn: u64,
    left: Vec<u8>,
}

impl Tokens {
    /// `cluster_key` is the same on all nodes; `seed` is this shard's own entropy.
    pub(in crate::b2bua) fn new(cluster_key: [u8; 32], seed: [u8; 32]) -> Self {
        Self { cluster_key, seed, drawn: 0, left: Vec::new() }
    }

    /// A new tag, 64 bits of it random.
    pub(in crate::b2bua) fn tag(&mut self) -> String {
        hex(&self.draw::<8>())
    }

    /// A new branch with the magic cookie of RFC 3261 §8.1.1.7.
    pub(in crate::b2bua) fn branch(&mut self) -> String {
        format!("z9hG4bK{}", hex(&self.draw::<12>()))
    }

    /// The local part of a new Call-ID.
    pub(in crate::b2bua) fn call_id(&mut self) -> String {
        hex(&self.draw::<12>())
    }

    /// A new name for a proposal.
    pub(in crate::b2bua) fn request(&mut self) -> RequestId {
        RequestId(u128::from_be_bytes(self.draw::<16>()))
    }

    /// A number below `bound`, for delays that must differ between the two ends.
    pub(in crate::b2bua) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(u64::from_be_bytes(self.draw::<8>())) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// Bytes for a digest's client nonce.
    pub(in crate::b2bua) fn client_nonce(&mut self) -> String {
        hex(&self.draw::<8>())
    }

    /// A session id for SDP, below 2^62 so that every parser reads it.
    pub(in crate::b2bua) fn session_id(&mut self) -> u64 {
        u64::from_be_bytes(self.draw::<8>()) >> 2
    }

    /// A key for nonces that nobody else has: not another shard, nor this one's next process.
    pub(in crate::b2bua) fn nonce_key(&mut self) -> [u8; 32] {
        self.draw::<32>()
    }

    /// The To-tag of this INVITE, the same on every node.
    pub(in crate::b2bua) fn to_tag(&self, invite: &[&str]) -> String {
        hex(&self.derive("to-tag", invite)[..8])
    }

    /// The call this INVITE starts, the same on every node; the name tells its shard
    /// ([`shard_of_call`](crate::b2bua::shard_of_call)).
    pub(in crate::b2bua) fn call(&self, invite: &[&str], shard: u16, shards: u16) -> CallId {
        let derived = u64::from_be_bytes(first(&self.derive("call", invite)));
        let shards = u64::from(shards.max(1));
        // Half of the range, so that no shard's number leads beyond it.
        CallId((derived >> 1) / shards * shards + u64::from(shard))
    }

    /// The proposal this INVITE causes, the same on every node, so that it is carried out once.
    pub(in crate::b2bua) fn enqueue(&self, invite: &[&str]) -> RequestId {
        RequestId(u128::from_be_bytes(first(&self.derive("enqueue", invite))))
    }

    fn derive(&self, purpose: &str, parts: &[&str]) -> [u8; 32] {
        let mut mac = keyed(&self.cluster_key);
        mac.update(purpose.as_bytes());
        for part in parts {
            // The length goes before each part, so that no two lists hash alike.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    fn draw<const N: usize>(&mut self) -> [u8; N] {
        if self.left.len() < N {
            let mut mac = keyed(&self.seed);
            mac.update(&self.drawn.to_be_bytes());
            self.drawn += 1;
            self.left = mac.finalize().into_bytes().to_vec();
        }
        let rest = self.left.split_off(N);
        let drawn = first(&self.left);
        self.left = rest;
        drawn
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // A shorter key is filled up with zeros (RFC 2104 §2), so this is the key's own HMAC.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::new(&block.into())
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[..N]);
    array
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // Writing to a String cannot fail.
        text
    })
}
