import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '#kernel'
import type { Manifest } from '#store'
import { FACTS } from '../../test/harness/room-bench.ts'
import { keptIndices, keptRecording, type LeftRecording } from './kept-session.ts'
import type { KeptStream } from './session-streams.ts'

const WITHIN_MS = 1000
const clock = new ManualClock()
const manifest = { recordingId: 'r1', facts: FACTS } as Manifest
const session = { format: 1, dialog: { callId: FACTS.sip.callId }, metadata: {} }
const left: LeftRecording = {
  folder: '/store/2026/01/01/r1.open',
  manifest,
  session,
  isSessionUnreadable: false,
  indices: undefined,
  touchedAtMs: clock.wallMs(),
}

test('a recording whose session is whole, its own and recent can go on; of all others it is known why not', () => {
  const whole = keptRecording(left, WITHIN_MS, clock)
  assert.ok(typeof whole !== 'string')
  assert.deepEqual(whole.session, session)
  const media = (streams: unknown): object => ({ session: { ...session, media: { streams } } })
  for (const [over, notResumed] of [
    [{ session: undefined }, 'no-session'],
    [{ session: undefined, isSessionUnreadable: true }, 'session-unreadable'],
    [{ manifest: undefined }, 'session-unreadable'],
    ...[null, 7, [], {}, { ...session, format: 2 }, { ...session, dialog: null }, { ...session, metadata: 'x' }].map(
      (other) => [{ session: other }, 'session-unreadable'] as const,
    ),
    ...[null, {}, { streams: [] }, { lines: [], streams: 7 }].map(
      (streams) => [media(streams), 'session-unreadable'] as const,
    ),
    [{ session: { ...session, dialog: { callId: 'another' } } }, 'session-foreign'],
    [{ folder: '/store/2026/01/01/r1-copy.open' }, 'session-foreign'],
    [{ touchedAtMs: clock.wallMs() - WITHIN_MS }, 'too-old'],
  ] as const) {
    assert.equal(
      keptRecording({ ...left, ...over } as LeftRecording, WITHIN_MS, clock),
      notResumed,
      JSON.stringify(over),
    )
  }
})

test('indices of a secured stream have to be whole; those of other streams are not looked at', () => {
  const stream = { rtpPort: 4000, settings: { codecs: [], isPaused: false }, isRemoved: false }
  const keys = { ours: '', theirs: '' }
  const source = { ssrc: 1, rtp: 70_000, rtcp: -1, mayHaveRolled: 0 }
  const whole = { sent: { key: 'a', rtcp: 3 }, heard: { key: 'b', sources: [source], mayHaveRolled: 0 } }
  const streams: readonly KeptStream[] = [stream, { ...stream, keys }, { ...stream, keys, isRemoved: true }]
  assert.deepEqual(keptIndices(streams, [null, whole, null]), [undefined, whole, undefined])
  assert.deepEqual(keptIndices([stream], undefined), [undefined])
  const { heard } = whole
  for (const spoilt of [
    undefined,
    null,
    {},
    { ...whole, sent: { key: 'a' } },
    { ...whole, sent: { key: 7, rtcp: 3 } },
    { ...whole, heard: { ...heard, sources: {} } },
    { ...whole, heard: { ...heard, sources: [null] } },
    ...[-2, 0.5, 2 ** 48, '1', null].map((rtp) => ({ ...whole, heard: { ...heard, sources: [{ ...source, rtp }] } })),
  ]) {
    assert.equal(keptIndices(streams, [null, spoilt, null]), undefined, JSON.stringify(spoilt))
  }
  assert.equal(keptIndices(streams, 'text'), undefined)
})
