// One UDP socket of a leg or fork: sends at once without copying, connects when the peer is known, survives whatever comes.

import type { Socket } from 'node:dgram'
import { type Clock, type Endpoint, sameEndpoint } from '#kernel'
import { headerOffset, type MediaPacket, type RtpPort } from '#media'
import { type RtpHeader, writeRtpHeader } from '#rtp'

/** One send in this many asks for its result: asking costs more than our share of the relay, and a peer that is gone stays gone. */
const RESULT_EVERY = 32
const DRAIN_LOOK_EVERY_MS = 1

/** What a socket reports. */
export interface SocketListener {
  onDatagram(bytes: Uint8Array, host: string, port: number): void
  /** A send failed or an ICMP error came back; `code` is the system's. */
  onSendError(code: string): void
  /** A bug of ours, met while handling a datagram. */
  onFault(fault: unknown): void
}

/** Sends and receives on a bound socket, which stays the property of its port pool. */
export class RtpSocket implements RtpPort {
  /** Failures seen: ICMP errors, and the results that were asked for. */
  sendErrors = 0
  readonly #socket: Socket
  readonly #listener: SocketListener
  #target: Endpoint | undefined
  #isConnected = false
  #isClosed = false
  #sends = 0
  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#onError(error)
  }

  constructor(socket: Socket, listener: SocketListener) {
    this.#socket = socket
    this.#listener = listener
    socket.on('message', (bytes, source) => {
      if (this.#isClosed) return
      try {
        listener.onDatagram(bytes, source.address, source.port)
      } catch (fault) {
        listener.onFault(fault)
      }
    })
    socket.on('error', (error) => this.#onError(error))
  }

  /** Where packets go. */
  get target(): Endpoint | undefined {
    return this.#target
  }

  /** Sends to `target` from now on; `connected` lets the system drop everybody else and report ICMP errors. */
  aim(target: Endpoint | undefined, connected: boolean): void {
    if (this.#isClosed) return
    const isSame = target !== undefined && this.#target !== undefined && sameEndpoint(target, this.#target)
    if (isSame && connected === this.#isConnected) return
    this.#disconnect()
    this.#target = target
    if (target === undefined || !connected) return
    this.#isConnected = true
    this.#socket.connect(target.port, target.host, (error?: Error) => {
      if (error === undefined || error === null) return
      this.#isConnected = false
      this.#onError(error)
    })
  }

  send(header: RtpHeader, packet: MediaPacket): boolean {
    const start = headerOffset(packet)
    const end = packet.payloadOffset + packet.payloadLength
    writeRtpHeader(packet.bytes, start, header, packet.csrcCount)
    const isWhole = start === 0 && end === packet.bytes.length
    const isSent = this.sendDatagram(isWhole ? packet.bytes : packet.bytes.subarray(start, end))
    // What the system could not take at once is still to be read from this memory.
    if (isSent && this.isQueueing) packet.bytes = new Uint8Array(packet.bytes)
    return isSent
  }

  /** Sends a datagram that is complete and not changed any more; false when there is no peer or the send failed at once. */
  sendDatagram(bytes: Uint8Array): boolean {
    const target = this.#target
    if (this.#isClosed || target === undefined) return false
    try {
      const onSent = this.#sends++ % RESULT_EVERY === 0 ? this.#onSent : undefined
      if (this.#isConnected) this.#socket.send(bytes, onSent)
      else this.#socket.send(bytes, target.port, target.host, onSent)
      return true
    } catch (error) {
      this.#onError(error)
      return false
    }
  }

  /** Whether the system has yet to take what was sent, and so still reads its memory. */
  get isQueueing(): boolean {
    return !this.#isClosed && this.#socket.getSendQueueCount() > 0
  }

  /** Resolves when nothing is queued any more, with false when that took longer than `timeoutMs`. */
  async drained(clock: Clock, timeoutMs: number): Promise<boolean> {
    const deadlineMs = clock.nowMs() + timeoutMs
    while (this.isQueueing) {
      if (clock.nowMs() >= deadlineMs) return false
      await new Promise<void>((resolve) => void clock.after(DRAIN_LOOK_EVERY_MS, 'drain', resolve))
    }
    return true
  }

  /** Stops sending and listening; the pool closes the socket itself. */
  close(): void {
    this.#isClosed = true
    this.#socket.removeAllListeners('message')
  }

  #disconnect(): void {
    if (!this.#isConnected) return
    this.#isConnected = false
    try {
      this.#socket.disconnect()
    } catch (error) {
      this.#onError(error)
    }
  }

  #onError(error: unknown): void {
    this.sendErrors++
    if (!this.#isClosed) this.#listener.onSendError((error as NodeJS.ErrnoException).code ?? 'unknown')
  }
}
