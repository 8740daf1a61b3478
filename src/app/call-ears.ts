// Who listens to the calls of the gateway. One pause silences all: while a recording is paused nobody hears the call.

import type { CallService } from '#call'
import type { CallListening, Hearer } from '#control'
import type { HeardLeg, Hearing, MediaCall } from '#engine'
import type { Clock, Timer } from '#kernel'
import type { RecordingClient } from '#recording-client'

/** A call whose levels nobody asked for so long is not measured any more. */
const LEVELS_FOR_MS = 5000
const RATE_HZ = 8000
/** From the command until a recorder has taken the end of the pause. */
const PAUSED: ReadonlySet<string> = new Set(['pausing', 'paused', 'resuming'])

/** What of a call is needed here. */
export interface AudibleCall {
  readonly callId: string
  readonly media: Pick<MediaCall, 'hear' | 'onEvent'>
  /** Of those who are in the call: the leg, and who that is. */
  parties(): readonly { readonly leg: string; readonly role: string; readonly aors: readonly string[] }[]
  onEnded(listener: () => void): void
}

/** What the ears work with. */
export interface CallEarsOptions {
  readonly clock: Clock
  readonly call: (callId: string) => AudibleCall | undefined
  /** A recording of the call is paused, or about to be. */
  readonly isPaused: (callId: string) => boolean
}

/** Listening to the calls of a gateway. */
export function listenToCalls(
  service: Pick<CallService, 'call'>,
  client: Pick<RecordingClient, 'recordingsOf'>,
  clock: Clock,
): CallListening {
  return new CallEars({
    clock,
    isPaused: (callId) => client.recordingsOf(callId).some(({ state }) => PAUSED.has(state)),
    call: (callId) => {
      const call = service.call(callId)
      if (call === undefined) return undefined
      const present = () =>
        call.snapshot().parties.filter((one) => one.leftAtMs === undefined && one.role !== 'automaton')
      return { callId, media: call.media, parties: present, onEnded: (listener) => call.onEnded(listener) }
    },
  })
}

/** Ears on every call that somebody watches. */
export class CallEars implements CallListening {
  readonly #options: CallEarsOptions
  readonly #ears = new Map<string, Ears>()

  constructor(options: CallEarsOptions) {
    this.#options = options
  }

  levels(callId: string): ReturnType<CallListening['levels']> {
    const ears = this.#earsOf(callId)
    if (ears === undefined) return undefined
    ears.watch()
    return ears.levels()
  }

  listen(callId: string, hearer: Hearer): (() => void) | undefined {
    return this.#earsOf(callId)?.listen(hearer)
  }

  #earsOf(callId: string): Ears | undefined {
    const known = this.#ears.get(callId)
    if (known !== undefined) return known
    const call = this.#options.call(callId)
    if (call === undefined) return undefined
    const ears = new Ears(call, this.#options)
    this.#ears.set(callId, ears)
    call.onEnded(() => {
      this.#ears.delete(callId)
      ears.end()
    })
    return ears
  }
}

/** The ears on one call. */
class Ears {
  readonly #call: AudibleCall
  readonly #options: CallEarsOptions
  readonly #hearers = new Set<Hearer>()
  /** Channel of each leg that was ever heard, by its place. */
  readonly #legs: string[] = []
  #latest: readonly HeardLeg[] = []
  #hearing: Hearing = 'nothing'
  #levelsTimer: Timer | undefined
  #isMuted = false

  constructor(call: AudibleCall, options: CallEarsOptions) {
    this.#call = call
    this.#options = options
    call.media.onEvent((event) => {
      if (event.type === 'heard') this.#onHeard(event.legs)
    })
  }

  watch(): void {
    this.#levelsTimer?.cancel()
    this.#levelsTimer = this.#options.clock.after(LEVELS_FOR_MS, 'levels', () => {
      this.#levelsTimer = undefined
      this.#hear()
    })
    this.#hear()
  }

  levels(): NonNullable<ReturnType<CallListening['levels']>> {
    return this.#call.parties().map(({ leg, role }) => {
      const level = this.#latest.find((one) => one.leg === leg)?.level
      return { leg, role, ...(level === undefined ? {} : { level: rounded(level) }) }
    })
  }

  listen(hearer: Hearer): () => void {
    this.#hearers.add(hearer)
    hearer.onStreams(this.#streams())
    if (this.#options.isPaused(this.#call.callId)) hearer.onPause(true)
    this.#hear()
    return () => {
      this.#hearers.delete(hearer)
      this.#hear()
    }
  }

  end(): void {
    this.#levelsTimer?.cancel()
    for (const hearer of this.#hearers) hearer.onEnd()
    this.#hearers.clear()
  }

  #hear(): void {
    const wanted = this.#hearers.size > 0 ? 'sound' : this.#levelsTimer === undefined ? 'nothing' : 'levels'
    if (wanted === this.#hearing) return
    this.#hearing = wanted
    if (wanted === 'nothing') this.#latest = []
    // A call that is just ending has no media to listen to.
    this.#call.media.hear(wanted).catch(() => {})
  }

  #onHeard(legs: readonly HeardLeg[]): void {
    this.#latest = legs
    if (this.#hearers.size === 0) return
    const isPaused = this.#options.isPaused(this.#call.callId)
    const wasMuted = this.#isMuted
    this.#isMuted = isPaused
    if (isPaused !== wasMuted) for (const hearer of this.#hearers) hearer.onPause(isPaused)
    // What comes first after a pause began in it.
    if (isPaused || wasMuted) return
    const isNew = legs.some(({ leg }) => !this.#legs.includes(leg))
    if (isNew) for (const hearer of this.#hearers) hearer.onStreams(this.#streams())
    const frames = legs.flatMap(({ leg, samples }) =>
      samples === undefined ? [] : [{ channel: this.#legs.indexOf(leg), sampleRateHz: RATE_HZ, samples }],
    )
    for (const hearer of this.#hearers) hearer.onSound(frames)
  }

  /** Those in the call by channel; whoever is new gets the next one. */
  #streams(): { readonly channel: number; readonly label: string; readonly speakers: readonly string[] }[] {
    const parties = this.#call.parties()
    for (const { leg } of [...parties, ...this.#latest]) if (!this.#legs.includes(leg)) this.#legs.push(leg)
    return parties.map(({ leg, aors }) => ({
      channel: this.#legs.indexOf(leg),
      label: leg,
      speakers: aors.slice(0, 1),
    }))
  }
}

function rounded({ rmsDbfs, peakDbfs }: NonNullable<HeardLeg['level']>): NonNullable<HeardLeg['level']> {
  return { rmsDbfs: Math.round(rmsDbfs * 10) / 10, peakDbfs: Math.round(peakDbfs * 10) / 10 }
}
