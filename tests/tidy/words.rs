//! One word for one thing: names the vocabulary gave up stay given up.
//!
//! The field's words are kept (call, leg, dialog, agent, queue, reservation, ring-out, deadline).
//! Refused are their rivals where they would be a second name, and words that name nothing.

use syn::visit::Visit;

use crate::tree::judge;
use crate::tree::rust_files;
use crate::tree::top;
use crate::tree::walk;

/// Parts of a type's, function's or file's name that say nothing.
const EMPTY: &[&str] = &[
    "manager", "helper", "helpers", "util", "utils", "common", "misc", "handler", "impl2", "stuff",
];

/// A word given up, for which, and the folders it is at home in.
type Rival = (&'static str, &'static str, &'static [&'static str]);

/// A word given up for another, which one, and where it stands all the same because an RFC, or what
/// people write, has it so.
const RIVALS: &[Rival] = &[
    ("session", "call, leg", &["src/sip/", "src/sdp/", "src/b2bua/", "src/node/"]),
    ("conversation", "call, talk", &[]),
    ("channel", "call, leg", &[]),
    ("endpoint", "leg, device", &[]),
    ("extension", "AOR", &["src/sip/", "src/b2bua/"]),
    ("gateway", "trunk", &[]),
    ("provider", "trunk", &[]),
    ("group", "queue", &["src/resource/"]),
    ("operator", "agent", &[]),
    ("user", "agent", &["src/sip/", "src/resource/", "src/b2bua/"]),
    ("aux", "NotReady", &[]),
    ("spill", "overflow", &[]),
    ("failover", "overflow", &[]),
    ("sla", "service level", &[]),
    ("eta", "estimated wait", &[]),
];

/// Beginnings of a function's name that say nothing.
const EMPTY_VERBS: &[&str] = &["get_", "do_", "process_"];

/// Text that may stand nowhere in the tree: unfinished work and foreign affairs.
const NOWHERE: &[&str] = &["TODO", "FIXME", "XXX"];

#[test]
fn names_say_something() {
    let mut complaints = Vec::new();
    for file in rust_files("src") {
        let tree =
            syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        Names { path: &file.path, complaints: &mut complaints }.visit_file(&tree);
        if let Some(stem) = file.module().last() {
            let rivals = rivals_in(stem, &file.path);
            complaints.extend(rivals.map(|(rival, ..)| format!("{}: `{rival}`", file.path)));
            complaints.extend(empty_part(stem).map(|part| format!("{}: `{part}`", file.path)));
        }
    }
    judge(&complaints, "name the thing by what it is in the field (README, “Words”)");
}

#[test]
fn nothing_is_left_for_later() {
    let mut complaints = Vec::new();
    walk(&top(), &mut |path| {
        let file = crate::tree::read(path);
        if file.path == "tests/tidy/words.rs" || file.path == "Cargo.lock" {
            return;
        }
        if !is_text(&file.path) {
            return;
        }
        for (index, line) in file.text.lines().enumerate() {
            if NOWHERE.iter().any(|word| line.contains(word)) {
                complaints.push(format!("{}:{}: {}", file.path, index + 1, line.trim()));
            }
        }
    });
    judge(&complaints, "do it now, or leave it out");
}

fn is_text(path: &str) -> bool {
    let end = path.rsplit('.').next().unwrap_or_default();
    matches!(end, "rs" | "toml" | "md" | "yaml" | "yml" | "txt" | "sh" | "xml" | "json")
}

struct Names<'a> {
    path: &'a str,
    complaints: &'a mut Vec<String>,
}

impl Names<'_> {
    fn complain(&mut self, ident: &syn::Ident, what: &str) {
        let line = ident.span().start().line;
        self.complaints.push(format!("{}:{line}: `{ident}` contains `{what}`", self.path));
    }

    fn weigh_type(&mut self, ident: &syn::Ident) {
        let name = snake(&ident.to_string());
        if let Some(part) = empty_part(&name) {
            self.complain(ident, part);
        }
        self.weigh_rivals(ident, &name);
    }

    fn weigh_rivals(&mut self, ident: &syn::Ident, name: &str) {
        for (rival, kept, _) in rivals_in(name, self.path) {
            self.complain(ident, &format!("{rival}, given up for {kept}"));
        }
    }

    fn weigh_function(&mut self, ident: &syn::Ident) {
        let name = ident.to_string();
        if let Some(verb) = EMPTY_VERBS.iter().find(|verb| name.starts_with(**verb)) {
            self.complain(ident, verb);
        }
        if let Some(part) = empty_part(&name) {
            self.complain(ident, part);
        }
        self.weigh_rivals(ident, &name);
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.weigh_type(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.weigh_type(&item.ident);
        item.variants.iter().for_each(|variant| self.weigh_type(&variant.ident));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.weigh_function(&item.sig.ident);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        // The names in a trait's implementation were given by whoever made the trait.
        if item.trait_.is_none() {
            syn::visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.weigh_function(&item.sig.ident);
    }
}

/// The words in a name that are given up, unless they have their right in this file.
fn rivals_in<'a>(name: &'a str, path: &'a str) -> impl Iterator<Item = &'static Rival> {
    RIVALS.iter().filter(move |(rival, _, at_home)| {
        let is_home = at_home.iter().any(|folder| path.starts_with(folder));
        !is_home && name.split('_').any(|part| part.strip_suffix('s').unwrap_or(part) == *rival)
    })
}

#[test]
fn a_rival_is_found_where_it_is_not_at_home() {
    let found = |name, path| rivals_in(name, path).map(|(rival, ..)| *rival).collect::<Vec<_>>();
    assert_eq!(found("call_sessions", "src/acd/call/mod.rs"), ["session"]);
    assert_eq!(found("session_timer", "src/sip/dialog/mod.rs"), Vec::<&str>::new());
    let of_a_type = snake("OperatorGroup");
    assert_eq!(found(&of_a_type, "src/acd/agent/mod.rs"), ["group", "operator"]);
    assert_eq!(found("user_name", "src/api/agents.rs"), ["user"]);
}

fn empty_part(name: &str) -> Option<&'static str> {
    EMPTY.iter().find(|empty| name.split('_').any(|part| part == **empty)).copied()
}

/// `TransportHandler` becomes `transport_handler`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
