// What the recorder noticed: alarms, and what the client does against the RFCs.

import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { duration } from '../data/format.ts'
import { useResource } from '../data/resource.ts'

/** The verdict as the API gives it. */
interface Verdict {
  readonly vendor: string
  readonly deviations: readonly {
    readonly code: string
    readonly severity: string
    readonly section: string
    readonly advice: string
    readonly seen: string
    readonly times: number
  }[]
  readonly costs: readonly string[]
  readonly text: string
}

const outcomes: Readonly<Record<string, string>> = {
  clean: 'The recording client kept to the standards.',
  tolerated: 'The recording client differed from the standards in ways that do no harm; it was recorded all the same.',
  violations: 'The recording client broke the standards; it was recorded as well as that allowed.',
}

/** The panel. */
export function Noticed({ recording }: { recording: RecordingView }) {
  const { recordingId, verdict, warnings, alarms, isMetadataInvalid, isRecovered, deletion } = recording
  const isJudged = verdict !== undefined && verdict !== 'clean' && deletion === undefined
  const found = useResource<Verdict>(
    isJudged ? `/api/recordings/${encodeURIComponent(recordingId)}/verdict` : undefined,
  )
  return (
    <section class="card" aria-labelledby="noticed-title">
      <h2 id="noticed-title">What the recorder noticed</h2>
      <ul class="notices">
        {alarms.map(({ code, severity, label, channel, cause, fix, fromMs }) => (
          <li key={`${code} ${channel} ${fromMs}`} data-tone={severity === 'error' ? 'bad' : 'warn'}>
            <strong>
              {duration(fromMs)} {channel !== undefined && `stream ${label ?? channel + 1}`} {cause}
            </strong>
            <br />
            {fix}
          </li>
        ))}
      </ul>
      <p>{outcomes[verdict ?? ''] ?? 'The client was not judged.'}</p>
      {isMetadataInvalid && <p>A metadata document could not be read; it is kept as it came.</p>}
      {isRecovered && <p>The recorder died meanwhile; what it had written was recovered.</p>}
      <ul>
        {[...warnings, ...(found.value?.costs ?? [])].map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
      {found.value && found.value.deviations.length > 0 && (
        <details>
          <summary>Deviations of the client ({found.value.deviations.length})</summary>
          <ul>
            {found.value.deviations.map(({ code, section, seen, advice, times }) => (
              <li key={code}>
                <strong>{section}</strong>: {seen} ({times} times). {advice}
              </li>
            ))}
          </ul>
          <p>For a ticket with the vendor:</p>
          <pre class="ticket">{found.value.text}</pre>
        </details>
      )}
    </section>
  )
}
