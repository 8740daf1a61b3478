// A recording client that is nothing but text, on a socket of its own: it writes an INVITE byte by byte to a recorder that runs.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { encodePcma, encodePcmu, tone } from '#audio'
import { cryptoIds } from '#net'
import { type SrtpKey, SrtpSender } from '#rtp'
import { type ParsedSdp, parseSdp } from '#sdp'
import { parseMessage, type SipResponse, StreamFramer } from '#sip'
import { delay } from '../foreign/deadline.ts'
import { inviteBytes, RAW_CLIENT_IP, type RawInvite } from './raw-client.ts'
import { RECORDER_IP } from './recorder.ts'
import { RtpSource } from './rtp-source.ts'
import { until } from './until.ts'

const HOST = '127.0.0.1'
/** What each m-line says. */
export const LINE_TONES_HZ = [400, 1000, 1400, 1800] as const
const TONE_MS = 160
const PACKET_BYTES = 160
const PACKET_MS = 20
/** Packets of what each m-line says. */
export const LINE_PACKETS = TONE_MS / PACKET_MS

interface Wire {
  readonly port: number
  send(bytes: Uint8Array): void
}

/** One dialog with a recorder over UDP or TCP. */
export class RawSocketClient {
  readonly callId: string
  readonly #transport: 'udp' | 'tcp'
  readonly #recorderPort: number
  readonly #wire: Wire
  readonly #heard: SipResponse[]
  #to: string
  #cseq = 1

  private constructor(transport: 'udp' | 'tcp', recorderPort: number, wire: Wire, heard: SipResponse[]) {
    this.#transport = transport
    this.#recorderPort = recorderPort
    this.#wire = wire
    this.#heard = heard
    this.#to = `<sip:recorder@${HOST}:${recorderPort}>`
    // The port alone would not do: the system gives it again.
    this.callId = `raw-${cryptoIds.hex(8)}`
  }

  /** Opens a socket; it is closed after the test. */
  static async open(t: TestContext, transport: 'udp' | 'tcp', recorderPort: number): Promise<RawSocketClient> {
    const heard: SipResponse[] = []
    const hear = (bytes: Uint8Array, framing: 'stream' | 'datagram'): void => {
      const parsed = parseMessage(bytes, { transport: framing })
      if (parsed.ok && parsed.value.kind === 'response') heard.push(parsed.value)
    }
    const wire = transport === 'udp' ? await udpWire(t, recorderPort, hear) : await tcpWire(t, recorderPort, hear)
    return new RawSocketClient(transport, recorderPort, wire, heard)
  }

  /** Sends the INVITE and waits for the final answer, which it acknowledges. */
  async invite(options: RawInvite): Promise<SipResponse> {
    const { text = (whole) => whole } = options
    const ours = (whole: string): string =>
      text(whole)
        .replaceAll(RAW_CLIENT_IP, `${HOST}:${this.#wire.port}`)
        .replaceAll(RECORDER_IP, `${HOST}:${this.#recorderPort}`)
        .replace('raw-client', this.callId)
        .replace('z9hG4bK-raw', `z9hG4bK-${this.callId}`)
    this.#wire.send(inviteBytes({ ...options, text: ours }, this.#transport))
    return await this.#final()
  }

  /** Sends a request within the dialog and waits for its final answer. */
  async request(method: string, headers: readonly string[] = [], body = ''): Promise<SipResponse> {
    this.#cseq += 1
    this.#wire.send(this.#inDialog(method, headers, body))
    return await this.#final()
  }

  async #final(): Promise<SipResponse> {
    const isFinal = ({ status, headers }: SipResponse): boolean =>
      status >= 200 && (headers.get('CSeq') ?? '').startsWith(`${this.#cseq} `)
    await until(`a final answer to request ${this.#cseq}`, () => this.#heard.some(isFinal))
    const final = this.#heard.find(isFinal)!
    if ((final.headers.get('CSeq') ?? '').endsWith('INVITE') && final.status < 300) {
      this.#to = final.headers.get('To') ?? ''
      this.#wire.send(this.#inDialog('ACK', [], ''))
    }
    return final
  }

  #inDialog(method: string, headers: readonly string[], body: string): Uint8Array {
    const own = `${HOST}:${this.#wire.port}`
    const lines = [
      `${method} sip:recorder@${HOST}:${this.#recorderPort} SIP/2.0`,
      `Via: SIP/2.0/${this.#transport.toUpperCase()} ${own};branch=z9hG4bK-${this.callId}-${method}-${this.#cseq}`,
      'Max-Forwards: 70',
      'From: <sip:src@client.test>;tag=raw',
      `To: ${this.#to}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.#cseq} ${method}`,
      `Contact: <sip:src@${own}>;+sip.src`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ]
    return Buffer.from(lines.join('\r\n'))
  }
}

/** The answer that came with a 200. */
export function answerOf(response: SipResponse): ParsedSdp {
  assert.equal(response.status, 200, response.reason)
  const answer = parseSdp(response.body)
  assert.ok(answer.ok, 'the answer can be read')
  return answer.value
}

/** Sends some m-lines of an answer their own tones in its G.711, all at the same time and as fast as one speaks, sealed where a line has a key. */
export async function sendLineTones(
  t: TestContext,
  answer: ParsedSdp,
  lines: readonly number[],
  keys: readonly (SrtpKey | undefined)[] = [],
): Promise<void> {
  await Promise.all(
    lines.map(async (line) => {
      const source = await RtpSource.open({ host: HOST, port: answer.media[line]!.port }, 0x100 + line)
      t.after(() => source.close())
      const key = keys[line]
      if (key !== undefined) source.secure = new SrtpSender(key)
      const isALaw = answer.media[line]!.formats[0] === '8'
      if (isALaw) source.payloadType = 8
      const speech = (isALaw ? encodePcma : encodePcmu)(tone(LINE_TONES_HZ[line]!, TONE_MS))
      for (let at = 0; at < speech.length; at += PACKET_BYTES) {
        await source.sendPacket(speech.subarray(at, at + PACKET_BYTES))
        await delay(PACKET_MS)
      }
    }),
  )
}

async function udpWire(
  t: TestContext,
  port: number,
  hear: (bytes: Uint8Array, framing: 'datagram') => void,
): Promise<Wire> {
  const socket = createSocket('udp4', (bytes) => hear(bytes, 'datagram'))
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve))
  t.after(() => socket.close())
  return { port: socket.address().port, send: (bytes) => socket.send(bytes, port, HOST) }
}

async function tcpWire(
  t: TestContext,
  port: number,
  hear: (bytes: Uint8Array, framing: 'stream') => void,
): Promise<Wire> {
  const framer = new StreamFramer()
  const socket = connect(port, HOST)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  socket.on('data', (bytes) => {
    for (const output of framer.push(bytes)) if (output.type === 'message') hear(output.bytes, 'stream')
  })
  t.after(() => socket.destroy())
  return { port: socket.localPort!, send: (bytes) => void socket.write(bytes) }
}
