// Sessions of raw clients, heard out: a tone per stream goes in, and is looked for on disk.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { goertzelPower, tone } from '#audio'
import type { ParsedSdp } from '#sdp'
import type { SipMessage } from '#sip'
import { RawClient, type RawInvite } from './raw-client.ts'
import { audioOf, type Ended, RecorderBench, type RecorderBenchOptions } from './recorder.ts'

const TONES_HZ = [400, 1000, 1400, 1800] as const
const TONE_MS = 200

/** A session that was accepted. */
export interface RawSession {
  readonly bench: RecorderBench
  readonly client: RawClient
  readonly response: SipMessage
  readonly answer: ParsedSdp
}

/** Opens a recorder and has it take an INVITE. */
export async function openRawSession(
  t: TestContext,
  invite: RawInvite,
  options: RecorderBenchOptions = {},
): Promise<RawSession> {
  const bench = await RecorderBench.open(t, options)
  const client = new RawClient(bench, invite.transport)
  const response = await client.invite(invite)
  assert.equal(response.status, 200, response.reason)
  return { bench, client, response, answer: client.answerOf(response) }
}

/** Sends each of some m-lines, all of them unless told, its own tone in G.711. */
export async function sendTones(bench: RecorderBench, answer: ParsedSdp, lines?: readonly number[]): Promise<void> {
  const ports = answer.media.map(({ port }) => port)
  const chosen = lines ?? ports.map((_port, line) => line)
  const voices = await Promise.all(
    chosen.map(async (line) => {
      const source = await bench.source({ ports }, line)
      if (answer.media[line]?.formats[0] === '8') source.payloadType = 8
      return [source, tone(TONES_HZ[line % 4]!, TONE_MS)] as const
    }),
  )
  await bench.talk(...voices)
}

/** Ends a session with BYE and waits for its recording. */
export async function hangUp(bench: RecorderBench, client: RawClient): Promise<Ended> {
  const { status } = await client.request('BYE')
  assert.equal(status, 200)
  await bench.until(() => bench.eventTypes().includes('ended'))
  const ended = bench.events.find((event) => event.type === 'ended')
  assert.ok(ended?.type === 'ended')
  return ended
}

/** Fails unless some channels, the first `channels` or those named, hold their own tone and no other. */
export async function assertTones(folder: string, channels: number | readonly number[]): Promise<void> {
  const heard = await audioOf(folder)
  const wanted = typeof channels === 'number' ? [...Array(channels).keys()] : channels
  for (const channel of wanted) {
    const samples = heard[channel]?.subarray(0, 8 * TONE_MS) ?? new Int16Array(0)
    assert.equal(samples.length, 8 * TONE_MS, `channel ${channel}`)
    for (const [index, hz] of TONES_HZ.entries()) {
      const power = goertzelPower(samples, 8000, hz)
      assert.equal(power > 0.5, index === channel % 4, `channel ${channel}, ${hz} Hz: ${power}`)
    }
  }
}
