// The m-lines of one dialog with a recorder, and of which call each is: a line keeps its place for as long as the dialog lasts, and one
// whose call has left is given to the next stream (RFC 3264 section 8, RFC 7866 section 5.1).

import type { LocalMedia } from '#sdp'
import { type OfferedStream, offeredMedia } from './offer.ts'

/** A call in a dialog. */
export interface LineOwner {
  /** Its streams as they are by now, in the order of their first offer. */
  readonly streams: readonly OfferedStream[]
}

interface Line<Owner> {
  owner: Owner | undefined
  index: number
  last: OfferedStream
}

/** The m-lines of a dialog. */
export class DialogLines<Owner extends LineOwner> {
  readonly #lines: Line<Owner>[] = []

  /** Gives every stream of a call its line. */
  place(owner: Owner): void {
    for (const [index, stream] of owner.streams.entries()) {
      const own = this.#lines.find((line) => line.owner === owner && line.index === index)
      const line = own ?? this.#lines.find((each) => each.owner === undefined)
      if (line === undefined) this.#lines.push({ owner, index, last: stream })
      else Object.assign(line, { owner, index, last: stream })
    }
  }

  /** A call has left: its lines get port 0. */
  release(owner: Owner): void {
    for (const line of this.#lines) if (line.owner === owner) line.owner = undefined
  }

  /** The stream of each line; those of calls that have left are removed. */
  get streams(): OfferedStream[] {
    return this.#lines.map(({ owner, index, last }) => owner?.streams[index] ?? { ...last, isRemoved: true })
  }

  /** The lines as an offer has them; a label that another line has now is not written twice. */
  get media(): LocalMedia[] {
    const taken = new Set(this.#lines.flatMap(({ owner, last }) => (owner === undefined ? [] : last.label)))
    return offeredMedia(this.streams).map(({ label, ...media }, at) => {
      const isVacant = this.#lines[at]?.owner === undefined
      return label === undefined || (isVacant && taken.has(label)) ? media : { ...media, label }
    })
  }

  /** What was said of the lines of a call. */
  of<Said>(owner: Owner, said: readonly Said[]): Said[] {
    return said.filter((_, at) => this.#lines[at]?.owner === owner)
  }
}
