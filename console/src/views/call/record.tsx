// What is known of a call that is over by its record: each recording with its ledger, and the commands.

import type { CallRecordView, RecordVerdict } from '../../../../src/control/call-records/call-record-contract.ts'
import { clockTime } from '../../data/format.ts'
import { Ledger } from './ledger.tsx'

/** What became of the recording, in words, and the state that it looks like. */
export const verdicts: Readonly<Record<RecordVerdict, readonly [words: string, state: string]>> = {
  recorded: ['recorded', 'published'],
  incomplete: ['recorded in part', 'paused'],
  failed: ['not recorded', 'failed'],
  unrecorded: ['nobody asked to record', 'over'],
}

/** Why a call ended, in words. */
export function endWords(end: string): string {
  return end === 'cut off' ? 'cut off: the program was ended in the middle of it' : end
}

/** The recordings of a call, one after another. */
export function Recordings({ record }: { record: CallRecordView }) {
  const { recordings } = record
  return recordings.map(({ id, startedAt, recording }, index) => (
    <Ledger
      key={id}
      recording={recording}
      title={recordings.length === 1 ? 'Ledger' : `Ledger of recording ${index + 1}, from ${clockTime(startedAt)}`}
    />
  ))
}

/** Who commanded what, and what came of it. */
export function Commands({ record }: { record: CallRecordView }) {
  if (record.commands.length === 0) return null
  return (
    <section aria-labelledby="commands-title">
      <h2 id="commands-title">Commands</h2>
      <ul class="plain">
        {record.commands.map(({ at, activity, by, from, status, text }) => (
          <li key={`${at} ${activity}`}>
            {clockTime(at)} <strong>{activity}</strong> by {by}
            {from !== undefined && ` from ${from}`}: {status} {text !== 'OK' && text}
          </li>
        ))}
      </ul>
    </section>
  )
}
