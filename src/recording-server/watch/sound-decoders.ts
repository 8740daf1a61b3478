// Decoders for what is watched. Opus is loaded when the first such stream comes.

import { type AudioDecoder, type OpusLibrary, passingAudioDecoder } from '#audio'

/** Loads the Opus library; undefined where there is none. */
export type OpusLoader = () => Promise<OpusLibrary | undefined>

/** Decoders of one thread. */
export class SoundDecoders {
  readonly #load: OpusLoader
  #opus: OpusLibrary | undefined
  #isLoading = false

  constructor(load: OpusLoader) {
    this.#load = load
  }

  /** A decoder of an encoding as in SDP, whose samples are valid until the next packet; undefined where there is none, or none yet. */
  decoderOf(encoding: string): AudioDecoder | undefined {
    if (encoding.startsWith('OPUS/') && this.#opus === undefined && !this.#isLoading) {
      this.#isLoading = true
      void this.#load().then((opus) => {
        this.#opus = opus
      })
    }
    return passingAudioDecoder(encoding, this.#opus)
  }
}
