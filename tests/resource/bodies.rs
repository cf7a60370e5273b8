//! Bodies of REST: the same rules, told by JSON pointer.

use carillon::resource::Mistake;
use carillon::resource::read_agent;
use carillon::resource::read_queue;
use carillon::resource::read_target;
use carillon::resource::read_trunk;
use serde_json::json;

use crate::outside::World;

fn pointers(mistakes: &[Mistake]) -> Vec<String> {
    mistakes.iter().map(|mistake| mistake.field.pointer()).collect()
}

#[test]
fn a_mistake_in_a_body_is_found_by_its_pointer() {
    let spec = json!({
        "ringSeconds": 0,
        "addresses": ["sales", "a b"],
        "overflow": { "full": { "reject": {}, "hangUp": {} } },
        "a/b~c": 1,
    });
    let mistakes = read_queue("sales", &spec, &World).unwrap_err();
    let mut found = pointers(&mistakes);
    found.sort();
    assert_eq!(found, ["/addresses/1", "/a~1b~0c", "/overflow/full", "/ringSeconds"]);
    let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let ring = "ringSeconds: 0 is below 1; a phone needs time to ring, 15 is usual";
    assert!(shown.iter().any(|shown| shown == ring), "{shown:?}");
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    for body in [json!(null), json!([]), json!("text"), json!(1.5)] {
        assert!(read_agent("2771", &body, &World).is_err(), "{body}");
    }
}

#[test]
fn a_name_from_the_path_is_checked_too() {
    for name in ["", "Sales", "-sales", "a b", "a/b", &"x".repeat(64)] {
        assert!(read_queue(name, &json!({}), &World).is_err(), "{name}");
    }
    let spec = json!({"peers": ["sip:pbx.example"]});
    assert!(read_trunk("pbx.example", &spec, &World).is_ok());
}

#[test]
fn a_number_may_be_as_long_as_it_likes() {
    let huge: serde_json::Value =
        serde_json::from_str("{\"ringSeconds\": 123456789012345678901234567890}").unwrap();
    let mistakes = read_queue("sales", &huge, &World).unwrap_err();
    assert_eq!(pointers(&mistakes), ["/ringSeconds"]);
    assert!(read_queue("sales", &json!({"ringSeconds": 1.5}), &World).is_err());
}

#[test]
fn targets_are_whole_addresses() {
    assert_eq!(read_target("sip:bob@PBX.example").unwrap().to_string(), "sip:bob@pbx.example");
    assert_eq!(read_target("bob@127.0.0.1:5070").unwrap().to_string(), "sip:bob@127.0.0.1:5070");
    assert_eq!(read_target("sip:bob@[::1]:5070").unwrap().to_string(), "sip:bob@[::1]:5070");
    for bad in [
        "",
        "bob",
        "sip:bob",
        "sips:bob@pbx",
        "sip:@pbx",
        "sip:bob@",
        "sip:b b@pbx",
        "sip:bob@pbx:0",
        "sip:bob@pbx:70000",
        "sip:bob@1.2.3",
        "sip:bob@pbx;lr",
        "sip:bob@pbx\r\nX: y",
    ] {
        assert!(read_target(bad).is_err(), "{bad}");
    }
}
