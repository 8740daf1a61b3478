// WebSockets of the application: small messages in, no compression, closed with the application.

import websocket from '@fastify/websocket'
import { type Logger, messageOf } from '#kernel'
import type { HttpApp } from './http-app.ts'

/** Clients have little to say. */
const MOST_RECEIVED_BYTES = 65_536
/** Given to a peer to say goodbye. */
const CLOSE_TIMEOUT_MS = 1_000
const limits = { maxPayload: MOST_RECEIVED_BYTES, perMessageDeflate: false, closeTimeout: CLOSE_TIMEOUT_MS }

/** Lets routes that are added from now on have a handler of WebSockets. */
export async function acceptWebSockets(app: HttpApp, log: Logger): Promise<void> {
  await app.register(websocket, {
    options: limits,
    errorHandler: (fault, socket) => {
      log.debug('web socket failed', { fault: messageOf(fault) })
      socket.terminate()
    },
  })
}
