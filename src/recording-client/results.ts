// Results of recorders as commands and views tell them.

import { assertNever } from '#kernel'
import { texts } from './command.ts'
import type { SessionReport } from './session-machine.ts'

/** The result of a recorder after a report of its session; `known` is what stood there before. */
export function resultOf(known: string, report: SessionReport): string {
  switch (report.type) {
    case 'accepted':
    case 'resumed':
    case 'resumed-by-recorder':
      return 'accepted'
    case 'paused-by-recorder':
      return texts.pausedByRecorder
    case 'streams-refused':
    case 'streams-taken':
    case 'streams-missing':
    case 'streams-restored':
    case 'streams-inactive':
    case 'streams-active':
    case 'mixed':
      return known
    case 'failed':
      return `failed(${report.status})`
    case 'signal-failed':
      return `${report.direction === 'inactive' ? 'paused, ' : ''}signalled: false (${report.status})`
    case 'closed':
      return known === 'pending' ? 'failed(487)' : known
    case 'paused':
    case 'lost':
      return report.type
    default:
      return assertNever(report)
  }
}
