// Keys as a phone puts them into its audio, and whether any is heard.

import { KeyToneDetector, tone } from '#audio'

const SECOND = 8_000

/** A tone with the key 5 for 100 ms in each second, after its first half. */
export function toneWithKeys(frequencyHz: number, seconds: number): Int16Array {
  const samples = tone(frequencyHz, seconds * 1000)
  const [low, high] = [770, 1336].map((hz) => tone(hz, 100, 8000, 6000))
  for (let at = SECOND / 2; at < samples.length; at += SECOND) {
    for (let i = 0; i < low!.length; i++) samples[at + i] = low![i]! + high![i]!
  }
  return samples
}

/** Whether a key sounds in it. */
export function hasKeys(samples: Int16Array): boolean {
  return [0, 20, 40, 60].some((skip) => new KeyToneDetector().feed(samples.subarray(skip)))
}
