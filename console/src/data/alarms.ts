// What is wrong with the recording of a call, in words: what, why, and what to do.

import type { CallView } from '../../../src/control/contract.ts'
import type { AlarmCode } from '../../../src/store/manifest.ts'
import type { HelpTopic } from '../components/help-link.tsx'
import { shortAddress } from './format.ts'
import { refusalAlarm } from './refusals.ts'

/** Something that keeps a call from being recorded as it should be. */
export interface Alarm {
  /** The same as long as it is the same alarm. */
  readonly key: string
  /** `warning`: audio may be missing or spoilt; `error`: it is. */
  readonly severity: 'error' | 'warning'
  readonly what: string
  readonly cause?: string
  readonly fix: string
  /** Of the help page. */
  readonly topic: HelpTopic | AlarmCode
}

type Session = NonNullable<CallView['recording']>['sessions'][number]
type AtRecorder = NonNullable<Session['alarms']>[number]

const lookAtRecorder =
  'See how the recorder is on the page Recorders and test it there, then start the recording again.'

const isRetried = 'It is tried again by itself; see how the recorder is on the page Recorders.'

/** What our recorder's alarms mean to who watches the call; docs/recorder-alarms.md has them all. */
const alarmWords: Readonly<Record<string, string>> = {
  'no-packets': 'Not really recording: no audio arrives at the recorder',
  'one-side-only': 'Only one side is recorded',
  'packets-stopped': 'Not really recording: audio has stopped coming',
  'wrong-codec': 'Not really recording: audio comes in another codec than agreed',
  'clock-mismatch': 'Recorded at the wrong speed',
  'no-rtp': 'Not really recording: what comes is no audio',
  'srtp-failed': 'Not really recording: the audio cannot be decrypted',
  'digital-silence': 'One side is recorded as silence',
  'low-level': 'One side is hardly heard in the recording',
  'same-audio': 'Both sides are recorded as the same',
  'strangers-only': 'Audio comes from an address that nobody named',
  clipping: 'One side is too loud, and distorted in the recording',
  'line-refused': 'Part of the call is not recorded: the recorder refused a stream',
  'too-many-sources': 'Part of the call is not recorded: too many sources send on one stream',
  'too-many-changes': 'Part of the call is not recorded: its codec changes too often',
  'sent-in-pause': 'Audio is sent in a pause, and not kept',
  'long-inactive': 'Nothing has been recorded for long: every stream is on hold',
  'disk-failed': "Not really recording: the recorder's disk takes nothing",
  'worker-lost': 'Not really recording: the recorder has a fault',
}

/** With these it is the recorder itself that misses the audio. */
const absent = new Set(['no-packets', 'one-side-only', 'packets-stopped', 'wrong-codec', 'no-rtp', 'srtp-failed'])

/** The alarms of a call, the worst first. */
export function alarmsOf(call: CallView): readonly Alarm[] {
  const alarms = alarmsOfRecording(call)
  const refused = refusalAlarm(call)
  // That no recorder took it is said by the recording itself, with more to it.
  const isSaid =
    alarms.some(({ key }) => key === 'none') && /^no recorder (accepted|answered)/.test(call.refusal?.text ?? '')
  if (refused !== undefined && !isSaid) alarms.push(refused)
  return alarms.sort((a, b) => a.severity.localeCompare(b.severity))
}

function alarmsOfRecording({ recording }: CallView): Alarm[] {
  if (recording === undefined) return []
  const alarms: Alarm[] = []
  const { state, sessions, policy, resumeFailure } = recording
  const broken = sessions.filter((session) => session.state === 'failed' || session.state === 'lost')
  const why = broken.map(({ uri, result }) => `${shortAddress(uri)}: ${result}`).join('; ')
  if (state === 'none' && broken.length > 0 && broken.length === sessions.length) {
    const isLost = broken.some((session) => session.state === 'lost')
    const what = isLost ? 'Not recorded any more: the recorder is lost' : 'Not recorded: no recorder took it'
    alarms.push({ key: 'none', severity: 'error', what, cause: why, fix: lookAtRecorder, topic: 'not-started' })
  }
  if (resumeFailure !== undefined) {
    const what = 'Not recording: its pause is over, and nobody resumes'
    alarms.push({ key: 'resume', severity: 'error', what, cause: resumeFailure, fix: isRetried, topic: 'not-resumed' })
  }
  for (const session of sessions) alarms.push(...alarmsAt(session))
  if (policy === 'unmet' && alarms.length === 0 && why !== '' && state !== 'none') {
    const what = 'Fewer recorders than the policy wants'
    alarms.push({ key: 'policy', severity: 'error', what, cause: why, fix: lookAtRecorder, topic: 'not-started' })
  }
  return alarms
}

/** What the recorder says, and what the gateway finds out from outside where the recorder does not say it. */
function alarmsAt({ uri, noAudio, missing, alarms = [] }: Session): Alarm[] {
  const found = alarms.map((alarm) => toldBy(uri, alarm))
  if (missing !== undefined) {
    found.unshift({
      key: `${uri} missing`,
      severity: 'error',
      what: `Part of the call is not recorded at ${shortAddress(uri)}: no copy of stream ${missing.labels.join(', ')}`,
      cause: missing.reason,
      fix: 'It is tried again by itself; see whether there are media ports enough.',
      topic: 'no-copy',
    })
  }
  if (noAudio === undefined || alarms.some(({ code }) => absent.has(code))) return found
  const [cause = noAudio, fix] = noAudio.split(/: (?=allow )/, 2)
  const unsure: Alarm = {
    key: `${uri} no-audio`,
    severity: 'error',
    what: `Not really recording at ${shortAddress(uri)}`,
    cause,
    fix: fix === undefined ? lookAtRecorder : sentence(fix),
    topic: 'no-audio',
  }
  return [unsure, ...found]
}

function toldBy(uri: string, { code, severity, channel, label, cause, fix }: AtRecorder): Alarm {
  const stream = channel === undefined ? '' : `, stream ${label ?? channel + 1}`
  return {
    key: `${uri} ${code} ${channel}`,
    severity: severity === 'warning' ? 'warning' : 'error',
    what: `${alarmWords[code] ?? code} (${shortAddress(uri)}${stream})`,
    cause,
    fix: sentence(fix),
    topic: code as AlarmCode,
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}
