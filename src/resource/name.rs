//! `metadata`: the name of an object, and what else may stand there.
//!
//! Names are those of Kubernetes (RFC 1123 subdomains), so that a folder can move there unchanged:
//! lower-case letters, digits, `-` and `.`, at most 63 characters, a letter or digit at both ends.
//!
//! Not here: whether a name is given twice ([`super::cross`]).

use crate::resource::Kind;
use crate::resource::cross::Definition;
use crate::resource::read::Field;
use crate::resource::read::Fields;

/// RFC 1035 section 2.3.4: the longest label of a host name.
const LENGTH_MAX: usize = 63;

/// What to write instead of a bad name.
pub(super) const REMEDY: &str = "write lower-case letters, digits, - and ., at most 63 characters, \
                      beginning and ending with a letter or digit";

/// Reads `metadata`. Only `Settings` may go without a name: there is one, `default`.
pub(super) fn read(kind: Kind, metadata: &Fields<'_>) -> Option<Definition> {
    for ignored in ["labels", "annotations"] {
        if let Some(field) = metadata.field(ignored) {
            let _ = field.fields();
        }
    }
    if let Some(namespace) = metadata.field("namespace") {
        let _ = namespace.text();
    }
    if kind == Kind::Settings {
        return Some(settings_name(metadata));
    }
    let field = metadata.required("name", "give the object a name, as metadata: {name: sales}")?;
    let name = field.text()?;
    if !is_good(name) {
        field.wrong(&format!("\"{name}\" cannot be a name"), REMEDY);
        return None;
    }
    if kind == Kind::Prompt && name == super::prompt::NONE {
        field.wrong("none stands for no prompt at all", "give it another name");
        return None;
    }
    Some(Definition { kind, name: name.to_owned(), place: field.place() })
}

fn settings_name(metadata: &Fields<'_>) -> Definition {
    let written = metadata.field("name");
    if let Some(field) = &written
        && field.text().is_some_and(|name| name != "default")
    {
        field.wrong("there is one Settings only", "name it default");
    }
    let place = written.as_ref().map_or_else(|| metadata.place(), Field::place);
    Definition { kind: Kind::Settings, name: "default".to_owned(), place }
}

/// Checks a name that came with a request rather than in the document, and hands it back.
pub(super) fn check<'n>(name: &'n str, fields: &Fields<'_>) -> &'n str {
    if !is_good(name) {
        fields.wrong_here(&format!("\"{name}\" cannot be a name"), REMEDY);
    }
    name
}

/// Tells whether `name` may name an object.
pub(super) fn is_good(name: &str) -> bool {
    let is_edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.len() <= LENGTH_MAX
        && bytes.first().is_some_and(|first| is_edge(*first))
        && bytes.last().is_some_and(|last| is_edge(*last))
        && bytes.iter().all(|byte| is_edge(*byte) || matches!(byte, b'-' | b'.'))
}

/// Reads the name of another object and notes that it has to be there.
pub(super) fn reference(kind: Kind, field: &Field<'_>) -> Option<String> {
    let name = field.text()?;
    if !is_good(name) {
        field.wrong(&format!("\"{name}\" cannot be the name of a {kind}"), REMEDY);
        return None;
    }
    field.refer(kind, name);
    Some(name.to_owned())
}
