// What the failure of an outgoing INVITE means to a flow, and to the caller who waits for it.

/** How a dial ended, in a flow's words. */
export type DialResultKind = 'answered' | 'busy' | 'no-answer' | 'rejected' | 'failed' | 'forbidden'

/** How a dial ended; `sipStatus` is the callee's, or ours when we refused to dial. */
export interface DialResult {
  readonly result: DialResultKind
  readonly sipStatus?: number
}

/** The result of a dial that failed with `status`. */
export function dialResultOf(status: number): DialResultKind {
  if (status === 486 || status === 600) return 'busy'
  if (status === 408 || status === 480 || status === 487) return 'no-answer'
  if (status === 603 || status === 403 || status === 607 || status === 608) return 'rejected'
  return 'failed'
}

/** The status for the caller when its callee failed with `status`. */
export function callerStatusOf(status: number): number {
  switch (status) {
    case 404:
    case 410:
    case 482:
    case 483:
    case 484:
    case 486:
    case 488:
    case 600:
    case 603:
    case 604:
      return status
    case 408:
    case 480:
    case 487:
      return 480
    case 606:
      return 488
    default:
      return 502
  }
}
