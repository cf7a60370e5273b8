//! A message cut into the pieces its grammar has, without judging any of them.
//!
//! Works on one character for each byte, so that every message can be cut and put together again.
//! Folds are joined, as neither reader minds them (RFC 3261 §7.3.1), but for that of a start line,
//! which has none.
//!
//! Always holds: pieces nobody has touched make a message that says what the one they came from
//! said.

/// One message.
#[derive(Clone, PartialEq)]
pub(crate) struct Pieces {
    /// Line ends before the start line.
    pub(crate) before: String,
    /// The start line.
    pub(crate) start: String,
    /// Name and value of each header line.
    pub(crate) lines: Vec<(String, String)>,
    /// The empty line and the body.
    rest: String,
}

impl Pieces {
    /// Cuts a message; there must be an end of its head, and a colon in each line of it.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let text: String = bytes.iter().copied().map(char::from).collect();
        let (before, text) = text.split_at(text.find(|it| !"\r\n".contains(it))?);
        let (head, rest) = text.split_at(text.find("\r\n\r\n")?);
        let mut lines: Vec<String> = Vec::new();
        for line in head.split("\r\n") {
            let folded = line.starts_with([' ', '\t']);
            match &mut lines[..] {
                [start] if folded => *start += &format!("\r\n{line}"),
                [.., last] if folded => *last += &format!(" {}", line.trim_start_matches(BLANKS)),
                _ => lines.push(line.to_owned()),
            }
        }
        let named = |line: String| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim_end().to_owned(), value.trim_matches(BLANKS).to_owned()))
        };
        let start = lines.remove(0);
        let lines = lines.into_iter().map(named).collect::<Option<_>>()?;
        Some(Self { before: before.to_owned(), start, lines, rest: rest.to_owned() })
    }

    /// Puts the message together.
    pub(crate) fn join(&self) -> Vec<u8> {
        let lines = self.lines.iter().map(|(name, value)| format!("\r\n{name}: {value}"));
        let text =
            format!("{}{}{}{}", self.before, self.start, lines.collect::<String>(), self.rest);
        text.chars().map(|letter| letter as u8).collect()
    }

    /// Tells a response from a request.
    pub(crate) fn is_response(&self) -> bool {
        self.start.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/"))
    }

    /// Shows the value of each line with one of two names.
    pub(crate) fn values_of(&mut self, names: [&str; 2], mut edit: impl FnMut(&mut String)) {
        for (name, value) in &mut self.lines {
            if names.contains(&name.to_lowercase().as_str()) {
                edit(value);
            }
        }
    }

    /// Shows each hop of each Via: protocol and transport, sent-by, parameters.
    pub(crate) fn hops(&mut self, mut edit: impl FnMut(&mut [String; 3])) {
        self.values_of(["via", "v"], |value| edit_each(value, ',', cut_hop, &mut edit));
    }

    /// Shows the addresses of From and To: name, URI, parameters.
    pub(crate) fn single_addresses(&mut self, mut edit: impl FnMut(&mut [String; 3])) {
        for names in [["from", "f"], ["to", "t"]] {
            self.values_of(names, |value| edit_in(value, cut_address, &mut edit));
        }
    }

    /// Shows each address of From, To and Contact: name, URI, parameters.
    pub(crate) fn addresses(&mut self, mut edit: impl FnMut(&mut [String; 3])) {
        self.single_addresses(&mut edit);
        self.values_of(["contact", "m"], |value| edit_each(value, ',', cut_address, &mut edit));
    }

    /// Shows each parameter of an address or a hop that has a value: its name and the value.
    pub(crate) fn values(&mut self, mut edit: impl FnMut(&str, &mut String)) {
        let mut row = |[_, _, params]: &mut [String; 3]| {
            let mut elements = split_outside(params, ';');
            for element in &mut elements {
                let Some((name, value)) = element.split_once('=') else { continue };
                let mut edited = value.trim_matches(BLANKS).to_owned();
                edit(name.trim_matches(BLANKS), &mut edited);
                if edited != value.trim_matches(BLANKS) {
                    *element = format!("{name}={edited}");
                }
            }
            *params = elements.join(";");
        };
        self.addresses(&mut row);
        self.hops(&mut row);
    }

    /// Shows each URI.
    pub(crate) fn uris(&mut self, mut edit: impl FnMut(&mut String)) {
        let mut words: Vec<String> = self.start.split(' ').map(str::to_owned).collect();
        if let [_, uri, _] = &mut words[..]
            && !self.is_response()
        {
            edit(uri);
            self.start = words.join(" ");
        }
        self.addresses(|[_, uri, _]| edit(uri));
    }

    /// Shows each URI of SIP's own: scheme and user, host and port, parameters and headers.
    pub(crate) fn sip_uris(&mut self, mut edit: impl FnMut(&mut [String; 3])) {
        self.uris(|uri| {
            let lower = uri.to_lowercase();
            if lower.starts_with("sip:") || lower.starts_with("sips:") {
                edit_in(uri, cut_uri, &mut edit);
            }
        });
    }
}

/// What a line is trimmed of.
pub(crate) const BLANKS: [char; 2] = [' ', '\t'];

type Cut = fn(&str) -> [String; 3];

fn edit_in(text: &mut String, cut: Cut, edit: &mut impl FnMut(&mut [String; 3])) {
    let parts = cut(text);
    let mut edited = parts.clone();
    edit(&mut edited);
    if edited != parts {
        *text = edited.concat();
    }
}

fn edit_each(
    list: &mut String,
    separator: char,
    cut: Cut,
    edit: &mut impl FnMut(&mut [String; 3]),
) {
    let mut elements = split_outside(list, separator);
    for element in &mut elements {
        edit_in(element, cut, edit);
    }
    *list = elements.join(&separator.to_string());
}

/// `SIP/2.0/UDP `, `a.example:5060`, `;branch=1`
fn cut_hop(text: &str) -> [String; 3] {
    let (head, params) = text.split_at(text.find(';').unwrap_or(text.len()));
    let slash = head.match_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    let behind = &head[slash..];
    let transport = behind.len() - behind.trim_start_matches(BLANKS).len();
    let space = behind[transport..].find(BLANKS).map_or(behind.len(), |at| transport + at);
    let sent_by = slash + space + behind[space..].len() - behind[space..].trim_start().len();
    [head[..sent_by].to_owned(), head[sent_by..].to_owned(), params.to_owned()]
}

/// `"Ann" <`, `sip:ann@a.example;lr`, `>;tag=1`, or nothing, the URI, `;tag=1`
fn cut_address(text: &str) -> [String; 3] {
    let text = text.trim_matches(BLANKS);
    let quoted = if text.starts_with('"') { quoted_len(text) } else { 0 };
    let open = text[quoted..].find(['<', ';']).map(|at| quoted + at);
    let Some(open) = open.filter(|at| text[*at..].starts_with('<')) else {
        let (uri, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        return [String::new(), uri.trim_end_matches(BLANKS).to_owned(), params.to_owned()];
    };
    let (before, behind) = text.split_at(open + 1);
    let (uri, after) = behind.split_at(behind.find('>').unwrap_or(behind.len()));
    [before.to_owned(), uri.to_owned(), after.to_owned()]
}

/// `sip:ann@`, `a.example:5060`, `;lr?a=b`
fn cut_uri(text: &str) -> [String; 3] {
    let host = text.find('@').or_else(|| text.find(':')).map_or(0, |at| at + 1);
    let end = text[host..].find([';', '?']).map_or(text.len(), |at| host + at);
    [text[..host].to_owned(), text[host..end].to_owned(), text[end..].to_owned()]
}

/// How long the quoted string is at the start.
fn quoted_len(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, letter)| {
        let closes = *letter == '"' && !escaped;
        escaped = *letter == '\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// Cuts `text` at each `separator` that stands neither between quotes nor between brackets.
pub(crate) fn split_outside(text: &str, separator: char) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let len = match letter {
            '"' => quoted_len(rest),
            '<' => rest.find('>').unwrap_or(rest.len()),
            other => other.len_utf8(),
        };
        if letter == separator {
            pieces.push(String::new());
        } else {
            pieces.last_mut().expect("there is one").push_str(&rest[..len]);
        }
        rest = &rest[len..];
    }
    pieces
}
