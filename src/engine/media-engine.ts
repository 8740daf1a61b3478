// The media port: everything that calls and recordings need of a media engine, and nothing of how it works.

import type { Endpoint } from '#kernel'
import type { SrtpKeys, SrtpSuite } from '#rtp'

export type { SrtpKey, SrtpKeys, SrtpSuite } from '#rtp'

/** What an engine can do; the conformance suite runs a part per capability. */
export interface EngineCapabilities {
  /** Forks are RTP endpoints of their own: own SSRC, sequence and clock (RTP-07). */
  readonly ownSsrc: boolean
  /** RTCP continues on a shut fork (RTP-05). */
  readonly rtcpInPause: boolean
  /** `shutGates` proves the cut with a receipt. */
  readonly receipt: boolean
  /** What taps carried lately can be sent to forks made later. */
  readonly replay: boolean
  readonly dtmfMask: boolean
  readonly taps: readonly TapPoint[]
  /** Suites that legs and forks can speak; empty means plain RTP only. */
  readonly srtp: readonly SrtpSuite[]
  /** Several taps in one fork, and more than two legs in one conversation. */
  readonly mix: boolean
  /** Encodings that a fork can send as G.711 when the recorder takes nothing else, e.g. `G722/8000`. */
  readonly transcodes: readonly string[]
  /** Tones can be laid over what a leg hears. */
  readonly tones: boolean
  readonly video: boolean
}

/** `received`: what the party of the leg said. `sent`: what we sent to that party. */
export type TapPoint = 'received' | 'sent'

/** What a fork copies. */
export interface Tap {
  readonly leg: string
  readonly point: TapPoint
}

/** Several taps added up into one stream of G.711; the contributors stand in the CSRC list (RFC 7866 section 8.1.4). */
export interface Mix {
  readonly mix: readonly Tap[]
}

/** A tone laid over what a party hears, as long as it is set. */
export interface Tone {
  readonly frequencyHz: number
  readonly onMs: number
  /** From the beginning of one beep to the next. */
  readonly everyMs: number
  /** Level of the tone in dBm0, e.g. -20. */
  readonly levelDbm0: number
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
  /** Absent: plain RTP. */
  readonly srtp?: SrtpKeys
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
  readonly tap: Tap | Mix
  readonly open: boolean
  /** CNAME in RTCP, so that audio and video of one party have the same (RFC 7866 section 8.3.1); absent: one of its own. */
  readonly cname?: string
  /** Telephone-events and audible DTMF are left out of the copy. */
  readonly maskDtmf?: boolean
  /** Wall clock, ms since 1970: what is remembered of the taps since then is sent first, faster than real time, at its own place on the RTP clock. */
  readonly replayFromMs?: number
}

/** Where and how a fork sends: the recorder's answer. */
export interface ForkRemote {
  /** The same address twice where the recorder takes RTCP with the RTP (RFC 5761). */
  readonly remote: MediaRemote
  /** Encodings the recorder accepted, with its payload types (`sendPayloadType`); others are not copied. */
  readonly codecs: readonly MediaCodec[]
  /** Absent: plain RTP. */
  readonly srtp?: SrtpKeys
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
  /** Wall clock, ms since 1970, of the last datagram of any kind from the recorder. */
  readonly lastHeardAtMs?: number
  /** Packets left out by the DTMF mask. */
  readonly masked?: number
  /** Packets sent out of the memory. */
  readonly replayed?: number
}

/** Counters of a call. */
export interface CallCounters {
  readonly legs: Readonly<Record<string, { readonly received: StreamCounters; readonly sent: StreamCounters }>>
  readonly forks: readonly ForkCounters[]
}

/** What is heard of a call: nothing, how loud its parties are, or what they say. */
export type Hearing = 'nothing' | 'levels' | 'sound'

/** What a party said, as far as it can be read. */
export interface HeardLeg {
  readonly leg: string
  /** Over 200 ms, in dB below full scale; absent while nothing is heard that can be read. */
  readonly level?: { readonly rmsDbfs: number; readonly peakDbfs: number }
  /** 8 kHz; absent unless sound is wanted. */
  readonly samples?: Int16Array
}

/** What the engine reports by itself. */
export type MediaEvent =
  | { readonly type: 'dtmf'; readonly leg: string; readonly digit: string; readonly durationMs: number }
  | { readonly type: 'first-packet'; readonly leg: string }
  | { readonly type: 'fork-first-packet'; readonly fork: string; readonly atMs: number }
  /** A send failed, or the other end has nobody listening: the system's code, e.g. `ECONNREFUSED`, and where the packets went; told each 5 s at most. */
  | { readonly type: 'fork-refused'; readonly fork: string; readonly reason: string; readonly address?: Endpoint }
  /** The first datagram from the recorder, and the first after `fork-unheard`. */
  | { readonly type: 'fork-heard'; readonly fork: string; readonly atMs: number }
  /** Nothing came from the recorder for `forMs` since the first packet, the opening of the gate or the last sign of life; told at 5 s (at 15 s when it was heard before) and each 5 s after, never while the gate is shut. */
  | { readonly type: 'fork-unheard'; readonly fork: string; readonly forMs: number }
  /** What was remembered has been sent: from and to on the wall clock, ms since 1970. */
  | {
      readonly type: 'fork-replayed'
      readonly fork: string
      readonly fromMs: number
      readonly toMs: number
      readonly packets: number
    }
  /** Neither RTP nor RTCP came from a party that may send. */
  | { readonly type: 'silent'; readonly leg: string; readonly forMs: number }
  /** What was heard of each party since the last such event: of a call that is listened to, 4 times a second, or 16 with sound. */
  | { readonly type: 'heard'; readonly legs: readonly HeardLeg[] }
  | { readonly type: 'failed'; readonly reason: string }

/** The media of one call. Commands are carried out in the order given. Rejections are AppError with code `media.*`. */
export interface MediaCall {
  /** Binds an RTP/RTCP port pair for a leg; the video of a party is a leg of its own, bridged like any. */
  addLeg(leg: string, kind?: 'audio' | 'video'): Promise<MediaLocal>
  configureLeg(leg: string, media: LegMedia): Promise<void>
  /** Relays between two legs until `unbridge` or another `bridge` of either. */
  bridge(a: string, b: string): Promise<void>
  unbridge(leg: string): Promise<void>
  /** Everyone hears everyone else, until `unbridge` of a leg, or `bridge`, or another `conference`. Legs that speak no G.711 reject. */
  conference(legs: readonly string[]): Promise<void>
  removeLeg(leg: string): Promise<void>
  /** Plays into a leg in its negotiated G.711 encoding; interrupts what is played there. */
  play(leg: string, prompt: Prompt): Promise<PlayEnd>
  stopPlaying(leg: string): Promise<void>
  /** Binds a port pair for a fork: one RTP session of its own, one SSRC for its life. */
  addFork(options: ForkOptions): Promise<MediaLocal & { readonly ssrc: number }>
  connectFork(fork: string, remote: ForkRemote): Promise<void>
  /** Changes what a fork copies; SSRC, sequence and clock go on. */
  moveFork(fork: string, tap: Tap | Mix): Promise<void>
  /** Leaves DTMF out of the copies, or not. */
  maskDtmf(forks: readonly string[], mask: boolean): Promise<void>
  /** Keeps the last `ms` of the taps in memory for forks to come; 0 forgets and keeps nothing. */
  remember(taps: readonly Tap[], ms: number): Promise<void>
  /** Forgets what is remembered: nothing of it is sent any more when this returns, and nothing is kept until the next `remember`. */
  forget(): Promise<void>
  /** Lays a tone over what a leg hears, or takes it away. */
  setTone(leg: string, tone: Tone | undefined): Promise<void>
  /** Listens to what the parties say, told by `heard` events; copies for it go behind those for recorders and never delay a call. */
  hear(hearing: Hearing): Promise<void>
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

/** What forks are made with. */
export type ForkMedia = Pick<
  MediaCall,
  'addFork' | 'connectFork' | 'moveFork' | 'shutGates' | 'openGates' | 'removeFork'
>

/** A media engine. */
export interface MediaEngine {
  readonly capabilities: EngineCapabilities
  openCall(callId: string): MediaCall
  /** Must be zero when no call is open. */
  census(): Promise<{ readonly calls: number; readonly legs: number; readonly forks: number; readonly ports: number }>
  close(): Promise<void>
}
