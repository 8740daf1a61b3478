// The fault matrix: every way in which a recorder can fail, in every state of the recording.
// The call never notices, the state that is reported is true, nothing flows that must not, nothing is left.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { presets } from '#chaos-recorder'
import { defaultProfile } from '#recording-client'
import { ChaosScene, type Run, type Step } from './chaos-scene.ts'
import { storyOf } from './expectations.ts'
import { endings, type TimelineName, timelines } from './timelines.ts'

/** Presets that hang up or vanish by themselves, or answer BYE wrongly: their side of the dialog proves nothing. */
const WITHOUT_END = /^(?:bye|vanish)/

const unrecorded = new Map<readonly Step[], Promise<Run>>()

/** The same call without recording. */
function baseline(steps: readonly Step[]): Promise<Run> {
  const known = unrecorded.get(steps) ?? new ChaosScene().play(steps)
  unrecorded.set(steps, known)
  return known
}

/** Plays a timeline with a fault and checks what holds in every combination. */
async function play(fault: string, steps: readonly Step[], profile = defaultProfile): Promise<Run> {
  const plain = await baseline(steps)
  const scene = new ChaosScene([presets[fault]!])
  scene.profile = profile
  const run = await scene.play(steps)
  assert.equal(run.party, plain.party, 'the parties see the same messages at the same time')
  assert.equal(run.media, plain.media, 'the media of the call is commanded alike')
  assert.equal(run.leaked, 0, 'no packet leaves while nothing is reported to be recorded')
  assert.equal(run.forksLeft, 0, 'no fork is left when nothing is recorded')
  if (!WITHOUT_END.test(fault)) {
    assert.deepEqual(
      run.recorders.flatMap(({ sessions }) => sessions).filter((session) => session.state === 'up'),
      [],
      'every session that was accepted has got its BYE',
    )
  }
  return run
}

const mixing = { ...defaultProfile, media: { ...defaultProfile.media, mixFallback: true } }
/** These take one voice of two. */
const NARROW = new Set(['fewer-lines', 'refuses-first-stream'])

describe('fault matrix', () => {
  for (const [fault, { about }] of Object.entries(presets)) {
    for (const [timeline, steps] of Object.entries(timelines) as [TimelineName, readonly Step[]][]) {
      test(`fault matrix: ${timeline}, and the recorder ${about}`, async () => {
        const run = await play(fault, steps)
        assert.equal(run.story, storyOf(fault, timeline))
      })
      test(`fault matrix, SRC-39: ${timeline}, the mix may be offered instead, and the recorder ${about}`, async () => {
        const run = await play(fault, steps, mixing)
        if (NARROW.has(fault) && timeline === 'active') assert.ok(run.events.includes('recorder.mixed'))
      })
    }
    for (const [moment, steps] of Object.entries(endings)) {
      test(`fault matrix: the caller hangs up ${moment}, and the recorder ${about}`, async () => {
        const run = await play(fault, steps)
        assert.match(run.story, /^start (?:200|487|503|-) /)
        assert.match(run.story, / ended$/)
      })
    }
  }
})
