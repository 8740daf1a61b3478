// Why a recorder left its session, and whether it may be invited again for this recording (rows SRC-63, SRC-64; RFC 3326).

import type { DialogEnd, SipRequest } from '#sip'

/** `again`: it was lost; `elsewhere`: it cannot go on, another recorder may; `never`: this call is not to be recorded there or in its stead. */
export type Comeback = 'again' | 'elsewhere' | 'never'

/** How a recording session came to be over without our doing. */
export interface Departure {
  readonly reason: string
  readonly comeback: Comeback
  /** It said so itself. */
  readonly isByRecorder?: boolean
}

/** Q.850 causes of a recorder that would go on if it could: out of order, no resources, recovery on timer expiry. */
const unableCauses = new Set([27, 34, 38, 41, 42, 43, 44, 47, 102])

/** Reads the end of a dialog. */
export function departureOf({ cause, status, request }: DialogEnd): Departure {
  const reason = status === undefined ? cause : `${cause} (${status})`
  if (cause !== 'remote-bye' || request === undefined) return { reason, comeback: 'again' }
  const given = reasonOf(request)
  const isByRecorder = true
  if (request.headers.has('Retry-After')) return { reason: told(reason, given), comeback: 'elsewhere', isByRecorder }
  if (given === undefined) return { reason, comeback: 'again', isByRecorder }
  return { reason: told(reason, given), comeback: isUnable(given) ? 'elsewhere' : 'never', isByRecorder }
}

interface GivenReason {
  readonly protocol: string
  readonly cause: number
}

function reasonOf({ headers }: SipRequest): GivenReason | undefined {
  for (const value of headers.list('Reason')) {
    const [protocol = '', ...params] = value.split(';').map((part) => part.trim())
    const cause = params.find((param) => /^cause\s*=\s*\d{1,3}$/i.test(param))
    if (cause !== undefined) return { protocol: protocol.toUpperCase(), cause: Number(cause.split('=')[1]) }
  }
  return undefined
}

function isUnable({ protocol, cause }: GivenReason): boolean {
  if (protocol === 'Q.850') return unableCauses.has(cause)
  return cause === 408 || cause === 480 || (cause >= 500 && cause < 600)
}

function told(reason: string, given: GivenReason | undefined): string {
  return given === undefined ? reason : `${reason} (${given.protocol} ${given.cause})`
}
