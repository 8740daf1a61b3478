// The cut of a whole recording: every gate is shut at once, and each fork proves it or is removed.

import type { ForkMedia, GateReceipt } from '#engine'
import type { Clock } from '#kernel'
import type { RecorderReceipt } from './command.ts'
import type { Carrier } from './session-port.ts'

/** What is known of a cut. */
export interface CutProof {
  readonly receipts: readonly RecorderReceipt[]
  /** False: some forks gave no proof, and were removed. */
  readonly isProved: boolean
}

/** Shuts the gates of all forks before it returns; brings the proof within `limitMs`. */
export async function cutMedia(
  sessions: readonly Carrier[],
  media: ForkMedia,
  clock: Clock,
  limitMs: number,
): Promise<CutProof> {
  const owners = new Map(sessions.flatMap((session) => session.forkIds.map((id) => [id, session] as const)))
  if (owners.size === 0) return { receipts: [], isProved: true }
  const given = await receiptsWithin(media.shutGates([...owners.keys()]), clock, limitMs)
  const proofs = given.filter((receipt) => receipt.drained)
  const proved = new Set(proofs.map((receipt) => receipt.fork))
  let isProved = true
  for (const session of sessions) {
    const unproved = session.forkIds.filter((id) => owners.has(id) && !proved.has(id))
    if (unproved.length > 0) isProved = false
    session.dropForks(unproved, 'cut')
  }
  const receipts = proofs.map((receipt) => ({ ...receipt, recorder: owners.get(receipt.fork)?.plan.uri ?? '' }))
  return { receipts, isProved }
}

/** No receipt comes from an engine that fails or stays silent. */
function receiptsWithin(
  shut: Promise<readonly GateReceipt[]>,
  clock: Clock,
  limitMs: number,
): Promise<readonly GateReceipt[]> {
  return new Promise((resolve) => {
    const settle = (receipts: readonly GateReceipt[]): void => {
      limit.cancel()
      resolve(receipts)
    }
    const limit = clock.after(limitMs, 'recording cut', () => settle([]))
    shut.then(settle, () => settle([]))
  })
}
