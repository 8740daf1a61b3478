// The gate before every route: who asks, whether the page that asks is ours, and whether the scope of the route is theirs.

import cookies from '@fastify/cookie'
import type { FastifyRequest } from 'fastify'
import { invariant } from '#kernel'
import type { HttpApp } from '../http-app.ts'
import { HttpError } from '../http-error.ts'
import type { Access, Principal } from './access.ts'
import { allows, type Scope } from './scopes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined: nobody that is known. */
    principal: Principal | undefined
  }
}

/** Name of the cookie of a session. */
export const sessionCookie = 'session'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Has the caller of every route identified, before anything else is looked at. */
export async function identifyCallers(app: HttpApp, access: Access): Promise<void> {
  await app.register(cookies)
  const refused = new WeakSet<FastifyRequest>()
  app.decorateRequest('principal', undefined)
  app.addHook('onRequest', async (request) => {
    const found = await access.identify(bearerOf(request), request.cookies[sessionCookie])
    if (found === 'refused') refused.add(request)
    else request.principal = found
  })
  app.decorateRequest('isTokenRefused', function isTokenRefused(this: FastifyRequest) {
    return refused.has(this)
  })
}

declare module 'fastify' {
  interface FastifyRequest {
    isTokenRefused(): boolean
  }
}

/** Lets only those pass who have the scope of the route; comes after the limits, so that guesses count. A route of the API without a scope is a fault of ours. */
export function guardRoutes(app: HttpApp): void {
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope
    invariant(scope !== undefined || !route.url.startsWith('/api'), `${route.url} declares its scope`)
    const guard = async (request: FastifyRequest): Promise<void> => {
      checkOrigin(request)
      if (scope !== undefined && scope !== 'public') checkScope(request, scope)
    }
    route.onRequest = [...[route.onRequest ?? []].flat(), guard]
  })
}

/** Recordings are commanded by nobody here, whatever their scopes. */
export function refuseRecordingCommands(app: HttpApp): void {
  app.addHook('preHandler', async ({ routeOptions }) => {
    if (routeOptions.config.isRecordingCommand === undefined) return
    throw new HttpError(403, 'recording-control-off', 'recordings are not commanded by this API')
  })
}

function checkScope(request: FastifyRequest, scope: Scope): void {
  const { principal } = request
  if (request.isTokenRefused()) throw new HttpError(401, 'token-refused', 'the token is unknown, revoked or expired')
  if (principal === undefined) throw new HttpError(401, 'not-signed-in', 'sign in, or send a token')
  if (allows(principal.scopes, scope)) return
  throw new HttpError(403, 'scope-missing', `this needs the scope ${scope}`, { scope })
}

/** A page from elsewhere can have a browser send requests, with our cookie or from a machine that we trust; it cannot say that it is ours. */
function checkOrigin(request: FastifyRequest): void {
  const isChange = !SAFE_METHODS.has(request.method)
  if (!isChange && !request.ws) return
  const { origin } = request.headers
  if (origin !== undefined && hostOf(origin) !== request.host) {
    throw new HttpError(403, 'foreign-origin', 'a page from elsewhere may not ask for this')
  }
  if (isChange && request.principal?.kind === 'account' && request.headers['x-requested-by'] === undefined) {
    throw new HttpError(403, 'header-missing', 'requests with a session need the header X-Requested-By')
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

/** The token that a request brings. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}
