// Recording beside real calls: it delays nothing, counts against nothing, and leaves the call alone (SRC-13, the page's FAQ).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDestinationPolicy } from '#call'
import { seededIds } from '#kernel'
import { defaultPolicy, defaultProfile, defaultTimes, RecordingClient } from '#recording-client'
import { CallBench } from '../harness/call-bench.ts'
import type { PhoneCall } from '../harness/test-phone.ts'
import { phoneSdp } from '../harness/test-phone.ts'
import { TestRecorder } from '../harness/test-recorder.ts'

/** A gateway that records every call to these recorders as soon as it begins. */
class RecordedCalls {
  readonly bench = new CallBench({ activeCalls: 1, flow: (call) => void call.answer() })
  readonly client: RecordingClient

  constructor() {
    const { bench } = this
    this.client = new RecordingClient({
      core: bench.core,
      clock: bench.clock,
      ids: seededIds(3),
      log: bench.log,
      from: '<sip:src@gw.example>',
      times: defaultTimes,
      destinations: createDestinationPolicy(['10.0.0.0/24']),
      recorders: {
        profileOf: () => defaultProfile,
        candidates: (entry) => entry,
        report: () => {},
        onSilence: () => () => {},
      },
      policy: defaultPolicy,
      replayMs: 0,
      preStartMs: 0,
      transcodes: ['PCMU/8000', 'PCMA/8000', 'G722/8000', 'OPUS/48000/2'],
      announce: () => {},
    })
  }

  recorder(host: number): TestRecorder {
    return new TestRecorder(this.bench.network, this.bench.clock, `10.0.0.${host}`)
  }

  start(servers: string): void {
    const [call] = this.bench.service.calls()
    assert.ok(call)
    void this.client.start(call, { servers, recordingId: '', origin: 'flow', noticePlayed: true })
  }

  async checkNothingLeft(): Promise<void> {
    await this.bench.checkNothingLeft()
    assert.deepEqual(this.client.census(), { calls: 0, sessions: 0 })
  }
}

/** Milliseconds until a call from alice to bob is answered, bob answering after 100. */
async function answerTime(scene: RecordedCalls, servers: string | undefined): Promise<number> {
  const { bench } = scene
  const startedAtMs = bench.clock.nowMs()
  const call = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass(20)
  if (servers !== undefined) scene.start(servers)
  await bench.pass(80)
  bench.bob.incoming.at(-1)?.accept()
  let answeredAtMs = 0
  for (let ms = 0; ms < 200 && answeredAtMs === 0; ms++) {
    await bench.pass(1)
    if (call.accepted !== undefined) answeredAtMs = bench.clock.nowMs()
  }
  void call.dialog?.bye()
  await bench.pass(40_000)
  return answeredAtMs - startedAtMs
}

test('SRC-13, peer defect 10: a recorder that never answers does not delay the answer of the call', async () => {
  const scene = new RecordedCalls()
  const recorder = scene.recorder(11)
  recorder.onInvite = 'leave'
  const plain = await answerTime(scene, undefined)
  const recorded = await answerTime(scene, recorder.uri)
  assert.ok(plain > 100)
  assert.equal(recorded, plain)
  assert.equal(recorder.sessions.length, 1)
  await scene.checkNothingLeft()
})

test('recording sessions are no active sessions: limit 1 takes a call with two recorders and refuses a second call', async () => {
  const scene = new RecordedCalls()
  const { bench } = scene
  const [one, two] = [scene.recorder(11), scene.recorder(12)]
  const first = bench.alice.call(bench.uri('flow-1'), { body: phoneSdp() })
  await bench.pass()
  scene.start(`${one.uri},${two.uri}`)
  await bench.pass()
  assert.deepEqual([one.sessions.length, two.sessions.length], [1, 1])
  assert.equal(bench.service.census().active, 1)
  const second: PhoneCall = bench.alice.call(bench.uri('flow-2'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(second.failed?.status, 503)
  void first.dialog?.bye()
  await bench.pass(5_000)
  assert.deepEqual([one.session().end?.cause, two.session().end?.cause], ['remote-bye', 'remote-bye'])
  await scene.checkNothingLeft()
})

test('a recorder that is lost leaves the call as it was', async () => {
  const scene = new RecordedCalls()
  const { bench } = scene
  const recorder = scene.recorder(11)
  const call = bench.alice.call(bench.uri('flow-1'), { body: phoneSdp() })
  await bench.pass()
  scene.start(recorder.uri)
  await bench.pass()
  void recorder.session().dialog?.bye()
  await bench.pass(1_000)
  assert.equal(call.end, undefined)
  assert.deepEqual(call.requests, [])
  void call.dialog?.bye()
  await scene.checkNothingLeft()
})
