import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correlate } from './correlate.ts'
import { INTERPOLATION_REACH, Interpolator } from './interpolator.ts'
import { goertzelPower, tone } from './tone.ts'

test('a tone at three times the rate is the tone made at that rate', () => {
  const source = tone(700, 500, 8000)
  const raised = new Int16Array(source.length * 3)
  new Interpolator(3).run(source, 0, 0, raised)
  const { coefficient, lagSamples } = correlate(tone(700, 500, 24_000), raised, 30)
  assert.ok(coefficient > 0.999, `${coefficient}`)
  assert.equal(lagSamples, 0)
  assert.ok(goertzelPower(raised.subarray(2000, 10_000), 24_000, 700) > 0.99, 'no images of the tone')
})

test('steps with their neighbours at hand join without a seam', () => {
  const source = tone(1000, 200, 8000)
  const interpolator = new Interpolator(2)
  const whole = new Int16Array(source.length * 2)
  interpolator.run(source, 0, 0, whole)
  const joined = new Int16Array(whole.length)
  for (let from = 0; from < whole.length; from += 250) {
    const first = from >> 1
    const lead = Math.min(INTERPOLATION_REACH, first)
    const part = source.subarray(first - lead, first + 125 + 2 * INTERPOLATION_REACH)
    interpolator.run(part, lead, from - 2 * first, joined.subarray(from, from + 250))
  }
  assert.deepEqual(joined, whole)
})
