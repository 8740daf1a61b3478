// The metadata of a recording read again, document by document: who took part when, and what each document changed.

import type { ParticipantFacts } from '#store'
import { isMixed, type MetadataPart, SessionMetadata } from './session-metadata.ts'

/** What a document changed: of a participant, or of those who speak on a channel. */
export interface MetadataChange {
  readonly kind: 'joined' | 'left' | 'held' | 'resumed'
  readonly participantId?: string
  readonly channel?: number
}

/** The state that a document led to. */
export interface MetadataMoment {
  readonly warnings: readonly string[]
  /** Those who take part from then on. */
  readonly participants: readonly ParticipantFacts[]
  /** Names by channel. */
  readonly speakers: readonly (readonly string[])[]
  readonly changes: readonly MetadataChange[]
}

/** Reads the documents of one recording in their order; a moment each. */
export class MetadataHistory {
  readonly #labels: readonly string[]
  readonly #lines: { readonly kinds: readonly string[]; readonly hasOtherLines: boolean }
  readonly #metadata = new SessionMetadata()
  #present = new Map<string, ParticipantFacts>()
  #held: readonly boolean[] = []

  /** `labels` of the recording's streams, '' where there is none, and their media types; audio unless told. */
  constructor(labels: readonly string[], kinds: readonly string[] = labels.map(() => 'audio')) {
    this.#labels = labels
    this.#lines = { kinds, hasOtherLines: isMixed(kinds) }
  }

  /** Applies the next document; one that was not kept changes nothing. */
  next(content: Uint8Array | undefined): MetadataMoment {
    const warnings =
      content === undefined ? [] : this.#metadata.apply(content, 'application/rs-metadata+xml', this.#labels)
    const facts = this.#metadata.facts(this.#labels, this.#lines)
    const present = this.#presentOf(facts)
    const changes: MetadataChange[] = [
      ...missing(present, this.#present).map((participantId) => ({ kind: 'joined', participantId }) as const),
      ...missing(this.#present, present).map((participantId) => ({ kind: 'left', participantId }) as const),
      // Where everybody has left, nobody holds.
      ...(present.size === 0 ? [] : this.#holdChanges(facts.held ?? [])),
    ]
    this.#present = present
    this.#held = facts.held ?? []
    return { warnings, participants: [...present.values()], speakers: facts.speakers, changes }
  }

  #presentOf({ participants }: MetadataPart): Map<string, ParticipantFacts> {
    const assocs = this.#metadata.state?.participantSessionAssocs ?? []
    const isPresent = (participantId: string): boolean => {
      const own = assocs.filter((assoc) => assoc.participantId === participantId)
      return own.length === 0 || own.some((assoc) => assoc.disassociateTime === undefined)
    }
    return new Map(participants.filter((one) => isPresent(one.participantId)).map((one) => [one.participantId, one]))
  }

  #holdChanges(held: readonly boolean[]): MetadataChange[] {
    return this.#labels.flatMap((_label, channel): MetadataChange[] => {
      const [was, is] = [this.#held[channel] ?? false, held[channel] ?? false]
      return was === is ? [] : [{ kind: is ? 'held' : 'resumed', channel }]
    })
  }
}

function missing(from: ReadonlyMap<string, unknown>, others: ReadonlyMap<string, unknown>): string[] {
  return [...from.keys()].filter((id) => !others.has(id))
}
