// Seals one file from its beginning, or from where it was left.

import { fileKey, newFileHead, type SealedPlace, sealFrame } from './sealed-format.ts'

/** Makes the frames of one file. */
export class FrameSealer {
  /** What the file begins with. */
  readonly head: Buffer
  readonly #key: Buffer
  #number: number

  /** `left`: goes on behind so many frames of a file with this head. */
  constructor(
    place: SealedPlace,
    chunkBytes: number,
    left: { readonly head: Buffer; readonly frames: number } = { head: newFileHead(chunkBytes), frames: 0 },
  ) {
    this.head = left.head
    this.#key = fileKey(place, left.head)
    this.#number = left.frames
  }

  /** The next frame. */
  next(plain: Uint8Array, isLast = false): Buffer {
    return sealFrame(this.#key, this.#number++, plain, isLast)
  }
}
