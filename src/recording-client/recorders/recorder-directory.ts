// What is known of the recorders, and which of them a recording tries.

import type { RequestOutcome, SipUri } from '#sip'
import type { RecorderProfile } from '../recorder-profile.ts'

/** What an attempt at a recorder came to. */
export interface AttemptOutcome {
  /** Final status; 408 for silence, 503 for transport and DNS failures. */
  readonly status: number
  /** As of a RequestOutcome: `response`, `timeout`, `transport`, `dns`… */
  readonly cause: string
  /** Retry-After of a refusal (RFC 3261 section 20.33). */
  readonly retryAfterSeconds?: number
}

/** The recorders of one gateway. */
export interface RecorderDirectory {
  /** What is configured about the recorder at a URI. */
  profileOf(recorder: SipUri): RecorderProfile
  /** The recorder asked for and those that may take its place, in the order in which to try them now; never empty. */
  candidates(entry: readonly string[]): readonly string[]
  /** Tells what an attempt at a recorder came to. */
  report(uri: string, outcome: AttemptOutcome): void
  /** Tells of each OPTIONS that a recorder which answered before leaves without an answer, and how many in a row; the returned function ends that. */
  onSilence(uri: string, listener: (probes: number) => void): () => void
}

/** An attempt's outcome out of that of its request. */
export function attemptOutcome({ status, cause, response }: RequestOutcome): AttemptOutcome {
  const seconds = /^\s*(\d{1,9})/.exec(response?.headers.get('retry-after') ?? '')?.[1]
  return { status, cause, ...(seconds === undefined ? {} : { retryAfterSeconds: Number(seconds) }) }
}
