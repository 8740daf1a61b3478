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

/** Keys; and responses to a challenge, with which passwords can be guessed at as often as one likes, however they are written (RFC 3261 section 25.1). */
const secrets = /(inline:|\bresponse[ \t]*=(?:\r?\n)?[ \t]*"?)([^\s",]+)/gi

/** The message with each SRTP key and each response to a digest challenge written over, in the same length (RFC 4568 section 9: keys are for the two ends only). */
export function withoutKeys(bytes: Uint8Array): Uint8Array {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let clean: Buffer | undefined
  for (const { index, 1: mark = '', 2: secret = '' } of whole.toString('latin1').matchAll(secrets)) {
    clean ??= Buffer.from(whole)
    const from = index + mark.length
    clean.fill(asterisk, from, from + secret.length)
  }
  return clean ?? bytes
}
