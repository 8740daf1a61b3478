// The recordings of one record worker that are under way: how they are opened, taken up after a restart, and heard.

import type { PortPair, PortPool } from '#engine'
import { AppError, type Clock, type Ids, invariant } from '#kernel'
import {
  type Disk,
  type RecordingFacts,
  RecordingFolder,
  type StreamFiles,
  type StreamTotals,
  streamsLeft,
} from '#store'
import { changesAlarm, sourcesAlarm } from './own-alarms.ts'
import type { RecordCommand, RecordEvent, RecordReplies, StreamSettings } from './record-messages.ts'
import { RecordingTime } from './recording-time.ts'
import type { HerePause } from './session-pause.ts'
import { type StreamBefore, StreamReceiver } from './stream-receiver.ts'
import { Track } from './track.ts'
import type { RoomWatch } from './watch/room-watch.ts'
import type { SessionWatch } from './watch/session-watch.ts'

const CNAME_BYTES = 12
/** Of video hundreds of packets come in a row: they wait for a thread that is busy, as far as the system allows. */
const VIDEO_BUFFER_BYTES = 2 * 2 ** 20

/** A stream on its way from the socket to its files. */
export interface OpenStream {
  readonly track: Track
  readonly receiver: StreamReceiver
}

/** A recording under way. */
export interface OpenRecording {
  readonly recordingId: string
  readonly folder: RecordingFolder
  readonly time: RecordingTime
  readonly startedAtMs: number
  readonly cname: string
  readonly streams: OpenStream[]
  readonly watch: SessionWatch
  /** Told to keep nothing. */
  isPaused: boolean
  /** The client was asked to send nothing, too. */
  isAsked: boolean
  hasFailed: boolean
  /** Settles when the streams that were asked for are there: each waits for the one before it. */
  added: Promise<unknown>
}

/** What open recordings work with. */
export interface OpenRecordingsOptions {
  readonly root: string
  readonly keepDigits: boolean
  readonly clock: Clock
  readonly ids: Ids
  readonly ports: PortPool
  readonly disk: Disk
  readonly watch: RoomWatch
  readonly onEvent: (event: RecordEvent) => void
  /** A recording cannot be written any more. */
  readonly onFault: (recording: OpenRecording, fault: unknown) => void
}

/** Recordings of one thread by their ids. */
export class OpenRecordings {
  readonly #options: OpenRecordingsOptions
  readonly #recordings = new Map<string, OpenRecording>()

  constructor(options: OpenRecordingsOptions) {
    this.#options = options
  }

  all(): IterableIterator<OpenRecording> {
    return this.#recordings.values()
  }

  /** Throws AppError `recorder.unknown-recording`. */
  get(recordingId: string): OpenRecording {
    const recording = this.#recordings.get(recordingId)
    if (recording !== undefined) return recording
    throw unknownRecording()
  }

  /** Throws AppError `recorder.unknown-recording` or `recorder.unknown-stream`. */
  stream(recordingId: string, channel: number): OpenStream {
    const stream = this.get(recordingId).streams[channel]
    if (stream !== undefined) return stream
    throw new AppError('recorder.unknown-stream', 'no such stream is open', { result: 'server', reason: 'gone' })
  }

  /** Takes a recording out; its files stay open. */
  take(recordingId: string): OpenRecording {
    const recording = this.get(recordingId)
    this.#recordings.delete(recordingId)
    this.#options.watch.forget(recording)
    return recording
  }

  /** Makes the folder of a new recording; throws what the file system throws. */
  open({ recordingId, facts }: RecordCommand & { type: 'open' }): RecordReplies['open'] {
    const { clock, ids, root, disk, watch } = this.#options
    // Both clocks are read before the disk is waited for: they name the same moment.
    const startedAtMs = clock.wallMs()
    const time = new RecordingTime(clock)
    const folder = new RecordingFolder(disk, root, recordingId, startedAtMs, facts)
    const cname = ids.hex(CNAME_BYTES)
    const about = { recordingId, folder, time, startedAtMs, cname, watch: watch.session(recordingId) }
    this.#recordings.set(recordingId, {
      ...about,
      streams: [],
      isPaused: false,
      isAsked: false,
      hasFailed: false,
      added: Promise.resolve(),
    })
    return { startedAtMs }
  }

  /** Goes on in a folder that was left open, on the ports that it had; all or nothing. */
  async reopen(command: RecordCommand & { type: 'reopen' }): Promise<RecordReplies['reopen']> {
    const { clock, ids, root, ports, disk, watch } = this.#options
    const { recordingId, folder: path, manifest, streams, awayMs } = command
    const pairs: PortPair[] = []
    const receiving: OpenStream[] = []
    let folder: RecordingFolder | undefined
    try {
      // A stream that was removed needs ports only to be closed.
      for (const { rtpPort, isRemoved } of streams) pairs.push(await (isRemoved ? ports.take() : ports.takeAt(rtpPort)))
      const left = streamsLeft(path, manifest, disk.files)
      const startedAtMs = Date.parse(manifest.startedAt)
      const opened = { folder: path, metadata: manifest.metadata, streams: left }
      folder = new RecordingFolder(disk, root, recordingId, startedAtMs, manifest.facts, opened)
      // The recording's clock goes on as the wall clock did.
      const time = new RecordingTime(clock, clock.wallMs() - startedAtMs)
      const cname = ids.hex(CNAME_BYTES)
      const { isPaused, note } = folder.pauseLeft
      const alarms = (manifest.alarms ?? []).map((alarm) => ({ toMs: Math.round(time.elapsedMs()), ...alarm }))
      if (alarms.length > 0) folder.setAlarms(alarms)
      const pause = pauseOf(note)
      const isAsked = pause?.isSignalled === true
      const about = { recordingId, folder, time, startedAtMs, cname, isPaused, isAsked }
      const fresh = { streams: receiving, hasFailed: false, added: Promise.resolve() }
      const recording = { ...about, watch: watch.session(recordingId, alarms), ...fresh }
      invariant(folder.streams.length === streams.length, 'a stream that was negotiated has an index')
      for (const [channel, { settings, indices, isRemoved }] of streams.entries()) {
        const files = folder.streams[channel]!
        const before = { totals: left[channel]!.totals, awayMs, ...(indices && { indices }) }
        const receiver = this.#receive(recording, files, settings, pairs[channel]!, before)
        if (isRemoved) receiver.close()
      }
      time.reached(Math.max(0, ...left.map(({ endMs }) => endMs)))
      setFacts(recording, manifest.facts)
      this.#recordings.set(recordingId, recording)
      return { startedAtMs, isPaused, ...(pause && { pause }) }
    } catch (fault) {
      // Who receives gives its ports back itself.
      for (const { receiver } of receiving) receiver.close()
      for (const pair of pairs.slice(receiving.length)) void ports.release(pair)
      folder?.abandon()
      throw fault
    }
  }

  /** Adds a stream, and a pair of ports for it. Channels are in the order of asking, however long the ports take to be had. */
  async addStream({
    recordingId,
    label,
    settings,
  }: RecordCommand & { type: 'add-stream' }): Promise<RecordReplies['add-stream']> {
    const recording = this.get(recordingId)
    const taking = this.#options.ports.take()
    const added = Promise.allSettled([recording.added, taking]).then(async () => {
      const ports = await taking
      if (this.#recordings.get(recordingId) !== recording) {
        await this.#options.ports.release(ports)
        throw unknownRecording()
      }
      const files = recording.folder.addStream(label, settings.kind)
      this.#receive(recording, files, settings, ports)
      return { channel: files.channel, rtpPort: ports.port }
    })
    recording.added = added
    return await added
  }

  #receive(
    recording: OpenRecording,
    files: StreamFiles,
    settings: StreamSettings,
    ports: PortPair,
    before?: StreamBefore,
  ): StreamReceiver {
    const { clock, ids, keepDigits, watch: room, onEvent, onFault, ports: pool } = this.#options
    const { recordingId, cname, time } = recording
    const { channel, label } = files
    time.deliverAt(settings.pace ?? 1)
    if (files.kind === 'video') ports.rtp.setRecvBufferSize(VIDEO_BUFFER_BYTES)
    const watch = room.stream(recording.watch, { channel, label, rtpPort: ports.port }, settings)
    const about = { channel, ...(label !== undefined && { label }) }
    const onTooMany = (): void => recording.watch.raise(changesAlarm(about))
    const keeping = { keepDigits, sender: time.sender, clocks: time.clocks, onTooMany, kind: files.kind }
    const track = new Track(files, { ...keeping, accountedMs: files.leftMs })
    const receiver = new StreamReceiver({
      ports,
      track,
      openSource: (ssrc) => new Track(files.addSource(ssrc), keeping),
      onTooManySources: () => recording.watch.raise(sourcesAlarm(about)),
      clock,
      ids,
      cname,
      time,
      watch,
      settings,
      ...(before && { before }),
      onPictureWanted: () => onEvent({ type: 'picture-wanted', recordingId }),
      onFirstPacket: (atMs) => onEvent({ type: 'first-packet', recordingId, channel, atMs }),
      onClosed: () => void pool.release(ports),
      onWatchFault: (fault) => room.failed(recording, fault),
      onFault: (fault) => onFault(recording, fault),
    })
    receiver.pauseHere(recording.isPaused, recording.isAsked)
    recording.streams.push({ track, receiver })
    return receiver
  }
}

function unknownRecording(): AppError {
  return new AppError('recorder.unknown-recording', 'no such recording is open', { result: 'server', reason: 'gone' })
}

/** What was noted of a pause, if it is one. */
function pauseOf(note: unknown): HerePause | undefined {
  const pause = note as Partial<HerePause> | null | undefined
  return typeof pause?.sinceMs === 'number' ? (pause as HerePause) : undefined
}

/** Keeps nothing of a recording from now on, or again. */
export function setPaused(recording: OpenRecording, isPaused: boolean, pause?: HerePause): void {
  recording.isPaused = isPaused
  recording.isAsked = pause?.isSignalled === true
  recording.folder.setPaused(isPaused, pause)
  for (const { receiver } of recording.streams) receiver.pauseHere(isPaused, recording.isAsked)
}

/** Notes what the signalling side knows. */
export function setFacts(recording: OpenRecording, facts: RecordingFacts): void {
  for (const [channel, { receiver }] of recording.streams.entries()) receiver.setHeld(facts.held?.[channel] === true)
  recording.folder.setFacts(facts)
}

/**
 * Keeps which packets were taken under the keys of a recording, should there be any; the next time is so many milliseconds away. A packet
 * each 10 ms is as many as there usually are.
 */
export function keepIndices({ folder, streams }: OpenRecording, everyMs: number): void {
  const indices = streams.map(({ receiver }) => receiver.indices(Math.ceil(everyMs / 10)))
  if (indices.some((one) => one !== undefined)) folder.keepIndices(indices.map((one) => one ?? null))
}

/** Counters by channel. */
export function totalsOf(recording: OpenRecording): StreamTotals[] {
  return recording.streams.map(({ receiver }) => receiver.totals())
}

/** The tracks of all streams, those of other sources included. */
export function tracksOf(recording: OpenRecording): Track[] {
  return recording.streams.flatMap(({ track, receiver }) => [track, ...receiver.others.tracks])
}
