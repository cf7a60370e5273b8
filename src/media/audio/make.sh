#!/usr/bin/env bash
# Makes the built-in prompts, music and beep: 8 kHz mono µ-law WAV files, beside this script.
#
#   apt-get install espeak-ng sox     (Debian packages; made with espeak-ng 1.51, sox 14.4)
#   src/media/audio/make.sh [FOLDER]  (another folder, to compare with what is committed)
#
# The same versions make the same bytes: the synthesisers are deterministic (-R), nothing is
# dithered (-D), and no time is written into the files.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# What a telephone carries: 8 kHz, one channel, µ-law, at one loudness.
for_the_phone() { # from, to, effects…
  local from=$1 to=$2
  shift 2
  sox -R -D "$from" --comment '' -r 8000 -c 1 -e mu-law -t wav "$to" "$@"
}

# Speech: the silence around it is cut off, then a little is put back.
while IFS='|' read -r name text; do
  name=${name// /}
  case $name in '' | '#'*) continue ;; esac
  espeak-ng -v en-us+f3 -s 145 -p 45 -w "$work/speech.wav" -- "$text"
  for_the_phone "$work/speech.wav" "$out/$name.wav" highpass 200 \
    silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse pad 0.05 0.10 norm -6 rate 8000
done <"$here/phrases.txt"

# A beep that announces a call to an agent: 200 ms, soft edges.
sox -R -D -n -r 8000 -c 1 "$work/beep.wav" synth 0.2 sine 880 fade t 0.02 0.2 0.02 norm -10
for_the_phone "$work/beep.wav" "$out/beep.wav"

# Music: eight bars of 3 s. Every bar begins and ends in silence, so the loop has no seam.
bar() { # file, bass, three notes of the chord
  sox -R -D -n -r 16000 -c 1 "$work/pad.wav" \
    synth 3 sine "$2" synth 3 sine mix "$3" synth 3 sine mix "$4" synth 3 sine mix "$5" \
    fade t 0.6 3 0.7 gain -14
  local nth=0 parts=()
  for note in "$3" "$4" "$5" "$4" "$5" "$4"; do
    sox -R -D -n -r 16000 -c 1 "$work/note$nth.wav" synth 0.5 triangle "$note" \
      fade l 0.01 0.5 0.45 gain -12
    parts+=("$work/note$nth.wav")
    nth=$((nth + 1))
  done
  sox -R -D "${parts[@]}" "$work/melody.wav"
  sox -R -D -m -v 1 "$work/pad.wav" -v 1 "$work/melody.wav" "$1" trim 0 3
}
bar "$work/bar1.wav" C3 C4 E4 G4
bar "$work/bar2.wav" A2 A3 C4 E4
bar "$work/bar3.wav" F2 A3 C4 F4
bar "$work/bar4.wav" G2 B3 D4 G4
bar "$work/bar5.wav" C3 E4 G4 C5
bar "$work/bar6.wav" A2 C4 E4 A4
bar "$work/bar7.wav" D3 D4 F4 A4
bar "$work/bar8.wav" G2 D4 G4 B4
sox -R -D "$work"/bar[1-8].wav "$work/music.wav"
for_the_phone "$work/music.wav" "$out/music.wav" lowpass 3000 norm -12 rate 8000 trim 0 192000s
