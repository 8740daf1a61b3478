import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { afterEach, test } from 'node:test'
import {
  type ConnectionOptions,
  connect,
  createServer,
  getCiphers,
  type TlsOptions as ServerOptions,
  type TLSSocket,
} from 'node:tls'
import { MemoryLogger } from '#kernel'
import { SipTransport, systemClock, type TlsIdentity, type TlsOptions } from '#net'
import type { SipFlow, SipTarget } from '#sip'

const pem = (name: string): string =>
  readFileSync(new URL(`../../../test/fixtures/tls/${name}.pem`, import.meta.url), 'utf8')
const shown = (name: string) => ({ cert: pem(`${name}.cert`), key: pem(`${name}.key`) })
const identity = (name: string): TlsOptions => ({ ...shown(name), ca: pem('ca.cert') })
const NO_IDENTITY = 'tls identity is not configured'

const OPTIONS = Buffer.from('OPTIONS sip:gw.test SIP/2.0\r\nContent-Length: 0\r\n\r\n')

const open: SipTransport[] = []
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close()
})

async function transportAs(tls: TlsOptions) {
  const log = new MemoryLogger()
  let deliver = (_flow: SipFlow): void => {}
  const flow = new Promise<SipFlow>((resolve) => {
    deliver = resolve
  })
  const transport = await SipTransport.open({
    listen: [{ transport: 'tls', host: '127.0.0.1', port: 0 }],
    tls,
    clock: systemClock,
    log,
    onMessage: (_bytes, from) => deliver(from),
  })
  open.push(transport)
  const target = (serverName: string): SipTarget => ({
    transport: 'tls',
    host: '127.0.0.1',
    port: transport.boundPorts[0]!.port,
    serverName,
  })
  return { transport, flow, target, log }
}

/** Resolves with the failure, or with `sent` when the other side got the message. */
function outcome(from: SipTransport, target: SipTarget, arrived: Promise<SipFlow>): Promise<string> {
  return new Promise((resolve) => {
    from.sendTo(target, OPTIONS, resolve)
    void arrived.then(() => resolve('sent'))
  })
}

for (const serverName of ['gw.test', 'GW.test', '127.0.0.1']) {
  test(`SEC-04: a server that proves ${serverName} is talked to`, async () => {
    const gw = await transportAs(identity('gw'))
    const peer = await transportAs(identity('peer'))
    assert.equal(await outcome(peer.transport, gw.target(serverName), gw.flow), 'sent')
    assert.equal((await gw.flow).transport, 'tls')
  })
}

test('SEC-04: a server whose certificate is for another name is refused before anything is sent', async () => {
  const gw = await transportAs(identity('gw'))
  const peer = await transportAs(identity('peer'))
  assert.equal(await outcome(peer.transport, gw.target('other.test'), gw.flow), 'ERR_TLS_CERT_ALTNAME_INVALID')
  assert.equal(peer.transport.census().outbound, 0)
})

test('SIP-38: a server signed by an unknown authority is refused', async () => {
  const stranger = await transportAs(identity('stranger'))
  const peer = await transportAs(identity('peer'))
  const reason = await outcome(peer.transport, stranger.target('gw.test'), stranger.flow)
  assert.ok(['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'].includes(reason), reason)
})

test('SEC-03: with verifyClient a client without a trusted certificate is refused, one with it is served', async () => {
  const gw = await transportAs({ ...identity('gw'), verifyClient: true })
  const trusted = await transportAs(identity('peer'))
  assert.equal(await outcome(trusted.transport, gw.target('gw.test'), gw.flow), 'sent')
  for (const own of [{}, shown('stranger'), shown('expired')]) {
    assert.equal(await handshake(gw.transport, own), 'refused')
  }
  assert.equal(gw.log.messages().filter((message) => message === 'tls handshake refused').length, 3)
})

test('SEC-03, SEC-19: by default a client shows its certificate, and an expired server is refused', async () => {
  const gw = await transportAs({ ...identity('gw'), verifyClient: true })
  const peer = await transportAs({ ...shown('peer'), ca: pem('ca.cert') })
  assert.equal(await outcome(peer.transport, gw.target('gw.test'), gw.flow), 'sent')
  const expired = await transportAs(identity('expired'))
  assert.equal(await outcome(peer.transport, expired.target('peer.test'), expired.flow), 'CERT_HAS_EXPIRED')
})

for (const [who, proved] of [
  ['peer', ['peer.test']],
  ['stranger', undefined],
  ['expired', undefined],
] as const) {
  test(`SEC-27: of a client that shows the certificate of ${who}, what it has proved is ${proved ?? 'nothing'}`, async (t) => {
    const gw = await transportAs(identity('gw'))
    const own = { host: '127.0.0.1', port: gw.transport.boundPorts[0]!.port, servername: 'gw.test', ca: pem('ca.cert') }
    const socket = connect({ ...own, ...shown(who) })
    t.after(() => socket.destroy())
    socket.on('secureConnect', () => socket.write(OPTIONS))
    const { certificate } = await gw.flow
    assert.deepEqual(certificate?.names, proved)
    assert.equal(certificate?.fingerprint.length, proved && 64)
  })
}

test('without verifyClient a client needs no certificate', async () => {
  const gw = await transportAs(identity('gw'))
  assert.equal(await handshake(gw.transport, {}), 'TLSv1.3')
})

const VERSIONS = [
  ['TLSv1', 'refused'],
  ['TLSv1.1', 'refused'],
  ['TLSv1.2', 'TLSv1.2'],
  ['TLSv1.3', 'TLSv1.3'],
] as const

for (const [version, expected] of VERSIONS) {
  // Security level 0 lets the other side offer what OpenSSL would not even try.
  const only = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const
  test(`SEC-01: as server, ${version}: ${expected}`, async () => {
    const gw = await transportAs(identity('gw'))
    assert.equal(await handshake(gw.transport, only), expected)
  })

  test(`SEC-01: as client, ${version}: ${expected}`, async () => {
    const peer = await transportAs(identity('peer'))
    assert.equal((await seenBy(peer.transport, 'gw.test', only)).protocol, expected)
  })
}

test('SEC-02: a cipher without forward secrecy or without AEAD is refused', async () => {
  const gw = await transportAs(identity('gw'))
  const strong = /^(ecdhe-ecdsa-(aes(128|256)-gcm-sha(256|384)|chacha20-poly1305))$/
  const results: string[] = []
  for (const cipher of getCiphers().filter((name) => /^ecdhe-ecdsa|^aes/.test(name))) {
    const options = { maxVersion: 'TLSv1.2', ciphers: `${cipher.toUpperCase()}@SECLEVEL=0` } as const
    const spoken = await handshake(gw.transport, options)
    if ((spoken === 'TLSv1.2') !== strong.test(cipher)) results.push(`${cipher}: ${spoken}`)
  }
  assert.deepEqual(results, [])
})

test('SIP-28: a connection from a peer that proved its name carries requests back to that name only', async () => {
  const gw = await transportAs(identity('gw'))
  const peer = await transportAs(identity('peer'))
  peer.transport.sendTo(gw.target('gw.test'), OPTIONS, assert.fail)
  const { remote } = await gw.flow
  const back = { transport: 'tls', ...remote, serverName: 'peer.test' } as const
  assert.equal(await outcome(gw.transport, back, peer.flow), 'sent')
  assert.equal(gw.transport.census().outbound, 0)
  gw.transport.sendTo({ ...back, serverName: 'other.test' }, OPTIONS, () => {})
  assert.equal(gw.transport.census().outbound, 1)
})

test('SIP-28: requests to one target share a connection; another identity and another name have their own', async () => {
  const gw = await transportAs(identity('gw'))
  const peer = await transportAs({ ...identity('peer'), identities: new Map([['bank', identity('gw')]]) })
  for (let at = 0; at < 3; at++) peer.transport.sendTo(gw.target('gw.test'), OPTIONS, () => {})
  assert.equal(peer.transport.census().outbound, 1)
  peer.transport.sendTo({ ...gw.target('gw.test'), tlsIdentity: 'bank' }, OPTIONS, () => {})
  peer.transport.sendTo({ ...gw.target('gw.test'), tlsIdentity: 'bank' }, OPTIONS, () => {})
  assert.equal(peer.transport.census().outbound, 2)
  peer.transport.sendTo(gw.target('127.0.0.1'), OPTIONS, () => {})
  assert.equal(peer.transport.census().outbound, 3)
})

test('SEC-03: a target is shown the certificates that it is to see, and judged by their authorities', async () => {
  const bank: TlsIdentity = { ...shown('bank'), ca: pem('other-ca.cert') }
  const gw = await transportAs({ ...identity('gw'), identities: new Map([['bank', bank]]) })
  const recorder = await transportAs({ ...shown('stranger'), ca: pem('other-ca.cert'), verifyClient: true })
  const target = recorder.target('gw.test')
  assert.notEqual(await outcome(gw.transport, target, recorder.flow), 'sent')
  assert.equal(await outcome(gw.transport, { ...target, tlsIdentity: 'none' }, recorder.flow), NO_IDENTITY)
  assert.equal(await outcome(gw.transport, { ...target, tlsIdentity: 'bank' }, recorder.flow), 'sent')
})

test('SEC-04: a wildcard is taken only by an identity that allows it', async () => {
  const recorder = await transportAs(identity('wildcard'))
  const gw = await transportAs({
    ...identity('gw'),
    identities: new Map([['cloud', { ...identity('gw'), allowWildcard: true }]]),
  })
  const target = recorder.target('a.rec.test')
  assert.equal(await outcome(gw.transport, target, recorder.flow), 'ERR_TLS_CERT_ALTNAME_INVALID')
  assert.equal(await outcome(gw.transport, { ...target, tlsIdentity: 'cloud' }, recorder.flow), 'sent')
})

test('SEC-03: the name that a client asks for chooses the certificate, but not the authorities it is judged by', async () => {
  const gw = await transportAs({
    ...identity('gw'),
    verifyClient: true,
    identities: new Map([['bank', { ...shown('bank'), ca: pem('other-ca.cert') }]]),
  })
  const asking = { servername: 'gw.bank.test', ca: pem('other-ca.cert') }
  assert.equal(await handshake(gw.transport, { ...asking, ...shown('peer') }), 'TLSv1.3')
  assert.equal(await handshake(gw.transport, { ...asking, ...shown('stranger') }), 'refused')
})

test('a server is told the name that is wanted of it (RFC 6066 section 3), and no IP address', async () => {
  const peer = await transportAs(identity('peer'))
  assert.equal((await seenBy(peer.transport, 'gw.test', {})).servername, 'gw.test')
  assert.equal((await seenBy(peer.transport, '127.0.0.1', {})).servername, 'none')
})

test('new certificates are shown on new connections; running ones stay; bad ones change nothing', async () => {
  const gw = await transportAs(identity('gw'))
  const peer = await transportAs(identity('peer'))
  assert.equal(await outcome(peer.transport, gw.target('gw.test'), gw.flow), 'sent')
  assert.throws(() => gw.transport.renewTls({ ...identity('gw'), key: pem('peer.key') }), { code: 'net.tls-invalid' })
  assert.equal(await handshake(gw.transport, {}), 'TLSv1.3')
  gw.transport.renewTls(identity('wildcard'))
  assert.equal(await handshake(gw.transport, {}), 'refused')
  assert.equal(await handshake(gw.transport, { servername: 'a.rec.test' }), 'TLSv1.3')
  peer.transport.sendTo(gw.target('gw.test'), OPTIONS, assert.fail)
  assert.equal(peer.transport.census().outbound, 1)
})

test('a key that does not belong to the certificate is refused at the start', async () => {
  const mixed = { ...identity('gw'), key: pem('peer.key') }
  await assert.rejects(transportAs(mixed), { code: 'net.tls-invalid' })
})

test('verifyClient without an authority is refused at the start', async () => {
  const { cert, key } = identity('gw')
  await assert.rejects(transportAs({ cert, key, verifyClient: true }), { code: 'net.tls-invalid' })
})

/** Connects as a plain TLS client, sends a keep-alive and tells the protocol if it was answered. */
async function handshake(to: SipTransport, options: ConnectionOptions): Promise<string> {
  const port = to.boundPorts[0]!.port
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername: 'gw.test', ca: pem('ca.cert'), ...options })
  socket.on('error', () => {})
  socket.on('secureConnect', () => socket.write('\r\n\r\n'))
  // A server refuses a TLS 1.3 client only after the client's side of the handshake is done.
  const protocol = await new Promise<string>((resolve) => {
    socket.once('data', () => resolve(socket.getProtocol() ?? 'unknown'))
    socket.once('close', () => resolve('refused'))
  })
  socket.destroy()
  return protocol
}

/** What a plain TLS server sees of the connection that the transport opens to it. */
async function seenBy(from: SipTransport, serverName: string, options: ServerOptions) {
  const server = createServer({ ...shown('gw'), ...options })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const seen = await new Promise<{ protocol: string; servername: string }>((resolve) => {
    server.once('secureConnection', (socket) => {
      resolve({ protocol: socket.getProtocol() ?? 'unknown', servername: socket.servername || 'none' })
      socket.destroy()
    })
    const refused = { protocol: 'refused', servername: 'refused' }
    from.sendTo({ transport: 'tls', host: '127.0.0.1', port, serverName }, OPTIONS, () => resolve(refused))
  })
  server.close()
  return seen
}
