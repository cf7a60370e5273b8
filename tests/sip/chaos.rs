//! Anything in any order: the layer never panics, and in the end holds nothing.

use carillon::sip::Transport;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;

use crate::transaction_user::TransactionUser;

const METHODS: [&str; 6] = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "NEWS"];
const STATUSES: [u16; 7] = [100, 180, 200, 202, 302, 486, 603];

/// One thing that happens. Numbers choose among few, so that things meet.
#[derive(Clone, Debug)]
enum Happening {
    Receive { method: usize, branch: u8, old: bool },
    Hear { nth: usize, status: usize, method: usize },
    Send { method: usize, branch: u8 },
    Respond { nth: usize, status: usize },
    Cancel { nth: usize },
    Break,
    Pass { ms: u64 },
}

fn happening() -> impl Strategy<Value = (Happening, bool)> {
    let happening = prop_oneof![
        4 => (0..6_usize, 0..4_u8, any::<bool>())
            .prop_map(|(method, branch, old)| Happening::Receive { method, branch, old }),
        4 => (0..8_usize, 0..7_usize, 0..6_usize)
            .prop_map(|(nth, status, method)| Happening::Hear { nth, status, method }),
        3 => (0..6_usize, 0..4_u8).prop_map(|(method, branch)| Happening::Send { method, branch }),
        4 => (0..8_usize, 0..7_usize)
            .prop_map(|(nth, status)| Happening::Respond { nth, status }),
        2 => (0..8_usize).prop_map(|nth| Happening::Cancel { nth }),
        1 => Just(Happening::Break),
        3 => (0..40_000_u64).prop_map(|ms| Happening::Pass { ms }),
    ];
    (happening, any::<bool>())
}

fn happen(user: &mut TransactionUser, happening: &Happening, transport: Transport) {
    match *happening {
        Happening::Receive { method, branch, old } => {
            let branch = if old { format!("old{branch}") } else { format!("z9hG4bK{branch}") };
            user.receive(METHODS[method], &branch, transport);
        }
        Happening::Hear { nth, status, method } => {
            user.hear(STATUSES[status], nth, METHODS[method], transport);
        }
        Happening::Send { method, branch } => {
            user.send(METHODS[method], &format!("z9hG4bK{branch}"), transport);
        }
        Happening::Respond { nth, status } => user.respond(nth, STATUSES[status]),
        Happening::Cancel { nth } => user.cancel(nth),
        Happening::Break => user.lose(transport),
        Happening::Pass { ms } => user.pass(ms),
    }
}

proptest! {
    #[test]
    fn the_layer_never_panics_and_ends_empty(
        happenings in proptest::collection::vec(happening(), 0..60),
        transactions_max in 1..10_usize,
    ) {
        let mut user = TransactionUser::new(transactions_max);
        for (happening, stream) in &happenings {
            let transport = if *stream { Transport::Tcp } else { Transport::Udp };
            happen(&mut user, happening, transport);
            // A CANCEL finds room beyond the limit, one for each INVITE within it.
            prop_assert!(user.layer.len() <= 2 * transactions_max);
        }
        user.finish();
        prop_assert_eq!(user.layer.len(), 0);
        prop_assert_eq!(user.layer.kept_bytes(), 0);
    }
}
