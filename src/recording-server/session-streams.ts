// The media side of one recording session: which m-line is which stream, negotiated again and again.

import type { Ids } from '#kernel'
import {
  type CryptoSuite,
  type KeptDescription,
  LocalDescription,
  type LocalMedia,
  type ParsedSdp,
  type SdpAttribute,
  type SessionDescription,
  withoutOldKeys,
} from '#sdp'
import type { MediaKind } from '#store'
import { MAX_SDP_SESSION_ID, type PlannedLine, planAnswer, settingsOf } from './answer-plan.ts'
import { refusedLineAlarm } from './own-alarms.ts'
import type { RecordMedia } from './record-media.ts'
import type { ReopenedStream, StreamSettings } from './record-messages.ts'
import type { LiveStream } from './server-events.ts'
import { isMixed } from './session-metadata.ts'
import { refusedLineWarning } from './session-verdict.ts'
import { type KeptKeys, StreamKeys } from './stream-keys.ts'

interface Stream {
  readonly channel: number
  readonly rtpPort: number
  readonly label?: string
  readonly keys: StreamKeys
  settings: StreamSettings
  isRemoved: boolean
}

interface Line {
  media: LocalMedia
  stream: Stream | undefined
  /** It was offered to be sent, and is not taken. */
  isLeftOut?: boolean
}

/** What the streams of a session work with. */
export interface SessionStreamsOptions {
  readonly recordingId: string
  readonly media: RecordMedia
  readonly ids: Ids
  /** The literal that SDP gives as ours. */
  readonly address: string
  /** Suites for which keys may be exchanged; none: plain RTP only. */
  readonly suites: readonly CryptoSuite[]
  /** Media types that are kept; all that can be unless told. */
  readonly kinds?: readonly MediaKind[]
  /** Whether keys may outlive the process. */
  readonly keepsKeys: boolean
  /** Of our descriptions; a random one unless told. */
  readonly sessionId?: string
}

/** One stream as it outlives the process. */
export interface KeptStream extends Omit<ReopenedStream, 'settings'> {
  readonly settings: Omit<StreamSettings, 'srtp'>
  /** Absent for plain RTP. */
  readonly keys?: KeptKeys
}

/** What of the streams survives the process; plain data. */
export interface KeptStreams {
  readonly lines: readonly { readonly media: LocalMedia; readonly channel?: number; readonly isLeftOut?: boolean }[]
  /** By channel. */
  readonly streams: readonly KeptStream[]
}

/** Answer and streams of one recording session. */
export class SessionStreams {
  readonly #options: SessionStreamsOptions
  readonly #description: LocalDescription
  readonly #lines: Line[] = []
  readonly #streams: Stream[] = []
  /** The client is asked to send nothing, whatever it offers. */
  isPausedHere = false
  /** What is recorded is over: a client that sends no more does not pause. */
  isOver = false
  #offerText = ''
  #offerVersion = ''

  constructor(options: SessionStreamsOptions) {
    this.#options = options
    const sessionId = options.sessionId ?? String(options.ids.integer(MAX_SDP_SESSION_ID))
    this.#description = new LocalDescription({ sessionId, address: options.address })
  }

  /** What `resume` takes; undefined while a stream has keys that may not be kept. */
  kept(): { readonly description: KeptDescription; readonly streams: KeptStreams } | undefined {
    const isSecured = this.#streams.some(({ settings, isRemoved }) => settings.srtp !== undefined && !isRemoved)
    if (isSecured && !this.#options.keepsKeys) return undefined
    const lines = this.#lines.map(({ media, stream, isLeftOut = false }) => {
      const kept = withoutOldKeys(media)
      return { media: kept, ...(stream && { channel: stream.channel }), ...(isLeftOut && { isLeftOut }) }
    })
    const streams = this.#streams.map(
      ({ label, rtpPort, keys, settings: { srtp: _secret, ...settings }, isRemoved }) => {
        const named = { ...(label !== undefined && { label }), rtpPort, isRemoved }
        const { kind } = settings
        if (isRemoved) return { ...named, settings: { ...(kind && { kind }), codecs: [], isPaused: true } }
        const secured = keys.kept()
        return { ...named, settings, ...(secured && { keys: secured }) }
      },
    )
    return { description: this.#description.kept(), streams: { lines, streams } }
  }

  /** Goes on where the process before stopped; the media side has been reopened. */
  resume({ description, streams }: { readonly description: KeptDescription; readonly streams: KeptStreams }): void {
    const { suites, ids } = this.#options
    this.#description.resume(description)
    for (const [channel, { keys: kept, ...stream }] of streams.streams.entries()) {
      const keys = new StreamKeys(suites, ids)
      if (kept !== undefined) keys.resume(kept)
      this.#streams.push({ channel, ...stream, settings: { ...stream.settings, ...keys.settings }, keys })
    }
    for (const { media, channel, isLeftOut = false } of streams.lines) {
      this.#lines.push({ media, stream: channel === undefined ? undefined : this.#streams[channel], isLeftOut })
    }
  }

  /** Labels of the streams by channel, '' for those without. */
  get labels(): string[] {
    return this.#streams.map(({ label }) => label ?? '')
  }

  /** Media types of the streams by channel, and whether their order may be another than that of all that the client sends. */
  get lines(): { readonly kinds: readonly string[]; readonly hasOtherLines: boolean } {
    const kinds = this.#streams.map(({ settings }) => settings.kind ?? 'audio')
    return { kinds, hasOtherLines: this.#lines.some(({ isLeftOut }) => isLeftOut) || isMixed(kinds) }
  }

  /** Whether there are streams, and all that are left are paused. */
  get isPaused(): boolean {
    const live = this.#streams.filter((stream) => !stream.isRemoved)
    return live.length > 0 && live.every(({ settings }) => settings.isPaused)
  }

  /** As `isPaused`, but for streams that fell silent when all was over. */
  get isInterrupted(): boolean {
    return this.isPaused && this.#streams.every(({ settings, isRemoved }) => isRemoved || settings.isEnded !== true)
  }

  /** Streams that the client announced to send. */
  get sendingChannels(): number[] {
    return this.#streams.filter((one) => !one.isRemoved && !one.settings.isPaused).map(({ channel }) => channel)
  }

  view(): LiveStream[] {
    return this.#streams.map(({ channel, rtpPort, label, settings, isRemoved }) => ({
      channel,
      rtpPort,
      kind: settings.kind ?? 'audio',
      ...(label !== undefined && { label }),
      isPaused: settings.isPaused,
      isRemoved,
      encodings: settings.codecs.map(({ encoding }) => encoding),
    }))
  }

  /** Why an offer cannot be answered at all; undefined if it can. */
  problemOf(offer: SessionDescription): string | undefined {
    if (offer.media.length < this.#lines.length) return 'fewer media descriptions than before'
    const plan = this.#planOf(offer)
    const isHopeless = this.#lines.length === 0 && plan.length > 0 && plan.every(({ kind }) => kind === 'refused')
    const reasons = plan.flatMap((line) => (line.kind === 'refused' ? [line.reason] : []))
    return isHopeless ? [...new Set(reasons)].join(', ') : undefined
  }

  /** Takes an offer and gives the answer; warnings are added to `warnings`. Rejects with what the media side rejects. */
  async answer(offer: ParsedSdp, offerText: string, warnings: string[]): Promise<Uint8Array> {
    const isSameVersion = offer.origin.sessionVersion === this.#offerVersion
    const current = this.#description.current()
    if (isSameVersion && offerText === this.#offerText && current !== undefined) return current
    if (isSameVersion && current !== undefined) warnings.push('SDP changed without a new version in o=')
    const plan = this.#planOf(offer)
    // First what may fail: an offer that cannot be carried out changes nothing (RFC 3261 section 14.1).
    const added = await this.#addAll(plan)
    this.#offerText = offerText
    this.#offerVersion = offer.origin.sessionVersion
    // All at once: the media side keeps their order, and a way there and back for each would add up.
    const taken = plan.map(async (planned, index) => {
      if (planned.kind === 'refused') return await this.#refuse(index, planned)
      await this.#take(index, planned, added.get(index))
      return []
    })
    warnings.push(...(await Promise.all(taken)).flat())
    return this.#description.describe(this.#lines.map(({ media }) => media))
  }

  #planOf(offer: SessionDescription): PlannedLine[] {
    const { suites, kinds } = this.#options
    return planAnswer(offer, suites, kinds)
  }

  /** An offer of ours: what there is, ready to receive; `dropped` is offered with port 0. Streams are never added (SRS-14). */
  offer(dropped?: number): Uint8Array {
    const slots = this.#lines.map(({ media, stream }): LocalMedia => {
      if (stream === undefined || stream.isRemoved) return media
      if (stream.channel === dropped) return { ...media, port: 0 }
      const extra = [...feedbackOf(media), ...stream.keys.attributes]
      return { ...media, direction: this.isPausedHere ? 'inactive' : 'recvonly', extra }
    })
    return this.#description.describe(slots)
  }

  /** The description of ours that holds, to be offered unchanged. */
  get current(): Uint8Array | undefined {
    return this.#description.current()
  }

  /** Takes the answer to an offer of ours; warnings are added to `warnings`. */
  async takeAnswer(answer: SessionDescription, warnings: string[]): Promise<void> {
    for (const [index, media] of answer.media.entries()) {
      const line = this.#lines[index]
      if (line?.stream === undefined || line.stream.isRemoved) continue
      if (media.port === 0) {
        await this.#remove(line)
        continue
      }
      const settings = settingsOf(media, answer)
      const problem = line.stream.keys.takeAnswer(media, settings.rtp)
      // What was agreed before goes on: nothing but what authenticates under it is taken.
      if (problem !== undefined) warnings.push(`media ${index + 1}: ${problem}`)
      await this.#configure(line.stream, settings)
    }
  }

  async #refuse(index: number, planned: PlannedLine & { kind: 'refused' }): Promise<string[]> {
    const { media, reason, fix } = planned
    const line = this.#lines[index]
    const isLeftOut = reason !== 'offered with port 0'
    if (this.#liveAt(index) !== undefined) await this.#remove(line!)
    else this.#lines[index] = { media, stream: undefined, isLeftOut }
    if (fix !== undefined) {
      const alarm = refusedLineAlarm(index + 1, media.label, reason, fix)
      await this.#options.media.ask({ type: 'raise', recordingId: this.#options.recordingId, alarm })
    }
    return isLeftOut ? [refusedLineWarning(index + 1, reason)] : []
  }

  async #take(index: number, planned: PlannedLine & { kind: 'stream' }, added: Stream | undefined): Promise<void> {
    const stream = added ?? this.#liveAt(index)!
    if (added === undefined) {
      stream.keys.takeOffer(planned.cryptos, planned.settings.rtp)
      await this.#configure(stream, planned.settings)
    }
    const extra = [...feedbackOf(planned.media), ...stream.keys.attributes]
    const media = { ...planned.media, port: stream.rtpPort, extra }
    this.#lines[index] = { media: this.isPausedHere ? { ...media, direction: 'inactive' } : media, stream }
  }

  #liveAt(index: number): Stream | undefined {
    const stream = this.#lines[index]?.stream
    return stream?.isRemoved === true ? undefined : stream
  }

  /** Adds the streams that a plan has beyond those there are, by m-line: all of them or none. Rejects with what the media side rejects. */
  async #addAll(plan: readonly PlannedLine[]): Promise<ReadonlyMap<number, Stream>> {
    const wanted = plan.flatMap((planned, index) => {
      return planned.kind === 'stream' && this.#liveAt(index) === undefined ? [{ planned, index }] : []
    })
    const isAudio = ({ planned }: (typeof wanted)[number]): boolean => planned.settings.kind === undefined
    // Audio first: its streams are numbered as the channels of what is heard.
    const inOrder = [...wanted.filter(isAudio), ...wanted.filter((one) => !isAudio(one))]
    const adding = inOrder.map(async ({ planned, index }) => [index, await this.#add(planned)] as const)
    const settled = await Promise.allSettled(adding)
    const added = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const failed = settled.find((one) => one.status === 'rejected')
    if (failed === undefined) return new Map(added)
    await Promise.allSettled(added.map(([, stream]) => this.#close(stream)))
    throw failed.reason
  }

  async #add(planned: PlannedLine & { kind: 'stream' }): Promise<Stream> {
    const { label } = planned
    const { recordingId, media, suites, ids } = this.#options
    const keys = new StreamKeys(suites, ids)
    keys.takeOffer(planned.cryptos, planned.settings.rtp)
    const settings = { ...planned.settings, ...keys.settings }
    const named = label !== undefined && { label }
    const { channel, rtpPort } = await media.ask({ type: 'add-stream', recordingId, ...named, settings })
    const stream: Stream = { channel, rtpPort, ...named, keys, settings, isRemoved: false }
    this.#streams[channel] = stream
    return stream
  }

  async #configure(stream: Stream, settings: StreamSettings): Promise<void> {
    const { isPaused, isEnded } = stream.settings
    const endsNow = this.isOver && settings.isPaused && (!isPaused || isEnded === true)
    stream.settings = { ...settings, ...stream.keys.settings, ...(endsNow && { isEnded: true }) }
    const { recordingId, media } = this.#options
    await media.ask({ type: 'set-stream', recordingId, channel: stream.channel, settings: stream.settings })
  }

  async #remove(line: Line): Promise<void> {
    const { stream, media } = line
    if (stream === undefined) return
    line.media = { ...media, port: 0 }
    await this.#close(stream)
  }

  async #close(stream: Stream): Promise<void> {
    stream.isRemoved = true
    const { recordingId, media } = this.#options
    await media.ask({ type: 'remove-stream', recordingId, channel: stream.channel })
  }
}

function feedbackOf({ extra = [] }: LocalMedia): SdpAttribute[] {
  return extra.filter(({ name }) => name === 'rtcp-fb')
}
