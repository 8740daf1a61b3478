// Load generator process of the relay bench: evenly spaced streams out of a few sockets, latencies of what returns.

import { createSocket, type Socket } from 'node:dgram'
import type { Endpoint } from '#kernel'
import type { LatencySummary, LoadCommand, LoadReply } from './relay.ts'

const HOST = '127.0.0.1'
const FRAME_MS = 20
const PACKET_BYTES = 172
const SENT_AT_OFFSET = 12
const WARM_UP_MS = 300
const LAST_PACKETS_MS = 200
/** Streams share sockets: the generator must not cost more than what it measures. */
const SOCKETS = 4
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
/** A generator that is later than this shifts its schedule instead of bursting. */
const PATIENCE_MS = 4
const BIN_MS = 0.01
const BINS = 100_000

/** Counts latencies in bins of 10 µs; the last bin holds everything above a second. */
class Latencies {
  #bins = new Uint32Array(BINS)
  #packets = 0

  add(ms: number): void {
    this.#bins[Math.min(BINS - 1, Math.floor(ms / BIN_MS))]! += 1
    this.#packets++
  }

  /** What was counted, of so many packets expected; counts from zero afterwards. */
  take(expected: number): LatencySummary {
    const summary = {
      packets: this.#packets,
      lost: expected - this.#packets,
      p50Ms: this.#at(0.5),
      p99Ms: this.#at(0.99),
    }
    this.#bins.fill(0)
    this.#packets = 0
    return summary
  }

  #at(part: number): number {
    let left = part * this.#packets
    const bin = this.#bins.findIndex((count) => {
      left -= count
      return left < 0
    })
    return (bin + 1) * BIN_MS
  }
}

const relayed = new Latencies()
const forked = new Latencies()
let legSockets: Socket[] = []
let recorders = 0
/** Time of the first counted packet; none is counted before. */
let countedFromMs = Number.POSITIVE_INFINITY

function literalLookup(
  host: string,
  _family: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, host, 4)
}

function open(latencies: Latencies): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES, lookup: literalLookup as never })
  socket.on('message', (bytes) => {
    // RTCP is no part of the measurement.
    if (bytes.length !== PACKET_BYTES) return
    const sentMs = bytes.readDoubleBE(SENT_AT_OFFSET)
    if (sentMs >= countedFromMs) latencies.add(performance.now() - sentMs)
  })
  return new Promise((resolve) => void socket.bind(0, HOST, () => resolve(socket)))
}

async function openAll(latencies: Latencies): Promise<Socket[]> {
  return await Promise.all(Array.from({ length: SOCKETS }, () => open(latencies)))
}

async function bind(command: Extract<LoadCommand, { type: 'bind' }>): Promise<void> {
  legSockets = await openAll(relayed)
  const sinks = await openAll(forked)
  recorders = command.recorders
  const endpointOf = (sockets: readonly Socket[], index: number): Endpoint => ({
    host: HOST,
    port: sockets[index % SOCKETS]!.address().port,
  })
  const indexes = Array.from({ length: command.legs }, (_, index) => index)
  const legs = indexes.map((index) => endpointOf(legSockets, index))
  const forks = indexes.map((index) =>
    Array.from({ length: recorders }, (_, recorder) => endpointOf(sinks, index + recorder)),
  )
  reply({ type: 'bound', targets: { legs, forks } })
}

/** One packet that every stream sends in turn: only its numbers change. */
class Speaker {
  readonly #ports: readonly number[]
  readonly #sequences: Uint16Array
  #packet = newPacket()

  constructor(ports: readonly number[]) {
    this.#ports = ports
    this.#sequences = new Uint16Array(ports.length)
  }

  speak(stream: number, isCounted: boolean): void {
    const socket = legSockets[stream % SOCKETS]!
    // The socket may still hold the buffer of a packet that could not be sent at once.
    if (socket.getSendQueueCount() > 0) this.#packet = newPacket()
    const packet = this.#packet
    const sequence = ++this.#sequences[stream]! & 0xffff
    packet.writeUInt16BE(sequence, 2)
    packet.writeUInt32BE(sequence * 160, 4)
    packet.writeUInt32BE(stream + 1, 8)
    packet.writeDoubleBE(isCounted ? performance.now() : 0, SENT_AT_OFFSET)
    socket.send(packet, this.#ports[stream]!, HOST)
  }
}

function newPacket(): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xd5)
  packet.set([0x80, 0])
  return packet
}

/** Sequences go on over runs, as the device saw them. */
let speaker: Speaker | undefined

async function run({ legPorts, streams, seconds }: Extract<LoadCommand, { type: 'run' }>): Promise<void> {
  speaker ??= new Speaker(legPorts)
  const speaking = speaker
  let dueMs = performance.now()
  let stream = 0
  let sent = 0
  /** Sends what is due by now, one packet after the other in even distances. */
  const sendDue = (isCounted: boolean): void => {
    const now = performance.now()
    if (now - dueMs > PATIENCE_MS) dueMs = now - PATIENCE_MS
    for (; dueMs <= now; dueMs += FRAME_MS / streams) {
      speaking.speak(stream, isCounted)
      stream = (stream + 1) % streams
      if (isCounted) sent++
    }
  }
  await everyMsUntil(performance.now() + WARM_UP_MS, () => sendDue(false))
  countedFromMs = performance.now()
  const cpuBefore = process.cpuUsage()
  reply({ type: 'started' })
  await everyMsUntil(countedFromMs + seconds * 1000, () => sendDue(true))
  const lastedMs = performance.now() - countedFromMs
  const cpu = process.cpuUsage(cpuBefore)
  reply({ type: 'stopped' })
  await everyMsUntil(performance.now() + LAST_PACKETS_MS, () => {})
  countedFromMs = Number.POSITIVE_INFINITY
  reply({
    type: 'done',
    sent,
    seconds: lastedMs / 1000,
    generatorShare: (cpu.user + cpu.system) / 1000 / lastedMs,
    relay: relayed.take(sent),
    fork: forked.take(sent * recorders),
  })
}

function everyMsUntil(endMs: number, act: () => void): Promise<void> {
  return new Promise((resolve) => {
    const tick = (): void => {
      act()
      if (performance.now() < endMs) setTimeout(tick, 1)
      else resolve()
    }
    tick()
  })
}

function reply(message: LoadReply): void {
  process.send?.(message)
}

process.on('message', (command: LoadCommand) => void (command.type === 'run' ? run(command) : bind(command)))
process.on('disconnect', () => process.exit(0))
