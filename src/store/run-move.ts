// A run, or the rest of one, that turned out to have been said earlier, or later, than it was taken for: one line of the index.

import type { GapCause } from './manifest.ts'
import type { ClockBend, RunTimeSource } from './run-time.ts'

/** All of a run from a place on lies elsewhere; its bytes stay what they are. */
export interface RunMove {
  /** Where in the recording the place was, in milliseconds. */
  readonly fromMs: number
  readonly byMs: number
  /** Why there is no audio before it. */
  readonly cause: GapCause
  /** Where the run begins now. */
  readonly startMs: number
  /** Bends behind those that the run has. */
  readonly bends: readonly ClockBend[]
}

/** The run after a move. */
export function movedRun<Run extends RunTimeSource>(run: Run, { startMs, bends }: RunMove): Run {
  const clock = [...(run.clock ?? []), ...bends]
  return { ...run, startMs, ...(clock.length > 0 && { clock }) }
}
