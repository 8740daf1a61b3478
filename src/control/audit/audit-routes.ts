// /api/audit: who did what.

import { Type } from 'typebox'
import type { HttpApp } from '../http-app.ts'
import { operation } from '../operation.ts'
import { auditEntry } from './audit-entry.ts'
import type { AuditLog } from './audit-log.ts'

const time = (description: string) =>
  Type.Optional(Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d(T[\\d:.]+Z)?$', description }))

const auditQuery = Type.Object(
  {
    before: Type.Optional(
      Type.Integer({ minimum: 1, description: 'seq of the oldest that is known: older ones follow' }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
    name: Type.Optional(Type.String({ maxLength: 128, description: 'of the account or token' })),
    action: Type.Optional(Type.String({ maxLength: 64, description: 'as `recording.play`, or `recording.*`' })),
    target: Type.Optional(Type.String({ maxLength: 128, description: 'id of a call, recording, recorder or token' })),
    since: time('ISO 8601, UTC'),
    until: time('ISO 8601, UTC'),
  },
  { additionalProperties: false },
)

const auditList = Type.Object({ items: Type.Array(auditEntry) }, { additionalProperties: false })

const listAudit = operation(
  { id: 'listAudit', summary: 'Who did what, newest first', tag: 'audit', scope: 'audit:read' },
  { querystring: auditQuery, response: { 200: auditList } },
)

/** Adds the route. */
export function auditRoutes(app: HttpApp, audit: AuditLog): void {
  app.get('/api/audit', listAudit, async ({ query }) => ({ items: await audit.read(query) }))
}
