// Alarms of the recorder in tests: what is sent to it in time by a clock of the test, and which alarms stand.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { encodePcmu } from '#audio'
import { srtpSuites } from '#rtp'
import type { Alarm } from '#store'
import { type ClientSession, RecorderBench, type RecorderBenchOptions } from './recorder.ts'
import { type Line, offer, withMetadata } from './recording-offer.ts'
import type { RtpSource } from './rtp-source.ts'

/** Samples of a packet. */
export const PACKET = 160

/** What one source sends, 8 kHz; it is sent again and again. */
export type Voice = readonly [source: RtpSource, samples: Int16Array, ticks?: number]

/** Everything that came to any port, taken or not. */
export async function arrived(bench: RecorderBench): Promise<number> {
  const totals = (await bench.server.sessions()).flatMap(({ streams }) => streams.map((stream) => stream.totals))
  return totals.reduce((sum, one) => sum + (one?.packets ?? 0) + (one?.refused ?? 0) + (one?.discarded ?? 0), 0)
}

/** Lets time go on in steps of 20 ms, in each of which every voice sends a packet. */
export async function talk(bench: RecorderBench, durationMs: number, ...voices: readonly Voice[]): Promise<void> {
  let due = await arrived(bench)
  for (let step = 0; step < durationMs / 20; step++) {
    bench.clock.advance(20)
    for (const [source, samples, ticks] of voices) {
      const from = (step * PACKET) % samples.length
      await source.sendPacket(encodePcmu(samples.subarray(from, from + PACKET)), ticks)
    }
    due += voices.length
    const deadlineMs = performance.now() + 10_000
    while ((await arrived(bench)) < due && performance.now() < deadlineMs) {
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
}

/** Codes of the alarms that stand, with their channels. */
export function standing(bench: RecorderBench): string[] {
  const now = new Map<string, Alarm>()
  for (const event of bench.events) {
    if (event.type === 'alarm') now.set(keyOf(event.alarm), event.alarm)
    if (event.type === 'alarm-cleared') assert.ok(now.delete(keyOf(event.alarm)), 'only what was raised is cleared')
  }
  return [...now.keys()]
}

function keyOf({ code, channel }: Alarm): string {
  return `${code} ${channel ?? ''}`
}

/** The first alarm of a code. */
export function raised(bench: RecorderBench, code: string): Alarm {
  const event = bench.events.find((one) => one.type === 'alarm' && one.alarm.code === code)
  assert.ok(event?.type === 'alarm', `${code} was not raised`)
  return event.alarm
}

/** A recorder with a session of its lines, and a source for each. */
export async function openSession(
  t: TestContext,
  lines?: Line[],
  document?: Uint8Array,
  options: RecorderBenchOptions = {},
): Promise<{ bench: RecorderBench; session: ClientSession; sources: RtpSource[] }> {
  const bench = await RecorderBench.open(t, { srtp: { suites: srtpSuites, keysWithoutTls: true }, ...options })
  const session = await bench.start(document === undefined ? offer(lines) : withMetadata(offer(lines), document))
  const sources: RtpSource[] = []
  for (const line of session.ports.keys()) sources.push(await bench.source(session, line))
  return { bench, session, sources }
}
