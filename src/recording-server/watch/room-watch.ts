// The watch over all recordings of one record worker: judges them on time, and tells what is heard to who listens.

import { type Clock, messageOf, type Timer } from '#kernel'
import type { AlarmEntry, RecordingFolder } from '#store'
import type { RecordEvent, RecordReplies, StreamSettings } from '../record-messages.ts'
import type { RecordingTime } from '../recording-time.ts'
import type { AlarmRules } from './alarm-rules.ts'
import { type AlarmSink, SessionWatch } from './session-watch.ts'
import { type OpusLoader, SoundDecoders } from './sound-decoders.ts'
import { STEP_MS, type StreamAbout, StreamWatch } from './stream-watch.ts'

/** What is heard is told so often. */
const SOUND_MS = 60

/** A recording that is watched. */
export interface Watched {
  readonly recordingId: string
  readonly folder: RecordingFolder
  readonly time: RecordingTime
  readonly watch: SessionWatch
}

/** What the watch works with. */
export interface RoomWatchOptions {
  readonly clock: Clock
  readonly rules: AlarmRules
  readonly loadOpus: OpusLoader
  /** Those under way. */
  readonly recordings: () => Iterable<Watched>
  readonly onEvent: (event: RecordEvent) => void
}

/** Watch of one thread. */
export class RoomWatch {
  readonly #options: RoomWatchOptions
  readonly #decoders: SoundDecoders
  /** Recordings that somebody listens to. */
  readonly #listened = new Set<Watched>()
  readonly #failed = new WeakSet<Watched>()
  #watchTimer: Timer
  #soundTimer: Timer | undefined

  constructor(options: RoomWatchOptions) {
    this.#options = options
    this.#decoders = new SoundDecoders(options.loadOpus)
    this.#watchTimer = this.#scheduleWatch()
  }

  /** A watch for a new recording; `before`: its alarms in the process before a restart. */
  session(recordingId: string, before: readonly AlarmEntry[] = []): SessionWatch {
    const { onEvent, rules } = this.#options
    const sink: AlarmSink = {
      raised: (alarm) => onEvent({ type: 'alarm', recordingId, alarm }),
      cleared: (alarm) => onEvent({ type: 'alarm-cleared', recordingId, alarm }),
    }
    return new SessionWatch(rules, sink, before)
  }

  /** A watch for a stream of a recording. */
  stream(watch: SessionWatch, about: StreamAbout, settings: StreamSettings): StreamWatch {
    const stream = new StreamWatch(about, settings, this.#decoders)
    watch.add(stream)
    return stream
  }

  /** How these recordings are. */
  readings(recordings: Iterable<Watched>): RecordReplies['readings'] {
    const nowMs = this.#options.clock.nowMs()
    return Object.fromEntries(
      [...recordings].map(({ recordingId, watch }) => [
        recordingId,
        { streams: watch.readings(nowMs), alarms: watch.alarms },
      ]),
    )
  }

  /** Has what is heard of a recording told, or no more. */
  listen(recording: Watched, isOn: boolean): void {
    recording.watch.listen(isOn)
    if (isOn) this.#listened.add(recording)
    else this.#listened.delete(recording)
    this.#soundTimer ??= this.#scheduleSound()
  }

  /** A bug of ours: the recording goes on unwatched. */
  failed(recording: Watched, fault: unknown): void {
    this.#failed.add(recording)
    const { recordingId } = recording
    this.#options.onEvent({ type: 'watch-failed', recordingId, message: messageOf(fault) })
  }

  /** A recording is over. */
  forget(recording: Watched): void {
    this.#listened.delete(recording)
  }

  stop(): void {
    this.#watchTimer.cancel()
    this.#soundTimer?.cancel()
  }

  #scheduleWatch(): Timer {
    return this.#options.clock.after(STEP_MS, 'watch', () => {
      const nowMs = this.#options.clock.nowMs()
      for (const recording of this.#options.recordings()) {
        const { watch, time, folder } = recording
        if (this.#failed.has(recording)) continue
        try {
          if (watch.check(nowMs, time.elapsedMs())) folder.setAlarms(watch.entries)
        } catch (fault) {
          this.failed(recording, fault)
        }
      }
      this.#watchTimer = this.#scheduleWatch()
    })
  }

  #scheduleSound(): Timer {
    return this.#options.clock.after(SOUND_MS, 'sound', () => {
      for (const { recordingId, watch } of this.#listened) {
        const frames = watch.takeSound()
        if (frames.length > 0) this.#options.onEvent({ type: 'sound', recordingId, frames })
      }
      this.#soundTimer = this.#listened.size > 0 ? this.#scheduleSound() : undefined
    })
  }
}
