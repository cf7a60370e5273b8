//! Mistakes in a configuration: where, what is wrong, and what to write instead.
//!
//! One mistake has one place, told twice: the line of the file for people who edit files, and the
//! JSON pointer for programs that send a body. All mistakes of all files are collected before
//! anything is refused, so that a person mends them in one go.
//!
//! Always holds: a mistake says what to write instead, never repeats a secret, and is one line.
//!
//! Not here: finding mistakes ([`mod@super::read`] and the kinds), or HTTP (`api::problem`).

use std::fmt;
use std::fmt::Write;

/// A line of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the reader was told its name; empty for a body without a file.
    pub file: String,
    /// Counted from 1; 0 when there are no lines.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One step down a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a field of this name.
    Field(String),
    /// Into an item of a list, counted from 0.
    Item(usize),
}

/// The way from the top of a document to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath(Vec<Step>);

impl FieldPath {
    /// The way to a field below this one.
    pub fn field(&self, name: &str) -> Self {
        self.step(Step::Field(name.to_owned()))
    }

    /// The way to an item of the list here.
    pub fn item(&self, index: usize) -> Self {
        self.step(Step::Item(index))
    }

    /// The same way as an RFC 6901 pointer, `/spec/addresses/1`.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.0 {
            pointer.push('/');
            match step {
                Step::Field(name) => {
                    // RFC 6901 section 3: `~` and `/` are the two characters to escape.
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Step::Item(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if nth == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Something in a configuration that cannot be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where it stands.
    pub place: Place,
    /// The field it is about; empty for a whole document.
    pub field: FieldPath,
    /// What is wrong, without a full stop.
    pub wrong: String,
    /// What to write instead, without a full stop.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.line > 0 {
            write!(f, "{}: ", self.place)?;
        }
        if self.field != FieldPath::default() {
            write_on_one_line(f, &format!("{}: ", self.field))?;
        }
        write_on_one_line(f, &format!("{}; {}", self.wrong, self.remedy))
    }
}

/// A name may hold anything; on a terminal or in a log it must not begin a line of its own.
fn write_on_one_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|sign| match sign.is_control() {
        true => write!(f, "{}", sign.escape_default()),
        false => f.write_char(sign),
    })
}
