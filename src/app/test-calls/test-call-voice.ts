// What the phones of a test call say: sounds with the rhythm of speech, in turns, so that each side is known by eye and ear.

const RATE = 8_000
const TURN_MS = 2_500
const SYLLABLE_MS = 180
const PEAK = 9_000
/** Steps of the melody, as factors of the pitch. */
const melody = [1, 1.12, 0.94, 1.25, 1.06, 0.89, 1.18]

/** A loop of two turns at 8 kHz; one side speaks in the `first`, the other in the second. */
export function testVoice(pitchHz: number, turn: 'first' | 'second'): Int16Array {
  const samples = new Int16Array((2 * TURN_MS * RATE) / 1_000)
  const from = turn === 'first' ? 0 : (TURN_MS * RATE) / 1_000
  const syllable = (SYLLABLE_MS * RATE) / 1_000
  let phase = 0
  for (let at = 0; at < (TURN_MS * RATE) / 1_000; at += 1) {
    const number = Math.floor(at / syllable)
    phase += (2 * Math.PI * pitchHz * (melody[number % melody.length] ?? 1)) / RATE
    const swell = Math.sin((Math.PI * (at % syllable)) / syllable)
    const isBreath = number % 6 === 5
    const sound = Math.sin(phase) + 0.4 * Math.sin(2 * phase) + 0.2 * Math.sin(3 * phase)
    samples[from + at] = isBreath ? 0 : Math.round((PEAK * swell * sound) / 1.6)
  }
  return samples
}
