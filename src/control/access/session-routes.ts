// /api/session: signing in and out by a browser, and who one is.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { noContent } from '../contract.ts'
import type { HttpApp } from '../http-app.ts'
import { HttpError } from '../http-error.ts'
import { operation } from '../operation.ts'
import { type Access, type Principal, principalOf } from './access.ts'
import { sessionView, signedOut, signInBody } from './access-contract.ts'
import { sessionCookie } from './gate.ts'
import { type RateLimits, signInLimit } from './rate-limits.ts'
import type { Session } from './sessions.ts'
import type { Identity } from './sign-in.ts'

const signIn = operation(
  {
    id: 'signIn',
    summary: 'Sign in by name and password; sets a cookie',
    tag: 'access',
    scope: 'public',
    audit: { action: 'session.sign-in', detail: ({ name }) => ({ name }) },
  },
  { body: signInBody, response: { 200: sessionView } },
)
const getSession = operation(
  { id: 'getSession', summary: 'Who the caller is, and how to sign in', tag: 'access', scope: 'public' },
  { response: { 200: sessionView } },
)
const signOut = operation(
  { id: 'signOut', summary: 'Sign out', tag: 'access', scope: 'public', audit: { action: 'session.sign-out' } },
  { response: { 200: signedOut, 204: noContent } },
)

/** Adds the routes. */
export function sessionRoutes(app: HttpApp, access: Access, limits: RateLimits): void {
  const viewOf = (principal: Principal | undefined, session?: Session) => ({
    kind: principal?.kind ?? ('none' as const),
    name: principal?.name ?? '',
    scopes: [...(principal?.scopes ?? [])],
    signIn: [
      ...(access.signIn === undefined ? [] : (['password'] as const)),
      ...(access.oidc === undefined ? [] : (['oidc'] as const)),
    ],
    ...(access.oidc === undefined ? {} : { oidcLabel: access.oidc.label }),
    ...(session === undefined ? {} : { expiresAt: new Date(session.expiresAtMs).toISOString() }),
  })

  app.get('/api/session', getSession, async ({ principal, cookies }) => {
    const secret = principal?.kind === 'account' ? cookies[sessionCookie] : undefined
    return viewOf(principal, secret === undefined ? undefined : access.sessions.find(secret))
  })

  const limited = { ...signIn, config: { ...signIn.config, rateLimit: signInLimit(limits) } }
  app.post('/api/session', limited, async (request, reply) => {
    const { name, password } = request.body
    const identity = await access.signIn?.signIn(name, password)
    if (identity === undefined) throw new HttpError(401, 'sign-in-failed', 'name and password do not go together')
    const session = openSession(access, identity, request, reply)
    request.audited = { by: 'password', roles: identity.roles, session: session.id }
    return viewOf(principalOf(session), session)
  })

  app.delete('/api/session', signOut, async (request, reply) => {
    const secret = request.cookies[sessionCookie]
    const onward = secret === undefined ? undefined : access.sessions.find(secret)?.signOutUrl
    if (secret !== undefined) access.sessions.close(secret)
    reply.clearCookie(sessionCookie, cookieOptions(request))
    return onward === undefined ? await reply.code(204).send(null) : { signOutUrl: onward }
  })
}

/** Opens a session for somebody who has signed in by whatever way, and gives the browser its cookie. */
export function openSession(access: Access, identity: Identity, request: FastifyRequest, reply: FastifyReply): Session {
  const earlier = request.cookies[sessionCookie]
  if (earlier !== undefined) access.sessions.close(earlier)
  const { secret, session } = access.sessions.open(identity)
  reply.setCookie(sessionCookie, secret, cookieOptions(request))
  return session
}

function cookieOptions(request: FastifyRequest) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https' } as const
}
