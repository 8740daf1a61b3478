// /api/tokens: the tokens of programs.

import type { Clock } from '#kernel'
import { noContent } from '../contract.ts'
import { type HttpApp, listed } from '../http-app.ts'
import { notFound } from '../http-error.ts'
import { operation } from '../operation.ts'
import { tokenBody, tokenList, tokenMade, tokenParams } from './access-contract.ts'
import type { TokenFile, TokenView } from './token-file.ts'

const DAY_MS = 86_400_000

const listTokens = operation(
  { id: 'listTokens', summary: 'API tokens, without their text', tag: 'access', scope: 'admin' },
  { response: { 200: tokenList } },
)
const createToken = operation(
  {
    id: 'createToken',
    summary: 'Make an API token; its text is shown this once',
    tag: 'access',
    scope: 'admin',
    audit: { action: 'token.create', detail: ({ name, scopes }) => ({ name, scopes }) },
  },
  { body: tokenBody, response: { 201: tokenMade } },
)
const revokeToken = operation(
  {
    id: 'revokeToken',
    summary: 'Revoke an API token, at once',
    tag: 'access',
    scope: 'admin',
    audit: { action: 'token.revoke' },
  },
  { params: tokenParams, response: { 204: noContent } },
)

/** Adds the routes. */
export function tokenRoutes(app: HttpApp, tokens: TokenFile, clock: Clock): void {
  app.get('/api/tokens', listTokens, async () => listed((await tokens.list()).map(plain)))

  app.post('/api/tokens', createToken, async (request, reply) => {
    const { name, scopes, expiresInDays } = request.body
    const nowMs = clock.wallMs()
    const { text, view } = await tokens.create({
      name,
      scopes,
      nowMs,
      ...(expiresInDays === undefined ? {} : { expiresAtMs: nowMs + expiresInDays * DAY_MS }),
    })
    return await reply.code(201).send({ token: text, ...plain(view) })
  })

  app.delete('/api/tokens/:tokenId', revokeToken, async (request, reply) => {
    if (!(await tokens.revoke(request.params.tokenId))) throw notFound('token')
    return await reply.code(204).send(null)
  })
}

function plain(view: TokenView) {
  return { ...view, scopes: [...view.scopes] }
}
