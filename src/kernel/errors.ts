// Operational failures: each carries a stable code and its own verdict.

/** Whose doing the failure is; used as a metric label, so few values. */
export type VerdictResult = 'success' | 'client' | 'server' | 'upstream' | 'indeterminate'

/** How a failure is to be reported: a low-cardinality reason and, where one applies, a SIP status. */
export interface Verdict {
  readonly result: VerdictResult
  readonly reason: string
  readonly sipStatus?: number
}

/** An expected failure of an operation; `code` is stable and documented. */
export class AppError extends Error {
  override readonly name: string = 'AppError'
  readonly code: string
  readonly verdict: Verdict

  constructor(code: string, message: string, verdict: Verdict, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.verdict = verdict
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
