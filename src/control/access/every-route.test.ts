// Every route of every view against nobody and against each scope there is, as the OpenAPI document tells of them.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock, MemoryLogger, seededIds } from '#kernel'
import { openAccess, withApp } from '../../../test/harness/http-fixture.ts'
import { AuditLog } from '../audit/audit-log.ts'
import { EventLog } from '../events/event-log.ts'
import type { HttpServerOptions } from '../http-server.ts'
import { Webhooks } from '../webhooks/webhooks.ts'
import { type Scope, scopeNames } from './scopes.ts'
import { TokenFile } from './token-file.ts'

interface Described {
  readonly security?: readonly Readonly<Record<string, Scope[]>>[]
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>
}

/** Knows nothing, whatever it is asked. */
function ignorant<T>(): T {
  return new Proxy({}, { get: (_target, name) => (name === 'then' ? undefined : async () => undefined) }) as T
}

test('every route of every view lets its own scope and the administrator through, and nobody else, HEAD as GET', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'routes-'))
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const events = new EventLog({ clock, keep: 10 })
  const audit = new AuditLog({ folder: join(folder, 'audit'), maxBytes: 1_000_000, keepFiles: 2, clock })
  const webhooks = await Webhooks.open({ targets: [], folder, events, clock, ids: seededIds(4), log })
  const tokens = new TokenFile(join(folder, 'tokens.json'), seededIds(3))
  const views = {
    captures: ignorant(),
    traces: ignorant(),
    recorders: ignorant(),
    flows: ignorant(),
    spool: ignorant(),
    clients: ignorant(),
    sessions: ignorant(),
    listening: ignorant(),
    recorderTests: ignorant(),
    testCalls: ignorant(),
    setUp: ignorant(),
  } as unknown as Partial<HttpServerOptions>
  const limits = { perMinute: 100_000, signInsPerMinute: 100 }
  const access = openAccess(clock, { isOpen: false, tokens })
  try {
    await withApp(
      async (app) => {
        const { paths } = (await app.inject('/api/openapi.json')).json()
        const bearer = new Map<Scope, { readonly authorization: string }>()
        for (const scope of scopeNames) {
          const { text } = await tokens.create({ name: scope, scopes: [scope], nowMs: clock.wallMs() })
          bearer.set(scope, { authorization: `Bearer ${text}` })
        }
        const guarded = new Set<Scope>()
        for (const [path, methods] of Object.entries(paths as Record<string, Record<string, Described>>)) {
          for (const [name, { security = [], responses = {} }] of Object.entries(methods)) {
            const [needed] = security.flatMap((one) => one['token'] ?? [])
            if (needed === undefined) continue
            guarded.add(needed)
            const isLasting = Object.values(responses).some(({ content = {} }) => 'text/event-stream' in content)
            for (const method of name === 'get' ? (['GET', 'HEAD'] as const) : [name.toUpperCase() as 'POST']) {
              const request = { method, url: path.replace(/\{\w+\}/g, 'abc') }
              const what = `${method} ${path}`
              const statusFor = async (scope?: Scope): Promise<number> =>
                (await app.inject({ ...request, headers: scope === undefined ? {} : bearer.get(scope)! })).statusCode
              assert.equal(await statusFor(), 401, what)
              for (const scope of scopeNames) {
                const isOwn = scope === needed || scope === 'admin'
                if (!isOwn) assert.equal(await statusFor(scope), 403, `${what} with ${scope}`)
                else if (!isLasting) assert.ok(![401, 403].includes(await statusFor(scope)), `${what} with ${scope}`)
              }
            }
          }
        }
        // `recordings:decrypt` is asked for within a route.
        assert.deepEqual(
          scopeNames.filter((scope) => !guarded.has(scope)),
          ['recordings:decrypt'],
        )
      },
      { access, limits, clock, events, audit, webhooks, host: '192.0.2.1', ...views },
    )
  } finally {
    await webhooks.close()
    await audit.close()
    await rm(folder, { recursive: true, force: true })
  }
})
