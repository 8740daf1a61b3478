// Commands on one recorder of a recording, while the others go on: the same order of cut, proof and signal as for all of them.

import { type CommandOutcome, texts } from './command.ts'
import { cutMedia } from './cut.ts'
import type { RecorderSlot } from './recorder-slot.ts'
import type { PausedRecording } from './recording-pauses.ts'
import type { RecordingSession } from './recording-session.ts'
import type { RecordingSurroundings } from './session-port.ts'
import { Waiting } from './waiting.ts'

/** What may be done to one recorder. */
export type OneRecorderActivity = 'pause' | 'resume' | 'stop'

interface Target {
  readonly slot: RecorderSlot
  readonly session: RecordingSession
}

/** One recording's commands on single recorders. */
export class OneRecorder {
  readonly #recording: PausedRecording
  readonly #around: RecordingSurroundings
  readonly #resuming = new Map<RecorderSlot, Waiting<CommandOutcome>>()

  constructor(recording: PausedRecording, around: RecordingSurroundings) {
    this.#recording = recording
    this.#around = around
  }

  /** 400 for a recorder that has no session now; a pause or stop settles with its proof, a resumption with the recorder's answer. */
  async command(activity: OneRecorderActivity, uri: string): Promise<CommandOutcome> {
    const { slots } = this.#recording
    const slot = slots.slotOf(uri)
    const session = slot?.current
    if (slot === undefined || session === undefined) return this.#recording.outcome(400, texts.noSuchRecorder)
    const target = { slot, session }
    switch (activity) {
      case 'pause':
        return await this.#pause(target)
      case 'resume':
        return await this.#resume(target)
      case 'stop':
        if (slots.live.length === 1) return await this.#recording.stop('stopped')
        return await this.#cut(target, () => slot.dismiss())
    }
  }

  /** Some recorder did something. */
  look(): void {
    for (const [slot, waiting] of this.#resuming) {
      if (slot.current?.state === 'active') this.#settle(slot, waiting, this.#recording.outcome(200, 'OK'))
      else if (slot.current === undefined) {
        slot.hold(true)
        this.#settle(slot, waiting, this.#recording.outcome(503, texts.noneResumed))
      }
    }
  }

  /** The recording ends; what is awaited is answered with that. */
  end(refusal: CommandOutcome): void {
    for (const [slot, waiting] of this.#resuming) this.#settle(slot, waiting, refusal)
  }

  async #pause(target: Target): Promise<CommandOutcome> {
    const waiting = this.#resuming.get(target.slot)
    if (waiting !== undefined) {
      this.#settle(target.slot, waiting, this.#recording.outcome(503, texts.noneResumed))
    }
    return await this.#cut(target, () => target.slot.hold(true))
  }

  /** The gates are shut before the recorder is told. */
  async #cut({ session }: Target, tell: () => void): Promise<CommandOutcome> {
    const { clock, times } = this.#around
    const proof = cutMedia([session], this.#recording.plan.call.media, clock, times.signalWaitMs)
    tell()
    this.#recording.evidence.cutOne(session)
    const { receipts, isProved } = await proof
    if (!isProved) return this.#recording.outcome(503, texts.cutUnproved)
    return { ...this.#recording.outcome(200, 'OK'), receipts }
  }

  #resume({ slot, session }: Target): Promise<CommandOutcome> {
    const known = this.#resuming.get(slot)
    if (known !== undefined) return known.open()
    if (!slot.isHeld || this.#recording.wish !== 'recording') {
      return Promise.resolve(this.#recording.outcome(400, texts.invalidResume))
    }
    const { clock, times } = this.#around
    const waiting = new Waiting<CommandOutcome>()
    this.#resuming.set(slot, waiting)
    const settled = waiting.open()
    const onLate = (): void => {
      this.#settle(slot, waiting, this.#recording.outcome(503, texts.noneResumed))
      void this.#cut({ slot, session: slot.current ?? session }, () => slot.hold(true))
    }
    waiting.limit(clock.after(times.answerDeadlineMs, 'recorder resume', onLate))
    slot.hold(false)
    this.look()
    return settled
  }

  #settle(slot: RecorderSlot, waiting: Waiting<CommandOutcome>, outcome: CommandOutcome): void {
    this.#resuming.delete(slot)
    waiting.settle(outcome)
  }
}
