// Has what is done by the API written to the audit log. Audio leaves only when that is written.

import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { type Clock, type Logger, messageOf, settledWithin } from '#kernel'
import type { HttpApp } from '../http-app.ts'
import { HttpError } from '../http-error.ts'
import type { AuditEntry, AuditNews } from './audit-entry.ts'
import type { AuditLog } from './audit-log.ts'

/** What a route says of itself to the audit log. */
export interface Audited {
  /** E.g. `recording.play`. */
  readonly action: string
  /** What the body says that matters; it may be missing or anything. */
  readonly detail?: (body: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  /** The answer waits for the entry, and is 503 without it. */
  readonly isStrict?: boolean
  /** Repetitions by the same caller on the same target, as the ranges of a player, are one entry for so long. */
  readonly onceInMs?: number
  /** A request that is an entry of its own all the same, as one that plays from the beginning again. */
  readonly isAnew?: (request: FastifyRequest) => boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    audit?: Audited
  }
  interface FastifyRequest {
    /** What a handler has found out that matters, beside what the body says; later: a request that follows is to tell. */
    audited?: Readonly<Record<string, unknown>> | 'later'
  }
}

/** What a page asks for again and again while somebody looks at it is one entry in so long. */
export const LOOKED_AT_MS = 600_000

/** So long an answer waits for its entry, where it may be given without. */
const WRITTEN_MS = 1000
const MOST_REMEMBERED = 10_000
const OPENED = 101

/** Audits the routes that say so. */
export function keepAuditTrail(app: HttpApp, audit: AuditLog, clock: Clock, log: Logger): void {
  const handled = new WeakSet<FastifyRequest>()
  const recent = new Map<string, { readonly untilMs: number; readonly written: Promise<boolean> }>()

  const append = (news: AuditNews): Promise<boolean> =>
    audit.append(news).then(
      () => true,
      (fault: unknown) => {
        log.error('audit entry could not be written', { action: news.action, fault: messageOf(fault) })
        recent.clear()
        return false
      },
    )

  /** A repetition waits for the entry that stands for it too. */
  const appendOnce = (news: AuditNews, onceInMs: number, isAnew: boolean): Promise<boolean> => {
    const now = clock.nowMs()
    const key = JSON.stringify([news.who, news.from, news.action, news.target, news.detail])
    const earlier = recent.get(key)
    if (!isAnew && earlier !== undefined && earlier.untilMs > now) return earlier.written
    if (recent.size >= MOST_REMEMBERED) recent.clear()
    const written = append(news)
    recent.set(key, { untilMs: now + onceInMs, written })
    return written
  }

  const write = async (request: FastifyRequest, about: Audited, status: number): Promise<void> => {
    const news = newsOf(request, about, status)
    const isOnce = about.onceInMs !== undefined && news.outcome === 'done'
    const isAnew = about.isAnew?.(request) === true
    const written = isOnce ? appendOnce(news, about.onceInMs, isAnew) : append(news)
    if (about.isStrict !== true || news.outcome !== 'done') {
      // Who is answered finds it in the log, though the program were killed then; a disk that hangs keeps nobody waiting.
      await settledWithin(clock, WRITTEN_MS, written)
      return
    }
    if (await written) return
    throw new HttpError(503, 'audit-failed', 'this is given only if it can be written to the audit log, and it cannot')
  }

  app.addHook('preHandler', async (request) => {
    const { audit: about } = request.routeOptions.config
    if (about !== undefined && request.ws) await write(request, about, OPENED)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const { audit: about } = request.routeOptions.config
    if (about === undefined || request.method === 'HEAD' || request.audited === 'later' || handled.has(request)) return
    handled.add(request)
    try {
      await write(request, about, reply.statusCode)
    } catch (fault) {
      // Nobody else closes what is not sent.
      if (payload instanceof Readable) payload.destroy()
      throw fault
    }
  })
}

function newsOf(request: FastifyRequest, { action, detail }: Audited, status: number): AuditNews {
  const { principal, ip, params, body, audited } = request
  const { kind = 'none', name = '', id = '' } = principal ?? {}
  const isBody = typeof body === 'object' && body !== null
  const said = detail === undefined || !isBody ? undefined : detail(body as Readonly<Record<string, unknown>>)
  const found = audited === 'later' ? undefined : audited
  const more = said === undefined && found === undefined ? undefined : { ...said, ...found }
  return {
    who: { kind, name, id },
    from: ip,
    action,
    target: { ...(params as Readonly<Record<string, string>>) },
    ...(more === undefined ? {} : { detail: more }),
    outcome: outcomeOf(status),
    status,
  }
}

function outcomeOf(status: number): AuditEntry['outcome'] {
  if (status < 400) return 'done'
  return status < 500 ? 'refused' : 'failed'
}
