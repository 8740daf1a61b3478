// The web console as the program serves it: the page, its policy, its assets.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestProgram } from '../harness/open-program.ts'

test('the console is served with a policy that lets in nothing from elsewhere, and a nonce that is new each time', async (t) => {
  const program = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => program.close())
  const nonces = new Set<string>()
  for (let n = 0; n < 2; n++) {
    const answer = await fetch(`${program.httpUrl}/`)
    assert.equal(answer.status, 200)
    const policy = answer.headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    const nonce = /'nonce-([0-9a-f]{32})'/.exec(policy)?.[1] ?? ''
    assert.ok((await answer.text()).includes(`content="${nonce}"`))
    nonces.add(nonce)
  }
  assert.equal(nonces.size, 2)
})

test('assets of the console are there and may be kept; the page names no address of elsewhere', async (t) => {
  const program = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => program.close())
  const page = await (await fetch(`${program.httpUrl}/`)).text()
  assert.doesNotMatch(page, /https?:\/\//)
  const assets = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  assert.ok(assets.length >= 2, page)
  for (const path of assets) {
    const answer = await fetch(`${program.httpUrl}${path}`)
    assert.equal(answer.status, 200, path)
    assert.match(answer.headers.get('cache-control') ?? '', /immutable/)
    assert.ok((await answer.arrayBuffer()).byteLength > 500)
  }
})

test('a console that is switched off is not there, and the API is', async (t) => {
  const program = await openTestProgram({ gateway: false, recorder: true, http: { console: false } })
  t.after(() => program.close())
  assert.equal((await fetch(`${program.httpUrl}/`)).status, 404)
  assert.equal((await fetch(`${program.httpUrl}/healthz`)).status, 200)
})
