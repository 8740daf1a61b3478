// Who sends to our own recorder: invitations that it refused, and what is wrong with those that it took.

import { useState } from 'preact/hooks'
import type { Refusal, RefusedMessage, Verdict } from '../../../../src/control/recorder-client-contract.ts'
import type { RecordingSummary } from '../../../../src/control/recordings/recording-contract.ts'
import { CopyBlock } from '../../components/copy-block.tsx'
import { Trouble } from '../../components/trouble.tsx'
import { may } from '../../data/abilities.ts'
import { clockTime } from '../../data/format.ts'
import { useResource } from '../../data/resource.ts'
import { refusalWords } from './refusal-words.ts'

const EVERY_MS = 5_000
const RECENT = 8

/** The section. */
export function RecorderClients() {
  const refusals = useResource<{ items: Refusal[] }>('/api/refusals', EVERY_MS)
  const recent = useResource<{ items: RecordingSummary[] }>(`/api/recordings?limit=${RECENT}`, EVERY_MS)
  return (
    <>
      <section aria-labelledby="refused-title">
        <h2 id="refused-title">Refused by our own recorder</h2>
        <Trouble error={refusals.error} onRetry={refusals.reload} />
        {refusals.value?.items.length === 0 && <p class="muted">It has refused no invitation since it started.</p>}
        <ul class="folds">
          {refusals.value?.items.map((refusal) => (
            <li key={refusal.refusalId}>
              <RefusalCard refusal={refusal} />
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="verdicts-title">
        <h2 id="verdicts-title">Clients of our own recorder</h2>
        <p class="muted">What the client of each of the latest recordings is, and what it does against the RFCs.</p>
        <Trouble error={recent.error} onRetry={recent.reload} />
        {recent.value?.items.length === 0 && <p class="muted">Nothing was recorded here yet.</p>}
        <ul class="folds">
          {recent.value?.items.map((recording) => (
            <li key={recording.recordingId}>
              <VerdictCard recording={recording} />
            </li>
          ))}
        </ul>
      </section>
    </>
  )
}

function RefusalCard({ refusal }: { refusal: Refusal }) {
  const { refusalId, at, source, transport, status, reason } = refusal
  const [isOpen, setOpen] = useState(false)
  const mayRead = may('captures:read')
  const advice = refusalWords(reason)
  const whole = useResource<RefusedMessage>(isOpen && mayRead ? `/api/refusals/${refusalId}` : undefined)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <time dateTime={at}>{clockTime(at)}</time> {source} over {transport}:{' '}
        <strong>
          {status} {reason}
        </strong>
      </summary>
      {advice !== undefined && <p>{advice}</p>}
      {!mayRead && <p>The message itself needs the scope captures:read.</p>}
      <Trouble error={whole.error} />
      {whole.value !== undefined && <CopyBlock title="The invitation as it came" text={whole.value.message} />}
    </details>
  )
}

function VerdictCard({ recording }: { recording: RecordingSummary }) {
  const { recordingId, startedAt, callRecordingId } = recording
  const [isOpen, setOpen] = useState(false)
  const { value, error } = useResource<Verdict>(
    isOpen ? `/api/recordings/${encodeURIComponent(recordingId)}/verdict` : undefined,
  )
  const isNone = error?.status === 404
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <time dateTime={startedAt}>{clockTime(startedAt)}</time> {callRecordingId ?? recordingId}
      </summary>
      {isNone && <p>There is no verdict on its client.</p>}
      {!isNone && <Trouble error={error} />}
      {value !== undefined && (
        <>
          <p>
            {value.vendor} ({value.kind}): {value.outcome}
          </p>
          {value.deviations.length === 0 && <p>It does nothing against the RFCs.</p>}
          <ul class="plain checks">
            {value.deviations.map(({ code, severity, section, advice, seen, times }) => (
              <li key={code}>
                <span class="state" data-severity={severity}>
                  {severity}
                </span>
                <span>
                  <strong>{code}</strong> ({section}) {times > 1 ? `${times} times: ` : ''}
                  {seen}. {advice}
                </span>
              </li>
            ))}
          </ul>
          {value.costs.map((cost) => (
            <p key={cost}>{cost}</p>
          ))}
          <CopyBlock title="For the vendor's ticket" text={value.text} />
        </>
      )}
    </details>
  )
}
