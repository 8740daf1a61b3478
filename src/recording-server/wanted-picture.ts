// Video is of use only from a whole picture on: when its sender has to be asked for one, and how.

import type { StreamSettings } from './record-messages.ts'
import type { StreamRtcp } from './stream-rtcp.ts'

/** The picture that a stream waits for. */
export class WantedPicture {
  #isWanted = true

  /** What comes from now on does not follow what came. */
  want(): void {
    this.#isWanted = true
  }

  /** A packet of a source is kept: asks for the picture if it is wanted, by RTCP where that was agreed, else by `askOtherwise`. */
  onKept(
    { kind, pictureRequest }: StreamSettings,
    ssrc: number,
    rtcp: Pick<StreamRtcp, 'askForPicture'>,
    askOtherwise: () => void,
  ): void {
    if (!this.#isWanted || kind !== 'video') return
    if (pictureRequest !== undefined) {
      this.#isWanted = !rtcp.askForPicture(pictureRequest, ssrc)
      return
    }
    this.#isWanted = false
    askOtherwise()
  }
}
