// A recorder that is SIPp, with RTP counted at ports of the test's own.

import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { decodePcmu } from '#audio'
import { RTP_HEADER_BYTES } from '#rtp'
import type { SipRelay } from './sip-relay.ts'
import { type Sipp, type SippOptions, startSipp } from './sipp.ts'
import type { Talk } from './talk.ts'
import { until } from './until.ts'

const HOST = '127.0.0.1'
const MUTE_MS = 300
/** Length of the pauses of a scenario. */
const STEP_MS = 1000
const DIAGNOSTIC_CHARACTERS = 3000

/** A recorder for one recording session. */
export interface SippRecorder extends Sipp {
  /** For a start command. */
  readonly uri: string
  /** RTP packets so far, of all streams or of one of them, by m-line. */
  packets(line?: number): number
  /** The audio so far of one of its streams, by m-line, as G.711 μ-law says it. */
  audio(line: number): Int16Array
  /** All that came to the port of one of its m-lines, RTCP and what is protected with it. */
  datagrams(line: number): readonly Datagram[]
}

/** What came to a port of a recorder. */
export interface Datagram {
  readonly bytes: Buffer
  readonly fromPort: number
}

type Keys = Readonly<Record<string, string>>
type Run = Omit<SippOptions, 'folder' | 'args'> & { readonly args?: readonly string[] }

/** Starts a scenario as a recorder on TCP, for one call of two streams unless told; it and its RTP ports are gone after the test. */
export function openSippRecorder(
  t: TestContext,
  scenario: string,
  keys: Keys = {},
  calls = 1,
  lines = 2,
): Promise<SippRecorder> {
  return open(t, { scenario, transport: 'tcp', args: ['-m', `${calls}`] }, keys, lines)
}

/** Starts the recorder whose answers are told to it, m-lines by the ports that are bound for them, behind a relay if there is one. */
export async function openAnsweringRecorder(
  t: TestContext,
  answers: AnswerOf = PLAIN_ANSWER,
  { scenario = 'recorder-answering', calls = 1, lines = 2, relay }: AnsweringOptions = {},
): Promise<SippRecorder> {
  const run: Run = { scenario, transport: 'tcp', args: ['-m', `${calls}`] }
  const keysOf = (ports: readonly number[], port: number): Keys => ({
    contact: relay?.uri ?? `sip:recorder@${HOST}:${port};transport=tcp`,
    answer: answers(ports, 'recvonly'),
    answer_inactive: answers(ports, 'inactive'),
  })
  const recorder = await open(t, run, keysOf, lines)
  relay?.leadTo(recorder.port)
  return relay === undefined ? recorder : { ...recorder, uri: relay.uri }
}

/** An answer from its first m-line on, for an offer that sends and for one that does not. */
export type AnswerOf = (ports: readonly number[], direction: 'recvonly' | 'inactive') => string

interface AnsweringOptions {
  readonly scenario?: string
  readonly calls?: number
  readonly lines?: number
  readonly relay?: SipRelay
}

/** Lines of SDP, each ended as RFC 4566 section 5 wants it. */
export const sdpLines = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`

const PLAIN_ANSWER: AnswerOf = (ports, direction) =>
  ports.map((port) => sdpLines(`m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', `a=${direction}`)).join('')

/** Starts a scenario in which a recorder calls somebody. */
export function startSippRecorder(
  t: TestContext,
  scenario: string,
  keys: Keys,
  remote: { readonly user: string; readonly port: number },
): Promise<SippRecorder> {
  return open(t, { scenario, transport: 'tcp', remote }, keys, 2)
}

async function open(
  t: TestContext,
  run: Run,
  keys: Keys | ((ports: readonly number[], port: number) => Keys),
  lines: number,
): Promise<SippRecorder> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
  let started: Sipp | undefined
  t.after(async () => {
    started?.stop()
    // Whoever waited in vain for the scenario to go on wants to know why it did not.
    await started?.succeeded().catch((error: unknown) => t.diagnostic(`${error}`.slice(0, DIAGNOSTIC_CHARACTERS)))
    await rm(folder, { recursive: true, force: true })
  })
  const sockets: Socket[] = []
  while (sockets.length < lines) sockets.push(await bound(t))
  const payloads: Uint8Array[][] = sockets.map(() => [])
  const datagrams: Datagram[][] = sockets.map(() => [])
  for (const [line, socket] of sockets.entries()) {
    socket.on('message', (data, { port }) => {
      datagrams[line]!.push({ bytes: data, fromPort: port })
      // A mix names those whose voices are in it (RFC 3550 section 5.1).
      if (isRtp(data)) payloads[line]!.push(data.subarray(RTP_HEADER_BYTES + 4 * (data[0]! & 15)))
    })
  }
  const ports = sockets.map((socket) => `${socket.address().port}`)
  const numbered = Object.fromEntries(ports.map((port, line) => [`rtp_${line + 1}`, port]))
  const argsOf = (port: number): string[] => {
    const given = Object.entries({
      ...numbered,
      rtp_ports: ports.join(' '),
      snapshots: 'never',
      labels: 'fresh',
      ...(typeof keys === 'function' ? keys(ports.map(Number), port) : keys),
    })
    return [...(run.args ?? []), '-d', `${STEP_MS}`, ...given.flatMap(([key, value]) => ['-key', key, value])]
  }
  const sipp = await startSipp({ ...run, folder, args: argsOf })
  started = sipp
  return {
    ...sipp,
    uri: `sip:recorder@${HOST}:${sipp.port};transport=tcp`,
    packets: (line) => (line === undefined ? payloads : [payloads[line]!]).reduce((sum, { length }) => sum + length, 0),
    audio: (line) => decodePcmu(Buffer.concat(payloads[line]!)),
    datagrams: (line) => datagrams[line]!,
  }
}

/** Waits until a recorder hears more, of one m-line where that is told. */
export async function untilHeard(recorder: SippRecorder, more = 20, line?: number): Promise<void> {
  const from = recorder.packets(line)
  await until('the recorder hears more', () => recorder.packets(line) >= from + more)
}

/** Has a talk recorded until a recorder hears it, and stops. */
export async function recordAt(talk: Talk, servers: string, recorder: SippRecorder): Promise<void> {
  assert.equal((await talk.rest('start', servers)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
}

/** Waits until a talk has gone on for a while and tells how many packets reached the recorder meanwhile. */
export async function packetsDuring(recorder: SippRecorder, heard: () => number): Promise<number> {
  // What was sent before is still to be read.
  await new Promise(setImmediate)
  const [from, packets] = [heard(), recorder.packets()]
  await until('the talk goes on', () => heard() >= from + MUTE_MS * 8)
  return recorder.packets() - packets
}

/** Version 2 and a payload type that is no RTCP (RFC 5761 section 4). */
function isRtp(data: Uint8Array): boolean {
  const type = data[1]! & 0x7f
  return data[0]! >> 6 === 2 && (type < 64 || type > 95)
}

async function bound(t: TestContext): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, HOST)
  await once(socket, 'listening')
  t.after(() => socket.close())
  return socket
}
