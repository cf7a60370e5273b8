//! The world a configuration is read in: two secrets, one good WAV file, a few prompts.

use carillon::resource::Kind;
use carillon::resource::Outside;

/// Knows a few files by heart.
pub(crate) struct World;

/// The same, where these objects are configured already.
pub(crate) struct Configured(pub(crate) Vec<(Kind, String)>);

impl Outside for Configured {
    fn read_secret(&self, path: &str) -> Result<String, String> {
        World.read_secret(path)
    }

    fn check_audio(&self, path: &str) -> Result<(), String> {
        World.check_audio(path)
    }

    fn built_in_prompts(&self) -> &[&str] {
        World.built_in_prompts()
    }

    fn known_names(&self, kind: Kind) -> Vec<String> {
        self.0.iter().filter(|(other, _)| *other == kind).map(|(_, name)| name.clone()).collect()
    }
}

impl Outside for World {
    fn read_secret(&self, path: &str) -> Result<String, String> {
        match path.rsplit('/').next() {
            Some("ann.pin") => Ok("2771\n".to_owned()),
            Some("trunk.password") => Ok("a password with spaces\r\n".to_owned()),
            Some("letters.pin") => Ok("abcd".to_owned()),
            _ => Err("no such file".to_owned()),
        }
    }

    fn check_audio(&self, path: &str) -> Result<(), String> {
        if path.ends_with("welcome.wav") { Ok(()) } else { Err("no such file".to_owned()) }
    }

    fn built_in_prompts(&self) -> &[&str] {
        &["music", "welcome", "please-hold", "closed"]
    }

    fn known_names(&self, kind: Kind) -> Vec<String> {
        if kind == Kind::Queue { vec!["made-by-rest".to_owned()] } else { Vec::new() }
    }
}
