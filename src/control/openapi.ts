// The description of the API (OpenAPI 3.1), made from the same schemas that validate it.

import swagger from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import { scopes } from './access/scopes.ts'
import type { HttpApp } from './http-app.ts'
import { file, operation, tags } from './operation.ts'

const getOpenApi = operation(
  { id: 'getOpenApi', summary: 'This description', tag: 'process', scope: 'public' },
  { response: { 200: file('an OpenAPI 3.1 document', 'application/json') } },
)

/** Has the routes that are added from now on described. */
export async function describeRoutes(app: HttpApp, version: string): Promise<void> {
  await app.register(swagger, {
    hideUntagged: true,
    transform: ({ schema, url }) => ({ schema: askingFor(schema), url }),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'siprec-gateway',
        version,
        description: 'Calls, recordings and recorders. Times are ISO 8601, UTC. Every error has a stable code.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: `An API token. Scopes:\n${scopeList()}` },
          session: { type: 'apiKey', in: 'cookie', name: 'session', description: 'Set by POST /api/session.' },
        },
      },
    },
  })
}

/** Adds /api/openapi.json. */
export function openApiRoute(app: HttpApp): void {
  app.get('/api/openapi.json', getOpenApi, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(app.swagger())),
  )
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly default?: unknown }>>
  readonly required?: readonly string[]
}

/** A client may leave out what has a default; what it gets is complete. */
function askingFor<S extends FastifySchema>(schema: S): S {
  const asked = { ...schema } as Record<'body' | 'querystring', unknown>
  for (const part of ['body', 'querystring'] as const)
    if (asked[part] !== undefined) asked[part] = optional(asked[part])
  return asked as unknown as S
}

function optional<T>(schema: T): T {
  const { properties = {}, required = [] } = schema as ObjectSchema
  if (required.length === 0) return schema
  const entries = Object.entries(properties).map(([name, property]) => [name, optional(property)])
  const needed = required.filter((name) => properties[name]?.default === undefined)
  return { ...schema, properties: Object.fromEntries(entries), required: needed } as T
}

function scopeList(): string {
  return Object.entries(scopes)
    .map(([name, allows]) => `- \`${name}\`: ${allows}`)
    .join('\n')
}
