//! `carillon demo` carries calls over real sockets and ends by itself without a loss.

use crate::program::carillon;

fn figure(summary: &str, name: &str) -> u64 {
    let line = summary.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no line `{name}` in {summary}"))
}

#[test]
fn calls_flow_and_nobody_is_lost() {
    let said = carillon(&["demo", "--seconds", "6", "--callers-per-minute", "120"]);
    let summary = &said.out;
    assert_eq!(said.status, Some(0), "{summary}{}", said.err);
    assert!(summary.contains("sip:sales@127.0.0.1:"), "how to call in: {summary}");
    assert!(summary.contains("curl "), "how to look: {summary}");
    assert!(figure(summary, "calls ") > 0, "{summary}");
    assert!(figure(summary, "answered ") > 0, "{summary}");
    assert_eq!(figure(summary, "lost "), 0, "{summary}");
    let ended = ["answered ", "abandoned ", "refused "].map(|name| figure(summary, name));
    assert_eq!(ended.iter().sum::<u64>(), figure(summary, "calls "), "{summary}");
}
