import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hearer } from '#control'
import type { HeardLeg, Hearing, MediaEvent } from '#engine'
import { Listeners, ManualClock } from '#kernel'
import { CallEars } from './call-ears.ts'

/** One call with a caller and a callee. */
class Bench {
  readonly clock = new ManualClock()
  readonly events = new Listeners<MediaEvent>()
  readonly hearings: Hearing[] = []
  readonly texts: string[] = []
  readonly heard: number[] = []
  isPaused = false
  end: () => void = () => {}
  readonly ears = new CallEars({
    clock: this.clock,
    isPaused: () => this.isPaused,
    call: (callId) =>
      callId !== 'c1'
        ? undefined
        : {
            callId,
            parties: () => [
              { leg: 'caller', role: 'caller', aors: ['sip:a@x'] },
              { leg: 'callee', role: 'callee', aors: ['sip:b@x'] },
            ],
            onEnded: (listener) => {
              this.end = listener
            },
            media: {
              hear: async (hearing) => void this.hearings.push(hearing),
              onEvent: (listener) => this.events.add(listener),
            },
          },
  })
  readonly hearer: Hearer = {
    onStreams: (streams) => this.texts.push(`streams ${streams.map(({ label }) => label)}`),
    onPause: (isPaused) => this.texts.push(isPaused ? 'paused' : 'resumed'),
    onEnd: () => this.texts.push('ended'),
    onSound: (frames) => this.heard.push(...frames.map(({ samples }) => samples[0]!)),
  }

  say(...legs: HeardLeg[]): void {
    this.events.emit({ type: 'heard', legs })
  }
}

const level = { rmsDbfs: -20.04, peakDbfs: -17 }

test('a call is measured from the first question on, and no more when nobody has asked for 5 s', () => {
  const bench = new Bench()
  assert.deepEqual(bench.ears.levels('c1'), [
    { leg: 'caller', role: 'caller' },
    { leg: 'callee', role: 'callee' },
  ])
  bench.say({ leg: 'caller', level })
  bench.clock.advance(4000)
  assert.deepEqual(bench.ears.levels('c1')?.[0]?.level, { rmsDbfs: -20, peakDbfs: -17 })
  bench.clock.advance(4900)
  assert.deepEqual(bench.hearings, ['levels'])
  bench.clock.advance(200)
  assert.deepEqual(bench.hearings, ['levels', 'nothing'])
  assert.equal(bench.ears.levels('unknown'), undefined)
})

test('a pause silences every listener, and what was said in it is never heard', () => {
  const bench = new Bench()
  const stop = bench.ears.listen('c1', bench.hearer)
  bench.say({ leg: 'caller', samples: Int16Array.of(1) })
  bench.isPaused = true
  bench.say({ leg: 'caller', samples: Int16Array.of(2) })
  bench.isPaused = false
  bench.say({ leg: 'caller', samples: Int16Array.of(3) })
  bench.say({ leg: 'caller', samples: Int16Array.of(4) })
  assert.deepEqual(bench.heard, [1, 4], 'the first frame after a pause began in it')
  assert.deepEqual(bench.texts, ['streams caller,callee', 'paused', 'resumed'])
  stop?.()
  assert.deepEqual(bench.hearings, ['sound', 'nothing'])
})

test('listening goes back to levels while these are wanted, and ends with the call', () => {
  const bench = new Bench()
  bench.ears.levels('c1')
  const stop = bench.ears.listen('c1', bench.hearer)
  const other = bench.ears.listen('c1', { ...bench.hearer, onStreams: () => {} })
  stop?.()
  assert.deepEqual(bench.hearings, ['levels', 'sound'], 'somebody still listens')
  other?.()
  assert.deepEqual(bench.hearings, ['levels', 'sound', 'levels'])
  bench.ears.listen('c1', bench.hearer)
  bench.end()
  assert.equal(bench.texts.at(-1), 'ended')
})
