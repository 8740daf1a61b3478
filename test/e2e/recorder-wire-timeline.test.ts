// What happened in a session and when, as the recorder keeps it of a client that words each message itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rmsDbfs } from '#audio'
import { delay } from '../foreign/deadline.ts'
import { shareOfTone, tone } from '../foreign/g711-tones.ts'
import { CallStory, type MetadataChoice } from '../foreign/metadata-documents.ts'
import type { Direction } from '../foreign/sdp-text.ts'
import { openWireScene } from '../harness/wire-scene.ts'

const PAUSE_MS = 1500
const SPEECH_MS = 600
const hzOf = (line: number): number => 400 + 600 * line

test('SRS-54: pause, resumption, hold, join and leave stand in the timeline, and all channels keep the time of the wall', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  const story = new CallStory(['1', '2', '3'])
  const say = (...lines: number[]) =>
    Promise.all(lines.map((line) => client.streams[line]!.send(tone(hzOf(line), SPEECH_MS))))
  const invite = (direction: Direction, metadata?: MetadataChoice) =>
    client.request('INVITE', { sdp: client.sdp(direction), metadata: metadata && story.document(metadata) })
  await invite('sendonly', 'rfc8068')
  await say(0, 1)
  client.version++
  const pausedMs = Date.now()
  await invite('inactive')
  // The client is silent on the wire for so long.
  await delay(PAUSE_MS)
  client.version++
  await invite('sendonly', 'hold')
  await say(1)
  const spokeMs = Date.now()
  await client.request('UPDATE', { metadata: story.document('resume') })
  await client.addStream()
  client.version++
  await invite('sendonly', 'rfc8068')
  await say(0, 1, 2)
  await client.request('UPDATE', { metadata: story.document('end') })
  const { manifest, channels } = await scene.end(client)

  const wallMs = Date.parse(manifest.endedAt ?? '') - Date.parse(manifest.startedAt)
  for (const { length } of channels) assert.ok(Math.abs(length / 8 - wallMs) < 200, `${length / 8} ms of ${wallMs} ms`)
  const gapsOf = (line: number, cause: string) => manifest.streams[line]!.gaps.filter((gap) => gap.cause === cause)
  for (const line of [0, 1]) {
    const [gap, ...more] = gapsOf(line, 'paused-by-client')
    assert.ok(gap !== undefined && more.length === 0, `one pause of stream ${line}`)
    const lengthMs = gap.toMs - gap.fromMs
    assert.ok(lengthMs > PAUSE_MS - 100 && lengthMs < spokeMs - pausedMs + 100, `a pause of ${lengthMs} ms`)
    assert.equal(rmsDbfs(heard(line, gap.fromMs + 20, gap.toMs - 20)), Number.NEGATIVE_INFINITY)
    assert.equal(manifest.streams[line]!.totals.pauses[0]?.packets, 0)
    assertTone(line, gapsOf(line, 'no-rtp-yet')[0]?.toMs ?? 0)
  }
  assert.deepEqual(
    [0, 1].map((line) => gapsOf(line, 'hold').length),
    [1, 0],
  )
  assertTone(1, gapsOf(1, 'paused-by-client')[0]!.toMs)
  assertTone(0, gapsOf(0, 'hold')[0]!.toMs)
  const [late] = gapsOf(2, 'no-rtp-yet')
  assert.equal(late?.fromMs, 0)
  assertTone(2, late.toMs)

  const params = { recordingId: manifest.recordingId }
  const { body } = await scene.api.ask('get', '/api/recordings/{recordingId}/metadata/history', { params })
  const [first, second] = story.people.map(({ name }) => name)
  const changes = body.items.map((item: { atMs: number; changes: unknown }) => item.changes)
  assert.deepEqual(changes, [
    [
      { kind: 'joined', participant: first },
      { kind: 'joined', participant: second },
    ],
    [0, 2].map((channel) => ({ kind: 'held', channel })),
    [0, 2].map((channel) => ({ kind: 'resumed', channel })),
    [],
    [
      { kind: 'left', participant: first },
      { kind: 'left', participant: second },
    ],
  ])

  function heard(line: number, fromMs: number, toMs: number): Int16Array {
    return channels[line]!.subarray(fromMs * 8, toMs * 8)
  }
  function assertTone(line: number, fromMs: number): void {
    const share = shareOfTone(heard(line, fromMs + 100, fromMs + SPEECH_MS - 100), hzOf(line))
    assert.ok(share > 0.5, `stream ${line} from ${fromMs} ms: ${share}`)
  }
})
