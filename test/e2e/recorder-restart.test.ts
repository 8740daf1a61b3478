// A recorder that is killed in mid-call and started again: the same recording goes on, in one folder, with one gap.

import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { rmsDbfs } from '#audio'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { shareOfTone, tone } from '../foreign/g711-tones.ts'
import { type KeptRecording, keptRecording } from '../harness/kept-recording.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const TONES_HZ = [400, 1000] as const
const WORD_MS = 100

async function openClient(t: TestContext, recorder: MortalRecorder): Promise<ForeignClient> {
  const address = { host: HOST, port: recorder.sipPort('udp') }
  const client = await ForeignClient.open({ transport: 'udp', recorder: address, deadlineMs: 10_000 })
  t.after(() => client.close())
  return client
}

/** Milliseconds of the recording at which its streams died and came to life again. */
function holeOf({ manifest }: KeptRecording, channel: number): { fromMs: number; toMs: number } {
  const holes = manifest.streams[channel]!.gaps.filter(({ cause }) => cause === 'recorder-restart')
  assert.equal(holes.length, 1, `one gap by the restart in channel ${channel}`)
  return holes[0]!
}

function assertTone(channel: Int16Array, fromMs: number, toMs: number, frequencyHz: number): void {
  const share = shareOfTone(channel.subarray(fromMs * 8, toMs * 8), frequencyHz)
  assert.ok(share > 0.95, `${frequencyHz} Hz from ${fromMs} to ${toMs} ms: ${share}`)
}

interface Talk {
  /** How much the slower stream has said. */
  saidMs(): number
  /** Ends after the words at hand. */
  end(): Promise<void>
}

/** Each stream says its tone until told to end. */
function startTalk(client: ForeignClient): Talk {
  let isOver = false
  const said = TONES_HZ.map(() => 0)
  const speak = async (hz: number, index: number): Promise<void> => {
    while (!isOver) {
      await client.sendAudio(index, tone(hz, WORD_MS))
      said[index]! += WORD_MS
    }
  }
  const speaking = Promise.all(TONES_HZ.map(speak))
  return {
    saidMs: () => Math.min(...said),
    end: async () => {
      isOver = true
      await speaking
    },
  }
}

test('a recorder killed in mid-call goes on with the recording after its restart: one folder, one gap, BYE answered', async (t) => {
  const recorder = await MortalRecorder.start(t)
  const client = await openClient(t, recorder)
  assert.equal((await client.invite()).status, 200)
  const talk = startTalk(client)
  await until('a second was said', () => talk.saidMs() > 1500)
  const saidMs = talk.saidMs()
  await recorder.kill()
  await recorder.start()
  const awayMs = talk.saidMs() - saidMs
  const backMs = talk.saidMs()
  await until('more was said', () => talk.saidMs() > backMs + 2000)
  await talk.end()
  assert.equal((await client.update({ metadata: 'hold' })).status, 200)
  assert.equal((await client.bye()).status, 200)
  const kept = await keptRecording(recorder.store)
  const { manifest, channels } = kept
  assert.deepEqual([manifest.state, manifest.recovered], ['published', true])
  assert.equal(manifest.facts.sip.ended, 'remote-bye')
  assert.equal(manifest.metadata.length, 2)
  assert.equal((await readdir(kept.folder)).includes('session.json'), false)
  for (const [channel, hz] of TONES_HZ.entries()) {
    const { fromMs, toMs } = holeOf(kept, channel)
    assert.ok(toMs - fromMs <= awayMs + 1500, `the gap is ${toMs - fromMs} ms, it was away for ${awayMs} ms`)
    const spoken = manifest.streams[channel]!.totals.firstPacketMs! - 20
    assert.ok(spoken + saidMs - fromMs < 1000, `${spoken + saidMs - fromMs} ms before the kill are missing`)
    assertTone(channels[channel]!, spoken + 100, fromMs - 20, hz)
    assert.equal(rmsDbfs(channels[channel]!.subarray((fromMs + 20) * 8, (toMs - 20) * 8)), Number.NEGATIVE_INFINITY)
    assertTone(channels[channel]!, toMs + 20, toMs + 1500, hz)
  }
  assert.deepEqual(client.violations, [])
})

test('what a client does after the restart is as before it: refresh, pause, resume, another stream, BYE', async (t) => {
  const recorder = await MortalRecorder.start(t)
  const client = await openClient(t, recorder)
  assert.equal((await client.invite()).status, 200)
  const say = async (hz: number, ms: number): Promise<void> => void (await client.sendAudio(0, tone(hz, ms)))
  await say(400, 600)
  await recorder.kill()
  await recorder.start()
  const directions = (answer: { media: readonly { direction: string }[] } | undefined): string[] =>
    answer!.media.map(({ direction }) => direction)
  assert.equal((await client.update({ metadata: 'none', sdp: true })).status, 200)
  await say(400, 600)
  const paused = await client.reinvite({ direction: 'inactive' })
  assert.deepEqual(directions(paused.answer), ['inactive', 'inactive'])
  await recorder.kill()
  await recorder.start()
  const listed = (await (await fetch(`${recorder.httpUrl}/api/recorder/sessions`)).json()) as {
    items: { isPaused: boolean }[]
  }
  assert.deepEqual(
    listed.items.map(({ isPaused }) => isPaused),
    [true],
  )
  const resumed = await client.reinvite({ direction: 'sendonly' })
  assert.deepEqual(directions(resumed.answer), ['recvonly', 'recvonly'])
  await say(1000, 600)
  const added = await client.addStream('third')
  assert.equal(added.answer?.media.length, 3)
  await client.sendAudio(2, tone(2000, 400))
  assert.equal((await client.bye()).status, 200)
  const { manifest, channels } = await keptRecording(recorder.store)
  assert.equal(manifest.streams.length, 3)
  const causes = manifest.streams[0]!.gaps.map(({ cause }) => cause)
  assert.ok(causes.includes('recorder-restart') && causes.includes('paused-by-client'), causes.join())
  const runs = manifest.streams[0]!.runs
  assert.equal(runs.length, 3)
  assertTone(channels[0]!, runs[1]!.startMs + 150, runs[1]!.startMs + 500, 400)
  assertTone(channels[0]!, runs[2]!.startMs + 150, runs[2]!.startMs + 500, 1000)
  const third = manifest.streams[2]!.runs[0]!.startMs
  assertTone(channels[2]!, third + 150, third + 350, 2000)
  assert.deepEqual(client.violations, [])
})

/** Has the session timer of the one open recording end at a time. */
async function moveTimer(store: string, expiresAtMs: number): Promise<{ readonly isOurs: boolean }> {
  const name = (await readdir(store, { recursive: true })).find((each) => each.endsWith('session.json'))
  assert.ok(name !== undefined)
  const path = join(store, name)
  const session = JSON.parse(await readFile(path, 'utf8')) as { dialog: { timer: { isOurs: boolean } } }
  const { timer } = session.dialog
  await writeFile(path, JSON.stringify({ ...session, dialog: { ...session.dialog, timer: { ...timer, expiresAtMs } } }))
  return timer
}

test('a client whose refresh was due while the recorder was dead is ended by BYE, and its recording is published', async (t) => {
  const recorder = await MortalRecorder.start(t)
  const client = await openClient(t, recorder)
  const headers = [
    ['Supported', 'timer'],
    ['Session-Expires', '90;refresher=uac'],
  ] as const
  assert.equal((await client.invite({ headers })).status, 200)
  await client.sendAudio(0, tone(400, 600))
  await recorder.kill()
  assert.equal((await moveTimer(recorder.store, Date.now() - 1000)).isOurs, false)
  await recorder.start()
  // It has 5 s more: its refresh may be on its way.
  await until('the client is told BYE', () => client.isEnded, 20_000)
  const { manifest } = await keptRecording(recorder.store)
  assert.deepEqual([manifest.state, manifest.facts.sip.ended], ['published', 'session-expired'])
  assert.deepEqual(client.violations, [])
})

test('a recorder that was to refresh the session does so after its restart', async (t) => {
  const recorder = await MortalRecorder.start(t)
  const client = await openClient(t, recorder)
  const headers = [
    ['Supported', 'timer'],
    ['Session-Expires', '90;refresher=uas'],
  ] as const
  assert.equal((await client.invite({ headers })).status, 200)
  await client.sendAudio(0, tone(400, 600))
  await recorder.kill()
  await recorder.start()
  const isRefreshed = (): boolean => client.requests.some(({ method }) => method === 'UPDATE')
  await until('the session is refreshed', isRefreshed, 20_000)
  assert.equal((await client.bye()).status, 200)
  assert.equal((await keptRecording(recorder.store)).manifest.facts.sip.ended, 'remote-bye')
  assert.deepEqual(client.violations, [])
})
