// Sign-in by an OpenID provider, over real HTTP: a browser's way, hop by hop, against the whole program.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { hashPassword } from '../../src/control/access/password.ts'
import { openTestProgram, type Section } from '../harness/open-program.ts'
import { openSignInService } from '../harness/sign-in-service.ts'

const ROLES = [
  { group: 'staff', role: 'viewer' },
  { group: 'leads', role: 'compliance' },
]

/** The program with a provider. */
async function openBoth(t: TestContext, keys: Section = {}, options: { isDown?: boolean; http?: Section } = {}) {
  const service = await openSignInService(t, options)
  service.claims = { preferred_username: 'anna', groups: ['staff'] }
  const oidc = { issuer: service.issuer, clientId: 'rec', roles: ROLES, timeoutMs: 5_000, ...keys }
  const opened = await openTestProgram({ http: { oidc, ...options.http } })
  t.after(() => opened.close())
  const url = (path: string): string => (path.startsWith('/') ? `${opened.httpUrl}${path}` : path)
  const ask = (path: string, cookie = '') => fetch(url(path), { redirect: 'manual', headers: { cookie } })

  /** To the provider and back: the address that the browser is sent back to, with the cookie that it brings. */
  const begin = async (place = '/recordings?text=a') => {
    const start = await ask(`/api/session/oidc?place=${encodeURIComponent(place)}`)
    assert.equal(start.status, 303)
    const there = new URL(start.headers.get('location') ?? '')
    const back = await ask(there.href)
    return { start, there, back: back.headers.get('location') ?? '', cookie: cookieOf(start, 'sign-in') }
  }
  /** The whole way. */
  const signIn = async () => {
    const { back, cookie } = await begin()
    return await ask(back, cookie)
  }
  const refusal = async (answer: Response) => ({
    status: answer.status,
    title: /<h1>(.*)<\/h1>/.exec(await answer.text())?.[1],
    session: cookieOf(answer, 'session'),
  })
  const audit = async (cookie: string) => {
    const { items } = (await (await ask('/api/audit', cookie)).json()) as { items: Record<string, unknown>[] }
    return items.map(({ action, outcome, detail }) => ({ action, outcome, detail }))
  }
  return { ...opened, service, ask, begin, signIn, refusal, audit }
}

function cookieOf(answer: Response, name: string): string {
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '')
  return cookies.find((cookie) => cookie.startsWith(`${name}=`) && !cookie.endsWith('=')) ?? ''
}

test('who signs in by the provider is sent there with PKCE, comes back to the same place, and has the roles of the groups', async (t) => {
  const { ask, begin, service, audit } = await openBoth(t)
  service.claims = { preferred_username: 'anna', groups: ['staff', 'leads', 'other'] }
  assert.equal((await ask('/api/calls')).status, 401)
  const nobody = (await (await ask('/api/session')).json()) as object
  assert.deepEqual(nobody, {
    kind: 'none',
    name: '',
    scopes: [],
    signIn: ['oidc'],
    oidcLabel: 'Sign in with your organisation',
  })
  const { start, there, back, cookie } = await begin()
  assert.match(
    start.headers.getSetCookie().join(),
    /^sign-in=\S+; Max-Age=600; Path=\/api\/session\/oidc; HttpOnly; SameSite=Lax$/,
  )
  assert.deepEqual(
    ['response_type', 'scope', 'code_challenge_method', 'client_id'].map((name) => there.searchParams.get(name)),
    ['code', 'openid profile email', 'S256', 'rec'],
  )
  const answer = await ask(back, cookie)
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/#/recordings?text=a'])
  assert.match(answer.headers.getSetCookie().join(), /session=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict/)
  const session = cookieOf(answer, 'session')
  const me = (await (await ask('/api/session', session)).json()) as { name: string; scopes: string[] }
  assert.equal(me.name, 'anna')
  assert.ok(me.scopes.includes('recordings:delete') && !me.scopes.includes('calls:control'))
  assert.equal((await ask('/api/tokens', session)).status, 403)
  const [entry] = await audit(session)
  const { session: id, ...detail } = (entry?.['detail'] ?? {}) as Record<string, unknown>
  assert.match(String(id), /^[0-9a-f]{16}$/)
  assert.deepEqual(detail, { by: 'oidc', name: 'anna', subject: 'johndoe', roles: ['viewer', 'compliance'] })
})

test('an answer with another state, without its cookie, or for the second time opens no session', async (t) => {
  const { ask, begin, refusal } = await openBoth(t)
  const expired = { status: 401, title: 'This sign-in is no longer good', session: '' }
  const first = await begin()
  const other = new URL(first.back)
  other.searchParams.set('state', 'f'.repeat(64))
  assert.deepEqual(await refusal(await ask(other.href, first.cookie)), expired)
  assert.deepEqual(await refusal(await ask(first.back)), expired)
  const [text, signature] = first.cookie.split('.')
  const forged = `${text?.slice(0, -4)}AAAA.${signature}`
  assert.deepEqual(await refusal(await ask(first.back, forged)), expired)
  const second = await begin()
  assert.equal((await ask(second.back, second.cookie)).status, 303)
  const replayed = await refusal(await ask(second.back, second.cookie))
  assert.deepEqual([replayed.status, replayed.session], [401, ''])
})

test('an ID token of another sign-in, for another program, by another provider, too old, or not signed by the provider is not believed', async (t) => {
  const { signIn, refusal, service, log } = await openBoth(t)
  const now = Math.floor(Date.now() / 1_000)
  for (const [claims, title] of [
    [{ nonce: 'of another sign-in' }, 'The answer of the sign-in service cannot be believed'],
    [{ aud: 'another program' }, 'The answer of the sign-in service cannot be believed'],
    [{ iss: 'https://evil.example' }, 'The answer of the sign-in service cannot be believed'],
    [{ iat: now - 7_200, exp: now - 3_600 }, 'The clocks differ'],
    [{ nbf: now + 3_600 }, 'The clocks differ'],
  ] as const) {
    service.claims = { groups: ['staff'], ...claims }
    assert.deepEqual(await refusal(await signIn()), { status: 401, title, session: '' }, JSON.stringify(claims))
  }
  service.claims = { groups: ['staff'] }
  service.forge()
  const forged = await refusal(await signIn())
  assert.deepEqual(forged, { status: 401, title: 'The answer of the sign-in service cannot be believed', session: '' })
  assert.doesNotMatch(JSON.stringify(log.lines), /eyJ/, 'a token in the log')
})

test('who cancels, has no role, or is of no allowed domain or group is told so, and none of it is in the page', async (t) => {
  const { signIn, refusal, service, ask, begin } = await openBoth(t, { allowedDomains: ['example.com'] })
  const verified = { email: 'anna@example.com', email_verified: true }
  service.claims = { groups: ['other'], ...verified }
  const noRole = { status: 403, title: 'Your account has no role here', session: '' }
  assert.deepEqual(await refusal(await signIn()), noRole)
  const another = await ask('/api/session/oidc?other=true')
  assert.equal(new URL(another.headers.get('location') ?? '').searchParams.get('prompt'), 'select_account')
  const notAllowed = { status: 403, title: 'Your account may not be used here', session: '' }
  for (const claims of [
    { email: 'anna@evil.example', email_verified: true },
    { email: 'anna@example.com' },
    { email: 'anna@evil.example@example.com.evil.example', email_verified: true },
  ]) {
    service.claims = { groups: ['staff'], ...claims }
    assert.deepEqual(await refusal(await signIn()), notAllowed, JSON.stringify(claims))
  }
  service.claims = { groups: ['staff'], ...verified }
  assert.equal((await signIn()).status, 303)
  service.answer = { code: null, error: 'access_denied', error_description: '<script>4471</script>' }
  const { back, cookie } = await begin()
  const answer = await ask(back, cookie)
  assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/)
  const text = await answer.text()
  assert.equal(answer.status, 403)
  assert.match(text, /<h1>You did not sign in<\/h1>/)
  assert.doesNotMatch(text, /4471|access_denied/)
})

test('sign-ins that were refused are in the audit log, with why', async (t) => {
  const { signIn, service, audit } = await openBoth(t, {
    roles: [{ group: 'auditors', role: 'compliance' }],
  })
  assert.equal((await signIn()).status, 403)
  service.claims = { preferred_username: 'eve', groups: ['auditors'] }
  const entries = await audit(cookieOf(await signIn(), 'session'))
  assert.deepEqual(entries[1], {
    action: 'session.sign-in',
    outcome: 'refused',
    detail: { by: 'oidc', refusal: 'no-role' },
  })
})

test('claims that the ID token lacks are asked of userinfo', async (t) => {
  const { signIn, service, ask } = await openBoth(t)
  service.claims = {}
  service.userinfo = { preferred_username: 'ben', groups: ['staff'] }
  const answer = await signIn()
  assert.equal(answer.status, 303)
  const me = (await (await ask('/api/session', cookieOf(answer, 'session'))).json()) as { name: string }
  assert.equal(me.name, 'ben')
})

test('a provider that is away stops neither the program nor local accounts, and is used as soon as it is there', async (t) => {
  const accounts = [{ name: 'ben', passwordHash: await hashPassword('tree'), role: 'viewer' }]
  const { ask, service, refusal, signIn, httpUrl } = await openBoth(t, {}, { isDown: true, http: { accounts } })
  const away = { status: 503, title: 'The sign-in service does not answer', session: '' }
  assert.deepEqual(await refusal(await ask('/api/session/oidc')), away)
  const local = await fetch(`${httpUrl}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ben', password: 'tree' }),
  })
  assert.equal(local.status, 200)
  await service.start()
  assert.equal((await signIn()).status, 303)
})

test('who signs out is told where to sign out of the provider too, and the session is over', async (t) => {
  const { ask, signIn, service, httpUrl } = await openBoth(t)
  const cookie = cookieOf(await signIn(), 'session')
  const answer = await fetch(`${httpUrl}/api/session`, {
    method: 'DELETE',
    headers: { cookie, 'x-requested-by': 'test' },
  })
  const { signOutUrl } = (await answer.json()) as { signOutUrl: string }
  const onward = new URL(signOutUrl)
  assert.equal(onward.origin, service.issuer)
  assert.equal(onward.searchParams.get('post_logout_redirect_uri'), `${httpUrl}/`)
  assert.match(onward.searchParams.get('id_token_hint') ?? '', /^eyJ/)
  assert.equal((await ask('/api/calls', cookie)).status, 401)
})

test('a session that was opened by the provider ends as any other does', async (t) => {
  const { ask, signIn } = await openBoth(t, {}, { http: { session: { idleMinutes: 1, maxHours: 1 } } })
  const cookie = cookieOf(await signIn(), 'session')
  const { expiresAt } = (await (await ask('/api/session', cookie)).json()) as { expiresAt: string }
  const leftMs = Date.parse(expiresAt) - Date.now()
  assert.ok(leftMs > 0 && leftMs <= 60_000, `${leftMs}`)
})

test('a place that is no place of the console is refused before anything is begun', async (t) => {
  const { ask } = await openBoth(t)
  for (const place of ['https://evil.example', '/a b', '/x\r\nset-cookie: a=b']) {
    assert.equal((await ask(`/api/session/oidc?place=${encodeURIComponent(place)}`)).status, 400, place)
  }
})
