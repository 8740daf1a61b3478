// What was said and done over time: the metadata documents of a recording, and who did what to it.

import type { AuditEntry } from '../../../src/control/audit/audit-entry.ts'
import type { HistoryView } from '../../../src/control/recordings/document-contract.ts'
import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { may } from '../data/abilities.ts'
import { clockTime, duration } from '../data/format.ts'
import { useResource } from '../data/resource.ts'
import { marksOf } from '../player/happenings.tsx'
import { addressOf } from '../player/share.tsx'

type Props = { readonly recording: RecordingView }

/** The metadata, document by document, and what each of them changed. */
export function MetadataTrail({ recording }: Props) {
  const address = recording.documents > 0 ? addressOf(recording, '/metadata') : undefined
  const history = useResource<HistoryView>(address && `${address}/history`)
  if (history.value === undefined || history.value.items.length === 0) return null
  return (
    <section class="card" aria-labelledby="metadata-title">
      <h2 id="metadata-title">Metadata over time</h2>
      <ol class="trail">
        {history.value.items.map((item) => (
          <li key={item.number}>
            <span class="muted">{duration(item.atMs)}</span>{' '}
            {item.isKept ? (
              <a href={`${address}/${item.number}`} download={`${recording.recordingId}-${item.number}.xml`}>
                {item.transaction}
              </a>
            ) : (
              `${item.transaction}, not kept`
            )}
            : {told(item, recording)}
          </li>
        ))}
      </ol>
    </section>
  )
}

function told(item: HistoryView['items'][number], recording: RecordingView): string {
  const marks = marksOf({ total: 1, items: [item] }, recording).map(({ text }) => text)
  return [...marks, ...item.warnings].join('; ') || 'nothing new'
}

/** Who did what to the recording; for those who may read the audit log. */
export function AuditTrail({ recording: { recordingId } }: Props) {
  const isAllowed = may('audit:read')
  const trail = useResource<{ items: AuditEntry[] }>(
    isAllowed ? `/api/audit?limit=50&target=${encodeURIComponent(recordingId)}` : undefined,
  )
  if (trail.value === undefined || trail.value.items.length === 0) return null
  return (
    <section class="card" aria-labelledby="audit-title">
      <h2 id="audit-title">Who did what</h2>
      <ol class="trail">
        {trail.value.items.map(({ seq, time, who, action, outcome, detail }) => (
          <li key={seq}>
            <span class="muted">{clockTime(time)}</span> {who.name}: {action} {outcome}
            {typeof detail?.['reason'] === 'string' && ` (${detail['reason']})`}
          </li>
        ))}
      </ol>
    </section>
  )
}
