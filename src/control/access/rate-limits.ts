// How much one token, session or address may ask.

import rateLimit from '@fastify/rate-limit'
import type { HttpApp } from '../http-app.ts'
import { HttpError } from '../http-error.ts'

/** Requests in a minute. */
export interface RateLimits {
  /** By one token, one session, or one address without either. */
  readonly perMinute: number
  /** Attempts to sign in, by one address. */
  readonly signInsPerMinute: number
}

const MINUTE_MS = 60_000
const MOST_KEYS = 10_000

/** Limits the routes that are added from now on; where nobody has to sign in nobody is limited. */
export async function limitRates(app: HttpApp, { perMinute }: RateLimits): Promise<void> {
  await app.register(rateLimit, {
    max: perMinute,
    timeWindow: MINUTE_MS,
    cache: MOST_KEYS,
    keyGenerator: ({ principal, ip }) => (principal === undefined ? ip : `${principal.kind}/${principal.id}`),
    allowList: ({ principal }) => principal?.kind === 'open',
    errorResponseBuilder: (_request, { ttl }) =>
      new HttpError(429, 'too-many-requests', `too many requests; try again in ${Math.ceil(ttl / 1_000)} s`),
  })
}

/** Limit of a route that people sign in by, as its `config.rateLimit`. */
export function signInLimit({ signInsPerMinute }: RateLimits) {
  return {
    max: signInsPerMinute,
    timeWindow: MINUTE_MS,
    keyGenerator: ({ ip }: { ip: string }) => `sign-in/${ip}`,
    allowList: [] as string[],
  }
}
