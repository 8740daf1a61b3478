// Sign-in by a provider that is certified to keep to OpenID Connect, by its own pages, against the whole program.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Browser, type ClientTerms, openCertifiedProvider } from '../harness/certified-provider.ts'
import { openTestProgram } from '../harness/open-program.ts'

const people = {
  anna: { preferred_username: 'Anna', groups: ['staff'], email: 'anna@example.com', email_verified: true },
  eve: { preferred_username: 'Eve', groups: ['other'], email: 'eve@example.com', email_verified: true },
}
const secret = 'a secret that is long enough for this'
const clients: readonly ClientTerms[] = [
  { clientId: 'public', method: 'none' },
  { clientId: 'basic', method: 'client_secret_basic', secret },
]

async function openBoth(t: TestContext, client: ClientTerms) {
  const provider = await openCertifiedProvider(t)
  const folder = await mkdtemp(join(tmpdir(), 'oidc-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const secretFile = join(folder, 'secret')
  await writeFile(secretFile, `${secret}\n`)
  const oidc = {
    issuer: provider.issuer,
    clientId: client.clientId,
    ...(client.secret !== undefined && { secretFile }),
    roles: [{ group: 'staff', role: 'viewer' }],
  }
  const opened = await openTestProgram({ http: { oidc } })
  t.after(() => opened.close())
  provider.serve(opened.httpUrl, client, people)
  const browser = new Browser()
  const begin = (query = '') => `${opened.httpUrl}/api/session/oidc${query}`
  const me = async () => (await (await browser.ask(`${opened.httpUrl}/api/session`)).json()) as { name: string }
  return { ...opened, browser, begin, me }
}

for (const client of clients) {
  test(`a certified provider lets a person in by a client of ${client.method}, whose groups it tells by userinfo`, async (t) => {
    const { httpUrl, browser, begin, me } = await openBoth(t, client)
    const { url, status } = await browser.go(begin('?place=/recordings'), 'anna')
    assert.deepEqual([url, status], [`${httpUrl}/#/recordings`, 200])
    assert.equal((await me()).name, 'Anna')
  })
}

test('who has no role at a certified provider is told so, and may come by another account', async (t) => {
  const { httpUrl, browser, begin, me } = await openBoth(t, { clientId: 'public', method: 'none' })
  const refused = await browser.go(begin(), 'eve')
  assert.equal(refused.status, 403)
  assert.match(refused.text, /Your account has no role here/)
  const [, again = ''] = /<a href="(\/api\/session\/oidc\?other=true)"/.exec(refused.text) ?? []
  const { url } = await browser.go(`${httpUrl}${again}`, 'anna')
  assert.equal(url, `${httpUrl}/#/`)
  assert.equal((await me()).name, 'Anna')
})

test('who signs out goes on to sign out of a certified provider, and has to sign in there anew', async (t) => {
  const { httpUrl, browser, begin, me } = await openBoth(t, { clientId: 'public', method: 'none' })
  await browser.go(begin(), 'anna')
  const { signOutUrl } = await browser.signOut(httpUrl)
  const { url } = await browser.go(signOutUrl, 'anna')
  assert.equal(url, `${httpUrl}/`)
  assert.equal((await me()).name, '')
  await browser.go(begin(), 'eve')
  assert.equal((await me()).name, '', 'the provider still takes the browser for that of anna')
})
