// A room of the recorder over real sockets and files, on a clock of the test.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { PortPool } from '#engine'
import { ManualClock, seededIds } from '#kernel'
import type { DiskPort, RecordingFacts, StreamTotals } from '#store'
import type {
  DiskState,
  RecordEvent,
  RecordReplies,
  StreamSettings,
} from '../../src/recording-server/record-messages.ts'
import { RecordRoom } from '../../src/recording-server/record-room.ts'
import { RtpSource } from './rtp-source.ts'
import { instantPort } from './test-disk.ts'

export const FACTS: RecordingFacts = {
  sip: {
    callId: 'c1',
    fromUri: 'sip:src@x',
    toUri: 'sip:srs@x',
    requestUri: 'sip:srs@x',
    source: 'x',
    transport: 'udp',
  },
  participants: [],
  sessionIds: [],
  groupIds: [],
  metadataInvalid: false,
  speakers: [['Alice']],
  speakersInferred: false,
  warnings: [],
}
export const RECORDING = 'r1'
export const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
export const PCMA = { payloadType: 8, encoding: 'PCMA/8000', clockRateHz: 8000 }
export const OPUS = { payloadType: 96, encoding: 'OPUS/48000/2', clockRateHz: 48_000 }
export const EVENTS = { payloadType: 101, encoding: 'TELEPHONE-EVENT/8000', clockRateHz: 8000 }

interface RoomBenchOptions {
  readonly keepDigits?: boolean
  readonly disk?: DiskPort
  readonly clock?: ManualClock
}

/** One room with one recording. */
export class RoomBench {
  readonly clock: ManualClock
  readonly events: RecordEvent[] = []
  /** How the disk was, each second. */
  readonly states: DiskState[] = []
  readonly root: string
  readonly room: RecordRoom
  /** RTP port of each channel. */
  readonly ports: number[] = []
  /** Reads what has arrived before a pause. */
  socketsRead: () => Promise<void> = () => Promise.resolve()
  readonly #sources: RtpSource[] = []

  constructor(root: string, { keepDigits = false, disk = instantPort, clock = new ManualClock() }: RoomBenchOptions) {
    this.clock = clock
    this.root = root
    this.room = new RecordRoom({
      root,
      keepDigits,
      clock: this.clock,
      disk,
      socketsRead: () => this.socketsRead(),
      ids: seededIds(5),
      ports: new PortPool({
        host: '127.0.0.1',
        portMin: 21_000,
        portMax: 22_999,
        clock: this.clock,
        randomInteger: () => process.pid % 900,
      }),
      onEvent: (event) => void (event.type === 'disk-state' ? this.states.push(event.state) : this.events.push(event)),
    })
  }

  static async open(t: TestContext, options: RoomBenchOptions = {}): Promise<RoomBench> {
    const root = await mkdtemp(join(tmpdir(), 'room-'))
    const bench = new RoomBench(root, options)
    t.after(async () => {
      for (const source of bench.#sources) source.close()
      await bench.room.handle({ type: 'stop' })
      await rm(root, { recursive: true })
    })
    await bench.room.handle({ type: 'open', recordingId: 'r1', facts: FACTS })
    return bench
  }

  /** A room that goes on where another one, which is stopped, left its recording: on its clock, in its folder, with its ports. */
  static after(t: TestContext, before: RoomBench): RoomBench {
    const bench = new RoomBench(before.root, { clock: before.clock })
    bench.ports.push(...before.ports)
    t.after(() => bench.room.handle({ type: 'stop' }))
    return bench
  }

  async addStream(settings: Partial<StreamSettings> = {}, label?: string): Promise<RtpSource> {
    const all = { codecs: [PCMU], isPaused: false, ...settings }
    const command = { type: 'add-stream', recordingId: RECORDING, ...(label && { label }), settings: all } as const
    const reply = await this.room.handle(command)
    this.ports.push((reply as RecordReplies['add-stream']).rtpPort)
    return await this.source(this.ports.length - 1)
  }

  /** Another source that sends to a channel. */
  async source(channel: number, ssrc?: number): Promise<RtpSource> {
    const source = await RtpSource.open({ host: '127.0.0.1', port: this.ports[channel]! }, ssrc)
    this.#sources.push(source)
    return source
  }

  /** Lets what was sent over loopback arrive: until this many packets are accounted for on the channel. */
  async received(count: number, channel = 0): Promise<void> {
    assert.ok(await this.#counted(count, channel, 200_000), `channel ${channel} did not get ${count} packets`)
  }

  async #counted(count: number, channel: number, turns: number): Promise<boolean> {
    for (let turn = 0; turn < turns; turn++) {
      if (countOf((await this.totals())[channel]!) >= count) return true
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    return false
  }

  /** Sends from several sources at once in real time by the bench's clock, 20 ms packets that arrive when they should. */
  async talk(...voices: [channel: number, source: RtpSource, payload: Uint8Array][]): Promise<void> {
    const before = await this.totals()
    for (let at = 0; at < voices[0]![2].length; at += 160) {
      this.clock.advance(20)
      for (const [channel, source, payload] of voices) {
        await source.sendPacket(payload.subarray(at, at + 160))
        await this.#counted(countOf(before[channel]!) + at / 160 + 1, channel, 100)
      }
    }
    for (const [channel, , payload] of voices) {
      await this.received(countOf(before[channel]!) + payload.length / 160, channel)
    }
  }

  async totals(): Promise<readonly StreamTotals[]> {
    return ((await this.room.handle({ type: 'totals' })) as RecordReplies['totals'])[RECORDING]!
  }

  async close(): Promise<RecordReplies['close']> {
    return (await this.room.handle({ type: 'close', recordingId: 'r1', facts: FACTS })) as RecordReplies['close']
  }
}

function countOf(totals: StreamTotals): number {
  return totals.packets + totals.duplicates + totals.refused + totals.wrongSource
}
