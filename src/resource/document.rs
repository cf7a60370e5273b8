//! YAML and JSON as one small tree that remembers its lines.
//!
//! Files are read event by event rather than into a ready-made tree, because three things matter
//! here that such trees lose: the line of every key, the text of a number as it was written
//! (`0271` is somebody's id, not 271), and every duplicate key instead of the first one only.
//!
//! Always holds: a tree is at most [`DEPTH_MAX`] deep, whatever the text, so that walking it needs
//! little stack. Anchors, aliases and tags are refused by name.
//!
//! Not here: what the fields mean ([`mod@super::read`] and the kinds).

use saphyr_parser::Event;
use saphyr_parser::Parser;
use saphyr_parser::ScalarStyle;
use saphyr_parser::ScanError;
use saphyr_parser::Span;

use crate::resource::mistake::FieldPath;
use crate::resource::mistake::Mistake;
use crate::resource::mistake::Place;

/// How deep a document may be; the deepest field of a resource lies at 6.
pub(super) const DEPTH_MAX: usize = 32;

/// A value and the line it starts on; 0 when it came without lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) value: Value,
}

/// What a document is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Pair>),
}

/// A field of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: String,
    /// The line of the key.
    pub(super) line: u32,
    pub(super) node: Node,
}

impl Node {
    /// Says what the value is, in words for a mistake.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a group of fields",
        }
    }
}

/// Reads the documents of a file. Empty ones are left out.
pub(super) fn from_yaml(file: &str, text: &str, mistakes: &mut Vec<Mistake>) -> Vec<Node> {
    let mut builder = Builder { file, mistakes, open: Vec::new(), done: Vec::new() };
    let mut parser = Parser::new_from_str(text);
    loop {
        match parser.next() {
            None => break,
            Some(Ok((event, span))) => {
                if builder.take(event, span).is_err() {
                    break;
                }
            }
            Some(Err(error)) => {
                builder.broken(&error);
                break;
            }
        }
    }
    builder.done
}

/// Takes over a JSON value; its nodes have no lines.
pub(super) fn from_json(json: &serde_json::Value) -> Node {
    let value = match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => Value::Number(number.to_string()),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(from_json).collect()),
        serde_json::Value::Object(fields) => {
            let pair = |(key, value): (&String, &serde_json::Value)| Pair {
                key: key.clone(),
                line: 0,
                node: from_json(value),
            };
            Value::Map(fields.iter().map(pair).collect())
        }
    };
    Node { line: 0, value }
}

/// The text cannot be read any further.
struct Hopeless;

/// A collection whose end was not seen yet.
struct Open {
    line: u32,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// The fields so far, and the key whose value comes next.
    Map(Vec<Pair>, Option<(String, u32)>),
}

/// Makes trees out of events.
struct Builder<'a> {
    file: &'a str,
    mistakes: &'a mut Vec<Mistake>,
    open: Vec<Open>,
    done: Vec<Node>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Hopeless> {
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Alias(_) => {
                let wrong = "an alias is not read here";
                self.wrong(line, wrong, "write the value out where it is used");
                Err(Hopeless)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(line, anchor, tag.is_some())?;
                self.add(Node { line, value: scalar(&text, style) });
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_extras(line, anchor, tag.is_some())?;
                self.begin(line, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_extras(line, anchor, tag.is_some())?;
                self.begin(line, Content::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { line, content }) = self.open.pop() {
                    let value = match content {
                        Content::List(items) => Value::List(items),
                        Content::Map(pairs, _) => Value::Map(pairs),
                    };
                    self.add(Node { line, value });
                }
                Ok(())
            }
        }
    }

    fn begin(&mut self, line: u32, content: Content) -> Result<(), Hopeless> {
        if self.open.len() >= DEPTH_MAX {
            let wrong = format!("more than {DEPTH_MAX} levels deep");
            self.wrong(line, &wrong, "no resource is nested like this; look for a stray bracket");
            return Err(Hopeless);
        }
        self.open.push(Open { line, content });
        Ok(())
    }

    fn add(&mut self, node: Node) {
        let twice = match self.open.last_mut() {
            None => {
                if node.value != Value::Null {
                    self.done.push(node);
                }
                None
            }
            Some(Open { content: Content::List(items), .. }) => {
                items.push(node);
                None
            }
            Some(Open { content: Content::Map(pairs, key), .. }) => match key.take() {
                None => {
                    *key = Some((key_text(&node), node.line));
                    None
                }
                Some((name, line)) => {
                    let first = pairs.iter().find(|pair| pair.key == name).map(|pair| pair.line);
                    let twice = first.map(|first| (name.clone(), line, first));
                    pairs.push(Pair { key: name, line, node });
                    twice
                }
            },
        };
        if let Some((name, line, first)) = twice {
            let wrong = format!("the field {name} is written twice, first in line {first}");
            self.wrong(line, &wrong, "keep one of the two");
        }
    }

    fn refuse_extras(&mut self, line: u32, anchor: usize, tagged: bool) -> Result<(), Hopeless> {
        if tagged {
            self.wrong(line, "a tag (!…) is not read here", "write the plain value");
            return Err(Hopeless);
        }
        if anchor > 0 {
            self.wrong(line, "an anchor (&…) is not read here", "write the plain value");
            return Err(Hopeless);
        }
        Ok(())
    }

    fn broken(&mut self, error: &ScanError) {
        let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
        let wrong = format!("this is not YAML: {}", error.info());
        self.wrong(line, &wrong, "look for wrong indentation, a missing quote or bracket");
    }

    fn wrong(&mut self, line: u32, wrong: &str, remedy: &str) {
        self.mistakes.push(Mistake {
            place: Place { file: self.file.to_owned(), line },
            field: FieldPath::default(),
            wrong: wrong.to_owned(),
            remedy: remedy.to_owned(),
        });
    }
}

/// A key as text; what cannot be one becomes a name no field has.
fn key_text(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(text) | Value::Text(text) => text.clone(),
        Value::List(_) | Value::Map(_) => "?".to_owned(),
    }
}

/// YAML 1.2.2 section 10.3.2: what a plain scalar is in the core schema.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return !digits.is_empty() && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    }
    // Numbers of the core schema are those of Rust, less the words for infinity and the like.
    let begins_like_one = text.starts_with(|first: char| "+-.0123456789".contains(first));
    begins_like_one
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| b"+-.eE0123456789".contains(&byte))
        && text.parse::<f64>().is_ok()
}
