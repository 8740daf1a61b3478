// Events over one WebSocket: as many as the line takes, and an end to it when nobody is there any more.

import type { WebSocket } from 'ws'
import type { Clock, Timer } from '#kernel'
import type { EventCursor } from './event-cursor.ts'
import type { EventLog } from './event-log.ts'

/** What may wait to be sent; the rest waits in the log. */
const MOST_BUFFERED_BYTES = 262_144
const PING_EVERY_MS = 30_000

/** Sends until the socket closes; a peer that leaves a ping without an answer is gone. */
export class EventSocket {
  readonly #socket: WebSocket
  readonly #cursor: EventCursor
  readonly #clock: Clock
  #isAlive = true
  #timer: Timer

  constructor(socket: WebSocket, cursor: EventCursor, log: EventLog, clock: Clock) {
    this.#socket = socket
    this.#cursor = cursor
    this.#clock = clock
    const unsubscribe = log.added.add(() => this.#pump())
    this.#timer = this.#later()
    socket.on('pong', () => {
      this.#isAlive = true
    })
    socket.once('close', () => {
      unsubscribe()
      this.#timer.cancel()
    })
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

  #later(): Timer {
    return this.#clock.after(PING_EVERY_MS, 'event socket', () => {
      if (!this.#isAlive) {
        this.#socket.terminate()
        return
      }
      this.#isAlive = false
      this.#socket.ping()
      this.#timer = this.#later()
    })
  }
}
