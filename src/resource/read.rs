//! Readers of fields: each takes what is there, or notes what is wrong with it and goes on.
//!
//! A kind asks for its fields by name and gets values; where one is missing its default, and where
//! one is wrong a stand-in, so that one pass finds every mistake of a document. Whoever reads
//! throws the stand-ins away when anything was noted ([`Notes::into_findings`]).
//!
//! ```text
//! Notes ─── Fields (a map) ──field()──► Field (a value) ──fields()──► Fields …
//!   ▲            │ finish(): what nobody asked for is unknown        │
//!   └────────────┴──────────────── wrong(…) ─────────────────────────┘
//! ```
//!
//! Always holds: a field that was never asked for is a mistake, with the nearest name there is.
//!
//! Not here: which fields a kind has (`queue`, `agent`, …), nor what spans objects (`cross`).

use std::cell::RefCell;
use std::ops::RangeInclusive;

use crate::acd::config::Address;
use crate::base::time::Millis;
use crate::resource::Kind;
use crate::resource::Outside;
use crate::resource::document::Node;
use crate::resource::document::Pair;
use crate::resource::document::Value;
use crate::resource::mistake::FieldPath;
use crate::resource::mistake::Mistake;
use crate::resource::mistake::Place;

/// One object names another.
pub(super) struct Reference {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) field: FieldPath,
}

/// A queue says that it is reached by an address.
pub(super) struct Claim {
    pub(super) address: Address,
    pub(super) queue: String,
    pub(super) place: Place,
    pub(super) field: FieldPath,
}

/// What reading one file found out besides its values.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) references: Vec<Reference>,
    pub(super) claims: Vec<Claim>,
}

/// Where the readers of one file note what they find.
pub(super) struct Notes<'a> {
    file: &'a str,
    outside: &'a dyn Outside,
    findings: RefCell<Findings>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(file: &'a str, outside: &'a dyn Outside) -> Self {
        Self { file, outside, findings: RefCell::default() }
    }

    pub(super) fn outside(&self) -> &dyn Outside {
        self.outside
    }

    /// A path in a file is meant from the folder the file lies in.
    pub(super) fn beside(&self, path: &str) -> String {
        match self.file.rsplit_once('/') {
            Some((folder, _)) if !path.starts_with('/') => format!("{folder}/{path}"),
            _ => path.to_owned(),
        }
    }

    pub(super) fn place(&self, line: u32) -> Place {
        Place { file: self.file.to_owned(), line }
    }

    pub(super) fn wrong(&self, line: u32, field: FieldPath, wrong: String, remedy: String) {
        let mistake = Mistake { place: self.place(line), field, wrong, remedy };
        self.findings.borrow_mut().mistakes.push(mistake);
    }

    pub(super) fn into_findings(self) -> Findings {
        self.findings.into_inner()
    }
}

/// A group of fields that is being read.
pub(super) struct Fields<'a> {
    notes: &'a Notes<'a>,
    path: FieldPath,
    line: u32,
    pairs: &'a [Pair],
    asked: RefCell<Vec<&'static str>>,
    /// Known, and refused already.
    refused: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// Reads the top of a document.
    pub(super) fn top(notes: &'a Notes<'a>, node: &'a Node) -> Option<Self> {
        Field { notes, path: FieldPath::default(), line: node.line, node }.fields()
    }

    /// A group nobody wrote: every field has its default.
    pub(super) fn none(&self, name: &str) -> Self {
        let path = self.path.field(name);
        Self {
            notes: self.notes,
            path,
            line: self.line,
            pairs: &[],
            asked: RefCell::default(),
            refused: RefCell::default(),
        }
    }

    pub(super) fn place(&self) -> Place {
        self.notes.place(self.line)
    }

    /// Notes that the object these fields belong to is reached by `address` without saying so.
    pub(super) fn claim_here(&self, address: &Address, queue: &str) {
        let place = self.place();
        let claim = Claim {
            address: address.clone(),
            queue: queue.to_owned(),
            place,
            field: self.path.clone(),
        };
        self.notes.findings.borrow_mut().claims.push(claim);
    }

    /// The field, unless it is left out or null.
    pub(super) fn field(&self, name: &'static str) -> Option<Field<'a>> {
        self.asked.borrow_mut().push(name);
        let pair = self.pairs.iter().find(|pair| pair.key == name)?;
        if pair.node.value == Value::Null {
            return None;
        }
        // A value of several lines is looked for where its name stands.
        Some(Field {
            notes: self.notes,
            path: self.path.field(name),
            line: pair.line,
            node: &pair.node,
        })
    }

    /// A field that has to be there.
    pub(super) fn required(&self, name: &'static str, remedy: &str) -> Option<Field<'a>> {
        let field = self.field(name);
        if field.is_none() {
            self.wrong(name, "is missing", remedy);
        }
        field
    }

    /// The group of this name, empty when left out.
    pub(super) fn group(&self, name: &'static str) -> Self {
        self.field(name).and_then(Field::fields).unwrap_or_else(|| self.none(name))
    }

    /// A length in whole seconds.
    pub(super) fn seconds(
        &self,
        name: &'static str,
        range: RangeInclusive<i64>,
        default: u64,
        why: &str,
    ) -> Millis {
        self.optional_seconds(name, range, why).unwrap_or_else(|| Millis::from_secs(default))
    }

    /// A length in whole seconds, if given.
    pub(super) fn optional_seconds(
        &self,
        name: &'static str,
        range: RangeInclusive<i64>,
        why: &str,
    ) -> Option<Millis> {
        let seconds = self.field(name)?.integer(range, why)?;
        Some(Millis::from_secs(u64::try_from(seconds).unwrap_or_default()))
    }

    /// A whole number.
    pub(super) fn integer(
        &self,
        name: &'static str,
        range: RangeInclusive<i64>,
        default: i64,
        why: &str,
    ) -> i64 {
        self.field(name).and_then(|field| field.integer(range, why)).unwrap_or(default)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &'static str, default: bool) -> bool {
        self.field(name).and_then(|field| field.flag()).unwrap_or(default)
    }

    /// One word of a list.
    pub(super) fn word<T: Copy>(&self, name: &'static str, words: &[(&str, T)], default: T) -> T {
        self.field(name).and_then(|field| field.word(words, &[])).unwrap_or(default)
    }

    /// Text people read.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        self.field(name)?.short_text()
    }

    /// Fields that are planned and do nothing yet: refused rather than silently ignored.
    pub(super) fn later(&self, names: &[&'static str]) -> bool {
        self.refused("is not supported by this release", "remove it", names)
    }

    /// A field that only makes sense in another place.
    pub(super) fn elsewhere(&self, name: &'static str, remedy: &str) -> bool {
        self.refused("is not read here", remedy, &[name])
    }

    /// Notes those of `names` that are there; tells whether any is.
    fn refused(&self, wrong: &str, remedy: &str, names: &[&'static str]) -> bool {
        self.refused.borrow_mut().extend(names);
        let mut any = false;
        for pair in self.pairs.iter().filter(|pair| names.contains(&pair.key.as_str())) {
            let path = self.path.field(&pair.key);
            self.notes.wrong(pair.line, path, wrong.to_owned(), remedy.to_owned());
            any = true;
        }
        any
    }

    /// Notes a mistake about a field of this group that is not there.
    pub(super) fn wrong(&self, name: &str, wrong: &str, remedy: &str) {
        let path = self.path.field(name);
        self.notes.wrong(self.line, path, wrong.to_owned(), remedy.to_owned());
    }

    /// Notes a mistake about the group as a whole.
    pub(super) fn wrong_here(&self, wrong: &str, remedy: &str) {
        self.notes.wrong(self.line, self.path.clone(), wrong.to_owned(), remedy.to_owned());
    }

    /// Notes every field nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.into_inner();
        let refused = self.refused.into_inner();
        let is_known = |key: &str| asked.contains(&key) || refused.contains(&key);
        for pair in self.pairs.iter().filter(|pair| !is_known(&pair.key)) {
            let remedy = match nearest(&pair.key, asked.iter().copied()) {
                Some(name) => format!("did you mean {name}?"),
                None => format!("the fields here are {}", asked.join(", ")),
            };
            let path = self.path.field(&pair.key);
            self.notes.wrong(pair.line, path, "is not a field".to_owned(), remedy);
        }
    }
}

/// A value that is being read.
#[derive(Clone)]
pub(super) struct Field<'a> {
    notes: &'a Notes<'a>,
    path: FieldPath,
    line: u32,
    node: &'a Node,
}

impl<'a> Field<'a> {
    pub(super) fn notes(&self) -> &'a Notes<'a> {
        self.notes
    }

    pub(super) fn place(&self) -> Place {
        self.notes.place(self.line)
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.node.value, Value::Text(_))
    }

    /// A number as it was written, if it is one.
    pub(super) fn number(&self) -> Option<&'a str> {
        if let Value::Number(written) = &self.node.value { Some(written) } else { None }
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.node.value, Value::Text(text) if text == word)
    }

    pub(super) fn wrong(&self, wrong: &str, remedy: &str) {
        self.notes.wrong(self.line, self.path.clone(), wrong.to_owned(), remedy.to_owned());
    }

    /// Notes that this value names another object.
    pub(super) fn refer(&self, kind: Kind, name: &str) {
        let reference = Reference {
            kind,
            name: name.to_owned(),
            place: self.notes.place(self.line),
            field: self.path.clone(),
        };
        self.notes.findings.borrow_mut().references.push(reference);
    }

    /// Notes that this value is an address of a queue.
    pub(super) fn claim(&self, address: &Address, queue: &str) {
        let claim = Claim {
            address: address.clone(),
            queue: queue.to_owned(),
            place: self.notes.place(self.line),
            field: self.path.clone(),
        };
        self.notes.findings.borrow_mut().claims.push(claim);
    }

    pub(super) fn fields(self) -> Option<Fields<'a>> {
        let Self { notes, path, line, node } = self;
        if let Value::Map(pairs) = &node.value {
            return Some(Fields {
                notes,
                path,
                line,
                pairs,
                asked: RefCell::default(),
                refused: RefCell::default(),
            });
        }
        let wrong = format!("is {} and not a group of fields", node.kind());
        notes.wrong(line, path, wrong, "write fields below it, as {name: value}".to_owned());
        None
    }

    /// The items of a list of at most `max`.
    pub(super) fn items(&self, max: usize) -> Vec<Self> {
        let Value::List(items) = &self.node.value else {
            let wrong = format!("is {} and not a list", self.node.kind());
            self.wrong(&wrong, "write a list, as [one, two]");
            return Vec::new();
        };
        if items.len() > max {
            let wrong = format!("has {} items", items.len());
            self.wrong(&wrong, &format!("write at most {max}"));
        }
        let item = |(nth, node): (usize, &'a Node)| Self {
            notes: self.notes,
            path: self.path.item(nth),
            line: node.line,
            node,
        };
        items.iter().take(max).enumerate().map(item).collect()
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::Number(written) => {
                let wrong = format!("{written} without quotes is a number");
                self.wrong(&wrong, &format!("write \"{written}\""));
                None
            }
            Value::Bool(flag) => {
                let wrong = format!("{flag} without quotes is not text");
                self.wrong(&wrong, &format!("write \"{flag}\""));
                None
            }
            Value::Null | Value::List(_) | Value::Map(_) => {
                self.wrong(
                    &format!("is {} and not text", self.node.kind()),
                    "write one word or text",
                );
                None
            }
        }
    }

    /// Text that must not be repeated in a mistake.
    pub(super) fn text_unseen(&self, remedy: &str) -> Option<&'a str> {
        if let Value::Text(text) = &self.node.value {
            return Some(text);
        }
        self.wrong(&format!("is {} and not text", self.node.kind()), remedy);
        None
    }

    /// The secret in the file this value names, without the line break at its end.
    pub(super) fn secret_file(&self) -> Option<String> {
        let path = self.notes.beside(self.text()?);
        match self.notes.outside.read_secret(&path) {
            Ok(secret) => Some(secret.trim_end_matches(['\r', '\n']).to_owned()),
            Err(why) => {
                let remedy = "name a file that can be read, from the folder of this file";
                self.wrong(&format!("{path} cannot be read ({why})"), remedy);
                None
            }
        }
    }

    /// Text for people: one line, not empty, of bounded length.
    pub(super) fn short_text(&self) -> Option<String> {
        const CHARS_MAX: usize = 100;
        let text = self.text()?;
        if text.trim().is_empty() {
            self.wrong("is empty", "write something, or leave the field out");
        } else if text.chars().count() > CHARS_MAX {
            self.wrong("is too long", &format!("write at most {CHARS_MAX} characters"));
        } else if text.chars().any(char::is_control) {
            self.wrong("has a line break or another control character", "write one line");
        } else {
            return Some(text.to_owned());
        }
        None
    }

    pub(super) fn flag(&self) -> Option<bool> {
        if let Value::Bool(flag) = self.node.value {
            return Some(flag);
        }
        self.wrong(&format!("is {} and not a yes or no", self.node.kind()), "write true or false");
        None
    }

    pub(super) fn integer(&self, range: RangeInclusive<i64>, why: &str) -> Option<i64> {
        let Value::Number(written) = &self.node.value else {
            let wrong = format!("is {} and not a number", self.node.kind());
            self.wrong(&wrong, &format!("write a whole number; {why}"));
            return None;
        };
        let Ok(number) = written.parse::<i64>() else {
            self.wrong(&format!("{written} is not a whole number"), why);
            return None;
        };
        let (least, most) = (range.start(), range.end());
        if number < *least {
            self.wrong(&format!("{number} is below {least}"), why);
        } else if number > *most {
            self.wrong(&format!("{number} is above {most}"), why);
        } else {
            return Some(number);
        }
        None
    }

    /// One of `words`; those of `later` are known and not to be had yet.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)], later: &[&str]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let offered: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        if later.contains(&text) {
            let wrong = format!("{text} is not supported by this release");
            self.wrong(&wrong, &format!("write {}", offered.join(" or ")));
            return None;
        }
        let remedy = match nearest(text, offered.iter().copied()) {
            Some(word) => format!("did you mean {word}?"),
            None => format!("write {}", offered.join(" or ")),
        };
        self.wrong(&format!("{text} is not a choice"), &remedy);
        None
    }
}

/// The known word nearest to what was written, if any is near enough to be meant.
pub fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    near(written, known).first().copied()
}

/// The known words near enough to what was written to be meant, the nearest first, at most five.
pub fn near<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    /// Jaro-Winkler likeness from which a slip of the finger is more likely than another word.
    const LIKENESS_MIN: f64 = 0.8;
    let folded = written.to_lowercase();
    let likeness = |word: &str| {
        let word = word.to_lowercase();
        // In a short word one slip makes much of a difference.
        let is_slip = folded.len() > 2 && strsim::osa_distance(&folded, &word) <= 1;
        let likeness = strsim::jaro_winkler(&folded, &word);
        if is_slip { likeness.max(LIKENESS_MIN) } else { likeness }
    };
    let mut near: Vec<(&str, f64)> = known
        .map(|word| (word, likeness(word)))
        .filter(|(_, likeness)| *likeness >= LIKENESS_MIN)
        .collect();
    near.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    near.into_iter().take(5).map(|(word, _)| word).collect()
}
