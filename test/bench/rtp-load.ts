// Load generator process of the relay bench: a socket per leg and recorder, streams at random phases, latencies of what returns.

import { createSocket, type Socket } from 'node:dgram'
import type { Endpoint } from '#kernel'
import type { LatencySummary, LoadCommand, LoadReply } from './relay.ts'

const HOST = '127.0.0.1'
const FRAME_MS = 20
const PACKET_BYTES = 172
const WARM_UP_MS = 500
const LAST_PACKETS_MS = 300

let legs: Socket[] = []
const relayMs: number[] = []
const forkMs: number[] = []
let isCounting = false

function nowMs(): number {
  return performance.now()
}

async function bind(onLatency: (ms: number) => void): Promise<Socket> {
  const lookup = (host: string, _family: unknown, done: (error: null, address: string, family: number) => void): void =>
    done(null, host, 4)
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024, lookup: lookup as never })
  socket.on('message', (bytes) => {
    // RTCP is no part of the measurement.
    if (bytes.length !== PACKET_BYTES) return
    const sentMs = bytes.readDoubleBE(12)
    if (sentMs > 0) onLatency(nowMs() - sentMs)
  })
  return await new Promise((resolve) => void socket.bind(0, HOST, () => resolve(socket)))
}

function endpointOf(socket: Socket): Endpoint {
  return { host: HOST, port: socket.address().port }
}

async function bindAll(legCount: number, recorders: number): Promise<void> {
  const many = (count: number, into: number[]): Promise<Socket[]> =>
    Promise.all(Array.from({ length: count }, () => bind((ms) => void into.push(ms))))
  legs = await many(legCount, relayMs)
  const forks = await Promise.all(legs.map(() => many(recorders, forkMs)))
  reply({ type: 'bound', targets: { legs: legs.map(endpointOf), forks: forks.map((row) => row.map(endpointOf)) } })
}

interface Stream {
  readonly socket: Socket
  readonly packet: Buffer
  sequence: number
  dueMs: number
}

function streamOf(socket: Socket, port: number, index: number): Stream {
  const packet = Buffer.alloc(PACKET_BYTES, 0xd5)
  packet.set([0x80, 0])
  packet.writeUInt32BE(index + 1, 8)
  socket.connect(port, HOST)
  return { socket, packet, sequence: 0, dueMs: nowMs() + Math.random() * FRAME_MS }
}

/** Sends one packet; only packets sent while counting carry a time. */
function speak(stream: Stream): void {
  // The socket may still hold the buffer of a packet that could not be sent at once.
  const packet = stream.socket.getSendQueueCount() > 0 ? Buffer.from(stream.packet) : stream.packet
  stream.sequence++
  packet.writeUInt16BE(stream.sequence & 0xffff, 2)
  packet.writeUInt32BE((stream.sequence * 160) >>> 0, 4)
  packet.writeDoubleBE(isCounting ? nowMs() : 0, 12)
  stream.socket.send(packet)
}

async function run(legPorts: readonly number[], seconds: number): Promise<void> {
  const streams = legs.map((socket, index) => streamOf(socket, legPorts[index]!, index))
  const begunMs = nowMs()
  const endMs = begunMs + WARM_UP_MS + seconds * 1000
  let countedFromMs = 0
  let sent = 0
  const tick = (): void => {
    const now = nowMs()
    if (!isCounting && now >= begunMs + WARM_UP_MS) {
      isCounting = true
      countedFromMs = now
      reply({ type: 'started' })
    }
    for (const stream of streams) {
      if (stream.dueMs > now) continue
      speak(stream)
      if (isCounting) sent++
      // A generator that is late shifts its schedule instead of bursting.
      stream.dueMs = Math.max(stream.dueMs + FRAME_MS, now + FRAME_MS - 1)
    }
    if (now < endMs) return void setTimeout(tick, 1)
    const lengthSeconds = (now - countedFromMs) / 1000
    const forksPerPacket = legs.length === 0 ? 0 : forkCount / legs.length
    isCounting = false
    setTimeout(() => {
      const relay = summary(relayMs, sent)
      reply({ type: 'done', sent, seconds: lengthSeconds, relay, fork: summary(forkMs, sent * forksPerPacket) })
    }, LAST_PACKETS_MS)
  }
  tick()
}

function summary(latenciesMs: readonly number[], expected: number): LatencySummary {
  const sorted = Float64Array.from(latenciesMs).sort()
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
  return { packets: sorted.length, lost: expected - sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}

function reply(message: LoadReply): void {
  process.send?.(message)
}

let forkCount = 0
process.on('message', (command: LoadCommand) => {
  if (command.type === 'run') return void run(command.legPorts, command.seconds)
  forkCount = command.legs * command.recorders
  return void bindAll(command.legs, command.recorders)
})
