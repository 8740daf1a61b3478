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
