// Retention: what the rules would delete now, and the deletion of it.

import type { CataloguePage, CatalogueRow } from '../catalogue/catalogue.ts'
import type { RecordingLibrary } from '../library/recording-library.ts'
import { dueRule, latestDueMs, type RetentionRule } from './rules.ts'

const PAGE = 500

/** A recording whose time has come. */
export interface DueRecording {
  readonly recordingId: string
  readonly startedAtMs: number
  readonly durationMs: number
  readonly sizeBytes: number
  /** Name of the rule. */
  readonly rule: string
  readonly afterDays: number
}

/** What is due, apart what a hold keeps. */
export interface RetentionPlan {
  readonly due: readonly DueRecording[]
  readonly held: readonly DueRecording[]
}

/** What a run did. */
export interface RetentionOutcome {
  readonly deleted: number
  /** Kept by a hold, those that were laid since the plan was made included. */
  readonly held: number
  readonly failed: number
}

/** What of a store is due at `nowMs`. */
export async function planRetention(
  library: Pick<RecordingLibrary, 'search'>,
  { rules, store, nowMs }: { readonly rules: readonly RetentionRule[]; readonly store: string; readonly nowMs: number },
): Promise<RetentionPlan> {
  const due: DueRecording[] = []
  const held: DueRecording[] = []
  const toMs = latestDueMs(rules, nowMs)
  if (toMs === undefined) return { due, held }
  let page: CataloguePage | undefined
  do {
    const after = page?.next
    page = await library.search({ store, toMs, limit: PAGE, ...(after && { after }) })
    for (const row of page.rows) {
      const rule = dueRule(row, rules, nowMs)
      if (rule !== undefined) (row.holds?.length ? held : due).push(dueRecording(row, rule))
    }
  } while (page.next !== undefined)
  return { due, held }
}

/** Deletes what is due; one that cannot be deleted now is due again at the next run, and `onFailure` is told. */
export async function applyRetention(
  library: Pick<RecordingLibrary, 'delete'>,
  plan: RetentionPlan,
  actor: string,
  onFailure: (recordingId: string, fault: unknown) => void,
): Promise<RetentionOutcome> {
  let [deleted, failed] = [0, 0]
  let held = plan.held.length
  for (const { recordingId, rule, afterDays } of plan.due) {
    try {
      const reason = `retention rule ${rule}: ${afterDays} days`
      const result = await library.delete(recordingId, { reason, actor })
      if (result.ok) deleted += 1
      else if (result.error === 'held') held += 1
    } catch (fault) {
      failed += 1
      onFailure(recordingId, fault)
    }
  }
  return { deleted, held, failed }
}

function dueRecording(row: CatalogueRow, { name, afterDays = 0 }: RetentionRule): DueRecording {
  const { recordingId, startedAtMs, durationMs, sizeBytes = 0 } = row
  return { recordingId, startedAtMs, durationMs, sizeBytes, rule: name, afterDays }
}
