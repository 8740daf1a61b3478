// What happened in a recording, in words and in order: pauses, gaps, and who came, left or was put on hold.

import type { HistoryView } from '../../../src/control/recordings/document-contract.ts'
import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { duration } from '../data/format.ts'
import { gapWords, isPause, shortAddress } from '../recordings/words.ts'
import { sound } from './sound.ts'

type Stream = RecordingView['streams'][number]

/** The streams that are heard, a lane each, in the order of the channels. */
export function lanesOf({ streams }: RecordingView): Stream[] {
  return streams.filter(({ kind }) => kind === 'audio')
}

/** Who is heard, seen or writes on a stream. */
export function streamName({ channel, kind, speakers, label }: Stream): string {
  const suffix = kind === 'audio' ? '' : ` (${kind})`
  if (speakers.length > 0) return `${speakers.map(shortAddress).join(', ')}${suffix}`
  return `stream ${label ?? channel + 1}${suffix}`
}

const kinds: Readonly<Record<string, string>> = {
  joined: 'joined',
  left: 'left',
  held: 'was put on hold',
  resumed: 'was taken off hold',
}

/** A change that the metadata told. */
export interface Mark {
  readonly atMs: number
  readonly text: string
}

/** The changes that the metadata told, document by document. */
export function marksOf(history: HistoryView | undefined, recording: RecordingView): Mark[] {
  return (history?.items ?? []).flatMap(({ atMs, changes }) =>
    changes.map(({ kind, participant, channel }) => {
      const stream = recording.streams.find((one) => one.channel === (channel ?? 0))
      const who = participant !== undefined ? shortAddress(participant) : stream ? streamName(stream) : 'somebody'
      return { atMs: Math.min(Math.max(0, atMs), recording.durationMs), text: `${who} ${kinds[kind] ?? kind}` }
    }),
  )
}

/** The list; each entry leads to its place. */
export function Happenings({ recording, marks }: { recording: RecordingView; marks: readonly Mark[] }) {
  const gaps = recording.streams.flatMap((stream) => stream.gaps.map((gap) => ({ ...gap, name: streamName(stream) })))
  const pauses = gaps.filter(({ cause }) => isPause(cause)).length
  const all = [
    ...marks.map(({ atMs, text }) => ({ atMs, text: `${duration(atMs)} ${text}` })),
    ...gaps.map(({ fromMs, toMs, cause, name }) => ({
      atMs: fromMs,
      text: `${duration(fromMs)} ${name}: ${gapWords(cause)}, ${((toMs - fromMs) / 1000).toFixed(2)} s`,
    })),
  ].sort((a, b) => a.atMs - b.atMs)
  const unlistedMs = recording.streams.reduce((sum, stream) => sum + (stream.unlistedMs ?? 0), 0)
  if (all.length === 0) return <span class="muted">Nothing is missing.</span>
  return (
    <details class="happenings">
      <summary>
        {counted(pauses, 'pause')}, {counted(gaps.length - pauses, 'gap')}, {counted(marks.length, 'change')}
        {unlistedMs > 0 && `; ${(unlistedMs / 1000).toFixed(2)} s of further gaps are not listed`}
      </summary>
      <ol>
        {all.map(({ atMs, text }) => (
          <li key={text}>
            <button type="button" class="quiet" onClick={() => sound.seek(atMs / 1000)}>
              {text}
            </button>
          </li>
        ))}
      </ol>
    </details>
  )
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
