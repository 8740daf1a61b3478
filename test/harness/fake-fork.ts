// What the twin of a media engine knows of a fork: counters, receipt, and the replay of what was remembered.

import type { ForkCounters, ForkRemote, GateReceipt, MediaEvent, MediaLocal, Mix, Tap } from '#engine'

const PACKET_SAMPLES = 160
const PACKET_MS = 20

/** What the twin knows of a fork. */
export interface FakeFork {
  readonly id: string
  readonly local: MediaLocal & { readonly ssrc: number }
  tap: Tap | Mix
  masked: boolean
  open: boolean
  remote: ForkRemote | undefined
  packets: number
  held: number
  nextSequence: number
  nextTimestamp: number
  lastTimestamp: number
  firstAtMs: number | undefined
  lastAtMs: number | undefined
  /** Replay that is still to come; a shut gate forgets it. */
  replayFromMs: number | undefined
  replayed: number
}

/** What `remember` asked for last. */
export interface FakeMemory {
  readonly taps: readonly Tap[]
  readonly ms: number
  /** Wall clock, ms since 1970, of the first `remember`. */
  readonly sinceMs: number
}

/** Counts packets as held back. */
export function holdPackets(fork: FakeFork, packets: number): void {
  fork.nextTimestamp += packets * PACKET_SAMPLES
  fork.held += packets
}

/** Counts packets as sent; true for the first ones of the fork. */
export function sendPackets(fork: FakeFork, packets: number, wallMs: number): boolean {
  fork.nextTimestamp += packets * PACKET_SAMPLES
  fork.nextSequence = (fork.nextSequence + packets) & 0xffff
  fork.packets += packets
  fork.lastTimestamp = fork.nextTimestamp - PACKET_SAMPLES
  fork.lastAtMs = wallMs
  if (fork.firstAtMs !== undefined) return false
  fork.firstAtMs = wallMs
  return true
}

/** Sends what was remembered once the way is clear for the first time; returns what the engine would tell. */
export function replayInto(fork: FakeFork, memory: FakeMemory | undefined, wallMs: number): MediaEvent[] {
  if (fork.replayFromMs === undefined || !fork.open || fork.remote === undefined) return []
  const { taps = [], ms = 0, sinceMs = wallMs } = memory ?? {}
  const fromMs = Math.max(fork.replayFromMs, sinceMs, wallMs - ms)
  const isKept = tapsOf(fork.tap).every(({ leg, point }) => taps.some((tap) => tap.leg === leg && tap.point === point))
  const packets = isKept ? Math.floor((wallMs - fromMs) / PACKET_MS) : 0
  fork.replayFromMs = undefined
  if (packets <= 0) return []
  fork.replayed += packets
  const replayed: MediaEvent = { type: 'fork-replayed', fork: fork.id, fromMs, toMs: wallMs, packets }
  if (!sendPackets(fork, packets, wallMs)) return [replayed]
  return [{ type: 'fork-first-packet', fork: fork.id, atMs: wallMs }, replayed]
}

/** Proof of a cut. */
export function receiptOf(fork: FakeFork): GateReceipt {
  return {
    fork: fork.id,
    ssrc: fork.local.ssrc,
    ...(fork.packets > 0 && {
      lastSequence: (fork.nextSequence - 1) & 0xffff,
      lastTimestamp: fork.lastTimestamp,
    }),
    ...(fork.lastAtMs !== undefined && { lastSentAtMs: fork.lastAtMs }),
    packetsSent: fork.packets,
    packetsHeld: fork.held,
    drained: true,
  }
}

/** Counters as they stand. */
export function forkCountersOf(fork: FakeFork): ForkCounters {
  return {
    fork: fork.id,
    ssrc: fork.local.ssrc,
    packets: fork.packets,
    bytes: fork.packets * PACKET_SAMPLES,
    held: fork.held,
    sendErrors: 0,
    ...(fork.firstAtMs !== undefined && { firstAtMs: fork.firstAtMs }),
    ...(fork.lastAtMs !== undefined && { lastAtMs: fork.lastAtMs }),
    receiverReports: 0,
    replayed: fork.replayed,
  }
}

/** What a fork copies, one by one. */
export function tapsOf(tap: Tap | Mix): readonly Tap[] {
  return 'mix' in tap ? tap.mix : [tap]
}
