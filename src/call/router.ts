// Where an inbound call goes: the first rule that matches the user part of its Request-URI.

import { AppError, messageOf } from '#kernel'
import type { SipUri } from '#sip'

/** One routing rule; exactly one of `flow` and `callee` is given. */
export interface RouteRule {
  /** The user part itself, or `re:` and a regular expression that the whole user part must match. */
  readonly match: string
  /** Name of the flow that takes the call. */
  readonly flow?: string
  /** SIP URI to connect the call to; `{user}` stands for the user part dialled. */
  readonly callee?: string
  /** How long the callee may ring; 60,000 unless given. */
  readonly ringTimeoutMs?: number
}

/** Where a call goes. */
export type Route =
  | { readonly kind: 'flow'; readonly flow: string }
  | { readonly kind: 'callee'; readonly target: string; readonly ringTimeoutMs: number }

/** Finds the route of a call; undefined when no rule matches. */
export interface Router {
  route(requestUri: SipUri): Route | undefined
}

const DEFAULT_RING_TIMEOUT_MS = 60_000
// Bounds the work that a costly expression can be made to do.
const MAX_USER_LENGTH = 128

/** Router over rules in order. Throws AppError `call.bad-route` for a rule that cannot work. */
export function createRouter(rules: readonly RouteRule[]): Router {
  const compiled = rules.map((rule) => ({ matches: matcherOf(rule), routeOf: routeMaker(rule) }))
  return {
    route: (requestUri) => {
      const user = requestUri.user ?? ''
      if (user.length > MAX_USER_LENGTH) return undefined
      return compiled.find((rule) => rule.matches(user))?.routeOf(user)
    },
  }
}

function matcherOf(rule: RouteRule): (user: string) => boolean {
  if (!rule.match.startsWith('re:')) return (user) => user === rule.match
  try {
    const expression = new RegExp(`^(?:${rule.match.slice('re:'.length)})$`, 'u')
    return (user) => expression.test(user)
  } catch (thrown) {
    throw badRoute(rule, messageOf(thrown))
  }
}

function routeMaker(rule: RouteRule): (user: string) => Route {
  const { flow, callee, ringTimeoutMs = DEFAULT_RING_TIMEOUT_MS } = rule
  if (flow !== undefined && callee === undefined) return () => ({ kind: 'flow', flow })
  if (callee !== undefined && flow === undefined) {
    return (user) => ({ kind: 'callee', target: callee.replaceAll('{user}', () => user), ringTimeoutMs })
  }
  throw badRoute(rule, 'exactly one of flow and callee must be given')
}

function badRoute(rule: RouteRule, why: string): AppError {
  return new AppError('call.bad-route', `route ${rule.match}: ${why}`, { result: 'client', reason: 'bad-route' })
}
