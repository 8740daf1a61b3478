// The media port: everything that calls and recordings need of a media engine, and nothing of how it works.

import type { Endpoint } from '#kernel'

/** What an engine can do; the conformance suite runs a part per capability. */
export interface EngineCapabilities {
  /** Forks are RTP endpoints of their own: own SSRC, sequence and clock (RTP-07). */
  readonly ownSsrc: boolean
  /** RTCP continues on a shut fork (RTP-05). */
  readonly rtcpInPause: boolean
  /** `shutGates` proves the cut with a receipt. */
  readonly receipt: boolean
  readonly replay: boolean
  readonly dtmfMask: boolean
  readonly taps: readonly TapPoint[]
  readonly srtp: boolean
}

/** `received`: what the party of the leg said. `sent`: what we sent to that party. */
export type TapPoint = 'received' | 'sent'

/** What a fork copies. */
export interface Tap {
  readonly leg: string
  readonly point: TapPoint
}

/** One codec of a leg or fork. `encoding` is `NAME/clock` in upper case, e.g. `PCMU/8000`, `TELEPHONE-EVENT/8000`. */
export interface MediaCodec {
  readonly encoding: string
  /** Payload type in packets that we receive (what our SDP said). */
  readonly receivePayloadType: number
  /** Payload type in packets that we send (what the peer's SDP said). */
  readonly sendPayloadType: number
}

/** Addresses of a peer's media; `rtcp` is RTP port + 1 unless a=rtcp says otherwise. */
export interface MediaRemote {
  readonly rtp: Endpoint
  readonly rtcp: Endpoint
}

/** Our own addresses of a leg or fork, to be put into SDP (advertised host). */
export interface MediaLocal {
  readonly host: string
  readonly rtpPort: number
  readonly rtcpPort: number
}

/** State of a leg after an offer/answer exchange. */
export interface LegMedia {
  /** Absent: nothing can be sent yet (or c=0.0.0.0). */
  readonly remote?: MediaRemote
  readonly codecs: readonly MediaCodec[]
  /** We may send to the party (their direction allows it). */
  readonly send: boolean
  /** We accept from the party. */
  readonly receive: boolean
}

/** Audio to play: mono 8 kHz G.711 bytes, both encodings, one byte per sample. */
export interface Prompt {
  readonly pcmu: Uint8Array
  readonly pcma: Uint8Array
}

/** How a prompt ended. */
export type PlayEnd = 'finished' | 'stopped' | 'leg-gone'

/** A fork to be made. Its gate starts as `open` says and no packet leaves before `connectFork`. */
export interface ForkOptions {
  readonly id: string
  readonly tap: Tap
  readonly open: boolean
}

/** Where and how a fork sends: the recorder's answer. */
export interface ForkRemote {
  readonly remote: MediaRemote
  /** Encodings the recorder accepted, with its payload types (`sendPayloadType`); others are not copied. */
  readonly codecs: readonly MediaCodec[]
}

/** Proof that a fork is cut: nothing was handed to the network after `lastSequence`. */
export interface GateReceipt {
  readonly fork: string
  readonly ssrc: number
  /** RTP sequence number of the last packet sent; absent when none ever was. */
  readonly lastSequence?: number
  readonly lastTimestamp?: number
  /** Wall clock, ms since 1970, of the last send. */
  readonly lastSentAtMs?: number
  readonly packetsSent: number
  /** Packets held back by the gate so far. */
  readonly packetsHeld: number
  /** The socket had nothing queued when this was made. */
  readonly drained: boolean
}

/** Counters of one stream direction. */
export interface StreamCounters {
  readonly packets: number
  readonly bytes: number
  readonly lost: number
  readonly firstAtMs?: number
  readonly lastAtMs?: number
  /** Datagrams refused: not RTP, wrong source, unknown payload type. */
  readonly refused: number
}

/** Counters of a fork. */
export interface ForkCounters {
  readonly fork: string
  readonly ssrc: number
  readonly packets: number
  readonly bytes: number
  readonly held: number
  readonly sendErrors: number
  readonly firstAtMs?: number
  readonly lastAtMs?: number
  /** Receiver reports seen from the recorder. */
  readonly receiverReports: number
}

/** Counters of a call. */
export interface CallCounters {
  readonly legs: Readonly<Record<string, { readonly received: StreamCounters; readonly sent: StreamCounters }>>
  readonly forks: readonly ForkCounters[]
}

/** What the engine reports by itself. */
export type MediaEvent =
  | { readonly type: 'dtmf'; readonly leg: string; readonly digit: string; readonly durationMs: number }
  | { readonly type: 'first-packet'; readonly leg: string }
  | { readonly type: 'fork-first-packet'; readonly fork: string; readonly atMs: number }
  | { readonly type: 'fork-refused'; readonly fork: string; readonly reason: string }
  | { readonly type: 'silent'; readonly leg: string; readonly forMs: number }
  | { readonly type: 'failed'; readonly reason: string }

/** The media of one call. Commands are carried out in the order given. Rejections are AppError with code `media.*`. */
export interface MediaCall {
  /** Binds an RTP/RTCP port pair for a leg. */
  addLeg(leg: string): Promise<MediaLocal>
  configureLeg(leg: string, media: LegMedia): Promise<void>
  /** Relays between two legs until `unbridge` or another `bridge` of either. */
  bridge(a: string, b: string): Promise<void>
  unbridge(leg: string): Promise<void>
  removeLeg(leg: string): Promise<void>
  /** Plays into a leg in its negotiated G.711 encoding; interrupts what is played there. */
  play(leg: string, prompt: Prompt): Promise<PlayEnd>
  stopPlaying(leg: string): Promise<void>
  /** Binds a port pair for a fork: one RTP session of its own, one SSRC for its life. */
  addFork(options: ForkOptions): Promise<MediaLocal & { readonly ssrc: number }>
  connectFork(fork: string, remote: ForkRemote): Promise<void>
  /** Changes what a fork copies; SSRC, sequence and clock go on. */
  moveFork(fork: string, tap: Tap): Promise<void>
  /** Cuts: the gates are shut when this returns, the promise brings the proof. */
  shutGates(forks: readonly string[]): Promise<readonly GateReceipt[]>
  openGates(forks: readonly string[]): Promise<void>
  /** Sends RTCP BYE, closes the ports. */
  removeFork(fork: string): Promise<ForkCounters>
  counters(): Promise<CallCounters>
  /** Events of this call until release. */
  onEvent(listener: (event: MediaEvent) => void): () => void
  /** Closes every port. Idempotent. */
  release(): Promise<CallCounters>
}

/** A media engine. */
export interface MediaEngine {
  readonly capabilities: EngineCapabilities
  openCall(callId: string): MediaCall
  /** Must be zero when no call is open. */
  census(): Promise<{ readonly calls: number; readonly legs: number; readonly forks: number; readonly ports: number }>
  close(): Promise<void>
}
