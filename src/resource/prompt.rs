//! `kind: Prompt` as people write it, and how other kinds name one.
//!
//! A prompt has one source: `builtIn` (in the program), or `file` (a WAV file beside the
//! resource). `configMapRef` is for Kubernetes, `url` and `language` come later.
//!
//! Not here: decoding audio (`media::prompt`; asked of [`Outside`](super::Outside)).

use crate::acd::config::PromptConfig;
use crate::acd::config::PromptSource;
use crate::base::id::PromptId;
use crate::resource::Kind;
use crate::resource::name;
use crate::resource::read::Field;
use crate::resource::read::Fields;
use crate::resource::read::nearest;

/// Written where no prompt is wanted.
pub(super) const NONE: &str = "none";

/// What callers hear when their queue does not say.
pub(super) const MUSIC: &str = "music";

/// Reads the `spec` of the prompt called `name`.
pub(super) fn read(spec: &Fields<'_>, name: &str) -> PromptConfig {
    let remedy = "write source: {builtIn: music} or source: {file: welcome.wav}";
    let source = spec.required("source", remedy).and_then(Field::fields).and_then(source);
    spec.later(&["language"]);
    PromptConfig {
        id: PromptId::new(name),
        source: source.unwrap_or_else(|| PromptSource::BuiltIn(name.to_owned())),
    }
}

/// Reads a field that names a prompt, or `none`.
pub(super) fn optional(
    group: &Fields<'_>,
    field: &'static str,
    usual: Option<&str>,
) -> Option<PromptId> {
    match group.field(field) {
        None => usual.map(PromptId::new),
        Some(field) if field.is_word(NONE) => None,
        Some(field) => reference(&field),
    }
}

/// Reads the name of a prompt that has to be there.
pub(super) fn reference(field: &Field<'_>) -> Option<PromptId> {
    name::reference(Kind::Prompt, field).map(|name| PromptId::new(&name))
}

fn source(fields: Fields<'_>) -> Option<PromptSource> {
    let is_later = fields.later(&["url"]);
    let remedy = "it is for Kubernetes; in a folder write file";
    if fields.elsewhere("configMapRef", remedy) || is_later {
        return None;
    }
    let built_in = fields.field("builtIn");
    let file = fields.field("file");
    let source = match (&built_in, &file) {
        (Some(field), None) => self::built_in(field),
        (None, Some(field)) => self::file(field),
        (None, None) | (Some(_), Some(_)) => {
            fields.wrong_here("has not exactly one source", "write builtIn or file");
            None
        }
    };
    fields.finish();
    source
}

fn built_in(field: &Field<'_>) -> Option<PromptSource> {
    let name = field.text()?;
    let known = field.notes().outside().built_in_prompts();
    if known.contains(&name) {
        return Some(PromptSource::BuiltIn(name.to_owned()));
    }
    let remedy = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", known.join(", ")),
    };
    field.wrong(&format!("\"{name}\" is not in the program"), &remedy);
    None
}

fn file(field: &Field<'_>) -> Option<PromptSource> {
    let path = field.notes().beside(field.text()?);
    if let Err(why) = field.notes().outside().check_audio(&path) {
        let remedy = "name a WAV file with PCM samples, from the folder of this file";
        field.wrong(&format!("{path} cannot be played ({why})"), remedy);
        return None;
    }
    Some(PromptSource::File(path))
}
