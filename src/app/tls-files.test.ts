import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readTls } from './tls-files.ts'

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/tls/${name}.pem`, import.meta.url))
const PEM = /^-----BEGIN /

test('certificate, key and authority are read as text', async () => {
  const files = {
    certFile: fixture('gw.cert'),
    keyFile: fixture('gw.key'),
    caFile: fixture('ca.cert'),
    allowWildcard: false,
    verifyClient: true,
  }
  const tls = await readTls(files)
  assert.ok(tls !== undefined)
  assert.match(tls.cert, PEM)
  assert.match(tls.key, PEM)
  assert.match(tls.ca ?? '', PEM)
  assert.equal(tls.verifyClient, true)
})

test('without a section there is nothing to read, without an authority the public ones stay in force', async () => {
  assert.equal(await readTls(undefined), undefined)
  const tls = await readTls({
    certFile: fixture('gw.cert'),
    keyFile: fixture('gw.key'),
    allowWildcard: false,
    verifyClient: false,
  })
  assert.ok(tls !== undefined && !('ca' in tls))
})

test('a file that cannot be read is named', async () => {
  const files = { certFile: fixture('gw.cert'), keyFile: 'no-such-key.pem', allowWildcard: false, verifyClient: false }
  await assert.rejects(readTls(files), { code: 'config.tls-unreadable', message: /no-such-key\.pem/ })
})
