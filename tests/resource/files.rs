//! Every bad file gets exactly the messages it is expected to get.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use carillon::resource::File;
use carillon::resource::read;

use crate::outside::World;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resource/bad")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml" || end == "json"))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_bad_file_gets_its_messages() {
    let cases = cases();
    assert!(cases.len() >= 20, "the folder of bad files is nearly empty");
    let mut differing = Vec::new();
    for path in cases {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let mistakes = match read(&[File { name, text: &text }], &World) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes,
        };
        assert!(!mistakes.is_empty(), "{name} has no mistake");
        let said: String = mistakes.iter().map(|mistake| format!("{mistake}\n")).collect();
        let expected = path.with_extension("expected");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        if said != expected {
            differing.push(format!("{name}\n--- expected\n{expected}--- said\n{said}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn no_expectation_is_without_its_file() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let has_file = ["yaml", "json"].iter().any(|end| path.with_extension(end).exists());
        assert!(has_file, "{} expects nothing", path.display());
    }
}

#[test]
fn mistakes_of_several_files_come_together_in_order() {
    let one = File { name: "a.yaml", text: "kind: Queue\nmetadata: {name: sales}\n" };
    let other = File {
        name: "b.yaml",
        text: "kind: Queue\nmetadata: {name: sales}\n---\nkind: Agent\n\
               metadata: {name: ann}\nspec: {queues: [sails]}\n",
    };
    let mistakes = read(&[one, other], &World).unwrap_err();
    let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "b.yaml:2: metadata.name: Queue sales is described at a.yaml:2 already; remove one of \
             the two, or give it another name",
            "b.yaml:6: spec.queues[0]: there is no Queue sails; did you mean sales?",
        ]
    );
}
