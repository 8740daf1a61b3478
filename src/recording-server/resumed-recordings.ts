// Recordings that a dead recorder left open, on their way into sessions: their media is taken up first, their dialogs when
// there is a SIP core.

import { type Clock, type Logger, messageOf } from '#kernel'
import { type Catalogue, type ClosedFolder, type NotResumed, type RecordingStore, rowOf } from '#store'
import { type KeptRecording, keptIndices, keptRecording, type LeftRecording } from './kept-session.ts'
import type { RecordMedia } from './record-media.ts'
import { StreamKeys } from './stream-keys.ts'

/** What is taken up; not open: only its client is told. */
export interface ResumedRecording {
  readonly kept: KeptRecording
  readonly isOpen: boolean
}

/** What came of the recordings that were left open. */
export interface Reopened {
  readonly resumed: readonly ResumedRecording[]
  /** Those that are to be published as they are. */
  readonly closed: readonly ClosedFolder[]
}

/** What reopening works with. */
export interface ReopeningOptions {
  readonly clock: Clock
  readonly media: RecordMedia
  readonly log: Logger
  /** Whether keys of SRTP that were kept may be used. */
  readonly keepsKeys: boolean
}

/** Takes up the media of recordings that were written less than `withinMs` ago. */
export async function reopenRecordings(
  left: readonly LeftRecording[],
  withinMs: number,
  around: ReopeningOptions,
): Promise<Reopened> {
  const resumed: ResumedRecording[] = []
  const closed: ClosedFolder[] = []
  for (const one of left) {
    const { folder } = one
    const kept = keptRecording(one, withinMs, around.clock)
    const reopened = typeof kept === 'string' ? { notResumed: kept } : await reopen(kept, around)
    if (!('notResumed' in reopened)) {
      resumed.push({ kept: reopened, isOpen: true })
      continue
    }
    if (typeof kept !== 'string') resumed.push({ kept, isOpen: false })
    const { recordingId } = one.manifest ?? {}
    around.log.warn('recording session cannot go on', { recordingId, ...reopened })
    closed.push({ folder, notResumed: reopened.notResumed })
  }
  return { resumed, closed }
}

/** What was kept of a recording turned out to be no session: it is published as it is. */
export async function giveUp(
  { kept, isOpen }: ResumedRecording,
  fault: unknown,
  around: Pick<ReopeningOptions, 'media' | 'log'> & { readonly store: RecordingStore; readonly catalogue: Catalogue },
): Promise<void> {
  const { media, log, store, catalogue } = around
  const { recordingId, facts } = kept.manifest
  const notResumed = 'session-unreadable'
  log.error('recording session cannot go on', { recordingId, notResumed, reason: messageOf(fault) })
  if (!isOpen) return
  try {
    const { manifest, folder } = await media.ask({ type: 'close', recordingId, facts, notResumed })
    await catalogue.put(rowOf(manifest, store.relativeFolder(folder)))
  } catch (thrown) {
    log.error('recording could not be published', { recordingId, reason: messageOf(thrown) })
  }
}

interface Problem {
  readonly notResumed: NotResumed
  readonly reason?: string
}

/** Reopens the media of one, or says why that could not be done. */
async function reopen(kept: KeptRecording, around: ReopeningOptions): Promise<KeptRecording | Problem> {
  const { clock, media, keepsKeys } = around
  const { folder, manifest, session, touchedAtMs } = kept
  const streams = session.media?.streams.streams
  if (streams === undefined) return { notResumed: 'keys-not-kept' }
  try {
    if (!keepsKeys && streams.some(({ keys }) => keys !== undefined)) return { notResumed: 'keys-not-kept' }
    const indices = keptIndices(streams, kept.indices)
    if (indices === undefined) return { notResumed: 'indices-unreadable' }
    const secured = streams.map(({ keys, ...stream }, channel) => {
      const settings = { ...stream.settings, ...(keys && StreamKeys.settingsOf(keys)) }
      const own = indices[channel]
      return { ...stream, settings, ...(own && { indices: own }) }
    })
    const { recordingId } = manifest
    const awayMs = Math.max(0, clock.wallMs() - touchedAtMs)
    const reopened = await media.ask({ type: 'reopen', recordingId, folder, manifest, streams: secured, awayMs })
    const { isPaused, pause = { sinceMs: clock.wallMs(), isSignalled: false } } = reopened
    return { ...kept, ...(isPaused && { pause }) }
  } catch (thrown) {
    return { notResumed: 'not-reopened', reason: messageOf(thrown) }
  }
}
