// A recorder that is about to stop, as a load balancer in front of it sees it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { headerOf } from '../foreign/sip-text.ts'
import { openTestProgram } from '../harness/open-program.ts'

const HOST = '127.0.0.1'

test('SRS-23: a recorder that drains answers OPTIONS and INVITE with 503 and Retry-After', async (t) => {
  const opened = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => opened.close())
  const recorder = { host: HOST, port: opened.port('recorder', 'tcp') }
  const client = await ForeignClient.open({ transport: 'tcp', recorder, deadlineMs: 10_000 })
  t.after(() => client.close())
  assert.equal((await client.options()).status, 200)
  assert.equal((await fetch(`${opened.httpUrl}/readyz`)).status, 200)
  await opened.program.recorder?.drain()
  const ready = await fetch(`${opened.httpUrl}/readyz`)
  assert.deepEqual([ready.status, await ready.json()], [503, { ready: false, checks: { recorder: false } }])
  const probed = await client.options()
  assert.equal(probed.status, 503)
  assert.match(headerOf(probed, 'Retry-After') ?? '', /^\d+$/)
  const { status, response } = await client.invite()
  assert.equal(status, 503)
  assert.match(headerOf(response, 'Retry-After') ?? '', /^\d+$/)
})
