// The web console's files: one page with a fresh nonce each time, and assets whose names change with their content.

import { readFileSync } from 'node:fs'
import fastifyStatic from '@fastify/static'
import type { HttpApp } from './http-app.ts'

const ASSET_AGE_SECONDS = 31_536_000

/** Makes the policy of the page; everything comes from here, and styles that scripts add carry the nonce. */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Where the built console is, and what its page is given. */
export interface ConsoleFiles {
  /** Folder with index.html and assets. */
  readonly folder: string
  /** A text nobody can guess, new at each call. */
  readonly nonce: () => string
}

/** Adds the page and its assets; throws when the console was not built. */
export function consoleFiles(app: HttpApp, { folder, nonce }: ConsoleFiles): void {
  const page = readFileSync(`${folder}/index.html`, 'utf8')
  app.get('/', async (_request, reply) => {
    const once = nonce()
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', contentSecurityPolicy(once))
      .header('referrer-policy', 'no-referrer')
    return page.replaceAll('%NONCE%', once)
  })
  app.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    index: false,
    maxAge: ASSET_AGE_SECONDS * 1000,
    immutable: true,
    setHeaders: (reply) => {
      reply.setHeader('cache-control', `public, max-age=${ASSET_AGE_SECONDS}, immutable`)
    },
  })
}
