// How a client that stops sending is understood: the end of what is recorded, or a pause.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { tone } from '#audio'
import type { SipBody } from '#sip'
import type { StreamManifest } from '#store'
import { type ClientSession, RecorderBench } from '../../test/harness/recorder.ts'
import { lastMetadata, metadata, offer, withMetadata } from '../../test/harness/recording-offer.ts'
import type { RtpSource } from '../../test/harness/rtp-source.ts'

const voice = tone(440, 1000)
const SILENT_MS = 55

interface Scene {
  readonly bench: RecorderBench
  readonly session: ClientSession
  readonly source: RtpSource
  /** Offers the one stream anew, with a document or without. */
  say(direction: 'sendonly' | 'inactive', document?: Uint8Array, connection?: string): Promise<void>
  /** Nothing comes for so long. */
  wait(ms: number): void
  /** Ends the session; its stream, and its events of pauses. */
  end(): Promise<{ readonly stream: StreamManifest; readonly events: readonly string[] }>
}

async function opened(t: TestContext): Promise<Scene> {
  const bench = await RecorderBench.open(t)
  const line = (direction: string, version: number, connection?: string): SipBody =>
    offer([{ attributes: [direction, 'label:1'], ...(connection !== undefined && { connection }) }], version)
  const session = await bench.start(withMetadata(line('sendonly', 1), metadata('Bob')))
  const source = await bench.source(session, 0)
  let version = 1
  await bench.talk([source, voice])
  return {
    bench,
    session,
    source,
    say: async (direction, document, connection) => {
      version += 1
      const sdp = line(direction, version, connection)
      const body = document === undefined ? sdp : withMetadata(sdp, document)
      const { status } = await bench.settled(session.dialog.request('UPDATE', { body }))
      assert.equal(status, 200)
    },
    wait: (ms) => {
      bench.clock.advance(ms)
      source.skip(0, ms * 8)
    },
    end: async () => {
      const { manifest } = await bench.end(session)
      const events = bench.eventTypes().filter((type) => type === 'paused' || type === 'resumed')
      return { stream: manifest.streams[0]!, events }
    },
  }
}

/** A document that unties the session from the recording. */
function untied(name: string): Uint8Array {
  const tie =
    '<sessionrecordingassoc session_id="hVpd7YQgRW2nD22h7q60JQ=="><disassociate-time>2026-03-02T11:00:00Z</disassociate-time></sessionrecordingassoc>'
  return new TextEncoder().encode(new TextDecoder().decode(metadata(name)).replace('</recording>', `${tie}$&`))
}

const causesOf = ({ gaps }: StreamManifest): string[] =>
  gaps.filter(({ fromMs, toMs }) => toMs - fromMs > 30).map(({ cause }) => cause)

for (const [way, connection] of [
  ['a=inactive', undefined],
  ['c=0.0.0.0', '0.0.0.0'],
] as const) {
  test(`a client that tells by ${way} with a stop-time that it sends no more has ended, not paused`, async (t) => {
    const { say, wait, end } = await opened(t)
    await say(connection === undefined ? 'inactive' : 'sendonly', lastMetadata('Bob'), connection)
    wait(SILENT_MS)
    const { stream, events } = await end()
    assert.deepEqual([stream.totals.pauses, events, causesOf(stream)], [[], [], ['no-rtp']])
  })
}

test('a session that is recorded no more has ended, though the call goes on', async (t) => {
  const { say, wait, end } = await opened(t)
  await say('inactive', untied('Bob'))
  wait(SILENT_MS)
  const { stream, events } = await end()
  assert.deepEqual([stream.totals.pauses, events, causesOf(stream)], [[], [], ['no-rtp']])
})

test('a stop-time that came before the streams fell silent is an end all the same', async (t) => {
  const { say, wait, end } = await opened(t)
  await say('sendonly', lastMetadata('Bob'))
  await say('inactive')
  wait(SILENT_MS)
  const { stream, events } = await end()
  assert.deepEqual([stream.totals.pauses, events, causesOf(stream)], [[], [], ['no-rtp']])
})

test('without a stop-time it is a pause, whatever follows', async (t) => {
  const { say, wait, end } = await opened(t)
  await say('inactive', metadata('Bob'))
  wait(SILENT_MS)
  const { stream, events } = await end()
  assert.deepEqual([stream.totals.pauses.length, events, causesOf(stream)], [1, ['paused'], ['paused-by-client']])
})

test('a pause that had begun before the end stays one', async (t) => {
  const { say, wait, end } = await opened(t)
  await say('inactive')
  wait(2000)
  await say('inactive', lastMetadata('Bob'))
  wait(SILENT_MS)
  const { stream, events } = await end()
  assert.deepEqual([stream.totals.pauses.length, events, causesOf(stream)], [1, ['paused'], ['paused-by-client']])
})

test('where another call goes on in the session, the end of the one before it was a pause', async (t) => {
  const { bench, source, say, wait, end } = await opened(t)
  await say('inactive', lastMetadata('Bob'))
  wait(2000)
  await say('sendonly', metadata('Carol'))
  await bench.talk([source, voice])
  const { stream } = await end()
  assert.deepEqual([stream.totals.pauses.length, causesOf(stream)], [1, ['paused-by-client']])
  const [pause] = stream.totals.pauses
  assert.ok(pause?.toMs !== undefined && pause.toMs - pause.fromMs >= 2000, JSON.stringify(pause))
})
