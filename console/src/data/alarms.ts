// What is wrong with the recording of a call, in words: what, why, and what to do.

import type { CallView } from '../../../src/control/contract.ts'
import { shortAddress } from './format.ts'

/** Something that keeps a call from being recorded as it should be. */
export interface Alarm {
  readonly what: string
  readonly cause?: string
  readonly fix: string
}

const lookAtRecorder =
  'See how the recorder is on the page Recorders and test it there, then start the recording again.'

/** The alarms of a call, the worst first. */
export function alarmsOf({ recording }: CallView): readonly Alarm[] {
  if (recording === undefined) return []
  const alarms: Alarm[] = []
  const { state, sessions, policy } = recording
  const broken = sessions.filter((session) => session.state === 'failed' || session.state === 'lost')
  const why = broken.map(({ uri, result }) => `${shortAddress(uri)}: ${result}`).join('; ')
  if (state === 'none' && broken.length > 0 && broken.length === sessions.length) {
    const isLost = broken.some((session) => session.state === 'lost')
    const what = isLost ? 'Not recorded any more: the recorder is lost' : 'Not recorded: no recorder took it'
    alarms.push({ what, cause: why, fix: lookAtRecorder })
  }
  for (const { uri, noAudio } of sessions) {
    if (noAudio === undefined) continue
    const [cause = noAudio, fix] = noAudio.split(/: (?=allow )/, 2)
    alarms.push({
      what: `Not really recording at ${shortAddress(uri)}`,
      cause,
      fix: fix === undefined ? lookAtRecorder : `${fix[0]?.toUpperCase()}${fix.slice(1)}.`,
    })
  }
  if (policy === 'unmet' && alarms.length === 0 && why !== '' && state !== 'none') {
    alarms.push({ what: 'Fewer recorders than the policy wants', cause: why, fix: lookAtRecorder })
  }
  return alarms
}
