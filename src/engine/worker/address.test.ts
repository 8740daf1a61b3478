import assert from 'node:assert/strict'
import test from 'node:test'
import { canonicalEndpoint } from './address.ts'

test('writes addresses as sockets report them', () => {
  assert.deepEqual(canonicalEndpoint({ host: '192.0.2.1', port: 4000 }), { host: '192.0.2.1', port: 4000 })
  assert.deepEqual(canonicalEndpoint({ host: '2001:DB8:0:0:0:0:0:1', port: 2 }), { host: '2001:db8::1', port: 2 })
})

test('the null address and port 0 are no address', () => {
  for (const host of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0']) {
    assert.equal(canonicalEndpoint({ host, port: 4000 }), undefined)
  }
  assert.equal(canonicalEndpoint({ host: '192.0.2.1', port: 0 }), undefined)
})

test('names, broken literals and impossible ports are refused', () => {
  for (const host of ['example.com', '1.2.3', '256.1.1.1', '1:2', '', 'fe80::1%eth0', '::1]:80/']) {
    assert.throws(() => canonicalEndpoint({ host, port: 4000 }), { code: 'media.bad-address' }, host)
  }
  for (const port of [-1, 65_536, 1.5, Number.NaN]) {
    assert.throws(() => canonicalEndpoint({ host: '192.0.2.1', port }), { code: 'media.bad-address' })
  }
})
