// What the record worker tells by itself, on its way to the session, the listeners and everybody else.

import { type Logger, messageOf } from '#kernel'
import { type Catalogue, type DiskCondition, type RecordingStore, rowOf } from '#store'
import type { IncomingSession } from './incoming-session.ts'
import type { LiveListeners } from './live-listeners.ts'
import { diskAlarm } from './own-alarms.ts'
import type { DiskState, RecordEvent } from './record-messages.ts'
import type { RecordingServerEvent } from './server-events.ts'

/** Who is told. */
export interface WorkerReportsOptions {
  readonly sessions: ReadonlyMap<string, IncomingSession>
  readonly listeners: LiveListeners
  readonly catalogue: Catalogue
  readonly store: RecordingStore
  readonly log: Logger
  readonly emit: (event: RecordingServerEvent) => void
  readonly onDisk: (condition: DiskCondition) => void
  readonly onDiskState: (state: DiskState) => void
}

/** Reports of one worker. */
export class WorkerReports {
  readonly #options: WorkerReportsOptions

  constructor(options: WorkerReportsOptions) {
    this.#options = options
  }

  take(event: RecordEvent): void {
    const { sessions, listeners, log } = this.#options
    const session = sessions.get('recordingId' in event ? event.recordingId : '')
    switch (event.type) {
      case 'first-packet':
        session?.onFirstPacket(event.channel, event.atMs)
        return
      case 'picture-wanted':
        session?.onPictureWanted()
        return
      case 'alarm':
      case 'alarm-cleared':
        session?.onAlarm(event.alarm, event.type === 'alarm-cleared')
        return
      case 'sound':
        listeners.sound(event.recordingId, event.frames)
        return
      case 'watch-failed': {
        const { recordingId, message: reason } = event
        log.error('recording is not watched any more', { recordingId, reason })
        return
      }
      case 'track-failed':
        session?.onTrackFailed(event.message)
        return
      case 'disk':
        this.#onDisk(event)
        return
      case 'disk-state':
        this.#options.onDiskState(event.state)
        return
      case 'forsaken': {
        const { recordingId, lostMs } = event
        log.error('audio could not be kept', { recordingId, lostMs: Math.round(lostMs) })
        return
      }
      case 'published':
        this.#onPublishedLate(event)
    }
  }

  /** New sessions go elsewhere; those under way go on in memory, as far as it reaches, and everybody is told. */
  #onDisk({ condition, waitingBytes, detail }: RecordEvent & { type: 'disk' }): void {
    const { log, sessions, emit, onDisk } = this.#options
    onDisk(condition)
    if (condition === 'well') {
      log.warn('disk writes again', { waitingBytes })
      return
    }
    if (condition === 'low') {
      log.warn('disk is nearly full; new sessions are refused', { waitingBytes })
      return
    }
    log.error('disk does not write', { condition, waitingBytes, detail })
    const alarm = diskAlarm(detail ?? `disk ${condition}`)
    for (const { recordingId } of sessions.values()) emit({ type: 'alarm', recordingId, alarm })
  }

  #onPublishedLate({ recordingId, manifest, folder }: RecordEvent & { type: 'published' }): void {
    const { catalogue, store, log, emit } = this.#options
    const { state, durationMs } = manifest
    log.info('recording published late', { recordingId, state, durationMs })
    catalogue.put(rowOf(manifest, store.relativeFolder(folder))).catch((thrown: unknown) => {
      log.warn('catalogue not updated', { recordingId, reason: messageOf(thrown) })
    })
    emit({ type: 'ended', recordingId, manifest, folder })
  }
}
