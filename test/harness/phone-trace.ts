// What two phones see of SIP, in a form that two calls can be compared by.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TestContext } from 'node:test'
import { type SipTrace, sipTrace } from '#kernel'
import { normalised } from '../chaos/chaos-scene.ts'

/** What the phones `alice` and `bob` saw of SIP, without ports and numbers that each call chooses at random. */
export class PhoneTrace {
  readonly #lines: string[] = []
  readonly #isSeeded: boolean
  readonly #listener = (message: unknown): void => {
    const { core, direction, bytes } = message as SipTrace
    if (core !== 'alice' && core !== 'bob') return
    const text = normalised(new TextDecoder().decode(bytes))
      .replace(/^(m=audio) \d+/gm, '$1 *')
      .replace(/(127\.0\.0\.1):\d+/g, '$1:*')
      .replace(/rport=\d+/g, 'rport=*')
      .replace(/^(Content-Length|l): .*$/gim, '$1: *')
    const free = this.#isSeeded ? text : text.replace(/^o=.*$/gm, 'o=*').replace(/^(Session-ID): .*$/gim, '$1: *')
    this.#lines.push(`${core} ${direction} ${free}`)
  }

  /** With a seed what the call itself chooses once is kept: the ids of its descriptions and of its session. */
  constructor(t: TestContext, isSeeded = false) {
    this.#isSeeded = isSeeded
    subscribe(sipTrace.name, this.#listener)
    t.after(() => unsubscribe(sipTrace.name, this.#listener))
  }

  /** Each once, for a busy machine repeats; sorted, for the phones are not in step. */
  get lines(): string[] {
    return [...new Set(this.#lines)].toSorted()
  }
}
