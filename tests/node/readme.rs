//! The README: its first queue works with the files and commands that stand there, in their order.
//!
//! Not here: what every field may be (`tests/resource/reference.rs`).

use std::fs;

use crate::place::Place;
use crate::program::carillon;

/// A section by its heading.
fn section(heading: &str) -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let page = page.expect("the page").replace("\n## ", "\0");
    let found = page.split('\0').find_map(|section| section.strip_prefix(heading));
    found.expect("it has this section").to_owned()
}

/// What stands between fences.
fn files(section: &str) -> Vec<&str> {
    let opened = section.split("```yaml\n").skip(1);
    opened.map(|rest| rest.split("```").next().expect("it is closed")).collect()
}

/// A file as it is written for this place.
fn here(place: &Place, file: &str) -> String {
    let Place { sip, rtp, api, observe, .. } = place;
    let tokens = place.path("tokens.yaml").to_string_lossy().into_owned();
    let observe = format!("  observe: {{listen: \"127.0.0.1:{observe}\"}}\n  api: {{");
    file.replace("/etc/carillon-tokens.yaml", &tokens)
        .replace("port: 5060", &format!("port: {sip}"))
        .replace("20000-20015", &rtp.to_string())
        .replace("0.0.0.0:8080", &format!("127.0.0.1:{api}"))
        .replace("  api: {", &observe)
}

/// Method and path of a line that calls curl.
fn request(line: &str) -> (&str, &str) {
    let method = line.split("-X ").nth(1).and_then(|rest| rest.split(' ').next());
    let path = line.split("http://localhost:8080").nth(1).expect("it asks this machine");
    (method.unwrap_or("GET"), path)
}

#[test]
fn the_first_queue_works_as_written() {
    let section = section("Your first queue");
    let [center, tokens] = files(&section)[..] else { panic!("two files") };
    let at = |text: &str| section.find(text).expect("it stands there");
    assert!(at(center) < at(tokens) && at(tokens) < at("    carillon check"), "files come first");
    let place = Place::new();
    place.write("settings.yaml", here(&place, center));
    place.replace("tokens.yaml", tokens);

    let checked = carillon(&["check", &place.path("config").to_string_lossy()]);
    assert_eq!((checked.status, checked.err.as_str()), (Some(0), ""));
    let node = place.start();
    node.says("carillon is ready for calls");
    let token = section.split("TOKEN=").nth(1).and_then(|rest| rest.split_whitespace().next());
    let requests: Vec<_> = section.lines().filter(|line| line.contains("curl -H")).collect();
    assert_eq!(requests.len(), 3, "logged in, ready, looked at");
    for line in requests {
        let (method, path) = request(line);
        let (status, said) = place.ask(place.api, token.expect("it is named"), method, path);
        assert!((200..300).contains(&status), "{line}: {status} {said}");
        assert!(method != "GET" || said.contains("\"agentsReady\":1"), "{said}");
    }
}

#[test]
fn the_queue_without_a_pbx_has_no_mistake() {
    let place = Place::new();
    let section = section("Configuration");
    let [center] = files(&section)[..] else { panic!("one file") };
    place.replace("center.yaml", here(&place, center));
    let checked = carillon(&["check", &place.path("center.yaml").to_string_lossy()]);
    assert_eq!((checked.status, checked.err.as_str()), (Some(0), ""));
}
