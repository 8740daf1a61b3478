// How long recordings are kept: the first rule that fits a recording decides.

import type { CatalogueRow } from '../catalogue/catalogue.ts'
import { folded, partyTerm } from '../catalogue/index-terms.ts'

/** A rule; of the conditions all that are given must hold. */
export interface RetentionRule {
  readonly name: string
  /** Days from the end of a recording until it is deleted; kept for good when absent. */
  readonly afterDays?: number
  readonly state?: CatalogueRow['state']
  readonly tag?: string
  /** Part of a participant's name, AOR or number. */
  readonly party?: string
  /** Custom values, each whole. */
  readonly custom?: Readonly<Record<string, string>>
}

const DAY_MS = 86_400_000

/** The first rule that fits; undefined: the recording is kept. */
export function ruleFor(row: CatalogueRow, rules: readonly RetentionRule[]): RetentionRule | undefined {
  return rules.find((rule) => fits(row, rule))
}

/** The rule by which a recording is to be deleted at `nowMs`; undefined while it is kept. Holds are not looked at. */
export function dueRule(row: CatalogueRow, rules: readonly RetentionRule[], nowMs: number): RetentionRule | undefined {
  if (row.state === 'receiving') return undefined
  const rule = ruleFor(row, rules)
  if (rule?.afterDays === undefined) return undefined
  const endedAtMs = row.endedAtMs ?? row.startedAtMs + row.durationMs
  return nowMs - endedAtMs >= rule.afterDays * DAY_MS ? rule : undefined
}

/** Recordings that began at this time or later are due by no rule; undefined when none ever is. */
export function latestDueMs(rules: readonly RetentionRule[], nowMs: number): number | undefined {
  const days = rules.map(({ afterDays }) => afterDays).filter((afterDays) => afterDays !== undefined)
  return days.length === 0 ? undefined : nowMs - Math.min(...days) * DAY_MS + 1
}

function fits(row: CatalogueRow, { state, tag, party, custom = {} }: RetentionRule): boolean {
  if (state !== undefined && row.state !== state) return false
  if (tag !== undefined && !row.tags?.includes(folded(tag))) return false
  if (party !== undefined && !row.participants.some((text) => folded(text).includes(partyTerm(party)))) return false
  const values = new Map(Object.entries(row.custom ?? {}).map(([name, value]) => [folded(name), folded(value)]))
  return Object.entries(custom).every(([name, value]) => values.get(folded(name)) === folded(value))
}
