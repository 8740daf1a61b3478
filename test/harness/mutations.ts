// Seeded damage to bytes: what fuzzers of text formats do to good messages.

import { seededIds } from '#kernel'

/** What often breaks readers of SIP bodies. */
const TOKENS = [
  '<',
  '>',
  '&',
  '"',
  '</',
  ']]>',
  '<![CDATA[',
  '<!DOCTYPE r [<!ENTITY a "b">]>',
  '&a;',
  '&#0;',
  '&#x110000;',
  '<?xml version="1.0" encoding="utf-16"?>',
  ' xmlns=""',
  ' xmlns:xmlns="x"',
  ' participant_id=""',
  ' stream_id=""',
  '<label>1</label>',
  '<stream/>',
  '<send/>',
  '</recording>',
  '--raw',
  '--raw--',
  '\n\n',
  '\r',
  '\n',
  '\0',
  '\uFEFF',
  'Content-Type: multipart/mixed;boundary=raw\n\n',
  'Content-Type: application/sdp\n\n',
  'm=audio 0 RTP/AVP 0\n',
  'm=audio 99999 RTP/AVP 0\n',
  'm=audio 4 RTP/SAVP 0\n',
  'a=label:\n',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\n',
  'a=rtpmap:0\n',
  'c=IN IP6 ::\n',
  '99999999999999999999',
  '-1',
  ' '.repeat(300),
  '\u{1F600}',
]

/** Damages texts, one after another, the same way for the same seed. */
export class Mutations {
  readonly #random: (below: number) => number

  constructor(seed: number) {
    const ids = seededIds(seed)
    this.#random = (below) => ids.integer(Math.max(1, below))
  }

  /** A text with up to five faults. */
  of(text: string): string {
    let damaged = text
    for (let left = 1 + this.#random(5); left > 0; left--) damaged = this.#once(damaged)
    return damaged
  }

  /** Whether something of this likelihood, in percent, happens. */
  chance(percent: number): boolean {
    return this.#random(100) < percent
  }

  #once(text: string): string {
    const at = this.#random(text.length + 1)
    const length = this.#random(this.chance(70) ? 12 : 400)
    const token = TOKENS[this.#random(TOKENS.length)]!
    switch (this.#random(7)) {
      case 0:
        return text.slice(0, at) + token + text.slice(at)
      case 1:
        return text.slice(0, at) + text.slice(at + length)
      case 2:
        return text.slice(0, at) + text.slice(at, at + length).repeat(2) + text.slice(at + length)
      case 3:
        return text.slice(0, at) + String.fromCharCode(this.#random(256)) + text.slice(at + 1)
      case 4:
        return text.slice(0, at)
      case 5: {
        const from = this.#random(text.length + 1)
        return text.slice(0, at) + text.slice(from, from + length) + text.slice(at + length)
      }
      default:
        return text.slice(0, at) + token + text.slice(at + length)
    }
  }
}
