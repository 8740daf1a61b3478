// What the caller is played, and what the media of a call tells: digits, silence, failure.

import type { MediaCall, MediaEvent, Prompt } from '#engine'
import type { Logger } from '#kernel'
import { because, type End } from './call-end.ts'
import type { CallState } from './call-machine.ts'
import { CALLER, type Conversation } from './conversation.ts'
import { MEDIA_FAILURE, NO_MEDIA } from './reason.ts'

/** How playing to the caller ended; `failed` also before the call is answered. */
export type Played = 'finished' | 'stopped' | 'hangup' | 'failed'

/** What this works with. */
export interface CallerSoundOptions {
  readonly media: MediaCall
  readonly conversation: Conversation
  readonly log: Logger
  readonly state: () => CallState
  readonly whenEnded: Promise<void>
  /** A party from whom media is due and who sends none for so long is taken for gone. */
  readonly silenceLimitMs: number
  /** A digit of the near side, by telephone-event. */
  readonly onDigit: (digit: string) => void
  /** The media says that the call is over. */
  readonly onEnd: (end: End) => void
}

/** The sound of the near side of one call. */
export class CallerSound {
  readonly #options: CallerSoundOptions

  constructor(options: CallerSoundOptions) {
    this.#options = options
    options.media.onEvent((event) => this.#onMediaEvent(event))
  }

  /** Plays to the caller, once answered. */
  async play(prompt: Prompt): Promise<Played> {
    const { media, state, whenEnded } = this.#options
    if (state() === 'ended') return 'hangup'
    if (state() !== 'answered') return 'failed'
    const played = media.play(this.#nearName, prompt).then(
      (end) => (end === 'leg-gone' ? ('hangup' as const) : end),
      () => 'failed' as const,
    )
    const end = await Promise.race([played, whenEnded.then(() => 'hangup' as const)])
    return state() === 'ended' ? 'hangup' : end
  }

  /** Stops what is played to the caller. */
  async stop(): Promise<void> {
    const { media, conversation, state } = this.#options
    if (state() !== 'ended')
      await conversation.succeeds(media.stopPlaying(this.#nearName), 'prompt could not be stopped')
  }

  /** Many phones send nothing while they hold, whatever they say, nor before the call is answered. */
  #isMediaDue(name: string): boolean {
    const { state, conversation } = this.#options
    return state() === 'answered' && conversation.bridge.talking.find((leg) => leg.name === name)?.hold === 'none'
  }

  get #nearName(): string {
    return this.#options.conversation.near?.name ?? CALLER
  }

  #onMediaEvent(event: MediaEvent): void {
    const { log, state, silenceLimitMs, onDigit, onEnd } = this.#options
    if (state() === 'ended') return
    if (event.type === 'dtmf') {
      if (event.leg === this.#nearName) onDigit(event.digit)
    } else if (event.type === 'silent') {
      if (event.forMs < silenceLimitMs || !this.#isMediaDue(event.leg)) return
      log.warn('no media from a party, ending the call', { leg: event.leg, silentMs: Math.round(event.forMs) })
      onEnd(because(NO_MEDIA, { status: 500 }))
    } else if (event.type === 'failed') {
      log.error('media engine gave up a call', { reason: event.reason })
      onEnd(because(MEDIA_FAILURE, { status: 500 }))
    }
  }
}
