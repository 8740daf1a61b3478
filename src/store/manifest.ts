// manifest.json of a recording folder: what was recorded, how completely, and why anything is missing.

import type { ClockBend } from './run-time.ts'

/** Why a stretch of a stream holds silence. */
export type GapCause =
  /** Packets were sent and did not come. */
  | 'lost'
  /** Packets came, after what follows them was written. */
  | 'late'
  /** The sender sent nothing: silence suppression or digits. */
  | 'dtx'
  /** The party was on hold, as metadata or SDP told. */
  | 'hold'
  /** The client announced that it sends nothing. */
  | 'paused-by-client'
  /** The recorder was told to keep nothing. */
  | 'paused-here'
  | 'no-rtp-yet'
  /** Packets stopped and did not come back. */
  | 'no-rtp'
  | 'ssrc-change'
  | 'recorder-restart'
  /** The disk did not write, and there was no memory left to wait for it. */
  | 'disk'

/** A stretch without audio, in milliseconds from the start of the recording. */
export interface Gap {
  readonly fromMs: number
  readonly toMs: number
  readonly cause: GapCause
}

/** One file of a stream: from one change of codec to the next. */
export interface RunManifest {
  readonly file: string
  /** As in SDP, e.g. `PCMU/8000`. */
  readonly encoding: string
  readonly clockRateHz: number
  /** Where in the recording the file begins. */
  readonly startMs: number
  /** Audio bytes, without the file's header; what a file system holds is the truth while `receiving`. */
  readonly bytes: number
  /** How the sender's clock ran against ours; absent where it did not differ. */
  readonly clock?: readonly ClockBend[]
  /** False: the file is a list of RTP payloads that we do not decode, see `raw-run-file.ts`. */
  readonly decoded: boolean
}

/** A telephone-event; `digit` only if the recorder is told to keep digits. */
export interface StreamEvent {
  readonly atMs: number
  readonly durationMs: number
  readonly digit?: string
}

/** A pause as the socket saw it: proof that nothing came, or how much did. */
export interface PauseEvidence {
  /** Milliseconds from the start of the recording; open while `toMs` is absent. */
  readonly fromMs: number
  readonly toMs?: number
  /** RTP sequence number of the last packet before the pause. */
  readonly lastSequence?: number
  /** RTP packets that arrived from anybody during the pause. */
  readonly packets: number
}

/** What can be wrong with a recording under way. */
export type AlarmCode =
  /** No stream of the session brings a packet. */
  | 'no-packets'
  /** This stream brings none, another does. */
  | 'one-side-only'
  | 'packets-stopped'
  /** Packets, and nothing but zeros in them. */
  | 'digital-silence'
  | 'low-level'
  /** Payload types that were not negotiated. */
  | 'wrong-codec'
  /** Timestamps of another rate than the codec has. */
  | 'clock-mismatch'
  | 'no-rtp'
  /** Packets that do not authenticate under the keys of the SDP. */
  | 'srtp-failed'
  /** Two streams carry the same. */
  | 'same-audio'
  /** Packets from another host than the client's SDP names. */
  | 'strangers-only'
  | 'clipping'
  /** An audio m-line of an accepted session is not taken. */
  | 'line-refused'
  /** More sources send on one m-line than are kept. */
  | 'too-many-sources'
  /** The codec changes more often than is followed. */
  | 'too-many-changes'
  /** Packets of a client that has said, or was asked, to send none. */
  | 'sent-in-pause'
  /** Every stream has been inactive or on hold for long. */
  | 'long-inactive'
  | 'disk-failed'
  /** A file is gone while it is written. */
  | 'file-removed'
  | 'worker-lost'

/** Something that is wrong with a recording under way. */
export interface Alarm {
  readonly code: AlarmCode
  /** `error`: audio is missing or spoilt; `warning`: it may be. */
  readonly severity: 'error' | 'warning'
  readonly channel?: number
  readonly label?: string
  /** The likely cause, and what helps, in words. */
  readonly cause: string
  readonly fix: string
}

/** An alarm that was raised, in milliseconds of the recording; it stood to the end where `toMs` is absent. */
export interface AlarmEntry extends Alarm {
  readonly fromMs: number
  readonly toMs?: number
}

/** Packet counters of a stream. */
export interface StreamTotals {
  readonly packets: number
  readonly bytes: number
  readonly lost: number
  readonly late: number
  readonly duplicates: number
  /** From a source that the stream is not locked to (RTP-27). */
  readonly wrongSource: number
  /** Not RTP, or of a payload type that was not negotiated. */
  readonly refused: number
  /** Kept out because the recorder was told to pause. */
  readonly discarded?: number
  readonly firstPacketMs?: number
  readonly lastPacketMs?: number
  /** The last 1000 of them. */
  readonly pauses: readonly PauseEvidence[]
  /** Pauses before those of `pauses`. */
  readonly pausesForgotten: number
}

/** Where the time of a stream went: all of it together is the recording's duration. */
export interface TimeAccount {
  readonly audioMs: number
  readonly missingMs: Readonly<Partial<Record<GapCause, number>>>
}

/** The sender's RTP clock beside ours. */
export interface ClockFacts {
  /** Millionths by which it is faster; negative: slower. */
  readonly driftPpm: number
  /** What the recording would have been off at the end, in milliseconds, had nothing been corrected. */
  readonly correctedMs: number
}

/** Gaps, and events, that a manifest lists per stream; the index has them all. */
export const MAX_LISTED = 10_000

/** Another source that sent on a stream at the same time; it is mixed into the channel. Who of the participants it is, nobody says. */
export interface OtherSource {
  readonly ssrc: number
  readonly runs: readonly RunManifest[]
  readonly gaps: readonly Gap[]
  readonly account?: TimeAccount
  readonly clock?: ClockFacts
  readonly totals: StreamTotals
}

/** What an m-line is of. */
export type MediaKind = 'audio' | 'video' | 'text'

/** One stream: one m-line of the recording session. */
export interface StreamManifest {
  /** Number of the stream, from 0. Those of audio, in this order, are the channels of recording.wav. */
  readonly channel: number
  /** Absent: audio. What is none is kept as it came, packet by packet, and is in no derived file. */
  readonly kind?: Exclude<MediaKind, 'audio'>
  readonly label?: string
  /** Display names or AORs of those who speak, are seen or write here, from the metadata. */
  readonly participants: readonly string[]
  readonly runs: readonly RunManifest[]
  /** At most MAX_LISTED of them. */
  readonly gaps: readonly Gap[]
  /** At most MAX_LISTED of them. */
  readonly events: readonly StreamEvent[]
  /** Absent in manifests of before. */
  readonly account?: TimeAccount
  /** Absent before there was enough to measure. */
  readonly clock?: ClockFacts
  readonly totals: StreamTotals
  /** Absent where one source at a time has sent. */
  readonly others?: readonly OtherSource[]
}

/** What SIP told; nothing in it is needed to play the recording. */
export interface SipFacts {
  readonly callId: string
  readonly fromUri: string
  readonly toUri: string
  readonly requestUri: string
  /** Address of the client. */
  readonly source: string
  readonly transport: string
  readonly userAgent?: string
  /** The SRC's own time, its Date header (SRS-52). */
  readonly date?: string
  /** The Date header of its BYE. */
  readonly endDate?: string
  /** Why the recording session ended. */
  readonly ended?: string
}

/** A participant as the metadata names it. */
export interface ParticipantFacts {
  readonly participantId: string
  readonly aor?: string
  readonly name?: string
}

/** One way in which a client departs from the RFCs. */
export interface Deviation {
  /** Stable; docs/recorder-vendors.md lists them. */
  readonly code: string
  /** `error`: a rule is broken; `warning`: legal, or nearly, yet others stumble over it. */
  readonly severity: 'error' | 'warning'
  /** RFC and section. */
  readonly section: string
  readonly advice: string
  /** What was seen, and in which transaction, the first time. */
  readonly seen: string
  readonly transaction: string
  /** Messages in which it was seen. */
  readonly times: number
}

/** What the recorder says of a client: who it seems to be, what it does against the RFCs, and what that costs. */
export interface VerdictFacts {
  /** Product that the client was recognised as, else `unknown`. */
  readonly vendor: string
  /** What it was recognised by. */
  readonly vendorEvidence: readonly string[]
  /** `plain`: an ordinary call that was forked here, without any sign of SIPREC. */
  readonly kind: 'siprec' | 'plain'
  /** `tolerated`: the profile of the client forgives the deviations; `violations`: it is strict and counts them against it. */
  readonly outcome: 'clean' | 'tolerated' | 'violations'
  readonly deviations: readonly Deviation[]
  /** What could not be known or kept because of them, in words. */
  readonly costs: readonly string[]
}

/** `stated` by the metadata, `inferred` from its order, `unknown`, or `conflict`: what is said contradicts itself. */
export type SpeakerEvidence = 'stated' | 'inferred' | 'unknown' | 'conflict'

/** Why a recorder that started anew closed a recording instead of going on with it. */
export type NotResumed =
  /** Nothing was written for longer than `recorder.store.resumeSeconds`. */
  | 'too-old'
  /** There is no state of a session: it was not accepted yet, or its end had begun. */
  | 'no-session'
  /** It is cut off, of another form, or sealed with another key. */
  | 'session-unreadable'
  /** It is the state of another session. */
  | 'session-foreign'
  /** SRTP whose keys are not kept, or are not to be. */
  | 'keys-not-kept'
  /** Nobody knows which packets were taken under its keys. */
  | 'indices-unreadable'
  /** Ports, files or the dialog could not be taken up. */
  | 'not-reopened'

/** What the signalling side knows of a recording; replaced as a whole when it changes. */
export interface RecordingFacts {
  readonly sip: SipFacts
  readonly participants: readonly ParticipantFacts[]
  /** Communication session and group ids of the metadata. */
  readonly sessionIds: readonly string[]
  readonly groupIds: readonly string[]
  /** Recording ID given by the call flow, where the SRC sends one. */
  readonly recordingReference?: string
  /** Name and value pairs out of the metadata's extension data. */
  readonly custom?: Readonly<Record<string, string>>
  readonly metadataInvalid: boolean
  /** Id of the participant that called. */
  readonly callerId?: string
  /** Names or AORs of those who speak, by channel. */
  readonly speakers: readonly (readonly string[])[]
  /** Channels on which, as the metadata says, nobody speaks now: those who did are on hold. */
  readonly held?: readonly boolean[]
  /** The metadata did not say who speaks where; it was inferred from the order. */
  readonly speakersInferred: boolean
  /** How the speakers of each channel are known; nobody is named where it is `unknown` or `conflict`. */
  readonly speakerEvidence?: readonly SpeakerEvidence[]
  readonly warnings: readonly string[]
  readonly verdict?: VerdictFacts
}

/** `receiving`: open. `published`: has audio. `no-audio`: ended without; `cause` says why. */
export type RecordingState = 'receiving' | 'published' | 'no-audio'

/** Why a recording holds no audio. */
export type NoAudioCause =
  /** No audio stream was offered, or none that we could take. */
  | 'no-stream'
  /** The SRC kept every stream inactive. */
  | 'inactive'
  /** Streams were to be sent, but no packet came to any of their ports. */
  | 'no-rtp'
  /** Packets came, but none that was RTP of a negotiated codec. */
  | 'only-refused-packets'
  /** The session never got established. */
  | 'cancelled'
  /** The recorder died, and its folder could not be recovered. */
  | 'lost'

/** A metadata document that was received. */
export interface MetadataEntry {
  /** ISO 8601 time of arrival. */
  readonly receivedAt: string
  /** Method and CSeq number, e.g. `UPDATE 4`. */
  readonly transaction: string
  /** Where the document is kept; absent where policy keeps none. */
  readonly file?: string
}

/** The whole of manifest.json. */
export interface Manifest {
  readonly version: 1
  readonly recordingId: string
  readonly state: RecordingState
  readonly cause?: NoAudioCause
  /** Closed by recovery after the recorder died. */
  readonly recovered: boolean
  /** Absent where nobody tried to go on with it, or somebody did. */
  readonly notResumed?: NotResumed
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly endedAt?: string
  readonly durationMs: number
  /** Name of the derived audio; absent without audio that can be decoded. */
  readonly audioFile?: string
  /** Name of the file with the wave form of `audioFile`. */
  readonly peaksFile?: string
  /** Name of the copy for the archive, where one was wanted and could be made. */
  readonly archiveFile?: string
  readonly streams: readonly StreamManifest[]
  /** In order of arrival. */
  readonly metadata: readonly MetadataEntry[]
  readonly facts: RecordingFacts
  /** In order, the first 200; absent where there was none. */
  readonly alarms?: readonly AlarmEntry[]
}

/** Totals of a stream that has not seen a packet. */
export const NO_TOTALS: StreamTotals = {
  packets: 0,
  bytes: 0,
  lost: 0,
  late: 0,
  duplicates: 0,
  wrongSource: 0,
  refused: 0,
  pauses: [],
  pausesForgotten: 0,
}

/** The streams that recording.wav is made of, in the order of its channels. */
export function audioOnly<Stream extends Pick<StreamManifest, 'kind'>>(streams: readonly Stream[]): Stream[] {
  return streams.filter(({ kind }) => kind === undefined)
}

/** The text of manifest.json. */
export function serializeManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** Reads manifest.json; undefined if it is not one of ours. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const value = JSON.parse(text) as Partial<Manifest> | null
    const isManifest =
      value?.version === 1 &&
      typeof value.recordingId === 'string' &&
      typeof value.startedAt === 'string' &&
      Array.isArray(value.streams) &&
      Array.isArray(value.metadata) &&
      typeof value.facts === 'object'
    return isManifest ? (value as Manifest) : undefined
  } catch {
    return undefined
  }
}
