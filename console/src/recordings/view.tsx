// The page of recordings: the list, or one of them.

import type { ViewProps } from '../views/registry.ts'
import { RecordingDetail } from './detail.tsx'
import { RecordingList } from './list.tsx'

/** The list, or what the address names. */
export function RecordingsView({ path: [recordingId], query }: ViewProps) {
  if (recordingId === undefined) return <RecordingList place={query} />
  const at = Number(query.get('at') ?? Number.NaN)
  return <RecordingDetail key={recordingId} recordingId={recordingId} atS={at >= 0 ? at : undefined} />
}
