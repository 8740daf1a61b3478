// Telling the parties that they are recorded: `a=record` to those whose phones show it, a tone or an announcement to the others (RFC 7866
// section 6.1.2).

import type { MediaCall, Tone } from '#engine'
import { type Logger, messageOf } from '#kernel'
import { type RecordState, strongestRecord } from '#sdp'
import type { SipRequest, SipResponse } from '#sip'
import type { Leg } from './leg.ts'

/** A prompt that a party hears once in each recording, and the tone for when it is not heard. */
export interface Announcement {
  /** As a prompt is named. */
  readonly announcement: string
  readonly tone: Tone
}

/** How a party is told whose phone does not do it: a tone, an announcement, or an exemption with its reason. */
export type ToneRule = Tone | Announcement | { readonly exempt: string }

/** Chooses the rule for a party by its address. */
export type ToneRules = (aor: string) => ToneRule

/** What awareness needs of the conversation. */
export interface AwarenessOptions {
  readonly media: MediaCall
  readonly log: Logger
  readonly tones: ToneRules
  /** Confirmed legs. */
  readonly legs: () => readonly Leg[]
  readonly aorOf: (leg: Leg) => string
  /** Plays an announcement to a party, in place of what the others say; whether it was heard to its end. */
  readonly announce: (leg: Leg, announcement: string) => Promise<boolean>
  /** Makes the offers that are due. */
  readonly offer: () => void
}

const OPTION_TAG = 'record-aware'

/** Whether the sender of a message shows the state of recording by itself. */
export function saysRecordAware({ headers }: SipRequest | SipResponse): boolean {
  return headers.list('Supported').some((tag) => tag.toLowerCase() === OPTION_TAG)
}

/** The indications of one call. */
export class Awareness {
  readonly #options: AwarenessOptions
  /** Legs that hear the tone now. */
  readonly #sounding = new Set<Leg>()
  readonly #exempt = new Set<Leg>()
  /** What came of the announcement to a leg in this recording. */
  readonly #announced = new Map<Leg, 'playing' | 'heard' | 'unheard'>()
  #state: RecordState | undefined

  constructor(options: AwarenessOptions) {
    this.#options = options
  }

  /** Tells what our recording does; nobody is told `off` who was never told anything (UA-06). */
  show(state: RecordState): void {
    if (this.#state === undefined && state === 'off') return
    this.#state = state
    this.update()
  }

  /** Brings every leg to what it should be told by now. */
  update(): void {
    const legs = this.#options.legs()
    for (const leg of legs) this.prepare(leg)
    for (const leg of legs) this.#sound(leg)
    this.#options.offer()
  }

  /** Sets what the next description to a leg tells it. */
  prepare(leg: Leg): void {
    const elsewhere = this.#options.legs().flatMap((other) => (other === leg ? [] : [other.sdp.record.heard]))
    const state = strongestRecord([this.#state, ...elsewhere])
    if (state !== undefined && leg.isRecordAware) leg.sdp.record.state = state
    leg.indication = state
  }

  /** Forgets a leg that is over. */
  forget(leg: Leg): void {
    this.#sounding.delete(leg)
    this.#exempt.delete(leg)
    this.#announced.delete(leg)
  }

  /** A phone that cannot show the state, or would not take the offer that tells it, hears it (UA-03, UA-21). */
  #sound(leg: Leg): void {
    const isShown = leg.isRecordAware && !leg.hasRefusedRecord
    const rule = this.#options.tones(this.#options.aorOf(leg))
    if (leg.indication === 'off') this.#announced.delete(leg)
    const tone = leg.indication === 'on' && !isShown ? this.#toneOf(leg, rule) : undefined
    if ((tone !== undefined) === this.#sounding.has(leg)) return
    if (tone === undefined) this.#sounding.delete(leg)
    else this.#sounding.add(leg)
    const { media, log } = this.#options
    media.setTone(leg.name, tone).catch((fault: unknown) => {
      if (!leg.ended)
        log.error('party could not be told that it is recorded', { leg: leg.name, fault: messageOf(fault) })
    })
  }

  /** What is to sound now by a rule; undefined: nothing. */
  #toneOf(leg: Leg, rule: ToneRule): Tone | undefined {
    if ('exempt' in rule) {
      this.#noteExemption(leg, rule.exempt)
      return undefined
    }
    if (!('announcement' in rule)) return rule
    // A caller alone hears a flow, which is not to be interrupted.
    if (!this.#announced.has(leg) && this.#options.legs().length > 1) this.#announce(leg, rule.announcement)
    const outcome = this.#announced.get(leg)
    return outcome === 'playing' || outcome === 'heard' ? undefined : rule.tone
  }

  #announce(leg: Leg, announcement: string): void {
    const { announce, log } = this.#options
    const done = (isHeard: boolean): void => {
      if (leg.ended || this.#announced.get(leg) !== 'playing') return
      this.#announced.set(leg, isHeard ? 'heard' : 'unheard')
      if (isHeard) return
      log.warn('announcement was not heard, and a tone sounds instead', { leg: leg.name, announcement })
      this.#sound(leg)
    }
    this.#announced.set(leg, 'playing')
    announce(leg, announcement).then(done, () => done(false))
  }

  #noteExemption(leg: Leg, reason: string): void {
    if (this.#exempt.has(leg)) return
    this.#exempt.add(leg)
    this.#options.log.warn('party is recorded without an indication', { leg: leg.name, exemption: reason })
  }
}
