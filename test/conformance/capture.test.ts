// Evidence: every recording session that failed leaves a capture that names nobody and can be played again.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededIds } from '#kernel'
import { type CaptureBundle, CaptureCollector } from '#recording-client'
import { FakeSpool } from '../harness/fake-spool.ts'
import { fixturePath } from '../harness/fixtures.ts'
import { profiled } from '../harness/profiles.ts'
import { GATEWAY, type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { replayCapture, statesOf } from '../harness/replay-capture.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

/** Runs a bench with a collector, and gives what was captured. */
async function captured(
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): Promise<CaptureBundle[]> {
  const bundles: CaptureBundle[] = []
  await withBench(async (bench) => {
    const collector = new CaptureCollector({
      clock: bench.clock,
      ids: seededIds(5),
      product: 'siprec-gateway/test',
      core: GATEWAY,
      events: bench.client.events,
      recordingsOf: (callId) => bench.client.recordingsOf(callId),
      onCapture: (bundle) => bundles.push(bundle),
    })
    await run(bench)
    await bench.checkNothingLeft()
    assert.deepEqual(collector.census(), { sessions: 0, settling: 0 }, 'the collector forgets what is over')
    collector.close()
  }, over)
  return bundles
}

function messagesOf(bundle: CaptureBundle): string[] {
  return bundle.entries.flatMap((entry) =>
    entry.type === 'sip' ? [`${entry.direction} ${entry.text.split('\r\n')[0]}`] : [],
  )
}

async function refused(bench: RecordingBench): Promise<void> {
  const recorder = bench.recorder()
  recorder.onInvite = 486
  bench.start(recorder.uri)
  await bench.pass(6_000)
}

test('a refused recording leaves a capture with both sides of the SIP, the states and the cause', async () => {
  const [bundle] = await captured(refused)
  assert.ok(bundle)
  assert.deepEqual(bundle.failure, { type: 'recorder.failed', status: 486, reason: 'Busy Here' })
  const messages = messagesOf(bundle)
  assert.match(messages[0] ?? '', /^sent INVITE sip:/)
  assert.ok(messages.some((line) => line.startsWith('received SIP/2.0 486')))
  assert.ok(messages.some((line) => line.startsWith('sent ACK ')))
  assert.deepEqual(statesOf(bundle), ['preparing>inviting', 'inviting>failed'])
})

test('a capture names nobody, and holds no key and no credentials', async () => {
  const [bundle] = await captured(async (bench) => {
    const recorder = bench.recorder()
    recorder.onInvite = 500
    bench.start(recorder.uri, {
      headers: [
        ['X-Customer', 'Erika Mustermann'],
        ['User-to-User', '3132333435'],
      ],
    })
    await bench.pass(6_000)
  })
  const text = JSON.stringify(bundle)
  for (const secret of ['lice', 'Mustermann', '3132333435', 'rec-1']) {
    assert.ok(!text.includes(secret), `"${secret}" is left out`)
  }
  assert.match(text, /aor=\\"sip:user\d+@carrier\.example/, 'stand-ins keep the host')
})

test('a recording that went well leaves no capture', async () => {
  const bundles = await captured(async (bench) => {
    await bench.recording()
    bench.stop()
    await bench.pass(6_000)
  })
  assert.deepEqual(bundles, [])
})

for (const [name, run] of Object.entries({
  'a refused start': refused,
  'a refused pause': async (bench: RecordingBench) => {
    const recorder = await bench.recording()
    recorder.reofferRules.push(488)
    bench.pause()
    await bench.pass(1_000)
  },
  'a recorder that hangs up': async (bench: RecordingBench) => {
    const recorder = await bench.recording()
    void recorder.session().dialog?.bye()
    await bench.pass(1_000)
  },
})) {
  test(`the capture of ${name} can be replayed: the client goes through the same states`, async () => {
    const [bundle] = await captured(async (bench) => {
      await run(bench)
      await bench.pass(6_000)
    })
    assert.ok(bundle)
    const replay = await replayCapture(bundle)
    const states = statesOf(bundle)
    assert.deepEqual(replay.states.slice(0, states.length), states)
  })
}

/** A recorder that does not resume at the deadline of a pause. */
async function refusedAtDeadline(bench: RecordingBench): Promise<TestRecorder> {
  const recorder = await bench.recording()
  bench.pause('info', { maxSeconds: 10, next: 'resume' })
  await bench.pass(9_000)
  recorder.reofferRules.push(488, 488, 488)
  await bench.pass(1_500)
  assert.ok(bench.eventTypes.includes('recording.resume-failed'))
  return recorder
}

function fullSpool(): FakeSpool {
  const spool = new FakeSpool()
  spool.refusal = 'the spool is full'
  return spool
}

for (const [name, failure, run, over] of [
  [
    'a cut of one stream that is not proved',
    'recorder.streams-missing',
    async (bench) => {
      await bench.recording()
      bench.doubtCuts('1')
      bench.pause()
      await bench.pass(4_000)
    },
    undefined,
  ],
  [
    'a cut of which nothing is proved',
    'recorder.lost',
    async (bench) => {
      await bench.recording()
      bench.doubtCuts('1', '2')
      const pause = bench.pause()
      await bench.pass(4_000)
      assert.equal(pause.status, 503)
    },
    undefined,
  ],
  [
    'a resumption that fails at the deadline of a pause',
    'recording.resume-failed',
    async (bench) => {
      await refusedAtDeadline(bench)
      await bench.pass(10_000)
    },
    undefined,
  ],
  [
    'a spool that refuses',
    'spool.refused',
    async (bench) => {
      await refused(bench)
    },
    { spool: fullSpool() },
  ],
] as const satisfies readonly (readonly [string, string, (bench: RecordingBench) => Promise<void>, unknown])[]) {
  test(`${name} leaves a capture, and its replay goes through the same states and fails in the same way`, async () => {
    const bundles = await captured(async (bench) => {
      await run(bench)
      await bench.pass(6_000)
    }, over)
    const bundle = bundles.find((one) => one.failure.type === failure)
    assert.ok(bundle, `${bundles.map((one) => one.failure.type)}`)
    assert.ok(messagesOf(bundle).some((line) => line.startsWith('sent INVITE ')))
    assert.ok(bundle.entries.some((entry) => entry.type === 'event' && entry.happening.type === failure))
    const replay = await replayCapture(bundle)
    const states = statesOf(bundle)
    assert.ok(states.length > 0)
    assert.deepEqual(replay.states.slice(0, states.length), states)
    const again = replay.bench.events.find(({ type }) => type === failure)
    assert.ok(again)
    const { callId: _callId, recording: _recording, recorder: _recorder, ...happening } = again
    assert.deepEqual(happening, bundle.failure)
  })
}

test('a resumption that fails again and again leaves one capture, and another one in the next pause', async () => {
  const bundles = await captured(async (bench) => {
    const recorder = await refusedAtDeadline(bench)
    recorder.reofferRules.push(488, 488)
    await bench.pass(300_000)
    assert.equal(bench.state, 'recording')
    bench.pause('info', { maxSeconds: 10, next: 'resume' })
    await bench.pass(9_000)
    recorder.reofferRules.push(488)
    await bench.pass(30_000)
  })
  assert.equal(bundles.filter(({ failure }) => failure.type === 'recording.resume-failed').length, 2)
})

test('a refused spool names the recorder that would not have it before, and both leave their captures', async () => {
  const bundles = await captured(refused, { spool: fullSpool() })
  assert.deepEqual(bundles.map(({ failure }) => failure.type).sort(), ['recorder.failed', 'spool.refused'])
  const [one, other] = bundles.map(({ recorder }) => recorder)
  assert.equal(one, other)
})

test('a session that is over soon after a failure is forgotten, too', async () => {
  const bundles = await captured(async (bench) => {
    const recorder = await bench.recording()
    recorder.reofferRules.push(488)
    bench.pause()
    await bench.pass(1_000)
    bench.stop()
    await bench.pass(6_000)
  })
  assert.deepEqual(
    bundles.map(({ failure }) => failure.type),
    ['recorder.signal-failed'],
  )
})

test('SRC-71: the end of one call takes nothing from the capture of another in the same session', async () => {
  const bundles = await captured(
    async (bench) => {
      const recorder = await bench.recording()
      const other = bench.anotherCall()
      void bench.client.start(other, { servers: recorder.uri, recordingId: '', origin: 'info', noticePlayed: true })
      await bench.pass(1_000)
      assert.equal(recorder.sessions.length, 1, 'they share it')
      bench.call.end()
      await bench.pass(1_000)
      recorder.onInvite = 503
      recorder.bye()
      await bench.pass(40_000)
      other.end()
      await bench.pass(6_000)
    },
    profiled({ callsPerSession: 2 }),
  )
  const lost = bundles.find(({ failure }) => failure.type === 'recorder.lost')
  assert.ok(lost)
  const messages = messagesOf(lost)
  assert.match(messages[0] ?? '', /^sent INVITE /)
  assert.ok(messages.some((line) => line.startsWith('received BYE ')))
})

const folder = fixturePath('captures')
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  test(`the kept capture ${file} can be replayed`, async () => {
    const bundle = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CaptureBundle
    const replay = await replayCapture(bundle)
    const states = statesOf(bundle)
    assert.deepEqual(replay.states.slice(0, states.length), states)
  })
}
