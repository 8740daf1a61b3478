// /api/session/oidc: the way to the provider, and the way back.

import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { HttpApp } from '../../http-app.ts'
import { file, operation } from '../../operation.ts'
import type { Access } from '../access.ts'
import { type RateLimits, signInLimit } from '../rate-limits.ts'
import { openSession } from '../session-routes.ts'
import { OIDC_PATH, type OidcSignIn, type Onward } from './oidc-sign-in.ts'
import { PENDING_SECONDS } from './pending-sign-in.ts'
import { type SignInTrouble, troubleTexts } from './trouble.ts'

const pendingCookie = 'sign-in'

const startQuery = Type.Object(
  {
    place: Type.String({
      pattern: '^/[!-~]{0,1023}$',
      default: '/',
      description: 'where in the console to go on, as after the # of its address',
    }),
    other: Type.Boolean({ default: false, description: 'have the sign-in service ask by which account' }),
  },
  { additionalProperties: false },
)

const onward = { 303: file('to the provider', 'text/html') }
const beginSignIn = operation(
  { id: 'beginOidcSignIn', summary: 'Send a browser to the sign-in service', tag: 'access', scope: 'public' },
  { querystring: startQuery, response: onward },
)
const finishSignIn = operation(
  {
    id: 'finishOidcSignIn',
    summary: 'Where the sign-in service sends a browser back to; sets the cookie of a session',
    tag: 'access',
    scope: 'public',
    audit: { action: 'session.sign-in' },
  },
  { response: { 303: file('to the console', 'text/html') } },
)

/** Adds the routes. */
export function oidcRoutes(app: HttpApp, access: Access, oidc: OidcSignIn, limits: RateLimits): void {
  const limited = <T extends { readonly config: object }>(route: T): T => ({
    ...route,
    config: { ...route.config, rateLimit: signInLimit(limits) },
  })

  app.get(OIDC_PATH, limited(beginSignIn), async (request, reply) => {
    const begun = await oidc.begin(`${request.protocol}://${request.host}`, request.query)
    return begun.ok ? await send(begun.value, request, reply) : refuse(reply, begun.error)
  })

  app.get(`${OIDC_PATH}/callback`, limited(finishSignIn), async (request, reply) => {
    const [, query = ''] = request.url.split(/\?(.*)/s, 2)
    const found = await oidc.finish(request.cookies[pendingCookie], query)
    const { maxAge: _, ...options } = cookieOptions(request)
    reply.clearCookie(pendingCookie, options)
    if (!found.ok) {
      request.audited = { by: 'oidc', refusal: found.error }
      return refuse(reply, found.error)
    }
    if ('url' in found.value) {
      request.audited = 'later'
      return await send(found.value, request, reply)
    }
    const { identity, subject, place } = found.value
    const session = openSession(access, identity, request, reply)
    const { name, roles } = identity
    request.audited = { by: 'oidc', name, subject, roles, session: session.id }
    return await reply.redirect(`/#${place}`, 303)
  })
}

async function send({ url, cookie }: Onward, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  return await reply.setCookie(pendingCookie, cookie, cookieOptions(request)).redirect(url.href, 303)
}

/** The way back comes from another site, so the cookie is sent on such ways too. */
function cookieOptions(request: FastifyRequest) {
  const secure = request.protocol === 'https'
  return { path: OIDC_PATH, httpOnly: true, sameSite: 'lax', secure, maxAge: PENDING_SECONDS } as const
}

const style =
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}main{max-width:32rem;margin:3rem auto;padding:0 1rem}'
const styleHash = createHash('sha256').update(style).digest('base64')

/** With another account it may be otherwise; without being asked the provider would take the same again. */
const isOfAccount: ReadonlySet<SignInTrouble> = new Set(['denied', 'not-allowed', 'no-role'])

/** A page in words: whoever reads it came here by a link of the provider, not by a script of ours. */
function refuse(reply: FastifyReply, trouble: SignInTrouble): FastifyReply {
  const { status, title, text } = troubleTexts[trouble]
  const again = isOfAccount.has(trouble)
    ? `<p><a href="${OIDC_PATH}?other=true">Sign in with another account</a></p>`
    : ''
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style></head><body><main><h1>${title}</h1><p>${text}</p><p><a href="/">Back to the sign-in page</a></p>${again}</main></body></html>`
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'`)
    .send(page)
}
