// One UDP socket of a leg or fork: sends from slots at once, connects when the peer is known, survives whatever comes.

import type { Socket } from 'node:dgram'
import { type Clock, type Endpoint, sameEndpoint } from '#kernel'
import type { RtpPort } from '#media'
import { RTP_HEADER_BYTES, type RtpHeader, writeRtpHeader } from '#rtp'
import { type SendSlot, SLOT_BYTES, type SlotOwner, type SlotRing } from './slot-ring.ts'

/** What a socket reports. */
export interface SocketListener {
  onDatagram(bytes: Uint8Array, host: string, port: number): void
  /** A send failed or an ICMP error came back; `code` is the system's. */
  onSendError(code: string): void
  /** A bug of ours, met while handling a datagram. */
  onFault(fault: unknown): void
}

/** Sends and receives on a bound socket, which stays the property of its port pool. */
export class RtpSocket implements RtpPort, SlotOwner {
  sendErrors = 0
  readonly #socket: Socket
  readonly #slots: SlotRing
  readonly #listener: SocketListener
  #target: Endpoint | undefined
  #isConnected = false
  #isClosed = false
  #inFlight = 0
  #onDrained: (() => void)[] = []

  constructor(socket: Socket, slots: SlotRing, listener: SocketListener) {
    this.#socket = socket
    this.#slots = slots
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

  send(header: RtpHeader, bytes: Uint8Array, payloadOffset: number, payloadLength: number): boolean {
    const size = RTP_HEADER_BYTES + payloadLength
    const slot = this.#slotFor(size)
    if (slot === undefined) return false
    writeRtpHeader(slot.bytes, 0, header)
    slot.bytes.set(bytes.subarray(payloadOffset, payloadOffset + payloadLength), RTP_HEADER_BYTES)
    return this.#transmit(slot, size)
  }

  /** Sends a datagram that is complete. */
  sendDatagram(bytes: Uint8Array): boolean {
    const slot = this.#slotFor(bytes.length)
    if (slot === undefined) return false
    slot.bytes.set(bytes)
    return this.#transmit(slot, bytes.length)
  }

  /** Resolves when nothing is queued any more, with false when that took longer than `timeoutMs`. */
  async drained(clock: Clock, timeoutMs: number): Promise<boolean> {
    if (this.#isIdle()) return true
    return await new Promise((resolve) => {
      const timer = clock.after(timeoutMs, 'drain', () => resolve(false))
      this.#onDrained.push(() => {
        timer.cancel()
        resolve(true)
      })
    })
  }

  /** Stops sending and listening; the pool closes the socket itself. */
  close(): void {
    this.#isClosed = true
    this.#socket.removeAllListeners('message')
  }

  onSent(error: Error | null): void {
    this.#inFlight--
    if (error !== null) this.#onError(error)
    if (this.#onDrained.length === 0 || !this.#isIdle()) return
    const waiting = this.#onDrained
    this.#onDrained = []
    for (const resolve of waiting) resolve()
  }

  #isIdle(): boolean {
    return this.#inFlight === 0 && (this.#isClosed || this.#socket.getSendQueueCount() === 0)
  }

  #slotFor(size: number): SendSlot | undefined {
    if (this.#isClosed || this.#target === undefined || size > SLOT_BYTES) return undefined
    return this.#slots.take()
  }

  #transmit(slot: SendSlot, size: number): boolean {
    const target = this.#target
    if (target === undefined) return false
    slot.owner = this
    this.#inFlight++
    try {
      if (this.#isConnected) this.#socket.send(slot.bytes, 0, size, slot.done)
      else this.#socket.send(slot.bytes, 0, size, target.port, target.host, slot.done)
      return true
    } catch (error) {
      this.#inFlight--
      this.#slots.give(slot)
      this.#onError(error)
      return false
    }
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
