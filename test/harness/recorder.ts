// A whole recorder for tests: SIP over the network in memory, RTP over real sockets, files in a folder of its own.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { encodePcma, encodePcmu, readWav } from '#audio'
import { PortPool } from '#engine'
import { type Clock, ManualClock, MemoryLogger, seededIds } from '#kernel'
import {
  type ClientPolicy,
  createRecordingServer,
  type RecordEvent,
  type RecordingServer,
  type RecordingServerEvent,
  type RecordingServerOptions,
  type RecordMedia,
} from '#recording-server'
import { type ParsedSdp, parseSdp } from '#sdp'
import type {
  HeaderList,
  InviteDialog,
  MessageOptions,
  RequestOutcome,
  ServerInvite,
  SipBody,
  SipCore,
  SipResponse,
  TransportName,
} from '#sip'
import { type Catalogue, type DiskPort, openCatalogue, RecordingStore } from '#store'
import { defaultStorage } from '../../src/recording-server/record-messages.ts'
import { RecordRoom } from '../../src/recording-server/record-room.ts'
import { attachCore } from './core-pair.ts'
import { RtpSource } from './rtp-source.ts'
import { SipNetwork } from './sip-network.ts'
import { instantPort } from './test-disk.ts'

/** What the strict profile expects of clients. */
export const STRICT: ClientPolicy = { strict: 'refuse', plainCalls: 'record', tolerate: [] }

/** What is expected of clients unless told. */
export const LENIENT: ClientPolicy = { strict: 'off', plainCalls: 'record', tolerate: [] }

/** The recorder's SIP address on the network in memory. */
export const RECORDER_IP = '192.0.2.9'
const CLIENT_IP = '192.0.2.1'
const PCMA = 8
/** Real time within which sockets and files must have done their part. */
const PATIENCE_MS = 15_000

/** A record room in this thread, behind the port that the worker has. */
export function roomMedia(
  root: string,
  clock: Clock,
  {
    disk = instantPort,
    leastFreeBytes = 0,
    inactiveAlarmMs,
    ports,
  }: Pick<RecorderBenchOptions, 'disk' | 'leastFreeBytes' | 'inactiveAlarmMs' | 'ports'> = {},
): RecordMedia {
  const listeners = new Set<(event: RecordEvent) => void>()
  const room = new RecordRoom({
    root,
    keepDigits: false,
    clock,
    disk,
    storage: { ...defaultStorage, leastFreeBytes },
    ...(inactiveAlarmMs !== undefined && { inactiveAlarmMs }),
    ids: seededIds(11),
    ports:
      ports ??
      new PortPool({
        host: '127.0.0.1',
        portMin: 23_000,
        portMax: 26_999,
        clock,
        randomInteger: (below) => process.pid % below,
      }),
    onEvent: (event) => {
      for (const listener of listeners) listener(event)
    },
  })
  return {
    ask: (command) => room.handle(command) as never,
    onEvent: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: async () => void (await room.handle({ type: 'stop' })),
  }
}

/** A recording session as the client sees it. */
export interface ClientSession {
  readonly dialog: InviteDialog
  readonly response: SipResponse
  readonly answer: ParsedSdp
  /** RTP ports of the answer, by m-line. */
  readonly ports: readonly number[]
}

/** What becomes of a bench's server. */
export interface RecorderBenchOptions extends Partial<RecordingServerOptions> {
  /** Where recordings are written. */
  readonly disk?: DiskPort
  /** Below this the disk has no room for new recordings. */
  readonly leastFreeBytes?: number
  /** Where media come; sockets of this machine unless told. */
  readonly ports?: PortPool
  /** After how long a session without an active stream is told of. */
  readonly inactiveAlarmMs?: number
}

/** A recorder, and a core that plays its client. */
export class RecorderBench {
  readonly clock = new ManualClock()
  readonly network = new SipNetwork(this.clock, 1, { delayMs: 0 })
  readonly log = new MemoryLogger()
  readonly events: RecordingServerEvent[] = []
  readonly root: string
  readonly store: RecordingStore
  readonly catalogue: Catalogue
  readonly server: RecordingServer
  readonly client: SipCore
  /** The record room behind the server. */
  readonly media: RecordMedia
  /** What the recorder's SIP core logs. */
  readonly coreLog: MemoryLogger
  readonly #sources: RtpSource[] = []

  private constructor(
    root: string,
    catalogue: Catalogue,
    options: RecorderBenchOptions,
    transports: readonly TransportName[] | undefined,
  ) {
    this.root = root
    this.store = new RecordingStore({ root })
    this.catalogue = catalogue
    this.media = roomMedia(root, this.clock, options)
    this.server = createRecordingServer({
      media: this.media,
      address: '127.0.0.1',
      store: this.store,
      catalogue,
      clock: this.clock,
      ids: seededIds(21),
      log: this.log,
      ...options,
    })
    this.server.events.add((event) => this.events.push(event))
    const recorder = attachCore(this.network, this.clock, RECORDER_IP, this.server.handlers, {
      isAvailable: () => this.server.isAvailable,
      isTolerant: true,
      ...(transports && { transports: [...transports] }),
      contactUser: 'recorder',
      contactParams: '+sip.srs',
      supported: ['siprec', 'timer', '100rel'],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'PRACK', 'UPDATE'],
      accept: ['application/sdp', 'application/rs-metadata+xml', 'application/rs-metadata'],
    })
    this.server.attach(recorder.core)
    this.coreLog = recorder.log
    const handlers = { onInvite: (invite: ServerInvite) => invite.reject(603) }
    this.client = attachCore(this.network, this.clock, CLIENT_IP, handlers, {
      contactParams: '+sip.src',
      accept: ['application/sdp', 'application/rs-metadata+xml'],
    }).core
  }

  static async open(
    t: TestContext,
    options: RecorderBenchOptions = {},
    transports?: readonly TransportName[],
  ): Promise<RecorderBench> {
    const root = await mkdtemp(join(tmpdir(), 'recorder-'))
    const catalogue = options.catalogue ?? (await openCatalogue(':memory:'))
    const bench = new RecorderBench(root, catalogue, options, transports)
    t.after(async () => {
      await bench.settled(bench.server.stop())
      for (const source of bench.#sources) source.close()
      await rm(root, { recursive: true, force: true })
    })
    return bench
  }

  /** Sends an INVITE and waits for its final response. */
  async invite(
    body: SipBody | undefined,
    headers: HeaderList = [['Require', 'siprec']],
  ): Promise<ClientSession | RequestOutcome> {
    const outcome = new Promise<ClientSession | RequestOutcome>((resolve) => {
      this.client.invite(
        {
          uri: `sip:recorder@${RECORDER_IP}`,
          from: '<sip:src@client.test>',
          headers,
          ...(body && { body }),
          contactParams: '+sip.src',
        },
        {
          onAccepted: (dialog, response) => {
            dialog.handlers = { onEnd: () => {} }
            const answer = parseSdp(response.body)
            assert.ok(answer.ok)
            resolve({ dialog, response, answer: answer.value, ports: answer.value.media.map(({ port }) => port) })
          },
          onFailed: resolve,
        },
      )
    })
    return await this.settled(outcome)
  }

  /** Sends an INVITE and cancels it as soon as it is on its way. */
  async cancelled(body: SipBody): Promise<void> {
    let hasFailed = false
    const onFailed = (): void => {
      hasFailed = true
    }
    const options = { uri: `sip:recorder@${RECORDER_IP}`, from: '<sip:src@client.test>', body }
    const handlers = { onAccepted: () => {}, onFailed }
    const invite = this.client.invite(options, handlers)
    await this.until(() => this.network.passages.some(({ text }) => text.startsWith('SIP/2.0 100')))
    invite.cancel()
    await this.until(() => hasFailed && this.network.passages.some(({ text }) => text.startsWith('SIP/2.0 487')))
  }

  /** Takes the client off the network without a word. */
  vanish(): void {
    this.network.detach(CLIENT_IP)
  }

  /** As `invite`, for those that must be accepted. */
  async start(body: SipBody, headers?: HeaderList): Promise<ClientSession> {
    const session = await this.invite(body, headers)
    assert.ok('dialog' in session, 'recording session refused')
    return session
  }

  /** Lets sockets, files and the network in memory work until the promise is settled. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    void promise
      .finally(() => {
        isDone = true
      })
      .catch(() => {})
    await this.until(() => isDone)
    return await promise
  }

  /** Lets sockets, files and the network in memory work until the condition holds; time goes on a little. */
  async until(condition: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + PATIENCE_MS
    for (let turn = 0; performance.now() < deadlineMs && !condition(); turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      this.clock.advance(turn % 500 === 0 ? 1 : 0)
    }
    assert.ok(condition(), 'waited in vain')
  }

  /** A source of RTP for an m-line of the answer. */
  async source(session: Pick<ClientSession, 'ports'>, line: number): Promise<RtpSource> {
    const source = await RtpSource.open({ host: '127.0.0.1', port: session.ports[line]! }, 100 + line)
    this.#sources.push(source)
    return source
  }

  /** Sends voices in real time by the bench's clock, and waits until they are counted. */
  async talk(...voices: readonly (readonly [source: RtpSource, samples: Int16Array])[]): Promise<void> {
    const before = await this.packets()
    const payloads = voices.map(([{ payloadType }, samples]) =>
      payloadType === PCMA ? encodePcma(samples) : encodePcmu(samples),
    )
    const steps = payloads[0]!.length / 160
    for (let step = 0; step < steps; step++) {
      this.clock.advance(20)
      for (const [index, [source]] of voices.entries()) {
        await source.sendPacket(payloads[index]!.subarray(step * 160, (step + 1) * 160))
      }
      const deadlineMs = performance.now() + PATIENCE_MS
      while (performance.now() < deadlineMs) {
        if ((await this.packets()) >= before + (step + 1) * voices.length) break
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    }
  }

  /** Packets of all live sessions. */
  async packets(): Promise<number> {
    const sessions = await this.server.sessions()
    return sessions.flatMap(({ streams }) => streams).reduce((sum, { totals }) => sum + (totals?.packets ?? 0), 0)
  }

  /** Ends a session with BYE and waits for its recording. */
  async end(session: ClientSession, options: MessageOptions = {}): Promise<Ended> {
    const ended = this.events.filter(({ type }) => type === 'ended').length
    void session.dialog.bye(options)
    await this.until(() => this.events.filter(({ type }) => type === 'ended').length > ended)
    const event = this.events.findLast((one) => one.type === 'ended')
    assert.ok(event?.type === 'ended')
    return event
  }

  /** Types of the events so far. */
  eventTypes(): string[] {
    return this.events.map(({ type }) => type)
  }
}

/** The event of a recording that is over. */
export type Ended = Extract<RecordingServerEvent, { type: 'ended' }>

/** Channels of a published recording. */
export async function audioOf(folder: string): Promise<Int16Array[]> {
  const wav = readWav(await readFile(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  return wav.value.samples
}
