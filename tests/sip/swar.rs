//! Many bytes at once are looked at as one after the other would be.

use carillon::sip::header::swar;
use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert_eq;
use proptest::proptest;
use proptest::sample::select;

/// Texts around the lengths of words, windows and blocks, of bytes that matter and their
/// neighbours.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let near = vec(select(b"ab\r\n\t \x1f!;=<>\"\\:\x7f\x80\xa2\xff".to_vec()), 0..150);
    let quiet = (vec(select(b"abc".to_vec()), 0..150), any::<u16>(), any::<u8>());
    let one_odd = quiet.prop_map(|(mut text, at, byte)| {
        let at = usize::from(at) % (text.len() + 1);
        text.insert(at, byte);
        text
    });
    proptest::prop_oneof![near, one_odd]
}

proptest! {
    #[test]
    fn what_is_found_is_the_first(text in text(), wanted in 0_u8..0x80) {
        let first = text.iter().position(|byte| *byte == wanted);
        prop_assert_eq!(swar::find(&text, wanted), first);
        let first = text.iter().position(|byte| [wanted, b';', b'"'].contains(byte));
        prop_assert_eq!(swar::find_any(&text, [wanted, b';', b'"']), first);
        let first = text.iter().position(|byte| *byte == wanted || *byte < b' ');
        prop_assert_eq!(swar::find_any_or_control(&text, [wanted]), first);
    }

    #[test]
    fn every_control_byte_is_told(text in text()) {
        let all: Vec<_> = (0..text.len()).filter(|at| text[*at] < b' ').collect();
        prop_assert_eq!(swar::has_control(&text), !all.is_empty());
        prop_assert_eq!(swar::Controls::new(&text).collect::<Vec<_>>(), all);
    }

    #[test]
    fn every_byte_is_judged_with_the_one_after_it(text in text()) {
        let may_stand = |byte: u8, next: u8| (byte != b'"') & !((byte == b';') & (next == b'='));
        let nexts = text.iter().skip(1).chain([&b'=']);
        let all = text.iter().zip(nexts).all(|(byte, next)| may_stand(*byte, *next));
        prop_assert_eq!(swar::all_pairs(&text, b'=', may_stand), all);
    }
}
