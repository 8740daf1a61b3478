// Trace channels: free when nobody listens; the ladder view, metrics and tests subscribe to them.

import { type Channel, channel } from 'node:diagnostics_channel'

/** One SIP message in or out of the process. */
export interface SipTrace {
  /** Name of the SIP core, as there may be several in a process. */
  readonly core: string
  readonly direction: 'in' | 'out'
  readonly transport: string
  readonly local: string
  readonly remote: string
  readonly wallMs: number
  /** As on the wire, but for SRTP keys and digest responses, which are written over. */
  readonly bytes: Uint8Array
}

/** One change of state of a call, recording, recording session, transaction or dialog. */
export interface StateTrace {
  readonly machine: string
  readonly id: string
  readonly from: string
  readonly to: string
  readonly wallMs: number
}

/** Each SIP message, as SipTrace. */
export const sipTrace: Channel = channel('siprec-gateway:sip')

/** Each state change, as StateTrace. */
export const stateTrace: Channel = channel('siprec-gateway:state')

const asterisk = 0x2a
const space = 0x20
const quote = 0x22

/** What secrets begin with, and whether a byte still belongs to them. */
const secrets: readonly (readonly [mark: string, isPart: (byte: number) => boolean])[] = [
  ['inline:', (byte) => byte > space],
  // Passwords can be guessed at with it, as often as one likes.
  ['response="', (byte) => byte > space && byte !== quote],
]

/** The message with each SRTP key and each response to a digest challenge written over, in the same length (RFC 4568 section 9: keys are for the two ends only). */
export function withoutKeys(bytes: Uint8Array): Uint8Array {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let clean: Buffer | undefined
  for (const [mark, isPart] of secrets) {
    for (let at = whole.indexOf(mark); at >= 0; at = whole.indexOf(mark, at)) {
      clean ??= Buffer.from(whole)
      at += mark.length
      while (at < clean.length && isPart(clean[at]!)) clean[at++] = asterisk
    }
  }
  return clean ?? bytes
}
