//! REST bodies and resource files.
//!
//! The first byte says what the rest is meant to be.
//!
//! Always holds: what was read and is written again reads as the same, and every mistake says
//! something.

use carillon::resource::File;
use carillon::resource::Mistake;
use carillon::resource::Outside;
use carillon::resource::order;
use carillon::resource::read;
use carillon::resource::read_agent;
use carillon::resource::read_queue;
use carillon::resource::read_target;
use carillon::resource::read_tokens;
use carillon::resource::read_trunk;
use carillon::resource::write;

struct World;

impl Outside for World {
    fn read_secret(&self, _: &str) -> Result<String, String> {
        Ok("2771\n".to_owned())
    }

    fn check_audio(&self, path: &str) -> Result<(), String> {
        if path.ends_with(".wav") { Ok(()) } else { Err("no such file".to_owned()) }
    }

    fn built_in_prompts(&self) -> &[&str] {
        &["music", "welcome", "please-hold", "closed"]
    }
}

/// Takes a body or a file.
pub(crate) fn run(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match kind {
        b'y' => {
            if let Err(mistakes) = read(&[File { name: "a.yaml", text }], &World) {
                judge(&mistakes);
            }
        }
        b't' => {
            if let Err(mistakes) = read_tokens(File { name: "t.yaml", text }, &World) {
                judge(&mistakes);
            }
        }
        b'u' => drop(read_target(text)),
        _ => {
            if let Ok(body) = serde_json::from_str(text) {
                resource(*kind, &body);
            }
        }
    }
}

fn resource(kind: u8, body: &serde_json::Value) {
    let read = match kind {
        b'q' => read_queue("sales", body, &World).map(|queue| {
            let again = read_queue("sales", &write::queue(&queue), &World);
            assert_eq!(again, Ok(queue), "a queue that is written reads as the same");
        }),
        b'a' => read_agent("2771", body, &World).map(|agent| {
            let _ = write::agent(&agent);
        }),
        b'k' => read_trunk("pbx", body, &World).map(|trunk| {
            let _ = write::trunk(&trunk);
        }),
        b'l' => order::read_login(body).map(drop),
        b'n' => order::read_not_ready(body).map(drop),
        b'x' => order::read_transfer(body).map(drop),
        b'p' => order::read_priority(body).map(drop),
        _ => order::read_nothing(body),
    };
    if let Err(mistakes) = read {
        judge(&mistakes);
    }
}

fn judge(mistakes: &[Mistake]) {
    assert!(!mistakes.is_empty(), "refused without a reason");
    for mistake in mistakes {
        assert!(!mistake.to_string().is_empty());
    }
}
