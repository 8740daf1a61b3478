// What states and causes are called, and what can be done about them.

import type { RecordingSummary } from '../../../src/control/recordings/recording-contract.ts'
import type { IconName } from '../components/icon.tsx'

/** How a recording stands, in a word with its drawing. */
export interface Standing {
  readonly icon: IconName
  readonly text: string
  readonly tone: 'good' | 'warn' | 'bad' | 'plain'
}

/** Why there is nothing to hear, and what to do. */
export interface Explanation {
  readonly what: string
  readonly todo: string
}

const noAudio: Readonly<Record<string, Explanation & { readonly isRecorded: boolean }>> = {
  'no-stream': {
    isRecorded: false,
    what: 'The recording session offered no audio stream that this recorder takes.',
    todo: 'Check the codecs in the offer of your session border controller: G.711, G.722 or Opus.',
  },
  inactive: {
    isRecorded: false,
    what: 'Every stream stayed inactive for the whole session.',
    todo: 'The call was on hold or paused throughout, or the client never said that it sends.',
  },
  cancelled: {
    isRecorded: false,
    what: 'The recording session was called off before it was established.',
    todo: 'Usually the call was not answered; nothing has to be done.',
  },
  lost: {
    isRecorded: false,
    what: 'The recorder stopped unexpectedly, and what it had written could not be recovered.',
    todo: 'Look at the log of the recorder at that time, and at its disk.',
  },
  'no-rtp': {
    isRecorded: true,
    what: 'Streams were agreed on, but no audio packet arrived.',
    todo: 'Check that the firewall lets UDP through to the media ports, and that the advertised address can be reached.',
  },
  'only-refused-packets': {
    isRecorded: true,
    what: 'Packets arrived, but none was audio of an agreed codec.',
    todo: 'Compare the codecs in the answer with what is sent; encrypted media needs SRTP in the offer.',
  },
}

/** Why there is nothing to hear; undefined when there is. */
export function explainSilence(recording: RecordingSummary): Explanation | undefined {
  const { deletion, hasAudio, state, cause = '' } = recording
  if (deletion !== undefined) {
    const by = deletion.actor === '' ? '' : ` by ${deletion.actor}`
    return { what: `This recording was deleted${by}: ${deletion.reason}.`, todo: 'Its audio cannot be brought back.' }
  }
  if (hasAudio) return undefined
  if (state === 'receiving') {
    return { what: 'The call is still being recorded.', todo: 'It can be played when the call is over.' }
  }
  return (
    noAudio[cause] ?? {
      what:
        state === 'published' ? 'The audio is in a codec that cannot be played here.' : `There is no audio: ${cause}.`,
      todo: 'The raw packets are kept in the folder of the recording.',
    }
  )
}

/** Whether and how it was recorded. */
export function standing({ state, cause = '', hasAudio, deletion }: RecordingSummary): Standing {
  if (deletion !== undefined) return { icon: 'deleted', text: 'deleted', tone: 'plain' }
  if (state === 'receiving') return { icon: 'receiving', text: 'recording now', tone: 'good' }
  if (hasAudio) return { icon: 'recorded', text: 'recorded', tone: 'good' }
  const isRecorded = state === 'published' || noAudio[cause]?.isRecorded !== false
  return isRecorded
    ? { icon: 'no-audio', text: 'no audio', tone: 'bad' }
    : { icon: 'not-recorded', text: 'not recorded', tone: 'bad' }
}

const uploads: Readonly<Record<string, Standing>> = {
  waiting: { icon: 'not-uploaded', text: 'not uploaded yet', tone: 'warn' },
  uploading: { icon: 'uploading', text: 'uploading', tone: 'warn' },
  failed: { icon: 'not-uploaded', text: 'not uploaded', tone: 'bad' },
  verified: { icon: 'uploaded', text: 'uploaded', tone: 'good' },
  'local-removed': { icon: 'uploaded', text: 'uploaded only', tone: 'good' },
}

/** Where the copy in object storage stands; undefined where none is wanted. */
export function uploadStanding({ upload }: RecordingSummary): Standing | undefined {
  return uploads[upload]
}

const gaps: Readonly<Record<string, string>> = {
  lost: 'packets lost on the way',
  late: 'packets came too late',
  dtx: 'the sender sent nothing: silence or digits',
  hold: 'the party was on hold',
  'paused-by-client': 'paused by the recording client',
  'paused-here': 'paused at the recorder',
  'no-rtp-yet': 'no audio had come yet',
  'no-rtp': 'audio stopped coming',
  'ssrc-change': 'the sender changed its source',
  'recorder-restart': 'the recorder restarted',
  disk: 'the disk did not keep up',
  failover: 'another recorder took over',
  'recorder-ended': 'the recorder was stopped',
  'session-lost': 'the connection to the recording client was lost',
  'client-ended': 'the recording client ended the part before',
  'no-audio': 'no audio had come',
  deleted: 'what was recorded is deleted',
  unknown: 'nobody knows why',
}

/** Why a stretch is silent. */
export function gapWords(cause: string): string {
  return gaps[cause] ?? cause
}

/** Whether a stretch is silent because somebody wanted it so. */
export function isPause(cause: string): boolean {
  return cause === 'paused-by-client' || cause === 'paused-here' || cause === 'hold'
}

/** Who took part, as people say it. */
export function partiesOf({ participants }: Pick<RecordingSummary, 'participants'>): string {
  const names = participants.map(({ name, aor }) => name ?? shortAddress(aor))
  return names.length === 0 ? 'Unknown parties' : names.join(' and ')
}

/** `alice` of `sip:alice@example.com`, where that says enough. */
export function shortAddress(aor: string | undefined): string {
  if (aor === undefined) return 'unknown'
  return /^(?:sips?|tel):([^@;]+)/i.exec(aor)?.[1] ?? aor
}
