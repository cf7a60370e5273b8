//! Names for what is drawn at random, so that a flow reads the same whatever was drawn.
//!
//! A value is known by what stands before it (`branch=`, `;tag=`, `Call-ID: `). One that no party
//! has sent before is Carillon's own: it gets the next name of its kind, and from then on it is
//! shown by its name wherever it stands, and parties who write the name send the value.

/// What stands before a value that is drawn, and what it is called.
const SIGNS: [(&str, &str); 10] = [
    ("branch=", "branch"),
    (";tag=", "tag"),
    ("\r\nCall-ID: ", "call"),
    ("\r\no=- ", "session"),
    ("\r\nRSeq: ", "rseq"),
    ("\r\nX-ACD-Call-ID: ", "acd"),
    (" nonce=\"", "nonce"),
    (" opaque=\"", "opaque"),
    (" cnonce=\"", "cnonce"),
    (" response=\"", "digest"),
];

/// The names given so far.
#[derive(Default)]
pub(super) struct Names {
    given: Vec<(String, String)>,
    sent: String,
}

impl Names {
    /// Puts names in the place of what Carillon has drawn.
    pub(super) fn hide(&mut self, text: &str) -> String {
        for (sign, kind) in SIGNS {
            for (at, _) in text.match_indices(sign) {
                let rest = &text[at + sign.len()..];
                let ends = |c: char| c.is_whitespace() || ";,\">".contains(c);
                let value = &rest[..rest.find(ends).unwrap_or(rest.len())];
                let known = self.given.iter().any(|(given, _)| given == value);
                if !value.is_empty() && !known && !self.sent.contains(value) {
                    let nth = self.given.iter().filter(|(_, name)| is_of(name, kind)).count() + 1;
                    self.given.push((value.to_owned(), format!("{{{kind}{nth}}}")));
                }
            }
        }
        let given = self.given.iter();
        given.fold(text.to_owned(), |text, (value, name)| text.replace(value, name))
    }

    /// Puts what was drawn in the place of its names.
    pub(super) fn reveal(&mut self, text: &str) -> Result<String, String> {
        let given = self.given.iter();
        let text = given.fold(text.to_owned(), |text, (value, name)| text.replace(name, value));
        if let Some(at) = text.find('{') {
            let name = text[at..].split('}').next().unwrap_or_default();
            return Err(format!("`{name}}}` is not known yet"));
        }
        self.sent.push_str(&text);
        Ok(text)
    }
}

fn is_of(name: &str, kind: &str) -> bool {
    name.trim_matches(['{', '}']).trim_end_matches(|c: char| c.is_ascii_digit()) == kind
}
