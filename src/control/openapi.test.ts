import assert from 'node:assert/strict'
import { test } from 'node:test'
import Schema from 'typebox/schema'
import { emptyViews, withApp } from '../../test/harness/http-fixture.ts'

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly 'x-audit-action'?: string
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>>
}

interface Document {
  readonly openapi: string
  readonly info: { readonly version: string }
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const views = {
  captures: { list: () => [], get: () => undefined },
  recorders: { list: () => [] },
  spool: { list: () => [] },
  flows: {
    list: () => [],
    get: () => undefined,
    validate: () => ({ isValid: true, mistakes: [], warnings: [] }),
    dryRun: async () => ({ problem: 'none' }),
  },
}

test('every route is described, with an id, a summary, a group, a scope, its parameters and its errors', () =>
  withApp(async (app) => {
    const document: Document = (await app.inject('/api/openapi.json')).json()
    assert.match(document.openapi, /^3\.1\./)
    assert.equal(document.info.version, '1.2.3')
    const ids = new Set<string>()
    const groups = new Set(document.tags.map(({ name }) => name))
    for (const [method, url] of routesOf(app.printRoutes({ commonPrefix: false }))) {
      const path = url.replace(/:(\w+)/g, '{$1}')
      const operation = document.paths[path]?.[method]
      assert.ok(operation, `${method} ${url}`)
      assert.ok(operation.operationId && !ids.has(operation.operationId), `id of ${method} ${url}`)
      ids.add(operation.operationId)
      assert.ok(operation.summary && groups.has(operation.tags?.[0] ?? ''), `${method} ${url}`)
      assert.ok(operation.security !== undefined, `scope of ${method} ${url}`)
      assert.ok(operation.responses['4XX'] && operation.responses['5XX'], `errors of ${method} ${url}`)
      const named = operation.parameters?.filter((one) => one.in === 'path').map(({ name }) => name) ?? []
      assert.deepEqual(
        named,
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
      )
    }
    assert.ok(ids.size >= 60, `only ${ids.size} operations`)
  }, emptyViews))

test('what changes something, and what gives sound or messages, is in the audit log', () =>
  withApp(async (app) => {
    const document: Document = (await app.inject('/api/openapi.json')).json()
    const kept = ['recordings:play', 'calls:listen', 'captures:read', 'admin']
    const unaudited = Object.values(document.paths).flatMap((path) =>
      Object.entries(path).flatMap(([method, { operationId = '', security = [], ...operation }]) => {
        const isAsked = method !== 'get' || kept.some((scope) => security[0]?.['token']?.includes(scope))
        return isAsked && operation['x-audit-action'] === undefined ? [operationId] : []
      }),
    )
    // Lists, which name what is there, and flows that are only tried.
    const exempt = ['dryRunFlow', 'listCaptures', 'listTokens', 'listTraces', 'validateFlow']
    assert.deepEqual(unaudited.toSorted(), exempt)
  }, emptyViews))

test('what has a default may be left out of a request', () =>
  withApp(async (app) => {
    const document: Document = (await app.inject('/api/openapi.json')).json()
    const command = document.paths['/api/calls/{callId}/recording']?.['post']
    const schema = command?.requestBody?.content['application/json']?.schema ?? false
    assert.equal(Schema.Check(schema, { activity: 'stop' }), true)
    assert.equal(Schema.Check(schema, { activity: 'pause', limit: { maxSeconds: 5 } }), true)
    assert.equal(Schema.Check(schema, { activity: 'resume', recorder: 'sip:srs.example' }), true)
    assert.equal(Schema.Check(schema, {}), false)
    assert.equal(Schema.Check(schema, { activity: 'begin' }), false)
  }))

test('answers, errors among them, are as they are described', () =>
  withApp(async (app) => {
    const document: Document = (await app.inject('/api/openapi.json')).json()
    const post = { method: 'POST', payload: { activity: 'stop' } } as const
    for (const [path, url, request] of [
      ['/healthz', '/healthz', {}],
      ['/readyz', '/readyz', {}],
      ['/api/calls', '/api/calls', {}],
      ['/api/calls/{callId}', '/api/calls/call-1', {}],
      ['/api/calls/{callId}', '/api/calls/other', {}],
      ['/api/calls/{callId}/recording', '/api/calls/call-1/recording', post],
      ['/api/calls/{callId}/recording', '/api/calls/call-1/recording', { ...post, payload: {} }],
      ['/api/recordings', '/api/recordings', {}],
      ['/api/recordings', '/api/recordings?limit=0', {}],
      ['/api/recordings/{recordingId}', '/api/recordings/rec-1', {}],
      ['/api/captures', '/api/captures', {}],
      ['/api/recorders', '/api/recorders', {}],
      ['/api/spool', '/api/spool', {}],
    ] as const) {
      const answer = await app.inject({ ...request, url })
      const responses = document.paths[path]?.['method' in request ? 'post' : 'get']?.responses ?? {}
      const described = responses[answer.statusCode] ?? responses[`${String(answer.statusCode)[0]}XX`]
      const schema = described?.content?.['application/json']?.schema
      assert.ok(schema, `${url}: ${answer.statusCode}`)
      const [fits, faults] = Schema.Errors(schema, answer.json())
      assert.ok(fits, `${url}: ${JSON.stringify(faults)}`)
    }
  }, views))

/** Method and pattern of each route in the tree that fastify prints; HEAD goes with its GET. */
function routesOf(tree: string): [string, string][] {
  const found: [string, string][] = []
  const prefixes: string[] = []
  for (const line of tree.split('\n')) {
    const match = /^([\s│]*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?$/.exec(line)
    if (match === null) continue
    const depth = (match[1]?.length ?? 0) / 4
    prefixes.length = depth
    prefixes[depth] = match[2] ?? ''
    for (const method of match[3]?.split(', ') ?? []) {
      if (method !== 'HEAD' && method !== 'OPTIONS') found.push([method.toLowerCase(), prefixes.join('')])
    }
  }
  return found
}
