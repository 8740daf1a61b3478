// What crosses between the main thread and a relay worker: commands, replies and events, never packets.

import type { StreamIdentity } from '#media'
import type {
  CallCounters,
  ForkCounters,
  ForkOptions,
  ForkRemote,
  GateReceipt,
  Hearing,
  LegMedia,
  MediaEvent,
  Mix,
  PlayEnd,
  Prompt,
  Tap,
  Tone,
} from '../media-engine.ts'

/** What a worker is told at its birth. */
export interface RelayWorkerSettings {
  readonly host: string
  readonly portMin: number
  readonly portMax: number
  /** Seed of the randomness that need not be secret: RTCP intervals, order of ports. */
  readonly seed: number
  readonly silentAfterMs: number
  /** Opus is to be read. */
  readonly hasOpus: boolean
  readonly rtcpMinimumMs: number
}

/** Ports bound for a leg or fork. */
export interface BoundPorts {
  readonly rtpPort: number
  readonly rtcpPort: number
}

/** Every command about a call, with its reply. */
export interface CallCommands {
  readonly addLeg: { request: { leg: string; kind: 'audio' | 'video'; identity: StreamIdentity }; reply: BoundPorts }
  readonly configureLeg: { request: { leg: string; media: LegMedia }; reply: undefined }
  readonly bridge: { request: { a: string; b: string }; reply: undefined }
  readonly unbridge: { request: { leg: string }; reply: undefined }
  readonly conference: { request: { legs: readonly string[] }; reply: undefined }
  readonly removeLeg: { request: { leg: string }; reply: undefined }
  readonly play: { request: { leg: string; play: number; prompt: Prompt }; reply: undefined }
  readonly stopPlaying: { request: { leg: string }; reply: undefined }
  readonly addFork: {
    request: { gate: SharedArrayBuffer; identity: StreamIdentity; options: ForkOptions }
    reply: BoundPorts
  }
  readonly connectFork: { request: { fork: string; remote: ForkRemote }; reply: undefined }
  readonly moveFork: { request: { fork: string; tap: Tap | Mix }; reply: undefined }
  readonly hear: { request: { hearing: Hearing }; reply: undefined }
  readonly setTone: { request: { leg: string; tone: Tone | undefined }; reply: undefined }
  readonly maskDtmf: { request: { forks: readonly string[]; mask: boolean }; reply: undefined }
  /** `gate` is open while something is kept; `epoch` is of the moment of the command. */
  readonly remember: {
    request: { taps: readonly Tap[]; keepMs: number; gate: SharedArrayBuffer; epoch: number }
    reply: undefined
  }
  /** The reply comes when nothing of the memory is queued any more. */
  readonly forget: { request: Record<never, never>; reply: undefined }
  readonly shutGates: { request: { forks: readonly string[] }; reply: readonly GateReceipt[] }
  readonly openGates: { request: { gates: readonly { fork: string; epoch: number }[] }; reply: undefined }
  readonly removeFork: { request: { fork: string }; reply: ForkCounters }
  readonly counters: { request: Record<never, never>; reply: CallCounters }
  readonly release: { request: Record<never, never>; reply: CallCounters }
}

/** Name of a command about a call. */
export type CallOp = keyof CallCommands

/** A command as it travels. */
export type CallCommand = { [Op in CallOp]: { readonly op: Op } & Readonly<CallCommands[Op]['request']> }[CallOp]

/** What a worker holds now. */
export interface WorkerCensus {
  readonly calls: number
  readonly legs: number
  readonly forks: number
  readonly ports: number
}

/** Main thread to worker. */
export type ToWorker =
  | { readonly type: 'call'; readonly id: number; readonly callId: string; readonly command: CallCommand }
  | { readonly type: 'census'; readonly id: number }
  | { readonly type: 'close'; readonly id: number }

/** Worker to main thread. */
export type FromWorker =
  | { readonly type: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly type: 'rejection'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly type: 'event'; readonly callId: string; readonly event: MediaEvent }
  | { readonly type: 'play-end'; readonly callId: string; readonly play: number; readonly end: PlayEnd }
  | { readonly type: 'fault'; readonly callId: string; readonly message: string; readonly stack: string }
