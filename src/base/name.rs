//! A configured name: short as names are, and compared without looking elsewhere.
//!
//! Names are the keys of nearly everything the core keeps, and are compared more often than
//! anything else is done with them. One of up to [`IN_PLACE`] bytes stands in the value itself,
//! filled up with zeros, so that a comparison is one of a few whole words.
//!
//! Always holds: names are ordered as their texts are; a name that fits is in place, so that equal
//! texts are equal names.
//!
//! Not here: which things have names ([`super::id`]).

use std::cmp::Ordering;
use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Visitor;

/// As many as make a name no larger than a `String`.
const IN_PLACE: usize = 22;

/// The text of a name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Short { bytes: [u8; IN_PLACE], length: u8 },
    Long(Box<str>),
}

impl Name {
    pub(super) fn as_str(&self) -> &str {
        match self {
            // Written from a text only, so that it is one.
            Self::Short { .. } => str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { bytes, length } => &bytes[..usize::from(*length).min(IN_PLACE)],
            Self::Long(text) => text.as_bytes(),
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        let mut bytes = [0; IN_PLACE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(text.as_bytes());
                Self::Short { bytes, length }
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Zeros come before whatever the longer of two has there, and the length decides
            // between a text that ends and one that goes on with zeros.
            (Self::Short { bytes, length }, Self::Short { bytes: others, length: its }) => {
                bytes.cmp(others).then(length.cmp(its))
            }
            (Self::Short { .. } | Self::Long(_), _) => self.as_bytes().cmp(other.as_bytes()),
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// Reads a text without making a `String` of it first.
struct Text;

impl Visitor<'_> for Text {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Name, E> {
        Ok(Name::from(text))
    }
}
