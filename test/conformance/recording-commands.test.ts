// The command table of recording (start, stop, pause, resume by reported state): one test per cell.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeCommand } from '../harness/fake-engine.ts'
import { type Command, type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

type State = 'none' | 'starting' | 'recording' | 'pausing' | 'paused' | 'resuming' | 'stopping'
type Activity = 'start' | 'stop' | 'pause' | 'resume'

/** A bench whose call is in the state; `release` ends what holds it there. */
interface Scene {
  readonly bench: RecordingBench
  readonly recorder: TestRecorder
  /** The command that led here, when it is still pending. */
  readonly earlier?: Command
  release(): Promise<void>
}

const DUPLICATE = 'discarding duplicate startCallRecording request for a call'
const NOT_RECORDING = 'discarding stopCallRecording request because we are not recording'
const NO_PAUSE = 'discarding invalid pauseCallRecording request'
const NO_RESUME = 'discarding invalid resumeCallRecording request'

/** Makes the engine's proof of a cut wait for `release`. */
function holdProofs(bench: RecordingBench): () => Promise<void> {
  const held: (() => void)[] = []
  bench.engine.onCommand = (command: FakeCommand) =>
    command.name === 'shutGates' ? new Promise((resolve) => held.push(resolve)) : undefined
  return async () => {
    bench.engine.onCommand = undefined
    for (const release of held) release()
    await bench.pass()
  }
}

const scenes: Record<State, (bench: RecordingBench) => Promise<Scene>> = {
  none: async (bench) => ({ bench, recorder: bench.recorder(), release: () => bench.pass() }),
  starting: async (bench) => {
    const recorder = bench.recorder()
    recorder.onInvite = 'leave'
    const earlier = bench.start(recorder.uri)
    await bench.pass()
    const release = async (): Promise<void> => {
      recorder.accept()
      await bench.pass()
    }
    return { bench, recorder, earlier, release }
  },
  recording: async (bench) => ({ bench, recorder: await bench.recording(), release: () => bench.pass() }),
  pausing: async (bench) => {
    const recorder = await bench.recording()
    const release = holdProofs(bench)
    return { bench, recorder, earlier: bench.pause(), release }
  },
  paused: async (bench) => ({ bench, recorder: await bench.paused(), release: () => bench.pass() }),
  resuming: async (bench) => {
    const recorder = await bench.paused()
    recorder.reofferRules.push('leave')
    const earlier = bench.resume()
    await bench.pass()
    const release = async (): Promise<void> => {
      const incoming = recorder.session().requests.at(-1)
      incoming?.respond(200, { body: recorder.answerBody(recorder.session().reoffers.at(-1)?.sdp ?? '') })
      await bench.pass()
    }
    return { bench, recorder, earlier, release }
  },
  stopping: async (bench) => {
    const recorder = await bench.recording()
    const release = holdProofs(bench)
    return { bench, recorder, earlier: bench.stop(), release }
  },
}

function give(scene: Scene, activity: Activity): Command {
  const { bench, recorder } = scene
  return activity === 'start' ? bench.start(recorder.uri) : bench[activity]()
}

/** `activity` in `state` does what `check` says. */
function cell(activity: Activity, state: State, does: string, check: (scene: Scene) => Promise<void>): void {
  test(`${activity} when ${state}: ${does}`, () =>
    withBench(async (bench) => {
      const scene = await scenes[state](bench)
      assert.equal(bench.state, state)
      await check(scene)
    }))
}

/** `activity` in `state` is refused at once and changes nothing. */
function refused(activity: Activity, state: State, text: string): void {
  cell(activity, state, `400 ${text}`, async (scene) => {
    const sentBefore = scene.bench.sentLabels(scene.recorder.ip).length
    const command = give(scene, activity)
    await scene.bench.pass(0)
    assert.deepEqual([command.outcome?.status, command.outcome?.text], [400, text])
    assert.equal(scene.bench.state, state)
    assert.equal(scene.bench.sentLabels(scene.recorder.ip).length, sentBefore)
    assert.ok(scene.bench.log.messages().includes(text))
    await scene.release()
    if (scene.earlier !== undefined) assert.equal(scene.earlier.status, 200)
  })
}

/** The last re-offer that the recorder got. */
function lastOffer(recorder: TestRecorder): string[] {
  const last = recorder.session().reoffers.at(-1)
  assert.ok(last)
  return mediaLines(last)
}

const paused = ['port inactive 1', 'port inactive 2']
const flowing = ['port sendonly 1', 'port sendonly 2']

cell('start', 'none', 'INVITEs every URI in parallel', async ({ bench, recorder }) => {
  const other = bench.recorder(12)
  const start = bench.start(`${recorder.uri}, ${other.uri}`)
  await bench.pass()
  assert.deepEqual(start.outcome?.status, 200)
  assert.equal(bench.state, 'recording')
  assert.equal(recorder.sessions.length + other.sessions.length, 2)
  assert.ok((await bench.audio()) > 0)
})
refused('start', 'starting', DUPLICATE)
refused('start', 'recording', DUPLICATE)
refused('start', 'pausing', DUPLICATE)
refused('start', 'paused', DUPLICATE)
refused('start', 'resuming', DUPLICATE)
cell('start', 'stopping', '400 until the gates are shut, then a new recording', async (scene) => {
  const early = give(scene, 'start')
  await scene.bench.pass()
  assert.deepEqual([early.outcome?.status, early.outcome?.text], [400, DUPLICATE])
  await scene.release()
  assert.equal(scene.bench.state, 'none')
  const start = give(scene, 'start')
  await scene.bench.pass()
  assert.equal(start.status, 200)
  const [first, second] = scene.bench.client.recordingsOf(scene.bench.call.callId)
  assert.notEqual(first?.id, second?.id)
  assert.equal(scene.recorder.sessions.length, 2)
})

test('start when recording, by a flow: 400 in the words of the flow, and the log has both texts of the page', () =>
  withBench(async (bench) => {
    const recorder = await bench.recording()
    const start = bench.start(recorder.uri, { origin: 'flow' })
    await bench.pass()
    assert.equal(start.outcome?.text, 'Cannot start recording when recording is already started')
    assert.ok(bench.log.messages().includes(DUPLICATE))
    assert.ok(bench.log.messages().includes('Cannot start recording when recording is already started'))
  }))

refused('stop', 'none', NOT_RECORDING)
cell('stop', 'starting', 'CANCELs, 200, and the start is answered 487', async ({ bench, recorder, earlier }) => {
  const stop = bench.stop()
  await bench.pass()
  assert.equal(stop.status, 200)
  assert.equal(earlier?.status, 487)
  assert.equal(bench.state, 'none')
  assert.equal(recorder.session().isCancelled, true)
})
test('stop when starting: a late 200 that crosses the CANCEL is ACKed and BYEd', () =>
  withBench(async (bench) => {
    const peer = bench.scripted()
    bench.start(`sip:${peer.ip}`)
    await bench.pass()
    const invite = peer.take('INVITE')
    const stop = bench.stop()
    await bench.pass()
    assert.equal(stop.status, 200)
    assert.equal(peer.count('CANCEL'), 0, 'no CANCEL before a provisional response')
    peer.respond(invite, 200, { tag: 'late' })
    await bench.pass()
    peer.take('ACK')
    peer.respond(peer.take('BYE'), 200)
  }))
for (const state of ['recording', 'pausing', 'paused', 'resuming'] as const) {
  cell('stop', state, 'BYEs all, 200', async (scene) => {
    const { bench, recorder } = scene
    const stop = bench.stop()
    assert.equal([...bench.call.media.forks.values()].filter((fork) => fork.open).length, 0, 'gates are shut at once')
    await scene.release()
    await bench.pass(3_000)
    assert.equal(stop.status, 200)
    assert.equal(bench.state, 'none')
    assert.equal(recorder.session().end?.cause, 'remote-bye')
  })
}
cell('stop', 'stopping', '200, with the first', async ({ bench, earlier, release }) => {
  const stop = bench.stop()
  await bench.pass()
  assert.equal(stop.status, 'pending', 'the gates are not proved shut yet')
  await release()
  assert.equal(stop.status, 200)
  assert.equal(earlier?.status, 200)
})

refused('pause', 'none', NO_PAUSE)
cell('pause', 'starting', 'the INVITE goes on, inactive after the ACK, no audio', async (scene) => {
  const { bench, recorder } = scene
  const pause = bench.pause()
  await bench.pass()
  assert.equal(pause.status, 200)
  assert.equal(bench.state, 'paused')
  await scene.release()
  assert.equal(scene.earlier?.status, 200)
  assert.deepEqual(lastOffer(recorder), paused)
  assert.equal(await bench.audio(), 0)
  assert.equal(bench.call.media.commandNames().includes('openGates'), false)
})
cell('pause', 'recording', 'gates first, then re-INVITE, 200 when proved', async ({ bench, recorder }) => {
  await bench.audio(7)
  const pause = bench.pause()
  assert.ok([...bench.call.media.forks.values()].every((fork) => !fork.open))
  assert.equal(recorder.session().requests.length, 0, 'nothing was signalled before the cut')
  await bench.pass()
  assert.equal(pause.status, 200)
  assert.deepEqual(
    pause.outcome?.receipts?.map(({ recorder: uri, packetsSent, drained }) => [uri, packetsSent, drained]),
    [
      [recorder.uri, 7, true],
      [recorder.uri, 7, true],
    ],
  )
  assert.deepEqual(lastOffer(recorder), paused)
  assert.equal(await bench.audio(), 0)
})
cell('pause', 'pausing', 'joins', async ({ bench, recorder, earlier, release }) => {
  const pause = bench.pause()
  await bench.pass()
  assert.equal(pause.status, 'pending')
  await release()
  assert.equal(pause.outcome, earlier?.outcome)
  assert.equal(recorder.session().requests.length, 1)
})
cell('pause', 'paused', '200 with fresh proof, nothing more is signalled', async ({ bench, recorder }) => {
  const pause = bench.pause()
  await bench.pass()
  assert.equal(pause.status, 200)
  assert.equal(pause.outcome?.receipts?.length, 2)
  assert.equal(recorder.session().requests.length, 1)
})
cell('pause', 'resuming', 'the gates stay shut, 200 when proved', async (scene) => {
  const { bench, recorder } = scene
  const pause = bench.pause()
  assert.equal(scene.bench.state, 'pausing')
  await scene.release()
  assert.equal(pause.status, 200)
  assert.equal(scene.earlier?.status, 503, 'the resumption was overtaken')
  assert.deepEqual(lastOffer(recorder), paused)
  assert.equal(await bench.audio(), 0)
})
refused('pause', 'stopping', NO_PAUSE)

refused('resume', 'none', NO_RESUME)
refused('resume', 'starting', NO_RESUME)
refused('resume', 'recording', NO_RESUME)
cell('resume', 'pausing', 'the last wish wins', async (scene) => {
  const { bench, recorder } = scene
  const resume = bench.resume()
  await scene.release()
  assert.equal(resume.status, 200)
  assert.equal(bench.state, 'recording')
  assert.deepEqual(recorder.session().reoffers.map(mediaLines), [paused, flowing])
  assert.ok((await bench.audio()) > 0)
})
cell('resume', 'paused', 're-INVITE sendonly, media after its 200', async ({ bench, recorder }) => {
  recorder.reofferRules.push('leave')
  const resume = bench.resume()
  await bench.pass()
  assert.deepEqual(lastOffer(recorder), flowing)
  assert.equal(await bench.audio(), 0)
  assert.equal(resume.status, 'pending')
  const incoming = recorder.session().requests.at(-1)
  incoming?.respond(200, { body: recorder.answerBody(recorder.session().reoffers.at(-1)?.sdp ?? '') })
  await bench.pass()
  assert.equal(resume.status, 200)
  assert.ok((await bench.audio()) > 0)
  assert.ok(bench.eventTypes.includes('recording.resumed'))
})
cell('resume', 'resuming', 'joins', async (scene) => {
  const { bench, recorder } = scene
  const resume = bench.resume()
  await bench.pass()
  assert.equal(resume.status, 'pending')
  await scene.release()
  assert.equal(resume.outcome, scene.earlier?.outcome)
  assert.equal(resume.status, 200)
  assert.equal(recorder.session().requests.length, 2)
})
refused('resume', 'stopping', NO_RESUME)
