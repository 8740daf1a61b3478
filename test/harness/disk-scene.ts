// A recorder whose disk is put in trouble, and a client that records there meanwhile.

import assert from 'node:assert/strict'
import { judge, manifestsIn } from '../kill/kept-packets.ts'
import { KillClient } from '../kill/kill-client.ts'
import type { MortalRecorder } from './mortal-recorder.ts'
import { until } from './until.ts'

const PATIENCE_MS = 30_000

/** What a refused session was told, and how long that took. */
export interface Refused {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly ms: number
}

/** A recorder and its client. */
export class DiskScene {
  readonly recorder: MortalRecorder
  readonly client: KillClient
  readonly #store: string

  private constructor(recorder: MortalRecorder, client: KillClient, store: string) {
    this.recorder = recorder
    this.client = client
    this.#store = store
  }

  /** With a recorder that runs; `store`: where this process sees its recordings. */
  static async open(recorder: MortalRecorder, store = recorder.store): Promise<DiskScene> {
    return new DiskScene(recorder, await KillClient.open(recorder.sipPort('udp')), store)
  }

  close(): Promise<void> {
    return this.client.close()
  }

  /** Begins so many sessions. */
  async begin(count = 1): Promise<void> {
    const { client } = this
    const wanted = client.live.length + count
    for (let n = 0; n < count; n += 1) client.begin()
    await until('the sessions are up', () => client.live.length === wanted, PATIENCE_MS)
  }

  /** Waits until each stream has sent so many packets more. */
  async sent(packets: number): Promise<void> {
    const streams = this.client.live.flatMap((session) => session.streams)
    const before = streams.map(({ sentAtMs }) => sentAtMs.length)
    const isSent = (): boolean => streams.every(({ sentAtMs }, at) => sentAtMs.length >= before[at]! + packets)
    await until('more was sent', isSent, PATIENCE_MS)
  }

  /** Waits for a line of the recorder's log. */
  async says(message: string): Promise<void> {
    await until(`the recorder says: ${message}`, () => this.recorder.has(message), PATIENCE_MS)
  }

  /** Asks for a session, which is to be refused with 503 and Retry-After. */
  async refused(): Promise<Refused> {
    const { client } = this
    const before = client.refused
    const beganMs = performance.now()
    client.begin()
    await until('a new session is refused', () => client.refused === before + 1, PATIENCE_MS)
    const refused = { ...client.lastRefusal!, ms: performance.now() - beganMs }
    assert.equal(refused.status, 503)
    assert.match(refused.retryAfter ?? 'none', /^\d+/)
    return refused
  }

  /** Waits until so many recordings are published. */
  async published(count: number): ReturnType<typeof manifestsIn> {
    let kept: Awaited<ReturnType<typeof manifestsIn>> = []
    const isDone = async (): Promise<boolean> => {
      kept = await manifestsIn(this.#store)
      return kept.length === count && kept.every(({ isOpen }) => !isOpen)
    }
    await until('everything is published', isDone, PATIENCE_MS)
    return kept
  }

  /** Ends all sessions. */
  async end(): Promise<void> {
    for (const session of this.client.live) assert.equal(await this.client.end(session), 200)
  }

  /** What is wrong with the recordings of all sessions: a packet that is missing, a ledger or a recording.wav that do not agree. */
  async faults(): Promise<string[]> {
    const kept = await this.published(this.client.sessions.length)
    const judged = await Promise.all(this.client.sessions.map((session) => judge(session, kept, [])))
    return judged.flatMap(({ faults }) => faults)
  }
}
