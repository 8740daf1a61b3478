// The fault matrix beyond one recorder: what a fault comes to where another recorder, a policy, a stand-in with the replay memory or the
// spool is there as well, and where the media engine fails instead. One timeline, with a mask over a pause, goes through every state.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ChaosScript, presets } from '#chaos-recorder'
import type { FakeCommand } from '../harness/fake-engine.ts'
import { ChaosScene, type Run, type Setting, type Step } from './chaos-scene.ts'

type OnCommand = NonNullable<Setting['onCommand']>
const commands = ['start', 'mask', 'pause', 'resume', 'stop'] as const
type Command = (typeof commands)[number]

/** The timeline; `death`: with that command the engine dies. */
function timeline(death?: Command): readonly Step[] {
  const steps = [
    ...(['answer', 200, 'start', 6000, 'hold', 500, 'unhold', 1000, 'mask', 500] as const),
    ...(['pause', 3000, 'resume', 8000, 'unmask', 500, 'stop', 3000] as const),
  ]
  return steps.flatMap((step): Step[] => (step === death ? [step, 'engine-dies'] : [step]))
}

const fine =
  'start 200 recording; mask 200 recording; pause 200 paused; resume 200 recording; unmask 200 recording; stop 200 none'

/** What is there for the recording beside the recorder that fails. */
const settings = {
  'another one in parallel, any of both will do': { separator: ',', policy: 'any' },
  'another one in parallel, which is mandatory': { separator: ',', policy: 'mandatory:sip:10.0.0.51 else end' },
  'a stand-in and the replay memory': { separator: '|', replayMs: 30_000 },
  'the spool and the replay memory': { hasSpool: true, replayMs: 30_000 },
} as const satisfies Readonly<Record<string, Setting>>
type SettingName = keyof typeof settings

/** These keep the session and never agree to a resumption: media stays cut, and nobody else is asked. */
const UNWILLING = new Set([
  'reinvite-491',
  'reinvite-500',
  'reinvite-silent',
  'vanish-at-reinvite',
  'vanish-with-200',
  'vanish-later',
])
/** These take, by their own word, less than all, or for less than the whole time. */
const TAKES_LESS = new Set([
  ...UNWILLING,
  'null-address',
  'fewer-lines',
  'refuses-first-stream',
  'inactive',
  'reinvite-slow',
  'reinvite-glare',
  'reinvite-inactive',
  'reinvite-drops-stream',
  'update-inactive',
])
/** These hang up or vanish by themselves: their side of the dialog proves nothing. */
const WITHOUT_END = /^(?:bye|vanish)/

const known = new Map<string, Promise<Run>>()
/** A run that many are compared with. */
function once(key: string, play: () => Promise<Run>): Promise<Run> {
  const run = known.get(key) ?? play()
  known.set(key, run)
  return run
}

/** Plays beside the same call without recording, and checks what holds whatever fails. */
async function play(scripts: readonly ChaosScript[], setting: Setting, steps = timeline()): Promise<Run> {
  const plain = await once(`without recording ${steps}`, () => new ChaosScene().play(steps))
  const run = await new ChaosScene(scripts, setting).play(steps)
  assert.equal(run.party, plain.party, 'the parties see the same messages at the same time')
  assert.equal(run.media, plain.media, 'the media of the call is commanded alike')
  assert.equal(run.leaked, 0, 'no packet of a pause goes to anybody, then or later')
  assert.equal(run.unmasked, 0, 'no packet goes unmasked to anybody while keys are masked')
  assert.equal(run.forksLeft, 0, 'no fork is left when nothing is recorded')
  return run
}

function assertEnded({ recorders }: Run): void {
  const up = recorders.flatMap(({ sessions }) => sessions).filter(({ state }) => state === 'up')
  assert.deepEqual(up, [], 'every session that was accepted has got its BYE')
}

const polite = presets['polite']!
/** The recorder that fails, and the one beside it where there is one. */
const recordersOf = (first: ChaosScript, setting: Setting): readonly ChaosScript[] =>
  setting.hasSpool === true ? [first] : [first, polite]

describe('fault matrix of several', () => {
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    for (const [fault, script] of Object.entries(presets)) {
      test(`fault matrix, SRC-61, SRC-63: with ${name}, a recorder ${script.about}`, async () => {
        const best = await once(name, () => play(recordersOf(polite, setting), setting))
        const run = await play(recordersOf(script, setting), setting)
        if (!WITHOUT_END.test(fault)) assertEnded(run)
        if (setting.separator === ',') {
          assert.equal(run.story, fine)
          assert.equal(run.sentTo[1], best.sentTo[1], 'the other one is sent every packet')
          return
        }
        assert.equal(run.story, UNWILLING.has(fault) ? unresumed : fine)
        if (!TAKES_LESS.has(fault)) assert.ok(run.sent >= best.sent, `${run.sent} of ${best.sent} packets were sent`)
      })
    }
  }
})

/** These take no recording. */
const REFUSES = ['silent', 'busy', 'unavailable', 'decline', 'redirect', 'refuses-all-streams', 'broken-sdp'] as const

describe('fault matrix of a mandatory recorder', () => {
  for (const fault of REFUSES) {
    const script = presets[fault]!
    test(`fault matrix, SRC-61: beside one that records, a recorder which is mandatory itself, and ${script.about}`, async () => {
      const setting = { separator: ',', policy: 'mandatory:sip:10.0.0.50 else continue' } as const
      const best = await once('parallel', () => play([polite, polite], { separator: ',' }))
      const run = await play([script, polite], setting)
      assert.equal(run.story, fine)
      assert.equal(run.sentTo[1], best.sentTo[1], 'the other one is sent every packet')
      assert.ok(run.events.includes('recording.policy-unmet'), 'it is told')
      assert.ok(!best.events.includes('recording.policy-unmet'))
    })
  }
})

/** A pause before any of these has answered. */
const early: readonly Step[] = ['answer', 200, 'start', 1, 'pause', 13_000, 'resume', 8000, 'stop', 1000]
const ANSWERS_LATE = ['polite', 'slow', 'late', 'late-after-cancel', 'twice', 'inactive', 'trying', 'bye-later']

describe('fault matrix of several, paused before they answer', () => {
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    for (const fault of ANSWERS_LATE) {
      const script = presets[fault]!
      test(`fault matrix, field 6: with ${name}, paused while it is asked, a recorder ${script.about}`, async () => {
        const run = await play(recordersOf(script, setting), setting, early)
        assert.match(run.story, /^start (?:200|503) starting; pause 200 paused; resume 200 recording; stop 200 none$/)
        assert.ok(run.sent > 0)
      })
    }
  }
})

const unresumed =
  'start 200 recording; mask 200 recording; pause 200 paused; resume 503 paused; unmask 200 paused; stop 200 none'
const nothing = 'pause 400 none; resume 400 none; unmask 400 none; stop 400 none'
const uncut = 'start 200 recording; mask 200 recording; pause 503 none; resume 400 none; unmask 400 none; stop 400 none'
const uncutSpooled = fine.replace('pause 200', 'pause 503')

function rejecting(name: FakeCommand['name'], times = Number.POSITIVE_INFINITY): () => OnCommand {
  return () => {
    let left = times
    return (command) => (command.name === name && left-- > 0 ? Promise.reject(new Error('no')) : undefined)
  }
}

const silent =
  (name: FakeCommand['name']): (() => OnCommand) =>
  () =>
  (command) =>
    command.name === name ? new Promise(() => {}) : undefined

/** How the engine fails a recording whose recorders are polite, and its story without and with the spool. */
const failures: ReadonlyArray<readonly [what: string, make: () => OnCommand, story: string, spooled?: string]> = [
  ['refuses the first fork', rejecting('addFork', 1), fine],
  ['refuses every fork', rejecting('addFork'), `start 503 none; mask 400 none; ${nothing}`],
  ['cannot aim the first fork', rejecting('connectFork', 1), fine],
  ['proves no cut', rejecting('shutGates'), uncut, uncutSpooled],
  ['never answers a cut', silent('shutGates'), uncut, uncutSpooled],
  ['refuses a mask and its end', rejecting('maskDtmf'), fine.replaceAll('mask 200', 'mask 503')],
  ['never answers a mask', silent('maskDtmf'), fine.replace('; mask 200', '; mask 503')],
  ['moves no fork', rejecting('moveFork'), fine],
  ['lets no fork go', rejecting('removeFork'), fine],
  ['remembers nothing', rejecting('remember'), fine],
  ['forgets nothing', rejecting('forget'), fine],
]

describe('fault matrix of the media engine', () => {
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    // There the policy says that the call ends for want of a recorder.
    if (name === 'another one in parallel, which is mandatory') continue
    const recorders = recordersOf(polite, setting)
    for (const [what, make, story, spooled = story] of failures) {
      test(`fault matrix, field 26: with ${name}, a media engine that ${what}`, async () => {
        const run = await play(recorders, { ...setting, onCommand: make() })
        assertEnded(run)
        assert.equal(run.story, setting.hasSpool === true ? spooled : story)
      })
    }
    for (const death of commands) {
      test(`fault matrix, field 26: with ${name}, a media engine that dies with the ${death}`, async () => {
        const run = await play(recorders, setting, timeline(death))
        assertEnded(run)
        assert.match(run.story, / ended$/)
      })
    }
  }
})
