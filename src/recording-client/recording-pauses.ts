// Pause and resumption of one recording: the cut before the signal, the proof before the answer, and the deadline of a pause.

import { type CommandOutcome, type PauseEnd, type PauseHolder, type PauseLimit, texts } from './command.ts'
import type { CutProof } from './cut.ts'
import { DueResumption } from './due-resumption.ts'
import { PauseDeadline } from './pause-deadline.ts'
import type { RecordingEvidence } from './recording-evidence.ts'
import { RecordingGates } from './recording-gates.ts'
import type { RecordingNews } from './recording-news.ts'
import type { RecordingSlots } from './recording-slots.ts'
import type { Wish } from './session-machine.ts'
import type { Carrier, RecordingPlan, RecordingSurroundings } from './session-port.ts'
import { Waiting } from './waiting.ts'

/** The recording as its pauses see it. */
export interface PausedRecording {
  readonly plan: RecordingPlan
  readonly slots: RecordingSlots
  readonly evidence: RecordingEvidence
  /** What carries it now. */
  readonly live: readonly Carrier[]
  /** What is wanted of every recorder. */
  wish: Wish
  /** Tells what is wanted to all that carries it. */
  spread(wish: Wish): void
  outcome(status: number, text: string): CommandOutcome
  tell(news: RecordingNews): void
  stop(reason: 'stopped'): Promise<CommandOutcome>
}

/** The pauses of one recording. */
export class RecordingPauses {
  readonly #recording: PausedRecording
  readonly #around: RecordingSurroundings
  readonly #gates: RecordingGates
  readonly #deadline: PauseDeadline
  readonly #due: DueResumption
  readonly #resuming = new Waiting<CommandOutcome>()
  /** Those whose pauses are in force. */
  readonly #holders = new Set<PauseHolder>()
  /** Open while a commanded resumption waits for a notice. */
  readonly #awaitingNotice = new Waiting<CommandOutcome>()
  /** Who resumes, or did so last. */
  #resumer: PauseHolder = 'command'
  #pausing: Promise<CommandOutcome> | undefined

  constructor(recording: PausedRecording, around: RecordingSurroundings) {
    this.#recording = recording
    this.#around = around
    this.#gates = new RecordingGates(() => recording.live, recording.plan.call.media, around)
    this.#deadline = new PauseDeadline(around.clock, (next) => this.#onExpired(next))
    this.#due = new DueResumption(
      around.clock,
      () => this.#resumeDue(),
      (text) => recording.tell({ type: 'resume-failed', text }),
    )
  }

  /** Whether a cut waits for its proof. */
  get isCutting(): boolean {
    return this.#gates.isShutting
  }

  get isResuming(): boolean {
    return this.#resuming.isOpen
  }

  /** When it ends by itself; undefined without a deadline, and as long as a pause of somebody else would outlast it. */
  get expiry(): PauseEnd | undefined {
    const { end } = this.#deadline
    const isOutlasted = end?.next === 'resume' && [...this.#holders].some((holder) => holder !== 'command')
    return isOutlasted ? undefined : end
  }

  /** The pause that was commanded and is in force, with its deadline. */
  get commanded(): { readonly end: PauseEnd | undefined } | undefined {
    return this.#holders.has('command') ? { end: this.#deadline.end } : undefined
  }

  /** Why nobody resumed at the deadline of a pause or after a notice, as long as that is tried. */
  get resumeFailure(): string | undefined {
    return this.#due.failure
  }

  /** Cuts first, signals second; settles once the cut is proved and the recorders have answered or used up their time. */
  pause(holder: PauseHolder, limit: PauseLimit | undefined): Promise<CommandOutcome> {
    const { wish } = this.#recording
    this.#holders.add(holder)
    if (holder === 'command') {
      this.#due.cancel()
      this.#deadline.set(limit)
      this.#awaitingNotice.settle(this.#recording.outcome(503, texts.noneResumed))
    }
    if (wish === 'paused' && this.isCutting && this.#pausing !== undefined) return this.#pausing
    this.#recording.wish = 'paused'
    this.#resuming.settle(this.#recording.outcome(503, texts.noneResumed))
    this.#pausing = this.#prove(this.cut('paused'))
    return this.#pausing
  }

  /** Ends the pause of one holder; a command ends that of a party, too. Nothing flows as long as another holds the recording. */
  resume(holder: PauseHolder): Promise<CommandOutcome> {
    if (holder === 'command') this.#due.cancel()
    return this.#release(holder)
  }

  #release(holder: PauseHolder): Promise<CommandOutcome> {
    if (this.#resuming.isOpen) return this.#resuming.open()
    this.#holders.delete(holder)
    if (holder === 'command') {
      this.#deadline.set(undefined)
      this.#holders.delete('party')
      if (this.#holders.size > 0) return this.#awaitingNotice.open()
    }
    if (this.#holders.size > 0) return Promise.resolve(this.#recording.outcome(400, texts.stillPaused))
    this.#resumer = holder
    const resumed = this.#resume()
    if (this.#awaitingNotice.isOpen) void resumed.then((outcome) => this.#awaitingNotice.settle(outcome))
    return resumed
  }

  /** Settles 200 when one recorder accepted; with none the recording stays paused. */
  #resume(): Promise<CommandOutcome> {
    const { clock, times } = this.#around
    const settled = this.#resuming.open()
    this.#resuming.limit(clock.after(times.answerDeadlineMs, 'recording resume', () => this.#fail()))
    this.#recording.wish = 'recording'
    this.#gates.hurry()
    this.#recording.spread('recording')
    this.look()
    return settled
  }

  /** Forgets what is kept and shuts every gate before it returns, then tells the sessions; brings the proof. */
  cut(wish: 'paused' | 'stopped'): Promise<CutProof> {
    this.#recording.evidence.cut(wish)
    const proof = this.#gates.shut()
    this.#recording.spread(wish)
    return proof
  }

  /** Some recorder did something: a resume has succeeded with the first, and failed when nobody is left that could still accept it. */
  look(): void {
    const { slots, evidence, wish, live } = this.#recording
    this.#gates.look()
    if (!this.#resuming.isOpen || wish !== 'recording') return
    if (live.some((carrier) => carrier.state === 'active')) {
      evidence.flows()
      this.#resuming.settle(this.#recording.outcome(200, 'OK'))
      this.#recording.tell({ type: 'resumed' })
    } else if (!slots.isSeeking && !live.some((carrier) => carrier.isSignalling)) this.#fail()
  }

  /** Some recorder has taken the recording. */
  accepted(): void {
    this.#due.hurry()
  }

  /** The recording ends; what is awaited is answered with that. */
  end(refusal: CommandOutcome): void {
    this.#deadline.set(undefined)
    this.#due.cancel()
    this.#resuming.settle(refusal)
    this.#awaitingNotice.settle(refusal)
    this.#gates.hurry()
  }

  async #prove(cut: Promise<CutProof>): Promise<CommandOutcome> {
    const { receipts, isProved } = await cut
    if (isProved && this.#recording.wish === 'paused') {
      this.#recording.tell({ type: 'paused', receipts, ...(this.expiry && { end: this.expiry }) })
    }
    await this.#gates.signalled()
    if (this.#recording.plan.call.snapshot().state === 'ended') return this.#recording.outcome(487, texts.callEnded)
    if (!isProved) return this.#recording.outcome(503, texts.cutUnproved)
    return { ...this.#recording.outcome(200, 'OK'), receipts }
  }

  #fail(): void {
    // A notice that was heard holds nothing any more, and nobody else will command what is due now.
    const isDue = this.#resumer === 'notice'
    this.#recording.wish = 'paused'
    this.#holders.add(isDue ? 'command' : this.#resumer)
    void this.cut('paused')
    this.#resuming.settle(this.#recording.outcome(503, texts.noneResumed))
    if (isDue) this.#due.beginLater(texts.noneResumed)
  }

  #onExpired(next: PauseLimit['next']): void {
    if (this.#recording.wish !== 'paused') return
    this.#recording.tell({ type: 'pause-expired', next })
    this.#recording.plan.signal.headers = []
    if (next === 'stop') void this.#recording.stop('stopped')
    else this.#due.begin()
  }

  /** Resolves to why it is to be tried again, if so. */
  async #resumeDue(): Promise<string | undefined> {
    // What a party or a notice still holds is theirs.
    if (this.#holders.delete('command') && this.#holders.size > 0) return undefined
    const { status, text } = await this.#release('command')
    if (status !== 503 || this.#recording.wish !== 'paused' || !this.#holders.has('command')) return undefined
    return text
  }
}
