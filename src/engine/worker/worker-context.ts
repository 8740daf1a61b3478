// What all calls of one relay worker share.

import type { OpusDecoders } from '#audio'
import type { Clock } from '#kernel'
import type { CopyQueue, SourceIds } from '#media'
import type { PortPool } from '../port-pool.ts'

/** The worker's clock, ports and randomness. */
export interface WorkerContext {
  readonly clock: Clock
  /** What waits to be copied to recorders while packets of calls are relayed. */
  readonly copies: CopyQueue
  /** The clock of what forks send by themselves, replays and mixes. */
  readonly copyClock: Clock
  readonly pool: PortPool
  readonly sourceIds: SourceIds
  /** Uniform in 0..1. */
  readonly random: () => number
  readonly rtcpMinimumMs: number
  readonly silentAfterMs: number
  /** Absent: Opus is only passed on. */
  readonly opus?: OpusDecoders
}
