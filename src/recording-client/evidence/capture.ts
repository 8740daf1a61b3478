// The capture bundle of one recording session that failed: SIP of both sides, states, what happened, counters; no audio, no people.

import type { RecordingHappening, RecordingView } from '../recording-event.ts'

/** One line of a capture; `atMs` counts from its beginning. */
export type CaptureEntry =
  | {
      readonly type: 'sip'
      readonly atMs: number
      readonly direction: 'sent' | 'received'
      readonly transport: string
      readonly remote: string
      readonly text: string
    }
  | { readonly type: 'state'; readonly atMs: number; readonly from: string; readonly to: string }
  | { readonly type: 'event'; readonly atMs: number; readonly happening: RecordingHappening }

/** A capture as it is kept, served and replayed. */
export interface CaptureBundle {
  readonly format: 'siprec-gateway-capture'
  readonly version: 1
  readonly id: string
  readonly product: string
  /** ISO 8601, UTC. */
  readonly beganAt: string
  readonly callId: string
  readonly recording: string
  readonly recorder: string
  /** What made the session worth keeping. */
  readonly failure: RecordingHappening
  /** Messages left out of the middle since there were too many. */
  readonly leftOut: number
  readonly entries: readonly CaptureEntry[]
  /** The recording as it stood, counters and ledger included. */
  readonly view: RecordingView | undefined
}

/** A message before redaction. */
export interface RawMessage {
  readonly type: 'sip'
  readonly wallMs: number
  readonly direction: 'sent' | 'received'
  readonly transport: string
  readonly remote: string
  readonly bytes: Uint8Array
}

/** A capture's content as it grows. */
export type RawEntry =
  | RawMessage
  | { readonly type: 'state'; readonly wallMs: number; readonly from: string; readonly to: string }
  | { readonly type: 'event'; readonly wallMs: number; readonly happening: RecordingHappening }

const firstKept = 60
const lastKept = 140
const maxMessageBytes = 16_384

/** Keeps the beginning and the end of what happens to one session. */
export class SessionLog {
  readonly #first: RawEntry[] = []
  readonly #last: RawEntry[] = []
  #leftOut = 0

  get leftOut(): number {
    return this.#leftOut
  }

  get entries(): readonly RawEntry[] {
    return [...this.#first, ...this.#last].sort((a, b) => a.wallMs - b.wallMs)
  }

  add(entry: RawEntry): void {
    if (this.#first.length < firstKept) {
      this.#first.push(entry)
      return
    }
    this.#last.push(entry)
    if (this.#last.length <= lastKept) return
    this.#last.shift()
    this.#leftOut += 1
  }

  addMessage(message: RawMessage): void {
    // The bytes belong to the socket and are written over.
    this.add({ ...message, bytes: message.bytes.slice(0, maxMessageBytes) })
  }
}
