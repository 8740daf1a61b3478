import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock, seededIds } from '#kernel'
import { emptyViews, type HttpFixture, openAccess, withApp } from '../../../test/harness/http-fixture.ts'
import type { HttpApp } from '../http-app.ts'
import type { Access } from './access.ts'
import { hashPassword } from './password.ts'
import type { Scope } from './scopes.ts'
import { AccountSignIn } from './sign-in.ts'
import { TokenFile } from './token-file.ts'

interface Bench {
  readonly app: HttpApp
  readonly own: HttpFixture
  readonly access: Access
  readonly clock: ManualClock
  tokenFor(...scopes: readonly Scope[]): Promise<{ readonly authorization: string }>
  /** Signs in and gives the cookie. */
  cookieOf(name: string): Promise<string>
}

type Paths = Readonly<Record<string, Readonly<Record<string, { readonly security: Record<string, Scope[]>[] }>>>>

const limits = { perMinute: 30, signInsPerMinute: 3 }

/** An API that nobody uses without signing in; the account `anna` is an agent, the password `tree`. */
async function withClosedApp(use: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gate-'))
  const clock = new ManualClock()
  const passwordHash = await hashPassword('tree')
  const access = openAccess(clock, {
    isOpen: false,
    signIn: new AccountSignIn([{ name: 'anna', passwordHash, role: 'agent' }]),
    tokens: new TokenFile(join(folder, 'tokens.json'), seededIds(3)),
  })
  try {
    await withApp(
      async (app, own) => {
        const tokenFor: Bench['tokenFor'] = async (...scopes) => {
          const { text } = await access.tokens.create({ name: 'test', scopes, nowMs: clock.wallMs() })
          return { authorization: `Bearer ${text}` }
        }
        const cookieOf = async (name: string): Promise<string> => {
          const payload = { name, password: 'tree' }
          const answer = await app.inject({ method: 'POST', url: '/api/session', payload })
          return String(answer.headers['set-cookie']).split(';')[0] ?? ''
        }
        await use({ app, own, access, clock, tokenFor, cookieOf })
      },
      { ...emptyViews, access, limits, host: '192.0.2.1', clock },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const stop = { method: 'POST', url: '/api/calls/call-1/recording', payload: { activity: 'stop' } } as const

/** What each route asks for: who changes one changes it here too. */
const scopeOf: Readonly<Record<string, readonly string[]>> = {
  public: [
    'delete /api/session',
    'get /api/openapi.json',
    'get /api/session',
    'get /healthz',
    'get /readyz',
    'post /api/session',
  ],
  'calls:read': [
    'get /api/calls',
    'get /api/calls/{callId}',
    'get /api/calls/{callId}/levels',
    'get /api/calls/{callId}/media',
  ],
  'calls:control': [
    'delete /api/calls/{callId}/parties/{leg}',
    'delete /api/test-calls/{testCallId}',
    'get /api/test-calls/{testCallId}',
    'post /api/calls/{callId}',
    'post /api/calls/{callId}/parties',
    'post /api/calls/{callId}/recording',
    'post /api/recorder/invitations',
    'post /api/recorder/sessions/{recordingId}/pause',
    'post /api/recorder/sessions/{recordingId}/resume',
    'post /api/recorder/sessions/{recordingId}/streams/{channel}/drop',
    'post /api/test-calls',
    'post /v1/Accounts/{accountSid}/Calls/{callId}',
    'put /api/calls/{callId}',
    'put /v1/Accounts/{accountSid}/Calls/{callId}',
  ],
  'calls:listen': ['get /api/calls/{callId}/listen', 'get /api/recorder/sessions/{recordingId}/listen'],
  'recordings:read': [
    'get /api/communication-session-groups/{groupId}',
    'get /api/communication-sessions/{sessionId}',
    'get /api/recorder/sessions',
    'get /api/recorder/sessions/{recordingId}',
    'get /api/recordings',
    'get /api/recordings/export',
    'get /api/recordings/facets',
    'get /api/recordings/{recordingId}',
    'get /api/recordings/{recordingId}/evidence',
    'get /api/recordings/{recordingId}/ledger',
    'get /api/recordings/{recordingId}/manifest',
    'get /api/recordings/{recordingId}/metadata',
    'get /api/recordings/{recordingId}/metadata/history',
    'get /api/recordings/{recordingId}/metadata/{number}',
    'get /api/recordings/{recordingId}/verdict',
    'get /api/refusals',
    'post /api/recordings/{recordingId}/verify',
  ],
  'recordings:play': [
    'get /api/recordings/archive',
    'get /api/recordings/{recordingId}/audio',
    'get /api/recordings/{recordingId}/peaks',
    'get /api/recordings/{recordingId}/text',
    'get /api/recordings/{recordingId}/vcon',
  ],
  'recordings:write': [
    'post /api/recordings/{recordingId}/hold',
    'post /api/recordings/{recordingId}/release',
    'post /api/recordings/{recordingId}/tags',
  ],
  'recordings:delete': ['delete /api/recordings/{recordingId}'],
  'recorders:read': ['get /api/recorders', 'get /api/set-up', 'get /api/spool'],
  'recorders:test': ['get /api/recorders/tests/{testId}', 'post /api/recorders/test'],
  'captures:read': [
    'get /api/calls/{callId}/trace',
    'get /api/captures',
    'get /api/captures/{captureId}',
    'get /api/refusals/{refusalId}',
    'get /api/traces',
  ],
  'flows:read': ['get /api/flows', 'get /api/flows/{name}', 'post /api/flows/dry-run', 'post /api/flows/validate'],
  'events:read': ['get /api/events'],
  'webhooks:read': ['get /api/webhooks', 'get /api/webhooks/{webhookId}/dead-letters'],
  'webhooks:write': ['post /api/webhooks/{webhookId}/dead-letters/{eventId}/retry'],
  'audit:read': ['get /api/audit'],
  'metrics:read': ['get /metrics'],
  admin: ['delete /api/tokens/{tokenId}', 'get /api/tokens', 'post /api/tokens'],
}

test('every route asks for the scope that is written down for it', () =>
  withClosedApp(async ({ app }) => {
    const { paths } = (await app.inject('/api/openapi.json')).json() as { readonly paths: Paths }
    const asked: Record<string, string[]> = {}
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { security }] of Object.entries(methods)) {
        const scope = security.flatMap((one) => one['token'] ?? []).join(' ') || 'public'
        asked[scope] = [...(asked[scope] ?? []), `${method} ${path}`].toSorted()
      }
    }
    assert.deepEqual(asked, scopeOf)
  }))

test('a token that is unknown or revoked is refused, and counts as nobody where nobody has to sign in too', async () => {
  await withClosedApp(async ({ app, access, tokenFor }) => {
    const headers = await tokenFor('admin')
    assert.equal((await app.inject({ url: '/api/tokens', headers })).statusCode, 200)
    const [token] = await access.tokens.list()
    await app.inject({ method: 'DELETE', url: `/api/tokens/${token?.id}`, headers })
    const answer = await app.inject({ url: '/api/tokens', headers })
    assert.deepEqual([answer.statusCode, answer.json().code], [401, 'token-refused'])
  })
  await withApp(async (app) => {
    const answer = await app.inject({ url: '/api/calls', headers: { authorization: 'Bearer srg_1_2' } })
    assert.equal(answer.statusCode, 401)
  })
})

test('a token is made, shown once, and listed without its text', () =>
  withClosedApp(async ({ app, tokenFor }) => {
    const headers = await tokenFor('admin')
    const payload = { name: 'dialler', scopes: ['calls:read'], expiresInDays: 1 }
    const made = await app.inject({ method: 'POST', url: '/api/tokens', headers, payload })
    assert.equal(made.statusCode, 201)
    const { token, expiresAt } = made.json()
    assert.equal(expiresAt, '2026-01-06T09:00:00.000Z')
    const calls = await app.inject({ url: '/api/calls', headers: { authorization: `Bearer ${token}` } })
    assert.equal(calls.statusCode, 200)
    const list = await app.inject({ url: '/api/tokens', headers })
    assert.ok(!list.body.includes(token) && list.body.includes('dialler'))
    const wrong = await app.inject({
      method: 'POST',
      url: '/api/tokens',
      headers,
      payload: { ...payload, scopes: ['all'] },
    })
    assert.match(wrong.json().details[0].expected, /calls:read/)
  }))

test('who signs in gets a cookie that scripts cannot read and other sites cannot send, and is known by it', () =>
  withClosedApp(async ({ app }) => {
    const payload = { name: 'anna', password: 'tree' }
    const answer = await app.inject({ method: 'POST', url: '/api/session', payload })
    assert.equal(answer.statusCode, 200)
    assert.match(String(answer.headers['set-cookie']), /^session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/)
    const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? ''
    const me = (await app.inject({ url: '/api/session', headers: { cookie } })).json()
    assert.deepEqual([me.kind, me.name, me.signIn], ['account', 'anna', ['password']])
    assert.equal((await app.inject({ url: '/api/calls', headers: { cookie } })).statusCode, 200)
    assert.equal((await app.inject({ url: '/api/tokens', headers: { cookie } })).statusCode, 403)
    const nobody = (await app.inject('/api/session')).json()
    assert.deepEqual([nobody.kind, nobody.scopes], ['none', []])
  }))

test('over TLS, also before a proxy that is believed, the cookie is for TLS only, and browsers stay with TLS', () =>
  withApp(
    async (app) => {
      const forwarded = {
        'x-forwarded-proto': 'https',
        'x-forwarded-for': '198.51.100.7',
        'x-forwarded-host': 'rec.example',
      }
      const answer = await app.inject({ url: '/api/session', method: 'DELETE', headers: forwarded })
      assert.match(String(answer.headers['set-cookie']), /; Secure/)
      assert.match(String(answer.headers['strict-transport-security']), /^max-age=\d+$/)
      const stranger = await app.inject({
        url: '/api/session',
        method: 'DELETE',
        headers: forwarded,
        remoteAddress: '192.0.2.66',
      })
      assert.doesNotMatch(String(stranger.headers['set-cookie']), /; Secure/)
    },
    { proxies: ['127.0.0.1'], host: '192.0.2.1' },
  ))

test('a session ends by signing out, and by its time', () =>
  withClosedApp(async ({ app, clock, cookieOf }) => {
    const [cookie, other] = [await cookieOf('anna'), await cookieOf('anna')]
    const statusOf = async (one: string) =>
      (await app.inject({ url: '/api/calls', headers: { cookie: one } })).statusCode
    const out = await app.inject({
      method: 'DELETE',
      url: '/api/session',
      headers: { cookie, 'x-requested-by': 'test' },
    })
    assert.equal(out.statusCode, 204)
    assert.deepEqual([await statusOf(cookie), await statusOf(other)], [401, 200])
    clock.advance(3_600_000)
    assert.equal(await statusOf(other), 401)
  }))

test('what changes something needs a header with a session, and no foreign page may ask for it at all', () =>
  withClosedApp(async ({ app, own, cookieOf, tokenFor }) => {
    const cookie = await cookieOf('anna')
    const codeOf = async (headers: Readonly<Record<string, string>>) => {
      const answer = await app.inject({ ...stop, headers: { host: 'rec.example:8080', ...headers } })
      return answer.statusCode === 200 ? 200 : answer.json().code
    }
    assert.equal(await codeOf({ cookie }), 'header-missing')
    assert.equal(await codeOf({ cookie, 'x-requested-by': 'test' }), 200)
    assert.equal(await codeOf({ cookie, 'x-requested-by': 'test', origin: 'http://rec.example:8080' }), 200)
    for (const origin of ['http://rec.example', 'https://evil.example', 'null']) {
      assert.equal(await codeOf({ cookie, 'x-requested-by': 'test', origin }), 'foreign-origin', origin)
    }
    const token = await tokenFor('calls:control')
    assert.equal(await codeOf(token), 200)
    assert.equal(own.commands.length, 3)
  }))

test('wrong passwords are refused alike, and only so many in a minute', () =>
  withClosedApp(async ({ app }) => {
    const signIn = async (name: string, password: string) => {
      const answer = await app.inject({ method: 'POST', url: '/api/session', payload: { name, password } })
      return [answer.statusCode, answer.json().message]
    }
    const refused = [401, 'name and password do not go together']
    assert.deepEqual(await signIn('anna', 'bush'), refused)
    assert.deepEqual(await signIn('nobody', 'tree'), refused)
    assert.deepEqual(await signIn('anna', ''), [400, 'the request does not fit its schema'])
    assert.equal((await signIn('anna', 'tree'))[0], 429)
  }))

test('a token may ask so often in a minute, and is told when again; another token is not concerned', () =>
  withClosedApp(async ({ app, tokenFor }) => {
    const [busy, other] = [await tokenFor('calls:read'), await tokenFor('calls:read')]
    const ask = (headers: { readonly authorization: string }) => app.inject({ url: '/api/calls', headers })
    for (let at = 0; at < limits.perMinute; at += 1) assert.equal((await ask(busy)).statusCode, 200)
    const answer = await ask(busy)
    assert.deepEqual([answer.statusCode, answer.json().code], [429, 'too-many-requests'])
    assert.ok(Number(answer.headers['retry-after']) > 0)
    assert.equal((await ask(other)).statusCode, 200)
  }))

for (const [method, url, payload] of [
  ['POST', '/api/calls/call-1/recording', { activity: 'stop' }],
  ['PUT', '/api/calls/call-1', { record: { action: 'stopCallRecording' } }],
  ['POST', '/api/calls/call-1', { record: { action: 'stopCallRecording' } }],
  ['PUT', '/v1/Accounts/a/Calls/call-1', { record: { action: 'stopCallRecording' } }],
  ['POST', '/v1/Accounts/a/Calls/call-1', { record: { action: 'stopCallRecording' } }],
  ['POST', '/api/recorder/sessions/rec-1/pause', {}],
  ['POST', '/api/recorder/sessions/rec-1/resume', undefined],
  ['POST', '/api/recorder/invitations', { target: 'sip:pbx@192.0.2.9' }],
] as const) {
  test(`the switch of recording control holds for ${method} ${url}`, () =>
    withApp(
      async (app, own) => {
        const answer = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
        assert.deepEqual([answer.statusCode, answer.json().code], [403, 'recording-control-off'])
        assert.deepEqual(own.commands, [])
      },
      { ...emptyViews, recordingControl: false },
    ))
}
