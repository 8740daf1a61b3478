// Recordings that a dead recorder left open, on their way into sessions: their media is taken up first, their dialogs when
// there is a SIP core.

import { type Clock, type Logger, messageOf } from '#kernel'
import { type KeptRecording, keptRecordings, type LeftRecording } from './kept-session.ts'
import type { RecordMedia } from './record-media.ts'

/** What is taken up; not open: only its client is told. */
export interface ResumedRecording {
  readonly kept: KeptRecording
  readonly isOpen: boolean
}

/** Takes up the media of recordings that were written less than `withinMs` ago. */
export async function reopenRecordings(
  left: readonly LeftRecording[],
  withinMs: number,
  around: { readonly clock: Clock; readonly media: RecordMedia; readonly log: Logger },
): Promise<ResumedRecording[]> {
  const { clock, media, log } = around
  const resumed: ResumedRecording[] = []
  for (const kept of keptRecordings(left, withinMs, clock)) {
    const { folder, manifest, session } = kept
    const { recordingId } = manifest
    try {
      if (session.media === undefined) throw new Error('the keys of its media are gone')
      const { streams } = session.media.streams
      const reopened = await media.ask({ type: 'reopen', recordingId, folder, manifest, streams })
      const { isPaused, pause = { sinceMs: clock.wallMs(), isSignalled: false } } = reopened
      resumed.push({ kept: { ...kept, ...(isPaused && { pause }) }, isOpen: true })
    } catch (thrown) {
      log.warn('recording session cannot go on', { recordingId, reason: messageOf(thrown) })
      resumed.push({ kept, isOpen: false })
    }
  }
  return resumed
}
