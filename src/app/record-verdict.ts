// What became of the recording of a call, in one word, by its ledgers.

import type { RecordVerdict } from '#control'
import type { RecordingView } from '#recording-client'
import type { CommandReport } from './command-reports.ts'

type Row = RecordingView['ledger'][number]

/** What is known of a call that is over. */
export interface VerdictFacts {
  /** Of the call, oldest first. */
  readonly recordings: readonly RecordingView[]
  readonly commands: readonly CommandReport[]
  readonly isAnswered: boolean
  /** Nobody saw its end. */
  readonly isCutOff: boolean
}

/** Gaps that were asked for. */
const wanted = new Set(['pause', 'call not answered'])

/** See `callRecord` of the HTTP API. */
export function verdictOf({ recordings, commands, isAnswered, isCutOff }: VerdictFacts): RecordVerdict {
  if (!isAnswered) return 'unrecorded'
  const isRefused = commands.some(({ activity, status }) => activity === 'start' && status >= 300)
  if (recordings.length === 0) return isRefused ? 'failed' : 'unrecorded'
  if (!isCutOff && recordings.every(isWhole)) return 'recorded'
  // Nobody counted what was sent of a call that was cut off.
  const isSome = ({ packetsSent, answeredAtMs }: Row): boolean =>
    isCutOff ? answeredAtMs !== undefined : packetsSent > 0
  return recordings.some(({ ledger }) => ledger.some(isSome)) ? 'incomplete' : 'failed'
}

/** Some recorder was sent everything but what was paused. */
function isWhole({ ledger }: RecordingView): boolean {
  return ledger.some((row) => {
    const isSent = row.packetsSent > 0 || (row.packetsHeld > 0 && row.answeredAtMs !== undefined)
    return (
      isSent && row.noAudio === undefined && row.gaps.every(({ reason }) => wanted.has(reason)) && !isLate(row, ledger)
    )
  })
}

/** It took over in the middle, and was not sent what its predecessor had last. */
function isLate({ tookOverFrom, packetsReplayed }: Row, ledger: readonly Row[]): boolean {
  const before = ledger.find(({ recorder }) => recorder === tookOverFrom)
  return before?.answeredAtMs !== undefined && packetsReplayed === 0
}
