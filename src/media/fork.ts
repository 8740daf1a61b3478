// A fork: copies of what a tap sees, sent to one recorder as an RTP stream of its own (RFC 7866 section 8.2.3, RTP-07).

import type { CodecTable } from './codec.ts'
import type { Gate } from './gate.ts'
import type { MediaPacket, RtpPort } from './media-packet.ts'
import type { OutgoingStream } from './outgoing-stream.ts'

/** Copies packets to a recorder while its gate is open. */
export class Fork {
  readonly id: string
  readonly stream: OutgoingStream
  readonly gate: Gate
  held = 0
  sendErrors = 0
  firstAtMs: number | undefined
  readonly #port: RtpPort
  readonly #onFirstPacket: () => void
  #codecs: CodecTable | undefined

  constructor(id: string, stream: OutgoingStream, gate: Gate, port: RtpPort, onFirstPacket: () => void) {
    this.id = id
    this.stream = stream
    this.gate = gate
    this.#port = port
    this.#onFirstPacket = onFirstPacket
  }

  /** From now on packets may leave, in the encodings that the recorder accepted. */
  connect(codecs: CodecTable): void {
    this.#codecs = codecs
  }

  /** Copies one packet, or holds it back. */
  copy(packet: MediaPacket, nowMs: number): void {
    if (this.#codecs === undefined) return
    const payloadType = this.#codecs.sent(packet.payload)
    if (payloadType === undefined || !this.gate.isOpen) {
      if (payloadType !== undefined) this.held++
      this.stream.cut()
      return
    }
    const header = this.stream.stamp(packet, payloadType, nowMs)
    if (header === undefined) return
    if (!this.#port.send(header, packet)) this.sendErrors++
    if (this.firstAtMs !== undefined) return
    this.firstAtMs = nowMs
    this.#onFirstPacket()
  }
}
