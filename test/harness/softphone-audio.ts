// The media of a softphone: paced RTP out of a queue of samples, and a record of what is heard. 8 kHz mono.

import { decodePcma, decodePcmu, encodePcma, encodePcmu } from '#audio'
import { bindPortPair, closeSocket, type PortPair, type SrtpKeys } from '#engine'
import { type Clock, type Endpoint, type Ids, invariant, type Timer } from '#kernel'
import { MAX_SEAL_BYTES, newRtpView, parseRtp, RTP_HEADER_BYTES, SrtpReceiver, SrtpSender, writeRtpHeader } from '#rtp'

const FRAME_SAMPLES = 160
const FRAME_MS = 20
const SAMPLES_PER_MS = 8
const DIGITS = '0123456789*#ABCD'
const DIGIT_FRAMES = 5
const DIGIT_END_PACKETS = 3
const DIGIT_GAP_FRAMES = 4
// A step of the sender's clock above this starts a new stretch right where the last one ended.
const LONGEST_GAP_SAMPLES = 30 * 8000
const BIND_TRIES = 50

/** Voice codecs of a softphone. */
export type SoftCodec = 'PCMU' | 'PCMA' | 'OPUS'

/** Opus as a softphone needs it: a frame of 160 samples to a packet, and back. */
export interface OpusCodec {
  encode(samples: Int16Array): Uint8Array
  decode(payload: Uint8Array): Int16Array
}

const PAYLOAD_TYPES: Readonly<Record<SoftCodec, number>> = { PCMU: 0, PCMA: 8, OPUS: 111 }
/** Ticks of the Opus clock in one of 8 kHz. */
const OPUS_RATIO = 6

interface Utterance {
  readonly samples: Int16Array
  /** Place on the outgoing timeline; at once after the one before if undefined. */
  readonly atSample: number | undefined
}

interface Digit {
  readonly event: number
  readonly done: () => void
  frame: number
}

/** Sends and hears one call's audio. Silence is sent while there is nothing to say. */
export class SoftphoneAudio {
  readonly port: number
  /** Of the packets that it sends. */
  readonly ssrc: number
  /** Called with each packet that it sends. */
  onSent: ((bytes: Uint8Array) => void) | undefined
  /** Called with each voice packet that it hears. */
  onHeard: ((bytes: Uint8Array) => void) | undefined
  /** Needed for Opus. */
  opus: OpusCodec | undefined
  readonly #pair: PortPair
  readonly #clock: Clock
  readonly #queue: Utterance[] = []
  readonly #digits: Digit[] = []
  readonly #view = newRtpView()
  #sender: SrtpSender | undefined
  #receiver: SrtpReceiver | undefined
  #remote: Endpoint | undefined
  #codec: SoftCodec = 'PCMU'
  #eventPayloadType = 101
  #sequence: number
  #frames = 0
  #spoken = 0
  #startedAtMs = 0
  #timer: Timer | undefined
  #isMuted = false
  #losesEvery = 0
  #isClosed = false
  #digitAtFrame = 0
  #heard = new Int16Array(8000)
  #heardLength = 0
  #heardSsrc: number | undefined
  #heardOrigin = 0
  #packetsHeard = 0

  private constructor(pair: PortPair, clock: Clock, ids: Ids) {
    this.#pair = pair
    this.port = pair.port
    this.#clock = clock
    this.ssrc = ids.integer(2 ** 32)
    this.#sequence = ids.integer(2 ** 16)
    pair.rtp.on('message', (bytes) => this.#onPacket(bytes))
  }

  /** Binds an even port and its neighbour, wherever one is free. */
  static async open(host: string, clock: Clock, ids: Ids): Promise<SoftphoneAudio> {
    for (let i = 0; i < BIND_TRIES; i++) {
      const pair = await bindPortPair(host, 20_000 + 2 * ids.integer(6000))
      if (pair !== undefined) return new SoftphoneAudio(pair, clock, ids)
    }
    throw new Error('no free port pair for a softphone')
  }

  /** From now on the network loses each `count`-th packet of what is said; 0: none. */
  loseEvery(count: number): void {
    this.#losesEvery = count
  }

  /** Packets heard so far. */
  get packetsHeard(): number {
    return this.#packetsHeard
  }

  /** Speaks SRTP from now on, and hears nothing else. */
  secure({ send, receive }: SrtpKeys): void {
    this.#sender = new SrtpSender(send)
    this.#receiver = new SrtpReceiver(receive)
  }

  /** Sends to `remote` from now on; undefined: sends nothing. */
  sendTo(remote: Endpoint | undefined, codec: SoftCodec, eventPayloadType: number | undefined): void {
    this.#remote = remote
    this.#codec = codec
    this.#eventPayloadType = eventPayloadType ?? this.#eventPayloadType
    if (this.#timer !== undefined || this.#isClosed) return
    this.#startedAtMs = this.#clock.nowMs()
    this.#tick()
  }

  /** Stops or goes on sending; the timeline runs on. */
  mute(isMuted: boolean): void {
    this.#isMuted = isMuted
  }

  /** Says samples after what is queued; with `atMs`, not before that time since sending began. */
  say(samples: Int16Array, atMs?: number): void {
    this.#queue.push({ samples, atSample: atMs === undefined ? undefined : Math.round(atMs * SAMPLES_PER_MS) })
  }

  /** Says samples from the next frame on, if nothing is queued; returns when they are spoken, a frame before it is sent, in ms since 1970. */
  sayNow(samples: Int16Array): number {
    this.#queue.push({ samples, atSample: this.#frames * FRAME_SAMPLES })
    return this.#clock.wallMs() - this.#clock.nowMs() + this.#startedAtMs + (this.#frames - 1) * FRAME_MS
  }

  /** Sends digits as telephone-events (RFC 4733); resolves when the last has been sent. */
  async sendDigits(digits: string): Promise<void> {
    for (const digit of digits) {
      const event = DIGITS.indexOf(digit.toUpperCase())
      invariant(event >= 0, `not a digit: ${digit}`)
      await new Promise<void>((done) => this.#digits.push({ event, done, frame: 0 }))
    }
  }

  /** What was heard so far, by the sender's clock: gaps are silence. */
  heard(): Int16Array {
    return this.#heard.slice(0, this.#heardLength)
  }

  /** Stops and closes the sockets; harmless when repeated. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    for (const digit of this.#digits.splice(0)) digit.done()
    await Promise.all([closeSocket(this.#pair.rtp), closeSocket(this.#pair.rtcp)])
  }

  #tick(): void {
    const due = Math.floor((this.#clock.nowMs() - this.#startedAtMs) / FRAME_MS)
    for (; this.#frames <= due; this.#frames++) this.#sendFrame()
    const nextMs = this.#startedAtMs + this.#frames * FRAME_MS - this.#clock.nowMs()
    this.#timer = this.#clock.after(nextMs, 'softphone frame', () => this.#tick())
  }

  #sendFrame(): void {
    const digit = this.#digits[0]
    if (digit !== undefined) this.#sendDigitFrame(digit)
    else {
      const timestamp = this.#frames * FRAME_SAMPLES * (this.#codec === 'OPUS' ? OPUS_RATIO : 1)
      this.#send(this.#encode(this.#nextFrame()), PAYLOAD_TYPES[this.#codec], timestamp, this.#frames === 0)
    }
  }

  #encode(samples: Int16Array): Uint8Array {
    if (this.#codec === 'PCMU') return encodePcmu(samples)
    if (this.#codec === 'PCMA') return encodePcma(samples)
    invariant(this.opus !== undefined, 'a phone that speaks Opus has been given it')
    return this.opus.encode(samples)
  }

  #decode(payloadType: number, payload: Uint8Array): Int16Array {
    if (payloadType === 0) return decodePcmu(payload)
    return payloadType === 8 ? decodePcma(payload) : (this.opus?.decode(payload) ?? new Int16Array(0))
  }

  // The timestamp of all packets of an event is that of its beginning (RFC 4733 section 2.5.1.1).
  #sendDigitFrame(digit: Digit): void {
    if (digit.frame === 0) this.#digitAtFrame = this.#frames
    digit.frame += 1
    const timestamp = this.#digitAtFrame * FRAME_SAMPLES
    const isEnd = digit.frame === DIGIT_FRAMES
    if (digit.frame <= DIGIT_FRAMES) {
      const duration = digit.frame * FRAME_SAMPLES
      const payload = Uint8Array.of(digit.event, (isEnd ? 0x80 : 0) | 10, duration >> 8, duration & 0xff)
      for (let i = 0; i < (isEnd ? DIGIT_END_PACKETS : 1); i++) {
        this.#send(payload, this.#eventPayloadType, timestamp, digit.frame === 1)
      }
    } else if (digit.frame >= DIGIT_FRAMES + DIGIT_GAP_FRAMES) {
      this.#digits.shift()
      digit.done()
    }
  }

  #nextFrame(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES)
    const position = this.#frames * FRAME_SAMPLES
    for (let filled = 0; filled < FRAME_SAMPLES; ) {
      const utterance = this.#queue[0]
      if (utterance === undefined) break
      const waitSamples = this.#spoken === 0 ? (utterance.atSample ?? 0) - position - filled : 0
      if (waitSamples > 0) {
        filled += waitSamples
        continue
      }
      const part = utterance.samples.subarray(this.#spoken, this.#spoken + FRAME_SAMPLES - filled)
      frame.set(part, filled)
      filled += part.length
      this.#spoken += part.length
      if (this.#spoken < utterance.samples.length) continue
      this.#queue.shift()
      this.#spoken = 0
    }
    return frame
  }

  #send(payload: Uint8Array, payloadType: number, timestamp: number, marker: boolean): void {
    if (this.#remote === undefined || this.#isMuted) return
    const size = RTP_HEADER_BYTES + payload.length
    const packet = new Uint8Array(size + MAX_SEAL_BYTES)
    const sequence = this.#sequence
    this.#sequence = (sequence + 1) & 0xffff
    if (this.#losesEvery > 0 && sequence % this.#losesEvery === 0) return
    writeRtpHeader(packet, 0, { payloadType, marker, sequence, timestamp: timestamp >>> 0, ssrc: this.ssrc })
    packet.set(payload, RTP_HEADER_BYTES)
    this.onSent?.(packet.subarray(0, size))
    const sealed = this.#sender?.sealRtp(packet, size) ?? size
    this.#pair.rtp.send(packet.subarray(0, sealed), this.#remote.port, this.#remote.host, () => {})
  }

  #onPacket(datagram: Uint8Array): void {
    const view = this.#view
    const bytes = this.#receiver === undefined ? datagram : this.#receiver.openRtp(datagram)
    if (bytes === undefined) return
    if (!parseRtp(bytes, view) || !Object.values(PAYLOAD_TYPES).includes(view.payloadType)) return
    this.#packetsHeard += 1
    this.onHeard?.(bytes)
    const payload = bytes.subarray(view.payloadOffset, view.payloadOffset + view.payloadLength)
    const samples = this.#decode(view.payloadType, payload)
    const ratio = view.payloadType === PAYLOAD_TYPES.OPUS ? OPUS_RATIO : 1
    const place = Math.round(((view.timestamp - this.#heardOrigin) >>> 0) / ratio)
    const isFar = place > this.#heardLength + LONGEST_GAP_SAMPLES
    if (view.ssrc !== this.#heardSsrc || isFar) {
      this.#heardSsrc = view.ssrc
      this.#heardOrigin = (view.timestamp - this.#heardLength * ratio) >>> 0
    }
    this.#keep(samples, Math.round(((view.timestamp - this.#heardOrigin) >>> 0) / ratio))
  }

  #keep(samples: Int16Array, at: number): void {
    const end = at + samples.length
    if (end > this.#heard.length) {
      const larger = new Int16Array(2 * end)
      larger.set(this.#heard.subarray(0, this.#heardLength))
      this.#heard = larger
    }
    this.#heard.set(samples, at)
    this.#heardLength = Math.max(this.#heardLength, end)
  }
}
