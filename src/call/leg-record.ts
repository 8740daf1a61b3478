// What a leg's descriptions say of recording: what the party is told of ours, and what it says of its own (RFC 7866 section 7.1).

import {
  type RecordPreference,
  type RecordState,
  recordAttribute,
  recordPreferenceOf,
  recordStateOf,
  type SdpAttribute,
  type SdpMedia,
  type SessionDescription,
} from '#sdp'

/** Recording as it stands in the descriptions of one leg. */
export class LegRecord {
  /** What the party is told by every description from now on; undefined: nothing yet (AMB-10). */
  state: RecordState | undefined
  #toldState: RecordState | undefined
  #telling: RecordState | undefined
  #isTelling = false
  #heard: RecordState | undefined
  #preference: RecordPreference | undefined

  /** Whether the party has been told `state`, or is being told. */
  get isTold(): boolean {
    return (this.#isTelling ? this.#telling : this.#toldState) === this.state
  }

  /** What the party last told us of recording at its side; a description without the attribute changes nothing (UA-15). */
  get heard(): RecordState | undefined {
    return this.#heard
  }

  /** What the party's last description asked for. */
  get preference(): RecordPreference | undefined {
    return this.#preference
  }

  /** The lines of a description of ours; one that is an offer has told the party once it is settled. */
  describe(isOffer: boolean): SdpAttribute[] {
    this.#isTelling = isOffer
    this.#telling = this.state
    if (!isOffer) this.#toldState = this.state
    return this.state === undefined ? [] : [recordAttribute(this.state)]
  }

  /** The offer that tells is answered, or is no more. */
  settle(isTaken: boolean): void {
    if (this.#isTelling && isTaken) this.#toldState = this.#telling
    this.#isTelling = false
  }

  /** Reads a description of the party. */
  hear(media: SdpMedia, session: SessionDescription): void {
    this.#heard = recordStateOf(media, session) ?? this.#heard
    this.#preference = recordPreferenceOf(media, session)
  }
}
