// Events over one WebSocket: as many as the line takes, and an end to it when nobody is there any more.

import type { WebSocket } from 'ws'
import type { Clock } from '#kernel'
import { keepPulse } from '../socket-pulse.ts'
import type { EventCursor } from './event-cursor.ts'
import type { EventLog } from './event-log.ts'

/** What may wait to be sent; the rest waits in the log. */
const MOST_BUFFERED_BYTES = 262_144

/** Sends until the socket closes; a peer that leaves a ping without an answer is gone. */
export class EventSocket {
  readonly #socket: WebSocket
  readonly #cursor: EventCursor

  constructor(socket: WebSocket, cursor: EventCursor, log: EventLog, clock: Clock) {
    this.#socket = socket
    this.#cursor = cursor
    const unsubscribe = log.added.add(() => this.#pump())
    keepPulse(socket, clock)
    socket.once('close', unsubscribe)
    this.#pump()
  }

  #pump(): void {
    const socket = this.#socket
    while (socket.readyState === socket.OPEN && socket.bufferedAmount < MOST_BUFFERED_BYTES) {
      const event = this.#cursor.take()
      if (event === undefined) return
      socket.send(JSON.stringify(event), (fault) => fault ?? this.#pump())
    }
  }
}
