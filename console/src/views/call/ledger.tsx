// What each recorder was asked and sent, and the proof of the latest pause.

import type { CallView } from '../../../../src/control/contract.ts'
import { Receipts } from '../../components/recording-outcome.tsx'
import { clockTime, shortAddress } from '../../data/format.ts'

type Recording = NonNullable<CallView['recording']>

/** The table. */
export function Ledger({ recording, title = 'Ledger' }: { recording: Recording; title?: string }) {
  const { ledger, receipts } = recording
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      {ledger.length === 0 ? (
        <p class="muted">No recorder was asked.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard
        <section class="scrolls" tabIndex={0} aria-label={`${title}: the recorders`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Recorder</th>
                <th scope="col">Outcome</th>
                <th scope="col">Asked</th>
                <th scope="col">Answered</th>
                <th scope="col">First packet</th>
                <th scope="col">Last packet</th>
                <th scope="col">Sent</th>
                <th scope="col">Held back</th>
                <th scope="col">Errors</th>
                <th scope="col">Gaps</th>
              </tr>
            </thead>
            <tbody>
              {ledger.map((row) => (
                <tr key={`${row.recorder} ${row.askedAt}`}>
                  <th scope="row">{shortAddress(row.recorder)}</th>
                  <td>{row.outcome}</td>
                  <td>{clockTime(row.askedAt)}</td>
                  <Time at={row.answeredAt} />
                  <Time at={row.firstPacketAt} />
                  <Time at={row.lastPacketAt} />
                  <td class="number">{row.packetsSent}</td>
                  <td class="number">{row.packetsHeld}</td>
                  <td class="number">{row.sendErrors}</td>
                  <td class="gaps">
                    {row.gaps.length === 0 && 'none'}
                    {row.noAudio !== undefined && (
                      <div>
                        nothing said that audio arrived {span(row.noAudio.from, row.noAudio.to)}: {row.noAudio.cause}
                      </div>
                    )}
                    {row.gaps.map(({ reason, from, to }) => (
                      <div key={`${reason} ${from}`}>
                        {reason} {span(from, to)}
                      </div>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {receipts.length > 0 && <Receipts receipts={receipts} />}
    </section>
  )
}

function Time({ at }: { at: string | undefined }) {
  return <td>{at === undefined ? '–' : clockTime(at)}</td>
}

function span(from: string, to: string | undefined): string {
  if (to === undefined) return `since ${clockTime(from)}`
  return `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s from ${clockTime(from)}`
}
