// Makes the forks of one recording session: bound with shut gates, with keys of their own, masked as the recording wants it.

import type { MediaLocal, Mix, SrtpSuite, Tap } from '#engine'
import type { Ids } from '#kernel'
import type { SessionPlan } from './session-port.ts'
import { StreamKeys } from './stream-keys.ts'
import type { CallStream, StreamNow } from './streams.ts'

/** What was sent of what had been said before the session: wall clock, ms since 1970. */
export interface Replayed {
  readonly fromMs: number
  readonly toMs: number
}

/** A fork of a session; `dropped`: its m-line has port 0 from now on. */
export interface SessionFork {
  readonly id: string
  readonly stream: CallStream
  readonly local: MediaLocal
  readonly keys: StreamKeys
  tap: Tap | Mix
  replayed?: Replayed
  state: 'live' | 'dropped' | 'closed'
}

/** Binds forks, one per stream. */
export class ForkBinding {
  readonly #plan: SessionPlan
  readonly #ids: Ids
  readonly #onUnmasked: (id: string, fault: unknown) => never
  readonly #underWay = new Set<string>()
  #bound = 0

  /** `onUnmasked`: a fork that would not mask keys as it should is none. */
  constructor(plan: SessionPlan, ids: Ids, onUnmasked: (id: string, fault: unknown) => never) {
    this.#plan = plan
    this.#ids = ids
    this.#onUnmasked = onUnmasked
  }

  /** Labels of the streams whose forks are being bound. */
  get underWay(): readonly string[] {
    return [...this.#underWay]
  }

  /** Whether the fork of a stream is being bound. */
  isBinding(label: string): boolean {
    return this.#underWay.has(label)
  }

  /** Binds a port pair, to be secured by one of `suites`, if any; rejects when there is none. */
  async bind(stream: StreamNow, suites: readonly SrtpSuite[], replayFromMs?: number): Promise<SessionFork> {
    const { label, streamId, kind, tap } = stream
    // What a fork that had to be removed has sent stays its own.
    this.#bound += 1
    const id = `${this.#plan.id}/${this.#bound}/${label}`
    this.#underWay.add(label)
    try {
      const { mask, profile, call } = this.#plan
      const byProfile = profile.media.maskDtmf
      const maskDtmf = mask?.isOn(byProfile) ?? byProfile
      const local = await call.media.addFork({
        id,
        tap,
        open: false,
        ...(maskDtmf && { maskDtmf }),
        ...(replayFromMs !== undefined && { replayFromMs }),
      })
      await mask?.follow(id, byProfile, maskDtmf).catch((fault: unknown) => this.#onUnmasked(id, fault))
      return {
        id,
        stream: { label, streamId, kind },
        local,
        keys: new StreamKeys(suites, this.#ids),
        tap,
        state: 'live',
      }
    } finally {
      this.#underWay.delete(label)
    }
  }
}
