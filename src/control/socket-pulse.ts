// Whether the peer of a WebSocket is still there: it is asked now and then, and given up when it has not answered.

import type { WebSocket } from 'ws'
import type { Clock, Timer } from '#kernel'

const PING_EVERY_MS = 30_000

/** Pings until the socket closes; a peer that leaves a ping without an answer is gone. */
export function keepPulse(socket: WebSocket, clock: Clock): void {
  let isAlive = true
  const later = (): Timer =>
    clock.after(PING_EVERY_MS, 'web socket', () => {
      if (!isAlive) {
        socket.terminate()
        return
      }
      isAlive = false
      socket.ping()
      timer = later()
    })
  let timer = later()
  socket.on('pong', () => {
    isAlive = true
  })
  socket.once('close', () => timer.cancel())
}
