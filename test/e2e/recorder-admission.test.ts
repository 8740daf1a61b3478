// Who may record at a recorder, by password and by certificate: our gateway as its client, over the sockets of whole programs.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keptRecording } from '../harness/kept-recording.ts'
import type { Section } from '../harness/open-program.ts'
import { openTalk, type Talk } from '../harness/talk.ts'

const REFUSED = { status: 503, text: 'no recorder accepted the recording' }

/** A talk whose gateway has one password and whose recorder knows another, or the same. */
async function openGuarded(t: TestContext, given: string, known: string, digest: Section = {}): Promise<Talk> {
  const folder = await mkdtemp(join(tmpdir(), 'passwords-'))
  t.after(() => rm(folder, { recursive: true }))
  const place = async (name: string, password: string) => {
    const passwordFile = join(folder, name)
    await writeFile(passwordFile, `${password}\n`)
    return { username: 'gateway', passwordFile }
  }
  return await openTalk(t, {
    recorder: true,
    recorderKeys: { admit: [{ users: [await place('known', known)] }], digest },
    gateway: { recording: { profiles: [{ name: 'all', credentials: await place('given', given) }] } },
  })
}

async function refusals(talk: Talk): Promise<Section[]> {
  const { items } = (await (await fetch(`${talk.opened.httpUrl}/api/refusals`)).json()) as { items: Section[] }
  return items
}

test('SEC-27: the gateway proves itself to a recorder that asks, in the dialog too, and is recorded; a challenge is no refusal', async (t) => {
  const talk = await openGuarded(t, 'open sesame', 'open sesame', { withinDialogs: 'always' })
  assert.equal((await talk.rest('start', talk.opened.recorderUri('tcp'))).status, 200)
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.rest('resume')).status, 200)
  assert.equal((await talk.rest('stop')).status, 200)
  const { manifest } = await keptRecording(talk.opened.store)
  assert.equal(manifest.facts.sip.ended, 'remote-bye')
  assert.deepEqual(await refusals(talk), [])
  assert.equal(JSON.stringify(talk.opened.log.lines).includes('open sesame'), false)
  await talk.end()
})

test('SEC-27: a wrong password is refused 401, and is among the refused INVITEs with its reason and without its proof', async (t) => {
  const talk = await openGuarded(t, 'open barley', 'open sesame')
  assert.deepEqual(await talk.rest('start', talk.opened.recorderUri('tcp')), REFUSED)
  await talk.assertUndisturbed()
  const found = await refusals(talk)
  assert.deepEqual(
    found.map(({ status, reason }) => [status, reason]),
    [[401, 'wrong-credentials']],
  )
  const whole = await (await fetch(`${talk.opened.httpUrl}/api/refusals/${found[0]?.['refusalId']}`)).text()
  assert.match(whole, /username=\\"gateway\\".*response=\\"\*+\\"/)
  await talk.end()
})

test('SEC-27: an address that guesses wrong too often is refused 503, is among the refused INVITEs, and in the log once', async (t) => {
  const talk = await openGuarded(t, 'open barley', 'open sesame', { maxFailures: 1 })
  assert.deepEqual(await talk.rest('start', talk.opened.recorderUri('tcp')), REFUSED)
  assert.deepEqual(await talk.rest('start', talk.opened.recorderUri('tcp')), REFUSED)
  const found = await refusals(talk)
  assert.deepEqual(
    found.map(({ status, reason }) => [status, reason]),
    [
      [503, 'too-many-guesses'],
      [401, 'wrong-credentials'],
    ],
  )
  const told = talk.opened.log.lines.filter(({ message }) => message === 'address refused: too many wrong passwords')
  assert.equal(told.length, 1)
  await talk.end()
})

test('SEC-27: of clients over TLS only the one with the listed certificate is taken, and nobody without TLS', async (t) => {
  const listed = await openTalk(t, {
    recorder: true,
    tls: true,
    recorderKeys: { admit: [{ certificates: ['gw.test'] }] },
  })
  assert.deepEqual(await listed.rest('start', listed.opened.recorderUri('tcp')), REFUSED)
  assert.deepEqual(
    (await refusals(listed)).map(({ status, reason, transport }) => [status, reason, transport]),
    [[403, 'not-listed', 'tcp']],
  )
  assert.equal((await listed.rest('start', listed.opened.recorderUri('tls'))).status, 200)
  assert.equal((await listed.rest('stop')).status, 200)
  const { manifest } = await keptRecording(listed.opened.store)
  assert.equal(manifest.facts.sip.transport, 'tls')
  await listed.end()
  const other = await openTalk(t, {
    recorder: true,
    tls: true,
    recorderKeys: { admit: [{ certificates: ['src.test'] }] },
  })
  assert.deepEqual(await other.rest('start', other.opened.recorderUri('tls')), REFUSED)
  assert.deepEqual(
    (await refusals(other)).map(({ status, reason }) => [status, reason]),
    [[403, 'not-listed']],
  )
  await other.end()
})
