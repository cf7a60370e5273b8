//! The file of bearer tokens.

use carillon::acd::command::Role;
use carillon::resource::File;
use carillon::resource::TokenSecret;
use carillon::resource::read_tokens;

use crate::outside::World;

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn read(text: &str) -> Result<Vec<carillon::resource::TokenConfig>, Vec<String>> {
    read_tokens(File { name: "tokens.yaml", text }, &World)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

#[test]
fn good_tokens_are_read() {
    let text = format!(
        "tokens:\n- {{name: wallboard, role: Viewer, sha256: \"{HASH}\"}}\n\
         - {{name: lead, role: Supervisor, teams: [north], token: \"sixteen-or-more-0\"}}\n"
    );
    let tokens = read(&text).unwrap();
    assert!(matches!(tokens[0].secret, TokenSecret::Sha256(hash) if hash[0] == 0x9f));
    assert_eq!(tokens[1].role, Role::Supervisor);
    assert_eq!(tokens[1].teams, ["north"]);
    assert!(!format!("{tokens:?}").contains("sixteen"), "a token prints");
}

#[test]
fn bad_tokens_are_refused_without_being_repeated() {
    let text = "tokens:\n\
         - {name: a, role: Supervisor, token: \"sixteen-or-more-0\"}\n\
         - {name: b, role: Viewer, teams: [x], token: \"sixteen-or-more-1\"}\n\
         - {name: c, role: Admin, token: \"sixteen-or-more-0\"}\n\
         - {name: d, role: Viewer, token: hunter2}\n\
         - {name: e, role: Viewer, sha256: hunter2}\n\
         - {name: f, role: Viewer, token: \"sixteen-or-more-0\", sha256: hunter2}\n\
         - {name: g, role: Viewer, token: 1234567890123456}\n\
         - {name: g, role: Viewer, token: \"sixteen-or-more-2\"}\n\
         - {name: g, role: Viewer, token: \"sixteen-or-more-3\"}\n";
    let said = read(text).unwrap_err();
    assert_eq!(
        said,
        [
            "tokens.yaml:2: tokens[0].teams: is missing; a supervisor acts for teams, as [north]",
            "tokens.yaml:3: tokens[1].teams: only a supervisor has teams; remove it",
            "tokens.yaml:4: tokens[2].role: Admin is not a choice; did you mean Administrator?",
            "tokens.yaml:5: tokens[3].token: is too short to be safe; write at least 16 \
             characters, best drawn at random",
            "tokens.yaml:6: tokens[4].sha256: is not a SHA-256; write 64 hexadecimal digits, as \
             sha256sum prints them",
            "tokens.yaml:7: tokens[5]: has not exactly one secret; write token or sha256",
            "tokens.yaml:8: tokens[6].token: is a number and not text; a token is text; put it in \
             quotes",
            "tokens.yaml:10: tokens[8]: g stands here twice; remove one",
        ]
    );
}

#[test]
fn two_names_cannot_have_one_token() {
    let hash = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    let text = format!(
        "tokens:\n- {{name: a, role: Viewer, token: \"sixteen-or-more-0\"}}\n\
         - {{name: b, role: Administrator, token: \"sixteen-or-more-0\"}}\n\
         - {{name: c, role: Viewer, sha256: \"{hash}\"}}\n\
         - {{name: d, role: Administrator, sha256: \"{hash}\"}}\n"
    );
    assert_eq!(
        read(&text).unwrap_err(),
        [
            "tokens.yaml:3: tokens[1]: b has the same token as a; draw another at random; a token \
             tells who asks",
            "tokens.yaml:5: tokens[3]: d has the same token as c; draw another at random; a token \
             tells who asks",
        ]
    );
}
