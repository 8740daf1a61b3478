// One recorded stream at the client: RTP out of the announced port, sender reports beside it, and the recorder's reports coming back.

import { randomBytes } from 'node:crypto'
import { delay } from './deadline.ts'
import { toALaw, toMuLaw } from './g711-tones.ts'
import { buildRtp, buildSenderReport, parseRtcp, RTCP_RR, type RtcpCompound, type SocketPair } from './rtp-wire.ts'
import type { MediaLine } from './sdp-text.ts'
import type { Address } from './sip-flow.ts'
import { cryptoLine, freshKey, keyOfLine, SrtpSide, type Suite } from './srtp-wire.ts'

/** A compound of the recorder's with its source, and its index where it was secured. */
type ReceivedRtcp = RtcpCompound & { readonly from: Address; readonly atMs: number; readonly srtcpIndex?: number }

/** How audio is sent. */
export type SendAudioOptions = {
  /** At 50 packets a second, as RFC 7245 wants it; true when unset. */
  readonly paced?: boolean
  /** Leaves out every n-th packet. */
  readonly lossEvery?: number
  /** Sends every n-th packet twice. */
  readonly repeatEvery?: number
  /** RTP timestamp of the first sample; goes on from the last one when unset. */
  readonly startTimestamp?: number
  /** Sends no sender reports. */
  readonly withoutRtcp?: boolean
  /** Takes a new SSRC first. */
  readonly freshSsrc?: boolean
}

/** What went out. */
export type SentAudio = {
  readonly packets: number
  readonly ssrc: number
  readonly firstTimestamp: number
  readonly endTimestamp: number
}

const FRAME_SAMPLES = 160
const FRAME_MS = 20
const BURST_PACKETS = 8
/** Five seconds (RFC 3550 section 6.2). */
const REPORT_EVERY_FRAMES = 250

/** The sockets of one m-line of the client. */
export class ClientStream {
  readonly pair: SocketPair
  readonly label: string | undefined
  readonly cname = randomBytes(12).toString('base64')
  readonly rtcp: ReceivedRtcp[] = []
  /** Of the recorder's RTCP, what does not open under its key, or came under an index of before. */
  readonly rtcpObjections: string[] = []
  /** Datagrams that left for the RTP port, if they are kept. */
  sent: Buffer[] | undefined
  readonly #suite: Suite | undefined
  #ours: SrtpSide | undefined
  #theirs: SrtpSide | undefined
  readonly #usedIndices = new Set<string>()
  /** Datagrams that came to the RTP port, where a recorder has nothing to send. */
  strayDatagrams = 0
  #ssrc = randomBytes(4).readUInt32BE()
  #sequence: number
  #timestamp = randomBytes(4).readUInt32BE()
  #packets = 0
  #octets = 0
  #target: MediaLine | undefined

  constructor(
    pair: SocketPair,
    label: string | undefined,
    changed: () => void,
    {
      suite,
      firstSequence = randomBytes(2).readUInt16BE(),
    }: { suite?: Suite | undefined; firstSequence?: number } = {},
  ) {
    this.pair = pair
    this.label = label
    this.#suite = suite
    this.#sequence = firstSequence
    this.takeFreshKey()
    pair.rtp.on('message', () => {
      this.strayDatagrams++
    })
    pair.rtcp.on('message', (raw, from) => {
      const opened = this.#openRtcp(raw)
      const compound = opened && parseRtcp(opened.compound)
      const index = opened?.index === undefined ? {} : { srtcpIndex: opened.index }
      const source = { host: from.address, port: from.port }
      if (compound) this.rtcp.push({ ...compound, ...index, from: source, atMs: Date.now() })
      changed()
    })
  }

  /** The recorder's m-line, once answered. */
  set target(line: MediaLine | undefined) {
    this.#target = line
    if (this.#suite === undefined || line === undefined || line.port === 0) return
    const key = keyOfLine(line.attributes, this.#suite)
    if (this.#theirs?.key.material.equals(key.material) !== true) this.#theirs = new SrtpSide(key)
  }

  /** The value of its crypto line; undefined for plain RTP. */
  get crypto(): string | undefined {
    return this.#ours && cryptoLine(this.#ours.key)
  }

  /** The keys of both directions. */
  get keys(): Buffer[] {
    return [this.#ours, this.#theirs].flatMap((side) => side?.key.material ?? [])
  }

  /** How often its sequence numbers have rolled over under the key in use. */
  get rollovers(): number {
    return this.#ours?.rollovers(this.#ssrc) ?? 0
  }

  /** The SRTP index of its last packet; undefined for plain RTP, -1 before the first under the key in use. */
  get lastIndex(): number | undefined {
    return this.#ours?.lastIndex(this.#ssrc)
  }

  /** Sends under another key from now on; it is still to be offered. */
  takeFreshKey(): void {
    if (this.#suite !== undefined) this.#ours = new SrtpSide(freshKey(this.#suite))
  }

  #openRtcp(raw: Buffer): { readonly compound: Buffer; readonly index?: number } | undefined {
    if (this.#suite === undefined) return { compound: raw }
    const opened = this.#theirs?.openRtcp(raw)
    if (opened === undefined) this.rtcpObjections.push('RFC 3711 3.4: RTCP that does not authenticate')
    else {
      const used = `${this.#theirs!.key.material.toString('hex')} ${opened.index}`
      if (this.#usedIndices.has(used)) this.rtcpObjections.push(`RFC 3711 9.1: SRTCP index ${opened.index} used twice`)
      this.#usedIndices.add(used)
    }
    return opened
  }

  #sendRtp(raw: Buffer, line: MediaLine): void {
    this.sent?.push(raw)
    this.pair.rtp.send(raw, line.port, line.address)
  }

  /** How many receiver reports came. */
  get receiverReports(): number {
    return this.rtcp.filter((compound) => compound.types.includes(RTCP_RR)).length
  }

  #line(): MediaLine {
    if (this.#target === undefined || this.#target.port === 0)
      throw new Error('the recorder has no port for this stream')
    return this.#target
  }

  /** Sends 8 kHz samples in the first G.711 codec of the answer. */
  async send(samples: Int16Array, options: SendAudioOptions = {}): Promise<SentAudio> {
    const line = this.#line()
    const codec = line.codecs.find((one) => ['PCMU', 'PCMA'].includes(one.name.toUpperCase()))
    if (codec === undefined) throw new Error('the answer has no G.711 codec')
    const encode = codec.name.toUpperCase() === 'PCMU' ? toMuLaw : toALaw
    if (options.freshSsrc) this.#ssrc = randomBytes(4).readUInt32BE()
    if (options.startTimestamp !== undefined) this.#timestamp = options.startTimestamp >>> 0
    const firstTimestamp = this.#timestamp
    const startedMs = Date.now()
    if (options.withoutRtcp !== true) this.report()
    let sent = 0
    const frames = Math.ceil(samples.length / FRAME_SAMPLES)
    for (let i = 0; i < frames; i++) {
      if (i > 0 && i % REPORT_EVERY_FRAMES === 0 && options.withoutRtcp !== true) this.report()
      const frame = samples.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES)
      const isLost = options.lossEvery !== undefined && (i + 1) % options.lossEvery === 0
      if (!isLost) {
        const raw = this.#packet(codec.payloadType, i === 0, Buffer.from(Array.from(frame, encode)))
        const times = options.repeatEvery !== undefined && (i + 1) % options.repeatEvery === 0 ? 2 : 1
        for (let n = 0; n < times; n++) this.#sendRtp(raw, line)
        sent++
        this.#packets++
        this.#octets += frame.length
      }
      this.#sequence = (this.#sequence + 1) & 0xffff
      this.#timestamp = (this.#timestamp + frame.length) >>> 0
      if (options.paced !== false) await delay(Math.max(0, startedMs + (i + 1) * FRAME_MS - Date.now()))
      else if (i % BURST_PACKETS === BURST_PACKETS - 1) await delay(1)
    }
    if (options.withoutRtcp !== true) this.report()
    return { packets: sent, ssrc: this.#ssrc, firstTimestamp, endTimestamp: this.#timestamp }
  }

  /** Sends a key as RFC 4733 events: a mark, updates each 20 ms, the end three times, all with one timestamp. */
  async sendDigit(digit: string, durationMs = 100): Promise<void> {
    const line = this.#line()
    const codec = line.codecs.find((one) => one.name.toLowerCase() === 'telephone-event')
    if (codec === undefined) throw new Error('the answer has no telephone-event')
    const event = '0123456789*#ABCD'.indexOf(digit)
    const steps = Math.max(1, Math.round(durationMs / FRAME_MS))
    for (let i = 1; i <= steps + 2; i++) {
      const duration = Math.min(i, steps) * FRAME_SAMPLES
      const payload = Buffer.from([event, (i >= steps ? 0x80 : 0) | 10, duration >> 8, duration & 0xff])
      this.#sendRtp(this.#packet(codec.payloadType, i === 1, payload), line)
      this.#sequence = (this.#sequence + 1) & 0xffff
      if (i < steps) await delay(FRAME_MS)
    }
    this.#timestamp = (this.#timestamp + steps * FRAME_SAMPLES) >>> 0
  }

  #packet(payloadType: number, marker: boolean, payload: Buffer): Buffer {
    const plain = buildRtp({
      payloadType,
      marker,
      sequence: this.#sequence,
      timestamp: this.#timestamp,
      ssrc: this.#ssrc,
      payload,
    })
    return this.#ours?.protectRtp(plain) ?? plain
  }

  /** Sends a sender report with the CNAME; a last one also says BYE. */
  report(isLast = false): void {
    const line = this.#target
    if (line === undefined || line.port === 0) return
    const report = {
      ssrc: this.#ssrc,
      atMs: Date.now(),
      rtpTimestamp: this.#timestamp,
      packets: this.#packets,
      octets: this.#octets,
    }
    const plain = buildSenderReport(report, this.cname, isLast)
    this.pair.rtcp.send(this.#ours?.protectRtcp(plain) ?? plain, line.rtcpPort, line.address)
  }

  close(): void {
    this.pair.close()
  }
}
