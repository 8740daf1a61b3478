// All recordings of one record worker: carries out commands, flushes on time, publishes.

import type { PortPair, PortPool } from '#engine'
import { AppError, type Clock, type Ids, invariant, messageOf, type Timer } from '#kernel'
import {
  type Attest,
  type Closing,
  type Deriver,
  Disk,
  type DiskCondition,
  type DiskPort,
  type NoAudioCause,
  plainFiles,
  type RecordingFacts,
  type RecordingFiles,
  RecordingFolder,
  type StreamFiles,
  type StreamTotals,
  streamsLeft,
  systemDisk,
} from '#store'
import {
  defaultStorage,
  type RecordCommand,
  type RecordEvent,
  type RecordReplies,
  type StoragePolicy,
  type StreamSettings,
} from './record-messages.ts'
import { RecordingTime } from './recording-time.ts'
import { StreamReceiver } from './stream-receiver.ts'
import { Track } from './track.ts'
import { RoomWatch } from './watch/room-watch.ts'
import type { SessionWatch } from './watch/session-watch.ts'
import type { OpusLoader } from './watch/sound-decoders.ts'

/** The index gets clocks and counters so often. */
const ANCHOR_MS = 1000
const SYNC_MS = 1000
/** A recording that the disk did not take at its end is tried again after this long. */
const PUBLISH_RETRY_MS = 5000
/** A disk that failed is tried so often. */
const PROBE_MS = 1000
const PROBE_FILE = '.probe'
const CNAME_BYTES = 12

interface Stream {
  readonly track: Track
  readonly receiver: StreamReceiver
}

interface Recording {
  readonly recordingId: string
  readonly folder: RecordingFolder
  readonly time: RecordingTime
  readonly startedAtMs: number
  readonly cname: string
  readonly streams: Stream[]
  readonly watch: SessionWatch
  /** Told to keep nothing. */
  isPaused: boolean
  hasFailed: boolean
}

/** What a room needs. */
export interface RecordRoomOptions {
  readonly root: string
  readonly keepDigits: boolean
  readonly clock: Clock
  readonly ids: Ids
  readonly ports: PortPool
  /** When what was received is written, and what may wait; `defaultStorage` unless told. */
  readonly storage?: StoragePolicy
  /** Resolves when what had arrived for our sockets has been read; at once unless told. */
  readonly caughtUp?: () => Promise<void>
  /** The file system unless told. */
  readonly disk?: DiskPort
  /** Makes what players need of a recording that is over; in this thread unless told. */
  readonly derive?: Deriver
  /** Vouches for a recording that is about to be published. */
  readonly attest?: Attest
  /** Where clients send to, as alarms name it. */
  readonly address?: string
  /** Opus is not listened to unless told how. */
  readonly loadOpus?: OpusLoader
  /** How files are written; as they are unless told. */
  readonly files?: RecordingFiles
  readonly onEvent: (event: RecordEvent) => void
}

/** The recordings of one thread. */
export class RecordRoom {
  readonly #options: RecordRoomOptions
  readonly #recordings = new Map<string, Recording>()
  readonly #storage: StoragePolicy
  readonly #disk: Disk
  /** Recordings that are over, and not published for the disk's sake. */
  readonly #unpublished = new Set<{ readonly recording: Recording; readonly closing: Closing }>()
  readonly #watch: RoomWatch
  #flushTimer: Timer | undefined
  #retryTimer: Timer | undefined
  #condition: DiskCondition = 'well'
  #anchoredMs: number
  #syncedMs: number
  #probedMs = 0

  constructor(options: RecordRoomOptions) {
    const { clock, storage = defaultStorage, disk: port = systemDisk, files = plainFiles } = options
    this.#options = options
    this.#storage = storage
    this.#disk = new Disk({ port, nowMs: () => clock.nowMs(), maxWaitingBytes: storage.bufferBytes, files })
    this.#anchoredMs = clock.nowMs()
    this.#syncedMs = clock.nowMs()
    this.#watch = new RoomWatch({
      clock,
      address: options.address ?? 'this recorder',
      loadOpus: options.loadOpus ?? (() => Promise.resolve(undefined)),
      recordings: () => this.#recordings.values(),
      onEvent: options.onEvent,
    })
    this.#scheduleFlush()
  }

  /** Carries out a command; rejects with what failed. */
  async handle(command: RecordCommand): Promise<RecordReplies[RecordCommand['type']]> {
    switch (command.type) {
      case 'open':
        return this.#open(command)
      case 'reopen':
        return await this.#reopen(command)
      case 'keep-session':
        this.#recording(command.recordingId).folder.keepSession(command.session)
        return undefined
      case 'add-stream':
        return await this.#addStream(this.#recording(command.recordingId), command.label, command.settings)
      case 'set-stream':
        this.#stream(command.recordingId, command.channel).receiver.configure(command.settings)
        return undefined
      case 'remove-stream':
        this.#stream(command.recordingId, command.channel).receiver.remove()
        return undefined
      case 'pause':
      case 'resume':
        this.#pause(this.#recording(command.recordingId), command.type === 'pause')
        return undefined
      case 'facts':
        this.#setFacts(this.#recording(command.recordingId), command.facts)
        return undefined
      case 'metadata':
        this.#recording(command.recordingId).folder.addMetadata(command.document)
        return undefined
      case 'close':
        return await this.#close(command)
      case 'totals':
        return Object.fromEntries([...this.#recordings.values()].map((one) => [one.recordingId, totalsOf(one)]))
      case 'readings':
        return this.#watch.readings(
          command.recordingId === undefined ? this.#recordings.values() : [this.#recording(command.recordingId)],
        )
      case 'listen':
        this.#watch.listen(this.#recording(command.recordingId), command.isOn)
        return undefined
      case 'stop':
        await this.#stop()
        return undefined
    }
  }

  #open(command: RecordCommand & { type: 'open' }): RecordReplies['open'] {
    const { clock, ids, root } = this.#options
    const { recordingId, facts } = command
    // Both clocks are read before the disk is waited for: they name the same moment.
    const startedAtMs = clock.wallMs()
    const time = new RecordingTime(clock)
    const folder = new RecordingFolder(this.#disk, root, recordingId, startedAtMs, facts)
    const cname = ids.hex(CNAME_BYTES)
    this.#recordings.set(recordingId, {
      recordingId,
      folder,
      time,
      startedAtMs,
      cname,
      streams: [],
      watch: this.#watch.session(recordingId),
      isPaused: false,
      hasFailed: false,
    })
    return { startedAtMs }
  }

  async #reopen(command: RecordCommand & { type: 'reopen' }): Promise<RecordReplies['reopen']> {
    const { clock, ids, root, ports } = this.#options
    const { recordingId, folder: path, manifest, streams } = command
    const pairs: PortPair[] = []
    try {
      // A stream that was removed needs ports only to be closed.
      for (const { rtpPort, isRemoved } of streams) pairs.push(await (isRemoved ? ports.take() : ports.takeAt(rtpPort)))
      const left = streamsLeft(path, manifest, this.#disk.files)
      const startedAtMs = Date.parse(manifest.startedAt)
      const opened = { folder: path, metadata: manifest.metadata, streams: left }
      const folder = new RecordingFolder(this.#disk, root, recordingId, startedAtMs, manifest.facts, opened)
      // The recording's clock goes on as the wall clock did.
      const time = new RecordingTime(clock, clock.wallMs() - startedAtMs)
      const cname = ids.hex(CNAME_BYTES)
      const isPaused = folder.isPaused
      const alarms = (manifest.alarms ?? []).map((alarm) => ({ toMs: Math.round(time.elapsedMs()), ...alarm }))
      if (alarms.length > 0) folder.setAlarms(alarms)
      const watch = this.#watch.session(recordingId, alarms)
      const about = { recordingId, folder, time, startedAtMs, cname, isPaused, watch }
      const recording: Recording = { ...about, streams: [], hasFailed: false }
      invariant(folder.streams.length === streams.length, 'a stream that was negotiated has an index')
      for (const [channel, { settings, isRemoved }] of streams.entries()) {
        const files = folder.streams[channel]!
        const receiver = this.#receive(recording, files, settings, pairs[channel]!, left[channel]!.totals)
        if (isRemoved) receiver.close()
      }
      time.reached(Math.max(0, ...left.map(({ endMs }) => endMs)))
      this.#setFacts(recording, manifest.facts)
      this.#recordings.set(recordingId, recording)
      return { startedAtMs }
    } catch (fault) {
      for (const pair of pairs) void ports.release(pair)
      throw fault
    }
  }

  async #addStream(
    recording: Recording,
    label: string | undefined,
    settings: StreamSettings,
  ): Promise<RecordReplies['add-stream']> {
    const ports = await this.#options.ports.take()
    const files = recording.folder.addStream(label)
    this.#receive(recording, files, settings, ports)
    return { channel: files.channel, rtpPort: ports.port }
  }

  #receive(
    recording: Recording,
    files: StreamFiles,
    settings: StreamSettings,
    ports: PortPair,
    before?: StreamTotals,
  ): StreamReceiver {
    const { clock, ids, keepDigits } = this.#options
    const { recordingId, cname, time } = recording
    time.deliverAt(settings.pace ?? 1)
    const about = { channel: files.channel, label: files.label, rtpPort: ports.port }
    const watch = this.#watch.stream(recording.watch, about, settings)
    const track = new Track(files, { keepDigits, accountedMs: files.leftMs, isDelivered: time.isDelivered })
    const receiver = new StreamReceiver({
      ports,
      track,
      clock,
      ids,
      cname,
      time,
      watch,
      settings,
      ...(before && { before }),
      onFirstPacket: (atMs) =>
        this.#options.onEvent({ type: 'first-packet', recordingId, channel: files.channel, atMs }),
      onClosed: () => void this.#options.ports.release(ports),
      onWatchFault: (fault) => this.#watch.failed(recording, fault),
      onFault: (fault) => this.#fail(recording, fault),
    })
    receiver.pauseHere(recording.isPaused)
    recording.streams.push({ track, receiver })
    return receiver
  }

  #pause(recording: Recording, isPaused: boolean): void {
    recording.isPaused = isPaused
    recording.folder.setPaused(isPaused)
    for (const { receiver } of recording.streams) receiver.pauseHere(isPaused)
  }

  #setFacts(recording: Recording, facts: RecordingFacts): void {
    for (const [channel, { receiver }] of recording.streams.entries()) receiver.setHeld(facts.held?.[channel] === true)
    recording.folder.setFacts(facts)
  }

  async #close(command: RecordCommand & { type: 'close' }): Promise<RecordReplies['close']> {
    const recording = this.#recording(command.recordingId)
    this.#recordings.delete(command.recordingId)
    this.#watch.forget(recording)
    const { time } = recording
    const tookMs = time.tookMs()
    // A busy thread has not read all that came before the client said goodbye.
    await this.#options.caughtUp?.()
    // What a client delivers from before is longer than it takes; else the ends differ by less than a packet.
    const durationMs = Math.max(time.isDelivered ? 0 : tookMs, ...recording.streams.map(({ track }) => track.endMs))
    for (const { receiver } of recording.streams) receiver.close()
    const totals = totalsOf(recording)
    for (const { track } of recording.streams) track.finish(durationMs)
    recording.folder.setFacts(command.facts)
    const endedAtMs = recording.startedAtMs + tookMs
    const closing = { endedAtMs, durationMs, totals, noAudioCause: command.noAudioCause ?? causeOf(totals) }
    try {
      return await recording.folder.publish(closing, this.#options.derive, this.#options.attest)
    } catch (fault) {
      this.#disk.note(fault)
      this.#unpublished.add({ recording, closing })
      this.#retryTimer ??= this.#scheduleRetry()
      throw fault
    }
  }

  #scheduleRetry(): Timer {
    return this.#options.clock.after(PUBLISH_RETRY_MS, 'publish', () => {
      void this.#publishLate().then(() => {
        this.#retryTimer = this.#unpublished.size > 0 ? this.#scheduleRetry() : undefined
      })
    })
  }

  async #publishLate(): Promise<void> {
    const { derive, attest } = this.#options
    for (const late of this.#unpublished) {
      try {
        const published = await late.recording.folder.publish(late.closing, derive, attest)
        this.#unpublished.delete(late)
        const { recordingId } = late.recording
        this.#options.onEvent({ type: 'published', recordingId, ...published })
      } catch (fault) {
        this.#disk.note(fault)
      }
    }
  }

  /** Writes what there is and lets go of sockets; folders stay open, for recovery. */
  async #stop(): Promise<void> {
    this.#flushTimer?.cancel()
    this.#watch.stop()
    this.#retryTimer?.cancel()
    await this.#publishLate()
    for (const recording of this.#recordings.values()) {
      this.#flush(recording, true)
      for (const { receiver } of recording.streams) receiver.close()
    }
    // A disk that does not write must not keep the process from ending.
    await Promise.allSettled([...this.#recordings.values()].map(({ folder }) => folder.leave()))
    for (const { recording } of this.#unpublished) recording.folder.abandon()
  }

  #scheduleFlush(): void {
    this.#flushTimer = this.#options.clock.after(this.#storage.flushMs, 'flush', () => {
      const nowMs = this.#options.clock.nowMs()
      const isAnchorDue = nowMs - this.#anchoredMs >= ANCHOR_MS
      const { sync } = this.#storage
      const isSyncDue = sync === 'always' || (sync === 'second' && nowMs - this.#syncedMs >= SYNC_MS)
      if (isAnchorDue) this.#anchoredMs = nowMs
      if (isSyncDue) this.#syncedMs = nowMs
      for (const recording of this.#recordings.values()) {
        if (isSyncDue) recording.folder.sync()
        this.#flush(recording, isAnchorDue)
      }
      this.#watchDisk()
      this.#scheduleFlush()
    })
  }

  #flush(recording: Recording, isAnchorDue: boolean): void {
    try {
      for (const { track, receiver } of recording.streams) {
        if (isAnchorDue) track.writeAnchor(receiver.totals())
        track.flush()
      }
      recording.folder.flush()
    } catch (fault) {
      this.#fail(recording, fault)
    }
  }

  /** Tells of each change of the disk's condition. */
  #watchDisk(): void {
    const { condition, fault, waitingBytes } = this.#disk
    const nowMs = this.#options.clock.nowMs()
    if (fault !== undefined && nowMs - this.#probedMs >= PROBE_MS) {
      this.#probedMs = nowMs
      this.#disk.probe(`${this.#options.root}/${PROBE_FILE}`)
    }
    if (condition === this.#condition) return
    this.#condition = condition
    const detail = fault === undefined ? {} : { detail: messageOf(fault) }
    this.#options.onEvent({ type: 'disk', condition, waitingBytes, ...detail })
  }

  #fail(recording: Recording, fault: unknown): void {
    if (recording.hasFailed) return
    recording.hasFailed = true
    this.#options.onEvent({ type: 'track-failed', recordingId: recording.recordingId, message: messageOf(fault) })
  }

  #recording(recordingId: string): Recording {
    const recording = this.#recordings.get(recordingId)
    if (recording !== undefined) return recording
    throw new AppError('recorder.unknown-recording', 'no such recording is open', { result: 'server', reason: 'gone' })
  }

  #stream(recordingId: string, channel: number): Stream {
    const stream = this.#recording(recordingId).streams[channel]
    if (stream !== undefined) return stream
    throw new AppError('recorder.unknown-stream', 'no such stream is open', { result: 'server', reason: 'gone' })
  }
}

function totalsOf(recording: Recording): StreamTotals[] {
  return recording.streams.map(({ receiver }) => receiver.totals())
}

function causeOf(totals: readonly StreamTotals[]): NoAudioCause {
  if (totals.length === 0) return 'no-stream'
  return totals.some((stream) => stream.refused + stream.wrongSource > 0) ? 'only-refused-packets' : 'no-rtp'
}
