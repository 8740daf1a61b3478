import assert from 'node:assert/strict'
import { test } from 'node:test'
import { peerCertificate, provesIdentity, sipIdentities } from './tls-identity.ts'

const CASES: readonly [names: string, serverName: string, proves: boolean][] = [
  ['URI:sip:example.com, DNS:host.example.com', 'example.com', true],
  ['URI:sip:example.com, DNS:host.example.com', 'host.example.com', false],
  ['DNS:host.example.com, URI:sip:example.com', 'EXAMPLE.com', true],
  ['URI:SIP:Example.COM;transport=tls', 'example.com', true],
  ['URI:sip:alice@example.com, DNS:example.net', 'example.com', false],
  ['URI:sip:alice@example.com, DNS:example.net', 'example.net', true],
  ['URI:sips:example.com', 'example.com', false],
  ['URI:https://example.com/, DNS:example.com', 'example.com', true],
  ['DNS:example.com', 'example.com.', true],
  ['DNS:*.example.com', 'a.example.com', false],
  ['DNS:.example.com', 'a.example.com', false],
  ['DNS:example.com', 'a.example.com', false],
  ['DNS:a.example.com', 'example.com', false],
  ['URI:"sip:evil.test, DNS:example.com"', 'example.com', false],
  ['URI:"sip:evil.test\\", DNS:example.com"', 'example.com', false],
  ['DNS:host.test, IP Address:192.0.2.1', '192.0.2.1', true],
  ['DNS:192.0.2.1', '192.0.2.1', false],
  ['IP Address:2001:DB8:0:0:0:0:0:1', '2001:db8::1', true],
  ['IP Address:2001:DB8:0:0:0:0:0:2', '2001:db8::1', false],
  ['', 'example.com', false],
]

for (const [names, serverName, proves] of CASES) {
  test(`SEC-04: <${names}> ${proves ? 'proves' : 'does not prove'} ${serverName}`, () => {
    assert.equal(provesIdentity({ subjectaltname: names }, serverName), proves)
  })
}

const WILDCARDS: readonly [names: string, serverName: string, proves: boolean][] = [
  ['DNS:*.example.com', 'a.example.com', true],
  ['DNS:*.example.com', 'A.Example.com.', true],
  ['DNS:*.example.com', 'example.com', false],
  ['DNS:*.example.com', 'a.b.example.com', false],
  ['DNS:*.com', 'example.com', false],
  ['DNS:*', 'localhost', false],
  ['DNS:a*.example.com', 'ab.example.com', false],
  ['URI:sip:other.test, DNS:*.example.com', 'a.example.com', false],
  ['DNS:*.0.2.1', '192.0.2.1', false],
]

for (const [names, serverName, proves] of WILDCARDS) {
  test(`SEC-04: with allowWildcard <${names}> ${proves ? 'proves' : 'does not prove'} ${serverName}`, () => {
    assert.equal(provesIdentity({ subjectaltname: names }, serverName, true), proves)
    assert.equal(provesIdentity({ subjectaltname: names }, serverName), false)
  })
}

test('a certificate without subjectAltName has no identity, whatever its common name', () => {
  assert.deepEqual(sipIdentities({}), [])
})

test('SEC-27: a client is named by its subjectAltName, by its common name only where there is none', () => {
  const shown = { fingerprint256: 'AB:0C', subject: { CN: 'Src.Example' } }
  const fingerprint = 'ab0c'
  assert.deepEqual(peerCertificate({ ...shown, subjectaltname: 'DNS:A.example, DNS:b.example' }), {
    names: ['a.example', 'b.example'],
    fingerprint,
  })
  assert.deepEqual(peerCertificate(shown), { names: ['src.example'], fingerprint })
  assert.deepEqual(peerCertificate({ ...shown, subjectaltname: 'IP Address:192.0.2.1' }), { names: [], fingerprint })
  assert.equal(peerCertificate({}), undefined)
})
