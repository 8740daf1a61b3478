// /api/events: the events as they happen, over WebSocket or as server-sent events, and the latest ones as a list.

import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Clock } from '#kernel'
import type { HttpApp } from '../http-app.ts'
import { operation } from '../operation.ts'
import { EventCursor, type EventFilter } from './event-cursor.ts'
import type { EventLog } from './event-log.ts'
import { EventSocket } from './event-socket.ts'
import { type ApiEvent, apiEvent } from './event-vocabulary.ts'

/** A comment so often keeps proxies from taking a quiet stream for a dead one. */
const COMMENT_EVERY_MS = 15_000

const eventQuery = Type.Object(
  {
    after: Type.Optional(
      Type.Integer({ minimum: 0, description: 'id of the last event that is known; those after it come first' }),
    ),
    types: Type.Optional(
      Type.String({ maxLength: 2_000, description: 'types, separated by commas; `recording.*` is all that begin so' }),
    ),
    callId: Type.Optional(Type.String({ maxLength: 128 })),
    recordingId: Type.Optional(Type.String({ maxLength: 128 })),
    limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100, description: 'of a list' }),
  },
  { additionalProperties: false },
)

const eventList = Type.Object(
  { lastId: Type.Integer({ description: 'of the latest event that there is' }), items: Type.Array(apiEvent) },
  { additionalProperties: false },
)

const listEvents = operation(
  {
    id: 'listEvents',
    summary: 'Events: over WebSocket, as server-sent events, or as a list',
    description:
      'With `Upgrade: websocket` each message is one event; with `Accept: text/event-stream` it is a stream of server-sent events, which goes on from Last-Event-ID; else the answer is a list, oldest first.',
    tag: 'events',
    scope: 'events:read',
  },
  { querystring: eventQuery, response: { 200: eventList } },
)

/** Adds the route; streams are given up when the application closes. */
export function eventRoutes(app: HttpApp, log: EventLog, clock: Clock): void {
  const streams = new Set<Readable>()
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.destroy()
  })

  app.route({
    method: 'GET',
    url: '/api/events',
    ...listEvents,
    handler: async (request, reply) => {
      const { query, headers } = request
      const isStream = request.method === 'GET' && headers.accept?.includes('text/event-stream') === true
      if (!isStream)
        return listOf(log, new EventCursor(log, filterOf(query), query.after ?? log.missedUpTo), query.limit)
      const after = query.after ?? idOf(headers['last-event-id'])
      const stream = eventStream(log, new EventCursor(log, filterOf(query), after), clock)
      streams.add(stream)
      stream.once('close', () => streams.delete(stream))
      reply.type('text/event-stream').header('x-accel-buffering', 'no')
      return reply.send(stream as never)
    },
    wsHandler: (socket, request) => {
      const { query } = request
      new EventSocket(socket, new EventCursor(log, filterOf(query), query.after), log, clock)
    },
  })
}

function listOf(log: EventLog, cursor: EventCursor, limit: number): { lastId: number; items: ApiEvent[] } {
  const items: ApiEvent[] = []
  for (let event = cursor.take(); event !== undefined; event = cursor.take()) {
    items.push(event)
    if (items.length === limit) break
  }
  return { lastId: log.lastId, items }
}

/** Events as text, written as fast as they are read. */
function eventStream(log: EventLog, cursor: EventCursor, clock: Clock): Readable {
  let isReading = false
  const stream = new Readable({
    read: () => {
      isReading = true
      pump()
    },
  })
  const pump = (): void => {
    while (isReading) {
      const event = cursor.take()
      if (event === undefined) return
      isReading = stream.push(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    }
  }
  const unsubscribe = log.added.add(pump)
  const comment = (): void => {
    if (isReading) stream.push(': here\n\n')
    timer = clock.after(COMMENT_EVERY_MS, 'event stream', comment)
  }
  let timer = clock.after(COMMENT_EVERY_MS, 'event stream', comment)
  stream.once('close', () => {
    unsubscribe()
    timer.cancel()
  })
  stream.push(': events\n\n')
  return stream
}

function filterOf({
  types,
  callId,
  recordingId,
}: {
  readonly types?: string
  readonly callId?: string
  readonly recordingId?: string
}): EventFilter {
  return {
    ...(types === undefined ? {} : { types: types.split(',').map((type) => type.trim()) }),
    ...(callId === undefined ? {} : { callId }),
    ...(recordingId === undefined ? {} : { recordingId }),
  }
}

function idOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}\d?$/.test(header) ? Number(header) : undefined
}
