// /api/webhooks: how deliveries go, what could not be delivered, and having it delivered after all.

import { Type } from 'typebox'
import { apiEvent } from '../events/event-vocabulary.ts'
import { type HttpApp, listed } from '../http-app.ts'
import { found, notFound } from '../http-error.ts'
import { operation } from '../operation.ts'
import type { Webhooks } from './webhooks.ts'

const closed = { additionalProperties: false }

const webhookView = Type.Object(
  {
    id: Type.String(),
    url: Type.String({ description: 'without what may be secret in it' }),
    events: Type.Array(Type.String(), { description: 'empty: all' }),
    waiting: Type.Integer({ description: 'events in the queue' }),
    delivered: Type.Integer({ description: 'since the start' }),
    dead: Type.Integer({ description: 'events that were given up' }),
    last: Type.Optional(Type.Object({ at: Type.String(), result: Type.String() }, closed)),
    nextAttemptAt: Type.Optional(Type.String()),
  },
  closed,
)
const webhookList = Type.Object({ total: Type.Integer(), items: Type.Array(webhookView) }, closed)
const deadLetter = Type.Object(
  { event: apiEvent, reason: Type.String(), attempts: Type.Integer(), failedAt: Type.String() },
  closed,
)
const deadLetterList = Type.Object({ total: Type.Integer(), items: Type.Array(deadLetter) }, closed)
const webhookId = Type.String({ pattern: '^[0-9a-f]{1,64}$' })
const webhookParams = Type.Object({ webhookId }, closed)
const letterParams = Type.Object({ webhookId, eventId: Type.Integer({ minimum: 1 }) }, closed)

const listWebhooks = operation(
  { id: 'listWebhooks', summary: 'Webhooks and how their deliveries go', tag: 'events', scope: 'webhooks:read' },
  { response: { 200: webhookList } },
)
const listDeadLetters = operation(
  { id: 'listDeadLetters', summary: 'Events that could not be delivered', tag: 'events', scope: 'webhooks:read' },
  { params: webhookParams, response: { 200: deadLetterList } },
)
const retryDeadLetter = operation(
  {
    id: 'retryDeadLetter',
    summary: 'Have such an event delivered after all, behind what waits',
    tag: 'events',
    scope: 'webhooks:write',
    audit: { action: 'webhook.retry' },
  },
  { params: letterParams, response: { 202: webhookView } },
)

/** Adds the routes. */
export function webhookRoutes(app: HttpApp, webhooks: Webhooks): void {
  app.get('/api/webhooks', listWebhooks, async () => listed(webhooks.targets.map((target) => target.view())))

  app.get('/api/webhooks/:webhookId/dead-letters', listDeadLetters, async (request) => {
    const target = found(webhooks.find(request.params.webhookId), 'webhook')
    return listed(target.deadLetters)
  })

  app.post('/api/webhooks/:webhookId/dead-letters/:eventId/retry', retryDeadLetter, async (request, reply) => {
    const target = webhooks.find(request.params.webhookId)
    if (target?.revive(request.params.eventId) !== true) throw notFound('event that could not be delivered')
    return await reply.code(202).send(target.view())
  })
}
