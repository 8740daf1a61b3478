// Keys left out of what recorders get while speech goes on: as the start or a recorder's profile says, and by command meanwhile.

import type { MediaCall } from '#engine'
import type { Carrier, RecordingSurroundings } from './session-port.ts'

/** The mask of one recording, shared by all that carries it. */
export class RecordingMask {
  readonly #media: Pick<MediaCall, 'maskDtmf'>
  #wanted: boolean | undefined
  #confirmed: boolean | undefined

  /** `wanted`: by the start; absent: by the recorders' profiles. */
  constructor(media: Pick<MediaCall, 'maskDtmf'>, wanted: boolean | undefined) {
    this.#media = media
    this.#wanted = wanted
    this.#confirmed = wanted
  }

  /** What holds at every recorder; undefined: what their profiles say, or it is not known. */
  get confirmed(): boolean | undefined {
    return this.#confirmed
  }

  /** Whether a fork is to be masked whose recorder's profile says `byProfile`. */
  isOn(byProfile: boolean): boolean {
    return this.#wanted ?? byProfile
  }

  /** Brings a fork that was made with `wasOn` to what is wanted by now; rejects when that cannot be had. */
  async follow(fork: string, byProfile: boolean, wasOn: boolean): Promise<void> {
    if (this.isOn(byProfile) !== wasOn) await this.#media.maskDtmf([fork], this.isOn(byProfile))
  }

  /**
   * Switches the mask of every fork; resolves to whether that is true of all of them. One that does not confirm in time that it leaves
   * keys out is removed.
   */
  async turn(isOn: boolean, live: () => readonly Carrier[], around: RecordingSurroundings): Promise<boolean> {
    this.#wanted = isOn
    const forks = live().flatMap((carrier) => carrier.forkIds)
    const turned = await Promise.all(forks.map((fork) => this.#confirms(fork, isOn, around)))
    const unproved = forks.filter((_fork, index) => turned[index] === false)
    const isCurrent = this.#wanted === isOn
    let isProved = true
    for (const carrier of live()) {
      const left = carrier.forkIds.filter((fork) => unproved.includes(fork))
      if (left.length > 0) isProved = false
      if (isOn && isCurrent) carrier.dropForks(left, 'mask')
    }
    if (isCurrent) this.#confirmed = isProved || isOn ? isOn : undefined
    return isProved && isCurrent
  }

  /** An engine that fails or stays silent confirms nothing. */
  #confirms(fork: string, isOn: boolean, { clock, times }: RecordingSurroundings): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isConfirmed: boolean): void => {
        limit.cancel()
        resolve(isConfirmed)
      }
      const limit = clock.after(times.signalWaitMs, 'recording mask', () => settle(false))
      this.#media.maskDtmf([fork], isOn).then(
        () => settle(true),
        () => settle(false),
      )
    })
  }
}
