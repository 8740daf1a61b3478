// All recordings of one record worker: carries out commands.

import type { PortPool } from '#engine'
import { type Clock, type Ids, messageOf, settledWithin } from '#kernel'
import {
  type Attest,
  type Deriver,
  Disk,
  type DiskPort,
  DiskReserve,
  type NoAudioCause,
  plainFiles,
  type RecordingFiles,
  type RecordingFolder,
  type StreamTotals,
  systemDisk,
} from '#store'
import { DiskWatch } from './disk-watch.ts'
import {
  keepIndices,
  type OpenRecording,
  OpenRecordings,
  setFacts,
  setPaused,
  totalsOf,
  tracksOf,
} from './open-recordings.ts'
import { removedAlarm } from './own-alarms.ts'
import { Publications } from './publications.ts'
import {
  defaultStorage,
  type RecordCommand,
  type RecordEvent,
  type RecordReplies,
  type StoragePolicy,
} from './record-messages.ts'
import { RoomWatch } from './watch/room-watch.ts'
import type { OpusLoader } from './watch/sound-decoders.ts'
import { WritingRounds } from './writing-rounds.ts'

/** Each step of the end waits no longer for the disk. */
const STOP_MS = 3000
const INACTIVE_MS = 600_000

/** What a room needs. */
export interface RecordRoomOptions {
  readonly root: string
  readonly keepDigits: boolean
  readonly clock: Clock
  readonly ids: Ids
  readonly ports: PortPool
  /** When what was received is written, and what may wait; `defaultStorage` unless told. */
  readonly storage?: StoragePolicy
  /** Resolves when what was under way to our sockets has come and been read; at once unless told. */
  readonly caughtUp?: () => Promise<void>
  /** Resolves when what has come to our sockets so far has been read; at once unless told. */
  readonly socketsRead?: () => Promise<void>
  /** The file system unless told. */
  readonly disk?: DiskPort
  /** Makes what players need of a recording that is over; in this thread unless told. */
  readonly derive?: Deriver
  /** Vouches for a recording that is about to be published. */
  readonly attest?: Attest
  /** Where clients send to, as alarms name it. */
  readonly address?: string
  /** Alarms tell of a session without an active stream after so long, in milliseconds; never at 0, after ten minutes unless told. */
  readonly inactiveAlarmMs?: number
  /** Opus is not listened to unless told how. */
  readonly loadOpus?: OpusLoader
  /** How files are written; as they are unless told. */
  readonly files?: RecordingFiles
  readonly onEvent: (event: RecordEvent) => void
}

/** The recordings of one thread. */
export class RecordRoom {
  readonly #options: RecordRoomOptions
  readonly #recordings: OpenRecordings
  readonly #publications: Publications
  readonly #rounds: WritingRounds
  readonly #reserve: DiskReserve
  #stopping: Promise<void> | undefined
  readonly #watch: RoomWatch

  constructor(options: RecordRoomOptions) {
    const { clock, storage = defaultStorage, disk: port = systemDisk, files = plainFiles, onEvent } = options
    this.#options = options
    const { leastFreeBytes = 0, reserveBytes = 0 } = storage
    const waiting = { maxWaitingBytes: storage.bufferBytes, leastFreeBytes }
    const disk = new Disk({ port, nowMs: () => clock.nowMs(), files, ...waiting })
    this.#reserve = new DiskReserve(options.root, reserveBytes)
    const recordings = (): Iterable<OpenRecording> => this.#recordings.all()
    const onFault = (recording: OpenRecording, fault: unknown): void => this.#fail(recording, fault)
    this.#watch = new RoomWatch({
      clock,
      rules: { address: options.address ?? 'this recorder', inactiveMs: options.inactiveAlarmMs ?? INACTIVE_MS },
      loadOpus: options.loadOpus ?? (() => Promise.resolve(undefined)),
      recordings,
      onEvent,
    })
    this.#recordings = new OpenRecordings({ ...options, disk, watch: this.#watch, onFault })
    this.#publications = new Publications({ clock, disk, derive: options.derive, attest: options.attest, onEvent })
    const onRemoved = (path: string): void => this.#removed(path)
    const diskWatch = new DiskWatch({ root: options.root, disk, onEvent, onRemoved })
    this.#rounds = new WritingRounds({ clock, diskWatch, storage, recordings, onFault })
  }

  /** Carries out a command; rejects with what failed. */
  async handle(command: RecordCommand): Promise<RecordReplies[RecordCommand['type']]> {
    switch (command.type) {
      case 'open':
        return this.#recordings.open(command)
      case 'reopen':
        return await this.#recordings.reopen(command)
      case 'keep-session':
        this.#keepSession(command)
        return undefined
      case 'add-stream':
        return await this.#recordings.addStream(command)
      case 'set-stream':
        // What came before the client paused was not said in the pause.
        if (command.settings.isPaused) await this.#options.socketsRead?.()
        this.#recordings.stream(command.recordingId, command.channel).receiver.configure(command.settings)
        return undefined
      case 'remove-stream':
        this.#recordings.stream(command.recordingId, command.channel).receiver.remove()
        return undefined
      case 'pause':
        setPaused(this.#recordings.get(command.recordingId), true, command.pause)
        return undefined
      case 'resume':
        setPaused(this.#recordings.get(command.recordingId), false)
        return undefined
      case 'facts':
        setFacts(this.#recordings.get(command.recordingId), command.facts)
        return undefined
      case 'metadata':
        this.#recordings.get(command.recordingId).folder.addMetadata(command.document)
        return undefined
      case 'close':
        return await this.#close(command)
      case 'totals':
        return Object.fromEntries([...this.#recordings.all()].map((one) => [one.recordingId, totalsOf(one)]))
      case 'readings':
        return this.#watch.readings(
          command.recordingId === undefined ? this.#recordings.all() : [this.#recordings.get(command.recordingId)],
        )
      case 'raise':
        this.#recordings.get(command.recordingId).watch.raise(command.alarm)
        return undefined
      case 'listen':
        this.#watch.listen(this.#recordings.get(command.recordingId), command.isOn)
        return undefined
      case 'stop':
        this.#stopping ??= this.#stop()
        await this.#stopping
        return undefined
    }
  }

  /** First which packets were taken under the keys that the session has. */
  #keepSession({ recordingId, session }: RecordCommand & { type: 'keep-session' }): void {
    const recording = this.#recordings.get(recordingId)
    keepIndices(recording, (this.#options.storage ?? defaultStorage).flushMs)
    recording.folder.keepSession(session)
  }

  async #close(command: RecordCommand & { type: 'close' }): Promise<RecordReplies['close']> {
    const recording = this.#recordings.take(command.recordingId)
    const { time } = recording
    const tookMs = time.tookMs()
    // A busy thread has not read all that came before the client said goodbye.
    await this.#options.caughtUp?.()
    for (const track of tracksOf(recording)) track.flush()
    for (const track of tracksOf(recording)) track.settle()
    // What a client delivers from before is longer than it takes; else the ends differ by less than a packet.
    const durationMs = Math.max(time.isDelivered ? 0 : tookMs, ...tracksOf(recording).map((track) => track.endMs))
    for (const { receiver } of recording.streams) receiver.close()
    const totals = totalsOf(recording)
    for (const track of tracksOf(recording)) track.finish(durationMs)
    for (const { receiver } of recording.streams) receiver.others.writeAnchors()
    recording.folder.setFacts(command.facts)
    const endedAtMs = recording.startedAtMs + tookMs
    const { noAudioCause = causeOf(totals), notResumed } = command
    const closing = { endedAtMs, durationMs, totals, noAudioCause, ...(notResumed && { notResumed }) }
    return await this.#publications.publish(recording.folder, closing)
  }

  /** Writes what there is and lets go of sockets; folders stay open, for recovery. Takes only so long. */
  async #stop(): Promise<void> {
    this.#watch.stop()
    this.#rounds.stop()
    const open = [...this.#recordings.all()]
    for (const { streams } of open) for (const { receiver } of streams) receiver.close()
    // A disk that does not write must not keep the process from ending.
    const folders = [...open.map(({ folder }) => folder), ...(await this.#publications.stop(STOP_MS))]
    await Promise.all(folders.map((folder) => this.#leave(folder)))
  }

  /** What the disk does not take is given up, and said so in what was kept free for that. */
  async #leave(folder: RecordingFolder): Promise<void> {
    const { clock, onEvent } = this.#options
    if (await settledWithin(clock, STOP_MS, folder.leave())) return
    this.#reserve.spend()
    const { lostMs, written } = folder.forsake()
    onEvent({ type: 'forsaken', recordingId: folder.recordingId, lostMs })
    await settledWithin(clock, STOP_MS, written)
  }

  #removed(path: string): void {
    for (const { recordingId, folder } of this.#recordings.all()) {
      if (path.startsWith(folder.path)) this.#options.onEvent({ type: 'alarm', recordingId, alarm: removedAlarm(path) })
    }
  }

  #fail(recording: OpenRecording, fault: unknown): void {
    if (recording.hasFailed) return
    recording.hasFailed = true
    this.#options.onEvent({ type: 'track-failed', recordingId: recording.recordingId, message: messageOf(fault) })
  }
}

function causeOf(totals: readonly StreamTotals[]): NoAudioCause {
  if (totals.length === 0) return 'no-stream'
  return totals.some((stream) => stream.refused + stream.wrongSource > 0) ? 'only-refused-packets' : 'no-rtp'
}
