// What is kept of a recording session beside its audio: SIP facts, warnings, metadata documents, its catalogue row.

import { type Clock, type Logger, messageOf } from '#kernel'
import { labelOf } from '#sdp'
import type { SipMessage } from '#sip'
import { rfc3339 } from '#siprec'
import {
  type Catalogue,
  type Manifest,
  type MetadataDocument,
  type NoAudioCause,
  openRow,
  type ParticipantFacts,
  type RecordingFacts,
  type RecordingStore,
  rowOf,
  type SipFacts,
} from '#store'
import type { RecordMedia } from './record-media.ts'
import type { RecordReplies } from './record-messages.ts'
import { type RequestBodies, transactionOf } from './recording-request.ts'
import { type KeptMetadata, SessionMetadata } from './session-metadata.ts'
import type { SessionVerdict } from './session-verdict.ts'

const MAX_WARNINGS = 100

/** What a session record works with. */
export interface SessionRecordOptions {
  readonly recordingId: string
  readonly sip: SipFacts
  readonly media: RecordMedia
  readonly store: RecordingStore
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly log: Logger
  readonly keepRawMetadata: boolean
  readonly verdict: SessionVerdict
  /** Who is named while no metadata names anybody: the parties of an ordinary call. */
  readonly parties: readonly ParticipantFacts[]
  /** Labels of the streams by channel, '' for those without. */
  readonly labels: () => readonly string[]
  /** Their media types, and whether their order may be another than that of all that the client sends. */
  readonly lines: () => { readonly kinds: readonly string[]; readonly hasOtherLines: boolean }
}

/** Keeper of one session's facts. */
export class SessionRecord {
  startedAtMs: number
  readonly #options: SessionRecordOptions
  readonly #metadata = new SessionMetadata()
  readonly #warnings = new Set<string>()
  #sip: SipFacts

  constructor(options: SessionRecordOptions) {
    this.#options = options
    this.#sip = options.sip
    this.startedAtMs = options.clock.wallMs()
  }

  /** What `resume` takes, beside the facts. */
  kept(): KeptMetadata {
    return this.#metadata.kept()
  }

  /** Goes on with what the process before knew. */
  resume(metadata: KeptMetadata, manifest: Manifest): void {
    this.#metadata.resume(metadata)
    this.startedAtMs = Date.parse(manifest.startedAt)
    this.warn(manifest.facts.warnings)
    if (manifest.facts.verdict !== undefined) this.#options.verdict.resume(manifest.facts.verdict)
  }

  /** Whether metadata changed a state that we never had in full (SRS-44). */
  get lacksBase(): boolean {
    return this.#metadata.lacksBase
  }

  /** Whether metadata says that what is recorded has ended. */
  get isOver(): boolean {
    return this.#metadata.isOver
  }

  /** All that is known now. */
  facts(): RecordingFacts {
    const { labels, lines, parties, verdict } = this.#options
    const told = this.#metadata.facts(labels(), lines())
    const participants = told.participants.length > 0 ? told.participants : parties
    const facts = { sip: this.#sip, ...told, participants, warnings: [...this.#warnings] }
    return { ...facts, verdict: verdict.facts(facts) }
  }

  warn(warnings: readonly string[]): void {
    for (const warning of warnings) if (this.#warnings.size < MAX_WARNINGS) this.#warnings.add(warning)
  }

  /** Notes the client's own time of its BYE (SRS-52). */
  endedOn(endDate: string | undefined): void {
    if (endDate !== undefined) this.#sip = { ...this.#sip, endDate }
  }

  /** Notes why the session ended. */
  end(ended: string): void {
    this.#sip = { ...this.#sip, ended }
  }

  /** Applies the metadata of a message to the state; the documents are still to be kept. */
  apply(message: SipMessage, bodies: RequestBodies): MetadataDocument[] {
    const { clock, keepRawMetadata } = this.#options
    const offered = bodies.offer?.media.map((media) => labelOf(media) ?? '') ?? []
    const labels = [...new Set([...this.#options.labels(), ...offered])].filter((label) => label !== '')
    return bodies.metadata.map((part) => {
      const warnings = this.#metadata.apply(part.content, part.contentType, labels)
      this.warn(warnings)
      return {
        receivedAt: rfc3339(clock.wallMs()),
        transaction: transactionOf(message),
        ...(keepRawMetadata && { raw: part.content }),
        warnings,
        state: this.#metadata.state ?? null,
      }
    })
  }

  /** Writes documents, and the facts that follow from them, to disk and catalogue. */
  async keep(documents: readonly MetadataDocument[]): Promise<void> {
    const { media, recordingId, log } = this.#options
    try {
      for (const document of documents) await media.ask({ type: 'metadata', recordingId, document })
      if (documents.length > 0) await media.ask({ type: 'facts', recordingId, facts: this.facts() })
    } catch (thrown) {
      log.error('metadata not kept', { reason: messageOf(thrown) })
    }
    this.announce()
  }

  /** Tells the catalogue what is being received. */
  announce(): void {
    const { catalogue, recordingId, labels } = this.#options
    this.#catalogued(catalogue.put(openRow(recordingId, this.startedAtMs, this.facts(), labels().length)))
  }

  /** Has the recording closed and published, and tells the catalogue; undefined where that failed, for now. */
  async publish(noAudioCause: NoAudioCause | undefined): Promise<RecordReplies['close'] | undefined> {
    const { media, recordingId, catalogue, store, log } = this.#options
    try {
      const known = noAudioCause === undefined ? {} : { noAudioCause }
      const published = await media.ask({ type: 'close', recordingId, facts: this.facts(), ...known })
      const { manifest, folder } = published
      this.#catalogued(catalogue.put(rowOf(manifest, store.relativeFolder(folder))))
      const { state, cause, durationMs } = manifest
      log.info('recording ended', { ended: this.#sip.ended, state, cause, durationMs })
      return published
    } catch (thrown) {
      log.error('recording could not be published', { reason: messageOf(thrown) })
      return undefined
    }
  }

  /** Trouble with the catalogue never touches a recording: folders are the truth. */
  #catalogued(writing: Promise<void>): void {
    writing.catch((thrown: unknown) => {
      this.#options.log.warn('catalogue not updated', { reason: messageOf(thrown) })
    })
  }
}
