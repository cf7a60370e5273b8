//! Many bytes at once: eight in a word, or more in a window that the compiler compares together.
//!
//! Finding goes by words ("SIMD within a register"), judging by windows of sixteen. Both look at
//! the last few bytes by looking at the last whole word or window again, so nothing behind the
//! text is read. Line ends are found by blocks of sixty-four.
//!
//! Always holds: what is answered is what a look at one byte after the other would answer
//! (`tests/sip/swar.rs`).
//!
//! Not here: which bytes may stand where ([`crate::sip::plain`]).

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
/// A byte that no search looks for.
const NOTHING: u8 = 0xff;

const WORD: usize = size_of::<u64>();
const WINDOW: usize = 2 * WORD;
const BLOCK: usize = u64::BITS as usize;

/// Walks the control bytes of a text; on a proper head these are the line ends.
///
/// A block is looked at when it is come to, so what follows the last one asked for costs nothing.
#[derive(Debug)]
pub struct Controls<'a> {
    text: &'a [u8],
    block: usize,
    /// A bit for each byte of the block that is still to be told.
    marks: u64,
}

impl<'a> Controls<'a> {
    /// Begins at the first byte.
    #[inline]
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, block: 0, marks: controls_at(text, 0) }
    }
}

impl Iterator for Controls<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.marks == 0 {
            self.block += BLOCK;
            if self.block >= self.text.len() {
                return None;
            }
            self.marks = controls_at(self.text, self.block);
        }
        let at = self.block + self.marks.trailing_zeros() as usize;
        self.marks &= self.marks - 1;
        Some(at)
    }
}

/// A bit for each control byte among the sixty-four at `start`.
#[inline]
fn controls_at(text: &[u8], start: usize) -> u64 {
    let rest = text.get(start..).unwrap_or_default();
    let Some(block) = rest.first_chunk() else {
        let mut block = [NOTHING; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        return controls(&block);
    };
    controls(block)
}

#[inline]
fn controls(block: &[u8; BLOCK]) -> u64 {
    let marked = block.map(|byte| if byte < b' ' { u8::MAX } else { 0 });
    let (words, _) = marked.as_chunks::<WORD>();
    let bits = words.iter().enumerate().map(|(nth, word)| {
        // The nth byte keeps its nth bit, and the product gathers them in the highest byte.
        let bits = u64::from_le_bytes(*word) & 0x8040_2010_0804_0201;
        (bits.wrapping_mul(ONES) >> 56) << (WORD * nth)
    });
    bits.fold(0, |all, bits| all | bits)
}

/// Tells whether there is a control byte.
#[inline]
pub fn has_control(text: &[u8]) -> bool {
    !all_pairs(text, b' ', |byte, _| byte >= b' ')
}

/// Where the first `wanted` is, which is ASCII.
#[inline]
pub fn find(text: &[u8], wanted: u8) -> Option<usize> {
    first(text, |word| equal(word, wanted))
}

/// Where the first of some ASCII bytes is.
#[inline]
pub fn find_any<const N: usize>(text: &[u8], wanted: [u8; N]) -> Option<usize> {
    first(text, |word| wanted.iter().fold(0, |marks, byte| marks | equal(word, *byte)))
}

/// Where the first of some ASCII bytes, or of those below the blank, is.
#[inline]
pub fn find_any_or_control<const N: usize>(text: &[u8], wanted: [u8; N]) -> Option<usize> {
    let control = |word| below(word, b' ');
    first(text, |word| wanted.iter().fold(control(word), |marks, byte| marks | equal(word, *byte)))
}

/// Marks the bytes of `word` that are `wanted`. The lowest mark is right; those above it may not
/// be, as the subtraction borrows from them.
#[inline]
pub fn equal(word: u64, wanted: u8) -> u64 {
    below(word ^ (ONES * u64::from(wanted)), 1)
}

/// Which byte of a word is marked first.
#[inline]
pub fn nth(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// Marks the bytes of `word` below `bound`, the lowest rightly.
#[inline]
fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGHS
}

#[inline]
fn first(text: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, rest) = text.as_chunks::<WORD>();
    for (passed, word) in words.iter().enumerate() {
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return Some(passed * WORD + nth(marked));
        }
    }
    if rest.is_empty() {
        return None;
    }
    let (start, word) = match text.last_chunk() {
        Some(word) => (text.len() - WORD, *word),
        None => (0, padded(rest)),
    };
    let marked = marks(u64::from_le_bytes(word));
    (marked != 0).then(|| start + nth(marked))
}

fn padded(text: &[u8]) -> [u8; WORD] {
    let mut padded = [NOTHING; WORD];
    padded[..text.len()].copy_from_slice(text);
    padded
}

/// Tells whether each byte may stand where it does, given the one after it; what follows the
/// last is a `closing` byte, which may stand after itself.
///
/// `may_stand` is best written without branches.
#[inline]
pub fn all_pairs(text: &[u8], closing: u8, may_stand: impl Fn(u8, u8) -> bool) -> bool {
    let judge = |row: &[u8; WINDOW], next: &[u8; WINDOW]| {
        let pairs = row.iter().zip(next);
        pairs.fold(true, |all, (byte, next)| all & may_stand(*byte, *next))
    };
    let (Some(row), Some(next)) = (text[..text.len().max(1) - 1].last_chunk(), text.last_chunk())
    else {
        let mut padded = [closing; WINDOW + 1];
        padded[..text.len()].copy_from_slice(text);
        let (row, next) = (padded.first_chunk(), padded.last_chunk());
        return row.zip(next).is_some_and(|(row, next)| judge(row, next));
    };
    let (rows, _) = text[..text.len() - 1].as_chunks();
    let (nexts, _) = text[1..].as_chunks();
    rows.iter().zip(nexts).all(|(row, next)| judge(row, next))
        && judge(row, next)
        && may_stand(next[WINDOW - 1], closing)
}
