// The way from a symptom to what helps.

import type { AlarmCode } from '../../../src/store/manifest.ts'
import { linkTo } from '../router.ts'

/** Rows of docs/troubleshooting.md that something leads to; alarms have theirs in docs/recorder-alarms.md. */
export type HelpTopic =
  | 'not-started'
  | 'already-started'
  | 'duplicate-start'
  | 'no-address'
  | 'no-audio'
  | 'no-copy'
  | 'not-paused'
  | 'not-resumed'
  | 'not-signalled'
  | 'not-trusted'
  | 'bad-command'
  | 'control-off'
  | 'unknown-action'
  | 'wrong-state'
  | 'recorder-down'

/** A link to what the help page says of a topic. */
export function HelpLink({ topic }: { topic: HelpTopic | AlarmCode | undefined }) {
  if (topic === undefined) return null
  return <a href={linkTo(['help', topic])}>More about this</a>
}
