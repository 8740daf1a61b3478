// Certificates renewed under a running program: by SIGHUP's way in, and by themselves when the files change.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { ManualClock, MemoryLogger } from '#kernel'
import type { TlsOptions } from '#net'
import { readTls } from '../../src/app/tls-files.ts'
import { TlsRenewal } from '../../src/app/tls-renewal.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { until } from '../harness/until.ts'

const fixture = (name: string): string => join(import.meta.dirname, '..', '..', '..', 'test', 'fixtures', 'tls', name)

const JAN_2030_MS = 1_893_456_000_000

/** A folder with a certificate and a key that can be replaced. */
async function tlsFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'))
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  const put = async (cert: string, key = cert): Promise<void> => {
    await copyFile(fixture(`${cert}.cert.pem`), files.certFile)
    await copyFile(fixture(`${key}.key.pem`), files.keyFile)
  }
  await put('gw')
  return { files, put, remove: () => rm(folder, { recursive: true }) }
}

test('SEC-02: told to renew, the program shows its new certificate, and keeps the old one when the files do not fit', async () => {
  const { files, put, remove } = await tlsFolder()
  const sip = { listen: [{ transport: 'tls', port: 0 }], tls: files }
  const { program, log, close } = await openTestProgram({ gateway: { sip } })
  const port = program.gateway?.listeners[0]?.port ?? 0
  const namesShown = async (): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { subjectaltname } = socket.getPeerCertificate()
    socket.destroy()
    return subjectaltname ?? ''
  }
  try {
    assert.match(await namesShown(), /DNS:gw\.test/)
    await put('peer', 'gw')
    await program.renewTls()
    assert.match(await namesShown(), /DNS:gw\.test/)
    assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
    await put('peer')
    await program.renewTls()
    assert.match(await namesShown(), /DNS:peer\.test/)
  } finally {
    await close()
    await remove()
  }
})

test('files that change are read, others are not; an expired certificate is told of', async () => {
  const { files, put, remove } = await tlsFolder()
  const clock = new ManualClock(JAN_2030_MS)
  const log = new MemoryLogger()
  const tls = { ...files, allowWildcard: false, verifyClient: false }
  const applied: TlsOptions[] = []
  const inForce = await readTls(tls)
  assert.ok(inForce !== undefined)
  const renewal = new TlsRenewal({ tls, clock, log, apply: (options) => applied.push(options) })
  try {
    await renewal.start(inForce)
    const poll = async (): Promise<void> => {
      clock.advance(30_000)
      await until('the next look is due', () => clock.pendingNames().length > 0)
    }
    await poll()
    assert.equal(applied.length, 0)
    await put('expired')
    await poll()
    assert.equal(applied.length, 1)
    assert.deepEqual(log.messages(), ['tls certificates renewed', 'tls certificate has expired'])
    await poll()
    assert.equal(applied.length, 1)
    renewal.close()
    assert.deepEqual(clock.pendingNames(), [])
  } finally {
    await remove()
  }
})
