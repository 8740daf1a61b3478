// The success policy of one recording while it lasts: a recording that is not what the policy wants has the time of a start to become it.

import type { Clock, Timer } from '#kernel'
import { isMandatory, judge, type PolicyVerdict, type SlotStanding, type SuccessPolicy } from './success-policy.ts'

/** Judges a recording; `unmet` is told once each time the policy stops being met for good or for too long. */
export class PolicyWatch {
  readonly policy: SuccessPolicy
  readonly #clock: Clock
  readonly #graceMs: number
  readonly #onVerdict: (verdict: 'met' | 'unmet') => void
  #told: 'met' | 'unmet' | undefined
  #grace: Timer | undefined
  #isMet = false

  constructor(policy: SuccessPolicy, clock: Clock, graceMs: number, onVerdict: (verdict: 'met' | 'unmet') => void) {
    this.policy = policy
    this.#clock = clock
    this.#graceMs = graceMs
    this.#onVerdict = onVerdict
  }

  /** Whether the recorders that carry the recording at this moment are those that the policy wants. */
  get isMet(): boolean {
    return this.#isMet
  }

  /** Looks at the recorders; nothing is told while it may still turn out well in time. */
  look(slots: readonly SlotStanding[]): void {
    const verdict = this.#verdictOn(slots)
    this.#isMet = verdict === 'met'
    if (verdict === 'open') {
      if (this.#told !== 'unmet')
        this.#grace ??= this.#clock.after(this.#graceMs, 'recording policy', () => this.#tell('unmet'))
    } else this.#tell(verdict)
  }

  /** Nothing is told any more. */
  close(): void {
    this.#grace?.cancel()
    this.#told = undefined
  }

  /** What a call is not to feel can wait until every recorder has said what it will. */
  #verdictOn(slots: readonly SlotStanding[]): PolicyVerdict {
    const verdict = judge(this.policy.success, slots)
    return verdict === 'unmet' && !isMandatory(this.policy) && slots.some(({ standing }) => standing === 'open')
      ? 'open'
      : verdict
  }

  #tell(verdict: 'met' | 'unmet'): void {
    this.#grace?.cancel()
    this.#grace = undefined
    if (this.#told === verdict) return
    this.#told = verdict
    this.#onVerdict(verdict)
  }
}
