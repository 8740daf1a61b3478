// One entry of the audit log, and the chain that it is part of: what was changed or left out later does not fit.

import { createHash } from 'node:crypto'
import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }

/** Who did what, when, from where, and what came of it. */
export const auditEntry = Type.Object(
  {
    seq: Type.Integer({ description: 'rises by one' }),
    time: Type.String({ description: 'ISO 8601, UTC' }),
    who: Type.Object({ kind: Type.String(), name: Type.String(), id: Type.String() }, closed),
    from: Type.String({ description: 'address' }),
    action: Type.String(),
    target: Type.Record(Type.String(), Type.String(), { description: 'what it was done to' }),
    detail: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    outcome: Type.Enum(['done', 'refused', 'failed']),
    status: Type.Integer({ description: 'of HTTP, or of SIP where it came by INFO; 101: a stream was opened' }),
    prev: Type.String({ description: 'hash of the entry before' }),
    hash: Type.String({ description: 'SHA-256 of `prev` and of all else' }),
  },
  closed,
)

/** See `auditEntry`. */
export type AuditEntry = Static<typeof auditEntry>

/** An entry before it has its place in the chain. */
export type AuditNews = Omit<AuditEntry, 'seq' | 'time' | 'prev' | 'hash'>

/** Where a chain begins. */
export const chainStart = '0'.repeat(64)

/** Gives an entry its hash. */
export function sealed(entry: Omit<AuditEntry, 'hash'>): AuditEntry {
  return { ...entry, hash: hashOf(entry) }
}

/** Whether an entry is as it was written, and follows `prev`; undefined: it is the first that is looked at. */
export function fits({ hash, ...entry }: AuditEntry, prev: string | undefined): boolean {
  return hash === hashOf(entry) && (prev === undefined || entry.prev === prev)
}

function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  return createHash('sha256').update(JSON.stringify(entry)).digest('hex')
}
