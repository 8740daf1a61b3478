import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { MemoryLogger } from '#kernel'
import { SipTransport, systemClock, type TlsOptions } from '#net'
import type { SipFlow, SipTarget } from '#sip'

const pem = (name: string): string =>
  readFileSync(new URL(`../../../test/fixtures/tls/${name}.pem`, import.meta.url), 'utf8')
const identity = (name: string): TlsOptions => ({
  cert: pem(`${name}.cert`),
  key: pem(`${name}.key`),
  ca: pem('ca.cert'),
})

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
  for (const own of [{}, { cert: pem('stranger.cert'), key: pem('stranger.key') }]) {
    assert.equal(await handshake(gw.transport, own), 'refused')
  }
  assert.equal(gw.log.messages().filter((message) => message === 'tls handshake refused').length, 2)
})

test('without verifyClient a client needs no certificate', async () => {
  const gw = await transportAs(identity('gw'))
  assert.equal(await handshake(gw.transport, {}), 'TLSv1.3')
})

test('SEC-01: TLS 1.2 is spoken, TLS 1.1 is refused', async () => {
  const gw = await transportAs(identity('gw'))
  assert.equal(await handshake(gw.transport, { maxVersion: 'TLSv1.2' }), 'TLSv1.2')
  // Security level 0 lets the client offer what OpenSSL would not even try.
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  assert.equal(await handshake(gw.transport, old), 'refused')
})

test('SEC-02: a cipher without forward secrecy is refused', async () => {
  const gw = await transportAs(identity('gw'))
  const old = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-ECDSA-AES128-SHA@SECLEVEL=0' } as const
  assert.equal(await handshake(gw.transport, old), 'refused')
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
