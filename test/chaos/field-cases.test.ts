// What breaks in the field (peers-recording-clients, section 2), each with the recorder that breaks it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChaosScript, presets } from '#chaos-recorder'
import { seededIds } from '#kernel'
import { ChaosScene, type Run, type Step } from './chaos-scene.ts'

const preset = (name: string): ChaosScript => presets[name]!
const recording: readonly Step[] = ['answer', 200, 'start', 6000]

/** Plays with and without recording; the parties must not see a difference. */
async function played(steps: readonly Step[], ...scripts: readonly ChaosScript[]): Promise<Run> {
  const [plain, run] = [await new ChaosScene().play(steps), await new ChaosScene(scripts).play(steps)]
  assert.equal(run.party, plain.party)
  assert.equal(run.media, plain.media)
  assert.equal(run.leaked, 0)
  return run
}

test('field 1: a recorder that never answers holds nothing up, and the start fails after its deadline', async () => {
  const run = await played(['start', 200, 'answer', 3000, 'hold', 500, 'unhold', 4000], preset('silent'))
  assert.equal(run.story, 'start 503 none')
  assert.ok(run.events.includes('recording.failed'))
})

test('field 2: one failed recorder of two leaves pause, resume and stop to work with the other', async () => {
  const steps: Step[] = [...recording, 'pause', 2000, 'resume', 2000, 'stop', 2000]
  const story = 'start 200 recording; pause 200 paused; resume 200 recording; stop 200 none'
  for (const fault of ['busy', 'silent', 'broken-sdp', 'bye-later', 'reinvite-481', 'vanish-later', 'late']) {
    const run = await played(steps, preset(fault), preset('polite'))
    assert.equal(run.story, story, fault)
    assert.ok(run.sent > 0, fault)
  }
})

const finals = [
  300, 302, 380, 400, 401, 403, 404, 405, 406, 408, 413, 415, 420, 422, 480, 481, 482, 484, 486, 487, 488, 489, 491,
]
const laterFinals = [493, 494, 500, 501, 502, 503, 504, 505, 513, 580, 600, 603, 604, 606]

for (const status of [...finals, ...laterFinals]) {
  test(`field 8: a re-INVITE refused with ${status}, then BYE, ends nothing but the recording`, async () => {
    const refuse = { do: [{ refuse: { status } }] }
    const script: ChaosScript = {
      about: 'refuses',
      rules: [
        { on: 'reinvite', ...refuse },
        { on: 'update', ...refuse },
        { on: 'after-ms', ms: 9000, do: [{ send: { method: 'bye' } }] },
      ],
    }
    const run = await played([...recording, 'hold', 500, 'unhold', 500, 'pause', 8000], script)
    assert.equal(run.story, 'start 200 recording; pause 200 paused')
    assert.ok(run.events.includes('recorder.lost'))
  })
}

test('field 9: the call ends in every millisecond of an invitation, whatever the recorder does', async () => {
  for (const fault of ['polite', 'ringing', 'slow', 'silent', 'late-after-cancel', 'busy', 'twice', 'fewer-lines']) {
    for (let ms = 0; ms <= 8; ms++) {
      const run = await played(['answer', 200, 'start', ms, 'hangup'], preset(fault))
      assert.match(run.story, / ended$/)
      const left = run.recorders.flatMap(({ sessions }) => sessions).filter(({ state }) => state === 'up')
      assert.deepEqual(left, [], `${fault} after ${ms} ms`)
    }
  }
})

test('field 10: calls that end at random leave no dialog, no port, no timer', async () => {
  const random = seededIds(2026)
  const names = Object.keys(presets)
  const commands = ['pause', 'resume', 'stop', 'hold', 'unhold', 'start'] as const
  for (let round = 0; round < 150; round++) {
    const fault = names[random.integer(names.length)]!
    const steps: Step[] = ['answer', random.integer(300), 'start', random.integer(3000)]
    for (let count = random.integer(5); count > 0; count--) {
      steps.push(commands[random.integer(commands.length)]!, random.integer(2000))
    }
    const run = await new ChaosScene([preset(fault)]).play([...steps, 'hangup'])
    assert.equal(run.leaked, 0, `${fault}: ${steps.join(' ')}`)
  }
})

/** States of a call in which a recording may be started, and what the start is answered. */
const states: ReadonlyArray<readonly [state: string, steps: readonly Step[], story: RegExp]> = [
  ['rings', ['start', 500, 'answer', 3000], /^start 200 recording$/],
  ['is answered in the same moment', ['start', 'answer', 3000], /^start 200 recording$/],
  ['was answered just now', ['answer', 'start', 3000], /^start 200 recording$/],
  ['is up', ['answer', 500, 'start', 3000], /^start 200 recording$/],
  ['is being put on hold', ['answer', 500, 'hold', 'start', 3000], /^start 200 recording$/],
  ['is on hold', ['answer', 500, 'hold', 500, 'start', 3000], /^start 200 recording$/],
  ['is being resumed', ['answer', 500, 'hold', 500, 'unhold', 'start', 3000], /^start 200 recording$/],
  ['was recorded before', ['answer', 500, 'start', 1000, 'stop', 1000, 'start', 2000], /start 200 recording$/],
  ['is recorded already', ['answer', 500, 'start', 1000, 'start', 2000], /^start 200 recording; start 400 recording$/],
]

for (const [state, steps, story] of states) {
  test(`field 11: one start is enough for a call that ${state}`, async () => {
    assert.match((await played(steps, preset('polite'))).story, story)
  })
}

test('field 14: a 200 that comes after our CANCEL is acknowledged and its dialog ended', async () => {
  const run = await played(['answer', 200, 'start', 16_000], preset('late-after-cancel'))
  assert.deepEqual(run.recorders[0]?.sessions[0]?.requests, ['INVITE', 'CANCEL', 'ACK', 'BYE'])
  assert.equal(run.sent, 0)
})

test('field 14: the second 200 of a forked INVITE is acknowledged and its dialog ended, the first goes on', async () => {
  const run = await played([...recording, 'pause', 1000, 'resume', 1000], preset('twice'))
  assert.equal(run.story, 'start 200 recording; pause 200 paused; resume 200 recording')
  const requests = run.recorders[0]?.sessions[0]?.requests ?? []
  assert.equal(requests.filter((method) => method === 'BYE').length, 2)
})
