//! A program being played: what comes first, then music with announcements.
//!
//! ```text
//! First ──► Music ◄──► Announcement          First ──► Over     (nothing is repeated)
//! ```
//!
//! Music goes on where an announcement interrupted it. Without music there is silence between
//! announcements. Positions are counted in samples, so packets of any length can be filled and no
//! sample is lost or repeated at a seam.
//!
//! Always holds: every sample of a frame is written; a program that is over writes silence.
//!
//! Not here: when a frame is due ([`super::wheel`]), headers ([`super::relay`]).

use std::sync::Arc;

use crate::base::id::PromptId;
use crate::media::g711;
use crate::media::order::Program;
use crate::media::prompt::Prompt;
use crate::media::prompt::PromptSet;
use crate::sdp::negotiate::Codec;

/// Samples in a millisecond.
const PER_MS: u64 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    First,
    Music,
    Announcement,
    Over,
}

/// One stream's place in its program.
#[derive(Debug)]
pub struct Player {
    token: u64,
    first: Vec<Arc<Prompt>>,
    music: Option<Arc<Prompt>>,
    announcement: Vec<Arc<Prompt>>,
    /// Samples between announcements; 0 is never asked of it.
    every: u64,
    until_announcement: u64,
    part: Part,
    /// Which of several prompts, and how far into it.
    nth: usize,
    at: usize,
    music_at: usize,
}

impl Player {
    /// Begins a program; names nobody loaded are given to `missing` and passed over.
    pub fn new(
        program: &Program,
        token: u64,
        prompts: &PromptSet,
        mut missing: impl FnMut(&PromptId),
    ) -> Self {
        let mut find = |name: &PromptId| {
            let found = prompts.find(name).cloned();
            if found.is_none() {
                missing(name);
            }
            found
        };
        let first: Vec<_> = program.first.iter().filter_map(&mut find).collect();
        let music = program.music.as_ref().and_then(&mut find);
        let (announcement, every) = match &program.announcement {
            Some(announcement) => {
                let prompts: Vec<_> = announcement.prompts.iter().filter_map(&mut find).collect();
                (prompts, (announcement.every.0 * PER_MS).max(PER_MS))
            }
            None => (Vec::new(), 0),
        };
        let mut player = Self {
            token,
            first,
            music,
            announcement,
            every,
            until_announcement: every,
            part: Part::First,
            nth: 0,
            at: 0,
            music_at: 0,
        };
        if player.first.is_empty() {
            player.part = player.after_first();
        }
        player
    }

    /// Comes back when the program has finished.
    pub fn token(&self) -> u64 {
        self.token
    }

    /// Tells whether there is nothing more to play.
    pub fn is_over(&self) -> bool {
        self.part == Part::Over
    }

    /// Writes the next samples, as many as `frame` is long.
    pub fn fill(&mut self, codec: Codec, frame: &mut [u8]) {
        let mut rest = frame;
        while !rest.is_empty() {
            let written = match self.part {
                Part::First | Part::Announcement => self.fill_from_list(codec, rest),
                Part::Music => self.fill_from_music(codec, rest),
                Part::Over => {
                    rest.fill(g711::silence(codec));
                    rest.len()
                }
            };
            rest = &mut rest[written..];
        }
    }

    /// What follows when everything said once is said.
    fn after_first(&self) -> Part {
        if self.music.is_none() && self.announcement.is_empty() { Part::Over } else { Part::Music }
    }

    fn fill_from_list(&mut self, codec: Codec, out: &mut [u8]) -> usize {
        let list = if self.part == Part::First { &self.first } else { &self.announcement };
        let Some(prompt) = list.get(self.nth) else {
            self.part = self.after_first();
            self.until_announcement = self.every;
            (self.nth, self.at) = (0, 0);
            return 0;
        };
        let source = &prompt.bytes(codec)[self.at..];
        let count = source.len().min(out.len());
        out[..count].copy_from_slice(&source[..count]);
        self.at += count;
        if count == source.len() {
            (self.nth, self.at) = (self.nth + 1, 0);
            // The end is noticed now, not a packet later.
            if self.nth == list.len() {
                self.part = self.after_first();
                self.until_announcement = self.every;
                self.nth = 0;
            }
        }
        count
    }

    fn fill_from_music(&mut self, codec: Codec, out: &mut [u8]) -> usize {
        let mut count = out.len();
        if !self.announcement.is_empty() {
            if self.until_announcement == 0 {
                self.part = Part::Announcement;
                return 0;
            }
            count = count.min(usize::try_from(self.until_announcement).unwrap_or(usize::MAX));
        }
        match &self.music {
            Some(music) => {
                let source = &music.bytes(codec)[self.music_at..];
                count = count.min(source.len());
                out[..count].copy_from_slice(&source[..count]);
                self.music_at = (self.music_at + count) % music.samples();
            }
            None => out[..count].fill(g711::silence(codec)),
        }
        self.until_announcement = self.until_announcement.saturating_sub(count as u64);
        count
    }
}
