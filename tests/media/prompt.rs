//! Prompts: every kind of WAV file a person may bring, and what is said of those that will not do.

use carillon::media::built_in;
use carillon::media::g711;
use carillon::media::prompt::Prompt;
use carillon::media::prompt::Why;
use carillon::media::prompt::decode;
use carillon::sdp::Codec;
use proptest::prelude::*;

/// A WAV file with this format tag, rate, channels and bits.
fn wav(tag: u16, rate: u32, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let align = channels * bits / 8;
    let mut file = b"RIFF".to_vec();
    // Every encoding but plain PCM says how many bytes of extension follow: none.
    let extension: &[u8] = if tag == 1 { &[] } else { &[0, 0] };
    let format = 16 + extension.len() as u32;
    file.extend_from_slice(&(20 + format + data.len() as u32).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&format.to_le_bytes());
    file.extend_from_slice(&tag.to_le_bytes());
    file.extend_from_slice(&channels.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&(rate * u32::from(align)).to_le_bytes());
    file.extend_from_slice(&align.to_le_bytes());
    file.extend_from_slice(&bits.to_le_bytes());
    file.extend_from_slice(extension);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&(data.len() as u32).to_le_bytes());
    file.extend_from_slice(data);
    file
}

/// A second of a tone, as samples from −1 to 1.
fn tone(hertz: f64, rate: u32) -> Vec<f64> {
    let step = hertz * std::f64::consts::TAU / f64::from(rate);
    (0..rate).map(|nth| 0.5 * (f64::from(nth) * step).sin()).collect()
}

fn pcm(samples: &[f64], channels: u16) -> Vec<u8> {
    let each = |sample: &f64| {
        let bytes = ((sample * 32767.0) as i16).to_le_bytes();
        std::iter::repeat_n(bytes, usize::from(channels)).flatten()
    };
    samples.iter().flat_map(each).collect()
}

fn samples(prompt: &Prompt) -> Vec<f64> {
    prompt
        .bytes(Codec::Pcmu)
        .iter()
        .map(|byte| f64::from(g711::decode(Codec::Pcmu, *byte)) / 32768.0)
        .collect()
}

/// How much of a tone there is, from 0 to 1 of full scale.
fn strength(samples: &[f64], hertz: f64) -> f64 {
    let step = hertz * std::f64::consts::TAU / 8000.0;
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (nth, sample) in samples.iter().enumerate() {
        real += sample * (nth as f64 * step).cos();
        imaginary += sample * (nth as f64 * step).sin();
    }
    2.0 * f64::hypot(real, imaginary) / samples.len() as f64
}

#[test]
fn any_rate_and_any_number_of_channels_becomes_8_khz_mono() {
    for (rate, channels) in
        [(8000, 1), (8000, 2), (11_025, 1), (16_000, 1), (44_100, 2), (48_000, 6)]
    {
        let data = pcm(&tone(1000.0, rate), channels);
        let prompt = decode("tone.wav", &wav(1, rate, channels, 16, &data)).unwrap();
        let heard = samples(&prompt);
        assert!(heard.len().abs_diff(8000) <= 1, "{rate}: {} samples", heard.len());
        let strong = strength(&heard, 1000.0);
        assert!((strong - 0.5).abs() < 0.02, "{rate} Hz × {channels}: {strong}");
    }
}

#[test]
fn what_8_khz_cannot_carry_is_taken_out() {
    let data = pcm(&tone(6000.0, 48_000), 1);
    let heard = samples(&decode("tone.wav", &wav(1, 48_000, 1, 16, &data)).unwrap());
    assert!(strength(&heard, 2000.0) < 0.01, "6 kHz must not come back as 2 kHz");
}

#[test]
fn float_and_both_laws_are_read() {
    let tone = tone(800.0, 8000);
    let float: Vec<u8> = tone.iter().flat_map(|sample| (*sample as f32).to_le_bytes()).collect();
    let law = |codec| -> Vec<u8> {
        tone.iter().map(|sample| g711::encode(codec, (sample * 32767.0) as i16)).collect()
    };
    let files = [
        wav(3, 8000, 1, 32, &float),
        wav(6, 8000, 1, 8, &law(Codec::Pcma)),
        wav(7, 8000, 1, 8, &law(Codec::Pcmu)),
    ];
    for file in files {
        let prompt = decode("tone.wav", &file).unwrap();
        assert_eq!(prompt.samples(), 8000);
        assert!((strength(&samples(&prompt), 800.0) - 0.5).abs() < 0.02);
    }
    let pcmu = law(Codec::Pcmu);
    let prompt = decode("tone.wav", &wav(7, 8000, 1, 8, &pcmu)).unwrap();
    assert_eq!(prompt.bytes(Codec::Pcmu), pcmu, "µ-law goes through untouched");
}

#[test]
fn both_forms_sound_alike_and_are_equally_long() {
    let data = pcm(&tone(440.0, 8000), 1);
    let prompt = decode("tone.wav", &wav(1, 8000, 1, 16, &data)).unwrap();
    assert_eq!(prompt.bytes(Codec::Pcmu).len(), prompt.bytes(Codec::Pcma).len());
    for (pcmu, pcma) in prompt.bytes(Codec::Pcmu).iter().zip(prompt.bytes(Codec::Pcma)) {
        let pcmu = i32::from(g711::decode(Codec::Pcmu, *pcmu));
        let pcma = i32::from(g711::decode(Codec::Pcma, *pcma));
        assert!((pcmu - pcma).abs() <= 1100, "{pcmu} and {pcma}");
    }
}

#[test]
fn a_file_cut_short_is_used_as_far_as_it_goes() {
    let data = pcm(&tone(440.0, 8000), 1);
    let mut file = wav(1, 8000, 1, 16, &data);
    file.truncate(44 + 8000);
    let prompt = decode("cut.wav", &file).unwrap();
    assert!((3000..=4000).contains(&prompt.samples()), "{}", prompt.samples());
}

#[test]
fn a_bad_file_is_named_and_what_is_expected_is_said() {
    let error = decode("music/hold.mp3", b"ID3 this is no WAV file at all").unwrap_err();
    assert_eq!(error.why, Why::NotWav);
    assert_eq!(
        error.to_string(),
        "music/hold.mp3: this is not a WAV file; expected a WAV file with PCM, float, µ-law or \
         A-law audio, at most an hour long"
    );
    assert_eq!(decode("empty.wav", &wav(1, 8000, 1, 16, &[])).unwrap_err().why, Why::Empty);
    for junk in [&b""[..], b"RIFF", b"RIFF\xff\xff\xff\xffWAVE"] {
        assert!(decode("junk.wav", junk).is_err());
    }
    let gsm = decode("gsm.wav", &wav(0x31, 8000, 1, 0, &[0; 65])).unwrap_err();
    assert_eq!(gsm.why, Why::Encoding, "GSM is not read");
}

proptest! {
    #[test]
    fn a_spoilt_file_never_panics(
        at in prop::collection::vec((0_usize..80, any::<u8>()), 1..6),
        tag in prop::sample::select(vec![1_u16, 3, 6, 7, 0xfffe]),
    ) {
        let mut file = wav(tag, 8000, 2, 16, &[0x33; 400]);
        for (at, byte) in at {
            file[at] = byte;
        }
        let _ = decode("spoilt.wav", &file);
    }
}

#[test]
fn everything_built_in_can_be_played() {
    let prompts = built_in::prompts();
    assert_eq!(prompts.names().count(), built_in::FILES.len());
    let mut bytes = 0;
    for (name, file) in built_in::FILES {
        let prompt = decode(name, file).unwrap();
        bytes += file.len();
        let heard = samples(&prompt);
        let loudest = heard.iter().fold(0.0_f64, |most, sample| most.max(sample.abs()));
        assert!((0.1..0.9).contains(&loudest), "{name}: {loudest}");
        assert!(built_in::file(name).is_some(), "the table is in order");
    }
    assert!(bytes < 1_500_000, "{bytes}");
    assert!(built_in::file("nothing").is_none());
}

#[test]
fn the_table_is_the_folder() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/media/audio");
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".wav").map(str::to_owned))
        .collect();
    files.sort();
    let table: Vec<&str> = built_in::FILES.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, table);
    let phrases = std::fs::read_to_string(folder.join("phrases.txt")).unwrap();
    for line in phrases.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split('|').next().unwrap().trim();
        assert!(table.contains(&name), "{name} was not made");
    }
}

#[test]
fn the_music_loops_without_a_click() {
    let music = decode("music", built_in::file("music").unwrap()).unwrap();
    assert_eq!(music.samples() % 160, 0);
    assert!((20 * 8000..=30 * 8000).contains(&music.samples()));
    let heard = samples(&music);
    let (first, last) = (heard[0], heard[heard.len() - 1]);
    assert!((first - last).abs() < 0.01, "{last} is followed by {first}");
}

#[test]
fn numbers_are_said_in_pieces() {
    let said = |number| -> String {
        let pieces = built_in::number(number);
        let pieces: Vec<&str> = pieces.iter().map(|piece| &piece.as_str()[7..]).collect();
        pieces.join(" ")
    };
    for (number, pieces) in [
        (0, "0"),
        (7, "7"),
        (20, "20"),
        (21, "20 1"),
        (30, "30"),
        (99, "90 9"),
        (100, "1 100"),
        (101, "1 100 1"),
        (120, "1 100 20"),
        (145, "1 100 40 5"),
        (5000, "1 100 90 9"),
    ] {
        assert_eq!(said(number), pieces);
    }
    let prompts = built_in::prompts();
    for number in 0..200 {
        assert!(built_in::number(number).iter().all(|piece| prompts.find(piece).is_some()));
    }
}
