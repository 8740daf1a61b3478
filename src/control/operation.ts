// What every route says about itself: its place in OpenAPI, and the scope that it asks for.

import type { FastifySchema } from 'fastify'
import type { Scope } from './access/scopes.ts'
import type { Audited } from './audit/audit-trail.ts'
import { errors } from './contract.ts'
import type { ActivityOf } from './refused-commands.ts'

/** The groups of operations, and what each is about. */
export const tags = {
  calls: 'Calls under way and command over their recording',
  recordings: "The recorder's recordings",
  recorders: 'The recorders of the recording client',
  flows: 'The flows of the gateway',
  captures: 'Evidence of recording sessions that failed',
  events: 'What happens, as it happens',
  access: 'Signing in, and the tokens of programs',
  audit: 'Who did what',
  process: 'The process itself',
} as const

/** A route's description of itself. */
interface OperationAbout {
  /** Unique; clients are generated with it. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly tag: keyof typeof tags
  /** Whoever asks needs it; `public` asks for nothing. */
  readonly scope: Scope | 'public'
  /** What the audit log is told, if anything. */
  readonly audit?: Audited
  /** Starts, pauses, resumes or stops a recording. */
  readonly isRecordingCommand?: true
  /** Of a route whose path names a call: what a body commands over its recording. */
  readonly activityOf?: ActivityOf
}

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: Scope | 'public'
    isRecordingCommand?: true
  }
}

/** Options of a route: its schema with the errors that every route has, and its place in OpenAPI. */
export function operation<const S extends FastifySchema>(about: OperationAbout, schema: S) {
  const { id, summary, description, tag, scope, audit, isRecordingCommand, activityOf } = about
  return {
    schema: {
      ...schema,
      operationId: id,
      summary,
      ...(description === undefined ? {} : { description }),
      tags: [tag],
      ...(audit === undefined ? {} : { 'x-audit-action': audit.action }),
      ...(scope === 'public' ? { security: [] } : { security: [{ token: [scope] }, { session: [scope] }] }),
      response: { ...(schema.response as object), ...errors } as S['response'] & typeof errors,
    } as unknown as Omit<S, 'response'> & { response: S['response'] & typeof errors },
    config: {
      scope,
      ...(audit === undefined ? {} : { audit }),
      ...(isRecordingCommand === undefined ? {} : { isRecordingCommand }),
      ...(activityOf === undefined ? {} : { activityOf }),
    },
  }
}

/** An answer that is no JSON. */
export function file(description: string, ...mediaTypes: readonly string[]) {
  const content = Object.fromEntries(mediaTypes.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]))
  return { description, content } as unknown as { readonly description: string }
}
