// A party on loopback for media tests: two real UDP sockets, a talker in real time, and waiting with deadlines.

import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import type { MediaRemote, SrtpKeys } from '#engine'
import {
  MAX_SEAL_BYTES,
  newRtpView,
  parseRtcp,
  parseRtp,
  type RtcpPacket,
  type RtpHeader,
  type RtpView,
  SrtpReceiver,
  SrtpSender,
  writeRtpHeader,
} from '#rtp'

const HOST = '127.0.0.1'
const FRAME_MS = 20
const FRAME_BYTES = 160
const DEADLINE_MS = 5000

/** One RTP packet as it came. */
export interface HeardPacket {
  readonly header: RtpView
  readonly payload: Uint8Array
  readonly csrcs: readonly number[]
  readonly atMs: number
  readonly fromPort: number
}

/** Payload of a frame, different for each speaker and sequence number. */
export function frameOf(voice: number, sequence: number, byteCount = FRAME_BYTES): Uint8Array {
  return Uint8Array.from({ length: byteCount }, (_, index) => (voice * 37 + sequence * 5 + index) & 0xff)
}

function csrcsOf(bytes: Uint8Array, count: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return Array.from({ length: count }, (_unused, index) => view.getUint32(12 + 4 * index))
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  return await new Promise((resolve) => void socket.bind(0, HOST, () => resolve(socket)))
}

/** A party with an RTP and an RTCP socket. */
export class RtpParty {
  readonly heard: HeardPacket[] = []
  readonly rtcp: RtcpPacket[][] = []
  readonly rtcpFromPorts: number[] = []
  readonly rtpSocket: Socket
  readonly rtcpSocket: Socket
  sent = 0
  /** Number of the first frame that is spoken; near a wrap unless told otherwise. */
  firstSequence = 65_530
  /** Datagrams that our keys do not open. */
  unopened = 0
  #sender: SrtpSender | undefined
  #receiver: SrtpReceiver | undefined
  #checks = new Set<() => void>()
  #talk: NodeJS.Timeout | undefined

  private constructor(rtp: Socket, rtcp: Socket) {
    this.rtpSocket = rtp
    this.rtcpSocket = rtcp
    rtp.on('error', () => {})
    rtcp.on('error', () => {})
    rtp.on('message', (datagram, source) => {
      const bytes = this.#receiver === undefined ? datagram : this.#receiver.openRtp(datagram)
      if (bytes === undefined) {
        this.unopened++
        this.#check()
        return
      }
      const header = newRtpView()
      assert.ok(parseRtp(bytes, header), 'only RTP comes to the RTP port')
      const payload = bytes.subarray(header.payloadOffset, header.payloadOffset + header.payloadLength)
      const csrcs = csrcsOf(bytes, header.csrcCount)
      this.heard.push({ header, payload, csrcs, atMs: performance.now(), fromPort: source.port })
      this.#check()
    })
    rtcp.on('message', (datagram, source) => {
      const bytes = this.#receiver === undefined ? datagram : this.#receiver.openRtcp(datagram)
      if (bytes === undefined) return
      this.rtcp.push(parseRtcp(bytes))
      this.rtcpFromPorts.push(source.port)
      this.#check()
    })
  }

  static async open(): Promise<RtpParty> {
    return new RtpParty(await bound(), await bound())
  }

  get remote(): MediaRemote {
    return {
      rtp: { host: HOST, port: this.rtpSocket.address().port },
      rtcp: { host: HOST, port: this.rtcpSocket.address().port },
    }
  }

  /** Speaks SRTP from now on; the keys are those of the other side. */
  secure({ send, receive }: SrtpKeys): void {
    this.#sender = new SrtpSender(receive)
    this.#receiver = new SrtpReceiver(send)
  }

  /** Sends an RTCP compound. */
  report(toPort: number, compound: Uint8Array): void {
    const bytes = this.#sender === undefined ? compound : this.#sender.sealRtcp(compound)
    assert.ok(bytes !== undefined)
    this.rtcpSocket.send(bytes, toPort, HOST)
  }

  /** Sends one packet. */
  say(toPort: number, header: Partial<RtpHeader>, payload: Uint8Array): void {
    const size = 12 + payload.length
    const bytes = new Uint8Array(size + MAX_SEAL_BYTES)
    writeRtpHeader(bytes, 0, { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 1, ...header })
    bytes.set(payload, 12)
    const sealed = this.#sender?.sealRtp(bytes, size) ?? size
    assert.ok(sealed > 0)
    this.rtpSocket.send(bytes.subarray(0, sealed), toPort, HOST)
  }

  /** Speaks frames of `voice`, or this one again and again, every 20 ms until `hush`, as the source `ssrc`. */
  talk(
    toPort: number,
    voice: number | Uint8Array,
    ssrc = typeof voice === 'number' ? 0x1000 + voice : 0x1000,
    payloadType = 0,
  ): void {
    this.hush()
    const startMs = performance.now()
    let frame = 0
    const speak = (): void => {
      while (startMs + frame * FRAME_MS <= performance.now()) {
        const sequence = (this.firstSequence + frame) & 0xffff
        const timestamp = (0xfffffc00 + frame * FRAME_BYTES) >>> 0
        const payload = typeof voice === 'number' ? frameOf(voice, sequence) : voice
        this.say(toPort, { payloadType, sequence, timestamp, ssrc }, payload)
        this.sent++
        frame++
      }
      this.#talk = setTimeout(speak, Math.max(0, startMs + frame * FRAME_MS - performance.now()))
    }
    speak()
  }

  hush(): void {
    clearTimeout(this.#talk)
    this.#talk = undefined
  }

  /** Waits until `condition` holds, looking again at each packet that comes. */
  async until(what: string, condition: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!condition()) return
        clearTimeout(timer)
        this.#checks.delete(check)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#checks.delete(check)
        reject(new Error(`waited ${deadlineMs} ms in vain: ${what} (heard ${this.heard.length})`))
      }, deadlineMs)
      this.#checks.add(check)
    })
  }

  /** Waits until `count` more packets have come. */
  async hears(count: number): Promise<HeardPacket[]> {
    const from = this.heard.length
    await this.until(`${count} packets`, () => this.heard.length >= from + count)
    return this.heard.slice(from)
  }

  close(): void {
    this.hush()
    this.rtpSocket.close()
    this.rtcpSocket.close()
  }

  #check(): void {
    for (const check of [...this.#checks]) check()
  }
}

/** Asserts one SSRC and a sequence that grows by one from packet to packet. */
export function assertContinuous(packets: readonly HeardPacket[]): void {
  for (const [index, packet] of packets.entries()) {
    const before = packets[index - 1]
    if (before === undefined) continue
    assert.equal(packet.header.ssrc, before.header.ssrc, 'the SSRC stays')
    assert.equal(packet.header.sequence, (before.header.sequence + 1) & 0xffff, 'the sequence has no hole')
  }
}

/** How late a packet came by its RTP time, in milliseconds from an origin that all packets of one stream have in common. */
const latenessMs = (packet: HeardPacket, origin: HeardPacket): number =>
  packet.atMs - ((packet.header.timestamp - origin.header.timestamp) | 0) / 8

/** The least late of some packets: a machine that stalls makes packets late, never early. */
const leastMs = (packets: readonly HeardPacket[], origin: HeardPacket): number =>
  Math.min(...packets.map((packet) => latenessMs(packet, origin)))

/** Asserts that RTP time from the earlier to the later packets of a stream is the time that passed, give or take `toleranceMs`. */
export function assertWallTime(
  earlier: readonly HeardPacket[],
  later: readonly HeardPacket[],
  toleranceMs: number,
): void {
  const [origin] = earlier
  assert.ok(origin !== undefined && later.length > 0)
  const offMs = leastMs(later, origin) - leastMs(earlier, origin)
  assert.ok(Math.abs(offMs) <= toleranceMs, `RTP time is ${offMs.toFixed(1)} ms behind the time that passed`)
}

/** RTP time that is not that of the clock: a fault of the engine, or a machine that stood still as a source took over. */
export class OffTimeError extends Error {}

/** Waits until a packet comes whose RTP time has gone on since the earlier ones as time has, give or take `toleranceMs`. */
export async function untilWallTime(
  party: RtpParty,
  earlier: readonly HeardPacket[],
  toleranceMs: number,
): Promise<void> {
  const [origin] = earlier
  assert.ok(origin !== undefined)
  const beganMs = leastMs(earlier, origin)
  const offMs = (): number => latenessMs(party.heard.at(-1)!, origin) - beganMs
  try {
    await party.until('a packet that is on time', () => Math.abs(offMs()) <= toleranceMs)
  } catch {
    throw new OffTimeError(`RTP time stays ${offMs().toFixed(1)} ms behind the time that passed`)
  }
}
