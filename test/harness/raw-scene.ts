// Raw clients at a whole recorder: their sockets, what it has received so far, and what it keeps of each.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Manifest } from '#store'
import { shareOfTone } from '../foreign/g711-tones.ts'
import { type KeptRecording, keptRecording } from './kept-recording.ts'
import { openTestProgram, type Section, type TestProgram } from './open-program.ts'
import { LINE_TONES_HZ, RawSocketClient } from './raw-socket-client.ts'
import { until } from './until.ts'

/** Of 32768; nothing but a tone is as loud. */
const LOUD = 1000
/** Of the 160 ms that each m-line says; a busy machine sends and takes them late, and a tone is moved or cut by that. */
const LEAST_SAMPLES = 640

/** A recorder, and its recordings by Call-ID. */
export class RawScene {
  readonly recorder: TestProgram
  readonly #read = new Set<string>()
  readonly #folders = new Map<string, string>()

  private constructor(recorder: TestProgram) {
    this.recorder = recorder
  }

  static async open(recorderKeys: Section = {}): Promise<RawScene> {
    return new RawScene(await openTestProgram({ gateway: false, recorder: true, recorderKeys }))
  }

  async close(): Promise<void> {
    await this.recorder.close()
  }

  /** A client on a socket of its own. */
  client(t: TestContext, transport: 'udp' | 'tcp'): Promise<RawSocketClient> {
    return RawSocketClient.open(t, transport, this.recorder.port('recorder', transport))
  }

  /** Waits until packets of a client have come, of all its streams together, lest its BYE overtake them. */
  async received(client: RawSocketClient, packets: number): Promise<void> {
    await until(`${packets} packets have come`, async () => {
      const sessions = (await this.recorder.program.recorder?.server.sessions()) ?? []
      const streams = sessions.filter(({ facts }) => facts.sip.callId === client.callId).flatMap((one) => one.streams)
      return streams.reduce((sum, { totals }) => sum + (totals?.packets ?? 0), 0) >= packets
    })
  }

  /** Ends a session by BYE and waits for its recording. */
  async hangUp(client: RawSocketClient, headers: readonly string[] = [], body = ''): Promise<KeptRecording> {
    assert.equal((await client.request('BYE', headers, body)).status, 200)
    let folder: string | undefined
    await until('the recording is kept', async () => {
      folder = await this.#folderOf(client.callId)
      return folder !== undefined
    })
    return await keptRecording(folder!)
  }

  async #folderOf(callId: string): Promise<string | undefined> {
    const { store } = this.recorder
    // A folder may be renamed under the reader, when its recording is published.
    const names = await readdir(store, { recursive: true }).catch(() => [])
    for (const name of names) {
      if (!name.endsWith('manifest.json') || name.includes('.open') || this.#read.has(name)) continue
      const { facts } = JSON.parse(await readFile(join(store, name), 'utf8')) as Manifest
      this.#read.add(name)
      this.#folders.set(facts.sip.callId, dirname(join(store, name)))
    }
    return this.#folders.get(callId)
  }
}

/** Fails unless each of some channels holds the tone of its m-line and no other. */
export function assertLineTones({ channels }: KeptRecording, lines: readonly number[]): void {
  for (const channel of lines) {
    const samples = channels[channel]!
    const isLoud = (sample: number): boolean => Math.abs(sample) > LOUD
    const heard = samples.subarray(samples.findIndex(isLoud), samples.findLastIndex(isLoud) + 1)
    assert.ok(heard.length >= LEAST_SAMPLES, `channel ${channel}: ${heard.length} samples`)
    for (const [line, hz] of LINE_TONES_HZ.entries()) {
      const share = shareOfTone(heard, hz)
      assert.ok(line === channel ? share > 0.5 : share < 0.1, `channel ${channel}, ${hz} Hz: ${share}`)
    }
  }
}
