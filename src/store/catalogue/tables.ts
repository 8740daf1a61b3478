// The tables of the catalogue, the same in SQLite and PostgreSQL; their names are ours alone in a shared database.

import type { Generated } from 'kysely'

interface RecordingTable {
  row_no: Generated<number>
  recording_id: string
  store: string
  started_at_ms: number
  duration_ms: number
  is_deleted: number
  /** The facts of the row as JSON. */
  facts: string
  /** RecordingNotes as JSON. */
  notes: string
}

/** Whatever is found by its whole value; in the order of a list, so that a page is one walk along the index. */
interface KeyTable {
  kind: string
  value: string
  started_at_ms: number
  row_no: number
}

/** How many recordings of a store have a key. */
interface CountTable {
  kind: string
  value: string
  store: string
  count: number
}

/** What is found by a part of it, in lower case. */
interface TextTable {
  row_no: number
  party: string
  content: string
}

interface JobTable {
  job_no: Generated<number>
  kind: string
  recording_id: string
  store: string
  due_at_ms: number
  attempts: number
  /** Nobody else takes the job before this time. */
  leased_until_ms: number
  last_error: string | null
}

/** All tables. */
export interface Tables {
  siprec_recording: RecordingTable
  siprec_key: KeyTable
  siprec_count: CountTable
  siprec_text: TextTable
  siprec_job: JobTable
}
