// A recording command that was refused, in words: who gave it, why not, and what to do; whoever gave it may have nobody at a screen.

import type { CallView } from '../../../src/control/contract.ts'
import type { HelpTopic } from '../components/help-link.tsx'
import type { Alarm } from './alarms.ts'

type Refusal = NonNullable<CallView['refusal']>

const senders: Readonly<Record<string, string>> = {
  flow: 'by the flow',
  info: 'by INFO',
  rest: 'by HTTP',
  recorder: 'by a recorder',
}

const fixes: Readonly<Partial<Record<HelpTopic, string>>> = {
  'not-started': 'Give the SIP URI of a recorder that answers; the page Recorders tests it.',
  'already-started': 'Start once, or stop first.',
  'duplicate-start': 'Start once, or stop first.',
  'no-address': 'Set Call Recording Server, or look at the expression that it is made by.',
  'not-paused': 'What could not be paused was cut off: stop the recording, and start it again.',
  'not-resumed': 'See how the recorder is on the page Recorders, then resume again.',
  'not-trusted': 'If the sender may steer recordings, put it on gateway.info.trustedPeers.',
  'control-off': 'If recordings may be commanded by HTTP, set http.recordingControl.',
  'bad-command': 'Correct what is named, and send it again.',
  'unknown-action': 'Send one of the actions that are named.',
  'wrong-state': 'See what state the recording is in, and what was asked for before.',
}

/** What HTTP says of a command that it does not take. */
const isUnfit = /^the request does not fit|leave recorder out$|^record |not allowed in updateCall$/

const topics503: Readonly<Record<string, HelpTopic>> = {
  start: 'not-started',
  pause: 'not-paused',
  resume: 'not-resumed',
}

/** The row of the help page that a refusal has, by what it says. */
export function topicOfRefusal(activity: string, status: number | undefined, text: string): HelpTopic | undefined {
  if (text.startsWith('discarding duplicate')) return 'duplicate-start'
  if (text.startsWith('Cannot start')) return 'already-started'
  if (text.includes('is missing X-Srs-Url')) return 'no-address'
  if (text.startsWith('invalid record action')) return 'unknown-action'
  if (text.startsWith('recordings are not commanded')) return 'control-off'
  if (text.startsWith('discarding')) return 'wrong-state'
  if (status === 403) return 'not-trusted'
  if (activity === 'unknown') return 'unknown-action'
  if (status === 400 && isUnfit.test(text)) return 'bad-command'
  return status === 503 ? topics503[activity] : undefined
}

/** The alarm of the refusal that stands on a call, if one does; an error where the call is not recorded for it. */
export function refusalAlarm({ refusal, recording }: Pick<CallView, 'refusal' | 'recording'>): Alarm | undefined {
  if (refusal === undefined) return undefined
  const { activity, status, text } = refusal
  const topic = topicOfRefusal(activity, status, text) ?? 'wrong-state'
  const isRecorded = recording !== undefined && recording.state !== 'none'
  return {
    key: 'refused',
    severity: (activity === 'start' || activity === 'unknown') && !isRecorded ? 'error' : 'warning',
    what: `${status < 500 ? 'A command was refused: ' : 'A command failed: '}${saidOf(refusal)}`,
    cause: `${text} (${status})`,
    fix: fixes[topic] ?? '',
    topic,
  }
}

function saidOf({ activity, by, from }: Refusal): string {
  const sender = senders[by] ?? by
  return `${activity}, ${sender}${from === undefined ? '' : ` from ${from}`}`
}
