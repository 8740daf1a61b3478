// What all calls of one relay worker share.

import type { Clock } from '#kernel'
import type { SourceIds } from '#media'
import type { PortPool } from '../port-pool.ts'
import type { SlotRing } from './slot-ring.ts'

/** The worker's clock, ports, buffers and randomness. */
export interface WorkerContext {
  readonly clock: Clock
  readonly pool: PortPool
  readonly slots: SlotRing
  readonly sourceIds: SourceIds
  /** Uniform in 0..1. */
  readonly random: () => number
  readonly rtcpMinimumMs: number
  readonly silentAfterMs: number
}
