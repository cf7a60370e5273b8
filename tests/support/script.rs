//! Scripts: one behaviour of the core told as steps and what came of them.
//!
//! ```text
//! # A call whose agent does not answer keeps its place.     the claim, one sentence
//! queue sales ring=15s                                      declarations: silent
//! agent ann ready since=-60s
//!                                                           a blank line ends a block
//! call c1 to sales                                          steps
//! ---                                                       under the rule: what came of them
//! fact CallEnqueued c1 in sales                               facts and orders, as they came
//! n1 ring ann for c1
//! ann Reserved                                                then the state lines that changed
//! ```
//!
//! A block without a rule sets the scene: nothing of it is compared, but no step may be refused.
//! Under a rule, an `=` line tells an outcome that was not `Done`.
//!
//! Not here: what a step means ([`super::world`]) and how things are worded ([`super::wording`]).

use super::world::World;

/// A script as it stands in its file.
pub(crate) struct Script {
    claim: String,
    blocks: Vec<Block>,
}

/// Some steps and, if there was a rule, what came of them.
struct Block {
    steps: Vec<String>,
    outcome: Option<Vec<String>>,
}

impl Script {
    /// Reads a script; a wrong shape is told in one sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let claim = first.strip_prefix("# ").ok_or("the first line is not `# ` and a claim")?;
        if !claim.ends_with('.') {
            return Err("the claim is not a sentence: it has no full stop".to_owned());
        }
        let blocks = rest.split("\n\n").map(Block::parse).filter(|block| !block.is_empty());
        let script = Self { claim: claim.to_owned(), blocks: blocks.collect() };
        match script.blocks.iter().any(|block| block.outcome.is_some()) {
            true => Ok(script),
            false => Err("nothing is claimed: no block has a rule (`---`)".to_owned()),
        }
    }

    /// Plays the script and writes down what came of each block, in the same notation.
    pub(crate) fn play(&self) -> Result<String, String> {
        self.play_in(&mut World::new())
    }

    /// Plays the script in a world the caller keeps, to look at it afterwards.
    pub(crate) fn play_in(&self, world: &mut World) -> Result<String, String> {
        let mut told = format!("# {}\n", self.claim);
        for (nth, block) in self.blocks.iter().enumerate() {
            if nth > 0 {
                told.push('\n');
            }
            let lines = block.play(world, nth == 0)?;
            block.steps.iter().for_each(|step| told.extend([step.as_str(), "\n"]));
            if block.outcome.is_some() {
                told.push_str("---\n");
                lines.iter().for_each(|line| told.extend([line.as_str(), "\n"]));
            }
        }
        Ok(told)
    }
}

impl Block {
    fn parse(text: &str) -> Self {
        let lines: Vec<String> =
            text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        match lines.iter().position(|line| line == "---") {
            Some(rule) => {
                Self { steps: lines[..rule].to_vec(), outcome: Some(lines[rule + 1..].to_vec()) }
            }
            None => Self { steps: lines, outcome: None },
        }
    }

    fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.outcome.is_none()
    }

    /// Takes the steps; what the script declares at its head happens before anything is compared.
    fn play(&self, world: &mut World, first: bool) -> Result<Vec<String>, String> {
        let steps = self.steps.iter().map(String::as_str).filter(|step| !step.starts_with('#'));
        let steps: Vec<&str> = steps.collect();
        let head = steps.iter().take_while(|step| first && is_declaration(step)).count();
        let mut declared = steps[..head].to_vec();
        declared.sort_by_key(|step| World::declared_at(step));
        for step in declared {
            world.take(step).map_err(|wrong| format!("`{step}`: {wrong}"))?;
        }
        if first {
            world.begin()?;
        }
        world.look();
        for step in &steps[head..] {
            world.take(step).map_err(|wrong| format!("`{step}`: {wrong}"))?;
        }
        world.tell(self.outcome.is_none())
    }
}

fn is_declaration(step: &str) -> bool {
    ["settings ", "queue ", "agent ", "trunk ", "prompt "].iter().any(|word| step.starts_with(word))
}
