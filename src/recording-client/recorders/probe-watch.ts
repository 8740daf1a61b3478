// Recorders of sessions that are up and stop answering OPTIONS, when the profile says that this is loss.

import type { RecordingSession } from '../recording-session.ts'
import type { RecorderDirectory } from './recorder-directory.ts'

/** Watches the recorders of one recording. */
export class ProbeWatch {
  readonly #recorders: Pick<RecorderDirectory, 'onSilence'>
  readonly #onDead: (session: RecordingSession, reason: string) => void
  readonly #watched = new Map<RecordingSession, () => void>()

  constructor(
    recorders: Pick<RecorderDirectory, 'onSilence'>,
    onDead: (session: RecordingSession, reason: string) => void,
  ) {
    this.#recorders = recorders
    this.#onDead = onDead
  }

  /** The session is up. */
  follow(session: RecordingSession): void {
    const { uri, profile } = session.plan
    const limit = profile.lostAfterProbes
    if (limit === undefined || this.#watched.has(session)) return
    const stop = this.#recorders.onSilence(uri, (probes) => {
      if (probes >= limit) this.#onDead(session, `no answer to ${probes} OPTIONS`)
    })
    this.#watched.set(session, stop)
  }

  /** The session is over. */
  leave(session: RecordingSession): void {
    this.#watched.get(session)?.()
    this.#watched.delete(session)
  }

  close(): void {
    for (const session of [...this.#watched.keys()]) this.leave(session)
  }
}
