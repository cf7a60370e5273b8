//! Anything in any order to the transactions of one shard, and time passing.
//!
//! The input is a row of happenings, two bytes each: what, and which.
//!
//! Always holds: the layer stays within its limit, leaves no deadline behind, and holds nothing
//! once its user has answered every request and all time has passed.

use carillon::sip::Transport;

use crate::transaction_user::TransactionUser;

const METHODS: [&str; 8] = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE", "NEWS"];
const STATUSES: [u16; 8] = [100, 180, 183, 200, 202, 302, 486, 603];
const PAUSES: [u64; 8] = [0, 1, 499, 500, 4_000, 5_000, 32_000, 64_001];
const TRANSACTIONS_MAX: usize = 6;
/// So long does one row go on.
const HAPPENINGS_MAX: usize = 120;

/// Takes a row of happenings.
pub(crate) fn run(input: &[u8]) {
    let mut user = TransactionUser::new(TRANSACTIONS_MAX);
    for pair in input.chunks_exact(2).take(HAPPENINGS_MAX) {
        happen(&mut user, pair[0], pair[1]);
        // A CANCEL finds room beyond the limit, one for each INVITE within it.
        assert!(user.layer.len() <= 2 * TRANSACTIONS_MAX);
    }
    user.finish();
    assert_eq!((user.layer.len(), user.layer.kept_bytes()), (0, 0));
}

fn happen(user: &mut TransactionUser, what: u8, which: u8) {
    let transport = if what & 8 == 0 { Transport::Udp } else { Transport::Tcp };
    let (low, high) = (usize::from(which & 7), usize::from(which >> 3));
    match what & 7 {
        0 | 1 => {
            let old = if high & 4 == 0 { "z9hG4bK" } else { "old" };
            user.receive(METHODS[low], &format!("{old}{}", high & 3), transport);
        }
        2 => user.hear(STATUSES[low], high, METHODS[usize::from(what >> 4) & 7], transport),
        3 => user.send(METHODS[low], &format!("z9hG4bK{high}"), transport),
        4 => user.respond(high, STATUSES[low]),
        5 => user.cancel(high),
        6 if which & 0xf0 == 0 => user.lose(transport),
        _ => user.pass(PAUSES[low]),
    }
}
