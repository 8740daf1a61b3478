// Waiting for what may never come: a disk that hangs neither fails nor succeeds.

import type { Clock, Timer } from './clock.ts'

/** Whether work succeeds within so many milliseconds; what it rejects with is not told. */
export async function settledWithin(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined
  const patience = new Promise<boolean>((resolve) => {
    timer = clock.after(ms, 'patience', () => resolve(false))
  })
  const success = work.then(
    () => true,
    () => false,
  )
  const isDone = await Promise.race([success, patience])
  timer?.cancel()
  return isDone
}
