// What the main thread and the spool worker say to each other. Packets never cross, nor does the key.

import type { ForkCounters, ForkRemote, GateReceipt, MediaLocal } from '#engine'
import type { SpooledFile, SpoolLimits } from './spool-folder.ts'

/** What a spool is made from. */
export interface SpoolOptions {
  readonly folder: string
  /** Made at first use. */
  readonly keyFile: string
  readonly limits: SpoolLimits
  /** Packets are delivered so many times faster than they came. */
  readonly deliverySpeed: number
  /** Where deliveries are sent from. */
  readonly media: {
    readonly host: string
    readonly advertisedHost?: string
    readonly portMin: number
    readonly portMax: number
  }
}

/** A payload type as a recorder takes it. */
export interface DeliveredCodec {
  readonly payloadType: number
  readonly clockRateHz: number
}

/** Commands, each answered by one reply; `id` is that of a spooled recording. */
export type SpoolCommand =
  /** Begins a recording with a stream for each port that packets come from. */
  | { readonly type: 'open'; readonly id: string; readonly sources: readonly number[]; readonly facts: string }
  | { readonly type: 'note' | 'close'; readonly id: string; readonly facts: string }
  | { readonly type: 'list' }
  | { readonly type: 'remove'; readonly id: string }
  | { readonly type: 'bind'; readonly id: string; readonly fork: string; readonly stream: number }
  /** `codecs`: by payload type of the kept packets; others are not sent. */
  | {
      readonly type: 'connect'
      readonly id: string
      readonly fork: string
      readonly remote: ForkRemote
      readonly codecs: ReadonlyMap<number, DeliveredCodec>
    }
  | { readonly type: 'gates'; readonly id: string; readonly forks: readonly string[]; readonly isOpen: boolean }
  | { readonly type: 'unbind'; readonly id: string; readonly fork: string }
  | { readonly type: 'stop' }

/** Answers by type of command. */
export interface SpoolReplies {
  /** Where the packets are taken, in the order of the sources; or why nothing is. */
  open: { readonly host: string; readonly ports: readonly number[] } | { readonly refused: string }
  note: undefined
  close: undefined
  list: readonly SpooledFile[]
  remove: undefined
  bind: MediaLocal & { readonly ssrc: number }
  connect: undefined
  gates: readonly GateReceipt[]
  unbind: ForkCounters
  stop: undefined
}

/** What the worker reports by itself. */
export type SpoolEvent =
  /** A recording takes nothing more: a limit was reached, or the disk failed. */
  | { readonly type: 'stopped'; readonly id: string; readonly reason: string }
  /** All that there is of a recording has been sent. */
  | { readonly type: 'sent'; readonly id: string }

/** Main thread to worker. */
export interface SpoolRequest {
  readonly requestId: number
  readonly command: SpoolCommand
}

/** Worker to main thread. */
export type SpoolReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly requestId: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly requestId: number; readonly code: string; readonly message: string }
  | { readonly kind: 'event'; readonly event: SpoolEvent }
