// Who hears whom among the legs of a call: pairs, and conversations of more.

import { Conference } from '#media'
import { mediaError } from '../errors.ts'
import type { LegLine } from './leg-line.ts'
import type { WorkerContext } from './worker-context.ts'

/** The conversations of one call; a leg is in one of them at most. */
export class Bridges {
  readonly #context: WorkerContext
  readonly #conferences = new Map<LegLine, Conference>()

  constructor(context: WorkerContext) {
    this.#context = context
  }

  /** The two hear each other, and nobody else any more. */
  pair(left: LegLine, right: LegLine): void {
    this.part(left)
    this.part(right)
    left.relay.peer = right.relay
    right.relay.peer = left.relay
  }

  /** All hear each other, and nobody else any more. */
  confer(legs: ReadonlySet<LegLine>): void {
    const relays = [...legs].map(({ relay }) => relay)
    if (relays.some(({ codecs }) => codecs.g711 === undefined)) {
      throw mediaError('media.no-g711', 'a leg of the conference speaks no G.711')
    }
    for (const leg of legs) this.part(leg)
    const { clock, sourceIds, opus } = this.#context
    const conference = new Conference(relays, clock, sourceIds, opus)
    for (const leg of legs) this.#conferences.set(leg, conference)
  }

  /** Takes a leg out of its conversation; the rest of a conference goes on. */
  part(leg: LegLine): void {
    const { relay } = leg
    if (relay.peer !== undefined) relay.peer.peer = undefined
    relay.peer = undefined
    this.#conferences.get(leg)?.leave(relay)
    this.#conferences.delete(leg)
  }
}
