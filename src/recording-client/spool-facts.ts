// What must be known of a spooled recording to deliver it, when neither its call nor this process is there any more.

import type { CallSnapshot } from '#call'
import type { MediaCodec } from '#engine'
import { err, ok, type Result } from '#kernel'
import type { HeaderList } from '#sip'
import type { ApplicationIds } from './command.ts'
import type { LedgerRow } from './ledger.ts'
import type { SpooledSpan } from './spool-port.ts'
import type { StreamNow } from './streams.ts'

/** The facts of a spooled recording. */
export interface SpoolFacts {
  /** Id of the recording that it is a part of. */
  readonly recording: string
  readonly recordingId: string
  readonly headers: HeaderList
  readonly application?: ApplicationIds
  /** Who may have it: a list per recorder that should. */
  readonly targets: readonly (readonly string[])[]
  /** In the order in which they are kept. */
  readonly streams: readonly StreamNow[]
  /** What the payload types of its packets mean. */
  readonly codecs: readonly MediaCodec[]
  readonly span: SpooledSpan
  /** The call when it was recorded last. */
  readonly live: CallSnapshot
  /** The call when the recording ended; absent when that was not seen. */
  readonly ended?: CallSnapshot
  /** All that was known of its recorders. */
  readonly ledger: readonly LedgerRow[]
}

const VERSION = 1

/** Facts as text. */
export function writeFacts(facts: SpoolFacts): string {
  return JSON.stringify({ version: VERSION, ...facts }, (_key, value: unknown) =>
    value instanceof Uint8Array ? { bytes: [...value] } : value,
  )
}

/** Reads facts that this program has written; who wrote them is proved by the spool. */
export function readFacts(text: string): Result<SpoolFacts, string> {
  try {
    const { version, ...facts } = JSON.parse(text, (_key, value: unknown) =>
      isBytes(value) ? Uint8Array.from(value.bytes) : value,
    ) as SpoolFacts & { readonly version: number }
    return version === VERSION ? ok(facts) : err(`facts of version ${version}`)
  } catch {
    return err('facts that cannot be read')
  }
}

function isBytes(value: unknown): value is { readonly bytes: readonly number[] } {
  return typeof value === 'object' && value !== null && Array.isArray((value as { bytes?: unknown }).bytes)
}
