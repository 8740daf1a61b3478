// What the main thread and the record worker say to each other. Packets never cross.

import type { Endpoint } from '#kernel'
import type { SrtpIndices, SrtpKeys } from '#rtp'
import type { PictureRequest } from '#sdp'
import type {
  Alarm,
  ArchiveFormat,
  DiskCondition,
  Manifest,
  MediaKind,
  MetadataDocument,
  NoAudioCause,
  NotaryOptions,
  NotResumed,
  RecordingFacts,
  StreamTotals,
  VaultOptions,
} from '#store'
import type { HerePause } from './session-pause.ts'
import type { TrackCodec } from './track.ts'
import type { SoundFrame } from './watch/sound-tap.ts'
import type { StreamReading } from './watch/stream-watch.ts'

/** Negotiated state of a stream. */
export interface StreamSettings {
  /** Absent: audio. */
  readonly kind?: Exclude<MediaKind, 'audio'>
  /** How the sender of video may be asked for a whole picture; absent: not at all. */
  readonly pictureRequest?: PictureRequest
  readonly codecs: readonly TrackCodec[]
  /** The peer announced that it sends nothing. */
  readonly isPaused: boolean
  /** It announced so in the way of a hold (c=0.0.0.0, RFC 2543 section B.5). */
  readonly isHeld?: boolean
  /** It announced so when what is recorded was over: an end, and a pause only if it sends again. */
  readonly isEnded?: boolean
  /** What was kept is delivered so many times faster than it was said; absent: it is said now. */
  readonly pace?: number
  /** The peer's addresses by SDP; absent for c=0.0.0.0. */
  readonly rtp?: Endpoint
  readonly rtcp?: Endpoint
  /** Absent for plain RTP. */
  readonly srtp?: SrtpKeys
}

/** When what was received goes where. */
export interface StoragePolicy {
  /** From one hand-over to the operating system to the next, in milliseconds: what `kill -9` may cost. */
  readonly flushMs: number
  /** When it is brought to the medium: what a loss of power may cost. At its end a recording always is. */
  readonly sync: 'none' | 'second' | 'always'
  /** What may wait in memory for a disk that does not write. */
  readonly bufferBytes: number
  /** With fewer bytes free no recording is begun; 0 unless told. */
  readonly leastFreeBytes?: number
  /** Kept free for the last words of recordings whose disk is full; nothing unless told. */
  readonly reserveBytes?: number
}

/** What holds unless told. */
export const defaultStorage: StoragePolicy = { flushMs: 100, sync: 'second', bufferBytes: 64 * 2 ** 20 }

/** Options of the record worker. */
export interface RecordWorkerOptions {
  readonly storage?: StoragePolicy
  readonly root: string
  readonly host: string
  /** Where clients send to, as alarms name it; `host` unless told. */
  readonly address?: string
  /** Alarms tell of a session without an active stream after so long; never at 0, after ten minutes unless told. */
  readonly inactiveAlarmMs?: number
  readonly portMin: number
  readonly portMax: number
  /** Keep DTMF digits in manifests; otherwise only time and duration. */
  readonly keepDigits: boolean
  /** Copy for the archive beside recording.wav; none unless told. */
  readonly archive?: ArchiveFormat
  /** Recordings are vouched for when they are published. */
  readonly evidence?: NotaryOptions
  /** Recordings are encrypted. */
  readonly encryption?: VaultOptions
}

/** A stream as it was before a restart; in the order of the channels. */
export interface ReopenedStream {
  readonly label?: string
  readonly rtpPort: number
  readonly settings: StreamSettings
  /** What was sent and heard under its keys; absent for plain RTP. */
  readonly indices?: SrtpIndices
  readonly isRemoved: boolean
}

/** Commands, each answered by one reply. */
export type RecordCommand =
  | { readonly type: 'open'; readonly recordingId: string; readonly facts: RecordingFacts }
  | {
      readonly type: 'add-stream'
      readonly recordingId: string
      readonly label?: string
      readonly settings: StreamSettings
    }
  | {
      readonly type: 'set-stream'
      readonly recordingId: string
      readonly channel: number
      readonly settings: StreamSettings
    }
  | { readonly type: 'remove-stream'; readonly recordingId: string; readonly channel: number }
  /** Goes on with a recording that was left open, on the ports that it had; all or nothing. */
  | {
      readonly type: 'reopen'
      readonly recordingId: string
      readonly folder: string
      readonly manifest: Manifest
      readonly streams: readonly ReopenedStream[]
      /** For how long nobody can have heard it, in milliseconds. */
      readonly awayMs: number
    }
  /** What a restarted recorder needs to go on, as plain data. */
  | { readonly type: 'keep-session'; readonly recordingId: string; readonly session: unknown }
  /** Keeps nothing of what arrives until `resume`; what arrived before stays. */
  | {
      readonly type: 'pause'
      readonly recordingId: string
      /** Kept with the recording, for the process that goes on with it. */
      readonly pause?: HerePause
    }
  | { readonly type: 'resume'; readonly recordingId: string }
  | { readonly type: 'facts'; readonly recordingId: string; readonly facts: RecordingFacts }
  | { readonly type: 'metadata'; readonly recordingId: string; readonly document: MetadataDocument }
  | {
      readonly type: 'close'
      readonly recordingId: string
      readonly facts: RecordingFacts
      /** Used unless audio, or the counters, say otherwise. */
      readonly noAudioCause?: NoAudioCause
      /** Its session turned out to be none. */
      readonly notResumed?: NotResumed
    }
  | { readonly type: 'totals' }
  /** How streams are and what alarms stand, of one recording or of all. */
  | { readonly type: 'readings'; readonly recordingId?: string }
  /** An alarm that stands for the rest of the recording. */
  | { readonly type: 'raise'; readonly recordingId: string; readonly alarm: Alarm }
  /** Has what is heard told by events, or no more. */
  | { readonly type: 'listen'; readonly recordingId: string; readonly isOn: boolean }
  | { readonly type: 'stop' }

/** How one recording is. */
export interface RecordingReading {
  readonly streams: readonly StreamReading[]
  readonly alarms: readonly Alarm[]
}

/** Answers by type of command. */
export interface RecordReplies {
  open: { readonly startedAtMs: number }
  'add-stream': { readonly channel: number; readonly rtpPort: number }
  /** `pause`: as it was told, if so, while it is paused. */
  reopen: { readonly startedAtMs: number; readonly isPaused: boolean; readonly pause?: HerePause }
  'keep-session': undefined
  'set-stream': undefined
  'remove-stream': undefined
  pause: undefined
  resume: undefined
  facts: undefined
  metadata: undefined
  close: { readonly manifest: Manifest; readonly folder: string }
  /** Per recording, per channel. */
  totals: Readonly<Record<string, readonly StreamTotals[]>>
  readings: Readonly<Record<string, RecordingReading>>
  raise: undefined
  listen: undefined
  stop: undefined
}

/** What the worker reports by itself. */
export type RecordEvent =
  | { readonly type: 'first-packet'; readonly recordingId: string; readonly channel: number; readonly atMs: number }
  /** Video begins, or comes back, and RTCP may not ask for the whole picture that is needed to look at it. */
  | { readonly type: 'picture-wanted'; readonly recordingId: string }
  | { readonly type: 'alarm' | 'alarm-cleared'; readonly recordingId: string; readonly alarm: Alarm }
  /** What was heard since the last such event, of a recording that is listened to. */
  | { readonly type: 'sound'; readonly recordingId: string; readonly frames: readonly SoundFrame[] }
  /** A fault of ours: this recording is watched no further; it is written all the same. */
  | { readonly type: 'watch-failed'; readonly recordingId: string; readonly message: string }
  /** A fault of ours: this recording is written no further. */
  | { readonly type: 'track-failed'; readonly recordingId: string; readonly message: string }
  /** The disk's condition is another one. While it is not `well` audio waits in memory, and beyond `bufferBytes` is dropped. */
  | {
      readonly type: 'disk'
      readonly condition: DiskCondition
      readonly waitingBytes: number
      readonly detail?: string
    }
  /** How the disk is, each second. */
  | { readonly type: 'disk-state'; readonly state: DiskState }
  /** What the disk did not take when the recorder stopped: this much audio of a recording is lost, as its ledger says. */
  | { readonly type: 'forsaken'; readonly recordingId: string; readonly lostMs: number }
  /** What could not be published when it was closed is now. */
  | { readonly type: 'published'; readonly recordingId: string; readonly manifest: Manifest; readonly folder: string }

/** How a disk is. */
export interface DiskState {
  readonly condition: DiskCondition
  /** Absent where the system does not say. */
  readonly freeBytes?: number
  /** In memory, not written yet. */
  readonly waitingBytes: number
  /** For how long the oldest byte received has not been on the medium, in milliseconds. */
  readonly unsyncedMs: number
  readonly openFiles: number
}

/** Main thread to worker. */
export interface RecordRequest {
  readonly requestId: number
  readonly command: RecordCommand
}

/** Worker to main thread. */
export type RecordReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly requestId: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly requestId: number; readonly code: string; readonly message: string }
  | { readonly kind: 'event'; readonly event: RecordEvent }
