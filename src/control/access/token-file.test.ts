import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { seededIds } from '#kernel'
import { cryptoIds } from '#net'
import { TokenFile } from './token-file.ts'

async function fileFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokens-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'deep', 'tokens.json')
}

const order = { name: 'dialler', scopes: ['calls:control'], nowMs: 1_000_000 } as const

test('a token is found by its text, which is kept nowhere', async (t) => {
  const path = await fileFor(t)
  const tokens = new TokenFile(path, seededIds(1))
  assert.deepEqual(await tokens.list(), [])
  const { text, view } = await tokens.create(order)
  assert.deepEqual(await tokens.find(text, 2_000_000), view)
  assert.deepEqual([view.name, view.scopes], ['dialler', ['calls:control']])
  const kept = await readFile(path, 'utf8')
  assert.ok(!kept.includes(text) && !kept.includes(text.split('_')[2] ?? ''))
  assert.equal((await stat(path)).mode & 0o077, 0)
  assert.equal(await tokens.find(`${text}0`, 2_000_000), undefined)
  assert.equal(await tokens.find('srg_0_0', 2_000_000), undefined)
})

test('a token that another process made or revoked counts at once', async (t) => {
  const path = await fileFor(t)
  const [server, command] = [new TokenFile(path, cryptoIds), new TokenFile(path, cryptoIds)]
  assert.deepEqual(await server.list(), [])
  const { text, view } = await command.create(order)
  assert.equal((await server.find(text, 0))?.id, view.id)
  assert.equal(await command.revoke(view.id), true)
  assert.equal(await server.find(text, 0), undefined)
  assert.equal(await command.revoke(view.id), false)
})

test('a token expires', async (t) => {
  const tokens = new TokenFile(await fileFor(t), seededIds(1))
  const { text } = await tokens.create({ ...order, expiresAtMs: 1_000_500 })
  assert.notEqual(await tokens.find(text, 1_000_499), undefined)
  assert.equal(await tokens.find(text, 1_000_500), undefined)
})

test('tokens made at the same time are all kept', async (t) => {
  const tokens = new TokenFile(await fileFor(t), seededIds(1))
  await Promise.all(['a', 'b', 'c'].map((name) => tokens.create({ ...order, name })))
  assert.deepEqual(
    (await tokens.list()).map(({ name }) => name),
    ['a', 'b', 'c'],
  )
})

test('a file that is broken lets nobody in, and says so', async (t) => {
  const path = await fileFor(t)
  const tokens = new TokenFile(path, seededIds(1))
  const { text } = await tokens.create(order)
  await writeFile(path, '{"tokens": 5}')
  await assert.rejects(tokens.find(text, 0), { code: 'access.tokens-unreadable' })
})
