// All recordings of one record worker: carries out commands, flushes on time, publishes.

import type { PortPool } from '#engine'
import { AppError, type Clock, type Ids, messageOf, type Timer } from '#kernel'
import { type NoAudioCause, type RecordingFacts, RecordingFolder, type StreamTotals } from '#store'
import type { RecordCommand, RecordEvent, RecordReplies, StreamSettings } from './record-messages.ts'
import { StreamReceiver } from './stream-receiver.ts'
import { Track } from './track.ts'

const FLUSH_MS = 500
/** Every so many flushes the index gets clocks and counters. */
const FLUSHES_PER_ANCHOR = 8
const CNAME_BYTES = 12

interface Stream {
  readonly track: Track
  readonly receiver: StreamReceiver
}

interface Recording {
  readonly recordingId: string
  readonly folder: RecordingFolder
  readonly originMs: number
  readonly startedAtMs: number
  readonly cname: string
  readonly streams: Stream[]
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
  readonly onEvent: (event: RecordEvent) => void
}

/** The recordings of one thread. */
export class RecordRoom {
  readonly #options: RecordRoomOptions
  readonly #recordings = new Map<string, Recording>()
  #flushTimer: Timer | undefined
  #flushes = 0

  constructor(options: RecordRoomOptions) {
    this.#options = options
    this.#scheduleFlush()
  }

  /** Carries out a command; rejects with what failed. */
  async handle(command: RecordCommand): Promise<RecordReplies[RecordCommand['type']]> {
    switch (command.type) {
      case 'open':
        return this.#open(command)
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
        return this.#close(command)
      case 'totals':
        return Object.fromEntries([...this.#recordings.values()].map((one) => [one.recordingId, totalsOf(one)]))
      case 'stop':
        this.#stop()
        return undefined
    }
  }

  #open(command: RecordCommand & { type: 'open' }): RecordReplies['open'] {
    const { clock, ids, root } = this.#options
    const { recordingId, facts } = command
    // Both clocks are read before the disk is waited for: they name the same moment.
    const startedAtMs = clock.wallMs()
    const originMs = clock.nowMs()
    const folder = new RecordingFolder(root, recordingId, startedAtMs, facts)
    const cname = ids.hex(CNAME_BYTES)
    this.#recordings.set(recordingId, {
      recordingId,
      folder,
      originMs,
      startedAtMs,
      cname,
      streams: [],
      isPaused: false,
      hasFailed: false,
    })
    return { startedAtMs }
  }

  async #addStream(
    recording: Recording,
    label: string | undefined,
    settings: StreamSettings,
  ): Promise<RecordReplies['add-stream']> {
    const { clock, ids, keepDigits } = this.#options
    const ports = await this.#options.ports.take()
    const files = recording.folder.addStream(label)
    const track = new Track(files, { keepDigits })
    const { recordingId, cname, originMs } = recording
    const receiver = new StreamReceiver({
      ports,
      track,
      clock,
      ids,
      cname,
      originMs,
      settings,
      onFirstPacket: (atMs) =>
        this.#options.onEvent({ type: 'first-packet', recordingId, channel: files.channel, atMs }),
      onClosed: () => void this.#options.ports.release(ports),
      onFault: (fault) => this.#fail(recording, fault),
    })
    receiver.pauseHere(recording.isPaused)
    recording.streams.push({ track, receiver })
    return { channel: files.channel, rtpPort: ports.port }
  }

  #pause(recording: Recording, isPaused: boolean): void {
    recording.isPaused = isPaused
    for (const { receiver } of recording.streams) receiver.pauseHere(isPaused)
  }

  #setFacts(recording: Recording, facts: RecordingFacts): void {
    for (const [channel, { receiver }] of recording.streams.entries()) receiver.setHeld(facts.held?.[channel] === true)
    recording.folder.setFacts(facts)
  }

  #close(command: RecordCommand & { type: 'close' }): RecordReplies['close'] {
    const recording = this.#recording(command.recordingId)
    this.#recordings.delete(command.recordingId)
    const elapsedMs = this.#options.clock.nowMs() - recording.originMs
    // What a client delivers from before is longer than it takes; else the ends differ by less than a packet.
    const durationMs = Math.max(elapsedMs, ...recording.streams.map(({ track }) => track.endMs))
    for (const { receiver } of recording.streams) receiver.close()
    const totals = totalsOf(recording)
    try {
      for (const { track } of recording.streams) track.finish(durationMs)
      recording.folder.setFacts(command.facts)
      return recording.folder.publish({
        endedAtMs: recording.startedAtMs + elapsedMs,
        durationMs,
        totals,
        noAudioCause: command.noAudioCause ?? causeOf(totals),
      })
    } catch (fault) {
      recording.folder.abandon()
      throw fault
    }
  }

  /** Flushes and lets go of sockets; folders stay open, for recovery. */
  #stop(): void {
    this.#flushTimer?.cancel()
    for (const recording of this.#recordings.values()) {
      this.#flush(recording)
      for (const { receiver } of recording.streams) receiver.close()
    }
  }

  #scheduleFlush(): void {
    this.#flushTimer = this.#options.clock.after(FLUSH_MS, 'flush', () => {
      this.#flushes += 1
      for (const recording of this.#recordings.values()) this.#flush(recording)
      this.#scheduleFlush()
    })
  }

  #flush(recording: Recording): void {
    if (recording.hasFailed) return
    try {
      for (const { track, receiver } of recording.streams) {
        if (this.#flushes % FLUSHES_PER_ANCHOR === 0) track.writeAnchor(receiver.totals())
        track.flush()
      }
    } catch (fault) {
      this.#fail(recording, fault)
    }
  }

  #fail(recording: Recording, fault: unknown): void {
    if (recording.hasFailed) return
    recording.hasFailed = true
    this.#options.onEvent({ type: 'disk-failed', recordingId: recording.recordingId, message: messageOf(fault) })
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
