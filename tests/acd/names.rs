//! Names are what their texts are, however long: in order, in equality, on disk.
//!
//! Short names stand in place and are compared as words, long ones elsewhere (`base::name`).
//!
//! Not here: which texts may be names (`tests/resource`).

use carillon::base::id::AgentId;

/// Around eight and sixteen bytes, where words end, around 22, where a name is long, and texts that
/// begin alike or go on with what fills a short name up.
const TEXTS: [&str; 19] = [
    "",
    "\0",
    "a",
    "a\0",
    "a\0b",
    "ab",
    "b",
    "agent-01",
    "agent-010",
    "agent-02",
    "agent-0123456789",
    "agent-0123456789a",
    "agent-0123456789-abcd",
    "agent-0123456789-abcde",
    "agent-0123456789-abcde\0",
    "agent-0123456789-abcdef",
    "agent-0123456789-abcdeg",
    "zoë",
    "zz-0123456789-0123456789-0123456789",
];

#[test]
fn names_are_ordered_as_their_texts() {
    for one in TEXTS {
        for other in TEXTS {
            let (a, b) = (AgentId::new(one), AgentId::new(other));
            assert_eq!(a.cmp(&b), one.cmp(other), "{one:?} and {other:?}");
            assert_eq!(a == b, one == other, "{one:?} and {other:?}");
        }
    }
}

#[test]
fn names_are_stored_as_their_texts() {
    for text in TEXTS {
        let name = AgentId::new(text);
        assert_eq!((name.as_str(), name.to_string()), (text, text.to_owned()));
        let stored = postcard::to_stdvec(&name).expect("it can be written");
        assert_eq!(stored, postcard::to_stdvec(text).expect("it can be written"));
        assert_eq!(postcard::from_bytes::<AgentId>(&stored), Ok(name.clone()));
        let json = serde_json::to_string(&name).expect("it can be written");
        assert_eq!(serde_json::from_str::<AgentId>(&json).expect("it can be read"), name);
    }
}
