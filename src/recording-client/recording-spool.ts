// The spool of one recording: it carries what no recorder takes, and stops when one does.

import type { CallEvent } from '#call'
import type { ForkCounters } from '#engine'
import { parseSipUri } from '#sip'
import { defaultProfile, type MediaStyle, type RecorderProfile } from './recorder-profile.ts'
import type { RecordingEvidence } from './recording-evidence.ts'
import type { OpenedSession } from './recording-news.ts'
import type { Wish } from './session-machine.ts'
import type { RecordingPlan, RecordingSurroundings } from './session-port.ts'
import { SPOOL, type SpoolHappening, type SpoolPort } from './spool-port.ts'
import { SpoolSession } from './spool-session.ts'

/** Who is told what the spool of a recording does. */
export interface RecordingSpoolListener {
  onOpened(session: OpenedSession): void
  onHappening(happening: SpoolHappening): void
  onForkClosed(counters: ForkCounters): void
  /** The last of it is kept, or will not be. */
  onGone(session: OpenedSession): void
  /** It carries the recording now, or not. */
  onChanged(): void
}

/** Everyone's voice, each by itself. */
const spoolProfile: RecorderProfile = { ...defaultProfile, media: { ...defaultProfile.media, video: false } }

/** Parts of one recording in the spool, one at a time. */
export class RecordingSpool {
  readonly #id: string
  readonly #spool: SpoolPort | undefined
  readonly #plan: RecordingPlan
  readonly #around: RecordingSurroundings
  readonly #evidence: RecordingEvidence
  readonly #listener: RecordingSpoolListener
  #session: SpoolSession | undefined
  #parts = 0
  #isRefused = false
  /** Monotonic. */
  #keptToMs: number | undefined

  /** `spool`: absent when nothing may be spooled. */
  constructor(
    id: string,
    spool: SpoolPort | undefined,
    plan: RecordingPlan,
    around: RecordingSurroundings,
    evidence: RecordingEvidence,
    listener: RecordingSpoolListener,
  ) {
    this.#id = id
    this.#spool = spool
    this.#plan = plan
    this.#around = around
    this.#evidence = evidence
    this.#listener = listener
  }

  /** The part under way, if any. */
  get live(): readonly SpoolSession[] {
    return this.#session === undefined ? [] : [this.#session]
  }

  /** Whether it carries the recording, or is about to. */
  get isOn(): boolean {
    return this.#session !== undefined
  }

  /** Whether it takes nothing, and so is no reason to go on. */
  get isRefused(): boolean {
    return this.#spool === undefined || this.#isRefused
  }

  /** Until when a part had the call, on the wall clock as it stands; undefined: none did. */
  get hadUntilMs(): number | undefined {
    const { clock } = this.#around
    return this.#keptToMs === undefined ? undefined : clock.wallMs() - (clock.nowMs() - this.#keptToMs)
  }

  /** Takes over what nobody carries, with what was said since `replayFromMs`; does nothing without a spool or before the call is answered. */
  begin(wish: Wish, targets: readonly (readonly string[])[], replayFromMs: number | undefined): void {
    const spool = this.#spool
    if (spool === undefined || this.isOn || this.#isRefused || this.#plan.call.snapshot().state !== 'answered') return
    this.#parts += 1
    const plan = {
      ...this.#plan,
      id: `${this.#id}/${SPOOL}-${this.#parts}`,
      uri: SPOOL,
      profile: {
        ...spoolProfile,
        media: { ...spoolProfile.media, maskDtmf: targets.flat().some((uri) => this.#mediaOf(uri)?.maskDtmf === true) },
      },
      ...(replayFromMs === undefined ? {} : { replayFromMs }),
    }
    const hasVideo = targets.flat().some((uri) => this.#mediaOf(uri)?.video === true)
    const order = { plan, recording: this.#id, targets, hasVideo, ledger: () => this.#evidence.rows }
    const session = new SpoolSession(order, wish, spool, this.#around, {
      onOpened: () => {
        this.#evidence.spoolOpened(session)
        this.#listener.onHappening({ type: 'spool.began' })
        this.#listener.onChanged()
      },
      onResumed: () => {
        this.#evidence.spoolFlows(session)
        this.#listener.onChanged()
      },
      onOutgrown: () => {
        if (this.#session !== session) return
        // A file has the streams that it began with; another one has the new ones too.
        this.end()
        this.#listener.onChanged()
      },
      onShortfall: () => this.#evidence.spoolFlows(session),
      onRefused: (reason) => this.#onRefused(session, reason),
      onForkClosed: (counters) => {
        this.#evidence.counted(session, counters)
        this.#listener.onForkClosed(counters)
      },
    })
    this.#session = session
    this.#evidence.asked(session)
    this.#listener.onOpened(session)
    void session.open()
  }

  wish(wish: Wish): void {
    if (wish === 'stopped') this.end()
    else this.#session?.wish(wish)
  }

  callChanged(event: CallEvent): void {
    void this.#session?.callChanged(event)
  }

  /** A recorder carries the recording, or it is over. */
  end(): void {
    this.#isRefused = false
    const session = this.#session
    if (session === undefined) return
    this.#session = undefined
    this.#leave(session)
  }

  #onRefused(session: SpoolSession, reason: string): void {
    this.#isRefused = true
    if (this.#session === session) this.#session = undefined
    this.#evidence.spooled(`failed(${reason})`)
    this.#listener.onHappening({ type: session.wasOpened ? 'spool.stopped' : 'spool.refused', reason })
    this.#leave(session)
    this.#listener.onChanged()
  }

  #leave(session: SpoolSession): void {
    if (session.wasOpened) this.#keptToMs = this.#around.clock.nowMs()
    void session.end().then(() => {
      if (session.wasOpened) {
        this.#evidence.spooled('spooled')
        this.#listener.onHappening({ type: 'spool.kept' })
      }
      this.#listener.onGone(session)
    })
  }

  #mediaOf(uri: string): MediaStyle | undefined {
    const parsed = parseSipUri(uri)
    return parsed.ok ? this.#around.recorders.profileOf(parsed.value).media : undefined
  }
}
