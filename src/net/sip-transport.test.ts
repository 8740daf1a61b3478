import assert from 'node:assert/strict'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after, afterEach, test } from 'node:test'
import { type AppError, type Clock, ManualClock, silentLogger } from '#kernel'
import type { SipFlow, TransportName } from '#sip'
import { systemClock } from './clock.ts'
import { type SipListen, SipTransport } from './sip-transport.ts'

interface Received {
  readonly text: string
  readonly flow: SipFlow
}

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})
after(() => assert.equal(open.length, 0))

/** A transport, and its messages in the order of arrival. */
async function transportOn(listen: SipListen[], clock: Clock = systemClock) {
  const waiting: ((received: Received) => void)[] = []
  const received: Received[] = []
  const transport = await SipTransport.open({
    listen,
    clock,
    log: silentLogger,
    onMessage: (bytes, flow) => {
      const message = { text: Buffer.from(bytes).toString('latin1'), flow }
      const waiter = waiting.shift()
      if (waiter === undefined) received.push(message)
      else waiter(message)
    },
  })
  open.push(transport)
  const next = (): Promise<Received> =>
    new Promise((resolve) => {
      const message = received.shift()
      if (message === undefined) waiting.push(resolve)
      else resolve(message)
    })
  return { transport, next, received, port: (index = 0) => transport.boundPorts[index]!.port }
}

const loopback = (transport: TransportName): SipListen => ({ transport, host: '127.0.0.1', port: 0 })

async function udpPeer(): Promise<{ socket: UdpSocket; port: number }> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  open.push({ close: () => new Promise<void>((resolve) => socket.close(() => resolve())) })
  return { socket, port: socket.address().port }
}

async function tcpPeer(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  })
  return { server, port: (server.address() as { port: number }).port }
}

async function tcpClient(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  open.push({ close: () => socket.destroy() })
  await once(socket, 'connect')
  return socket
}

const OPTIONS = 'OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nContent-Length: 2\r\n\r\nhi'
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const mustNotFail = (reason: string): never => assert.fail(reason)
const failure = (send: (onFailed: (reason: string) => void) => void): Promise<string> =>
  new Promise((resolve) => send(resolve))
const firstData = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0])

test('SIP-15: a datagram is delivered with its source, and the answer goes back there from the same port', async () => {
  const { transport, next, port } = await transportOn([loopback('udp')])
  const peer = await udpPeer()
  peer.socket.send(OPTIONS, port(), '127.0.0.1')
  const { text, flow } = await next()
  assert.equal(text, OPTIONS)
  assert.deepEqual(flow.remote, { host: '127.0.0.1', port: peer.port })
  assert.deepEqual(flow.local, { host: '127.0.0.1', port: port() })
  transport.sendBack(flow, bytes('SIP/2.0 200 OK\r\n\r\n'), mustNotFail)
  const [answer, from] = await once(peer.socket, 'message')
  assert.equal(String(answer), 'SIP/2.0 200 OK\r\n\r\n')
  assert.equal(from.port, port())
})

test('keep-alive datagrams are not delivered as messages', async () => {
  const { next, port } = await transportOn([loopback('udp')])
  const peer = await udpPeer()
  peer.socket.send('\r\n\r\n', port(), '127.0.0.1')
  peer.socket.send(OPTIONS, port(), '127.0.0.1')
  assert.equal((await next()).text, OPTIONS)
})

test('with two udp listeners an answer leaves by the one that was asked', async () => {
  const { transport, next, port } = await transportOn([loopback('udp'), loopback('udp')])
  const peer = await udpPeer()
  peer.socket.send(OPTIONS, port(1), '127.0.0.1')
  const { flow } = await next()
  transport.sendBack(flow, bytes('SIP/2.0 200 OK\r\n\r\n'), mustNotFail)
  const [, from] = await once(peer.socket, 'message')
  assert.equal(from.port, port(1))
})

test('a datagram that the system refuses is reported', async () => {
  const { transport } = await transportOn([loopback('udp')])
  const target = { transport: 'udp', host: '127.0.0.1', port: 9 } as const
  assert.equal(await failure((onFailed) => transport.sendTo(target, new Uint8Array(70_000), onFailed)), 'EMSGSIZE')
})

test('addresses that node would throw at are reported as failures', async () => {
  const { transport } = await transportOn([loopback('udp'), loopback('tcp')])
  for (const name of ['udp', 'tcp'] as const) {
    for (const [host, port] of [
      ['127.0.0.1', 0],
      ['127.0.0.1', 65536],
      ['not an address', 5060],
    ] as const) {
      const target = { transport: name, host, port }
      assert.equal(await failure((onFailed) => transport.sendTo(target, bytes(OPTIONS), onFailed)), 'invalid address')
    }
  }
})

test('SIP-02: messages split and merged by TCP are delivered one by one', async () => {
  const { next, port } = await transportOn([loopback('tcp')])
  const client = await tcpClient(port())
  client.setNoDelay(true)
  const stream = OPTIONS.repeat(3)
  client.write(stream.slice(0, 10))
  client.write(stream.slice(10, OPTIONS.length + 5))
  client.write(stream.slice(OPTIONS.length + 5))
  for (let i = 0; i < 3; i++) assert.equal((await next()).text, OPTIONS)
})

test('a double CRLF is answered with a CRLF (RFC 5626 section 3.5.1)', async () => {
  const { port } = await transportOn([loopback('tcp')])
  const client = await tcpClient(port())
  client.write('\r\n\r\n')
  assert.equal(await firstData(client), '\r\n')
})

test('an answer goes back over the connection that the request came by', async () => {
  const { transport, next, port } = await transportOn([loopback('tcp')])
  const client = await tcpClient(port())
  client.write(OPTIONS)
  const { flow } = await next()
  assert.equal(flow.transport, 'tcp')
  assert.deepEqual(flow.remote, { host: '127.0.0.1', port: client.localPort })
  transport.sendBack(flow, bytes('SIP/2.0 200 OK\r\n\r\n'), mustNotFail)
  assert.equal(await firstData(client), 'SIP/2.0 200 OK\r\n\r\n')
})

test('SIP-28: requests to one target share a connection, also with what was sent while it opened', async () => {
  const { transport } = await transportOn([loopback('tcp')])
  let connections = 0
  let heard = ''
  const allHeard = new EventEmitter()
  const peer = await tcpPeer((socket) => {
    connections += 1
    socket.on('data', (chunk) => {
      heard += String(chunk)
      if (heard.length === OPTIONS.length * 2) allHeard.emit('done')
    })
  })
  const target = { transport: 'tcp', host: '127.0.0.1', port: peer.port } as const
  transport.sendTo(target, bytes(OPTIONS), mustNotFail)
  transport.sendTo(target, bytes(OPTIONS), mustNotFail)
  await once(allHeard, 'done')
  assert.equal(heard, OPTIONS + OPTIONS)
  assert.equal(connections, 1)
  assert.deepEqual(transport.census(), { listeners: 1, inbound: 0, outbound: 1 })
})

test('a request to the source of an inbound connection travels over it', async () => {
  const { transport, next, port } = await transportOn([loopback('tcp')])
  const client = await tcpClient(port())
  client.write(OPTIONS)
  const { flow } = await next()
  transport.sendTo({ transport: 'tcp', ...flow.remote }, bytes('BYE sip:a SIP/2.0\r\n\r\n'), mustNotFail)
  assert.equal(await firstData(client), 'BYE sip:a SIP/2.0\r\n\r\n')
  assert.equal(transport.census().outbound, 0)
})

test('SRC-60: a refused connection fails every message that waited for it, with the cause', async () => {
  const { transport } = await transportOn([loopback('tcp')])
  const peer = await tcpPeer(() => {})
  await new Promise<void>((resolve) => peer.server.close(() => resolve()))
  const target = { transport: 'tcp', host: '127.0.0.1', port: peer.port } as const
  const send = (onFailed: (reason: string) => void): void => transport.sendTo(target, bytes(OPTIONS), onFailed)
  assert.deepEqual(await Promise.all([failure(send), failure(send)]), ['ECONNREFUSED', 'ECONNREFUSED'])
  assert.equal(transport.census().outbound, 0)
})

test('a connection that does not open in time fails; the target may set the time', async () => {
  const clock = new ManualClock()
  const { transport } = await transportOn([loopback('tcp')], clock)
  const peer = await tcpPeer(() => {})
  const target = { transport: 'tcp', host: '127.0.0.1', port: peer.port, connectTimeoutMs: 1000 } as const
  const reason = failure((onFailed) => transport.sendTo(target, bytes(OPTIONS), onFailed))
  // No turn of the event loop passes, so the connection cannot have opened yet.
  clock.advance(1000)
  assert.equal(await reason, 'connect timeout')
})

test('an inbound connection without a message, and later an idle one, is closed', async () => {
  const clock = new ManualClock()
  const { transport, next, port } = await transportOn([loopback('tcp')], clock)
  const talker = await tcpClient(port())
  talker.write(OPTIONS)
  await next()
  const mute = await tcpClient(port())
  talker.write(OPTIONS)
  await next()
  const muteClosed = once(mute, 'close')
  clock.advance(15_000)
  await muteClosed
  assert.equal(transport.census().inbound, 1)
  const talkerClosed = once(talker, 'close')
  clock.advance(3_600_000)
  await talkerClosed
})

test('an answer for a closed connection goes to the fallback, or fails without one', async () => {
  const { transport, next, port } = await transportOn([loopback('tcp')])
  const client = await tcpClient(port())
  client.write(OPTIONS)
  const { flow } = await next()
  client.destroy()
  const answer = bytes('SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n')
  const other = await transportOn([loopback('tcp')])
  const fallback = { transport: 'tcp', host: '127.0.0.1', port: other.port() } as const
  while (transport.census().inbound > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await failure((onFailed) => transport.sendBack(flow, answer, onFailed)), 'connection closed')
  transport.sendBack(flow, answer, mustNotFail, fallback)
  assert.equal((await other.next()).text, 'SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n')
})

test('a peer that does not read is cut off instead of filling memory', async () => {
  const { transport } = await transportOn([loopback('tcp')])
  const peer = await tcpPeer((socket) => socket.pause())
  const target = { transport: 'tcp', host: '127.0.0.1', port: peer.port } as const
  const send = (onFailed: (reason: string) => void): void => transport.sendTo(target, new Uint8Array(60_000), onFailed)
  const reasons = await Promise.all(Array.from({ length: 18 }, () => failure(send)))
  assert.deepEqual(new Set(reasons), new Set(['send queue full']))
})

test('garbage on a stream closes the connection', async () => {
  const { next, port, received } = await transportOn([loopback('tcp')])
  const client = await tcpClient(port())
  const closed = once(client, 'close')
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await closed
  assert.equal(received.length, 0)
  const good = await tcpClient(port())
  good.write(OPTIONS)
  assert.equal((await next()).text, OPTIONS)
})

test('a taken port is named in the error, and what was bound before is closed again', async () => {
  const { port } = await transportOn([loopback('tcp')])
  const listen: SipListen[] = [loopback('udp'), { transport: 'tcp', host: '127.0.0.1', port: port() }]
  const opening = SipTransport.open({ listen, clock: systemClock, log: silentLogger, onMessage: () => {} })
  await assert.rejects(opening, (error: AppError) => {
    assert.equal(error.code, 'net.listen-failed')
    assert.equal(error.message, `cannot listen on tcp 127.0.0.1:${port()}: EADDRINUSE`)
    return true
  })
})

test('a wildcard address without an advertised host is refused', async () => {
  const listen: SipListen[] = [{ transport: 'udp', host: '0.0.0.0', port: 0 }]
  const opening = SipTransport.open({ listen, clock: systemClock, log: silentLogger, onMessage: () => {} })
  await assert.rejects(opening, { code: 'net.listen-invalid' })
})

test('the advertised address stands in for the bound one', async () => {
  const { transport, port } = await transportOn([
    { ...loopback('udp'), advertisedHost: 'sip.example.com', advertisedPort: 5070 },
    loopback('tcp'),
  ])
  assert.deepEqual(transport.localAddress('udp'), { host: 'sip.example.com', port: 5070 })
  assert.deepEqual(transport.localAddress('tcp'), { host: '127.0.0.1', port: port(1) })
  assert.ok(transport.supports('tcp'))
  assert.ok(!transport.supports('tls'))
})

test('close frees every socket, and later sends fail', async () => {
  const { transport, next, port } = await transportOn([loopback('udp'), loopback('tcp')])
  const client = await tcpClient(port(1))
  client.write(OPTIONS)
  const { flow } = await next()
  const closed = once(client, 'close')
  await transport.close()
  await closed
  assert.deepEqual(transport.census(), { listeners: 0, inbound: 0, outbound: 0 })
  const target = { transport: 'udp', host: '127.0.0.1', port: 9 } as const
  assert.equal(await failure((onFailed) => transport.sendTo(target, bytes(OPTIONS), onFailed)), 'transport closed')
  assert.equal(await failure((onFailed) => transport.sendBack(flow, bytes(OPTIONS), onFailed)), 'connection closed')
})
