// The ledger: for each stream, where the time of the recording went.

import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { duration } from '../data/format.ts'
import { gapWords, isPause, shortAddress } from './words.ts'

type Stream = RecordingView['streams'][number]

/** The streams and what is missing of each. */
export function Streams({ recording: { streams, durationMs } }: { recording: RecordingView }) {
  if (streams.length === 0) return null
  return (
    <section class="card" aria-labelledby="streams-title">
      <h2 id="streams-title">Streams</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than the window is scrolled by keys too */}
      <section class="scroller" tabIndex={0} aria-label="Table of streams">
        <table>
          <thead>
            <tr>
              {['Stream', 'Of', 'Speaker', 'Codec', 'Received', 'Missing', 'Packets', 'Lost', 'Late', 'Refused'].map(
                (title) => (
                  <th scope="col" key={title}>
                    {title}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {streams.map((stream) => (
              <Row key={stream.channel} stream={stream} durationMs={durationMs} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}

function Row({ stream, durationMs }: { stream: Stream; durationMs: number }) {
  const { channel, kind, label, speakers, speakerEvidence, codecs, account, totals, pauses } = stream
  const missing = Object.entries(account?.missingMs ?? {})
  const leaked = pauses.reduce((sum, { packets }) => sum + packets, 0)
  return (
    <tr>
      <th scope="row">{label ?? channel + 1}</th>
      <td>{kind}</td>
      <td>
        {speakers.map(shortAddress).join(', ') || 'unknown'}
        {speakerEvidence === 'inferred' && ' (inferred)'}
      </td>
      <td>{[...new Set(codecs.map(({ encoding }) => encoding))].join(', ')}</td>
      <td>{account && `${duration(account.audioMs)} of ${duration(durationMs)}`}</td>
      <td>
        {missing.length === 0
          ? 'nothing'
          : missing.map(([cause, ms]) => (
              <div key={cause} data-cause={isPause(cause) ? 'pause' : 'gap'}>
                {(ms / 1000).toFixed(2)} s {gapWords(cause)}
              </div>
            ))}
        {pauses.length > 0 && (
          <div>{leaked === 0 ? 'no packet came while paused' : `${leaked} packets came while paused`}</div>
        )}
      </td>
      <td>{totals.packets}</td>
      <td>{totals.lost}</td>
      <td>{totals.late}</td>
      <td>{totals.refused}</td>
    </tr>
  )
}
