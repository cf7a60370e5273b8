//! Prompts: audio files turned into the bytes that go on the wire, once, when they are loaded.
//!
//! ```text
//! WAV (any rate, channels; PCM, float, µ-law, A-law) ─► f32 mono ─► 8 kHz ─► PCMU and PCMA bytes
//! ```
//!
//! G.711 has one byte a sample, so a packet of any length is a slice of these bytes; everybody who
//! hears a prompt shares them.
//!
//! Always holds: a loaded prompt has at least one sample and at most [`SECONDS_MAX`] seconds, and
//! both forms are equally long. A file that cannot be used is refused with its name and what is
//! expected instead.
//!
//! Not here: reading files (`node`), what is played when ([`super::program`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Buf;
use bytes::Bytes;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatOptions;
use symphonia::core::formats::TrackType;
use symphonia::core::formats::probe::Hint;
use symphonia::core::io::MediaSourceStream;
use symphonia::core::io::MediaSourceStreamOptions;
use symphonia::core::io::ReadOnlySource;
use symphonia::core::meta::MetadataOptions;

use crate::base::id::PromptId;
use crate::media::g711;
use crate::sdp::negotiate::Codec;

/// Samples a second of everything we send.
pub const RATE: u32 = 8000;
/// The longest prompt: an hour of music, 58 MB in both forms.
pub const SECONDS_MAX: usize = 3600;

/// More channels than any recording of speech or music has.
const CHANNELS_MAX: u16 = 16;
/// More samples a second than any sound card makes.
const RATE_MAX: u32 = 384_000;
/// The header is within this much of a file.
const HEAD_MAX: usize = 64 * 1024;

/// One prompt, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    pcmu: Vec<u8>,
    pcma: Vec<u8>,
}

impl Prompt {
    /// Encodes samples at 8 kHz; none when there are none.
    pub fn from_samples(samples: &[i16]) -> Option<Self> {
        let encoded =
            |codec| samples.iter().map(|sample| g711::encode(codec, *sample)).collect::<Vec<u8>>();
        (!samples.is_empty())
            .then(|| Self { pcmu: encoded(Codec::Pcmu), pcma: encoded(Codec::Pcma) })
    }

    /// The bytes in one codec, one a sample.
    pub fn bytes(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
        }
    }

    /// How many samples there are; never 0.
    pub fn samples(&self) -> usize {
        self.pcmu.len()
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({} samples)", self.samples())
    }
}

/// All prompts there are, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptSet {
    prompts: BTreeMap<PromptId, Arc<Prompt>>,
}

impl PromptSet {
    /// Adds a prompt, or replaces the one of the same name; streams that play the old one go on.
    pub fn insert(&mut self, name: PromptId, prompt: Arc<Prompt>) {
        self.prompts.insert(name, prompt);
    }

    /// Takes a prompt away.
    pub fn remove(&mut self, name: &PromptId) {
        self.prompts.remove(name);
    }

    /// The prompt of this name.
    pub fn find(&self, name: &PromptId) -> Option<&Arc<Prompt>> {
        self.prompts.get(name)
    }

    /// The names there are, in order.
    pub fn names(&self) -> impl Iterator<Item = &PromptId> {
        self.prompts.keys()
    }
}

/// A file that cannot be a prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file}: {why}; expected a WAV file with PCM, float, µ-law or A-law audio, at most an hour long"
)]
pub struct BadPrompt {
    /// The file, as it was named.
    pub file: String,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Not a WAV file at all.
    #[error("this is not a WAV file")]
    NotWav,
    /// An encoding we do not read, such as MP3 or GSM in a WAV file.
    #[error("its encoding is not supported, or its header is damaged")]
    Encoding,
    /// The samples cannot be decoded.
    #[error("it is damaged")]
    Damaged,
    /// Nothing to hear.
    #[error("it has no samples")]
    Empty,
    /// Longer than [`SECONDS_MAX`].
    #[error("it is too long")]
    TooLong,
}

/// Decodes a file's bytes; `file` is only for the error.
pub fn decode(file: &str, wav: &[u8]) -> Result<Prompt, BadPrompt> {
    let bad = |why| BadPrompt { file: file.to_owned(), why };
    let (samples, rate) = read(wav).map_err(bad)?;
    let samples = resample(&samples, rate);
    Prompt::from_samples(&samples).ok_or_else(|| bad(Why::Empty))
}

/// The file's samples, its channels mixed into one, and their rate.
fn read(wav: &[u8]) -> Result<(Vec<f32>, u32), Why> {
    if !is_wav(wav) {
        return Err(Why::NotWav);
    }
    if !has_sound_format(wav) {
        return Err(Why::Encoding);
    }
    let source = ReadOnlySource::new(Bytes::copy_from_slice(wav).reader());
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    let mut format = symphonia::default::get_probe()
        .probe(
            Hint::new().with_extension("wav"),
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|_| Why::Encoding)?;
    let track = format.default_track(TrackType::Audio).ok_or(Why::NotWav)?;
    let parameters =
        track.codec_params.as_ref().and_then(|any| any.audio()).ok_or(Why::Encoding)?;
    let rate = parameters.sample_rate.filter(|rate| *rate > 0).ok_or(Why::Encoding)?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|_| Why::Encoding)?;
    let mut mono: Vec<f32> = Vec::new();
    let mut frame: Vec<f32> = Vec::new();
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            // A file cut short is used as far as it goes.
            Ok(None) | Err(Error::IoError(_)) => break,
            Err(_) => return Err(Why::Damaged),
        };
        let decoded = decoder.decode(&packet).map_err(|_| Why::Damaged)?;
        let channels = decoded.spec().channels().count().max(1);
        frame.resize(decoded.samples_interleaved(), 0.0);
        decoded.copy_to_slice_interleaved(&mut frame);
        mono.extend(frame.chunks(channels).map(|all| all.iter().sum::<f32>() / all.len() as f32));
        if mono.len() / rate as usize > SECONDS_MAX {
            return Err(Why::TooLong);
        }
    }
    Ok((mono, rate))
}

fn is_wav(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE")
}

/// Whether what the header says is possible. The decoder multiplies these numbers unchecked, so
/// wherever it may find them they are looked at first.
fn has_sound_format(wav: &[u8]) -> bool {
    let head = &wav[..wav.len().min(HEAD_MAX)];
    let is_sound = |chunk: &[u8]| {
        let field = |at: usize| u16::from_le_bytes([chunk[at], chunk[at + 1]]);
        let (channels, align, bits) = (field(10), field(20), field(22));
        let rate = u32::from(field(12)) | u32::from(field(14)) << 16;
        (1..=CHANNELS_MAX).contains(&channels)
            && (1..=RATE_MAX).contains(&rate)
            && bits <= 64
            && (bits == 0 || u32::from(align) == u32::from(channels) * u32::from(bits.div_ceil(8)))
    };
    head.windows(24).filter(|chunk| chunk.starts_with(b"fmt ")).all(is_sound)
}

/// How many zero crossings of the sinc are used on each side; enough for a telephone.
const LOBES: f64 = 16.0;

/// Brings samples to 8 kHz by a windowed sinc that also takes out what 8 kHz cannot carry.
fn resample(samples: &[f32], rate: u32) -> Vec<i16> {
    if rate == RATE {
        return samples.iter().map(|sample| to_i16(f64::from(*sample))).collect();
    }
    let step = f64::from(rate) / f64::from(RATE);
    // Going down, the filter is as much wider as the rate is higher; 0.95 leaves room for its edge.
    let cutoff = 0.95 / step.max(1.0);
    let half = LOBES / cutoff;
    let count = (samples.len() as f64 / step) as usize;
    (0..count)
        .map(|nth| {
            let center = nth as f64 * step;
            let from = (center - half).ceil().max(0.0) as usize;
            let to = ((center + half).floor() as usize).min(samples.len().saturating_sub(1));
            let sum: f64 = (from..=to)
                .map(|at| {
                    let away = at as f64 - center;
                    f64::from(samples[at]) * sinc(away * cutoff) * window(away / half) * cutoff
                })
                .sum();
            to_i16(sum)
        })
        .collect()
}

fn sinc(x: f64) -> f64 {
    let angle = x * std::f64::consts::PI;
    if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle }
}

/// Hann, from −1 to 1.
fn window(x: f64) -> f64 {
    0.5 + 0.5 * (x.clamp(-1.0, 1.0) * std::f64::consts::PI).cos()
}

fn to_i16(sample: f64) -> i16 {
    (sample * 32768.0).round().clamp(-32768.0, 32767.0) as i16
}
