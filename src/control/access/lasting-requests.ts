// Requests that last, as WebSockets and event streams do: they end with the session or the token that they were allowed by.

import type { FastifyRequest } from 'fastify'
import type { Clock, Timer } from '#kernel'
import type { HttpApp } from '../http-app.ts'
import type { Access, Principal } from './access.ts'
import { bearerOf, sessionCookie } from './gate.ts'

const LOOK_EVERY_MS = 5_000

/** Cuts what lasts once whoever asked may not ask any more; comes after the gate. */
export function endWithAccess(app: HttpApp, access: Access, clock: Clock): void {
  app.addHook('preHandler', async (request, reply) => {
    const { principal } = request
    if (principal === undefined || principal.kind === 'open' || !isLasting(request)) return
    const end = watch(request, principal, access, clock)
    // A connection may go on to other requests; a WebSocket is its connection.
    const lasting = request.ws ? request.raw.socket : reply.raw
    lasting.once('close', end)
  })
}

function isLasting({ ws, headers }: FastifyRequest): boolean {
  return ws || headers.accept?.includes('text/event-stream') === true
}

/** Looks until it is told to end. */
function watch(request: FastifyRequest, principal: Principal, access: Access, clock: Clock): () => void {
  const { cookies, raw } = request
  let timer: Timer | undefined
  let isOver = false
  const look = async (): Promise<void> => {
    const isAllowed = await access.isStill(principal, bearerOf(request), cookies[sessionCookie]).catch(() => false)
    if (!isAllowed) raw.socket.destroy()
    else if (!isOver) later()
  }
  const later = (): void => {
    timer = clock.after(LOOK_EVERY_MS, 'lasting request', () => void look())
  }
  later()
  return () => {
    isOver = true
    timer?.cancel()
  }
}
